//! Deliveries per CPU second of the whole engine (network, faults armed, keyed decisions, trace hash,
//! counters), and their ratio to a bare loop over the standard heap in the same process.
//!
//! W1: each delivery sends one message to a random node after an exponential delay of mean 1 ms.
//! W3: W1, and each delivery sets a time-out of 100 ms and cancels the previous one.
//! W4: rounds of all-to-all messages.

mod bare;

use std::sync::Arc;

use cpu_time::ThreadTime;
use murphy_sim::{
    Chance, Channel, Context, CpuCost, DiskCost, Effect, Fault, FaultKind, Keep, Law, Limits, Message,
    NodeId, NodeSet, NodeSetup, Process, Scope, Setup, SiteId, Span, Time, TimerId, Topology, World, below,
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
    cpu: CpuCost,
    nodes: u32,
    tokens: u32,
}

#[derive(Clone)]
struct Node {
    work: Work,
    nodes: u32,
    timer: Option<TimerId>,
    heard: u32,
    round: u32,
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
        let to = u32::try_from(below(word, u64::from(self.nodes - 1))).expect("a node");
        // Any node but itself.
        cx.send(NodeId(to + u32::from(to >= cx.id().0)), Ping(word));
    }

    fn everyone(&self, cx: &mut Context<'_, Node>) {
        let me = cx.id();
        let others = (0..self.nodes).map(NodeId).filter(|&node| node != me);
        cx.broadcast(others, Ping(u64::from(self.round)));
    }
}

impl Process for Node {
    type Config = Config;
    type Message = Ping;
    type Timer = ();
    type Durable = ();

    fn boot(cx: &mut Context<'_, Self>) -> Self {
        let Config { work, nodes, tokens, .. } = *cx.config();
        let node = Node { work, nodes, timer: None, heard: 0, round: 0 };
        match work {
            Work::Rounds => node.everyone(cx),
            Work::RandomWalk | Work::Timeouts => (0..tokens).for_each(|_| node.forward(cx)),
        }
        node
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, _: NodeId, _: &Ping) {
        match self.work {
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
                if self.heard == self.nodes - 1 {
                    self.heard = 0;
                    self.round += 1;
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
        cpu: config.cpu,
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

/// A median of three.
fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut runs = [(); 3].map(|()| run());
    runs.sort_by(f64::total_cmp);
    runs[1]
}

fn main() {
    // A number asks for that many deliveries; `ours` for one run each of ours alone, to profile; other
    // words choose workloads by the start or end of their name.
    let mut asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let deliveries = asked.iter().find_map(|word| word.parse().ok()).unwrap_or(2_000_000);
    let alone = asked.iter().any(|word| word == "ours");
    asked.retain(|word| word != "ours" && word.parse::<u64>().is_err());
    println!("millions of deliveries per CPU second; costed: CPUs that take time for every message");
    println!("workload          ours costed   bare   ratio costed target");
    for (name, work, nodes, tokens, target) in [
        ("W1 64x16", Work::RandomWalk, 64, 16, 1.24),
        ("W1 10k x1", Work::RandomWalk, 10_000, 1, 1.57),
        ("W1 10k x100", Work::RandomWalk, 10_000, 100, 13.3),
        ("W3 64x16", Work::Timeouts, 64, 16, 5.0),
        ("W4 n=64", Work::Rounds, 64, 1, 1.68),
        ("W4 n=256", Work::Rounds, 256, 1, 2.15),
    ] {
        let is_asked = |part: &String| name.starts_with(part) || name.ends_with(part);
        if !asked.is_empty() && !asked.iter().any(is_asked) {
            continue;
        }
        if alone {
            let rate = measure(Config { work, cpu: CpuCost::FREE, nodes, tokens }, deliveries);
            println!("{name:14} {rate:7.1}");
            continue;
        }
        let ours = |cpu| median(|| measure(Config { work, cpu, nodes, tokens }, deliveries));
        let (free, costed) = (ours(CpuCost::FREE), ours(CpuCost::default()));
        let bare = median(|| match work {
            Work::RandomWalk => bare::w1(nodes, tokens, deliveries),
            Work::Timeouts => bare::w3(nodes, tokens, deliveries),
            Work::Rounds => bare::w4(nodes, deliveries),
        });
        let (ratio, with_cost) = (free / bare, costed / bare);
        println!("{name:14} {free:7.1} {costed:6.1} {bare:6.1} {ratio:7.2} {with_cost:6.2} {target:6.2}");
    }
}
