//! A run depends on its scenario and its seed, and on nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use murphy::models::pbft::Pbft;
use murphy::reports::{Outcome, RunRecord};
use murphy::scenarios::{Model, Study, model};
use murphy::sim::Keep;

use crate::support::{Desk, PARTITION, SMALL, library, project};

/// Runs the first 70 s of the example, in which the primary is cut off and comes back.
fn trace_hash_of(program: &Path) -> String {
    let desk = Desk::with_program(program.to_owned());
    let file = library(PARTITION);
    let file = file.to_str().expect("a path in UTF-8");
    let done = desk.murphy(&["run", file, "--until", "70s", "--out", "out"]);
    assert!(matches!(done.code, Some(0 | 1)), "{}", done.err);
    desk.results("out").trace_hash()
}

#[test]
fn two_processes_give_one_trace() {
    let program = Path::new(env!("CARGO_BIN_EXE_murphy"));
    assert_eq!(trace_hash_of(program), trace_hash_of(program));
}

#[test]
fn one_and_two_threads_give_the_same_bytes() {
    let desk = Desk::new();
    let file = library(PARTITION);
    let file = file.to_str().expect("a path in UTF-8");
    for threads in ["1", "2"] {
        desk.murphy(&["run", file, "--seeds", "1..=8", "-j", threads, "--out", threads]);
    }
    let (one, two) = (desk.results("1"), desk.results("2"));
    one.verify_manifest();
    assert_eq!(one.names(), two.names());
    for name in one.names().into_iter().filter(|name| *name != "env.json") {
        assert!(one.0[name] == two.0[name], "{name} differs between 1 and 2 threads");
    }
    let seeds: Vec<String> =
        one.rows("summary.csv").into_iter().map(|mut row| row.remove("seed").expect("a seed")).collect();
    assert_eq!(seeds, ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn debug_and_release_give_one_trace() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_murphy"));
    let folder = program.parent().and_then(Path::parent).expect("target/PROFILE/murphy");
    let (profile, built): (&[&str], _) =
        if cfg!(debug_assertions) { (&["--release"], "release") } else { (&[], "debug") };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--offline", "--quiet", "--bin", "murphy"]).args(profile);
    cargo.current_dir(project("")).arg("--target-dir").arg(folder).stdin(Stdio::null());
    let output = cargo.output().expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let other = folder.join(built).join(program.file_name().expect("a file"));
    assert_ne!(other, program);
    assert_eq!(trace_hash_of(&other), trace_hash_of(&program));
}

/// The record of a scenario's first point.
fn record(text: &str, seed: u64) -> RunRecord {
    let models: Vec<Box<dyn Model>> = vec![model::<Pbft>()];
    let read = |path: &Path| std::fs::read_to_string(path);
    let study = Study::open(text, "scenario.toml", &read, &models, &[])
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)));
    let run = models[0].prepare(&study.points()[0], seed, Keep::Nothing);
    run.finish(&AtomicBool::new(false)).expect("nobody stopped it")
}

/// Text with tables put in front of the first one named.
fn before(text: &str, table: &str, more: &str) -> String {
    let at = text.find(table).expect("the table is there");
    format!("{}{more}\n{}", &text[..at], &text[at..])
}

const IDLE: &str = "[[node]]\nname  = \"idle\"\ncount = 2\nmodel = \"pbft.client\"\n";
const UNRELATED: &str = "[[fault]]\nname   = \"elsewhere\"\nkind   = \"crash\"\ntarget = \"idle0\"\nat     = \"1s\"\nfor    = \"1s\"\n
[[fault]]\nname   = \"alone\"\nkind   = \"partition\"\nisolate = \"idle1\"\nat     = \"1500ms\"\nfor    = \"1s\"\n
[[fault]]\nname   = \"noise\"\nkind   = \"loss\"\ntarget = \"idle*\"\nprobability = 0.5\nat     = \"1s\"\nfor    = \"2s\"\n";

#[test]
fn idle_nodes_and_unrelated_faults_change_no_other_node() {
    // Digests of PBFT's commands hold their client's place in the roster, and a probe's client comes last:
    // hashes stay as they were when no client moves, which is without probes.
    let small = SMALL.replace("deadline = \"2s\"", "deadline = \"2s\"\nprobe    = \"0s\"");
    let plain = record(&small, 5);
    let idle = before(&small, "[[workload]]", IDLE);
    let with_idle = record(&idle, 5);
    let with_faults = record(&before(&idle, "[[expect]]", UNRELATED), 5);
    for other in [&with_idle, &with_faults] {
        assert_eq!(other.node_hashes.len(), plain.node_hashes.len() + 2);
        for (name, hash) in &plain.node_hashes {
            assert_eq!(node_hash(other, name), Some(*hash), "{name}");
        }
        assert_eq!(courses(other), courses(&plain));
        assert_eq!(other.messages, plain.messages);
    }
    assert_ne!(node_hash(&with_idle, "idle0"), node_hash(&with_faults, "idle0"), "the faults did happen");
}

#[test]
fn nodes_that_come_first_in_the_file_change_no_decision() {
    // Every index moves: a decision that used one would be another.
    let plain = record(SMALL, 5);
    let moved = record(&before(SMALL, "[[node]]", IDLE), 5);
    assert_eq!(courses(&moved), courses(&plain));
    assert_eq!(moved.messages, plain.messages);
}

fn node_hash(record: &RunRecord, name: &str) -> Option<u64> {
    record.node_hashes.iter().find(|(node, _)| node == name).map(|(_, hash)| *hash)
}

/// What became of each request, to the nanosecond: the decisions on every link add up to it.
fn courses(record: &RunRecord) -> Vec<(u64, Option<u64>, Outcome)> {
    record.requests.iter().map(|one| (one.arrived_ns, one.done_ns, one.outcome)).collect()
}

#[test]
fn another_seed_or_a_fault_that_matters_changes_the_trace() {
    let plain = record(SMALL, 5);
    assert_ne!(record(SMALL, 6).trace_hash, plain.trace_hash);
    let crash = "[[fault]]\nname = \"crash\"\nkind = \"crash\"\ntarget = \"r1\"\nat = \"1s\"\nfor = \"1s\"\n";
    assert_ne!(record(&before(SMALL, "[[expect]]", crash), 5).trace_hash, plain.trace_hash);
}

#[test]
fn declaring_an_expectation_or_a_comment_changes_nothing() {
    let plain = record(SMALL, 5);
    let more = "# a comment\n[[expect]]\nthat = \"availability > 0\"\n";
    assert_eq!(record(&before(SMALL, "[[expect]]", more), 5).trace_hash, plain.trace_hash);
}
