//! Finished runs compared after the fact, and what the page shows of a sweep.

mod sample;

use murphy_reports::{
    Batch, BatchBuilder, MetricKind, MetricRecord, PairingError, RunRecord, RunSummary, page, pairings,
};

/// The page of one run.
fn page_of(record: &RunRecord) -> String {
    let mut builder = BatchBuilder::new(sample::info());
    builder.add(RunSummary::of(record));
    page(&builder.finish(Vec::new()))
}

/// Runs at a point: a load, a policy, and a label that follows from the policy. Policy `b` answers every
/// request that `a` answers, and so many more.
fn run(load: &str, policy: &str, seed: u64, fails: usize) -> RunRecord {
    let mut run = sample::record(seed);
    run.point = [("load", load), ("policy", policy), ("label", &format!("x-{policy}"))]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    // The last ones: the first are in the warm-up.
    for request in run.requests.iter_mut().rev().take(fails) {
        request.outcome = murphy_reports::Outcome::Failed;
    }
    run
}

fn sweep() -> Batch {
    let mut builder = BatchBuilder::new(sample::info());
    for load in ["10/s", "20/s"] {
        for (policy, fails) in [("a", 40), ("b", 20)] {
            for seed in 1..=6 {
                builder.add(RunSummary::of(&run(load, policy, seed, fails + usize::try_from(seed).unwrap())));
            }
        }
    }
    builder.finish(Vec::new())
}

#[test]
fn points_are_paired_by_seed_and_axes_in_lockstep_are_one() {
    let batch = sweep();
    let compared = pairings(&batch, Some("policy"), None).expect("two policies");
    let goodput: Vec<_> = compared.iter().filter(|one| one.metric == "availability").collect();
    assert_eq!(goodput.len(), 2, "one for each load");
    for one in goodput {
        assert_eq!((one.base.as_str(), one.point.len(), one.arms.len()), ("a", 1, 1));
        let arm = &one.arms[0];
        assert_eq!((arm.value.as_str(), arm.pairs, arm.verdict.as_str()), ("b", 6, "better"));
    }
    let turned = pairings(&batch, None, Some("b")).expect("the base names its axis");
    assert!(
        turned.iter().filter(|one| one.metric == "availability").all(|one| one.arms[0].verdict == "worse")
    );
}

#[test]
fn what_is_not_there_is_named() {
    let batch = sweep();
    let wrong = pairings(&batch, Some("polcy"), None).expect_err("no such axis").to_string();
    assert_eq!(wrong, "no axis is called `polcy`; the axes are load, policy, label");
    let wrong = pairings(&batch, Some("policy"), Some("c")).expect_err("no such value").to_string();
    assert_eq!(wrong, "no axis has the value `c`; the values are a, b");
    assert!(pairings(&sample::sweep(), None, None).is_ok_and(|compared| !compared.is_empty()));
    assert_eq!(pairings(&sample::batch(1..=3), None, None), Err(PairingError::OnePoint));
}

#[test]
fn states_of_breakers_are_lanes_of_the_page() {
    let mut record = sample::record(1);
    assert!(!page_of(&record).contains("Circuit breakers"));
    let second = 1_000_000_000;
    record.metrics.push(MetricRecord {
        name: "breaker_state".to_owned(),
        unit: "1".to_owned(),
        kind: MetricKind::Gauge,
        samples: vec![
            (10 * second, 0, 2.0),
            (15 * second, 0, 1.0),
            (16 * second, 0, 2.0),
            (21 * second, 0, 0.0),
        ],
    });
    let html = page_of(&record);
    for words in ["Circuit breakers", "open 2 times", "half open once", "10.000 s", "15.000 s", "21.000 s"] {
        assert!(html.contains(words), "{words}");
    }
}
