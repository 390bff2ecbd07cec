//! Answers in part: scatter and gather over shards, one of which is slow.

use murphy_reports::{RunRecord, mean};

use crate::fixture::{latencies, run};

/// A front end asks eight shards; the third one takes fifty times as long from the start on.
fn search(call: &str, service: &str) -> RunRecord {
    run(
        &format!(
            "duration = \"60s\"\n\
             [[service]]\nname = \"front\"\nconcurrency = 10000\nwork = \"1ms\"\n\
             calls = [{{ to = \"shard\", scatter = true, {call} }}]\n\
             [[service]]\nname = \"shard\"\nreplicas = 8\nconcurrency = 10000\n\
             work = {{ dist = \"uniform\", low = \"10ms\", high = \"20ms\" }}\n{service}\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"front\"\ndeadline = \"2s\"\nprobe = \"0s\"\n\
             arrivals = {{ dist = \"constant\", rate = \"50/s\" }}\n\
             [policy.patient]\n[policy.brief]\ntimeout = \"50ms\"\n\
             [[fault]]\nname = \"f\"\nkind = \"slow\"\ntarget = \"shard2\"\nat = \"0s\"\nfactor = 50.0\n"
        ),
        1,
    )
}

fn p99(run: &RunRecord) -> f64 {
    let mut waits = latencies(run, 0.0);
    waits.sort_by(f64::total_cmp);
    waits[waits.len() * 99 / 100]
}

fn completeness(run: &RunRecord) -> f64 {
    let record = run.metrics.iter().find(|record| record.name == "completeness").expect("a metric");
    mean(&record.samples.iter().map(|sample| sample.2 / 1000.0).collect::<Vec<f64>>())
}

#[test]
fn an_answer_without_the_slow_shard_comes_at_the_deadline() {
    let whole = search("policy = \"patient\"", "");
    assert!(p99(&whole) > 0.9, "the slow shard sets the tail: {}", p99(&whole));
    let part = search("policy = \"brief\", optional = true", "");
    assert!((p99(&part) - 0.051).abs() < 1e-6, "{}", p99(&part));
    assert!((completeness(&part) - 0.875).abs() < 1e-9, "{}", completeness(&part));
    // Late enough that all come: the slow one takes 0.5 s to 1 s.
    let patient = search("policy = \"patient\", optional = true", "");
    assert!((completeness(&patient) - 1.0).abs() < 1e-9);
}

#[test]
fn a_list_that_breaks_off_half_way_counts_as_half() {
    let half = search("policy = \"patient\", optional = true", "partial = 0.03");
    // A share of 0.03 of the parts lacks its half: 24,000 draws, sd 0.00055 of the whole.
    assert!((completeness(&half) - 0.985).abs() < 0.0022, "{}", completeness(&half));
}
