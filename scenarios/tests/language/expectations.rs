//! Expectations judged by made-up runs.

use std::collections::BTreeMap;

use murphy_reports::{
    End, ExpectationSummary, FaultRecord, Judgement, MetricKind, MetricRecord, Outcome, Over, PropertyRecord,
    Request, RunRecord, Verdict, WorkloadInfo,
};
use murphy_scenarios::expect::evaluate;

use crate::fixture::{SMALL, scenario};

const S: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

fn property(name: &str, verdict: Verdict, checked: u64) -> PropertyRecord {
    PropertyRecord { name: name.to_owned(), verdict, checked }
}

/// Sixty seconds: a request and a probe every 100 ms, answered in 10 ms; in `cut` (20 s to 30 s) none is
/// answered, and afterwards only from 32 s on. Every 10th request is a put that takes 50 ms.
fn run() -> RunRecord {
    let down = |at: u64| (20 * S..32 * S).contains(&at);
    let request = |index: u64| {
        let arrived_ns = index * 100 * MS;
        let op = u16::from(!index.is_multiple_of(10));
        let took = if op == 0 { 50 * MS } else { 10 * MS };
        let lost = down(arrived_ns);
        Request {
            workload: 0,
            op,
            client: 4,
            arrived_ns,
            done_ns: Some(if lost { arrived_ns + 2 * S } else { arrived_ns + took }),
            outcome: if lost { Outcome::Timeout } else { Outcome::Ok },
        }
    };
    let requests: Vec<Request> = (0..600).map(request).collect();
    let names = ["r0", "r1", "r2", "r3", "client0", "client1"];
    let metric = |name: &str, unit: &str, kind, samples: &[(u64, u32, f64)]| MetricRecord {
        name: name.to_owned(),
        unit: unit.to_owned(),
        kind,
        samples: samples.to_vec(),
    };
    RunRecord {
        scenario: "small".to_owned(),
        point: Vec::new(),
        seed: 1,
        duration_ns: 60 * S,
        warmup_ns: 0,
        end: End::Finished,
        trace_hash: 0,
        prefixes: Vec::new(),
        node_hashes: names.iter().map(|name| ((*name).to_owned(), 0)).collect(),
        events: 0,
        messages: Vec::new(),
        workloads: vec![WorkloadInfo {
            name: "kv".to_owned(),
            deadline_ns: 2 * S,
            ops: vec!["put".to_owned(), "get".to_owned()],
        }],
        probes: requests.iter().map(|probe| Request { op: 0, ..*probe }).collect(),
        requests,
        marks: Vec::new(),
        faults: vec![FaultRecord {
            name: "cut".to_owned(),
            kind: "partition".to_owned(),
            target: "r0".to_owned(),
            start_ns: 20 * S,
            end_ns: Some(30 * S),
            persistence: murphy_reports::Persistence::Transient,
            cause: String::new(),
            origin: String::new(),
            hits: BTreeMap::new(),
        }],
        properties: vec![
            property("pbft.agreement", Verdict::Held, 100),
            property("linearizable(kv)", Verdict::Unknown { message: "gave up".to_owned() }, 1),
            property("pbft.progress", Verdict::Held, 0),
            property("pbft.view_change", Verdict::Unknown { message: "never seen".to_owned() }, 0),
        ],
        structures: Vec::new(),
        slos: Vec::new(),
        metrics: vec![
            metric("view_changes", "count", MetricKind::Counter, &[(21 * S, 1, 1.0), (25 * S, 2, 2.0)]),
            metric("commit_time", "ns", MetricKind::Distribution, &[(S, 0, 4e6), (2 * S, 0, 8e6)]),
            metric("log_size", "B", MetricKind::Gauge, &[(0, 0, 100.0), (15 * S, 0, 300.0)]),
        ],
    }
}

fn judge(that: &str, run: &RunRecord) -> (Judgement, String, String) {
    let fault =
        "[[fault]]\nname = \"cut\"\nkind = \"partition\"\nat = \"20s\"\nfor = \"10s\"\nisolate = \"r0\"\n";
    let s = scenario(&format!("{SMALL}\n{fault}\n[[expect]]\nthat = \"{that}\"\n"), &[]);
    let result = evaluate(&s.expectations[0], run);
    assert_eq!((result.text.as_str(), result.file.as_str(), result.line), (that, "test.toml", 30));
    (result.verdict, result.observed, result.limit)
}

#[test]
fn figures_are_judged() {
    use Judgement::{Fail, Inconclusive, Pass};
    let run = run();
    for (that, verdict, observed) in [
        ("availability == 80%", Pass, "80%"),
        ("availability >= 99.9% in steady", Pass, "100%"),
        ("availability > 0% in during(cut)", Fail, "0%"),
        ("error_rate == 0.2 in all", Pass, "0.2"),
        ("goodput == 80% * offered", Pass, "8/s"),
        ("goodput >= 95% * offered in after(cut, 2s)", Pass, "10/s"),
        ("goodput >= 95% * offered in after(cut)", Fail, "9.33333/s"),
        ("offered == 10/s in 10s..20s", Pass, "10/s"),
        ("offered{op='put'} == 60/min", Pass, "1/s"),
        ("count(offered) == 600", Pass, "600"),
        ("p99(latency{op='get'}) < 20ms in steady", Pass, "10 ms"),
        ("max(latency) < 20ms in steady", Fail, "50 ms"),
        ("count(latency{op='put'}) == 48", Pass, "48"),
        ("mitigation(cut) < 2s", Fail, "12"),
        ("recovery(cut) < 2s", Fail, "2"),
        ("recovery(cut) - 1s < 2s", Pass, "1"),
        ("p50(latency) < 1s in during(cut)", Inconclusive, "no replies"),
        ("availability > 1% in warmup", Inconclusive, "no time"),
        ("view_changes == 3", Pass, "3"),
        ("view_changes{node='r1'} == 1", Pass, "1"),
        ("rate(view_changes) == 0.3/s in during(cut)", Pass, "0.3/s"),
        ("mean(commit_time) == 6ms", Pass, "6"),
        ("mean(commit_time) == 6ms in during(cut)", Inconclusive, "no samples"),
        ("mean(log_size) == 250B", Pass, "250 B"),
        ("max(log_size) == 100B in 0s..15s", Pass, "100 B"),
        ("uptime > 50%", Pass, "7"),
        ("rate(latency) * 10s > 70", Pass, "80"),
    ] {
        let (found, text, limit) = judge(that, &run);
        assert_eq!(found, verdict, "{that}: {text} against {limit}");
        assert!(text.starts_with(observed), "{that}: {text:?} must start with {observed:?}");
    }
}

#[test]
fn properties_are_judged() {
    use Judgement::{Fail, Inconclusive, Pass};
    let mut run = run();
    for (that, verdict) in [
        ("always(pbft.agreement)", Pass),
        ("linearizable(kv)", Inconclusive),
        ("eventually(pbft.progress, 5s)", Inconclusive),
        ("eventually(pbft.view_change)", Fail),
        ("never(pbft.view_change)", Pass),
    ] {
        assert_eq!(judge(that, &run).0, verdict, "{that}");
    }
    run.properties[3] = property("pbft.view_change", Verdict::Held, 2);
    assert_eq!(judge("never(pbft.view_change)", &run).0, Fail);
    assert_eq!(judge("eventually(pbft.view_change)", &run).0, Pass);
    let message = "r1 and r3 differ".to_owned();
    run.properties[0].verdict = Verdict::Violated { at_ns: 5 * S, event: 9, message };
    let (verdict, observed, _) = judge("always(pbft.agreement)", &run);
    assert_eq!((verdict, observed.as_str()), (Fail, "violated at 5.000s: r1 and r3 differ"));
    run.properties.clear();
    assert_eq!(judge("always(pbft.agreement)", &run).0, Inconclusive, "nobody judged");
}

#[test]
fn a_run_that_was_cut_short_proves_nothing_good() {
    let mut run = run();
    run.end = End::Limit { limit: "events".to_owned(), at_ns: 50 * S };
    for that in ["always(pbft.agreement)", "never(pbft.view_change)", "availability > 1%"] {
        let (verdict, observed, _) = judge(that, &run);
        assert_eq!(verdict, Judgement::Inconclusive, "{that}");
        assert!(observed.contains("limit of events"), "{that}: {observed}");
    }
}

#[test]
fn a_share_of_the_seeds_is_enough() {
    let text = format!("{SMALL}\n[[expect]]\nthat = \"availability > 50%\"\nover = \"95% of seeds\"\n");
    let expectation = &scenario(&text, &[]).expectations[0];
    assert_eq!(expectation.over, Over::SharePpm(950_000));
    let good = evaluate(expectation, &run());
    let mut bad = run();
    bad.requests.iter_mut().for_each(|request| request.outcome = Outcome::Failed);
    let bad = evaluate(expectation, &bad);
    for (failing, verdict) in [(0, Judgement::Pass), (1, Judgement::Pass), (2, Judgement::Fail)] {
        let mut summary = ExpectationSummary::new(&good, &[], expectation.over);
        for seed in 0..20 {
            summary.add(seed, if seed < failing { &bad } else { &good });
        }
        assert_eq!(summary.verdict, verdict, "{failing} of 20 seeds fail");
    }
}
