//! `murphy run`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use murphy_reports::{Batch, result_json, summary_csv, terminal_summary};
use murphy_scenarios::results::{Results, point_latest};
use murphy_scenarios::{Job, Model};

use super::batch::{self, Stop};
use super::{Failure, Format, Loudness, Selection, Terminal, open};

#[derive(Args)]
pub(super) struct RunArgs {
    /// Scenario file
    file: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Folder for the results, instead of runs/NAME/ID
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads; 0 for one a core
    #[arg(short, value_name = "N", default_value_t = 0)]
    jobs: usize,
}

pub(super) fn run(models: &[Box<dyn Model>], args: &RunArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let started = batch::now();
    let study = open(models, &args.file, &args.selection.overrides()?, terminal)?;
    let jobs = study.jobs(&args.selection.seeds());
    if jobs.is_empty() {
        return Err(Failure::Nothing(format!(
            "no point of the sweep is left to run; `{} check {}` shows the plan",
            terminal.program,
            args.file.display()
        )));
    }
    let pool = batch::pool(args.jobs)?;

    let frozen = batch::frozen(&study, &args.selection);
    let info = batch::info(&study, &args.file, &args.selection, &frozen, &terminal.program);
    let name = batch::file_name(&info.scenario);
    let root = Path::new("runs");
    let folder = args.out.clone().unwrap_or_else(|| root.join(name).join(&info.run_id));
    let written =
        |error: std::io::Error| Failure::Usage(format!("cannot write {}: {error}", folder.display()));
    let mut results = Results::start(&folder, &frozen).map_err(written)?;

    let stop = Stop::on_signals();
    let batch = with_progress(terminal, &jobs, |progress| {
        pool.install(|| {
            let mut plans = jobs.iter().map(|job| study.plan(*job));
            study.run(&jobs, info, &stop.flag, &mut |run| {
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
    if interrupted {
        eprintln!("interrupted after {} of {} runs; what was done is kept", batch.runs.len(), jobs.len());
        return Ok(stop.code());
    }
    Ok(batch.exit_code())
}

fn report(batch: &Batch, folder: &Path, terminal: &Terminal) {
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
