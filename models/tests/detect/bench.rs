//! Small worlds of detectors, and every fact with its time.

use murphy_sim::{
    Chance, Channel, CpuCost, DiskCost, Fact, Fault, FaultKind, Judge, Keep, Law, Limits, NodeId, NodeSetup,
    Process, Setup, SiteId, Span, Stamped, Stop, Time, Topology, Workload, World,
};

/// Every fact with its time and source, and what one more judge makes of them.
#[derive(Clone)]
pub(crate) struct Watch<J> {
    pub(crate) judge: J,
    pub(crate) facts: Vec<(Time, NodeId, Fact)>,
}

impl<J: Judge> Judge for Watch<J> {
    fn observe(&mut self, said: &Stamped) {
        self.judge.observe(said);
        self.facts.push((said.at, said.node, said.fact));
    }
}

/// What a small world depends on: constant delays, and CPUs that take no time.
#[derive(Clone, Debug)]
pub(crate) struct Bench<C> {
    pub(crate) seed: u64,
    pub(crate) configs: Vec<C>,
    pub(crate) channel: Channel,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) plan: Vec<Fault>,
}

impl<C: Clone> Bench<C> {
    pub(crate) fn new(seed: u64, delay: Span, configs: Vec<C>) -> Bench<C> {
        let channel = Channel::new(Law::Constant(delay));
        Bench { seed, configs, channel, workloads: Vec::new(), plan: Vec::new() }
    }

    pub(crate) fn losing(mut self, probability: f64) -> Bench<C> {
        self.channel.drop = Chance::new(probability);
        self
    }

    /// A crash of one node between two times in milliseconds.
    pub(crate) fn crash(self, node: u32, from: u64, to: u64) -> Bench<C> {
        let nodes = std::iter::once(NodeId(node)).collect();
        self.fault(FaultKind::Crash { nodes, amnesia: false }, from, to)
    }

    pub(crate) fn fault(mut self, kind: FaultKind, from: u64, to: u64) -> Bench<C> {
        let name = format!("fault-{}", self.plan.len());
        let (start, end) = (Time(from * 1_000_000), Time(to.saturating_mul(1_000_000)));
        self.plan.push(Fault { name, start, end, kind });
        self
    }

    /// Runs for so many milliseconds.
    pub(crate) fn run<P: Process<Config = C>, J: Judge>(self, ms: u64, judge: J) -> World<P, Watch<J>> {
        let node = |(index, config)| NodeSetup {
            name: format!("n{index}"),
            site: SiteId(0),
            config,
            cpu: CpuCost::FREE,
            disk: DiskCost::FREE,
            clock_offset_ns: 0,
            drift_ppb: 0,
        };
        let setup = Setup {
            seed: self.seed,
            topology: Topology::single("lan", self.channel),
            nodes: self.configs.into_iter().enumerate().map(node).collect(),
            workloads: self.workloads,
            plan: self.plan.into(),
            byzantine: Vec::new(),
            limits: Limits::default(),
            keep: Keep::Nothing,
        };
        let mut world = World::new(setup, Watch { judge, facts: Vec::new() });
        assert_eq!(world.run_until(Time(ms * 1_000_000)), Stop::Reached);
        world
    }
}

/// Names `n0`, `n1`… as the bench gives them.
pub(crate) fn names(n: u32) -> std::sync::Arc<[String]> {
    (0..n).map(|index| format!("n{index}")).collect()
}

/// Sum of the samples of a metric.
pub(crate) fn total(facts: &[(Time, NodeId, Fact)], wanted: u16) -> u64 {
    let value = |(_, _, fact): &(Time, NodeId, Fact)| match *fact {
        Fact::Sample { metric, value } if metric == wanted => value,
        _ => 0,
    };
    facts.iter().map(value).sum()
}
