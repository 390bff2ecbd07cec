//! Deliveries per CPU second of the whole engine (network, faults armed, keyed decisions, trace hash,
//! counters, CPU costs), and their ratio to a bare loop over the standard heap in the same process.
//!
//! W1: each delivery sends one message to a random node after an exponential delay of mean 1 ms.
//! W3: W1, and each delivery sets a time-out of 100 ms and cancels the previous one.
//! W4: rounds of all-to-all messages.

mod bare;

use std::sync::Arc;

use cpu_time::ThreadTime;
use murphy_sim::{
    Channel, Chance, Context, CpuCost, DiskCost, Effect, Fault, FaultKind, Keep, Law, Limits, Message, NodeId,
    NodeSet, NodeSetup, Process, Scope, Setup, SiteId, Span, Time, TimerId, Topology, World,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    RandomWalk,
    Timeouts,
    Rounds,
}

#[derive(Clone, Copy)]
struct Config {
    work: Work,
    nodes: u32,
    tokens: u32,
}

#[derive(Clone)]
struct Node {
    config: Config,
    timer: Option<TimerId>,
    heard: u32,
}

#[derive(Clone, Copy)]
struct Ping(u64);

impl Message for Ping {
    const KINDS: &'static [&'static str] = &["ping"];
    fn kind(&self) -> usize {
        0
    }
    fn bytes(&self) -> u32 {
        64
    }
    fn digest(&self) -> u64 {
        self.0
    }
}

impl Node {
    fn forward(&self, cx: &mut Context<'_, Node>) {
        let word = cx.rng().word();
        let step = 1 + u32::try_from(murphy_sim::below(word, u64::from(self.config.nodes - 1))).unwrap_or(0);
        cx.send(NodeId((cx.id().0 + step) % self.config.nodes), Ping(word));
    }

    fn everyone(&self, cx: &mut Context<'_, Node>) {
        let me = cx.id();
        let round = u64::from(self.heard);
        cx.broadcast((0..self.config.nodes).map(NodeId).filter(|&node| node != me), Ping(round));
    }
}

impl Process for Node {
    type Config = Config;
    type Message = Ping;
    type Timer = ();
    type Durable = ();

    fn boot(cx: &mut Context<'_, Self>) -> Self {
        let node = Node { config: *cx.config(), timer: None, heard: 0 };
        match node.config.work {
            Work::Rounds => node.everyone(cx),
            Work::RandomWalk | Work::Timeouts => (0..node.config.tokens).for_each(|_| node.forward(cx)),
        }
        node
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, _: NodeId, _: &Ping) {
        match self.config.work {
            Work::RandomWalk => self.forward(cx),
            Work::Timeouts => {
                if let Some(timer) = self.timer.take() {
                    cx.cancel_timer(timer);
                }
                self.timer = Some(cx.set_timer(Span::millis(100), ()));
                self.forward(cx);
            }
            Work::Rounds => {
                self.heard += 1;
                if self.heard.is_multiple_of(self.config.nodes - 1) {
                    self.everyone(cx);
                }
            }
        }
    }

    fn on_timer(&mut self, _: &mut Context<'_, Self>, (): ()) {}
}

fn world(config: Config) -> World<Node, ()> {
    let nodes = (0..config.nodes).map(|i| NodeSetup {
        name: format!("n{i}"),
        site: SiteId(0),
        config,
        cpu: CpuCost::default(),
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
    World::new(
        Setup {
            seed: 1,
            topology: Topology::single("here", Channel::new(Law::Exponential { mean: Span::millis(1) })),
            nodes: nodes.collect(),
            workloads: Vec::new(),
            plan: Arc::new([armed]),
            byzantine: Vec::new(),
            limits: Limits::default(),
            keep: Keep::Nothing,
        },
        (),
    )
}

/// Millions of deliveries per CPU second, after a warm-up.
fn measure(config: Config, deliveries: u64) -> f64 {
    let mut world = world(config);
    let mut until = Time::ZERO + Span::millis(20);
    world.run_until(until);
    let (before, start) = (world.trace().events(), ThreadTime::now());
    while world.trace().events() - before < deliveries {
        until = until + Span::millis(2);
        world.run_until(until);
    }
    (world.trace().events() - before) as f64 / start.elapsed().as_secs_f64() / 1e6
}

fn main() {
    println!("{:14} {:>8} {:>8} {:>7} {:>7}", "workload", "ours M/s", "bare M/s", "ratio", "target");
    let w = |work, nodes, tokens| Config { work, nodes, tokens };
    for (name, config, target) in [
        ("W1 64x16", w(Work::RandomWalk, 64, 16), 1.24),
        ("W1 10k x1", w(Work::RandomWalk, 10_000, 1), 1.57),
        ("W1 10k x100", w(Work::RandomWalk, 10_000, 100), 13.3),
        ("W3 64x16", w(Work::Timeouts, 64, 16), 5.0),
        ("W4 n=64", w(Work::Rounds, 64, 1), 1.68),
        ("W4 n=256", w(Work::Rounds, 256, 1), 2.15),
    ] {
        let deliveries = 4_000_000;
        let ours = measure(config, deliveries);
        let bare = match config.work {
            Work::RandomWalk => bare::w1(config.nodes, config.tokens, deliveries),
            Work::Timeouts => bare::w3(config.nodes, config.tokens, deliveries),
            Work::Rounds => bare::w4(config.nodes, deliveries),
        };
        println!("{name:14} {ours:8.1} {bare:8.1} {:7.2} {target:7.2}", ours / bare);
    }
}
