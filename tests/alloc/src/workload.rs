//! W1, W3 and W4, as the engine's benchmark runs them, and nodes that gossip or idle.

use std::sync::Arc;

use murphy_sim::{
    Chance, Channel, Context, CpuCost, DiskCost, Effect, Fault, FaultKind, Keep, Law, Limits, Message,
    NodeId, NodeSet, NodeSetup, Process, Scope, Setup, SiteId, Span, Time, TimerId, Topology, World, below,
};

/// What the nodes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing at all.
    Idle,
    /// W1: each delivery sends one message to a random node.
    RandomWalk,
    /// W3: W1, and each delivery sets a time-out and cancels the previous one.
    Timeouts,
    /// W4: rounds of all-to-all messages.
    Rounds,
    /// Every 10 ms a message to a random node, and an acknowledgement.
    Gossip,
}

/// A node's parameters.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// What it does.
    pub work: Work,
    /// How many there are.
    pub nodes: u32,
    /// Messages in flight for each, in W1 and W3.
    pub tokens: u32,
}

/// A node of any of the workloads.
#[derive(Clone)]
pub struct Node {
    work: Work,
    timer: Option<TimerId>,
    heard: u32,
}

/// A message that says nothing, or is an acknowledgement.
#[derive(Clone, Copy)]
pub struct Ping(bool);

impl Message for Ping {
    const KINDS: &'static [&'static str] = &["ping"];
    fn kind(&self) -> usize {
        0
    }
    fn bytes(&self) -> u32 {
        64
    }
    fn digest(&self) -> u64 {
        u64::from(self.0)
    }
}

fn forward(cx: &mut Context<'_, Node>) {
    let others = u64::from(cx.config().nodes - 1);
    let to = u32::try_from(below(cx.rng().word(), others)).expect("a node");
    let to = NodeId(to + u32::from(to >= cx.id().0));
    cx.send(to, Ping(false));
}

fn everyone(cx: &mut Context<'_, Node>) {
    let (me, nodes) = (cx.id(), cx.config().nodes);
    cx.broadcast((0..nodes).map(NodeId).filter(|&node| node != me), Ping(false));
}

impl Process for Node {
    type Config = Config;
    type Message = Ping;
    type Timer = ();
    type Durable = ();

    fn boot(cx: &mut Context<'_, Self>) -> Self {
        let Config { work, tokens, .. } = *cx.config();
        match work {
            Work::Idle => {}
            Work::Rounds => everyone(cx),
            Work::RandomWalk | Work::Timeouts => (0..tokens).for_each(|_| forward(cx)),
            Work::Gossip => {
                let phase = cx.rng().below(10_000_000);
                cx.set_timer(Span(phase), ());
            }
        }
        Node { work, timer: None, heard: 0 }
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, from: NodeId, message: &Ping) {
        match self.work {
            Work::Idle => {}
            Work::RandomWalk => forward(cx),
            Work::Timeouts => {
                if let Some(timer) = self.timer.take() {
                    cx.cancel_timer(timer);
                }
                self.timer = Some(cx.set_timer(Span::millis(100), ()));
                forward(cx);
            }
            Work::Rounds => {
                self.heard += 1;
                if self.heard == cx.config().nodes - 1 {
                    self.heard = 0;
                    everyone(cx);
                }
            }
            Work::Gossip => {
                if !message.0 {
                    cx.send(from, Ping(true));
                }
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Context<'_, Self>, (): ()) {
        if self.work == Work::Gossip {
            forward(cx);
            cx.set_timer(Span::millis(10), ());
        }
    }
}

/// A world of equal nodes on one site, with exponential latencies of mean 1 ms, a fault that is armed
/// and hits nothing, and the faults of `plan`.
pub fn world(config: Config, cpu: CpuCost, plan: Vec<Fault>) -> World<Node, ()> {
    let nodes = (0..config.nodes).map(|i| NodeSetup {
        name: format!("n{i}"),
        site: SiteId(0),
        config,
        cpu,
        disk: DiskCost::default(),
        clock_offset_ns: 0,
        drift_ppb: 0,
    });
    let nobody = Scope::Between { from: NodeSet::default(), to: NodeSet::default(), both: false };
    let armed = Fault {
        name: "armed".to_owned(),
        start: Time::ZERO,
        end: Time::MAX,
        kind: FaultKind::Messages { scope: nobody, kind: None, effect: Effect::Drop(Chance::ALWAYS) },
    };
    let plan: Arc<[Fault]> = [armed].into_iter().chain(plan).collect();
    let setup = Setup {
        seed: 1,
        topology: Topology::single("here", Channel::new(Law::Exponential { mean: Span::millis(1) })),
        nodes: nodes.collect(),
        workloads: Vec::new(),
        plan,
        byzantine: Vec::new(),
        limits: Limits::default(),
        keep: Keep::Nothing,
    };
    World::new(setup, ())
}
