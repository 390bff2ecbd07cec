//! In steady state no event allocates.

use murphy_alloc_tests::{Config, Node, Work, allocations, world};
use murphy_sim::{
    Chance, CpuCost, Effect, Fault, FaultKind, Hit, NodeId, NodeSet, Scope, Span, Stop, Time, World,
};

fn millis(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

/// Runs on to `until` ms, and gives the allocations and events on the way.
fn counted(world: &mut World<Node, ()>, until: u64) -> (u64, u64) {
    let before = world.trace().events();
    let (calls, stop) = allocations(|| world.run_until(millis(until)));
    assert_eq!(stop, Stop::Reached);
    (calls, world.trace().events() - before)
}

#[track_caller]
fn check(work: Work, nodes: u32, tokens: u32, cpu: CpuCost, [warm, until]: [u64; 2]) {
    let mut world = world(Config { work, nodes, tokens }, cpu, Vec::new());
    world.run_until(millis(warm));
    let (calls, events) = counted(&mut world, until);
    assert!(events > 200_000, "too few events to say anything: {events}");
    assert_eq!(calls, 0, "allocations in {events} events");
}

#[test]
fn w1_does_not_allocate() {
    check(Work::RandomWalk, 64, 16, CpuCost::FREE, [1500, 3000]);
    check(Work::RandomWalk, 64, 16, CpuCost::default(), [1500, 3000]);
}

#[test]
fn w3_does_not_allocate() {
    check(Work::Timeouts, 64, 16, CpuCost::FREE, [1500, 3000]);
    check(Work::Timeouts, 64, 16, CpuCost::default(), [1500, 3000]);
}

#[test]
fn w4_does_not_allocate() {
    check(Work::Rounds, 64, 1, CpuCost::FREE, [1500, 2500]);
    check(Work::Rounds, 64, 1, CpuCost::default(), [1500, 2500]);
}

/// Crash and restart, a pause, a slow CPU, loss, delays and a bandwidth squeeze.
fn faults() -> Vec<Fault> {
    let some: NodeSet = (0..8).map(NodeId).collect();
    let all: NodeSet = (0..64).map(NodeId).collect();
    let fault = |name: &str, from, to, kind| Fault {
        name: name.to_owned(),
        start: millis(from),
        end: millis(to),
        kind,
    };
    let messages = |effect| FaultKind::Messages {
        scope: Scope::Between { from: some.clone(), to: all.clone(), both: false },
        kind: None,
        effect,
    };
    vec![
        fault("gc", 1600, 1601, FaultKind::Pause { nodes: some.clone() }),
        fault("slow", 1650, 1900, FaultKind::Slow { nodes: some.clone(), cpu: 2.0, disk: 1.0 }),
        fault("loss", 1700, 1800, messages(Effect::Drop(Chance::new(0.001)))),
        fault("twice", 1700, 1800, messages(Effect::Duplicate(Chance::new(0.001)))),
        fault("thin", 1700, 1800, messages(Effect::Squeeze(1_000_000_000))),
        fault("crash", 2000, 2010, FaultKind::Crash { nodes: some.clone(), amnesia: false }),
    ]
}

#[test]
fn a_fault_allocates_at_its_edges_only() {
    let config = Config { work: Work::RandomWalk, nodes: 64, tokens: 16 };
    let mut world = world(config, CpuCost::default(), faults());
    world.run_until(millis(1500));
    // Between two edges, a little after each, when lists that a fault needs have grown.
    let mut during = 0;
    for [from, to] in [[1610, 1649], [1660, 1699], [1720, 1799], [1820, 1899], [1920, 1999], [2020, 2400]] {
        world.run_until(millis(from));
        let (calls, events) = counted(&mut world, to);
        assert_eq!(calls, 0, "allocations from {from} to {to} ms, in {events} events");
        during += events;
    }
    assert!(during > 300_000, "too few events to say anything: {during}");
    let hits = world.hits();
    for (index, hit) in [
        (1, Hit::EventsHeld),
        (2, Hit::TimeSlowedNs),
        (3, Hit::MessagesCut),
        (4, Hit::MessagesDuplicated),
        (5, Hit::MessagesDelayed),
        (6, Hit::NodesRestarted),
    ] {
        assert!(hits[index].get(hit) > 0, "fault {index} hit nothing");
    }
}

#[test]
fn the_counter_counts() {
    let (calls, boxed) = allocations(|| std::hint::black_box(Box::new(7_u64)));
    assert_eq!((calls, *boxed), (1, 7));
}
