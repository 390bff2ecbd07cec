//! `murphy run`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use murphy_reports::{Batch, BatchInfo, RunSummary, result_json, summary_csv, terminal_summary};
use murphy_scenarios::results::{Results, point_latest};
use murphy_scenarios::rows::{Journal, Store};
use murphy_scenarios::{Job, Model};

use super::batch::{self, Stop};
use super::cluster::{self, Which};
use super::{Failure, Format, Loudness, Selection, Terminal, open};

#[derive(Args)]
pub(super) struct RunArgs {
    /// Scenario file
    #[arg(required_unless_present = "plan")]
    file: Option<PathBuf>,
    /// Run shards of a plan, as a worker of a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "seed", "seeds", "sets", "until", "out", "resume"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Exit with 1 when a run of a plan violates something
    #[arg(long, requires = "plan")]
    fail_on_violation: bool,
    #[command(flatten)]
    selection: Selection,
    /// Folder for the results, instead of runs/NAME/ID
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with a batch that was interrupted or killed
    #[arg(long)]
    resume: bool,
    /// Threads; 0 for one a core
    #[arg(short, value_name = "N", default_value_t = 0)]
    jobs: usize,
}

pub(super) fn run(models: &[Box<dyn Model>], args: &RunArgs, terminal: &Terminal) -> Result<u8, Failure> {
    if let Some(plan) = &args.plan {
        return Ok(cluster::work(models, plan, &args.which, args.jobs, args.fail_on_violation));
    }
    let file = args.file.as_deref().unwrap_or(Path::new(""));
    if args.which.any() {
        let out = args.out.as_deref().ok_or_else(|| {
            Failure::Usage("--shard needs --out DIR: the folder in which the shards come together".to_owned())
        })?;
        return cluster::shard_of(models, file, &args.selection, &args.which, out, args.jobs, terminal);
    }
    let started = batch::now();
    let study = open(models, file, &args.selection.overrides()?, terminal)?;
    let jobs = study.jobs(&args.selection.seeds());
    if jobs.is_empty() {
        return Err(Failure::Nothing(format!(
            "no point of the sweep is left to run; `{} check {}` shows the plan",
            terminal.program,
            file.display()
        )));
    }
    let pool = batch::pool(args.jobs)?;

    let frozen = batch::frozen(&study, &args.selection);
    let info = batch::info(&study, file, &args.selection, &frozen, &terminal.program);
    let name = batch::file_name(&info.scenario);
    let root = Path::new("runs");
    let folder = args.out.clone().unwrap_or_else(|| root.join(name).join(&info.run_id));
    let written =
        |error: std::io::Error| Failure::Usage(format!("cannot write {}: {error}", folder.display()));
    let journal = journal(args, file, &folder, &info, jobs.len())?;
    let store: &dyn Store = journal.as_ref().map_or(&(), |journal| &journal.rows);
    let mut results = Results::start(&folder, &frozen).map_err(written)?;

    let stop = Stop::on_signals();
    let batch = with_progress(terminal, &jobs, |progress| {
        pool.install(|| {
            let mut plans = jobs.iter().map(|job| study.plan(*job));
            study.run(&jobs, info, &stop.flag, store, &mut |run| {
                results.add(run);
                if let Some(plan) = plans.next().flatten() {
                    results.add_plan(&plan);
                }
                progress.inc(1);
            })
        })
    });
    let interrupted = batch.runs.len() < jobs.len();
    if batch.runs.is_empty() {
        results.discard();
        eprintln!("interrupted before a run was done; nothing was written");
        return Ok(stop.code());
    }
    let env = batch::env(started, pool.current_num_threads());
    let folder = results.finish(&batch, &env).map_err(written)?;
    if args.out.is_none() {
        point_latest(root, &folder);
    }
    report(&batch, &folder, terminal);
    suggest_hunt(&batch, args, terminal);
    if interrupted {
        eprintln!(
            "interrupted after {} of {} runs; what was done is kept: the same command with --resume goes on",
            batch.runs.len(),
            jobs.len()
        );
        return Ok(stop.code());
    }
    if let Some(journal) = journal {
        // A file that stays does no harm.
        _ = std::fs::remove_file(journal.path);
    }
    Ok(batch.exit_code())
}

/// Rows of the runs that are done, beside the results until all of them are.
struct Kept {
    path: PathBuf,
    rows: Journal,
}

/// The journal of a batch of several runs.
fn journal(
    args: &RunArgs,
    file: &Path,
    folder: &Path,
    info: &BatchInfo,
    jobs: usize,
) -> Result<Option<Kept>, Failure> {
    if jobs < 2 && !args.resume {
        return Ok(None);
    }
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let path = folder.with_file_name(format!(".{name}.rows"));
    let identity = batch::identity(info, file);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        // If it cannot be made, the results say so.
        _ = std::fs::create_dir_all(parent);
    }
    let rows =
        if args.resume { Journal::resume(&path, &identity, jobs) } else { Journal::create(&path, &identity) };
    let rows = rows.map_err(|error| {
        let hint = if args.resume { "; without --resume everything is run again" } else { "" };
        Failure::Usage(format!("cannot keep rows in {}: {error}{hint}", path.display()))
    })?;
    if args.resume {
        eprintln!("{} of {jobs} runs were done before", rows.done());
    }
    Ok(Some(Kept { path, rows }))
}

pub(super) fn report(batch: &Batch, folder: &Path, terminal: &Terminal) {
    match terminal.format {
        Format::Text => {
            terminal.print(&terminal_summary(batch, terminal.out_color));
            terminal.print(&format!("Report  {}\n", folder.join("report.html").display()));
            if terminal.loudness == Loudness::Verbose {
                terminal.print(&format!("Files   {}\n", folder.display()));
            }
        }
        Format::Json => terminal.print(&result_json(batch)),
        Format::Csv => terminal.print(&summary_csv(&batch.runs)),
    }
}

/// After a violated property: the command that makes a repro file of it.
fn suggest_hunt(batch: &Batch, args: &RunArgs, terminal: &Terminal) {
    let violated = |run: &&RunSummary| run.violations().next().is_some();
    let Some(run) = batch.runs.iter().find(violated).filter(|_| terminal.format == Format::Text) else {
        return;
    };
    let mut words = vec![terminal.program.clone(), "hunt".to_owned()];
    words.push(batch::quoted(&batch.info.file));
    let axes = run.point.iter().map(|(axis, value)| format!("{axis}={value}"));
    for set in args.selection.sets.iter().cloned().chain(axes) {
        words.extend(["--set".to_owned(), batch::quoted(&set)]);
    }
    terminal.print(&format!("Shrink  {} --strategy own --seeds 1 --seed {}\n", words.join(" "), run.seed));
}

fn with_progress<T>(terminal: &Terminal, jobs: &[Job], work: impl FnOnce(&ProgressBar) -> T) -> T {
    let bar = ProgressBar::with_draw_target(
        Some(jobs.len() as u64),
        if terminal.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
    );
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    let done = work(&bar);
    bar.finish_and_clear();
    done
}
