//! `murphy run`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use murphy_reports::{Batch, BatchInfo, result_json, summary_csv, terminal_summary};
use murphy_scenarios::results::{Results, point_latest, run_id};
use murphy_scenarios::{Job, Model, Study};

use super::{Failure, Format, Loudness, Selection, Terminal, exit, open};

/// Version of the engine: part of every result's identity.
const ENGINE: &str = concat!("murphy ", env!("CARGO_PKG_VERSION"));

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

/// Most threads that can be asked for.
const MOST_THREADS: usize = 1024;

pub(super) fn run(models: &[Box<dyn Model>], args: &RunArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let started = now();
    let study = open(models, &args.file, &args.selection.overrides()?, terminal)?;
    let jobs = study.jobs(&args.selection.seeds());
    if jobs.is_empty() {
        return Err(Failure::Nothing(format!(
            "no point of the sweep is left to run; `{} check {}` shows the plan",
            terminal.program,
            args.file.display()
        )));
    }
    if args.jobs > MOST_THREADS {
        return Err(Failure::Usage(format!("-j {} is more than {MOST_THREADS} threads", args.jobs)));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.jobs).build();
    let pool =
        pool.map_err(|error| Failure::Usage(format!("cannot start -j {} threads: {error}", args.jobs)))?;

    let frozen = frozen(&study, args);
    let info = batch_info(&study, args, &frozen, &terminal.program);
    let name = file_name(&info.scenario);
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
    let env = env(started, pool.current_num_threads());
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

/// The resolved scenario with the seeds that the command line chose.
fn frozen(study: &Study<'_>, args: &RunArgs) -> String {
    let mut text = study.document.render();
    let seeds = args.selection.seeds();
    if !seeds.is_empty() {
        let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
        _ = write!(text, "\n# seeds of this run, from the command line: {}\n", list.join(", "));
    }
    text
}

fn batch_info(study: &Study<'_>, args: &RunArgs, frozen: &str, program: &str) -> BatchInfo {
    let first = &study.points()[0];
    BatchInfo {
        scenario: first.name.clone(),
        about: first.about.clone(),
        file: args.file.display().to_string(),
        command: command(program, args, first.seed, study),
        engine: ENGINE.to_owned(),
        run_id: run_id(frozen, ENGINE),
        resolved: frozen.to_owned(),
    }
}

/// The command that repeats this one: every seed is named, so that editing the file's does not matter.
fn command(program: &str, args: &RunArgs, own_seed: u64, study: &Study<'_>) -> String {
    let mut words = vec![quoted(program), "run".to_owned(), quoted(&args.file.display().to_string())];
    for set in &args.selection.sets {
        words.extend(["--set".to_owned(), quoted(set)]);
    }
    if let Some(until) = &args.selection.until {
        words.extend(["--until".to_owned(), quoted(until)]);
    }
    match args.selection.seeds().as_slice() {
        [] if study.document.seeds().is_empty() => words.extend(["--seed".to_owned(), own_seed.to_string()]),
        [] => {}
        [seed] => words.extend(["--seed".to_owned(), seed.to_string()]),
        [first, .., last] if last - first + 1 == args.selection.seeds().len() as u64 => {
            words.extend(["--seeds".to_owned(), format!("{first}..={last}")]);
        }
        seeds => {
            let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
            words.extend(["--seeds".to_owned(), list.join(",")]);
        }
    }
    words.join(" ")
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A scenario's name as a folder's.
fn file_name(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(keep).take(100).collect();
    if name.trim_matches('.').is_empty() { "scenario".to_owned() } else { name }
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

/// What SIGINT and SIGTERM ask for.
struct Stop {
    flag: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Stop {
    /// From now on a signal sets the flag, and a second one ends the program at once.
    fn on_signals() -> Stop {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let stop = Stop { flag: Arc::default(), terminated: Arc::default() };
        for (signal, code) in [(SIGINT, exit::INTERRUPTED), (SIGTERM, exit::TERMINATED)] {
            // Without handlers a signal ends the program as usual.
            _ = signal_hook::flag::register_conditional_shutdown(
                signal,
                i32::from(code),
                Arc::clone(&stop.flag),
            );
            _ = signal_hook::flag::register(signal, Arc::clone(&stop.flag));
        }
        _ = signal_hook::flag::register(SIGTERM, Arc::clone(&stop.terminated));
        stop
    }

    fn code(&self) -> u8 {
        if self.terminated.load(Ordering::Relaxed) { exit::TERMINATED } else { exit::INTERRUPTED }
    }
}

#[expect(clippy::disallowed_methods, reason = "wall time goes into env.json only, never into a run")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// The only file that differs from host to host.
fn env(started: std::time::SystemTime, threads: usize) -> String {
    let unix = started.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let wall = now().duration_since(started).unwrap_or_default();
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "schema": 1,
        "engine": ENGINE,
        "host": gethostname::gethostname().to_string_lossy(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "threads": threads,
        "started_unix_s": unix.as_secs(),
        "wall_s": wall.as_secs_f64(),
    }));
    text.unwrap_or_default() + "\n"
}
