//! Balancers against closed forms, and in the order that queueing theory gives their tails.

use murphy_reports::mean;

use crate::fixture::{latencies, run};

/// Runs of each case.
const SEEDS: u64 = 10;

fn system(balancer: &str) -> String {
    format!(
        "duration = \"130s\"\n\
         [[service]]\nname = \"s\"\nreplicas = 8\nwork = {{ dist = \"exponential\", mean = \"10ms\" }}\nbalancer = \"{balancer}\"\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"100s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"poisson\", rate = \"640/s\" }}\n"
    )
}

/// 99th percentile of each run, in units of the mean work.
fn tails(balancer: &str) -> Vec<f64> {
    let tail = |seed| {
        let mut waits = latencies(&run(&system(balancer), seed), 10.0);
        waits.sort_by(f64::total_cmp);
        waits[waits.len() * 99 / 100] / 0.01
    };
    (0..SEEDS).map(tail).collect()
}

/// Centre and half width of Student's interval with 9 degrees of freedom; `t` is its quantile.
fn interval(values: &[f64], t: f64) -> (f64, f64) {
    let centre = mean(values);
    let variance = values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>()
        / (values.len() - 1) as f64;
    (centre, t * libm::sqrt(variance / values.len() as f64))
}

/// Root of `sigma = (k lambda / (k lambda + 1 - sigma))^k`: an arrival at `E_k/M/1` finds the server busy so
/// often. Source: Kleinrock 1975, section 6.4 (G/M/1).
fn finds_busy(k: f64, load: f64) -> f64 {
    let step = |sigma: f64| libm::pow(k * load / (k * load + 1.0 - sigma), k);
    (0..1000).fold(0.5, |sigma, _| step(sigma))
}

#[test]
fn tails_are_in_the_order_of_what_each_balancer_knows_and_two_of_them_exact() {
    // Two figures against closed forms and three differences: 1e-3 over the family of five, two-sided.
    const T: f64 = 6.01;
    let [random, turns, two, least] =
        ["random", "round-robin", "power-of-two", "least-outstanding"].map(tails);
    // Random splitting makes eight M/M/1: the sojourn is exponential with rate 1 - load. Round robin from
    // one caller makes eight E_8/M/1: exponential with rate 1 - sigma.
    let log = libm::log(100.0);
    for (seen, rate) in [(&random, 1.0 - 0.8), (&turns, 1.0 - finds_busy(8.0, 0.8))] {
        let (centre, half) = interval(seen, T);
        assert!((centre - log / rate).abs() < half, "{centre} +- {half}, expected {}", log / rate);
    }
    for (worse, better) in [(&random, &turns), (&turns, &two), (&two, &least)] {
        let differences: Vec<f64> = worse.iter().zip(better).map(|(worse, better)| worse - better).collect();
        let (centre, half) = interval(&differences, T);
        assert!(centre > half, "{centre} +- {half}");
    }
}

#[test]
fn callers_that_prefer_their_zone_cross_no_border_until_it_has_nobody_left() {
    let text = |aware: bool| {
        format!(
            "duration = \"60s\"\n\
             [[site]]\nname = \"a\"\nzone = \"a\"\n[[site]]\nname = \"b\"\nzone = \"b\"\n\
             [[link]]\nbetween = [\"a\", \"b\"]\nlatency = \"10ms\"\n\
             [[service]]\nname = \"s\"\nsites = [\"a\", \"b\"]\nreplicas = 4\nconcurrency = 100\nwork = \"1ms\"\n\
             balancer = \"round-robin\"\nzone_aware = {aware}\noutlier = {{ failures = 3, eject = \"200s\", most = 1.0 }}\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\npolicy = \"p\"\ndeadline = \"1s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"poisson\", rate = \"100/s\" }}\n[policy.p]\ntimeout = \"100ms\"\n\
             [[fault]]\nname = \"f\"\nkind = \"crash\"\nat = \"30s\"\ntarget = [\"s0\", \"s2\"]\n"
        )
    };
    let crossing =
        |waits: &[f64]| waits.iter().filter(|wait| **wait > 0.02).count() as f64 / waits.len() as f64;
    let part = |run: &murphy_reports::RunRecord, late: bool| {
        let of = |r: &&murphy_reports::Request| {
            if late { r.arrived_ns > 32_000_000_000 } else { r.arrived_ns < 29_000_000_000 }
        };
        let waits =
            run.requests.iter().filter(of).filter_map(|r| Some((r.done_ns? - r.arrived_ns) as f64 / 1e9));
        crossing(&waits.filter(|wait| *wait < 0.09).collect::<Vec<f64>>())
    };
    // Users sit with the first replica, in zone a. Its replicas are gone at 30 s.
    let (aware, blind) = (run(&text(true), 1), run(&text(false), 1));
    assert!(part(&aware, false).abs() < 1e-12 && (part(&aware, true) - 1.0).abs() < 1e-12);
    assert!((part(&blind, false) - 0.5).abs() < 0.05, "{}", part(&blind, false));
}
