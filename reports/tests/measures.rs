//! Every measure of one run against answers counted by hand.

mod common;

use common::{MS, S, empty, eventful, fault, mark, probes_except, request};
use murphy_reports::{
    Elapsed, End, Incident, MarkKind, Outcome, Reliability, RequestClass, RequestCounts, RequestFilter,
    RunRecord, RunSummary, Service, WindowSet, after, all, classify, during, explicit, fault_span, incidents,
    latency, measured, series, steady, warmup,
};

fn set(windows: &[(u64, u64)]) -> WindowSet {
    WindowSet::from(windows.iter().map(|&(start, end)| (start * S, end * S)).collect::<Vec<_>>())
}

fn outages(run: &RunRecord) -> Vec<(u64, u64)> {
    Service::of(run).outages().expect("the run has probes").as_slice().to_vec()
}

#[test]
fn a_request_is_good_within_its_deadline_from_arrival() {
    let run = empty();
    let cases = [
        (10 * S, Some(11 * S), Outcome::Ok, RequestClass::Good),
        (10 * S, Some(11 * S + 1), Outcome::Ok, RequestClass::Late),
        (10 * S, Some(10 * S), Outcome::Ok, RequestClass::Good),
        (10 * S, Some(10 * S), Outcome::Timeout, RequestClass::Timeout),
        (10 * S, Some(10 * S), Outcome::Rejected, RequestClass::Rejected),
        (10 * S, Some(10 * S), Outcome::Failed, RequestClass::Failed),
        (10 * S, Some(10 * S), Outcome::Wrong, RequestClass::Wrong),
        (10 * S, None, Outcome::ClientDown, RequestClass::ClientDown),
        (10 * S, None, Outcome::Pending, RequestClass::Unresolved),
        // The run ends at 60 s: a deadline before that has passed, one at the end or later has not.
        (59 * S - 1, None, Outcome::Pending, RequestClass::Unresolved),
        (59 * S, None, Outcome::Pending, RequestClass::Censored),
        (60 * S - 1, None, Outcome::Pending, RequestClass::Censored),
    ];
    for (arrived, done, outcome, expected) in cases {
        assert_eq!(
            classify(&run, &request(0, arrived, done, outcome)),
            expected,
            "{arrived} {done:?} {outcome:?}"
        );
    }
    // An abort at 30 s is the end of the run.
    let mut aborted = empty();
    aborted.end = End::Aborted { property: "kv.agreement".to_owned(), at_ns: 30 * S };
    let late = request(0, 29 * S + 500 * MS, None, Outcome::Pending);
    assert_eq!(classify(&aborted, &late), RequestClass::Censored);
}

#[test]
fn requests_belong_to_the_window_in_which_they_arrived() {
    let mut run = empty();
    run.requests = vec![
        request(0, 9 * S, Some(9 * S + 1), Outcome::Ok),
        request(0, 10 * S, Some(30 * S), Outcome::Ok),
        request(1, 19 * S, Some(20 * S), Outcome::Ok),
        request(0, 20 * S, Some(20 * S), Outcome::Ok),
        request(0, 60 * S - 1, None, Outcome::Pending),
    ];
    let counts = RequestCounts::of(&run, &set(&[(10, 20)]), RequestFilter::default());
    assert_eq!((counts.good, counts.late, counts.offered()), (1, 1, 2));
    assert_eq!(counts.availability(), Some(0.5));
    let gets = RequestFilter { workload: Some("kv"), op: Some("get") };
    assert_eq!(RequestCounts::of(&run, &all(&run), gets).offered(), 1);
    let none = RequestFilter { workload: Some("other"), op: None };
    assert_eq!(RequestCounts::of(&run, &all(&run), none).availability(), None);
    // What is censored is offered, and neither good nor bad.
    let end = RequestCounts::of(&run, &set(&[(50, 60)]), RequestFilter::default());
    assert_eq!((end.offered(), end.resolved(), end.availability()), (1, 0, None));
}

#[test]
fn latency_counts_from_arrival_and_only_for_replies() {
    let mut run = empty();
    run.requests = vec![
        request(0, 10 * S, Some(10 * S + 8 * MS), Outcome::Ok),
        request(0, 11 * S, Some(14 * S), Outcome::Ok),
        request(0, 12 * S, Some(12 * S), Outcome::Rejected),
        request(0, 13 * S, None, Outcome::Pending),
    ];
    let latency = latency(&run, &all(&run), RequestFilter::default());
    assert_eq!((latency.count(), latency.min_ns(), latency.max_ns()), (2, Some(8 * MS), Some(3 * S)));
}

#[test]
fn an_outage_is_a_gap_of_more_than_a_second() {
    let mut run = empty();
    assert_eq!(Service::of(&run).outages(), None, "no probes, no knowledge");
    run.probes = probes_except(&run, &[]);
    assert_eq!(outages(&run), []);
    // Nine probes missing: from 9.91 s to 10.91 s, exactly a second.
    run.probes = probes_except(&run, &[(10 * S, 10 * S + 900 * MS)]);
    assert_eq!(outages(&run), []);
    run.probes = probes_except(&run, &[(10 * S, 11 * S)]);
    assert_eq!(outages(&run), [(9_910 * MS, 11_010 * MS)]);
    // A reply after the deadline does not end an outage, and a good one counts when it came.
    run.probes = probes_except(&run, &[(10 * S, 13 * S)]);
    run.probes.push(request(0, 11 * S, Some(12 * S + 500 * MS), Outcome::Ok));
    run.probes.push(request(0, 11 * S, Some(12 * S), Outcome::Ok));
    // A single good probe between two gaps leaves no good time: it stays one outage.
    assert_eq!(outages(&run), [(9_910 * MS, 13_010 * MS)]);
}

#[test]
fn outages_at_the_edges_of_the_run() {
    let mut run = empty();
    run.probes = probes_except(&run, &[(0, 2 * S)]);
    assert_eq!(outages(&run), [(0, 2_010 * MS)], "the start counts as good");
    run.probes = probes_except(&run, &[(0, 60 * S)]);
    assert_eq!(outages(&run), [(0, 60 * S)], "never up");
    run.probes = probes_except(&run, &[(59 * S, 60 * S)]);
    assert_eq!(outages(&run), [(58_910 * MS, 60 * S)], "open at the end");
    assert!(Service::of(&run).ends_down());
    run.probes = probes_except(&run, &[(59 * S + 100 * MS, 60 * S)]);
    assert_eq!(outages(&run), [], "0.99 s before the end may still be well");
    run.probes = probes_except(&run, &[(25 * S, 60 * S)]);
    run.end = End::Limit { limit: "events".to_owned(), at_ns: 30 * S };
    assert_eq!(outages(&run), [(24_910 * MS, 30 * S)], "clipped to the real end");
}

#[test]
fn the_service_is_down_when_any_workload_is() {
    let mut run = empty();
    let mut second = run.workloads[0].clone();
    second.name = "batch".to_owned();
    run.workloads.push(second);
    run.probes = probes_except(&run, &[(10 * S, 15 * S)]);
    let others = probes_except(&run, &[(12 * S, 20 * S)]).into_iter();
    run.probes.extend(others.map(|probe| murphy_reports::Request { workload: 1, ..probe }));
    assert_eq!(outages(&run), [(9_910 * MS, 20_010 * MS)]);
    let service = Service::of(&run);
    assert_eq!(service.availability(&set(&[(15, 25)])), Some(1.0 - 5.01 / 10.0));
    assert_eq!(service.availability(&WindowSet::default()), None);
}

/// Down windows and a fault's start and end in ms; its mitigation and its recovery.
type RecoveryCase = (&'static [(u64, u64)], (u64, Option<u64>), Option<Elapsed>, Option<Elapsed>);

#[test]
fn mitigation_and_recovery() {
    let after = |ns| Some(Elapsed::After { ns });
    let cases: [RecoveryCase; 10] = [
        // Harmless.
        (&[], (20_000, Some(30_000)), after(0), after(0)),
        // Failed over during the fault: mitigated, and good at its end.
        (&[(20_000, 23_000)], (20_000, Some(30_000)), after(3_010 * MS), after(0)),
        // Down until after the end.
        (&[(20_000, 32_000)], (20_000, Some(30_000)), after(12_010 * MS), after(2_010 * MS)),
        // Half a second of service between two outages is not yet good.
        (&[(20_000, 22_000), (22_600, 24_000)], (20_000, Some(21_000)), after(4_010 * MS), after(3_010 * MS)),
        // Exactly a second is.
        (&[(20_000, 22_000), (23_100, 25_000)], (20_000, Some(21_000)), after(2_010 * MS), after(1_010 * MS)),
        // A collapse that starts late: mitigated at once by the letter, but not recovered.
        (&[(25_000, 33_000)], (20_000, Some(30_000)), after(0), after(3_010 * MS)),
        // Never again.
        (&[(20_000, 60_000)], (20_000, Some(30_000)), Some(Elapsed::Never), Some(Elapsed::Never)),
        // A permanent fault counts from its start, twice.
        (&[(20_000, 23_000)], (20_000, None), after(3_010 * MS), after(3_010 * MS)),
        // The run ends too soon to see a second of service.
        (&[(20_000, 59_500)], (20_000, Some(30_000)), Some(Elapsed::TooShort), Some(Elapsed::TooShort)),
        // A fault that outlasts the run has no end to recover from.
        (&[], (20_000, Some(70_000)), after(0), Some(Elapsed::TooShort)),
    ];
    for (down, (start, end), mitigation, recovery) in cases {
        let mut run = empty();
        run.probes =
            probes_except(&run, &down.iter().map(|&(from, to)| (from * MS, to * MS)).collect::<Vec<_>>());
        run.faults = vec![fault("f", start * MS, end.map(|end| end * MS))];
        let service = Service::of(&run);
        assert_eq!(service.mitigation(&run, "f"), mitigation, "mitigation of {down:?}");
        assert_eq!(service.recovery(&run, "f"), recovery, "recovery of {down:?}");
        assert_eq!(service.recovery(&run, "no such fault"), None);
    }
    let mut run = empty();
    run.faults = vec![fault("f", 20 * S, None)];
    assert_eq!(Service::of(&run).mitigation(&run, "f"), None, "no probes, no sample");
    assert_eq!(Elapsed::Never.as_ns(), Some(f64::INFINITY));
    assert_eq!(Elapsed::TooShort.as_ns(), None);
}

#[test]
fn windows_by_name() {
    let mut run = empty();
    run.faults = vec![
        fault("a", 10 * S, Some(20 * S)),
        fault("b", 15 * S, Some(25 * S)),
        fault("c", 40 * S, Some(45 * S)),
        fault("d", 50 * S, None),
    ];
    assert_eq!(warmup(&run), set(&[(0, 5)]));
    assert_eq!(all(&run), set(&[(0, 60)]));
    assert_eq!(measured(&run), set(&[(5, 60)]));
    assert_eq!(explicit(&run, 55 * S, 90 * S), set(&[(55, 60)]));
    assert_eq!(during(&run, "a"), set(&[(10, 20)]));
    assert_eq!(during(&run, "d"), set(&[(50, 60)]));
    // `b` already runs when `a` ends: the next fault is `c`.
    assert_eq!(after(&run, "a", 2 * S), set(&[(22, 40)]));
    assert_eq!(after(&run, "c", 0), set(&[(45, 50)]));
    assert!(after(&run, "c", 6 * S).is_empty(), "the next fault came first");
    assert!(after(&run, "d", 0).is_empty(), "a permanent fault has no after");
    assert!(after(&run, "e", 0).is_empty() && during(&run, "e").is_empty());
    run.faults[3].start_ns = 45 * S;
    assert!(after(&run, "c", 0).is_empty(), "the next fault starts as this one ends");
    run.faults.push(fault("a", 30 * S, Some(31 * S)));
    assert_eq!(during(&run, "a"), set(&[(10, 20), (30, 31)]));
    assert_eq!(fault_span(&run, "a"), Some((10 * S, Some(31 * S))));
    run.end = End::Limit { limit: "events".to_owned(), at_ns: 12 * S };
    assert_eq!(during(&run, "a"), set(&[(10, 12)]));
}

#[test]
fn steady_leaves_out_faults_and_recoveries() {
    let check = |faults: &[(u64, Option<u64>)], down: &[(u64, u64)], expected: &[(u64, u64)], why: &str| {
        let mut run = empty();
        run.probes =
            probes_except(&run, &down.iter().map(|&(from, to)| (from * S, to * S)).collect::<Vec<_>>());
        run.faults =
            faults.iter().map(|&(start, end)| fault("f", start * S, end.map(|end| end * S))).collect();
        let expected = WindowSet::from(expected.iter().map(|&(a, b)| (a * MS, b * MS)).collect::<Vec<_>>());
        assert_eq!(steady(&run, &Service::of(&run)), expected, "{why}");
    };
    check(&[], &[(20, 30)], &[(5_000, 60_000)], "an outage without a fault is steady");
    check(&[(10, Some(20))], &[], &[(5_000, 10_000), (20_000, 60_000)], "a harmless fault");
    check(&[(10, Some(20))], &[(10, 25)], &[(5_000, 10_000), (25_010, 60_000)], "its recovery");
    check(
        &[(10, Some(20)), (15, Some(30))],
        &[(10, 32)],
        &[(5_000, 10_000), (32_010, 60_000)],
        "overlapping faults share their recovery",
    );
    check(
        &[(10, Some(20)), (22, Some(30))],
        &[(10, 26)],
        &[(5_000, 10_000), (30_000, 60_000)],
        "a fault during the recovery of another",
    );
    check(
        &[(10, Some(20))],
        &[(10, 60)],
        &[(5_000, 10_000), (20_000, 60_000)],
        "what never recovers is steady",
    );
    check(&[(10, None)], &[(10, 25)], &[(5_000, 10_000), (25_010, 60_000)], "a permanent fault");
    check(&[(10, None)], &[(10, 60)], &[(5_000, 60_000)], "a permanent fault that breaks it for good");
    check(&[(0, Some(3))], &[(0, 7)], &[(7_010, 60_000)], "recovery across the warm-up");
}

#[test]
fn what_happens_in_an_incident() {
    let run = eventful(1);
    let service = Service::of(&run);
    let found = incidents(&run, &service);
    let expected = Incident {
        start_ns: 19_910 * MS,
        causes: vec!["crash-primary".to_owned()],
        detected_ns: Some(21 * S),
        mitigated_ns: Some(23_210 * MS),
        recovered_ns: Some(42 * S),
    };
    assert_eq!(found, [expected]);
    assert_eq!(found[0].detect_ns(), Some(1_090 * MS));
    let total = Reliability::of(&run, &service, &found).unwrap();
    assert_eq!((total.failures, total.repairs, total.detections), (1, 1, 1));
    assert_eq!((total.observed_ns, total.down_ns), (55 * S, 3_300 * MS));
    assert_eq!(total.mttr_ns(), Some(3.3e9));
    assert_eq!(total.mttf_ns(), Some(51.7e9));
    assert_eq!(total.mtbf_ns(), Some(55e9), "MTTF + MTTR");
    assert_eq!(total.mttd_ns(), Some(1.09e9));
}

#[test]
fn incidents_that_do_not_end_well() {
    use MarkKind::{Behind, CaughtUp, Crash, Restart};
    let check = |marks: &[(u64, u32, MarkKind)], recovered: Option<u64>, why: &str| {
        let mut run = eventful(1);
        run.marks = marks.iter().map(|&(at, node, kind)| mark(at * S, node, kind)).collect();
        let found = incidents(&run, &Service::of(&run));
        assert_eq!(found[0].recovered_ns, recovered.map(|at| at * S), "{why}");
    };
    check(&[(20, 0, Crash), (40, 0, Restart)], Some(40), "a restart without fetching state");
    check(&[(20, 0, Crash), (40, 0, Restart), (44, 0, CaughtUp)], Some(44), "caught up after the restart");
    check(
        &[(20, 0, Crash), (40, 0, Restart), (50, 0, Behind), (51, 0, CaughtUp)],
        Some(40),
        "behind later again",
    );
    check(&[(20, 0, Behind)], None, "a correct node that never catches up");
    check(
        &[(20, 0, Behind), (24, 1, Behind), (30, 0, CaughtUp), (31, 1, CaughtUp)],
        Some(31),
        "all correct nodes",
    );
    let gone = incidents_with(&[(20, 0, Crash)]);
    assert_eq!(gone.recovered_ns, gone.mitigated_ns, "nobody waits for a node that is gone");
    assert_eq!(gone.detected_ns, None, "nobody noticed");

    let mut run = eventful(1);
    run.probes = probes_except(&run, &[(20 * S, 60 * S)]);
    run.marks = vec![mark(60 * S - 1, 1, MarkKind::Suspect)];
    let found = incidents(&run, &Service::of(&run));
    assert_eq!((found[0].mitigated_ns, found[0].recovered_ns), (None, None));
    assert_eq!(found[0].detected_ns, Some(60 * S - 1));
    let total = Reliability::of(&run, &Service::of(&run), &found).unwrap();
    assert_eq!((total.mttr_ns(), total.mtbf_ns()), (None, None), "no repair was seen");
    assert_eq!(total.down_ns, 40_090 * MS, "an open outage counts as far as it was seen");
}

fn incidents_with(marks: &[(u64, u32, MarkKind)]) -> Incident {
    let mut run = eventful(1);
    run.marks = marks.iter().map(|&(at, node, kind)| mark(at * S, node, kind)).collect();
    incidents(&run, &Service::of(&run)).remove(0)
}

#[test]
fn causes_are_faults_around_the_start() {
    let mut run = empty();
    run.probes = probes_except(&run, &[(20 * S, 25 * S)]);
    run.faults = vec![
        fault("long-before", 5 * S, Some(14 * S)),
        fault("just-before", 10 * S, Some(15 * S)),
        fault("active", 18 * S, None),
        fault("within-the-gap", 20 * S + 500 * MS, Some(21 * S)),
        fault("after", 22 * S, Some(23 * S)),
    ];
    let found = incidents(&run, &Service::of(&run));
    assert_eq!(found[0].causes, ["just-before", "active", "within-the-gap"]);
}

#[test]
fn a_run_without_requests_has_no_samples() {
    let summary = RunSummary::of(&empty());
    assert_eq!(summary.availability_by_requests(), None);
    assert_eq!(summary.availability_by_time(), None);
    assert_eq!(summary.latency.p99_ns, None);
    assert_eq!(summary.latency.count, 0);
    assert_eq!(summary.reliability, None);
}

#[test]
fn the_series_adds_up() {
    let run = eventful(1);
    let rows = series(&run, &Service::of(&run));
    let at = |t: u64, metric: &str, labels: &str| {
        let row = rows.iter().find(|row| row.t_s == t && row.metric == metric && row.labels == labels);
        row.map(|row| row.value)
    };
    assert_eq!(at(10, "offered_per_s", "workload=kv"), Some(10.0));
    assert_eq!(at(10, "goodput_per_s", "workload=kv"), Some(10.0));
    assert_eq!(at(20, "bad_per_s", "workload=kv,class=late"), Some(10.0));
    assert_eq!(at(22, "bad_per_s", "workload=kv,class=timeout"), Some(10.0));
    assert_eq!(at(22, "availability_by_requests", "workload=kv"), Some(0.0));
    assert_eq!(at(22, "latency_ms_p50", "workload=kv"), None, "no reply, no latency");
    assert_eq!(at(20, "latency_ms_p50", "workload=kv"), Some(1_500.0));
    assert_eq!(at(19, "availability_by_time", ""), Some(0.91));
    assert_eq!(at(22, "availability_by_time", ""), Some(0.0));
    assert_eq!(at(21, "retries", ""), Some(2.0));
    assert_eq!(at(21, "queue_wait_ns_mean", ""), Some(5e6));
    assert_eq!(at(59, "offered_per_s", "workload=kv"), Some(10.0));
    assert_eq!(at(60, "offered_per_s", "workload=kv"), None);
}

mod sets {
    use super::WindowSet;

    fn bits(set: &WindowSet) -> Vec<bool> {
        (0..64).map(|at| set.contains(at)).collect()
    }

    proptest::proptest! {
        #[test]
        fn agree_with_sets_of_instants(
            left in proptest::collection::vec((0u64..64, 0u64..64), 0..8),
            right in proptest::collection::vec((0u64..64, 0u64..64), 0..8),
        ) {
            let (a, b) = (WindowSet::from(left), WindowSet::from(right));
            let both = bits(&a).into_iter().zip(bits(&b));
            let check = |set: &WindowSet, expected: Vec<bool>| {
                assert_eq!(bits(set), expected);
                assert_eq!(set.length_ns(), expected.iter().filter(|&&inside| inside).count() as u64);
                assert!(set.as_slice().windows(2).all(|pair| pair[0].1 < pair[1].0), "sorted and joined");
            };
            check(&a.union(&b), both.clone().map(|(a, b)| a || b).collect());
            check(&a.intersect(&b), both.clone().map(|(a, b)| a && b).collect());
            check(&a.subtract(&b), both.map(|(a, b)| a && !b).collect());
        }
    }
}
