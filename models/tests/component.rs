//! Plain components under hazards: what is measured is what the plan and the failure trace say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use murphy_models::component::Component;
use murphy_reports::{BatchInfo, MetricRecord, RunRecord};
use murphy_scenarios::results::Results;
use murphy_scenarios::{Model, Study, model};
use murphy_sim::Keep;

const FAULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/faults");
const LANL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/data/lanl-failures-1996-2005.csv");
/// Nanoseconds that a minute of the trace takes in the scenario.
const MINUTE: u64 = 1_000_000;
const NODES: usize = 1024;

fn models() -> Vec<Box<dyn Model>> {
    vec![model::<Component>()]
}

fn study<'m>(text: &str, models: &'m [Box<dyn Model>]) -> Study<'m> {
    let read = |path: &Path| std::fs::read_to_string(Path::new(FAULTS).join(path));
    Study::open(text, "test.toml", &read, models, &[]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn run(text: &str, seed: u64) -> RunRecord {
    let models = models();
    let run = models[0].prepare(&study(text, &models).points()[0], seed, Keep::Nothing);
    run.finish(&AtomicBool::new(false)).expect("nobody stops it")
}

fn scenario(file: &str) -> String {
    std::fs::read_to_string(Path::new(FAULTS).join(file)).expect("the scenario ships with the crate")
}

fn metric<'r>(run: &'r RunRecord, name: &str) -> &'r MetricRecord {
    run.metrics.iter().find(|metric| metric.name == name).expect("the model declares it")
}

/// Time down of each node, from its level of `up`.
fn down_ns(run: &RunRecord) -> Vec<u64> {
    let mut down = vec![0; run.node_hashes.len()];
    let mut last = vec![(0, true); run.node_hashes.len()];
    let mut pass = |node: usize, at: u64, up: bool| {
        if !last[node].1 {
            down[node] += at - last[node].0;
        }
        last[node] = (at, up);
    };
    for &(at, node, level) in &metric(run, "up").samples {
        pass(node as usize, at, level > 0.5);
    }
    for node in 0..run.node_hashes.len() {
        pass(node, run.duration_ns, true);
    }
    down
}

/// Minutes since 1970 by the proleptic Gregorian calendar, days counted one by one.
fn minute(text: &str) -> u64 {
    let part = |range: std::ops::Range<usize>| text[range].parse::<u64>().expect("digits");
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let lengths = |year| [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: u64 = (1970..year).map(|year| lengths(year).iter().sum::<u64>()).sum();
    let months: u64 = lengths(year).iter().zip(1..month).map(|(length, _)| length).sum();
    (years + months + day - 1) * 1440 + part(11..13) * 60 + part(14..16)
}

/// What system 18 went through, computed from the file alone.
struct FromFile {
    records: usize,
    failures: usize,
    down_min: Vec<u64>,
    cause_min: BTreeMap<String, u64>,
    span_min: u64,
}

fn from_file() -> FromFile {
    let text = std::fs::read_to_string(LANL).expect("the data ships with the crate");
    let mut rows: Vec<(usize, u64, u64, String)> = text
        .lines()
        .filter(|line| line.starts_with("18,1024,"))
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let start = minute(cells[3]);
            let end = start + cells[4].parse::<u64>().expect("minutes");
            (cells[2].parse().expect("a node"), start, end, cells[5].to_owned())
        })
        .collect();
    rows.sort_by_key(|row| (row.0, row.1));
    let first = rows.iter().map(|row| row.1).min().expect("records");
    let last = rows.iter().map(|row| row.2).max().expect("records");
    let mut found = FromFile {
        records: rows.len(),
        failures: 0,
        down_min: vec![0; NODES],
        cause_min: BTreeMap::new(),
        span_min: last - first,
    };
    // The end of the failure that each row may overlap, and the cause that owns it.
    let mut until: Option<(usize, u64, String)> = None;
    for (node, start, end, cause) in rows {
        let open = until.as_mut().filter(|open| open.0 == node && start < open.1);
        let (from, owner) = if let Some(open) = open {
            let from = open.1;
            open.1 = open.1.max(end);
            (from, open.2.clone())
        } else {
            found.failures += 1;
            until = Some((node, end, cause.clone()));
            (start, cause)
        };
        found.down_min[node] += end.saturating_sub(from);
        *found.cause_min.entry(owner).or_default() += end.saturating_sub(from);
    }
    found
}

#[test]
fn a_replay_of_system_18_is_what_its_file_says() {
    let file = from_file();
    let run = run(&scenario("lanl-system-18.toml"), 1);
    assert_eq!(run.node_hashes.len(), NODES);
    assert_eq!(run.duration_ns, file.span_min * MINUTE, "from the first record to the last repair");
    assert_eq!((file.records, file.failures), (3997, 3984));
    assert_eq!(metric(&run, "failures").samples.len(), file.failures);
    assert_eq!(metric(&run, "repair_time").samples.len(), file.failures - at_the_end(&run));

    let down: Vec<u64> = down_ns(&run);
    assert_eq!(down, file.down_min.iter().map(|minutes| minutes * MINUTE).collect::<Vec<_>>());
    let never = down.iter().filter(|&&down| down == 0).count();
    assert_eq!(never, 60, "nodes that never failed count in availability");

    let mut causes: BTreeMap<String, u64> = BTreeMap::new();
    for fault in &run.faults {
        assert_eq!(fault.hits["nodes_crashed"], 1, "{} hit its node", fault.name);
        *causes.entry(fault.cause.clone()).or_default() += fault.hits["time_down_ns"];
    }
    assert_eq!(causes, file.cause_min.iter().map(|(cause, min)| (cause.clone(), min * MINUTE)).collect());
}

/// Nodes that are down at the very end of the run: their last repair is not seen.
fn at_the_end(run: &RunRecord) -> usize {
    run.faults.iter().filter(|fault| fault.end_ns.is_some_and(|end| end >= run.duration_ns)).count()
        - run
            .marks
            .iter()
            .filter(|mark| mark.kind == murphy_reports::MarkKind::Restart && mark.at_ns == run.duration_ns)
            .count()
}

#[test]
fn part_of_a_trace_and_chosen_causes_leave_out_the_rest() {
    let whole = run(&scenario("lanl-system-18.toml"), 1);
    let text = scenario("lanl-system-18.toml").replace("speed  =", "causes = [\"hardware\"]\nspeed  =");
    let hardware = run(&text, 1);
    let count = |run: &RunRecord, cause: &str| run.faults.iter().filter(|fault| fault.cause == cause).count();
    assert_eq!(count(&hardware, "hardware"), hardware.faults.len());
    assert!(count(&hardware, "hardware") >= count(&whole, "hardware"));
    assert!(hardware.faults.len() < whole.faults.len());
}

#[test]
fn components_are_down_as_long_as_the_plan_says() {
    let run = run(&scenario("hazard-renewal.toml"), 7);
    // The union of each unit's faults, minute by minute would do: here by sorting.
    let mut spans: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for fault in &run.faults {
        let end = fault.end_ns.unwrap_or(run.duration_ns).min(run.duration_ns);
        for name in fault.target.split(", ") {
            let node = run.node_hashes.iter().position(|(known, _)| known == name).expect("a unit");
            spans.entry(u32::try_from(node).expect("few")).or_default().push((fault.start_ns, end));
        }
    }
    let down = down_ns(&run);
    for (node, mut own) in spans {
        own.sort_unstable();
        let (mut total, mut until) = (0, 0);
        for (start, end) in own {
            total += end.saturating_sub(start.max(until));
            until = until.max(end);
        }
        assert_eq!(down[node as usize], total, "unit{node}");
    }
    assert!(
        run.faults.iter().any(|fault| fault.hits.get("nodes_crashed").is_some_and(|&nodes| nodes > 10)),
        "a joint failure of a zone"
    );
}

#[test]
fn without_a_hazard_nothing_fails() {
    let text = scenario("hazard-renewal.toml");
    let cut = text.find("[[hazard]]").expect("the hazard");
    let run = run(&text[..cut], 7);
    assert!(run.faults.is_empty() && metric(&run, "failures").samples.is_empty());
    assert!(down_ns(&run).iter().all(|&down| down == 0));
}

#[test]
fn the_plan_is_stored_with_the_result_and_runs_again_as_it_is() {
    let (models, text) = (models(), scenario("hazard-renewal.toml"));
    let study = study(&text, &models);
    let jobs = study.jobs(&[3, 4]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stored-plan");
    let mut results = Results::start(&folder, &study.document.render()).expect("a folder");
    let info = BatchInfo {
        scenario: "hazard-renewal".to_owned(),
        about: String::new(),
        file: String::new(),
        command: String::new(),
        engine: "test".to_owned(),
        run_id: "0".to_owned(),
        resolved: String::new(),
    };
    let batch = study.run(&jobs, info, &AtomicBool::new(false), &(), &mut |run| results.add(run));
    for job in &jobs {
        results.add_plan(&study.plan(*job).expect("the scenario has a hazard"));
    }
    results.finish(&batch, "{}").expect("written");
    let stored = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a stored file");
    let manifest = stored("MANIFEST.b3");
    for name in ["points/seed=0003/plan.toml", "points/seed=0004/plan.toml", "plans.csv", "faults.csv"] {
        let hash = blake3_of(&stored(name));
        assert!(manifest.contains(&format!("{hash}  {name}\n")), "{name} in\n{manifest}");
    }
    assert_eq!(stored("plans.csv").lines().count(), 3, "a line a run");

    // In place of the hazard, the stored plan gives the same run.
    let hazard = text.find("[[hazard]]").expect("the hazard");
    let expects = text.find("[[expect]]").expect("expectations");
    let pasted = format!("{}{}\n{}", &text[..hazard], stored("points/seed=0003/plan.toml"), &text[expects..]);
    let (generated, again) = (run(&text, 3), run(&pasted, 3));
    assert_eq!(generated.trace_hash, again.trace_hash);
    assert_eq!(generated.faults, again.faults);
    assert_ne!(generated.trace_hash, run(&text, 4).trace_hash, "another seed has another plan");
}

fn blake3_of(text: &str) -> String {
    // The manifest of one file is its hash and its name.
    let line = murphy_reports::manifest([("x", text.as_bytes())]);
    line.split_whitespace().next().expect("a hash").to_owned()
}

#[test]
fn a_plan_that_is_too_long_is_a_mistake_at_its_hazard() {
    let text = scenario("hazard-renewal.toml").replace("\"100s\"", "\"1us\"").replace("\"2s\"", "\"1us\"");
    let read = |path: &Path| std::fs::read_to_string(Path::new(FAULTS).join(path));
    let Err(wrong) = Study::open(&text, "test.toml", &read, &models(), &[]) else { panic!("it was taken") };
    let wrong = wrong.render(false);
    assert!(wrong.contains("the plan has more than 200000 faults"), "{wrong}");
    assert!(wrong.contains("\"wear\"") && wrong.contains("make faults rarer"), "{wrong}");
}
