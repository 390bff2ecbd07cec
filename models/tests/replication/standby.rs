//! Active-passive: RPO and RTO against closed forms, fencing, and cool-down.

use std::fmt::Write as _;

use crate::fixture::{assert_arms, assert_mean, assert_share, deviation, run, samples, total};

/// Writes a second.
const RATE: f64 = 200.0;

/// Two replicas that crash in turn, each time `every` seconds apart and for 5 s.
fn failovers(params: &str, count: usize, every: usize) -> String {
    let mut text = format!(
        r#"
name     = "failovers"
duration = "{}s"

[network]
latency = "10us"

[[node]]
name   = "r"
count  = 2
model  = "standby.replica"
params = {{ work = "0s", {params} }}

[[node]]
name   = "arbiter"
model  = "standby.arbiter"

[[node]]
name  = "client"
model = "standby.client"
params = {{ timeout = "100ms" }}

[[workload]]
name     = "kv"
from     = "client"
ops      = {{ put = 1.0 }}
arrivals = {{ dist = "poisson", rate = "200/s" }}
deadline = "1s"
keys     = 100
probe    = "0s"
"#,
        every * (count + 1)
    );
    for failover in 0..count {
        // The phase against heartbeats (and anything else periodic) is spread by an irrational step.
        let at =
            every as f64 * (failover as f64 + 1.0) + 7.0 * (failover as f64 * 0.618_033_988_749_895).fract();
        write!(
            text,
            "[[fault]]\nname = \"crash-{failover}\"\nkind = \"crash\"\ntarget = \"r{}\"\nat = \"{at:.6}s\"\nfor = \"5s\"\n",
            failover % 2
        )
        .expect("a string");
    }
    text
}

#[test]
fn a_constant_lag_loses_a_poisson_number_of_writes() {
    let record = run(&failovers(r#"lag = "500ms""#, 80, 25), 1);
    let lost = samples(&record, "rpo_writes");
    assert_eq!(lost.len(), 80, "every crash of a primary is a failover");
    // Writes that began within the lag: Poisson with mean 200/s x 0.5 s.
    assert_mean("lost writes", &lost, 100.0, 10.0);
    // The variance of a Poisson number is its mean; the standard error of a deviation is about sd / sqrt(2 n).
    assert!((deviation(&lost) - 10.0).abs() < 4.0 * 10.0 / 160_f64.sqrt(), "{}", deviation(&lost));
    let rpo = samples(&record, "rpo");
    assert!(rpo.iter().all(|age| (0.4..0.5001).contains(age)), "{rpo:?}");
}

#[test]
fn an_exponential_lag_loses_as_many_but_older_ones() {
    let record = run(&failovers(r#"lag = "500ms", lag_law = "exponential""#, 80, 25), 2);
    assert_mean("lost writes", &samples(&record, "rpo_writes"), 100.0, 10.0);
    // M/G/infinity: the age of the oldest has the quantiles d ln(w d / -ln q).
    let rpo = samples(&record, "rpo");
    let quantile = |q: f64| 0.5 * libm::log(RATE * 0.5 / -libm::log(q));
    for q in [0.1, 0.5, 0.9] {
        let below = rpo.iter().filter(|age| **age <= quantile(q)).count();
        assert_share("age of the oldest", below, rpo.len(), q);
    }
}

#[test]
fn batches_lose_what_gathered_since_the_last_one() {
    let record = run(&failovers(r#"lag = "500ms", ship_every = "10s""#, 80, 25), 3);
    // w (d + B/2), and sqrt(w m + w^2 B^2 / 12).
    let lost = samples(&record, "rpo_writes");
    assert_mean("lost writes", &lost, 1100.0, 578.302);
    assert!((deviation(&lost) - 578.3).abs() < 4.0 * 578.3 / 160_f64.sqrt(), "{}", deviation(&lost));
    let worst = samples(&record, "rpo").into_iter().fold(0.0, f64::max);
    assert!((10.0..=10.5001).contains(&worst), "B + d is the worst: {worst}");
}

#[test]
fn a_stream_of_limited_pace_loses_its_queue() {
    // 220 records a second: M/M/1 at 10/11.
    let record = run(&failovers(r#"lag = "4545454ns", lag_law = "stream""#, 80, 25), 4);
    let lost = samples(&record, "rpo_writes");
    // Geometric: mean rho / (1 - rho) = 10, variance rho / (1 - rho)^2 = 110.
    assert_mean("lost writes", &lost, 10.0, 110_f64.sqrt());
    let none = lost.iter().filter(|lost| **lost < 0.5).count();
    assert_share("nothing lost", none, lost.len(), 1.0 / 11.0);
}

#[test]
fn synchronous_shipping_loses_nothing_at_any_crash() {
    for shipping in ["synchronous", "semi-synchronous"] {
        let params = format!(r#"lag = "20ms", shipping = "{shipping}""#);
        let record = run(&failovers(&params, 60, 25), 5);
        assert_eq!(samples(&record, "rpo_writes"), vec![0.0; 60], "{shipping}");
        assert!(total(&record, "lost_writes") < 0.5, "{shipping}");
    }
    // The same without waiting.
    let record = run(&failovers(r#"lag = "20ms""#, 60, 25), 5);
    assert_mean("lost writes", &samples(&record, "rpo_writes"), 4.0, 2.0);
}

#[test]
fn the_parts_of_a_failover_are_those_that_were_set() {
    // Detection U(2, 3) s, election 0.2 s, promotion lognormal with median 5 s and sigma 0.5.
    let params =
        r#"heartbeat = "1s", suspect_after = "3s", lease = "2s", promote = "5s", promote_sigma = 0.5"#;
    let text = failovers(params, 100, 80).replace("200/s", "20/s").replace(
        "model  = \"standby.arbiter\"",
        "model  = \"standby.arbiter\"\nparams = { elect = \"200ms\" }",
    );
    let record = run(&text, 6);
    let detect = samples(&record, "detect");
    assert_eq!(detect.len(), 100);
    assert_mean("detect", &detect, 2.5, 1.0 / 12_f64.sqrt());
    assert!(detect.iter().all(|seconds| (1.999..3.001).contains(seconds)), "{detect:?}");
    let elect = samples(&record, "elect");
    assert!(elect.iter().all(|seconds| (0.2..0.2021).contains(seconds)), "{elect:?}");
    let spread = libm::sqrt(libm::expm1(0.25));
    let promote = 5.0 * libm::exp(0.125);
    assert_mean("promote", &samples(&record, "promote"), promote, promote * spread);
    let rto = samples(&record, "rto");
    let deviation = libm::sqrt(1.0 / 12.0 + (promote * spread) * (promote * spread));
    assert_mean("rto", &rto, 2.5 + 0.2 + promote, deviation);
    // The sum of the 99th percentiles is not that of the sum: 18.72 s, not 19.19 s.
    let beyond = rto.iter().filter(|seconds| **seconds > 18.715).count();
    assert_share("beyond the 99th percentile", beyond, rto.len(), 0.01);
}

#[test]
fn every_scenario_holds_in_its_arms_and_fails_in_the_others() {
    for file in [
        "standby-failover.toml",
        "standby-split-brain.toml",
        "standby-shipping.toml",
        "standby-double-fault.toml",
        "standby-failover-loop.toml",
        "standby-failback.toml",
        "standby-nemesis.toml",
        "standby-lease-drift.toml",
    ] {
        assert_arms(file);
    }
}
