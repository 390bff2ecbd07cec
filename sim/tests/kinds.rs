//! Every kind of fault on a toy process: the counter of the resource, an outcome, and the opposite arm.
//!
//! Node `a` sends a number to `b` every 10 ms; it takes 1 ms, `b` writes it, and a sync takes 1 ms.

use std::sync::Arc;

use murphy_sim::{
    Chance, Channel, Context, CpuCost, Credential, DiskCost, DiskOp, DiskResult, Durable, Effect, Fact,
    Failure, Fault, FaultKind, Hit, Judge, Keep, Law, Leak, Limits, Load, Message, NodeId, NodeSet,
    NodeSetup, Process, Request, Scope, Setup, SiteId, Span, Stamped, Stop, Time, Topology, Workload, World,
};

#[derive(Clone)]
struct Node(u64);

#[derive(Clone)]
struct Number(u64);

#[derive(Clone, Copy)]
struct Config {
    to: Option<NodeId>,
    sync: bool,
}

/// What became of each write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Whole(u64),
    Torn(u64),
    Rotten,
}

#[derive(Clone, Debug, Default)]
struct Log(Vec<Entry>);

impl Durable for Log {
    type Write = u64;
    fn apply(&mut self, write: &u64) {
        self.0.push(Entry::Whole(*write));
    }
    fn apply_torn(&mut self, write: &u64, _: u64) {
        self.0.push(Entry::Torn(*write));
    }
    fn rot(&mut self, word: u64) -> bool {
        let Some(place) = (word % 8).checked_rem(self.0.len() as u64) else { return false };
        self.0[usize::try_from(place).unwrap()] = Entry::Rotten;
        true
    }
}

impl Message for Number {
    const KINDS: &'static [&'static str] = &["number"];
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
const SYNCED: u16 = 2;
const FULL: u16 = 3;
const ASKED: u16 = 4;
const CLOCK: u16 = 5;
const CONFIG: u16 = 6;
const CREDENTIAL: u16 = 7;
const LEAKED: u16 = 8;
const EVERY: Span = Span::millis(10);

fn own(kind: u16, a: u64) -> Fact {
    Fact::Own { kind, a, b: 0 }
}

impl Process for Node {
    type Config = Config;
    type Message = Number;
    type Timer = ();
    type Durable = Log;

    fn boot(cx: &mut Context<'_, Self>) -> Self {
        let restored = cx.durable().0.iter().filter(|entry| matches!(entry, Entry::Whole(_))).count();
        cx.fact(own(RESTORED, restored as u64));
        cx.set_timer(EVERY, ());
        Node(0)
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, _: NodeId, message: &Number) {
        cx.write(message.0, 8);
        if cx.config().sync {
            cx.sync();
        }
        cx.fact(own(HEARD, message.0));
    }

    fn on_timer(&mut self, cx: &mut Context<'_, Self>, (): ()) {
        self.0 += 1;
        if let Some(to) = cx.config().to {
            cx.send(to, Number(self.0));
        }
        cx.fact(own(CLOCK, cx.clock().0));
        let version = cx.config_version();
        cx.fact(own(CONFIG, version));
        let credential = cx.credential();
        cx.fact(own(CREDENTIAL, credential as u64));
        cx.fact(own(LEAKED, cx.memory_leaked()));
        cx.set_timer(EVERY, ());
    }

    fn on_disk(&mut self, cx: &mut Context<'_, Self>, op: DiskOp, result: DiskResult) {
        cx.fact(own(if result == DiskResult::Full { FULL } else { SYNCED }, op.0));
    }

    fn on_request(&mut self, cx: &mut Context<'_, Self>, request: Request) {
        cx.fact(Fact::Own { kind: ASKED, a: request.operation.key, b: u64::from(request.operation.kind) });
    }
}

#[derive(Clone, Default)]
struct Facts(Vec<Stamped>);

impl Judge for Facts {
    fn observe(&mut self, said: &Stamped) {
        self.0.push(*said);
    }
}

fn ms(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

fn set(nodes: &[u32]) -> NodeSet {
    nodes.iter().map(|&node| NodeId(node)).collect()
}

fn node(name: &str, to: Option<u32>) -> NodeSetup<Config> {
    NodeSetup {
        name: name.to_owned(),
        site: SiteId(0),
        config: Config { to: to.map(NodeId), sync: true },
        cpu: CpuCost::FREE,
        disk: DiskCost { sync: Span::millis(1), ..DiskCost::FREE },
        clock_offset_ns: 0,
        drift_ppb: 0,
    }
}

fn setup(plan: Vec<Fault>) -> Setup<Config> {
    Setup {
        seed: 11,
        topology: Topology::single("here", Channel::new(Law::Constant(Span::millis(1)))),
        nodes: vec![node("a", Some(1)), node("b", None), node("c", None)],
        workloads: Vec::new(),
        plan: plan.into(),
        byzantine: Vec::new(),
        limits: Limits::default(),
        keep: Keep::Nothing,
    }
}

fn fault(name: &str, from: u64, to: u64, kind: FaultKind) -> Fault {
    Fault { name: name.to_owned(), start: ms(from), end: ms(to), kind }
}

/// `b`'s resource fails.
fn b_fails(from: u64, to: u64, failure: Failure) -> Fault {
    fault("failure", from, to, FaultKind::Resource { nodes: set(&[1]), failure })
}

fn b_crashes(from: u64, to: u64) -> Fault {
    fault("crash", from, to, FaultKind::Crash { nodes: set(&[1]), amnesia: false })
}

/// One run of a setup.
struct Ran(World<Node, Facts>);

fn run(setup: Setup<Config>, until: u64) -> Ran {
    let mut world = World::new(setup, Facts::default());
    assert_eq!(world.run_until(ms(until)), Stop::Reached);
    Ran(world)
}

fn with(plan: Vec<Fault>, until: u64) -> Ran {
    run(setup(plan), until)
}

impl Ran {
    fn hit(&self, fault: usize, hit: Hit) -> u64 {
        self.0.hits()[fault].get(hit)
    }

    /// (milliseconds, value) of what a node said of one kind.
    fn said(&self, node: u32, kind: u16) -> Vec<(u64, u64)> {
        let facts = self.0.judge().0.iter().filter(|said| said.node == NodeId(node));
        facts
            .filter_map(|said| match said.fact {
                Fact::Own { kind: k, a, .. } if k == kind => Some((said.at.0 / 1_000_000, a)),
                _ => None,
            })
            .collect()
    }

    fn values(&self, node: u32, kind: u16) -> Vec<u64> {
        self.said(node, kind).into_iter().map(|(_, value)| value).collect()
    }

    /// Writes that `b` found on its disk at its last boot.
    fn restored(&self) -> u64 {
        self.values(1, RESTORED).last().copied().unwrap()
    }
}

#[test]
fn a_reboot_takes_a_drawn_time_and_ends_with_the_fault_at_the_latest() {
    let reboot = |down| Failure::Reboot { down, amnesia: false };
    let ran = with(vec![b_fails(55, 1000, reboot(Law::Constant(Span::millis(35))))], 200);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (90, 5)]);
    assert_eq!(ran.hit(0, Hit::TimeDownNs), 35_000_000);
    assert_eq!((ran.hit(0, Hit::NodesCrashed), ran.hit(0, Hit::NodesRestarted)), (1, 1));
    assert_eq!(ran.hit(0, Hit::MessagesLostAtDown), 3, "those of 60, 70 and 80 ms");
    let cut = with(vec![b_fails(55, 75, reboot(Law::Constant(Span::millis(35))))], 200);
    assert_eq!(cut.said(1, RESTORED), [(0, 0), (75, 5)]);
    let never = with(vec![b_fails(55, 1000, reboot(Law::Constant(Span::secs(5))))], 200);
    assert_eq!((never.restored(), never.hit(0, Hit::TimeDownNs)), (0, 145_000_000));
    let amnesia = Failure::Reboot { down: Law::Constant(Span::millis(35)), amnesia: true };
    assert_eq!(with(vec![b_fails(55, 1000, amnesia)], 200).restored(), 0);
}

#[test]
fn reboots_of_many_nodes_are_keyed_by_name() {
    let law = Law::Uniform { low: Span::millis(10), high: Span::millis(100) };
    let kind = |nodes: &[u32]| FaultKind::Resource {
        nodes: set(nodes),
        failure: Failure::Reboot { down: law.clone(), amnesia: false },
    };
    let both = with(vec![fault("failure", 50, 1000, kind(&[1, 2]))], 300);
    let back = |ran: &Ran, node| ran.said(node, RESTORED)[1].0;
    assert_ne!(back(&both, 1), back(&both, 2));
    let one = with(vec![fault("failure", 50, 1000, kind(&[2]))], 300);
    assert_eq!(back(&both, 2), back(&one, 2), "who else reboots changes nothing");
}

#[test]
fn a_node_boots_when_the_last_fault_lets_it() {
    let reboot = Failure::Reboot { down: Law::Constant(Span::millis(20)), amnesia: false };
    let ran = with(vec![b_fails(55, 1000, reboot.clone()), b_crashes(60, 90)], 200);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (90, 5)]);
    assert_eq!((ran.hit(0, Hit::NodesRestarted), ran.hit(1, Hit::NodesRestarted)), (0, 1));
    let ran = with(vec![b_crashes(50, 60), b_fails(55, 1000, reboot)], 200);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (75, 4)]);
}

#[test]
fn a_crash_while_writes_tear_keeps_a_prefix() {
    let run = |torn: bool| {
        let mut plan = vec![b_crashes(55, 60)];
        if torn {
            plan.push(b_fails(50, 60, Failure::TornWrites));
        }
        let mut setup = setup(plan);
        setup.nodes[1].config.sync = false;
        self::run(setup, 100)
    };
    let plain = run(false);
    assert_eq!((plain.hit(0, Hit::WritesLost), plain.restored()), (5, 0));
    let torn = run(true);
    assert_eq!(torn.hit(1, Hit::WritesTorn), 1);
    let whole = torn.restored();
    assert_eq!(torn.hit(0, Hit::WritesLost), 4 - whole, "a prefix is whole, one write is torn");
    assert_eq!(whole, 1, "by this seed");
}

#[test]
fn a_sync_that_lies_loses_at_the_next_crash_what_it_claimed() {
    let lie = |to| vec![b_fails(0, to, Failure::LyingSyncs), b_crashes(55, 60)];
    let lied = with(lie(54), 100);
    assert_eq!((lied.hit(0, Hit::SyncsLied), lied.hit(0, Hit::WritesLost)), (5, 5));
    assert_eq!((lied.restored(), lied.values(1, SYNCED).len()), (0, 9));
    // An honest sync after the lie flushes everything.
    let flushed = with(lie(40), 100);
    assert_eq!((flushed.hit(0, Hit::SyncsLied), flushed.hit(0, Hit::WritesLost)), (3, 0));
    assert_eq!(flushed.restored(), 5);
}

#[test]
fn a_full_disk_refuses_writes_and_says_so() {
    let ran = with(vec![b_fails(25, 45, Failure::DiskFull), b_crashes(55, 60)], 65);
    assert_eq!(ran.hit(0, Hit::WritesRefused), 2);
    assert_eq!((ran.values(1, FULL), ran.values(1, SYNCED)), (vec![3, 4], vec![1, 2, 5, 6]));
    assert_eq!(ran.restored(), 3);
    assert_eq!(with(vec![b_crashes(55, 60)], 65).restored(), 5);
}

#[test]
fn lost_and_misdirected_writes_are_acknowledged_and_gone() {
    let lost = with(vec![b_fails(25, 45, Failure::LostWrites(Chance::ALWAYS)), b_crashes(55, 60)], 65);
    assert_eq!((lost.hit(0, Hit::WritesLost), lost.values(1, SYNCED).len()), (2, 6));
    assert_eq!(lost.restored(), 3);
    let failure = Failure::MisdirectedWrites(Chance::ALWAYS);
    let astray = with(vec![b_fails(25, 45, failure), b_crashes(55, 60)], 65);
    assert_eq!((astray.hit(0, Hit::WritesMisdirected), astray.values(1, SYNCED).len()), (2, 6));
    assert!(astray.restored() < 3, "a misdirected write destroys another: {}", astray.restored());
    let half = with(vec![b_fails(0, 10_000, Failure::LostWrites(Chance::new(0.5)))], 10_000);
    // 999 writes: 499.5 +- 4 standard errors of 15.8.
    assert!((437..=562).contains(&half.hit(0, Hit::WritesLost)), "{}", half.hit(0, Hit::WritesLost));
}

#[test]
fn bits_rot_at_once_and_at_a_pace() {
    let rot = Failure::BitRot { at_once: 2, every: Some(Law::Constant(Span::millis(10))) };
    let ran = with(vec![b_fails(55, 100, rot), b_crashes(98, 99)], 120);
    assert_eq!(ran.hit(0, Hit::BlocksRotted), 6, "two at 55 ms, and at 65, 75, 85 and 95 ms");
    assert!(ran.restored() < 9, "{}", ran.restored());
    assert_eq!(with(vec![b_crashes(98, 99)], 120).restored(), 9);
    let early = with(vec![b_fails(5, 9, Failure::BitRot { at_once: 2, every: None })], 20);
    assert_eq!(early.hit(0, Hit::BlocksRotted), 0, "an empty disk has nothing that could rot");
}

#[test]
fn memory_leaks_until_the_node_pages_and_is_killed() {
    let leak =
        Leak { rate: 1000, free: 50, pressure: 25, factor: 3.0, restart: Law::Constant(Span::millis(15)) };
    let run = |leak: &Leak| {
        let mut setup = setup(vec![b_fails(20, 1000, Failure::MemoryLeak(leak.clone()))]);
        setup.nodes[1].cpu.receive = Span::millis(1);
        self::run(setup, 130)
    };
    let ran = run(&leak);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (85, 6)], "killed at 70 ms, 50 ms after the start");
    assert_eq!((ran.hit(0, Hit::OomKills), ran.hit(0, Hit::NodesRestarted)), (1, 1));
    assert_eq!(ran.hit(0, Hit::BytesLeaked), 50 + 45);
    assert_eq!(ran.hit(0, Hit::TimeDownNs), 15_000_000);
    // 2 ms more for each message under pressure: at 51, 61, 111 and 121 ms.
    assert_eq!(ran.hit(0, Hit::TimeSlowedNs), 8_000_000);
    assert_eq!(
        ran.values(1, LEAKED)[..7],
        [0, 0, 10, 20, 30, 40, 10],
        "nothing leaks from one life into the next"
    );
    let roomy = run(&Leak { free: 1_000_000, pressure: 1_000_000, ..leak });
    assert_eq!((roomy.hit(0, Hit::OomKills), roomy.hit(0, Hit::TimeSlowedNs)), (0, 0));
    assert_eq!(roomy.hit(0, Hit::BytesLeaked), 110);
}

#[test]
fn a_full_queue_drops_what_does_not_fit() {
    let paused = fault("gc", 55, 105, FaultKind::Pause { nodes: set(&[1]) });
    let ran = with(vec![paused.clone(), b_fails(0, 1000, Failure::QueueLimit(2))], 115);
    assert_eq!(ran.hit(1, Hit::MessagesRefused), 4, "its own timer waits first, then one of five messages");
    assert_eq!(ran.values(1, HEARD), [1, 2, 3, 4, 5, 6, 11]);
    assert_eq!(with(vec![paused], 115).values(1, HEARD).len(), 11);
}

#[test]
fn a_pushed_configuration_and_a_bad_credential_are_seen_while_they_last() {
    let ran = with(vec![b_fails(25, 55, Failure::ConfigPush(7))], 100);
    assert_eq!(ran.hit(0, Hit::ConfigsRead), 3);
    assert_eq!(ran.values(1, CONFIG), [0, 0, 7, 7, 7, 0, 0, 0, 0, 0]);
    assert!(ran.values(0, CONFIG).iter().all(|version| *version == 0), "the other nodes are not pushed to");
    for (credential, seen) in [(Credential::Unavailable, 1), (Credential::Expired, 2)] {
        let ran = with(vec![b_fails(25, 45, Failure::Credential(credential))], 60);
        assert_eq!(ran.hit(0, Hit::CredentialsDenied), 2);
        assert_eq!(ran.values(1, CREDENTIAL), [0, 0, seen, seen, 0, 0]);
    }
}

fn workload(gap: Law) -> Workload {
    let name = "load".to_owned();
    let operations = vec![(0, 1.0), (1, 1.0)];
    Workload {
        name,
        clients: vec![NodeId(1), NodeId(2)],
        arrivals: gap.into(),
        operations,
        keys: 100.into(),
        probe: None,
    }
}

/// (time, client, key, kind) of each request that was asked.
fn asked(ran: &Ran) -> Vec<(u64, u32, u64, u64)> {
    let asked = ran.0.judge().0.iter().filter_map(|said| match said.fact {
        Fact::Own { kind: ASKED, a, b } => Some((said.at.0, said.node.0, a, b)),
        _ => None,
    });
    asked.collect()
}

fn loaded(plan: Vec<Fault>, until: u64) -> Ran {
    let mut setup = setup(plan);
    setup.workloads = vec![workload(Law::Exponential { mean: Span::millis(10) })];
    run(setup, until)
}

#[test]
fn a_surge_and_a_herd_add_requests_and_move_no_other() {
    let base = asked(&loaded(Vec::new(), 10_000));
    let added = |load| {
        let ran = loaded(vec![fault("rush", 2000, 7000, FaultKind::Load { workload: 0, load })], 10_000);
        let mut asked = asked(&ran);
        let all = asked.len();
        for request in &base {
            let place =
                asked.iter().position(|other| other == request).expect("every request is still there");
            asked.remove(place);
        }
        assert_eq!(ran.hit(0, Hit::RequestsAdded), (all - base.len()) as u64);
        asked
    };
    let herd = added(Load::Herd(50));
    assert_eq!(herd.len(), 50);
    assert!(herd.iter().all(|(at, ..)| *at == 2_000_000_000));
    // 200 more a second over 5 s: 1000 +- 4 standard errors of 31.6.
    let surge = added(Load::Surge(3.0));
    assert!((873..=1127).contains(&surge.len()), "{}", surge.len());
    assert!(surge.iter().all(|(at, ..)| (2_000_000_000..7_000_000_000).contains(at)));
    assert!(added(Load::Surge(1.0)).is_empty());
}

#[test]
fn a_queue_limit_rejects_the_rest_of_a_herd() {
    let herd = fault("herd", 100, 101, FaultKind::Load { workload: 0, load: Load::Herd(10) });
    let limit = b_fails(0, 1000, Failure::QueueLimit(2));
    let run = |plan| {
        let mut setup = setup(plan);
        setup.nodes[1].cpu.event = Span::millis(1);
        let mut one = workload(Law::Constant(Span::secs(100)));
        one.clients = vec![NodeId(1)];
        setup.workloads = vec![one];
        self::run(setup, 150)
    };
    let ran = run(vec![herd.clone(), limit]);
    // The timer of 100 ms comes before the herd or after it, and is never refused.
    assert_eq!(ran.hit(1, Hit::RequestsRefused) + asked(&ran).len() as u64, 10);
    assert_eq!(asked(&ran).len(), 3, "one at once, two wait");
    assert_eq!(asked(&run(vec![herd])).len(), 10);
}

#[test]
fn a_flapping_partition_cuts_in_the_first_part_of_each_period() {
    let groups = vec![set(&[0]), set(&[1])];
    let flap = |on, off| FaultKind::Flapping {
        groups: groups.clone(),
        one_way: false,
        on: Span::millis(on),
        off: Span::millis(off),
    };
    let ran = with(vec![fault("flap", 5, 95, flap(20, 10))], 100);
    assert_eq!((ran.hit(0, Hit::MessagesCut), ran.values(1, HEARD)), (6, vec![3, 6, 9]));
    let steady = with(vec![fault("flap", 5, 95, flap(20, 0))], 100);
    assert_eq!(steady.hit(0, Hit::MessagesCut), 9);
}

/// Pairs of nodes between which a partition lets messages through.
fn reached(groups: &[&[u32]], one_way: bool) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    for from in 0..5 {
        for to in (0..5).filter(|to| *to != from) {
            let groups = groups.iter().map(|group| set(group)).collect();
            let mut setup = setup(vec![fault("parted", 0, 100, FaultKind::Partition { groups, one_way })]);
            setup.nodes = (0..5).map(|i| node(&format!("n{i}"), (i == from).then_some(to))).collect();
            let ran = run(setup, 15);
            if ran.values(to, HEARD) == [1] {
                assert_eq!(ran.hit(0, Hit::MessagesCut), 0);
                pairs.push((from, to));
            } else {
                assert_eq!(ran.hit(0, Hit::MessagesCut), 1);
            }
        }
    }
    pairs
}

#[test]
fn partitions_take_every_shape() {
    // Halves: 3 * 2 + 2 * 1 pairs are left.
    assert_eq!(reached(&[&[0, 1, 2], &[3, 4]], false).len(), 8);
    assert_eq!(reached(&[&[0], &[1, 2, 3, 4]], false).len(), 12);
    let one_way = reached(&[&[0], &[1, 2, 3, 4]], true);
    assert!(one_way.contains(&(1, 0)) && !one_way.contains(&(0, 1)) && one_way.len() == 16);
    // A bridge reaches both sides, and both reach it.
    let bridge = reached(&[&[0, 1, 2], &[2, 3, 4]], false);
    assert_eq!(bridge.len(), 20 - 8);
    assert!([(2, 0), (0, 2), (2, 4), (4, 2)].iter().all(|pair| bridge.contains(pair)));
    assert_eq!(reached(&[&[0, 1, 2], &[2, 3, 4]], true).len(), 20 - 4);
    let ring = reached(&[&[0, 1], &[1, 2], &[2, 3], &[3, 4], &[4, 0]], false);
    assert_eq!(ring.len(), 10);
    assert!(ring.contains(&(4, 0)) && !ring.contains(&(0, 2)));
}

#[test]
fn a_clog_holds_messages_until_it_ends_and_keeps_their_order() {
    let clog = |limit| FaultKind::Messages {
        scope: Scope::Between { from: set(&[0]), to: set(&[1]), both: false },
        kind: None,
        effect: Effect::Clog(limit),
    };
    let ran = with(vec![fault("clog", 25, 65, clog(3))], 75);
    assert_eq!((ran.hit(0, Hit::MessagesClogged), ran.hit(0, Hit::MessagesCut)), (3, 1));
    assert_eq!(ran.said(1, HEARD), [(11, 1), (21, 2), (65, 3), (65, 4), (65, 5), (71, 7)]);
    // They would have arrived at 31, 41 and 51 ms.
    assert_eq!(ran.hit(0, Hit::DelayAddedNs), 72_000_000);
    assert_eq!(with(vec![fault("clog", 25, 65, clog(9))], 75).values(1, HEARD), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_squeeze_makes_messages_wait_and_ends_with_the_fault() {
    // 100 bytes at 4 kB/s take 25 ms, and one comes every 10 ms.
    let kind = FaultKind::Messages {
        scope: Scope::Between { from: set(&[0]), to: set(&[1]), both: false },
        kind: None,
        effect: Effect::Squeeze(4000),
    };
    let ran = with(vec![fault("squeeze", 5, 75, kind)], 90);
    assert_eq!(
        ran.said(1, HEARD),
        [(36, 1), (61, 2), (76, 3), (76, 4), (76, 5), (76, 6), (76, 7), (81, 8)],
        "the third would leave at 85 ms, and the fault ends at 75 ms"
    );
    // They wait 25, 40, 45, 35, 25, 15 and 5 ms.
    assert_eq!(ran.hit(0, Hit::DelayAddedNs), 190_000_000);
}

#[test]
fn omission_has_directions_and_the_nth_message() {
    let lost = |from: &[u32], to: &[u32], both, effect| FaultKind::Messages {
        scope: Scope::Between { from: set(from), to: set(to), both },
        kind: None,
        effect,
    };
    let all = || Effect::Drop(Chance::ALWAYS);
    let heard = |kind| {
        let mut setup = setup(vec![fault("omission", 0, 100, kind)]);
        // `a` and `b` send to each other, and `c` to `a`.
        setup.nodes = vec![node("a", Some(1)), node("b", Some(0)), node("c", Some(0))];
        let ran = run(setup, 55);
        (ran.values(0, HEARD).len(), ran.values(1, HEARD).len(), ran.hit(0, Hit::MessagesCut))
    };
    let (everyone, a) = (&[0, 1, 2][..], &[0][..]);
    assert_eq!(heard(lost(a, everyone, false, all())), (10, 0, 5), "what a sends");
    assert_eq!(heard(lost(everyone, a, false, all())), (0, 5, 10), "what a receives");
    assert_eq!(heard(lost(a, everyone, true, all())), (0, 0, 15), "both");
    assert_eq!(heard(lost(&[2], a, false, all())), (5, 5, 5), "one way between two nodes");
    assert_eq!(heard(lost(everyone, a, false, Effect::DropNth(3))), (8, 5, 2), "the third of each sender");
    let third = with(vec![fault("omission", 0, 500, lost(a, everyone, false, Effect::DropNth(3)))], 100);
    assert_eq!(third.values(1, HEARD), [1, 2, 4, 5, 6, 7, 8, 9], "the third and no other");
}

#[test]
fn clocks_are_off_drift_and_jump_backwards() {
    let clock = |offset_ns, jump_ns, drift_ppb| {
        let kind = FaultKind::Clock { nodes: set(&[1]), offset_ns, jump_ns, drift_ppb };
        let ran = with(vec![fault("clock", 25, 45, kind)], 60);
        assert_eq!(ran.hit(0, Hit::ClocksShifted), 1);
        ran.values(1, CLOCK).iter().map(|at| at / 1000).collect::<Vec<_>>()
    };
    assert_eq!(clock(5_000_000, 0, 0), [10_000, 20_000, 35_000, 45_000, 50_000, 60_000]);
    assert_eq!(clock(0, -15_000_000, 0), [10_000, 20_000, 15_000, 25_000, 35_000, 45_000], "backwards");
    // Half as fast again for 20 ms: the clock is 10 ms ahead afterwards, and timers run out early.
    let drifted = clock(0, 0, 500_000_000);
    assert_eq!(drifted[..3], [10_000, 20_000, 32_500], "the timer of 30 ms was set before");
    assert!(drifted.len() > 6, "timers ran out early: {drifted:?}");
    let true_time = with(Vec::new(), 60).values(1, CLOCK);
    assert!(true_time.iter().zip(1..).all(|(at, tick)| *at == tick * 10_000_000), "{true_time:?}");
}

#[test]
fn jitter_delays_each_message_by_a_draw_of_its_own() {
    let add = Law::Uniform { low: Span::ZERO, high: Span::millis(8) };
    let kind = FaultKind::Messages {
        scope: Scope::Between { from: set(&[0]), to: set(&[1]), both: false },
        kind: None,
        effect: Effect::Delay { factor: 1.0, add },
    };
    let ran = with(vec![fault("jitter", 0, 10_000, kind)], 10_050);
    let sent = ran.hit(0, Hit::MessagesDelayed);
    assert_eq!(sent, 999);
    // Mean 4 ms +- 4 standard errors of 73 us.
    let mean = ran.hit(0, Hit::DelayAddedNs) / sent;
    assert!((3_707_000..=4_293_000).contains(&mean), "{mean}");
}

#[test]
fn a_fault_that_hits_nothing_changes_no_hash() {
    let hashes = |plan| {
        let ran = with(plan, 500);
        (0..3).map(|node| ran.0.node_hash(NodeId(node))).collect::<Vec<_>>()
    };
    let quiet = hashes(Vec::new());
    let c = |failure| FaultKind::Resource { nodes: set(&[2]), failure };
    let idle = [
        c(Failure::TornWrites),
        c(Failure::LyingSyncs),
        c(Failure::DiskFull),
        c(Failure::LostWrites(Chance::ALWAYS)),
        c(Failure::MisdirectedWrites(Chance::ALWAYS)),
        c(Failure::BitRot { at_once: 3, every: Some(Law::Exponential { mean: Span::millis(5) }) }),
        c(Failure::QueueLimit(1)),
        c(Failure::Credential(Credential::Valid)),
        FaultKind::Resource { nodes: NodeSet::default(), failure: Failure::ConfigPush(3) },
        FaultKind::Flapping {
            groups: vec![set(&[2]), set(&[0, 1])],
            one_way: false,
            on: Span::millis(7),
            off: Span::millis(5),
        },
        FaultKind::Messages {
            scope: Scope::Between { from: set(&[2]), to: set(&[0, 1]), both: true },
            kind: None,
            effect: Effect::Clog(9),
        },
    ];
    for (place, kind) in idle.into_iter().enumerate() {
        let plan = vec![fault("idle", 50, 400, kind.clone())];
        let ran = with(plan.clone(), 500);
        assert_eq!(ran.0.hits()[0].nonzero().count(), 0, "{place}: {kind:?} hit something");
        assert_eq!(hashes(plan), quiet, "{place}: {kind:?}");
    }
    let hit = vec![fault("seen", 50, 400, c(Failure::ConfigPush(3)))];
    assert_ne!(hashes(hit), quiet, "one that is seen does change a hash");
}

#[test]
fn a_clone_under_every_failure_has_the_same_future() {
    let leak = Leak { rate: 1000, free: 50, pressure: 25, factor: 3.0, restart: Law::Constant(EVERY) };
    let rot = Failure::BitRot { at_once: 1, every: Some(Law::Exponential { mean: Span::millis(5) }) };
    let plan: Arc<[Fault]> = vec![
        b_fails(5, 300, Failure::LyingSyncs),
        b_fails(15, 300, Failure::TornWrites),
        b_fails(20, 280, Failure::MemoryLeak(leak)),
        b_fails(25, 270, rot),
        b_fails(30, 200, Failure::LostWrites(Chance::new(0.5))),
        fault("rush", 40, 300, FaultKind::Load { workload: 0, load: Load::Surge(4.0) }),
    ]
    .into();
    let mut setup = setup(Vec::new());
    setup.plan = plan;
    setup.workloads = vec![workload(Law::Exponential { mean: Span::millis(10) })];
    let mut whole: World<Node, Facts> = World::new(setup, Facts::default());
    whole.run_until(ms(77));
    let mut copy = whole.clone();
    whole.run_until(ms(500));
    for until in [78, 140, 500] {
        copy.run_until(ms(until));
    }
    assert_eq!(whole.trace().hash(), copy.trace().hash());
    assert_eq!(whole.hits(), copy.hits());
}
