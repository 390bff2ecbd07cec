//! A stall that ends leaves a system stuck, or does not: `metastable_stall.csv`.
//!
//! One server of 100/s, a time-out of 1 s, three attempts at once after each other. The table's server
//! starts no job while it stalls; a `pause` fault also holds the job that it has, 10 ms of work.

use murphy_reports::RunRecord;

use crate::fixture::{run, total};

const TABLE: &str = include_str!("../data/metastable_stall.csv");

fn stalled(arrivals: &str, work: &str, rate: &str, stall: &str, policy: &str, service: &str) -> String {
    format!(
        "duration = \"300s\"\n\
         [[service]]\nname = \"s\"\nwork = {work}\n{service}\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\npolicy = \"p\"\ndeadline = \"3s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"{arrivals}\", rate = \"{rate}/s\" }}\n\
         [policy.p]\ntimeout = \"1s\"\n{policy}\n\
         [[fault]]\nname = \"f\"\nkind = \"pause\"\ntarget = \"s\"\nat = \"60s\"\nfor = \"{stall}s\"\n"
    )
}

/// Replies from 240 s on over arrivals in that time.
fn goodput_ratio(run: &RunRecord) -> f64 {
    let late = |ns: u64| ns >= 240_000_000_000;
    let arrived = run.requests.iter().filter(|request| late(request.arrived_ns)).count();
    let good = |request: &&murphy_reports::Request| request.outcome == murphy_reports::Outcome::Ok;
    let replied =
        run.requests.iter().filter(good).filter(|request| request.done_ns.is_some_and(late)).count();
    replied as f64 / arrived as f64
}

#[test]
fn with_regular_arrivals_a_stall_leaves_the_system_stuck_where_the_table_says() {
    let (mut seen, mut stuck) = (0, 0);
    for row in TABLE.lines().filter(|line| line.starts_with("none,det,")) {
        let cells: Vec<&str> = row.split(',').collect();
        let [_, _, rate, stall, _, fraction, ..] = cells[..] else { panic!("{row}") };
        let run = run(&stalled("constant", "\"10ms\"", rate, stall, "retries = 2", ""), 1);
        let ratio = goodput_ratio(&run);
        assert_eq!(ratio < 0.5, fraction == "1.000", "{row}: goodput {ratio} of offered");
        // Stuck means that everything is in vain, and everything is tried three times.
        if ratio < 0.5 {
            let attempts = total(&run, "attempts", "outside") as f64 / run.requests.len() as f64;
            assert!(ratio < 0.001 && attempts > 2.0, "{row}: {ratio}, {attempts} attempts");
            stuck += 1;
        } else {
            assert!((ratio - 1.0).abs() < 0.002, "{row}: {ratio}");
        }
        seen += 1;
    }
    assert_eq!((seen, stuck), (34, 17), "every row of the table is judged");
}

#[test]
fn what_cures_a_stuck_system_cures_this_one() {
    let exponential = "{ dist = \"exponential\", mean = \"10ms\" }";
    for (cure, policy, service, expected) in [
        ("nothing", "retries = 2", "", true),
        ("no retries", "", "", false),
        ("newest first", "retries = 2", "queue = { order = \"lifo\" }", false),
        ("a bounded queue", "retries = 2", "queue = { bound = 50 }", false),
        ("cancelled work", "retries = 2\ncancel = true", "", false),
        ("a deadline that is passed on", "retries = 2\npropagate = true", "drop_expired = true", false),
        ("a budget", "retries = 2\nbudget = { ratio = 0.1, min_per_sec = 0 }", "", false),
    ] {
        for seed in 0..3 {
            let run = run(&stalled("poisson", exponential, "70", "5", policy, service), seed);
            let ratio = goodput_ratio(&run);
            assert_eq!(ratio < 0.5, expected, "{cure}, seed {seed}: goodput {ratio} of offered");
        }
    }
}
