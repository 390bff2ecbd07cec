//! A hand-made run: 120 s, 24 000 requests, a partition with an outage of 1.5 s, a slow disk, a lossy link.

use std::collections::BTreeMap;

use murphy_reports::{
    Batch, BatchBuilder, BatchInfo, End, ExpectationResult, ExpectationSummary, FaultRecord, Judgement, Mark,
    MarkKind, MessageCount, MetricKind, MetricRecord, Outcome, Over, PropertyRecord, Request, RunRecord,
    RunSummary, Verdict, WorkloadInfo,
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Marsaglia's xorshift: numbers that look random, the same everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `bound`.
    fn below(&mut self, bound: u32) -> u32 {
        whole(self.next() * f64::from(bound)).try_into().unwrap_or(0)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
fn whole(value: f64) -> u64 {
    value as u64
}

/// When the service is down in the run of this seed.
fn outage(seed: u64) -> (u64, u64) {
    (40 * SECOND, 41 * SECOND + 500 * MS + (seed - 1) * 90 * MS)
}

fn request(seed: u64, at: u64, draw: &mut Draw) -> Request {
    let t = at as f64 / 1e9;
    let spread =
        0.75 + 0.5 * draw.next() + 1.6 * libm::pow(draw.next(), 9.0) + 4.0 * libm::pow(draw.next(), 60.0);
    let slow = match t {
        t if (41.5..55.0).contains(&t) => 2.4 + (t - 41.5) * 0.1,
        t if (55.0..58.0).contains(&t) => 2.0,
        t if (80.0..95.0).contains(&t) => 5.5,
        _ => 1.0,
    };
    let latency = whole(18.5 * spread * slow * MS as f64);
    let (down, up) = outage(seed);
    let (outcome, done) = match () {
        () if (down..up).contains(&at) => {
            if draw.next() < 0.3 {
                (Outcome::Rejected, Some(at + 2 * MS))
            } else {
                (Outcome::Timeout, Some(at + 1_000 * MS))
            }
        }
        () if (88.0..100.0).contains(&t) && draw.next() < 0.03 => (Outcome::Timeout, Some(at + 1_000 * MS)),
        () => (Outcome::Ok, Some(at + latency)),
    };
    let done = done.filter(|done| *done < 120 * SECOND);
    let outcome = if done.is_some() { outcome } else { Outcome::Pending };
    let client = 4 + draw.below(8);
    Request { workload: 0, op: u16::from(draw.next() < 0.3), client, arrived_ns: at, done_ns: done, outcome }
}

fn fault(
    name: &str,
    kind: &str,
    target: &str,
    span: (u64, Option<u64>),
    hits: &[(&str, u64)],
) -> FaultRecord {
    FaultRecord {
        name: name.to_owned(),
        kind: kind.to_owned(),
        target: target.to_owned(),
        start_ns: span.0 * SECOND,
        end_ns: span.1.map(|end| end * SECOND),
        persistence: murphy_reports::Persistence::Transient,
        cause: String::new(),
        origin: String::new(),
        hits: hits.iter().map(|&(name, count)| (name.to_owned(), count)).collect::<BTreeMap<_, _>>(),
    }
}

fn faults() -> Vec<FaultRecord> {
    let cut = [("messages_cut", 48_210), ("links_cut", 8)];
    let slowed = [("operations_slowed", 9_120), ("time_slowed_ns", 11_400 * MS)];
    vec![
        fault("split {r0,r1}|{r2,r3}", "partition", "{r0,r1} | {r2,r3}", (40, Some(55)), &cut),
        fault("r2 disk 10x slower", "disk-latency", "r2", (80, Some(95)), &slowed),
        fault("3% loss r1-r3", "loss", "r1-r3", (88, Some(100)), &[("messages_lost", 1_033)]),
        fault("clock jump r3", "clock-jump", "r3", (62, Some(64)), &[]),
    ]
}

fn marks(seed: u64) -> Vec<Mark> {
    let mark = |at_ms: u64, node, kind, value| Mark { at_ns: at_ms * MS, node, kind, value };
    let up = outage(seed).1 / MS;
    vec![
        mark(12, 0, MarkKind::Leader, 0),
        mark(40_420, 2, MarkKind::Suspect, 0),
        mark(40_600, 2, MarkKind::ViewChange, 1),
        mark(up - 20, 1, MarkKind::Leader, 1),
        mark(42_000, 2, MarkKind::Behind, 7_000),
        mark(57_900, 2, MarkKind::CaughtUp, 10_400),
        mark(70_000, 3, MarkKind::Crash, 0),
        mark(72_500, 3, MarkKind::Restart, 0),
    ]
}

fn properties(seed: u64) -> Vec<PropertyRecord> {
    let held =
        |name: &str, checked| PropertyRecord { name: name.to_owned(), verdict: Verdict::Held, checked };
    let broken = Verdict::Violated {
        at_ns: 41_203 * MS,
        event: 18_233,
        message: "r1 and r3 committed different values at seq 18".to_owned(),
    };
    let agreement = if seed == 13 { broken } else { Verdict::Held };
    vec![
        PropertyRecord { name: "pbft.agreement".to_owned(), verdict: agreement, checked: 48_210 },
        held("pbft.validity", 24_000),
        held("pbft.checkpoint-stable", 0),
    ]
}

/// The record of the run with this seed, from 1.
pub(crate) fn record(seed: u64) -> RunRecord {
    let mut draw = Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let requests = (0..24_000).map(|n| request(seed, n * 5 * MS, &mut draw)).collect();
    let (down, up) = outage(seed);
    let probe = |n: u64| {
        let at = n * 100 * MS;
        let bad = (down..up).contains(&at);
        let done_ns = Some(at + if bad { 1_000 } else { 15 } * MS).filter(|done| *done < 120 * SECOND);
        let outcome = match done_ns {
            None => Outcome::Pending,
            Some(_) if bad => Outcome::Timeout,
            Some(_) => Outcome::Ok,
        };
        Request { workload: 0, op: 0, client: 12, arrived_ns: at, done_ns, outcome }
    };
    let nodes =
        (0..4).map(|n| format!("r{n}")).chain((0..8).map(|n| format!("c{n}"))).chain(["probe".to_owned()]);
    let message =
        |kind: &str, count, size| MessageCount { kind: kind.to_owned(), count, bytes: count * size };
    RunRecord {
        scenario: "pbft-partition".to_owned(),
        point: Vec::new(),
        seed,
        duration_ns: 120 * SECOND,
        warmup_ns: 10 * SECOND,
        end: End::Finished,
        trace_hash: seed.wrapping_mul(0x9F1C_22E0_1234_5677),
        prefixes: Vec::new(),
        node_hashes: nodes.map(|name| (name, seed)).collect(),
        events: 1_204_551 + seed,
        messages: vec![
            message("request", 24_000, 180),
            message("pre-prepare", 72_000, 420),
            message("prepare", 216_000, 96),
            message("commit", 288_000, 96),
            message("reply", 96_000, 120),
            message("view-change", 12, 4_096),
        ],
        workloads: vec![WorkloadInfo {
            name: "clients".to_owned(),
            deadline_ns: 400 * MS,
            ops: vec!["put".to_owned(), "get".to_owned()],
        }],
        requests,
        probes: (0..1200).map(probe).collect(),
        marks: marks(seed),
        faults: faults(),
        properties: properties(seed),
        structures: Vec::new(),
        slos: Vec::new(),
        metrics: vec![MetricRecord {
            name: "queue_wait".to_owned(),
            unit: "ns".to_owned(),
            kind: MetricKind::Distribution,
            samples: (0..500).map(|n| (n * 200 * MS, 0, (n % 17) as f64 * 1e5)).collect(),
        }],
    }
}

fn expectation(text: &str, line: u32, seen: (&str, &str), verdict: Judgement) -> ExpectationResult {
    ExpectationResult {
        text: text.to_owned(),
        file: "scenarios/pbft-partition.toml".to_owned(),
        line,
        observed: seen.0.to_owned(),
        limit: seen.1.to_owned(),
        verdict,
    }
}

pub(crate) fn info() -> BatchInfo {
    BatchInfo {
        scenario: "pbft-partition".to_owned(),
        about: "Four replicas, cut in half for 15 seconds: nothing may be lost, and service must return".to_owned(),
        file: "scenarios/pbft-partition.toml".to_owned(),
        command: "murphy run scenarios/pbft-partition.toml --seed 1".to_owned(),
        engine: "0.1.0".to_owned(),
        run_id: "8f3a21c0".to_owned(),
        resolved: "schema = 1\nname = \"pbft-partition\"\nduration = \"120s\"\n\n[[fault]]\nname = \"split {r0,r1}|{r2,r3}\"\nkind = \"partition\"\n".to_owned(),
    }
}

/// A batch of runs with the expectations of the sample.
pub(crate) fn batch(seeds: std::ops::RangeInclusive<u64>) -> Batch {
    let mut builder = BatchBuilder::new(info());
    let rows = [
        expectation("availability >= 0.90 in all", 31, ("0.978", ">= 0.90"), Judgement::Pass),
        expectation("p99(latency) < 150ms in steady", 32, ("171 ms", "< 150 ms"), Judgement::Fail),
        expectation("never(pbft.agreement)", 33, ("0 of 48 210 checks", "none"), Judgement::Pass),
        expectation("mitigation('split {r0,r1}|{r2,r3}') < 2s", 34, ("1.52 s", "< 2 s"), Judgement::Pass),
    ];
    let over = [Over::EverySeed, Over::SharePpm(950_000), Over::EverySeed, Over::EverySeed];
    let mut expectations: Vec<ExpectationSummary> =
        rows.iter().zip(over).map(|(row, over)| ExpectationSummary::new(row, &[], over)).collect();
    for seed in seeds {
        builder.add(RunSummary::of(&record(seed)));
        for (summary, row) in expectations.iter_mut().zip(&rows) {
            summary.add(seed, row);
        }
    }
    builder.finish(expectations)
}

/// A sweep: two policies, six loads, two seeds each.
pub(crate) fn sweep() -> Batch {
    let mut builder = BatchBuilder::new(info());
    for (policy, worse) in [("budget", 0), ("naive", 4)] {
        for (step, load) in ["100/s", "200/s", "400/s", "600/s", "800/s", "900/s"].into_iter().enumerate() {
            for seed in 1..=2 {
                let mut record = record(seed + worse + step as u64);
                record.point =
                    vec![("policy".to_owned(), policy.to_owned()), ("load".to_owned(), load.to_owned())];
                record.seed = seed;
                builder.add(RunSummary::of(&record));
            }
        }
    }
    builder.finish(Vec::new())
}
