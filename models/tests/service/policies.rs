//! Policies at work: with and without, on the same arrivals.

use murphy_reports::{Outcome, RunRecord};

use crate::fixture::{latencies, run, share, total};

/// Users call a, a calls b, b calls c; `down` adds what goes wrong.
fn chain(policy: &str, down: &str) -> String {
    format!(
        "duration = \"60s\"\n\
         [[service]]\nname = \"a\"\nconcurrency = 10000\nwork = \"1ms\"\ncalls = [{{ to = \"b\", policy = \"outer\" }}]\n\
         [[service]]\nname = \"b\"\nconcurrency = 10000\nwork = \"1ms\"\ncalls = [{{ to = \"c\", policy = \"inner\" }}]\n\
         [[service]]\nname = \"c\"\nconcurrency = 10000\nwork = \"1ms\"\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"a\"\ndeadline = \"5s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"constant\", rate = \"20/s\" }}\n{policy}\n{down}"
    )
}

const C_IS_DOWN: &str = "[[fault]]\nname = \"f\"\nkind = \"crash\"\ntarget = \"c\"\nat = \"0s\"\n";

fn retries(outer: u64, inner: u64) -> String {
    format!(
        "[policy.outer]\ntimeout = \"1s\"\nretries = {outer}\n[policy.inner]\ntimeout = \"50ms\"\nretries = {inner}\n"
    )
}

/// Attempts that b sent, for each request that had the time to end.
fn amplification(run: &RunRecord) -> (u64, u64) {
    let ended = run.requests.iter().filter(|request| request.done_ns.is_some()).count() as u64;
    (total(run, "attempts", "b"), ended)
}

#[test]
fn retries_in_two_layers_multiply() {
    for (outer, inner) in [(0, 0), (0, 3), (1, 2), (3, 3)] {
        let run = run(&chain(&retries(outer, inner), C_IS_DOWN).replace("20/s", "1/s"), 1);
        // Calls that all fail are tried (1 + outer) (1 + inner) times; the last ones are still on their way.
        let (attempts, ended) = amplification(&run);
        let each = (1 + outer) * (1 + inner);
        let open = run.requests.len() as u64 - ended;
        assert!(ended > 50 && open <= 1, "{ended} ended, {open} open");
        assert!(
            (ended * each..=(ended + open) * each).contains(&attempts),
            "{attempts} attempts, {each} each"
        );
        assert!(share(&run, Outcome::Ok).abs() < 1e-12);
    }
}

#[test]
fn without_faults_nothing_is_retried() {
    let run = run(&chain(&retries(3, 3), ""), 1);
    let (attempts, ended) = amplification(&run);
    assert_eq!((attempts, total(&run, "retries", "")), (ended, 0));
    assert!(latencies(&run, 0.0).iter().all(|seconds| (seconds - 0.003).abs() < 1e-9));
}

#[test]
fn a_budget_bounds_retries_by_its_share_and_reserve() {
    let budget = "budget = { ratio = 0.1, min_per_sec = 1 }\n";
    let run = run(&chain(&(retries(0, 3) + budget), C_IS_DOWN), 1);
    // 20 requests a second for 60 s: a tenth, and one a second; a window of 10 s more at the edge.
    let retried = total(&run, "retries", "b");
    assert!((150..=190).contains(&retried), "{retried} retries of 1200 requests");
    assert!(total(&run, "retries_denied", "b") > 900);
}

#[test]
fn a_breaker_spares_the_failing_service_and_lets_it_come_back() {
    let breaker = "breaker = { size = 20, minimum = 10, open_for = \"2s\", half_open = 2 }\n";
    let ten = C_IS_DOWN.replace("at = \"0s\"", "at = \"20s\"\nfor = \"20s\"");
    let bare = run(&chain(&retries(0, 0), &ten), 1);
    let with = run(&chain(&(retries(0, 0) + breaker), &ten), 1);
    assert_eq!(bare.requests.len(), with.requests.len());
    let (few, many) = (total(&with, "attempts", "b"), total(&bare, "attempts", "b"));
    assert!(few + 300 < many, "{few} attempts with a breaker, {many} without");
    assert_eq!(few + total(&with, "refused", "b"), many);
    assert!(total(&with, "breaker_opened", "b") >= 2, "it opens again while the service is down");
    let late = |run: &RunRecord| {
        run.requests.iter().filter(|r| r.arrived_ns > 43_000_000_000 && r.outcome == Outcome::Ok).count()
    };
    assert_eq!(late(&with), late(&bare), "it has closed again");
}

#[test]
fn a_fallback_answers_what_failed() {
    let run = run(&chain(&(retries(0, 0) + "fallback = \"degraded\"\n"), C_IS_DOWN), 1);
    let ended = run.requests.iter().filter(|request| request.done_ns.is_some());
    assert!(ended.clone().count() > 1000 && ended.clone().all(|request| request.outcome == Outcome::Ok));
    assert_eq!(total(&run, "fallbacks", "b"), total(&run, "timeouts", "b"));
}

#[test]
fn a_hung_dependency_takes_only_its_own_slots() {
    // c hangs for ever; a's other dependency d is well. Without a bulkhead all workers of a wait for c.
    let text = |bulkhead: &str| {
        format!(
            "duration = \"60s\"\n\
             [[service]]\nname = \"a\"\nconcurrency = 20\nwork = \"1ms\"\n\
             calls = [{{ to = \"c\", policy = \"p\", optional = true }}, {{ to = \"d\" }}]\n\
             [[service]]\nname = \"c\"\nwork = \"1ms\"\n\
             [[service]]\nname = \"d\"\nwork = \"1ms\"\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"a\"\ndeadline = \"1s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"constant\", rate = \"20/s\" }}\n[policy.p]\n{bulkhead}\n{C_IS_DOWN}"
        )
    };
    assert!(share(&run(&text(""), 1), Outcome::Ok).abs() < 1e-12);
    let with = run(&text("bulkhead = 5"), 1);
    let ok = with.requests.iter().filter(|request| request.outcome == Outcome::Ok).count();
    assert!(with.requests.len() - ok <= 6, "{ok} of {}", with.requests.len());
}

#[test]
fn a_hedge_cuts_the_tail_for_few_more_attempts() {
    let text = |hedge: &str| {
        format!(
            "duration = \"100s\"\n\
             [[service]]\nname = \"s\"\nreplicas = 4\nconcurrency = 1000\n\
             work = {{ dist = \"pareto\", scale = \"10ms\", shape = 1.5 }}\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\npolicy = \"p\"\ndeadline = \"10s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"poisson\", rate = \"200/s\" }}\n[policy.p]\ntimeout = \"10s\"\n{hedge}\n"
        )
    };
    let p99 = |run: &RunRecord| {
        let mut latencies = latencies(run, 0.0);
        latencies.sort_by(f64::total_cmp);
        latencies[latencies.len() * 99 / 100]
    };
    let (bare, hedged) = (run(&text(""), 1), run(&text("hedge = \"60ms\""), 1));
    // Of a Pareto law with shape 1.5, 6.8 % take longer than six times the least.
    let more = total(&hedged, "hedges", "") as f64 / hedged.requests.len() as f64;
    assert!((more - 0.068).abs() < 0.008, "{more} more attempts");
    assert!(p99(&hedged) < 0.6 * p99(&bare), "{} against {}", p99(&hedged), p99(&bare));
}
