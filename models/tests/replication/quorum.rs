//! A quorum store: how often reads are stale, and what brings replicas together again.

use murphy_reports::Outcome;

use crate::fixture::{assert_arms, assert_share, run, total};

/// `n` replicas of which each request reaches as few as it may, and nothing repairs.
fn partial(n: usize, read: usize, write: usize) -> String {
    format!(
        r#"
name     = "partial"
duration = "20s"

[network]
latency = "20us"

[[node]]
name   = "r"
count  = {n}
model  = "quorum.replica"
params = {{ read = {read}, write = {write}, partial = true, read_repair = false, hints = "none", anti_entropy = "0s", work = "0s" }}

[[node]]
name  = "client"
count = 4
model = "quorum.client"

[[workload]]
name     = "kv"
from     = "client*"
ops      = {{ put = 0.5, get = 0.5 }}
arrivals = {{ dist = "poisson", rate = "1000/s" }}
deadline = "1s"
keys     = 50
probe    = "0s"
"#
    )
}

fn choose(n: usize, k: usize) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

#[test]
fn reads_of_partial_quorums_are_stale_as_often_as_the_sets_do_not_meet() {
    for (n, read, write) in [(3, 1, 1), (3, 1, 2), (3, 2, 1), (5, 2, 2), (5, 3, 1), (5, 1, 3)] {
        let record = run(&partial(n, read, write), 11);
        let stale = total(&record, "stale_reads");
        let reads =
            record.requests.iter().filter(|request| request.op == 1 && request.outcome == Outcome::Ok);
        // The R replicas of a read are none of the W of the last write: Bailis et al. 2012.
        let probability = choose(n - write, read) / choose(n, read);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        assert_share(&format!("{n} {read} {write}"), stale as usize, reads.count(), probability);
    }
}

#[test]
fn reads_of_quorums_that_meet_are_never_stale() {
    for (n, read, write) in [(3, 2, 2), (3, 1, 3), (3, 3, 1), (5, 3, 3), (5, 2, 4)] {
        let record = run(&partial(n, read, write), 12);
        assert!(total(&record, "stale_reads") < 0.5, "{n} {read} {write}");
        let good = record.requests.iter().filter(|request| request.outcome == Outcome::Ok).count();
        assert!(good > 19_000, "{n} {read} {write}: {good}");
    }
}

#[test]
fn every_scenario_holds_in_its_arms_and_fails_in_the_others() {
    for file in ["quorum-stale.toml", "quorum-repair.toml", "quorum-partition.toml"] {
        assert_arms(file);
    }
}
