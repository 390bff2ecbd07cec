//! Active-active: conflicts and lost updates against theory, and what data types that merge keep.

use crate::fixture::{assert_arms, run, samples, total};

/// Two regions with a client and a replica each, `lag` apart; the clock of the second is off by `skew`.
fn regions(lag: &str, skew: &str, params: &str) -> String {
    format!(
        r#"
name     = "regions"
duration = "300s"

[network]
latency = "10us"

[[site]]
name = "a"

[[site]]
name = "b"

[[link]]
between = ["a", "b"]
latency = "{lag}"

[[node]]
name   = "ra"
model  = "leaders.replica"
site   = "a"
params = {{ work = "0s", {params} }}

[[node]]
name   = "rb"
model  = "leaders.replica"
site   = "b"
params = {{ work = "0s", {params} }}
clock  = {{ offset = "{skew}" }}

[[node]]
name  = "ca"
model = "leaders.client"
site  = "a"

[[node]]
name  = "cb"
model = "leaders.client"
site  = "b"

[[workload]]
name     = "kv"
from     = ["ca", "cb"]
ops      = {{ put = 1.0 }}
arrivals = {{ dist = "poisson", rate = "200/s" }}
deadline = "1s"
keys     = 1000
probe    = "0s"
"#
    )
}

/// Asserts that a Poisson count has this mean: four standard deviations, false alarm 6e-5.
fn assert_poisson(what: &str, count: f64, mean: f64) {
    assert!((count - mean).abs() < 4.0 * mean.sqrt(), "{what}: {count}, expected {mean}");
}

#[test]
fn conflicts_are_writes_that_meet_within_the_lag() {
    let record = run(&regions("100ms", "0s", ""), 1);
    // 60,000 writes; each of the 0.1/s that the other region sends to the same key within the next
    // 100 ms (and what that takes on the disks) beats it: 1 - e^-0.01.
    assert_poisson("conflicts", total(&record, "conflicts"), 60_000.0 * -libm::expm1(-0.1 * 0.1));
    assert!(total(&record, "lost_writes") < 0.5, "true clocks lose no update that came later");
    let lag = samples(&record, "replication_lag");
    assert!(lag.iter().all(|lag| (0.1..0.101).contains(lag)));
}

#[test]
fn clocks_that_are_off_lose_updates_that_came_later() {
    // The second region is 400 ms behind. A write there loses to one of the first region that began up
    // to 400 ms before it: 30,000 writes, 0.1/s to the same key. Those acknowledged before it began are
    // lost updates, all but a fraction: acknowledgements take 0.2 ms.
    let skewed = run(&regions("100ms", "-400ms", ""), 2);
    let expected = 30_000.0 * -libm::expm1(-0.1 * 0.4);
    assert_poisson("lost updates", total(&skewed, "lost_writes"), expected);
    // A clock that never goes behind a stamp that it has seen loses only within the lag: 100 ms.
    let hybrid = run(&regions("100ms", "-400ms", r#"clock = "hybrid""#), 2);
    let expected = 30_000.0 * -libm::expm1(-0.1 * 0.1);
    assert_poisson("lost updates", total(&hybrid, "lost_writes"), expected);
}

#[test]
fn every_scenario_holds_in_its_arms_and_fails_in_the_others() {
    for file in [
        "leaders-clock-skew.toml",
        "leaders-counter.toml",
        "leaders-set.toml",
        "leaders-regions.toml",
        "leaders-heal.toml",
    ] {
        assert_arms(file);
    }
}
