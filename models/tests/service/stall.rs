//! A collector that stops the world, exactly: `gc_stall_deterministic.csv`.
//!
//! Every 1/7 s comes a request of 100 ms to one server; calls wait 500 ms, and are tried again after
//! 50 ms, four times in all. All times are whole multiples of 1/140 s, which are seconds here, so that
//! no instant is rounded and what happens at once happens at once.

use murphy_reports::{Outcome, RunRecord};

use crate::fixture::{run, total};

const TABLE: &str = include_str!("../data/gc_stall_deterministic.csv");

/// Seconds here for a second of the table.
const SCALE: u64 = 140;

fn scenario(late: bool, stall: &str) -> String {
    let stalled_s = (stall.parse::<f64>().unwrap() * SCALE as f64).round();
    let pause = if stalled_s > 0.0 {
        format!(
            "[[fault]]\nname = \"gc\"\nkind = \"pause\"\ntarget = \"s\"\nat = \"{}s\"\nfor = \"{stalled_s}s\"\n",
            30 * SCALE
        )
    } else {
        String::new()
    };
    // Of an answer and a retry at the same instant, the table takes the answer first. Here the answer is a
    // message that is sent at that instant, so the retry has to come later by the least there is.
    let timeout = if late { "70000000001ns" } else { "70s" };
    format!(
        "duration = \"{}s\"\n\
         [[service]]\nname = \"s\"\nwork = \"14s\"\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\npolicy = \"p\"\ndeadline = \"1h\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"constant\", rate = \"0.05/s\" }}\n\
         [policy.p]\ntimeout = \"{timeout}\"\nretries = 3\nbackoff = {{ kind = \"fixed\", base = \"7s\" }}\nlate = {late}\n{pause}",
        120 * SCALE
    )
}

/// The cells of a row after its second, as this run has them.
fn cells(run: &RunRecord) -> Vec<u64> {
    let count = |outcome: Outcome| run.requests.iter().filter(|r| r.outcome == outcome).count() as u64;
    let attempts = total(run, "attempts", "outside");
    let answered = count(Outcome::Ok) + total(run, "late_replies", "outside");
    let depth = run.metrics.iter().find(|record| record.name == "queue_depth").expect("the depth");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    let deepest = depth.samples.iter().map(|sample| sample.2 as u64).max().unwrap_or(0);
    let mut cells = vec![
        run.requests.len() as u64,
        attempts,
        count(Outcome::Ok),
        count(Outcome::Timeout),
        // One is in work, except where nothing waits.
        (attempts - answered).saturating_sub(1),
        // The table counts a request as waiting that finds the server idle, and lets the arrival at the
        // very end wait before the work that ends at that instant makes room.
        deepest.max(1) + u64::from(attempts > answered + 1),
    ];
    cells.extend((0..12).map(|tens| {
        let within = tens * 10 * SCALE..(tens + 1) * 10 * SCALE;
        let good = run.requests.iter().filter(|r| r.outcome == Outcome::Ok);
        good.filter(|r| r.done_ns.is_some_and(|ns| within.contains(&(ns / 1_000_000_000)))).count() as u64
    }));
    cells
}

#[test]
fn every_count_is_that_of_the_table() {
    let mut seen = 0;
    for row in TABLE.lines().filter(|line| line.starts_with("0,") || line.starts_with("1,")) {
        let (late, rest) = row.split_once(',').expect("cells");
        let (stall, counts) = rest.split_once(',').expect("cells");
        let expected: Vec<u64> = counts.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(cells(&run(&scenario(late == "1", stall), 1)), expected, "{row}");
        seen += 1;
    }
    assert_eq!(seen, 17, "every row of the table is judged");
}
