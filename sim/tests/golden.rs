//! What a seed means, written down: hashes of worlds that use every part of the engine. A change of
//! any of them is a change of every stored seed.

use std::sync::Arc;

use murphy_sim::{
    Arrivals, Chance, Channel, Context, CpuCost, DiskCost, DiskOp, DiskResult, Durable, Effect, Fact, Fault,
    FaultKind, Hit, Judge, Keep, Law, Limits, Message, NodeId, NodeSet, NodeSetup, Probe, Process, Request,
    Scope, Setup, Site, SiteId, Span, Stamped, Time, TimerId, Topology, Workload, World, fold,
};

const NODES: u32 = 12;

/// Gossips over sites: pushes random words, writes what it hears, and times out.
#[derive(Clone)]
struct Gossip {
    heard: u64,
    timeout: Option<TimerId>,
}

#[derive(Clone)]
enum Word {
    Push(u64),
    Reply(u64, u32),
}

#[derive(Clone, Copy, Debug)]
enum Wake {
    Tick,
    Silent,
}

#[derive(Clone, Default)]
struct Sum(u64);

impl Durable for Sum {
    type Write = u64;
    fn apply(&mut self, write: &u64) {
        self.0 = fold(self.0, *write);
    }
}

impl Message for Word {
    const KINDS: &'static [&'static str] = &["push", "reply"];
    fn kind(&self) -> usize {
        usize::from(matches!(self, Word::Reply(..)))
    }
    fn bytes(&self) -> u32 {
        match self {
            Word::Push(_) => 200,
            Word::Reply(_, bytes) => *bytes,
        }
    }
    fn digest(&self) -> u64 {
        match self {
            Word::Push(word) | Word::Reply(word, _) => *word,
        }
    }
    fn signatures(&self) -> u32 {
        u32::from(matches!(self, Word::Reply(..)))
    }
    fn corrupted(&self, word: u64) -> Option<Word> {
        match self {
            Word::Push(value) => Some(Word::Push(value ^ word)),
            Word::Reply(..) => None,
        }
    }
}

impl Process for Gossip {
    type Config = Span;
    type Message = Word;
    type Timer = Wake;
    type Durable = Sum;

    fn boot(cx: &mut Context<'_, Self>) -> Self {
        let (restored, every) = (cx.durable().0, *cx.config());
        cx.fact(Fact::Own { kind: 1, a: restored, b: 0 });
        cx.set_timer(every, Wake::Tick);
        Gossip { heard: 0, timeout: None }
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, from: NodeId, message: &Word) {
        self.heard += 1;
        if let Some(timer) = self.timeout.take() {
            cx.cancel_timer(timer);
        }
        self.timeout = Some(cx.set_timer(Span::millis(9), Wake::Silent));
        if let Word::Push(word) = message {
            cx.work(Span::micros(word % 40));
            cx.write(*word, 64);
            let bytes = 100 + u32::try_from(word % 4000).unwrap();
            cx.send(from, Word::Reply(fold(*word, self.heard), bytes));
        }
        if self.heard.is_multiple_of(8) {
            cx.sync();
        }
        if self.heard.is_multiple_of(16) {
            let clock = cx.clock().0;
            cx.fact(Fact::Sample { metric: 0, value: clock });
        }
    }

    fn on_timer(&mut self, cx: &mut Context<'_, Self>, timer: Wake) {
        match timer {
            Wake::Tick => {
                let word = cx.rng().word();
                let to = NodeId(u32::try_from(murphy_sim::below(word, u64::from(NODES))).unwrap());
                cx.send(to, Word::Push(word));
                if word.is_multiple_of(8) {
                    cx.broadcast((0..NODES).map(NodeId), Word::Push(word >> 8));
                }
                let every = *cx.config();
                cx.set_timer(every, Wake::Tick);
            }
            Wake::Silent => {
                let node = NodeId((cx.id().0 + 1) % NODES);
                cx.fact(Fact::Suspect { node });
            }
        }
    }

    fn on_disk(&mut self, cx: &mut Context<'_, Self>, op: DiskOp, _: DiskResult) {
        cx.fact(Fact::Own { kind: 2, a: op.0, b: cx.durable().0 });
    }

    fn on_request(&mut self, cx: &mut Context<'_, Self>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        cx.send(NodeId(0), Word::Push(request.operation.key));
    }
}

/// Folds every fact.
#[derive(Clone, Default)]
struct Facts {
    count: u64,
    hash: u64,
}

impl Judge for Facts {
    fn observe(&mut self, said: &Stamped) {
        self.count += 1;
        self.hash = fold(self.hash, fold(said.at.0 ^ said.event, u64::from(said.node.0)));
    }
}

fn millis(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

fn set(nodes: &[u32]) -> NodeSet {
    nodes.iter().map(|&node| NodeId(node)).collect()
}

/// Three sites; a rich channel between each two, of three kinds of law.
fn sites() -> Topology {
    let mut topology = Topology::new();
    let mut inside = Channel::new(Law::Uniform { low: Span::micros(50), high: Span::micros(150) });
    inside.bandwidth = Some(10_000_000);
    inside.queue = 20_000;
    inside.drop = Chance::new(0.01);
    let site = |name: &str| Site { name: name.to_owned(), inside: inside.clone() };
    let [a, b, c] = ["east", "west", "south"].map(|name| topology.add_site(site(name)));
    let mut near = Channel::new(Law::LogNormal { median: Span::millis(2), sigma: 0.4 });
    near.jitter = Some(Law::Exponential { mean: Span::micros(300) });
    near.duplicate = Chance::new(0.02);
    near.reorder = Chance::new(0.03);
    near.reorder_by = Law::Constant(Span::millis(4));
    let mut far = Channel::new(Law::Normal { mean: Span::millis(20), sd: Span::millis(3) });
    far.corrupt = Chance::new(0.02);
    far.bandwidth = Some(1_000_000);
    far.queue = 10_000;
    topology.add_link(a, b, near.clone());
    topology.add_link(b, c, near);
    topology.add_link(a, c, far);
    topology
}

fn setup(topology: Topology, cpu: CpuCost, plan: Vec<Fault>) -> Setup<Span> {
    let sites = u32::try_from(topology.sites()).unwrap();
    let nodes = (0..NODES).map(|i| NodeSetup {
        name: format!("g{i}"),
        site: SiteId(i % sites),
        config: Span::micros(700 + 13 * u64::from(i)),
        cpu,
        disk: DiskCost::default(),
        clock_offset_ns: i64::from(i) * 1000,
        drift_ppb: if i == 3 { 40_000 } else { 0 },
    });
    Setup {
        seed: 11,
        topology,
        nodes: nodes.collect(),
        workloads: vec![Workload {
            name: "kv".to_owned(),
            clients: vec![NodeId(4), NodeId(5)],
            arrivals: Arrivals::Groups { gap: Law::Exponential { mean: Span::millis(3) }, size: 2 },
            operations: vec![(0, 3.0), (1, 1.0)],
            keys: 10.into(),
            probe: Some(Probe { client: NodeId(5), every: Span::millis(50), operation: 1 }),
        }],
        plan: plan.into(),
        byzantine: vec![NodeId(2)],
        limits: Limits::default(),
        keep: Keep::Nothing,
    }
}

/// Every kind of fault, overlapping.
fn everything() -> Vec<Fault> {
    let fault = |name: &str, from, to, kind| Fault {
        name: name.to_owned(),
        start: millis(from),
        end: if to == 0 { Time::MAX } else { millis(to) },
        kind,
    };
    let messages = |scope, kind, effect| FaultKind::Messages { scope, kind, effect };
    let between = |from: &[u32], to: &[u32], both| Scope::Between { from: set(from), to: set(to), both };
    let all: Vec<u32> = (0..NODES).collect();
    let late = Effect::Delay { factor: 1.5, add: Law::Exponential { mean: Span::millis(1) } };
    let held = Effect::HoldBack(Chance::new(0.2), Law::Constant(Span::millis(7)));
    vec![
        fault("idle", 0, 0, messages(between(&[], &[], false), None, Effect::Drop(Chance::ALWAYS))),
        fault("late", 10, 400, messages(between(&[0, 1], &all, true), None, late)),
        fault("crash", 50, 90, FaultKind::Crash { nodes: set(&[1, 2]), amnesia: false }),
        fault("wipe", 80, 120, FaultKind::Crash { nodes: set(&[2, 7]), amnesia: true }),
        fault("gc", 60, 95, FaultKind::Pause { nodes: set(&[3, 4]) }),
        fault("slow", 30, 300, FaultKind::Slow { nodes: set(&[5, 6]), cpu: 3.5, disk: 8.0 }),
        fault(
            "split",
            130,
            180,
            FaultKind::Partition { groups: vec![set(&[0, 1, 2, 3]), set(&[3, 4, 5, 6])], one_way: false },
        ),
        fault(
            "half",
            150,
            200,
            FaultKind::Partition { groups: vec![set(&[8]), set(&[9, 10])], one_way: true },
        ),
        fault("loss", 100, 250, messages(Scope::Link(0), Some(0), Effect::Drop(Chance::new(0.3)))),
        fault("nth", 20, 450, messages(between(&[0], &all, false), Some(1), Effect::DropNth(7))),
        fault("twice", 200, 350, messages(Scope::Link(1), None, Effect::Duplicate(Chance::new(0.25)))),
        fault("held", 180, 320, messages(between(&all, &[8], false), None, held)),
        fault(
            "flip",
            210,
            330,
            messages(between(&all, &all, false), None, Effect::Corrupt(Chance::new(0.1))),
        ),
        fault("thin", 220, 260, messages(between(&[9], &all, false), None, Effect::Squeeze(300_000))),
        fault("fibre", 240, 310, FaultKind::Cut { links: vec![0] }),
        fault("both", 270, 290, FaultKind::Cut { links: vec![0, 1, 2] }),
        fault(
            "clock",
            300,
            380,
            FaultKind::Clock {
                nodes: set(&[0, 10]),
                offset_ns: -500_000,
                jump_ns: 9_000_000,
                drift_ppb: 200_000_000,
            },
        ),
    ]
}

/// Trace, faults, hits, counts, facts and the pending events, each as one word.
fn digest(setup: Setup<Span>) -> [u64; 6] {
    let mut world = World::<Gossip, Facts>::new(setup, Facts::default());
    // Stops in between must change nothing.
    for stop in [33, 140, 141, 500] {
        world.run_until(millis(stop));
    }
    // The counts that there were when the hashes were taken.
    let counts = Hit::ALL.into_iter().take(17);
    let hits = world
        .hits()
        .iter()
        .fold(0, |hash, hits| counts.clone().fold(hash, |hash, hit| fold(hash, hits.get(hit))));
    let sent = world.sent().iter().fold(0, |hash, sent| fold(hash, fold(sent.count, sent.bytes)));
    let nodes = (0..NODES).fold(0, |hash, node| fold(hash, world.node_hash(NodeId(node))));
    let n = world.network_counts();
    let counts = [n.lost, n.duplicated, n.reordered, n.corrupted, n.overflowed, n.unreachable];
    let counts = counts.into_iter().fold(sent, fold);
    let facts = fold(world.judge().hash, world.judge().count);
    [
        world.trace().hash(),
        fold(world.trace().fault_hash(), nodes),
        hits,
        counts,
        facts,
        world.trace().events(),
    ]
}

#[track_caller]
fn check(setup: Setup<Span>, golden: [u64; 6]) {
    let found = digest(setup);
    assert_eq!(found, golden, "a seed no longer means what it meant: {found:#018x?}");
}

#[test]
fn a_quiet_site_with_free_cpus() {
    let topology = Topology::single("here", Channel::new(Law::Exponential { mean: Span::millis(1) }));
    check(
        setup(topology, CpuCost::FREE, Vec::new()),
        [
            0x68c3_d228_1d42_d608,
            0x3dde_4988_c949_4099,
            0x0000_0000_0000_0000,
            0x08e5_7798_f999_2d29,
            0xa8aa_b72f_98d3_4964,
            0x0000_0000_0000_cf3b,
        ],
    );
}

#[test]
fn three_sites_without_faults() {
    check(
        setup(sites(), CpuCost::default(), Vec::new()),
        [
            0xbd00_fa74_abc2_bbe8,
            0xd03f_fc6a_11e1_de30,
            0x0000_0000_0000_0000,
            0xdb7a_5638_bed0_aeb5,
            0xa181_0e2e_bb0b_a3e5,
            0x0000_0000_0000_af52,
        ],
    );
}

#[test]
fn three_sites_under_every_fault() {
    check(
        setup(sites(), CpuCost::default(), everything()),
        [
            0x87a7_09bc_65e4_df00,
            0x1626_d1b5_7c0d_0d27,
            0xe467_5fb8_8d1f_34ce,
            0xfb33_1c01_a657_3483,
            0xd643_a49e_7854_b9cf,
            0x0000_0000_0000_9a2a,
        ],
    );
}

fn under(law: Law) -> Setup<Span> {
    let plan = vec![Fault {
        name: "idle".to_owned(),
        start: Time::ZERO,
        end: Time::MAX,
        kind: FaultKind::Partition { groups: Vec::new(), one_way: false },
    }];
    setup(Topology::single("here", Channel::new(law)), CpuCost::default(), plan)
}

#[test]
fn a_weibull_latency() {
    check(
        under(Law::Weibull { scale: Span::millis(3), shape: 1.7 }),
        [
            0x97c5_e9b5_7f4a_717d,
            0xedd4_2b00_cbc1_7dc2,
            0x7e0e_5f7b_760c_5f96,
            0x9204_84c4_3bc4_34ca,
            0x2290_6f6f_cad1_faa8,
            0x0000_0000_0000_cc54,
        ],
    );
}

#[test]
fn a_pareto_latency() {
    check(
        under(Law::Pareto { low: Span::micros(400), shape: 2.5 }),
        [
            0xfbc5_450a_b60d_9c8b,
            0x8287_93af_63a5_4aac,
            0x7e0e_5f7b_760c_5f96,
            0x5cb6_476b_d7df_87d0,
            0x638d_e7f2_12ef_b41c,
            0x0000_0000_0000_cd4b,
        ],
    );
}

#[test]
fn an_empirical_latency() {
    check(
        under(Law::Empirical(Arc::new([Span(0), Span::micros(900), Span::millis(5)]))),
        [
            0x04d6_7d7b_ae59_d0d6,
            0x6daa_716b_2650_7a31,
            0x7e0e_5f7b_760c_5f96,
            0x50df_4f16_89f2_9189,
            0xfb80_3b63_4547_0aa4,
            0x0000_0000_0000_cd53,
        ],
    );
}
