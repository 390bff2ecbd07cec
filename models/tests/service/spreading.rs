//! Overload that moves from service to service, and requests that come all at once.

use murphy_reports::{Outcome, RunRecord};

use crate::fixture::{run, total};

/// Payments hang from 20 s to 50 s. Orders wait for them; the web waits for orders, which it could do without.
fn shop(to_payments: &str, to_orders: &str) -> RunRecord {
    run(
        &format!(
            "duration = \"80s\"\n\
             [[service]]\nname = \"web\"\nconcurrency = 40\nwork = \"2ms\"\n\
             calls = [{{ to = \"orders\", policy = \"orders\", optional = true }}]\n\
             [[service]]\nname = \"orders\"\nconcurrency = 20\nwork = \"2ms\"\n\
             calls = [{{ to = \"payments\", policy = \"payments\", optional = true }}]\n\
             [[service]]\nname = \"payments\"\nconcurrency = 20\nwork = \"5ms\"\n\
             [[workload]]\nname = \"browse\"\nfrom = \"outside\"\nto = \"web\"\ndeadline = \"1s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"poisson\", rate = \"100/s\" }}\n\
             [policy.payments]\ntimeout = \"5s\"\n{to_payments}\n[policy.orders]\ntimeout = \"5s\"\n{to_orders}\n\
             [[fault]]\nname = \"f\"\nkind = \"pause\"\ntarget = \"payments\"\nat = \"20s\"\nfor = \"30s\"\n"
        ),
        1,
    )
}

/// When requests began to wait at a service, in seconds.
fn waits_from(run: &RunRecord, node: &str) -> Option<f64> {
    let record = run.metrics.iter().find(|record| record.name == "queue_depth").expect("a metric");
    let of = |id: u32| run.node_hashes[id as usize].0 == node;
    let deep = record.samples.iter().find(|sample| of(sample.1) && sample.2 > 10.0);
    deep.map(|sample| sample.0 as f64 / 1e9)
}

/// Share of good requests that arrived while payments hung.
fn good(run: &RunRecord) -> f64 {
    let hung = run.requests.iter().filter(|r| (20_000_000_000..50_000_000_000).contains(&r.arrived_ns));
    let in_time = |r: &&murphy_reports::Request| {
        r.outcome == Outcome::Ok && r.done_ns.is_some_and(|done| done - r.arrived_ns <= 1_000_000_000)
    };
    hung.clone().filter(in_time).count() as f64 / hung.count() as f64
}

#[test]
fn overload_moves_up_the_chain_unless_a_breaker_or_a_bulkhead_holds_it() {
    let bare = shop("", "");
    let (orders, web) = (waits_from(&bare, "orders0"), waits_from(&bare, "web0"));
    // 20 workers of orders are taken in 0.2 s, and 40 of the web in 0.4 s.
    assert!(orders.zip(web).is_some_and(|(orders, web)| 20.0 < orders && orders < web && web < 22.0));
    assert!(good(&bare) < 0.05, "{}", good(&bare));
    let breaker = shop("breaker = { size = 20, minimum = 10, open_for = \"5s\", half_open = 2 }", "");
    assert!(total(&breaker, "breaker_opened", "orders") > 0);
    // The first calls wait for their time-out of 5 s; then they fail at once.
    assert!((0.6..0.9).contains(&good(&breaker)), "{}", good(&breaker));
    let bulkhead = shop("", "bulkhead = 20");
    assert!(good(&bulkhead) > 0.9, "{}", good(&bulkhead));
    assert_eq!(waits_from(&bulkhead, "web0"), None, "orders are overloaded, the web is not");
    assert!(waits_from(&bulkhead, "orders0").is_none(), "20 calls of the web fit");
}

/// A thousand requests at once at a service that lets a hundred wait; all try again after a second.
fn herd(jitter: &str) -> RunRecord {
    run(
        &format!(
            "duration = \"60s\"\n\
             [[service]]\nname = \"s\"\nconcurrency = 10\nwork = \"10ms\"\nqueue = {{ bound = 100 }}\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\npolicy = \"p\"\ndeadline = \"60s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"poisson\", rate = \"10/s\" }}\n\
             [policy.p]\nretries = 100\nbackoff = {{ kind = \"fixed\", base = \"1s\"{jitter} }}\n\
             [[fault]]\nname = \"f\"\nkind = \"herd\"\nworkload = \"u\"\nrequests = 1000\nat = \"10s\"\nfor = \"1s\"\n"
        ),
        1,
    )
}

/// Most attempts in a tenth of a second after the first wave, and how many were refused in all.
fn wave(run: &RunRecord) -> (f64, u64) {
    let record = run.metrics.iter().find(|record| record.name == "attempts").expect("a metric");
    let later = record.samples.iter().filter(|sample| sample.0 > 10_500_000_000);
    (later.map(|sample| sample.2).fold(0.0, f64::max), total(run, "shed", "s"))
}

#[test]
fn jitter_flattens_a_herd() {
    let (high, many) = wave(&herd(""));
    let (low, few) = wave(&herd(", jitter = \"full\""));
    // Without jitter all that were refused come back together: 1,000 less the 110 that found room. With it they
    // come within a second, about 90 in each tenth.
    assert!((880.0..=900.0).contains(&high), "{high} at once");
    assert!(low < 140.0 && few < many, "{low} at once; {few} refused against {many}");
}
