//! The engine seen from outside: a toy process under faults, limits and clones.

use std::sync::Arc;

use murphy_sim::{
    Chance, Channel, Context, CpuCost, DiskCost, DiskOp, DiskResult, Durable, Effect, Fact, Fault, FaultKind,
    Hit, Judge, Keep, Law, Limits, Message, NodeId, NodeSet, NodeSetup, Probe, Process, Request, Scope,
    Setup, SiteId, Span, Stamped, Stop, Time, Topology, Workload, World,
};

/// Each node sends a numbered message to the next one at every tick, and counts what it got.
#[derive(Clone)]
struct Ticker {
    heard: u64,
    sent: u64,
}

#[derive(Clone)]
struct Tick(u64);

#[derive(Clone, Copy)]
struct Config {
    to: Option<NodeId>,
    every: Span,
}

#[derive(Clone, Default)]
struct Total(u64);

impl Durable for Total {
    type Write = u64;
    fn apply(&mut self, write: &u64) {
        self.0 += write;
    }
}

impl Message for Tick {
    const KINDS: &'static [&'static str] = &["tick"];
    fn kind(&self) -> usize {
        0
    }
    fn bytes(&self) -> u32 {
        100
    }
    fn digest(&self) -> u64 {
        self.0
    }
}

const HEARD: u16 = 0;
const RESTORED: u16 = 1;

impl Process for Ticker {
    type Config = Config;
    type Message = Tick;
    type Timer = ();
    type Durable = Total;

    fn boot(cx: &mut Context<'_, Self>) -> Self {
        let restored = cx.durable().0;
        cx.fact(Fact::Own { kind: RESTORED, a: restored, b: 0 });
        if cx.config().to.is_some() {
            let every = cx.config().every;
            cx.set_timer(every, ());
        }
        Ticker { heard: 0, sent: 0 }
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, _: NodeId, message: &Tick) {
        self.heard += 1;
        cx.write(1, 8);
        if self.heard.is_multiple_of(2) {
            cx.sync();
        }
        cx.fact(Fact::Own { kind: HEARD, a: message.0, b: 0 });
    }

    fn on_timer(&mut self, cx: &mut Context<'_, Self>, (): ()) {
        self.sent += 1;
        if let Some(to) = cx.config().to {
            cx.send(to, Tick(self.sent));
        }
        let every = cx.config().every;
        cx.set_timer(every, ());
    }

    fn on_disk(&mut self, _: &mut Context<'_, Self>, _: DiskOp, result: DiskResult) {
        assert_eq!(result, DiskResult::Synced);
    }

    fn on_request(&mut self, cx: &mut Context<'_, Self>, request: Request) {
        cx.fact(Fact::Own { kind: 2, a: u64::from(request.id.0), b: 0 });
    }
}

/// Keeps every fact.
#[derive(Clone, Default)]
struct Facts(Vec<Stamped>);

impl Judge for Facts {
    fn observe(&mut self, said: &Stamped) {
        self.0.push(*said);
    }
}

impl Facts {
    /// (time, number, receiver) of every message that was heard.
    fn heard(&self) -> Vec<(u64, u64, u32)> {
        let heard = self.0.iter().filter_map(|said| match said.fact {
            Fact::Own { kind: HEARD, a, .. } => Some((said.at.0, a, said.node.0)),
            _ => None,
        });
        heard.collect()
    }
}

fn millis(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

fn ticker(name: &str, to: Option<u32>) -> NodeSetup<Config> {
    NodeSetup {
        name: name.to_owned(),
        site: SiteId(0),
        config: Config { to: to.map(NodeId), every: Span::millis(10) },
        cpu: CpuCost::FREE,
        disk: DiskCost::FREE,
        clock_offset_ns: 0,
        drift_ppb: 0,
    }
}

/// Two nodes that send to each other over a channel with random latency.
fn pair() -> Setup<Config> {
    let mut channel = Channel::new(Law::Exponential { mean: Span::millis(2) });
    channel.drop = Chance::new(0.05);
    channel.duplicate = Chance::new(0.05);
    Setup {
        seed: 7,
        topology: Topology::single("here", channel),
        nodes: vec![ticker("a", Some(1)), ticker("b", Some(0))],
        workloads: Vec::new(),
        plan: Arc::new([]),
        byzantine: Vec::new(),
        limits: Limits::default(),
        keep: Keep::Nothing,
    }
}

fn set(nodes: &[u32]) -> NodeSet {
    nodes.iter().map(|&node| NodeId(node)).collect()
}

fn fault(name: &str, from: u64, to: u64, kind: FaultKind) -> Fault {
    Fault { name: name.to_owned(), start: millis(from), end: millis(to), kind }
}

fn run(setup: Setup<Config>, until: u64) -> World<Ticker, Facts> {
    let mut world = World::new(setup, Facts::default());
    assert_eq!(world.run_until(millis(until)), Stop::Reached);
    world
}

fn hit(world: &World<Ticker, Facts>, fault: usize, hit: Hit) -> u64 {
    world.hits()[fault].get(hit)
}

#[test]
fn one_seed_is_one_run_and_another_seed_another() {
    let hash = |seed| run(Setup { seed, ..pair() }, 5000).trace().hash();
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}

#[test]
fn a_clone_has_the_same_future_and_time_may_stop_anywhere() {
    let whole = run(pair(), 5000);
    let mut first = run(pair(), 2345);
    let mut copy = first.clone();
    for world in [&mut first, &mut copy] {
        for until in [2346, 3000, 5000] {
            world.run_until(millis(until));
        }
        assert_eq!(world.trace().hash(), whole.trace().hash());
    }
}

#[test]
fn keeping_the_trace_changes_no_hash() {
    let hash = |keep| run(Setup { keep, ..pair() }, 1000).trace().hash();
    assert_eq!(hash(Keep::Nothing), hash(Keep::Last(16)));
    assert_eq!(hash(Keep::Nothing), hash(Keep::All));
    let world = run(Setup { keep: Keep::Last(16), ..pair() }, 1000);
    assert_eq!(world.trace().recorded().count(), 16);
}

#[test]
fn an_idle_node_or_a_fault_elsewhere_changes_no_decision() {
    let alone = run(pair(), 5000);
    let mut setup = pair();
    // The idle node comes first, so that every index moves.
    setup.nodes.insert(0, ticker("idle", None));
    setup.nodes[1].config.to = Some(NodeId(2));
    setup.nodes[2].config.to = Some(NodeId(1));
    let everything = Scope::Between { from: set(&[0]), to: set(&[0, 1, 2]), both: true };
    setup.plan = Arc::new([
        fault(
            "loss",
            0,
            5000,
            FaultKind::Messages { scope: everything, kind: None, effect: Effect::Drop(Chance::ALWAYS) },
        ),
        fault("crash", 1000, 2000, FaultKind::Crash { nodes: set(&[0]), amnesia: true }),
    ]);
    let beside = run(setup, 5000);
    let moved: Vec<_> = alone.judge().heard().iter().map(|&(at, n, node)| (at, n, node + 1)).collect();
    assert_eq!(beside.judge().heard(), moved, "times and numbers of all deliveries");
    assert_eq!(beside.node_hash(NodeId(1)), alone.node_hash(NodeId(0)));
    assert_eq!(beside.node_hash(NodeId(2)), alone.node_hash(NodeId(1)));
    assert_eq!(hit(&beside, 0, Hit::MessagesCut), 0, "a fault that hits nothing counts nothing");
}

#[test]
fn a_fault_that_hits_one_message_leaves_the_others_as_they_were() {
    let plain = run(pair(), 5000).judge().heard();
    let mut setup = pair();
    setup.plan = Arc::new([fault(
        "third",
        0,
        5000,
        FaultKind::Messages {
            scope: Scope::Between { from: set(&[0]), to: set(&[1]), both: false },
            kind: None,
            effect: Effect::DropNth(3),
        },
    )]);
    let world = run(setup, 5000);
    assert_eq!(hit(&world, 0, Hit::MessagesCut), 1);
    let without: Vec<_> = plain.into_iter().filter(|&(_, n, node)| !(n == 3 && node == 1)).collect();
    assert_eq!(world.judge().heard(), without);
}

#[test]
fn the_network_loses_and_duplicates_at_its_rates() {
    let world = run(pair(), 200_000);
    let sent = world.sent()[0].count as f64;
    for (what, count, p) in [
        ("lost", world.network_counts().lost, 0.05),
        // Only what is not lost can be duplicated.
        ("duplicated", world.network_counts().duplicated, 0.05 * 0.95),
    ] {
        let sd = (sent * p * (1.0 - p)).sqrt();
        // Two counts at four standard deviations: false alarm 1.3e-4.
        assert!((count as f64 - sent * p).abs() < 4.0 * sd, "{what}: {count} of {sent}");
    }
}

#[test]
fn a_crash_keeps_what_was_synced_and_nothing_else() {
    let mut setup = pair();
    setup.topology = Topology::single("here", Channel::new(Law::Constant(Span::millis(1))));
    // Node b hears ticks at 11, 21, … ms and syncs after every second one: five heard, four synced.
    setup.plan = Arc::new([fault("crash", 55, 95, FaultKind::Crash { nodes: set(&[1]), amnesia: false })]);
    let world = run(setup.clone(), 200);
    let restored = |world: &World<Ticker, Facts>| -> Vec<u64> {
        let facts = world.judge().0.iter().filter(|said| said.node == NodeId(1));
        facts
            .filter_map(|said| match said.fact {
                Fact::Own { kind: RESTORED, a, .. } => Some(a),
                _ => None,
            })
            .collect()
    };
    assert_eq!(restored(&world), [0, 4]);
    assert_eq!(hit(&world, 0, Hit::WritesLost), 1);
    assert_eq!(hit(&world, 0, Hit::MessagesLostAtDown), 4, "those at 61, 71, 81 and 91 ms");
    assert_eq!(hit(&world, 0, Hit::TimeDownNs), 40_000_000);
    let facts: Vec<Fact> = world.judge().0.iter().map(|said| said.fact).collect();
    assert!(facts.contains(&Fact::Crash) && facts.contains(&Fact::Restart));
    // A timer of the first life would tick at 60 ms; the second life starts anew at 95 ms.
    let ticks = world.judge().heard().into_iter().filter(|&(at, _, node)| node == 0 && at > 56_000_000);
    assert_eq!(ticks.map(|(at, ..)| at / 1_000_000).next(), Some(106));

    setup.plan = Arc::new([fault("crash", 55, 95, FaultKind::Crash { nodes: set(&[1]), amnesia: true })]);
    assert_eq!(restored(&run(setup, 200)), [0, 0], "amnesia takes the disk too");
}

#[test]
fn a_pause_holds_events_and_loses_none() {
    let mut setup = pair();
    setup.topology = Topology::single("here", Channel::new(Law::Constant(Span::millis(1))));
    setup.plan = Arc::new([fault("gc", 15, 55, FaultKind::Pause { nodes: set(&[1]) })]);
    let world = run(setup, 100);
    let at_b: Vec<_> = world
        .judge()
        .heard()
        .into_iter()
        .filter(|h| h.2 == 1)
        .map(|(at, n, _)| (at / 1_000_000, n))
        .collect();
    assert_eq!(at_b[..6], [(11, 1), (55, 2), (55, 3), (55, 4), (55, 5), (61, 6)]);
    // Four messages and the node's own timer.
    assert_eq!(hit(&world, 0, Hit::EventsHeld), 5);
    assert_eq!(hit(&world, 0, Hit::TimePausedNs), 40_000_000);
}

#[test]
fn a_cpu_does_one_thing_after_the_other_and_a_slow_one_takes_longer() {
    let arrivals = |plan: Arc<[Fault]>| {
        let mut setup = pair();
        setup.topology = Topology::single("here", Channel::new(Law::Constant(Span::millis(1))));
        setup.nodes = vec![ticker("a", Some(2)), ticker("b", Some(2)), ticker("c", None)];
        setup.nodes[2].cpu = CpuCost { receive: Span::micros(300), ..CpuCost::FREE };
        setup.plan = plan;
        let world = run(setup, 12);
        let heard = world.judge().heard().iter().map(|&(at, ..)| at / 1000).collect::<Vec<_>>();
        (heard, world.hits().first().map_or(0, |hits| hits.get(Hit::TimeSlowedNs)))
    };
    assert_eq!(arrivals(Arc::new([])), (vec![11_000, 11_300], 0));
    let slow = FaultKind::Slow { nodes: set(&[2]), cpu: 3.0, disk: 1.0 };
    // Two messages take 600 us longer each.
    assert_eq!(arrivals(Arc::new([fault("slow", 0, 12, slow)])), (vec![11_000, 11_900], 1_200_000));
}

#[test]
fn a_one_way_partition_cuts_one_way() {
    let mut setup = pair();
    setup.topology = Topology::single("here", Channel::new(Law::Constant(Span::millis(1))));
    let groups = vec![set(&[0]), set(&[1])];
    setup.plan = Arc::new([fault("cut", 0, 1000, FaultKind::Partition { groups, one_way: true })]);
    let world = run(setup, 1000);
    let heard = |node| world.judge().heard().iter().filter(|h| h.2 == node).count();
    assert_eq!((heard(0), heard(1)), (99, 0));
    assert_eq!(hit(&world, 0, Hit::MessagesCut), 99);
}

#[test]
fn a_drifting_clock_moves_timers() {
    let mut setup = pair();
    setup.nodes[0].drift_ppb = 1_000_000;
    let world = run(setup, 10_000);
    // 1 ms a second fast: a thousandth more ticks.
    assert_eq!(world.process(NodeId(0)).unwrap().sent, 1001);
    assert_eq!(world.process(NodeId(1)).unwrap().sent, 1000);
}

#[test]
fn limits_end_a_run_that_would_not_end() {
    let stop = |limits, every| {
        let mut setup = pair();
        setup.limits = limits;
        setup.nodes[0].config.every = every;
        World::<Ticker, ()>::new(setup, ()).run_until(Time::MAX)
    };
    let limits = Limits { events: 10_000, ..Limits::default() };
    assert_eq!(stop(limits, Span::millis(10)), Stop::Events);
    let limits = Limits { at_once: 1000, ..Limits::default() };
    assert_eq!(stop(limits, Span::ZERO), Stop::ZeroTimeLoop);
    let limits = Limits { bytes: 1, ..Limits::default() };
    assert_eq!(stop(limits, Span::millis(10)), Stop::Bytes);
}

#[test]
fn a_workload_arrives_at_its_rate_and_probes_at_their_pace() {
    let mut setup = pair();
    setup.nodes[0].config.to = None;
    setup.nodes[1].config.to = None;
    setup.workloads = vec![Workload {
        name: "kv".to_owned(),
        clients: vec![NodeId(0), NodeId(1)],
        arrivals: Law::Exponential { mean: Span::millis(5) }.into(),
        operations: vec![(0, 3.0), (1, 1.0)],
        keys: 10.into(),
        probe: Some(Probe { client: NodeId(1), every: Span::millis(100), operation: 1 }),
    }];
    let world = run(setup, 100_000);
    let arrived: Vec<Request> = world
        .judge()
        .0
        .iter()
        .filter_map(|said| match said.fact {
            Fact::Arrive(request) => Some(request),
            _ => None,
        })
        .collect();
    assert_eq!(arrived.iter().filter(|request| request.probe).count(), 1000);
    let users: Vec<_> = arrived.iter().filter(|request| !request.probe).collect();
    let first_kind = users.iter().filter(|request| request.operation.kind == 0).count() as f64;
    // Poisson(20,000): sd 141. Binomial share 3/4: sd 0.0031. Four of each.
    assert!(users.len().abs_diff(20_000) < 566, "{}", users.len());
    assert!((first_kind / users.len() as f64 - 0.75).abs() < 0.0123, "{first_kind}");
    assert!(users.iter().all(|request| request.operation.key < 10));
}
