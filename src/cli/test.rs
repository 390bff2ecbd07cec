//! `murphy test`: every scenario of a folder, with its expectations and its golden file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use clap::Args;
use murphy_reports::{
    Batch, CheckResult, End, Judgement, SuiteCase, Verdict, golden, junit_xml, point_text, review_golden,
    span_text, suite_markdown,
};
use murphy_scenarios::results::{Results, point_latest};
use murphy_scenarios::{Model, Study};
use rayon::prelude::*;

use super::batch::{self, Stop};
use super::cluster::ratio;
use super::corpus::{self, Kept};
use super::{Failure, Format, Selection, Terminal, exit, open, scenario_files};

#[derive(Args)]
pub(super) struct TestArgs {
    /// Scenario files and folders of them; `scenarios` without any
    paths: Vec<PathBuf>,
    /// Write `JUnit` XML to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a Markdown summary to this file
    #[arg(long, value_name = "FILE")]
    summary_md: Option<PathBuf>,
    /// Every N-th scenario from the I-th: 1/4 to 4/4 are all
    #[arg(long, value_name = "I/N", value_parser = ratio)]
    shard: Option<(usize, usize)>,
    /// Take what comes out for right: changes golden files, and makes one for each file that is named
    #[arg(long)]
    accept: bool,
    /// Folder of the golden files
    #[arg(long, value_name = "DIR", default_value = "goldens")]
    goldens: PathBuf,
    /// Wall time after which a scenario is given up as inconclusive, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    limit: u64,
    /// Threads; 0 for one a core
    #[arg(short, value_name = "N", default_value_t = 0)]
    jobs: usize,
}

/// A scenario to test.
struct Case<'m> {
    file: PathBuf,
    study: Study<'m>,
    /// Whether the file itself was named, and not only a folder above it.
    named: bool,
}

/// What became of a scenario.
struct Tested {
    case: SuiteCase,
    wall: Duration,
    /// Whether it ran to its end.
    whole: bool,
}

pub(super) fn test(models: &[Box<dyn Model>], args: &TestArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let pool = batch::pool(args.jobs)?;
    let own = [PathBuf::from("scenarios")];
    let paths = if args.paths.is_empty() { &own[..] } else { &args.paths[..] };
    let kept = kept(models, args, paths, terminal)?;
    let cases = cases(models, args, paths, kept.is_empty(), terminal)?;
    let stop = Stop::on_signals();
    let tested: Vec<Tested> = pool.install(|| {
        // What broke before comes first.
        let mut tested: Vec<Tested> =
            kept.par_iter().with_max_len(1).filter_map(|kept| replayed(kept, &stop, terminal)).collect();
        // Long ones start as soon as short ones: order of files, so that what is printed is stable.
        tested.par_extend(cases.par_iter().with_max_len(1).map(|case| one(case, args, &stop, terminal)));
        tested
    });
    let suite: Vec<SuiteCase> =
        tested.iter().filter(|tested| tested.whole).map(|tested| tested.case.clone()).collect();
    for (file, bytes) in [(&args.junit, junit_xml(&suite)), (&args.summary_md, suite_markdown(&suite))] {
        let Some(file) = file else { continue };
        batch::write_whole(file, &bytes)?;
    }
    print(&tested, &suite, terminal);
    if stop.flag.load(Ordering::Relaxed) {
        eprintln!("interrupted: {} of {} were done", suite.len(), kept.len() + cases.len());
        return Ok(stop.code());
    }
    Ok(suite.iter().map(|case| case.verdict).max().map_or(exit::NOTHING, Judgement::exit_code))
}

/// The repro files of the regression corpus.
fn kept<'m>(
    models: &'m [Box<dyn Model>],
    args: &TestArgs,
    paths: &[PathBuf],
    terminal: &Terminal,
) -> Result<Vec<Kept<'m>>, Failure> {
    let (index, count) = args.shard.unwrap_or((1, 1));
    Ok(corpus::kept(models, paths, terminal)?.into_iter().skip(index - 1).step_by(count).collect())
}

fn replayed(kept: &Kept<'_>, stop: &Stop, terminal: &Terminal) -> Option<Tested> {
    let started = batch::now();
    let case = corpus::replayed(kept, &stop.flag, terminal)?;
    Some(Tested { case, wall: batch::now().duration_since(started).unwrap_or_default(), whole: true })
}

/// All scenarios, read and checked: nothing runs before every file is right.
fn cases<'m>(
    models: &'m [Box<dyn Model>],
    args: &TestArgs,
    paths: &[PathBuf],
    needed: bool,
    terminal: &Terminal,
) -> Result<Vec<Case<'m>>, Failure> {
    let mut files: Vec<(PathBuf, bool)> = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(scenario_files(path).into_iter().map(|file| (file, false)));
        } else if !corpus::is_repro(path) {
            files.push((path.clone(), true));
        }
    }
    files.dedup_by(|a, b| a.0 == b.0);
    let (index, count) = args.shard.unwrap_or((1, 1));
    let files: Vec<_> = files.into_iter().skip(index - 1).step_by(count).collect();
    if files.is_empty() && needed {
        let places: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::Nothing(format!(
            "no scenario is left to test in {}; `{} list scenarios DIR` shows the files of a folder",
            places.join(", "),
            terminal.program
        )));
    }
    let opened: Vec<Result<Case<'m>, Failure>> = files
        .into_par_iter()
        .map(|(file, named)| open(models, &file, &[], terminal).map(|study| Case { file, study, named }))
        .collect();
    let mut cases = Vec::new();
    let mut wrong = None;
    for case in opened {
        match case {
            Ok(case) => cases.push(case),
            Err(failure) => {
                failure.print(terminal);
                wrong = Some(failure);
            }
        }
    }
    match wrong {
        Some(_) => Err(Failure::Usage("nothing was run: mend these files first".to_owned())),
        None => Ok(cases),
    }
}

fn one(case: &Case<'_>, args: &TestArgs, stop: &Stop, terminal: &Terminal) -> Tested {
    let started = batch::now();
    let frozen = case.study.document.render();
    let info = batch::info(&case.study, &case.file, &Selection::default(), &frozen, &terminal.program);
    let jobs = case.study.jobs(&[]);
    let folder = Path::new("runs").join(batch::file_name(&info.scenario)).join(&info.run_id);
    // Results stay for what failed only; a folder that cannot be written fails no scenario.
    let mut results = Results::start(&folder, &frozen).ok();
    let watch = Watch::start(stop, Duration::from_secs(args.limit));
    let batch = case.study.run(&jobs, info, &watch.flag, &(), &mut |run| {
        if let Some(results) = &mut results {
            results.add(run);
        }
    });
    let given_up = batch.runs.len() < jobs.len();
    drop(watch);
    let mut checks = checks(&batch, case, terminal);
    let mut golden = String::new();
    if given_up {
        checks.push(too_long(args.limit, batch.runs.len(), jobs.len(), &batch.info.command));
    } else {
        golden = golden_check(&batch, case, args, terminal, &mut checks);
    }
    let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Judgement::Pass);
    if let Some(results) = results {
        if verdict == Judgement::Fail && !batch.runs.is_empty() {
            if let Ok(folder) = results.finish(&batch, &batch::env(started, rayon::current_num_threads())) {
                point_latest(Path::new("runs"), &folder);
            }
        } else {
            results.discard();
            // Removes what is empty only.
            _ = folder.parent().map(std::fs::remove_dir);
            _ = std::fs::remove_dir("runs");
        }
    }
    let case = SuiteCase {
        file: case.file.display().to_string(),
        simulated_ns: batch.runs.iter().map(|run| run.ended_ns).sum(),
        runs: batch.runs.len() as u64,
        verdict,
        note: note(&batch, case, &golden),
        checks,
        name: batch.info.scenario,
    };
    let whole = !(given_up && stop.flag.load(Ordering::Relaxed));
    Tested { case, wall: batch::now().duration_since(started).unwrap_or_default(), whole }
}

/// Everything that a batch says about itself: expectations, properties, limits, comparisons.
fn checks(batch: &Batch, case: &Case<'_>, terminal: &Terminal) -> Vec<CheckResult> {
    if case.study.points().iter().any(|point| point.violates) {
        return vec![must_violate(batch)];
    }
    let mut checks = Vec::new();
    let again = |point: &[(String, String)], seed: Option<u64>| command(batch, point, seed, terminal);
    for expectation in &batch.expectations {
        let mut detail = Vec::new();
        let mut shown = String::new();
        if expectation.verdict != Judgement::Pass {
            let wanted = if expectation.limit.is_empty() { "a pass" } else { &expectation.limit };
            detail.push(format!("{}, wanted {wanted}", expectation.observed));
            detail.extend(Some(expectation.seeds_text()).filter(|text| !text.is_empty()));
            let seed = expectation.not_passed.first().map(|seed| seed.seed);
            shown = again(&expectation.point, seed);
        }
        checks.push(CheckResult {
            name: named(&expectation.text, &expectation.point),
            place: format!("{}:{}", expectation.file, expectation.line),
            verdict: expectation.verdict,
            detail,
            command: shown,
        });
    }
    for run in &batch.runs {
        let mut check = |name: String, verdict, text: String| {
            let command = again(&run.point, Some(run.seed));
            checks.push(CheckResult { name, place: String::new(), verdict, detail: vec![text], command });
        };
        if let End::Limit { limit, at_ns } = &run.end {
            let text = format!("stopped by the limit on {limit} at {}", span_text(*at_ns));
            check(named("limits", &run.point), Judgement::Inconclusive, text);
        }
        for property in run.complaints() {
            match &property.verdict {
                Verdict::Held => {}
                Verdict::Violated { at_ns, event, message } => {
                    let text = format!("violated at {}, event {event}: {message}", span_text(*at_ns));
                    check(named(&property.name, &run.point), Judgement::Fail, text);
                }
                Verdict::Unknown { message } => {
                    check(named(&property.name, &run.point), Judgement::Inconclusive, message.clone());
                }
            }
        }
    }
    for comparison in &batch.comparisons {
        let Some(claim) = &comparison.claim else { continue };
        let passed = claim.verdict == Judgement::Pass;
        checks.push(CheckResult {
            name: named(&claim.text, &comparison.point),
            place: format!("{}:{}", comparison.file, comparison.line),
            verdict: claim.verdict,
            detail: if passed { Vec::new() } else { comparison.lines() },
            command: if passed { String::new() } else { batch.info.command.clone() },
        });
    }
    checks
}

/// The one check of a scenario that demonstrates a violation.
fn must_violate(batch: &Batch) -> CheckResult {
    let violated = batch.verdict == Judgement::Fail;
    CheckResult {
        name: "outcome = \"violates\"".to_owned(),
        place: batch.info.file.clone(),
        verdict: if violated { Judgement::Pass } else { Judgement::Fail },
        detail: if violated { Vec::new() } else { vec!["nothing was violated".to_owned()] },
        command: if violated { String::new() } else { batch.info.command.clone() },
    }
}

fn too_long(limit: u64, done: usize, of: usize, command: &str) -> CheckResult {
    CheckResult {
        name: "limit".to_owned(),
        place: String::new(),
        verdict: Judgement::Inconclusive,
        detail: vec![format!("given up after {limit} s with {done} of {of} runs done; --limit allows more")],
        command: command.to_owned(),
    }
}

/// A check's name, with the point in a sweep.
fn named(text: &str, point: &[(String, String)]) -> String {
    if point.is_empty() { text.to_owned() } else { format!("{text} [{}]", point_text(point)) }
}

/// The command that runs one point with one seed.
fn command(batch: &Batch, point: &[(String, String)], seed: Option<u64>, terminal: &Terminal) -> String {
    let mut words = vec![batch::quoted(&terminal.program), "run".to_owned(), batch::quoted(&batch.info.file)];
    for (axis, value) in point {
        words.extend(["--set".to_owned(), batch::quoted(&format!("{axis}={value}"))]);
    }
    if let Some(seed) = seed {
        words.extend(["--seed".to_owned(), seed.to_string()]);
    }
    words.join(" ")
}

/// Compares with the golden file, or writes it; a word for the note.
fn golden_check(
    batch: &Batch,
    case: &Case<'_>,
    args: &TestArgs,
    terminal: &Terminal,
    checks: &mut Vec<CheckResult>,
) -> String {
    let file = args.goldens.join(format!("{}.golden.toml", batch::file_name(&batch.info.scenario)));
    let there = std::fs::read_to_string(&file).ok();
    let accept = format!("{} test {} --accept", terminal.program, batch::quoted(&batch.info.file));
    let found = golden(batch);
    let mut check = |verdict, detail: Vec<String>| {
        let name = format!("golden {}", file.display());
        let command = if verdict == Judgement::Pass { String::new() } else { accept.clone() };
        checks.push(CheckResult { name, place: String::new(), verdict, detail, command });
    };
    if args.accept && (there.is_some() || case.named) {
        let same = there.is_some_and(|there| review_golden(&there, &found).same());
        return match batch::write_whole(&file, &found) {
            Ok(()) if same => "golden same".to_owned(),
            Ok(()) => "golden accepted".to_owned(),
            Err(_) => {
                check(Judgement::Fail, vec!["it cannot be written".to_owned()]);
                "golden not written".to_owned()
            }
        };
    }
    let Some(there) = there else { return String::new() };
    let review = review_golden(&there, &found);
    if review.same() {
        check(Judgement::Pass, Vec::new());
        "golden same".to_owned()
    } else {
        check(Judgement::Fail, review.lines());
        "golden differs".to_owned()
    }
}

fn note(batch: &Batch, case: &Case<'_>, golden: &str) -> String {
    let mut parts = Vec::new();
    if case.study.points().iter().any(|point| point.violates) {
        parts.push("violates".to_owned());
    }
    let mut count = |count: usize, one: &str| {
        if count > 0 {
            parts.push(format!("{count} {one}{}", if count == 1 { "" } else { "s" }));
        }
    };
    count(case.study.points()[0].expectations.len(), "expectation");
    count(batch.comparisons.len(), "comparison");
    if batch.runs.len() > 1 {
        count(batch.runs.len(), "run");
    }
    parts.extend(Some(golden.to_owned()).filter(|word| !word.is_empty()));
    parts.join(", ")
}

fn print(tested: &[Tested], suite: &[SuiteCase], terminal: &Terminal) {
    match terminal.format {
        Format::Text => terminal.print(&text(tested, suite)),
        Format::Json => {
            let value = serde_json::json!({ "schema": 1, "scenarios": suite });
            terminal.print(&format!("{value:#}\n"));
        }
        Format::Csv => {
            let mut out = "scenario,file,verdict,runs,checks,failed,inconclusive\n".to_owned();
            for case in suite {
                let count = |verdict| case.checks.iter().filter(|check| check.verdict == verdict).count();
                let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
                _ = writeln!(
                    out,
                    "{},{},{},{},{},{},{}",
                    cell(&case.name),
                    cell(&case.file),
                    case.verdict.word().to_lowercase(),
                    case.runs,
                    case.checks.len(),
                    count(Judgement::Fail),
                    count(Judgement::Inconclusive)
                );
            }
            terminal.print(&out);
        }
    }
}

/// Most checks of one scenario that are printed.
const PRINTED: usize = 5;
/// Most lines about one of them.
const LINES: usize = 40;

fn text(tested: &[Tested], suite: &[SuiteCase]) -> String {
    let mut out = String::new();
    let width = suite.iter().map(|case| case.name.chars().count()).max().unwrap_or(0);
    for Tested { case, wall, .. } in tested.iter().filter(|tested| tested.whole) {
        let word = if case.verdict == Judgement::Inconclusive { "????" } else { case.verdict.word() };
        let seconds = format!("{:.1}s", wall.as_secs_f64());
        _ = writeln!(out, "  {word}  {seconds:>6}  {:width$}  {}", case.name, case.note);
        let bad: Vec<&CheckResult> = case
            .checks
            .iter()
            .filter(|check| check.verdict == case.verdict && check.verdict != Judgement::Pass)
            .collect();
        for check in bad.iter().take(PRINTED) {
            _ = writeln!(out, "                {}  {}", check.name, check.place);
            for line in check.detail.iter().take(LINES) {
                _ = writeln!(out, "                  {line}");
            }
            if check.detail.len() > LINES {
                _ = writeln!(out, "                  … and {} more lines", check.detail.len() - LINES);
            }
            _ = writeln!(out, "                {}", check.command);
        }
        if bad.len() > PRINTED {
            _ = writeln!(out, "                … and {} more checks", bad.len() - PRINTED);
        }
    }
    let count = |verdict| suite.iter().filter(|case| case.verdict == verdict).count();
    let mut words =
        vec![format!("{} passed", count(Judgement::Pass)), format!("{} failed", count(Judgement::Fail))];
    if count(Judgement::Inconclusive) > 0 {
        words.push(format!("{} inconclusive", count(Judgement::Inconclusive)));
    }
    let report = if count(Judgement::Fail) > 0 { " Report: runs/latest/report.html" } else { "" };
    _ = writeln!(out, "  {}.{report}", words.join(", "));
    out
}

/// Ends a scenario when a signal came or its time is over.
struct Watch {
    flag: Arc<AtomicBool>,
    // Dropped when the scenario is done: the thread sees it and ends.
    _done: Sender<()>,
}

impl Watch {
    fn start(stop: &Stop, limit: Duration) -> Watch {
        const LOOK_EVERY: Duration = Duration::from_millis(50);
        let (done, over) = channel::<()>();
        let flag = Arc::new(AtomicBool::new(stop.flag.load(Ordering::Relaxed)));
        let (shared, signal) = (Arc::clone(&flag), Arc::clone(&stop.flag));
        std::thread::spawn(move || {
            let mut waited = Duration::ZERO;
            while over.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                waited += LOOK_EVERY;
                if waited >= limit || signal.load(Ordering::Relaxed) {
                    shared.store(true, Ordering::Relaxed);
                }
            }
        });
        Watch { flag, _done: done }
    }
}
