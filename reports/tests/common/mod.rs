//! Runs built by hand, with answers that can be counted on fingers.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;

use murphy_reports::{
    End, FaultRecord, Mark, MarkKind, MessageCount, MetricKind, MetricRecord, Outcome, PropertyRecord,
    Request, RunRecord, Verdict, WorkloadInfo,
};

/// One millisecond in nanoseconds.
pub(crate) const MS: u64 = 1_000_000;
/// One second in nanoseconds.
pub(crate) const S: u64 = 1_000 * MS;

/// A run of 60 s with a warm-up of 5 s, one workload (deadline 1 s) and nothing in it.
pub(crate) fn empty() -> RunRecord {
    RunRecord {
        scenario: "hand-built".to_owned(),
        point: Vec::new(),
        seed: 1,
        duration_ns: 60 * S,
        warmup_ns: 5 * S,
        end: End::Finished,
        trace_hash: 0x0123_4567_89ab_cdef,
        prefixes: Vec::new(),
        node_hashes: ["r0", "r1", "r2"].map(|name| (name.to_owned(), 7)).to_vec(),
        events: 18_233,
        messages: vec![MessageCount { kind: "prepare".to_owned(), count: 120, bytes: 12_000 }],
        workloads: vec![WorkloadInfo {
            name: "kv".to_owned(),
            deadline_ns: S,
            ops: vec!["put".to_owned(), "get".to_owned()],
        }],
        requests: Vec::new(),
        probes: Vec::new(),
        marks: Vec::new(),
        faults: Vec::new(),
        properties: Vec::new(),
        structures: Vec::new(),
        slos: Vec::new(),
        metrics: Vec::new(),
    }
}

/// A request of the first workload.
pub(crate) fn request(op: u16, arrived_ns: u64, done_ns: Option<u64>, outcome: Outcome) -> Request {
    Request { workload: 0, op, client: 0, arrived_ns, done_ns, outcome }
}

/// Probes every 100 ms, answered after 10 ms, except those that arrive within one of the windows.
pub(crate) fn probes_except(run: &RunRecord, down: &[(u64, u64)]) -> Vec<Request> {
    (0..run.duration_ns / (100 * MS))
        .map(|index| index * 100 * MS)
        .map(|at| {
            if down.iter().any(|&(start, end)| (start..end).contains(&at)) {
                request(0, at, Some((at + S).min(run.duration_ns)), Outcome::Timeout)
            } else {
                request(0, at, Some(at + 10 * MS), Outcome::Ok)
            }
        })
        .collect()
}

/// A fault by name.
pub(crate) fn fault(name: &str, start_ns: u64, end_ns: Option<u64>) -> FaultRecord {
    FaultRecord {
        name: name.to_owned(),
        kind: "crash".to_owned(),
        target: "r0".to_owned(),
        start_ns,
        end_ns,
        persistence: murphy_reports::Persistence::Transient,
        cause: String::new(),
        origin: String::new(),
        hits: BTreeMap::new(),
    }
}

/// A mark of a node.
pub(crate) fn mark(at_ns: u64, node: u32, kind: MarkKind) -> Mark {
    Mark { at_ns, node, kind, value: 0 }
}

/// A run with everything in it: an outage from a crash, bad requests of several kinds, an idle fault.
pub(crate) fn eventful(seed: u64) -> RunRecord {
    let mut run = empty();
    run.seed = seed;
    run.trace_hash ^= seed;
    let down_until = 23 * S + seed * 200 * MS;
    run.probes = probes_except(&run, &[(20 * S, down_until)]);
    run.requests = (0..600)
        .map(|index| (index % 2, index * 100 * MS))
        .map(|(op, at)| {
            let latency = (20 + at / S % 7 * 10 + seed) * MS;
            let op = u16::try_from(op).unwrap();
            match at {
                at if at < 20 * S || at >= down_until => request(op, at, Some(at + latency), Outcome::Ok),
                at if at < 21 * S => request(op, at, Some(at + 1_500 * MS), Outcome::Ok),
                at => request(op, at, Some(at + S), Outcome::Timeout),
            }
        })
        .collect();
    run.marks = vec![
        mark(20 * S, 0, MarkKind::Crash),
        mark(21 * S, 1, MarkKind::Suspect),
        mark(21 * S + 100 * MS, 1, MarkKind::ViewChange),
        mark(40 * S, 0, MarkKind::Restart),
        mark(40 * S + 50 * MS, 0, MarkKind::Behind),
        mark(42 * S, 0, MarkKind::CaughtUp),
    ];
    run.faults =
        vec![fault("crash-primary", 20 * S, Some(40 * S)), fault("cut-nobody", 50 * S, Some(52 * S))];
    run.faults[0].hits =
        BTreeMap::from([("nodes_crashed".to_owned(), 1), ("time_down_ns".to_owned(), 20 * S)]);
    run.properties = vec![
        PropertyRecord { name: "kv.agreement".to_owned(), verdict: Verdict::Held, checked: 812 },
        PropertyRecord { name: "kv.convergence".to_owned(), verdict: Verdict::Held, checked: 0 },
    ];
    run.metrics = vec![
        MetricRecord {
            name: "retries".to_owned(),
            unit: "count".to_owned(),
            kind: MetricKind::Counter,
            samples: vec![(S, 0, 1.0), (21 * S, 0, 2.0), (22 * S, 1, 3.0)],
        },
        MetricRecord {
            name: "queue_wait".to_owned(),
            unit: "ns".to_owned(),
            kind: MetricKind::Distribution,
            samples: vec![(21 * S, 0, 4e6), (21 * S + 1, 0, 6e6)],
        },
    ];
    run
}
