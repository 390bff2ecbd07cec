//! Every kind of fault in the laboratory: the scenario of each holds, its counter moved, and without
//! the fault the same expectations do not hold.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use murphy_models::faultlab::Lab;
use murphy_models::pbft::Pbft;
use murphy_reports::{Judgement, RunRecord};
use murphy_scenarios::language::{FaultInfo, faults};
use murphy_scenarios::{Model, Study, expect, model};
use murphy_sim::{Hit, Keep};

/// File in `scenarios/faults`, and what its first fault has hit: a counter with its least and most.
const SCENARIOS: &[(&str, &str, u64, u64)] = &[
    ("crash", "nodes_crashed", 1, 1),
    ("amnesia", "nodes_crashed", 2, 2),
    ("restart", "time_down_ns", 500_000_000, 1_500_000_000),
    ("site-down", "nodes_crashed", 1, 1),
    ("omission", "messages_cut", 41, 133),
    ("omission-receive", "messages_cut", 60, 140),
    ("omission-nth", "messages_cut", 1, 1),
    ("pause", "time_paused_ns", 2_000_000_000, 2_000_000_000),
    ("slow", "time_slowed_ns", 1_000_000_000, 5_000_000_000),
    ("disk-slow", "time_slowed_ns", 1_800_000_000, 4_300_000_000),
    ("latency", "messages_delayed", 1_000, 2_000),
    ("jitter", "messages_delayed", 1_000, 2_000),
    ("clock-offset", "clocks_shifted", 1, 1),
    ("clock-drift", "clocks_shifted", 1, 1),
    ("clock-jump", "clocks_shifted", 1, 1),
    ("partition", "messages_cut", 200, 600),
    ("isolate", "messages_cut", 100, 230),
    ("bridge", "messages_cut", 40, 40),
    ("ring", "messages_cut", 200, 200),
    ("flapping", "messages_cut", 40, 130),
    ("zones", "messages_cut", 300, 800),
    ("cut", "messages_rerouted", 900, 1_700),
    ("loss", "messages_cut", 80, 220),
    ("duplicate", "messages_cut", 60, 140),
    ("reorder", "messages_reordered", 250, 600),
    ("corrupt", "messages_corrupted", 10, 70),
    ("bandwidth", "messages_delayed", 300, 1_300),
    ("clog", "messages_clogged", 200, 450),
    ("torn-write", "writes_torn", 3, 3),
    ("lying-sync", "writes_lost", 400, 750),
    ("disk-full", "writes_refused", 180, 420),
    ("lost-write", "writes_lost", 90, 220),
    ("misdirected-write", "writes_misdirected", 25, 90),
    ("bit-rot", "blocks_rotted", 24, 24),
    ("bit-rot-pbft", "blocks_rotted", 3, 3),
    ("bit-rot-unchecked", "blocks_rotted", 36, 36),
    ("memory-leak", "bytes_leaked", 20_000_000, 20_000_000),
    ("queue-limit", "messages_refused", 5, 100),
    ("pool-limit", "slots_refused", 150, 250),
    ("pool-leak", "slots_leaked", 40, 40),
    ("config-push", "configs_read", 85, 180),
    ("auth-outage", "credentials_denied", 400, 900),
    ("auth-outage-open", "credentials_denied", 400, 900),
    ("expired-credential", "credentials_denied", 60, 140),
    ("surge", "requests_added", 680, 920),
    ("herd", "requests_added", 300, 300),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/faults")
}

/// One run of a text, and whether each of its expectations passed.
fn run(name: &str, text: &str, seed: Option<u64>) -> (RunRecord, Vec<(String, bool)>) {
    let models: Vec<Box<dyn Model>> = vec![model::<Lab>(), model::<Pbft>()];
    let study = Study::open(text, name, &|path| std::fs::read_to_string(path), &models, &[])
        .unwrap_or_else(|wrong| panic!("{name}:\n{}", wrong.render(false)));
    let scenario = &study.points()[0];
    let lab = scenario.nodes[0].kind.starts_with("lab.");
    let prepared = models[usize::from(!lab)].prepare(scenario, seed.unwrap_or(scenario.seed), Keep::Nothing);
    let record = prepared.finish(&AtomicBool::new(false)).expect("nobody stops the run");
    let judged = scenario.expectations.iter().map(|expectation| {
        let result = expect::evaluate(expectation, &record);
        let what = format!("{}: {}, wanted {}", result.text, result.observed, result.limit);
        (what, result.verdict == Judgement::Pass)
    });
    let judged = judged.collect();
    (record, judged)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name).with_extension("toml")).expect("the scenario is there")
}

/// The file without its `[[fault]]` tables.
fn without_faults(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == "[[fault]]";
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn each_scenario_holds_and_its_fault_has_hit_what_it_should() {
    for &(name, counter, least, most) in SCENARIOS {
        let (record, judged) = run(name, &text(name), None);
        for (seen, passed) in judged {
            assert!(passed, "{name}: {seen}");
        }
        let fault = &record.faults[0];
        let hit = fault.hits.iter().find(|(name, _)| *name == counter).map_or(0, |(_, count)| *count);
        assert!((least..=most).contains(&hit), "{name}: {counter} is {hit}, not in {least}..={most}");
        for fault in &record.faults {
            assert!(!fault.hits.is_empty(), "{name}: {} hit nothing", fault.name);
        }
    }
}

#[test]
fn without_its_fault_no_scenario_holds() {
    for &(name, ..) in SCENARIOS {
        let (record, judged) = run(name, &without_faults(&text(name)), None);
        assert!(record.faults.is_empty(), "{name} still has a fault");
        assert!(judged.iter().any(|(_, passed)| !passed), "{name} holds without its fault: {judged:?}");
    }
}

/// The words in backticks of a cell of a table.
fn words(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_map_of_faults_has_every_kind_and_names_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let tests: String = ["world", "adversary", "kinds/disk", "kinds/load", "kinds/network", "kinds/node"]
        .into_iter()
        .chain(["kinds/resource", "kinds/shape"])
        .map(|file| read(&format!("sim/tests/{file}.rs")))
        .collect();
    let map = read("docs/faults.md");
    let rows = map.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.trim_matches('|').split('|').collect()).collect();
    let names: Vec<&str> = Hit::ALL.into_iter().map(Hit::name).collect();
    for kind in faults() {
        assert!(rows.iter().any(|row| words(row[0]).contains(&kind.name)), "no row for {}", kind.name);
    }
    for row in &rows {
        let kinds: Vec<_> = faults().into_iter().filter(|kind| words(row[0]).contains(&kind.name)).collect();
        for counter in words(row[2]) {
            assert!(names.contains(&counter), "there is no counter {counter}: {row:?}");
        }
        for scenario in words(row[3]) {
            let has = |kind: &FaultInfo| text(scenario).contains(&format!("\"{}\"", kind.name));
            assert!(kinds.iter().any(has), "{scenario} has no such fault: {row:?}");
        }
        for test in words(row[4]).into_iter().filter(|word| !word.contains('.')) {
            assert!(tests.contains(&format!("fn {test}(")), "there is no test {test}: {row:?}");
        }
        let cells = row[2..].iter().map(|cell| cell.trim());
        assert!(cells.clone().all(|cell| !cell.is_empty()), "a cell is empty: {row:?}");
    }
    // Every counter that a fault can have is some row's.
    for name in names {
        let known = rows.iter().any(|row| words(row[2]).contains(&name));
        assert!(known, "no row has the counter {name}");
    }
}

/// Each scenario with its protection, or its damage, the other way round.
#[test]
fn sums_scrubbing_and_credentials_decide_the_outcome() {
    // (file, what is changed, expectation that then fails)
    for (name, from, to, fails) in [
        ("bit-rot", "scrub = \"100ms\"", "checksum = false", "corruptions_found"),
        (
            "misdirected-write",
            "model  = \"lab.replica\"",
            "model = \"lab.replica\"\nparams = { checksum = false }",
            "corruptions_found",
        ),
        ("bit-rot-unchecked", "checksum = false", "checksum = true", "lab.corrupt_read"),
        ("bit-rot-pbft", "checksums = true", "checksums = false", "pbft.agreement"),
        ("torn-write", "checksum = false", "checksum = true", "lab.corrupt_read"),
        ("corrupt", "checksum = false", "checksum = true", "lab.corrupt_read"),
        ("duplicate", "distinct = false", "distinct = true", "lab.stale_read"),
        ("auth-outage", "auth = \"closed\"", "auth = \"open\"", "availability"),
        ("auth-outage-open", "auth = \"open\"", "auth = \"closed\"", "availability"),
        ("crash", "write = 3", "write = 2", "availability"),
        ("config-push", "share  = \"33%\"", "share  = \"100%\"", "availability"),
        ("pool-limit", "slots  = 1", "slots  = 16", "availability"),
        ("pool-leak", "connections = 20", "connections = 2000", "availability"),
        ("pool-leak", "probability = \"10%\"", "probability = \"0%\"", "availability"),
        ("bridge", "bridge = \"r1\"", "one_way = true", "suspicions"),
    ] {
        let text = text(name);
        assert!(text.contains(from), "{name} has no {from}");
        let (_, judged) = run(name, &text.replacen(from, to, 1), None);
        let failed = judged.iter().any(|(seen, passed)| !passed && seen.contains(fails));
        assert!(failed, "{name} with {to}: {judged:?}");
    }
}

#[test]
fn what_does_not_hang_on_chance_holds_on_every_seed() {
    for name in ["crash", "memory-leak", "disk-full", "auth-outage", "lying-sync", "ring", "clog"] {
        for seed in 100..110 {
            let (_, judged) = run(name, &text(name), Some(seed));
            for (seen, passed) in judged {
                assert!(passed, "{name}, seed {seed}: {seen}");
            }
        }
    }
}

#[test]
fn a_pool_of_one_refuses_what_erlangs_formula_says() {
    for (sync, load) in [("4ms", 0.2), ("10ms", 0.5), ("30ms", 1.5)] {
        let text = text("pool-limit").replacen("sync = \"10ms\"", &format!("sync = \"{sync}\""), 1);
        let (mut refused, mut asked) = (0.0, 0.0);
        for seed in 0..8 {
            let (record, _) = run("pool-limit", &text, Some(seed));
            let hits = &record.faults[0].hits;
            let (_, count) = hits.iter().find(|(hit, _)| *hit == "slots_refused").expect("some are refused");
            refused += *count as f64;
            asked += 12.0 * 50.0;
        }
        // Erlang's loss formula for one server: of an offered load a, the share a / (1 + a) is lost,
        // whatever the law of the service. Arrivals are Poisson: sd of the count at most that of a
        // Poisson count; four of them (false alarm 6e-5 each).
        let expected = asked * load / (1.0 + load);
        let sd = f64::sqrt(expected);
        assert!((refused - expected).abs() < 4.0 * sd, "{sync}: {refused} refused, {expected} expected");
    }
}

/// PBFT with four replicas, of which some have a disk that fails and a power supply that does, too.
fn pbft(target: &str, kind: &str) -> String {
    format!(
        r#"
name     = "pbft-disk"
seed     = 3
duration = "10s"

[[node]]
name   = "r"
count  = 4
model  = "pbft.replica"
params = {{ f = 1 }}

[[node]]
name  = "client"
count = 2
model = "pbft.client"

[[workload]]
name     = "kv"
from     = "client*"
arrivals = {{ dist = "poisson", rate = "100/s" }}
deadline = "1s"

[[fault]]
name   = "disk"
kind   = "{kind}"
target = {target}
at     = "2s"
for    = "3s"

[[fault]]
name   = "power"
kind   = "crash"
target = {target}
at     = "4500ms"
for    = "700ms"

[[expect]]
that = "always(pbft.agreement)"

[[expect]]
that = "always(pbft.durability)"

[[expect]]
that = "availability > 99% in 6s..10s"
"#
    )
}

#[test]
fn pbft_survives_one_disk_that_fails_and_no_quorum_of_disks_that_lie() {
    for kind in ["disk-full", "lying-sync", "torn-write"] {
        let (record, judged) = run(kind, &pbft("\"r1\"", kind), None);
        for (seen, passed) in judged {
            assert!(passed, "{kind}: {seen}");
        }
        assert!(kind == "torn-write" || !record.faults[0].hits.is_empty(), "{kind} hit nothing");
    }
    // All four disks lie, and the power fails: what was acknowledged is gone.
    let (record, judged) = run("lying", &pbft("\"r*\"", "lying-sync"), None);
    assert!(record.faults[0].hits.iter().any(|(name, count)| name == "writes_lost" && *count > 100));
    assert!(judged.iter().any(|(_, passed)| !passed), "{judged:?}");
}
