//! `plan`, `run --plan`, `status` and `merge`: a batch in shards, for any launcher of processes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use murphy_reports::Judgement;
use murphy_scenarios::language::decode;
use murphy_scenarios::plan::{PLAN_SCHEMA, Plan, PlanError, PlanFolder, ShardState, plan_id, shard_count};
use murphy_scenarios::results::{Results, point_latest};
use murphy_scenarios::rows::Row;
use murphy_scenarios::{Model, Study};
use rayon::prelude::*;

use super::batch::{self, ENGINE, Stop};
use super::run::report;
use super::{Failure, Selection, Terminal, exit};

/// Exit codes of a cluster's worker: those of sysexits.h that schedulers know how to take.
mod worker {
    pub(super) const USAGE: u8 = 64;
    pub(super) const CORRUPT: u8 = 65;
    pub(super) const IO: u8 = 74;
    pub(super) const RETRY: u8 = 75;
    pub(super) const MISMATCH: u8 = 78;
}

/// Most runs of one shard: its rows are in memory at once.
const MOST_RUNS: usize = 2000;

#[derive(Args)]
pub(super) struct PlanArgs {
    /// Scenario file
    file: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Folder for the plan and the shards' results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seconds that a shard should take on one thread
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0)]
    target_seconds: f64,
    /// Number of shards, instead of as many as the target asks for
    #[arg(long, value_name = "N", conflicts_with = "target_seconds")]
    shards: Option<usize>,
}

#[derive(Args)]
pub(super) struct StatusArgs {
    /// Folder of a plan
    folder: PathBuf,
    /// Print the missing shards only, as `run --shards` takes them
    #[arg(long)]
    missing: bool,
}

#[derive(Args)]
pub(super) struct MergeArgs {
    /// Folders of one plan
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Folder for the results, instead of runs/NAME/ID
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Which shards a worker runs.
#[derive(Args)]
#[group(id = "which", multiple = false)]
pub(super) struct Which {
    /// Run the I-th of N shards
    #[arg(long, value_name = "I/N", value_parser = ratio)]
    shard: Option<(usize, usize)>,
    /// Run the K-th of P parts of the shards
    #[arg(long, value_name = "K/P", value_parser = ratio)]
    part: Option<(usize, usize)>,
    /// Run these shards, such as 3,7-9
    #[arg(long, value_name = "LIST")]
    shards: Option<String>,
}

impl Which {
    /// Whether any is chosen.
    pub(super) fn any(&self) -> bool {
        self.shard.is_some() || self.part.is_some() || self.shards.is_some()
    }
}

/// `I/N` with `1 <= I <= N`.
pub(super) fn ratio(text: &str) -> Result<(usize, usize), String> {
    let wrong = || format!("`{text}` is not I/N with 1 <= I <= N, such as 2/4");
    let (index, count) = text.split_once('/').ok_or_else(wrong)?;
    let (index, count): (usize, usize) =
        (index.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?);
    if index >= 1 && index <= count { Ok((index, count)) } else { Err(wrong()) }
}

/// Makes a plan's folder.
pub(super) fn plan(models: &[Box<dyn Model>], args: &PlanArgs, terminal: &Terminal) -> Result<u8, Failure> {
    if args.target_seconds.is_nan() || args.target_seconds <= 0.0 {
        return Err(Failure::Usage(format!("--target-seconds {} is no time", args.target_seconds)));
    }
    let target = args.shards.map_or(Cut::Seconds(args.target_seconds), Cut::Shards);
    let folder = make(models, &args.file, &args.selection, &args.out, target)?;
    let Plan { jobs, shards, run_s, .. } = &folder.plan;
    let total = *jobs as f64 * run_s;
    let (out, program) = (batch::quoted(&args.out.display().to_string()), &terminal.program);
    let time = match target {
        Cut::Seconds(_) => format!(" of about {run_s:.3} s: {total:.0} s on one thread"),
        Cut::Shards(_) => String::new(),
    };
    terminal.print(&format!(
        "{jobs} runs{time}, in {shards} shards\n\
         next: {program} submit {out} --engine slurm|k8s|ray, or {program} run --plan {out} --part K/P on each host;\n\
         then {program} merge {out}\n"
    ));
    Ok(exit::PASS)
}

#[derive(Clone, Copy)]
enum Cut {
    Seconds(f64),
    Shards(usize),
}

fn make(
    models: &[Box<dyn Model>],
    file: &Path,
    selection: &Selection,
    out: &Path,
    cut: Cut,
) -> Result<PlanFolder, Failure> {
    let shown = file.display().to_string();
    let bytes =
        std::fs::read(file).map_err(|error| Failure::Usage(format!("cannot read {shown}: {error}")))?;
    let source = decode(bytes, &shown).map_err(Failure::Scenario)?;
    let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let files: RefCell<BTreeMap<PathBuf, String>> = RefCell::default();
    let read = |path: &Path| -> std::io::Result<String> {
        let text = std::fs::read_to_string(base.join(path))?;
        files.borrow_mut().insert(path.to_owned(), text.clone());
        Ok(text)
    };
    let study =
        Study::open(&source, &shown, &read, models, &selection.overrides()?).map_err(Failure::Scenario)?;
    let jobs = study.jobs(&selection.seeds());
    if jobs.is_empty() {
        return Err(Failure::Nothing(format!("{shown}: no point of the sweep is left to run")));
    }
    let run_s = match cut {
        Cut::Shards(_) => 0.0,
        Cut::Seconds(_) => time(&study, &[jobs[0], jobs[jobs.len() / 2], jobs[jobs.len() - 1]]),
    };
    let shards = match cut {
        Cut::Shards(shards) if (1..=jobs.len()).contains(&shards) => shards,
        Cut::Shards(shards) => {
            return Err(Failure::Usage(format!(
                "{shards} shards of {} runs: each must have one",
                jobs.len()
            )));
        }
        Cut::Seconds(target) => shard_count(jobs.len(), run_s, target).max(jobs.len().div_ceil(MOST_RUNS)),
    };
    let frozen = batch::frozen(&study, selection);
    let plan = Plan {
        schema: PLAN_SCHEMA,
        plan_id: plan_id(&frozen, ENGINE, shards),
        engine: ENGINE.to_owned(),
        file: shown,
        sets: selection.sets.clone(),
        until: selection.until.clone(),
        seeds: selection.seeds(),
        jobs: jobs.len(),
        shards,
        run_s,
    };
    PlanFolder::create(out, plan, &frozen, &source, &files.into_inner())
        .map_err(|error| Failure::Usage(error.to_string()))
}

/// Mean wall time of some runs.
fn time(study: &Study<'_>, jobs: &[murphy_scenarios::Job]) -> f64 {
    let started = batch::now();
    let stop = std::sync::atomic::AtomicBool::new(false);
    for job in jobs {
        _ = study.row(*job, &stop);
    }
    batch::now().duration_since(started).unwrap_or_default().as_secs_f64() / jobs.len() as f64
}

/// The study of a plan, as this build sees it; the reason when it is another one.
fn study<'m>(
    models: &'m [Box<dyn Model>],
    folder: &PlanFolder,
) -> Result<(Study<'m>, Selection, String), String> {
    let plan = &folder.plan;
    let selection = Selection::of(plan.seeds.clone(), plan.sets.clone(), plan.until.clone());
    let source = folder.source().map_err(|error| format!("source.toml cannot be read: {error}"))?;
    let sets = selection.overrides().map_err(|_| "plan.json has overrides that cannot be read".to_owned())?;
    let study = Study::open(&source, &plan.file, &|path| folder.read(path), models, &sets)
        .map_err(|wrong| format!("this build does not take the plan's scenario:\n{}", wrong.render(false)))?;
    let frozen = batch::frozen(&study, &selection);
    let id = plan_id(&frozen, ENGINE, plan.shards);
    if id != plan.plan_id {
        return Err(format!(
            "the plan is {} of {}, and this build ({ENGINE}) makes {id}",
            plan.plan_id, plan.engine
        ));
    }
    Ok((study, selection, frozen))
}

/// What a worker does: runs shards, and hands each in.
pub(super) fn work(
    models: &[Box<dyn Model>],
    folder: &Path,
    which: &Which,
    threads: usize,
    fail_on_violation: bool,
) -> u8 {
    let fail = |code: u8, text: String| {
        eprintln!("error: {text}");
        code
    };
    let folder = match PlanFolder::open(folder) {
        Ok(folder) => folder,
        Err(error @ PlanError::Io { .. }) => return fail(worker::IO, error.to_string()),
        Err(error) => return fail(worker::MISMATCH, error.to_string()),
    };
    let shards = match chosen(which, &folder) {
        Ok(shards) => shards,
        Err(text) => return fail(worker::USAGE, text),
    };
    let (study, selection, _) = match study(models, &folder) {
        Ok(study) => study,
        Err(text) => return fail(worker::MISMATCH, text),
    };
    let Ok(pool) = batch::pool(threads) else {
        return fail(worker::USAGE, format!("cannot start -j {threads} threads"));
    };
    let jobs = study.jobs(&selection.seeds());
    let stop = Stop::on_signals();
    let mut violated = false;
    for shard in shards {
        if let ShardState::Done(rows) = folder.state(shard) {
            violated |= rows.iter().any(|(_, row)| violates(row));
            eprintln!("shard {shard} is done");
            continue;
        }
        let range = folder.jobs(shard);
        let rows: Option<Vec<Row>> =
            pool.install(|| jobs[range].par_iter().map(|job| study.row(*job, &stop.flag)).collect());
        let Some(rows) = rows else {
            return fail(
                worker::RETRY,
                format!("stopped by a signal before shard {shard} was done: run it again"),
            );
        };
        match folder.hand_in(shard, &rows) {
            Ok(()) => {}
            Err(error @ PlanError::Io { .. }) => return fail(worker::IO, error.to_string()),
            Err(error) => return fail(worker::CORRUPT, error.to_string()),
        }
        violated |= rows.iter().any(violates);
        eprintln!("shard {shard}: {} runs", rows.len());
        if stop.flag.load(Ordering::Relaxed) {
            return fail(
                worker::RETRY,
                "stopped by a signal between two shards: run the rest again".to_owned(),
            );
        }
    }
    u8::from(violated && fail_on_violation)
}

fn violates(row: &Row) -> bool {
    let failed = row.expectations.iter().any(|expectation| expectation.verdict == Judgement::Fail);
    failed || row.summary.violations().next().is_some()
}

fn chosen(which: &Which, folder: &PlanFolder) -> Result<Vec<usize>, String> {
    let all = folder.plan.shards;
    match (which.shard, which.part, &which.shards) {
        (Some((shard, of)), _, _) if of == all => Ok(vec![shard]),
        (Some((_, of)), _, _) => Err(format!("the plan has {all} shards, not {of}")),
        (_, Some((part, parts)), _) => Ok(folder.part(part, parts)),
        (_, _, Some(list)) => shard_list(list, all),
        _ => Ok((1..=all).collect()),
    }
}

/// `3,7-9` as numbers.
fn shard_list(text: &str, all: usize) -> Result<Vec<usize>, String> {
    let mut shards = Vec::new();
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
            (Ok(first), Ok(last)) if (1..=last).contains(&first) && last <= all => {
                shards.extend(first..=last);
            }
            _ => return Err(format!("`{item}` names no shards of 1 to {all}; such as 3,7-9")),
        }
    }
    Ok(shards)
}

/// Numbers as `3,7-9`.
pub(super) fn ranges(numbers: &[usize]) -> String {
    let mut text = String::new();
    let mut index = 0;
    while index < numbers.len() {
        let first = numbers[index];
        while index + 1 < numbers.len() && numbers[index + 1] == numbers[index] + 1 {
            index += 1;
        }
        let comma = if text.is_empty() { "" } else { "," };
        _ = match numbers[index] {
            last if last == first => write!(text, "{comma}{first}"),
            last => write!(text, "{comma}{first}-{last}"),
        };
        index += 1;
    }
    text
}

/// Runs one shard without a plan made before: `run FILE --shard I/N --out DIR`.
pub(super) fn shard_of(
    models: &[Box<dyn Model>],
    file: &Path,
    selection: &Selection,
    which: &Which,
    out: &Path,
    threads: usize,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let Some((_, shards)) = which.shard else {
        return Err(Failure::Usage(
            "a scenario file is cut by --shard I/N; --part and --shards need --plan".to_owned(),
        ));
    };
    let folder = make(models, file, selection, out, Cut::Shards(shards))?;
    let code = work(models, folder.path(), which, threads, false);
    if code == 0 {
        let out = batch::quoted(&out.display().to_string());
        terminal.print(&format!("when all {shards} are done: {} merge {out}\n", terminal.program));
    }
    Ok(code)
}

/// Counts shards by what is the matter with them.
pub(super) fn status(args: &StatusArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let folder = PlanFolder::open(&args.folder).map_err(|error| Failure::Usage(error.to_string()))?;
    let todo = to_do(&folder);
    if args.missing {
        if !todo.is_empty() {
            terminal.print(&format!("{}\n", ranges(&todo)));
        }
        return Ok(exit::PASS);
    }
    let mut text = format!(
        "{} of {} shards are done, {} of {} runs\n",
        folder.plan.shards - todo.len(),
        folder.plan.shards,
        folder.plan.jobs - todo.iter().map(|shard| folder.jobs(*shard).len()).sum::<usize>(),
        folder.plan.jobs
    );
    for shard in &todo {
        if let ShardState::Bad(error) = folder.state(*shard) {
            _ = writeln!(text, "shard {shard} is no good: {error}");
        }
    }
    let out = batch::quoted(&args.folder.display().to_string());
    let program = &terminal.program;
    if todo.is_empty() {
        _ = writeln!(text, "next: {program} merge {out}");
    } else {
        _ = writeln!(text, "missing: {}\nnext: {program} run --plan {out} --shards {0}", ranges(&todo));
    }
    terminal.print(&text);
    Ok(exit::PASS)
}

/// Shards that are not done.
pub(super) fn to_do(folder: &PlanFolder) -> Vec<usize> {
    (1..=folder.plan.shards).filter(|shard| !matches!(folder.state(*shard), ShardState::Done(_))).collect()
}

/// Joins shards to the results that one process would have written.
pub(super) fn merge(models: &[Box<dyn Model>], args: &MergeArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let started = batch::now();
    let mut folders = Vec::new();
    for folder in &args.folders {
        folders.push(PlanFolder::open(folder).map_err(|error| Failure::Usage(error.to_string()))?);
    }
    let wrong = complaints(&folders);
    if !wrong.is_empty() {
        let first = batch::quoted(&args.folders[0].display().to_string());
        return Err(Failure::Usage(format!(
            "nothing was merged:\n  {}\n  {} status {first} --missing names the shards to run again",
            wrong.join("\n  "),
            terminal.program
        )));
    }
    let (study, selection, frozen) = study(models, &folders[0]).map_err(Failure::Usage)?;
    let plan = &folders[0].plan;
    let jobs = study.jobs(&selection.seeds());
    let info = batch::info(&study, Path::new(&plan.file), &selection, &frozen, &terminal.program);
    let root = Path::new("runs");
    let own = || root.join(batch::file_name(&info.scenario)).join(&info.run_id);
    let folder = args.out.clone().unwrap_or_else(own);
    let written =
        |error: std::io::Error| Failure::Usage(format!("cannot write {}: {error}", folder.display()));
    let mut results = Results::start(&folder, &frozen).map_err(written)?;
    let mut fold = study.fold(info);
    for shard in 1..=plan.shards {
        for (job, row) in rows_of(&folders, shard) {
            results.add(&row.summary);
            if let Some(plan) = study.plan(jobs[job]) {
                results.add_plan(&plan);
            }
            fold.add(jobs[job], row);
        }
    }
    let batch = fold.finish();
    let folder = results.finish(&batch, &batch::env(started, 1)).map_err(written)?;
    for folder in &folders {
        // What cannot be removed does no harm.
        _ = folder.clean();
    }
    if args.out.is_none() {
        point_latest(root, &folder);
    }
    report(&batch, &folder, terminal);
    Ok(batch.exit_code())
}

/// The rows of a shard that is whole in one of the folders.
fn rows_of(folders: &[PlanFolder], shard: usize) -> Vec<(usize, Row)> {
    for folder in folders {
        if let ShardState::Done(rows) = folder.state(shard) {
            return rows;
        }
    }
    unreachable!("shard {shard} was verified")
}

/// Everything that keeps folders from being merged, each named.
fn complaints(folders: &[PlanFolder]) -> Vec<String> {
    let first = &folders[0];
    let mut wrong = Vec::new();
    for folder in &folders[1..] {
        if folder.plan.plan_id != first.plan.plan_id {
            wrong.push(format!(
                "{} is of plan {}, and {} of plan {}",
                folder.path().display(),
                folder.plan.plan_id,
                first.path().display(),
                first.plan.plan_id
            ));
        }
    }
    if !wrong.is_empty() {
        return wrong;
    }
    let mut missing = Vec::new();
    for shard in 1..=first.plan.shards {
        let mut whole: Option<(PathBuf, Vec<u8>)> = None;
        for folder in folders {
            let path = folder.file(shard);
            match folder.state(shard) {
                ShardState::Missing => {}
                ShardState::Bad(error) => wrong.push(format!("{}: {error}", path.display())),
                ShardState::Done(_) => {
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    match &whole {
                        Some((other, there)) if *there != bytes => wrong.push(format!(
                            "{} and {} are the same shard with different bytes",
                            other.display(),
                            path.display()
                        )),
                        Some(_) => {}
                        None => whole = Some((path, bytes)),
                    }
                }
            }
        }
        if whole.is_none() && wrong.is_empty() {
            missing.push(shard);
        }
    }
    if !missing.is_empty() {
        wrong.push(format!("shards {} are missing", ranges(&missing)));
    }
    for folder in folders {
        for stranger in folder.strangers().unwrap_or_default() {
            let name =
                stranger.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            // Half-written files of killed processes are no shards; they are cleaned after a merge.
            if !name.starts_with(".tmp-") {
                wrong.push(format!("{} is no shard of this plan", stranger.display()));
            }
        }
    }
    wrong
}
