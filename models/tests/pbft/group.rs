//! A group of replicas and its clients, for one run.

use std::sync::Arc;

use murphy_models::consensus::{Ask, ClientOptions, GET, Group, PUT};
use murphy_models::oracle::{ConsensusOracles, OracleVerdict, PROPERTIES};
use murphy_models::pbft::{Bug, Config, Options, Pbft, PbftMessage, Replica};
use murphy_scenarios::Effect;
use murphy_sim::{
    Chance, Channel, CpuCost, DiskCost, Fact, Fault, FaultKind, Judge, Keep, Law, Limits, Message, NodeId,
    NodeSet, NodeSetup, Setup, SiteId, Span, Stamped, Stop, Time, Topology, Workload, World,
};

/// What a run depends on; clients come after the replicas in the roster.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) replicas: u32,
    pub(crate) clients: u32,
    pub(crate) channel: Channel,
    /// Whether CPU and disk take time.
    pub(crate) costs: bool,
    /// Time between two requests, over all clients.
    pub(crate) gap: Law,
    pub(crate) keys: u64,
    pub(crate) options: Options,
    pub(crate) client: ClientOptions,
    pub(crate) plan: Vec<Fault>,
    /// The property whose violation ends the run; any of them by default.
    pub(crate) stop_on: Option<&'static str>,
}

/// Oracles, and every fact with its time.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) oracles: ConsensusOracles,
    pub(crate) facts: Vec<(Time, NodeId, Fact)>,
}

impl Judge for Watch {
    fn observe(&mut self, said: &Stamped) {
        self.oracles.observe(said);
        self.facts.push((said.at, said.node, said.fact));
    }

    fn wants_stop(&self) -> bool {
        self.oracles.wants_stop()
    }
}

pub(crate) type Run = World<Pbft, Watch>;

impl Case {
    /// A network, CPUs and disks as they are, and 200 requests a second of eight clients.
    pub(crate) fn new(replicas: u32, seed: u64) -> Case {
        let latency = Law::LogNormal { median: Span::millis(2), sigma: 0.4 };
        Case {
            seed,
            replicas,
            clients: 8,
            channel: Channel::new(latency),
            costs: true,
            gap: Law::Exponential { mean: Span::millis(5) },
            keys: 16,
            options: Options::default(),
            client: ClientOptions::default(),
            plan: Vec::new(),
            stop_on: None,
        }
    }

    /// Constant delays of `d`, nothing else takes time, and one request every `gap` of one client.
    pub(crate) fn ideal(replicas: u32, d: Span, gap: Span) -> Case {
        let options = Options { status_interval: Span::secs(1_000_000), ..Options::default() };
        Case {
            clients: 1,
            channel: Channel::new(Law::Constant(d)),
            costs: false,
            gap: Law::Constant(gap),
            options,
            ..Case::new(replicas, 1)
        }
    }

    pub(crate) fn lossy(mut self) -> Case {
        self.channel.drop = Chance::new(0.05);
        self.channel.duplicate = Chance::new(0.05);
        self.channel.reorder = Chance::new(0.1);
        self.channel.reorder_by = Law::Exponential { mean: Span::millis(10) };
        self
    }

    pub(crate) fn with_bug(mut self, bug: Bug) -> Case {
        self.options.bug = Some(bug);
        if bug == Bug::LocalRead {
            self.client.ask = Ask::LeaderAndReadsAnyone;
        }
        self
    }

    pub(crate) fn crash(self, nodes: impl IntoIterator<Item = u32>, from: u64, to: u64) -> Case {
        let nodes = set(nodes);
        self.fault(FaultKind::Crash { nodes, amnesia: false }, from, to)
    }

    /// Cuts the network between groups; nodes in none of them reach everyone.
    pub(crate) fn partition(self, groups: &[&[u32]], from: u64, to: u64) -> Case {
        let groups = groups.iter().map(|group| set(group.iter().copied())).collect();
        self.fault(FaultKind::Partition { groups, one_way: false }, from, to)
    }

    /// A fault between two times in milliseconds.
    pub(crate) fn fault(mut self, kind: FaultKind, from: u64, to: u64) -> Case {
        let name = format!("fault-{}", self.plan.len());
        let (start, end) = (Time(from * 1_000_000), Time(to.saturating_mul(1_000_000)));
        self.plan.push(Fault { name, start, end, kind });
        self
    }

    pub(crate) fn nodes(&self) -> u32 {
        self.replicas + self.clients
    }

    pub(crate) fn world(&self) -> Run {
        let group = Group::new(&(0..self.replicas).map(NodeId).collect::<Vec<_>>(), None);
        let nodes: Vec<_> = (0..self.nodes())
            .map(|node| {
                let replica = node < self.replicas;
                let config = if replica {
                    Config::Replica { group: group.clone(), options: self.options }
                } else {
                    Config::Client { group: group.clone(), options: self.client }
                };
                NodeSetup {
                    name: if replica { format!("r{node}") } else { format!("c{}", node - self.replicas) },
                    site: SiteId(0),
                    config,
                    cpu: if self.costs { CpuCost::default() } else { CpuCost::FREE },
                    disk: if self.costs { DiskCost::default() } else { DiskCost::FREE },
                    clock_offset_ns: 0,
                    drift_ppb: 0,
                }
            })
            .collect();
        let names: Arc<[String]> = nodes.iter().map(|node| node.name.clone()).collect();
        let workload = Workload {
            name: "kv".into(),
            clients: (self.replicas..self.nodes()).map(NodeId).collect(),
            arrivals: self.gap.clone().into(),
            operations: vec![(PUT, 0.5), (GET, 0.5)],
            keys: self.keys.into(),
            probe: None,
        };
        let setup = Setup {
            seed: self.seed,
            topology: Topology::single("lan", self.channel.clone()),
            nodes,
            workloads: vec![workload],
            plan: self.plan.clone().into(),
            byzantine: Vec::new(),
            limits: Limits::default(),
            keep: Keep::Nothing,
        };
        let abort_on = PROPERTIES.map(|property| self.stop_on.is_none_or(|only| only == property));
        let oracles = ConsensusOracles::new(&names, &[Effect::Write, Effect::Read], abort_on);
        World::new(setup, Watch { oracles, facts: Vec::new() })
    }

    /// Runs for so many milliseconds.
    pub(crate) fn run(&self, ms: u64) -> Run {
        let mut world = self.world();
        let stop = world.run_until(at(ms));
        assert!(matches!(stop, Stop::Reached | Stop::Judge), "{stop:?}");
        world
    }
}

pub(crate) fn set(nodes: impl IntoIterator<Item = u32>) -> NodeSet {
    nodes.into_iter().map(NodeId).collect()
}

pub(crate) fn at(ms: u64) -> Time {
    Time(ms * 1_000_000)
}

/// Messages of a kind so far.
pub(crate) fn sent(world: &Run, kind: &str) -> u64 {
    let kind = PbftMessage::KINDS.iter().position(|known| *known == kind).expect("a kind");
    world.sent()[kind].count
}

pub(crate) fn replica(world: &Run, node: u32) -> &Replica {
    match world.process(NodeId(node)) {
        Some(Pbft::Replica(replica)) => replica,
        other => panic!("r{node} is {other:?}"),
    }
}

/// Times at which requests were completed, after `since` milliseconds.
pub(crate) fn completed(world: &Run, since: u64) -> usize {
    let facts = &world.judge().facts;
    facts.iter().filter(|(time, _, fact)| *time > at(since) && matches!(fact, Fact::Complete { .. })).count()
}

/// From the arrival of each request to its completion.
pub(crate) fn latencies(world: &Run) -> Vec<Span> {
    let mut arrivals = Vec::new();
    let mut spans = Vec::new();
    for (time, _, fact) in &world.judge().facts {
        match fact {
            Fact::Arrive(request) => arrivals.push((request.id, *time)),
            Fact::Complete { request, .. } => {
                let (_, arrived) = arrivals.iter().find(|(id, _)| id == request).expect("it arrived");
                spans.push(*time - *arrived);
            }
            _ => {}
        }
    }
    spans
}

/// Which properties do not hold.
pub(crate) fn violated(world: &Run) -> Vec<&'static str> {
    let oracles = &world.judge().oracles;
    PROPERTIES.into_iter().zip(oracles.violated()).filter(|(_, bad)| *bad).map(|(name, _)| name).collect()
}

/// All five properties hold, and were looked at.
pub(crate) fn check_safe(world: &Run, what: &str) {
    for (property, verdict) in PROPERTIES.iter().zip(world.judge().oracles.verdicts()) {
        assert_eq!(verdict, OracleVerdict::Held, "{what}: {property}");
    }
    let checked = world.judge().oracles.checked();
    assert!(checked.iter().all(|n| *n > 0), "{what}: an oracle saw nothing: {checked:?}");
}

/// All replicas are up, in one view, and have executed nearly the same.
pub(crate) fn check_together(world: &Run, replicas: u32, within: u64) {
    let executed: Vec<_> = (0..replicas).map(|node| replica(world, node).executed()).collect();
    let (least, most) = (executed.iter().min().unwrap(), executed.iter().max().unwrap());
    assert!(most - least <= within, "executed: {executed:?}");
}
