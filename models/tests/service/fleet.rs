//! Instances under a control plane: checks, ejection, replacement, scaling and new versions.

use murphy_reports::{Outcome, RunRecord, mean};

use crate::fixture::{latencies, run, share, total};

/// Users call `front`, which calls `back`; `front` and `back` add keys to the services. Both are asked in turn:
/// least outstanding calls would avoid an instance that does not answer, without any check.
fn pair(front: &str, back: &str, more: &str) -> String {
    format!(
        "duration = \"120s\"\n\
         [[service]]\nname = \"front\"\nreplicas = 2\nconcurrency = 1000\nwork = \"1ms\"\nbalancer = \"round-robin\"\n\
         calls = [{{ to = \"back\", policy = \"p\" }}]\n{front}\n\
         [[service]]\nname = \"back\"\nreplicas = 2\nconcurrency = 1000\nbalancer = \"round-robin\"\nwork = \"1ms\"\n{back}\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"front\"\npolicy = \"p\"\ndeadline = \"1s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"constant\", rate = \"100/s\" }}\n\
         [policy.p]\ntimeout = \"500ms\"\n{more}"
    )
}

/// Seconds at which requests that failed arrived, and how many there are.
fn failures(run: &RunRecord) -> (f64, f64, usize) {
    let bad =
        run.requests.iter().filter(|request| request.outcome != Outcome::Ok && request.done_ns.is_some());
    let times: Vec<f64> = bad.map(|request| request.arrived_ns as f64 / 1e9).collect();
    let (first, last) = (times.first().copied().unwrap_or(0.0), times.last().copied().unwrap_or(0.0));
    (first, last, times.len())
}

const CRASH: &str = "[[fault]]\nname = \"f\"\nkind = \"crash\"\ntarget = \"back0\"\nat = \"20s\"\n";

#[test]
fn checks_take_a_dead_instance_out_after_three_of_them_fail() {
    let health = "health = { every = \"5s\", timeout = \"1s\", failures = 3 }";
    let (first, last, count) = failures(&run(&pair("", health, CRASH), 1));
    // Checks come every 5 s: the third one that fails ends 11 to 16 s after the crash. Until then half of
    // the requests go there.
    assert!(first < 20.1 && (30.5..36.5).contains(&last), "{first} to {last}");
    assert!((450..850).contains(&count), "{count} failed");
    let without = failures(&run(&pair("", "", CRASH), 1));
    assert!(without.1 > 119.0 && without.2 > 4000, "{without:?}");
}

#[test]
fn outcomes_eject_it_within_its_time_outs() {
    let outlier = "outlier = { failures = 5, eject = \"200s\" }";
    let (first, last, count) = failures(&run(&pair("", outlier, CRASH), 1));
    // Each of two callers sends it 25 requests a second, and learns of the fifth failure 200 ms later plus
    // the time-out of 500 ms: milliseconds against the seconds of checks.
    assert!(first < 20.1 && last < 20.9, "{first} to {last}");
    assert!(count < 50, "{count} failed");
}

/// `front0` cannot reach `back`; whatever checks it can.
const CUT: &str = "[[fault]]\nname = \"f\"\nkind = \"partition\"\nat = \"20s\"\n\
                   groups = [[\"front0\"], [\"back*\"]]\n";

#[test]
fn a_shallow_check_misses_a_dependency_that_a_deep_one_finds() {
    let health =
        |deep: bool| format!("health = {{ every = \"5s\", timeout = \"1s\", failures = 2, deep = {deep} }}");
    let (_, last, shallow) = failures(&run(&pair(&health(false), "", CUT), 1));
    assert!(last > 119.0 && shallow > 4000, "{shallow} failed, the last at {last}");
    let (_, last, deep) = failures(&run(&pair(&health(true), "", CUT), 1));
    // Two checks of 5 s, and the wait of the second.
    assert!(last < 32.0 && deep < 700, "{deep} failed, the last at {last}");
}

#[test]
fn an_instance_that_starts_gets_no_requests_before_it_is_ready() {
    let back = "startup = \"20s\"\nhealth = { every = \"2s\", timeout = \"500ms\", failures = 1 }";
    let crash = CRASH.to_owned() + "for = \"10s\"\n";
    let run = run(&pair("", back, &crash), 1);
    // Down from 20 s to 30 s, ready at 50 s: requests fail only until the first check finds it.
    let (_, last, _) = failures(&run);
    assert!(last < 22.6, "the last failed at {last}");
    assert_eq!(total(&run, "unserved", "back"), 0);
    let reached = |from: f64, to: f64| {
        let record = run.metrics.iter().find(|record| record.name == "instances").expect("a metric");
        let first = run.node_hashes.iter().position(|(name, _)| name == "back0").expect("a node");
        let at = |s: f64| {
            let of = record.samples.iter().filter(|sample| sample.1 as usize == first);
            of.filter(|sample| sample.0 as f64 / 1e9 <= s).map(|sample| sample.2).next_back()
        };
        (at(from), at(to))
    };
    assert_eq!(reached(49.0, 51.0), (Some(1.0), Some(2.0)));
    // Without checks its callers go on asking it, and are refused while it starts.
    let without = self::run(&pair("", "startup = \"20s\"", &crash), 1);
    assert!(total(&without, "unserved", "back") > 800, "{}", total(&without, "unserved", "back"));
}

#[test]
fn a_start_that_takes_longer_than_its_checks_allow_is_killed_for_ever() {
    let back = |grace: &str| {
        format!(
            "startup = \"20s\"\nhealth = {{ every = \"5s\", timeout = \"1s\", failures = 1, restart = 3, grace = \"{grace}\" }}"
        )
    };
    let crash = CRASH.to_owned() + "for = \"1s\"\n";
    let looping = run(&pair("", &back("0s"), &crash), 1);
    let calm = run(&pair("", &back("30s"), &crash), 1);
    assert!((5..=8).contains(&total(&looping, "kills", "back0")), "{}", total(&looping, "kills", "back0"));
    assert!(total(&calm, "kills", "back0") <= 1, "the first start is not known to the control plane");
}

#[test]
fn a_lost_node_is_replaced_by_a_spare_one() {
    let back = "spares = 1\nprovision = \"10s\"\nstartup = \"5s\"\n\
                health = { every = \"5s\", timeout = \"1s\", failures = 2, lost = \"20s\" }";
    let run = run(&pair("", back, CRASH), 1);
    let record = run.metrics.iter().find(|record| record.name == "instances").expect("a metric");
    let first = run.node_hashes.iter().position(|(name, _)| name == "back0").expect("a node");
    let back: Vec<(f64, f64)> = record
        .samples
        .iter()
        .filter(|sample| sample.1 as usize == first)
        .map(|sample| (sample.0 as f64 / 1e9, sample.2))
        .collect();
    // 20 s of silence (counted from its last answer, seen by the next check), 10 s and 5 s.
    let full = back.last().expect("samples");
    assert!(full.1 > 1.5 && (50.0..66.0).contains(&full.0), "{back:?}");
}

#[test]
fn the_data_plane_goes_on_without_the_control_plane_and_nothing_is_replaced() {
    let back = "spares = 1\nhealth = { every = \"2s\", timeout = \"500ms\", failures = 1, lost = \"5s\" }";
    let away =
        "[[fault]]\nname = \"away\"\nkind = \"crash\"\ntarget = \"control\"\nat = \"10s\"\nfor = \"60s\"\n";
    let quiet = run(&pair("", back, away), 1);
    assert_eq!(failures(&quiet).2, 0, "nobody notices");
    // A replica is lost meanwhile: half of the requests fail until the control plane is back at 70 s.
    let (_, last, count) = failures(&run(&pair("", back, &(away.to_owned() + CRASH)), 1));
    assert!((70.0..74.0).contains(&last), "the last failed at {last}");
    assert!((2000..3000).contains(&count), "{count} failed");
    let (_, last, _) = failures(&run(&pair("", back, CRASH), 1));
    assert!(last < 24.0, "with it: {last}");
}

/// A rolling restart of `back` under load whose requests take 50 ms.
fn restart(drain: &str) -> RunRecord {
    let back = format!("{drain}\nstartup = \"2s\"\nhealth = {{ every = \"2s\", timeout = \"500ms\" }}");
    let text = pair("", &back, "[[rollout]]\nname = \"r\"\nservice = \"back\"\nat = \"20s\"\n");
    let back = "concurrency = 1000\nbalancer = \"round-robin\"\nwork = \"1ms\"";
    run(&text.replace(back, &back.replace("1ms", "50ms")), 1)
}

#[test]
fn a_rolling_restart_loses_nothing_with_draining_and_what_was_in_work_without() {
    let with = restart("drain = \"1s\"");
    assert_eq!((failures(&with).2, total(&with, "dropped", "back")), (0, 0));
    assert_eq!(total(&with, "changes", "back"), 2 + 4, "each stopped once and started again");
    let without = restart("");
    // Half of the requests are at each instance, 50/s for 50 ms: two or three are in work when it stops; of
    // the second one, which is alone for a moment, twice as many.
    let dropped = total(&without, "dropped", "back");
    assert!((4..=12).contains(&dropped), "{dropped} dropped");
    assert_eq!(failures(&without).2 as u64, dropped + total(&without, "unserved", "back"));
}

/// A version that fails every fifth request comes to ten instances.
fn rollout(strategy: &str) -> RunRecord {
    run(
        &format!(
            "duration = \"300s\"\n\
             [[service]]\nname = \"s\"\nreplicas = 10\nspares = 10\nconcurrency = 100\nwork = \"1ms\"\ndrain = \"1s\"\n\
             health = {{ every = \"2s\", timeout = \"500ms\" }}\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"1s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"constant\", rate = \"500/s\" }}\n\
             [[rollout]]\nname = \"bad\"\nservice = \"s\"\nat = \"20s\"\nerrors = 0.2\n{strategy}\n"
        ),
        1,
    )
}

#[test]
fn a_gate_limits_what_a_bad_version_costs_and_a_canary_limits_it_most() {
    let cost = |strategy: &str| {
        let run = rollout(strategy);
        let (_, last, count) = failures(&run);
        (count, last, total(&run, "rollbacks", ""))
    };
    let blind = cost("strategy = \"rolling\"\nbatch = 10");
    // From its start to the end of the run every fifth request fails: 280 s at 500/s, 28,000.
    assert!((26_500..29_000).contains(&blind.0) && blind.2 == 0, "{blind:?}");
    let canary = cost("strategy = \"canary\"\ncanary = 0.1\nbake = \"60s\"\ngate = 0.05\nsamples = 100");
    // One of ten gets 50/s: a report after at most 2 s more shows 100 answers, 20 of them bad; then it drains.
    assert!(canary.0 < 80 && canary.1 < 32.0 && canary.2 == 1, "{canary:?}");
    let blue_green = cost("strategy = \"blue-green\"\nbake = \"60s\"\ngate = 0.05\nsamples = 100");
    // All get it at once, 100/s fail until the next checks, 2 s later; then all change back at once.
    assert!((50..450).contains(&blue_green.0) && blue_green.1 < 26.0, "{blue_green:?}");
    assert_eq!(blue_green.2, 1);
    // A canary that is judged by too small a sample lets it pass.
    let small = cost("strategy = \"canary\"\ncanary = 0.1\nbake = \"1s\"\ngate = 0.05\nsamples = 1000000");
    assert!(small.0 > 20_000 && small.2 == 0, "{small:?}");
}

#[test]
fn a_recovered_instance_with_an_old_version_answers_wrongly_unless_readiness_checks_it() {
    let system = |version: bool| {
        let back =
            format!("health = {{ every = \"2s\", timeout = \"500ms\", failures = 1, version = {version} }}");
        let more = "[[rollout]]\nname = \"new\"\nservice = \"back\"\nat = \"30s\"\nstrategy = \"push\"\nbake = \"1s\"\nbreaking = true\n";
        run(&pair("", &back, &(CRASH.to_owned() + "for = \"20s\"\n" + more)), 1)
    };
    let wrong = |run: &RunRecord| {
        run.requests.iter().filter(|r| r.outcome != Outcome::Ok && r.arrived_ns > 40_000_000_000).count()
    };
    // It is back at 40 s without what was pushed at 30 s, and answers half of the requests.
    let (drifts, checked) = (wrong(&system(false)), wrong(&system(true)));
    assert!(drifts > 3000, "{drifts} wrong");
    assert!(checked < 5, "{checked} wrong with a version check");
}

/// A step from 20/s to 200/s; each request takes 100 ms of one of two workers.
fn spike(fleet: &str) -> RunRecord {
    run(
        &format!(
            "duration = \"900s\"\n\
             [[service]]\nname = \"s\"\nreplicas = 2\nconcurrency = 2\nwork = {{ dist = \"exponential\", mean = \"100ms\" }}\n{fleet}\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"1s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"steps\", steps = [{{ at = \"0s\", rate = \"20/s\" }}, {{ at = \"60s\", rate = \"200/s\" }}] }}\n"
        ),
        1,
    )
}

#[test]
fn the_autoscaler_comes_to_the_size_that_its_rule_says_with_a_visible_lag() {
    let size = |run: &RunRecord, at: f64| {
        let record = run.metrics.iter().find(|record| record.name == "instances").expect("a metric");
        record.samples.iter().filter(|s| s.0 as f64 / 1e9 <= at).map(|s| s.2).next_back().unwrap_or(0.0)
    };
    let scaled = "spares = 30\nstartup = \"5s\"\nprovision = \"20s\"\nautoscale = { target = 0.5, max = 30 }";
    let run = spike(scaled);
    // 200/s of 100 ms keep 20 workers at work; at half of them it takes 40 workers, 20 instances; within the
    // tolerance of 0.1 anything from 19 to 22 stays. While the backlog lasts all workers are busy, and it grows
    // to its maximum; it shrinks when the window of 300 s has forgotten that.
    assert!(size(&run, 300.0) > 29.0, "{} instances", size(&run, 300.0));
    assert!((18.0..=23.0).contains(&size(&run, 899.0)), "{} instances", size(&run, 899.0));
    // Loads are those of the period before: the first decision comes 15 s to 30 s after the step, and the first
    // instance 25 s after that.
    assert!(size(&run, 99.0) < 3.5 && size(&run, 130.0) > 3.5, "{}", size(&run, 130.0));
    let slow = latencies(&run, 60.0).iter().filter(|seconds| **seconds > 1.0).count();
    // A warm pool and a quick start save most of the wait.
    let warm = spike(&scaled.replace("max = 30", "max = 30, warm = 30"));
    let less = latencies(&warm, 60.0).iter().filter(|seconds| **seconds > 1.0).count();
    assert!(less * 10 < slow * 7, "{less} slow with a warm pool, {slow} without");
    // A quota below what is needed never recovers.
    let capped = spike(&scaled.replace("max = 30", "max = 8"));
    assert!((size(&capped, 899.0) - 8.0).abs() < 0.5);
    assert!(mean(&latencies(&capped, 200.0)) > 5.0 && mean(&latencies(&run, 250.0)) < 0.3);
}

#[test]
fn a_grey_instance_passes_its_checks_while_users_fail_and_is_found_by_their_outcomes() {
    let grey = "[[fault]]\nname = \"f\"\nkind = \"omission\"\nat = \"20s\"\ntarget = \"back0\"\n\
                direction = \"receive\"\nmessage = \"call\"\nprobability = 0.5\n";
    let health = "health = { every = \"2s\", timeout = \"500ms\", failures = 2 }";
    let hidden = run(&pair("", health, grey), 1);
    // Half of the calls to one of two instances are lost: a quarter of the requests, for 100 of 120 s; its
    // checks all pass.
    let bad = 1.0 - share(&hidden, Outcome::Ok);
    assert!((bad - 0.25 * 100.0 / 120.0).abs() < 0.03, "{bad} failed");
    assert_eq!(total(&hidden, "changes", "back"), 2, "nothing is taken out");
    let both = run(&pair("", &format!("{health}\noutlier = {{ failures = 3, eject = \"60s\" }}"), grey), 1);
    assert!(1.0 - share(&both, Outcome::Ok) < 0.03, "{}", 1.0 - share(&both, Outcome::Ok));
}
