//! A toy process on which every kind of fault acts: node `a` sends a number to `b` every 10 ms; it takes
//! 1 ms, `b` writes it, and a sync takes 1 ms.

use murphy_sim::{
    Channel, Context, CpuCost, DiskCost, DiskOp, DiskResult, Durable, Fact, Failure, Fault, FaultKind, Hit,
    Judge, Keep, Law, Limits, Message, NodeId, NodeSet, NodeSetup, Pool, Process, Request, Setup, SiteId,
    Span, Stamped, Stop, Time, Topology, World,
};

#[derive(Clone)]
pub(crate) struct Node(u64);

#[derive(Clone)]
pub(crate) struct Number {
    value: u64,
    sealed: bool,
}

#[derive(Clone, Copy)]
pub(crate) struct Config {
    pub(crate) to: Option<NodeId>,
    pub(crate) sync: bool,
    /// A sum covers what it sends.
    pub(crate) sealed: bool,
    /// Slots of its pool of threads; each write takes one until its sync ends. None without a pool.
    pub(crate) threads: Option<u64>,
}

/// What became of each write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Whole(u64),
    Torn(u64),
    Rotten,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Vec<Entry>);

impl Durable for Log {
    type Write = u64;
    fn apply(&mut self, write: &u64) {
        self.0.push(Entry::Whole(*write));
    }
    fn apply_torn(&mut self, write: &u64, _: u64) {
        self.0.push(Entry::Torn(*write));
    }
    fn rot(&mut self, word: u64, _: Time) -> bool {
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
        self.value
    }
    fn corrupted(&self, word: u64) -> Option<Number> {
        (!self.sealed).then_some(Number { value: self.value ^ (256 << (word % 8)), sealed: false })
    }
}

pub(crate) const HEARD: u16 = 0;
pub(crate) const RESTORED: u16 = 1;
pub(crate) const SYNCED: u16 = 2;
pub(crate) const FULL: u16 = 3;
pub(crate) const ASKED: u16 = 4;
pub(crate) const CLOCK: u16 = 5;
pub(crate) const CONFIG: u16 = 6;
pub(crate) const CREDENTIAL: u16 = 7;
pub(crate) const LEAKED: u16 = 8;
pub(crate) const TURNED_AWAY: u16 = 9;
pub(crate) const EVERY: Span = Span::millis(10);

pub(crate) fn own(kind: u16, a: u64) -> Fact {
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
        let Config { sync, threads, .. } = *cx.config();
        if threads.is_some_and(|slots| !cx.acquire(Pool::Threads, 0, slots)) {
            cx.fact(own(TURNED_AWAY, message.value));
            return;
        }
        cx.write(message.value, 8);
        if sync {
            cx.sync();
        }
        cx.fact(own(HEARD, message.value));
    }

    fn on_timer(&mut self, cx: &mut Context<'_, Self>, (): ()) {
        self.0 += 1;
        if let Some(to) = cx.config().to {
            let sealed = cx.config().sealed;
            cx.send(to, Number { value: self.0, sealed });
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
        if cx.config().threads.is_some() {
            cx.release(Pool::Threads, 0);
        }
        cx.fact(own(if result == DiskResult::Full { FULL } else { SYNCED }, op.0));
    }

    fn on_request(&mut self, cx: &mut Context<'_, Self>, request: Request) {
        cx.fact(Fact::Own { kind: ASKED, a: request.operation.key, b: u64::from(request.operation.kind) });
    }
}

#[derive(Clone, Default)]
pub(crate) struct Facts(pub(crate) Vec<Stamped>);

impl Judge for Facts {
    fn observe(&mut self, said: &Stamped) {
        self.0.push(*said);
    }
}

pub(crate) fn ms(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

pub(crate) fn set(nodes: &[u32]) -> NodeSet {
    nodes.iter().map(|&node| NodeId(node)).collect()
}

pub(crate) fn node(name: &str, to: Option<u32>) -> NodeSetup<Config> {
    NodeSetup {
        name: name.to_owned(),
        site: SiteId(0),
        config: Config { to: to.map(NodeId), sync: true, sealed: true, threads: None },
        cpu: CpuCost::FREE,
        disk: DiskCost { sync: Span::millis(1), ..DiskCost::FREE },
        clock_offset_ns: 0,
        drift_ppb: 0,
    }
}

pub(crate) fn setup(plan: Vec<Fault>) -> Setup<Config> {
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

pub(crate) fn fault(name: &str, from: u64, to: u64, kind: FaultKind) -> Fault {
    Fault { name: name.to_owned(), start: ms(from), end: ms(to), kind }
}

/// `b`'s resource fails.
pub(crate) fn b_fails(from: u64, to: u64, failure: Failure) -> Fault {
    fault("failure", from, to, FaultKind::Resource { nodes: set(&[1]), failure })
}

pub(crate) fn b_crashes(from: u64, to: u64) -> Fault {
    fault("crash", from, to, FaultKind::Crash { nodes: set(&[1]), amnesia: false })
}

/// One run of a setup.
pub(crate) struct Ran(pub(crate) World<Node, Facts>);

pub(crate) fn run(setup: Setup<Config>, until: u64) -> Ran {
    let mut world = World::new(setup, Facts::default());
    assert_eq!(world.run_until(ms(until)), Stop::Reached);
    Ran(world)
}

pub(crate) fn with(plan: Vec<Fault>, until: u64) -> Ran {
    run(setup(plan), until)
}

impl Ran {
    pub(crate) fn hit(&self, fault: usize, hit: Hit) -> u64 {
        self.0.hits()[fault].get(hit)
    }

    /// (milliseconds, value) of what a node said of one kind.
    pub(crate) fn said(&self, node: u32, kind: u16) -> Vec<(u64, u64)> {
        let facts = self.0.judge().0.iter().filter(|said| said.node == NodeId(node));
        facts
            .filter_map(|said| match said.fact {
                Fact::Own { kind: k, a, .. } if k == kind => Some((said.at.0 / 1_000_000, a)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn values(&self, node: u32, kind: u16) -> Vec<u64> {
        self.said(node, kind).into_iter().map(|(_, value)| value).collect()
    }

    /// Writes that `b` found on its disk at its last boot.
    pub(crate) fn restored(&self) -> u64 {
        self.values(1, RESTORED).last().copied().unwrap()
    }
}
