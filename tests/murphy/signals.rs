//! SIGINT and SIGTERM: what was done is kept.
#![cfg(unix)]

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Desk, Done, SMALL};

/// Starts more runs than anybody waits for, and returns once results of some are on the disk.
fn start(desk: &Desk) -> Child {
    let words = ["run", "scenario.toml", "--seeds", "1..=1000000", "-j", "2", "--out", "out"];
    let mut command = desk.command(&words);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let windows = desk.path(&format!(".out.{}/windows.csv", child.id()));
    while std::fs::metadata(&windows).map_or(0, |file| file.len()) < 50_000 {
        pause();
    }
    child
}

#[expect(clippy::disallowed_methods, reason = "another process works meanwhile; nothing depends on how long")]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(5));
}

fn stopped_by(signal: Signal, code: i32) {
    let desk = Desk::with_scenario(SMALL);
    let child = start(&desk);
    let pid = Pid::from_raw(child.id().cast_signed()).expect("the process has an id");
    kill_process(pid, signal).expect("the process is ours");
    let done = Done::new(&child.wait_with_output().expect("it ends"));
    done.exits(code).says("interrupted after").shows("small");

    let results = desk.results("out");
    results.verify_manifest();
    let runs = results.rows("summary.csv");
    assert!(!runs.is_empty() && runs.len() < 1_000_000);
    let seeds: Vec<u64> = runs.iter().map(|row| row["seed"].parse().expect("a seed")).collect();
    let expected: Vec<u64> = (1..=runs.len() as u64).collect();
    assert_eq!(seeds, expected, "the first runs, without a gap");
    assert_eq!(
        desk.names("."),
        [".out.rows", "out", "scenario.toml"],
        "what --resume goes on from, and no more"
    );

    // What is kept is what a run of these seeds alone gives.
    let last = runs.last().expect("there are runs");
    desk.murphy(&["run", "scenario.toml", "--seed", &last["seed"], "--out", "alone"]).exits(0);
    assert_eq!(desk.results("alone").rows("summary.csv")[0], *last);
}

#[test]
fn an_interrupt_keeps_what_is_done() {
    stopped_by(Signal::INT, 130);
}

#[test]
fn a_request_to_terminate_keeps_what_is_done() {
    stopped_by(Signal::TERM, 143);
}
