//! `murphy hunt`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use murphy_scenarios::hunt::{Finding, Hunt, Shrunk, Strategy};
use murphy_scenarios::{Model, Study};

use super::batch::{Stop, pool, write_whole};
use super::replay::build_id;
use super::shrink::{next, seconds, summary, with_spinner, write_slipped};
use super::{Failure, Format, Terminal, exit, open};

#[derive(Args)]
pub(super) struct HuntArgs {
    /// Scenario file
    file: PathBuf,
    /// Search so long, such as 60s or 10m
    #[arg(long, value_name = "TIME", required_unless_present = "seeds")]
    budget: Option<String>,
    /// Search so many seeds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    seeds: Option<u64>,
    /// The first seed, instead of the file's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=1_000_000_000_000))]
    seed: Option<u64>,
    /// How seeds are searched: mix, random, swarm, priorities, forks, or own for the scenario's faults alone
    #[arg(long, value_parser = strategy, default_value = "mix")]
    strategy: Strategy,
    /// Set a value by its path
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Folder for repro files
    #[arg(long, value_name = "DIR", default_value = "failures")]
    out: PathBuf,
    /// Keep findings as they were found
    #[arg(long)]
    no_shrink: bool,
    /// Threads; 0 for one a core
    #[arg(short, value_name = "N", default_value_t = 0)]
    jobs: usize,
}

/// Seeds that are searched together: the same whatever the number of threads.
const TOGETHER: u64 = 16;

pub(super) fn hunt(models: &[Box<dyn Model>], args: &HuntArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let sets: Result<Vec<_>, _> = args.sets.iter().map(|set| set.parse().map_err(Failure::Usage)).collect();
    let study = open(models, &args.file, &sets?, terminal)?;
    let budget = args.budget.as_deref().map(budget).transpose()?;
    let pool = pool(args.jobs)?;
    let mut hunt = Hunt::new(&study, args.strategy, &build_id());
    if let Some(seed) = args.seed {
        hunt = hunt.from_seed(seed);
    }
    if hunt.properties().is_empty() {
        let (program, file) = (&terminal.program, args.file.display());
        return Err(Failure::Nothing(format!(
            "the scenario's model declares no safety property: there is nothing to hunt\n  {program} run {file}"
        )));
    }
    let stop = Stop::on_signals();
    let took = pool.install(|| search(&mut hunt, args, budget, &stop, terminal));
    let findings: Vec<&Finding> = hunt.findings().collect();
    terminal.print(&headline(&hunt, &findings, took));
    let mut code = exit::PASS;
    for finding in findings {
        code = exit::FAIL;
        report(&hunt, finding, args, &stop, terminal)?;
    }
    if code == exit::PASS && terminal.format == Format::Text {
        terminal.print(&nothing(&study, args, terminal));
    }
    Ok(if stop.is_set() { stop.code() } else { code })
}

/// Searches until the budget or the seeds are used up; how long that took.
fn search(
    hunt: &mut Hunt<'_>,
    args: &HuntArgs,
    budget: Option<Duration>,
    stop: &Stop,
    terminal: &Terminal,
) -> Duration {
    let bar = progress(args, terminal);
    // The clock sets the same flag as a signal does, so that runs in flight end with the budget.
    let halt = Halt::after(budget, stop);
    let mut left = args.seeds.unwrap_or(u64::MAX);
    while left > 0 && !halt.flag.load(Ordering::Relaxed) && !stop.is_set() {
        let seeds = TOGETHER.min(left);
        hunt.step(seeds, &halt.flag);
        left -= seeds;
        let stats = hunt.stats();
        bar.set_position(stats.seeds);
        let found = hunt.findings().count();
        let fresh = stats.new_states as f64 / seeds as f64;
        bar.set_message(format!("{found} found, {} states, {fresh:.1} new a seed", stats.states));
    }
    let took = bar.elapsed();
    bar.finish_and_clear();
    took
}

/// Ends a search when its time is over, or with a signal.
struct Halt {
    flag: Arc<AtomicBool>,
    _done: mpsc::Sender<()>,
}

impl Halt {
    fn after(budget: Option<Duration>, stop: &Stop) -> Halt {
        let flag = Arc::new(AtomicBool::new(false));
        let (done, wait) = mpsc::channel();
        let (set, signal) = (Arc::clone(&flag), Arc::clone(&stop.flag));
        std::thread::spawn(move || {
            let mut left = budget.unwrap_or(Duration::MAX);
            let slice = Duration::from_millis(50);
            while !left.is_zero() && !signal.load(Ordering::Relaxed) {
                // The sender is dropped when the search is over.
                if wait.recv_timeout(slice.min(left)) == Err(mpsc::RecvTimeoutError::Disconnected) {
                    return;
                }
                left = left.saturating_sub(slice);
            }
            set.store(true, Ordering::Relaxed);
        });
        Halt { flag, _done: done }
    }
}

fn progress(args: &HuntArgs, terminal: &Terminal) -> ProgressBar {
    let target = if terminal.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(args.seeds, target);
    let template = match (&args.budget, args.seeds) {
        (Some(budget), _) => format!("{{elapsed}} of {budget}: {{pos}} seeds, {{per_sec}}, {{msg}}"),
        (None, _) => "{bar:20} {pos}/{len} seeds, {per_sec}, {eta} left, {msg}".to_owned(),
    };
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// `2 412 seeds, 40/s, 1 distinct failure (seen 17 times)`.
fn headline(hunt: &Hunt<'_>, findings: &[&Finding], took: Duration) -> String {
    let stats = hunt.stats();
    let rate = stats.seeds as f64 / took.as_secs_f64().max(0.001);
    let seeds = HumanCount(stats.seeds).to_string().replace(',', " ");
    let seen: u64 = findings.iter().map(|finding| finding.seen).sum();
    let distinct = match findings.len() {
        0 => "no failure".to_owned(),
        1 => format!("1 distinct failure (seen {seen} times)"),
        n => format!("{n} distinct failures (seen {seen} times)"),
    };
    let rate = if rate >= 10.0 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") };
    format!("  {seeds} seeds, {rate}, {distinct}\n")
}

/// Shrinks one finding, writes its repro file, and says what to type next.
fn report(
    hunt: &Hunt<'_>,
    finding: &Finding,
    args: &HuntArgs,
    stop: &Stop,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let violation = &finding.violation;
    let property = &violation.fingerprint.property;
    terminal.print(&format!(
        "  FAIL {property} at {}, seed {}: {}\n",
        seconds(violation.at.0),
        finding.seed,
        violation.message
    ));
    let file = args.out.join(violation.fingerprint.file_name());
    let Some(repro) = hunt.repro(finding) else {
        terminal.print(
            "  the run does not show the same a second time from its plan alone; nothing was written\n",
        );
        return Ok(());
    };
    // Written before it is shrunk: whatever happens then, the finding is kept.
    write_whole(&file, &repro.render())?;
    let mut text = String::new();
    if !args.no_shrink
        && let Some(shrunk) = with_spinner(terminal, &repro, stop)
    {
        text = finish(&shrunk, &file, &args.out)?;
    }
    _ = write!(text, "{}", next(&file, terminal));
    terminal.print(&text);
    Ok(())
}

fn finish(shrunk: &Shrunk<'_>, file: &Path, folder: &Path) -> Result<String, Failure> {
    write_whole(file, &shrunk.repro.render())?;
    Ok(summary(shrunk) + &write_slipped(shrunk, folder)?)
}

fn nothing(study: &Study<'_>, args: &HuntArgs, terminal: &Terminal) -> String {
    let longer = match (&args.budget, args.seeds) {
        (_, Some(seeds)) => format!("--seeds {}", seeds.saturating_mul(10)),
        (Some(budget), None) => format!("--budget {budget} --seed {}", study.points()[0].seed + 1_000_000),
        (None, None) => "--budget 10m".to_owned(),
    };
    format!("  Longer:  {} hunt {} {longer}\n", terminal.program, args.file.display())
}

fn strategy(word: &str) -> Result<Strategy, String> {
    let found = Strategy::ALL.into_iter().find(|(name, _)| *name == word);
    let names: Vec<&str> = Strategy::ALL.iter().map(|(name, _)| *name).collect();
    found.map(|(_, strategy)| strategy).ok_or_else(|| format!("strategies: {}", names.join(", ")))
}

/// A length of wall time, such as `60s` or `10m`.
fn budget(text: &str) -> Result<Duration, Failure> {
    // A budget is short: `10m` are minutes here, though scenarios write `10min`.
    let minutes = text.strip_suffix('m').filter(|number| number.parse::<u64>().is_ok());
    let spelled = minutes.map_or_else(|| text.to_owned(), |number| format!("{number}min"));
    let span = murphy_scenarios::language::parse_duration(&spelled)
        .ok_or_else(|| Failure::Usage(format!("--budget {text} is no length of time; write --budget 60s")))?;
    Ok(Duration::from_nanos(span.0))
}
