//! Plain components: nodes that do nothing but be up or down, to measure availability of a fault plan.
//!
//! A hazard (MTTF and MTTR, a real failure trace) acts on them as on any node, and what comes out is
//! what reliability theory speaks of: availability, time to failure, time to repair.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Dimension, KindInfo, MetricInfo, MetricKind, MetricRecord, ModelInfo, Oracles, PropertyRecord, Protocol,
    System,
};
use murphy_sim::{Context, Fact, Judge, Message, NodeId, Process, Stamped};

const UNIT: &str = "component.unit";
/// Names of the metrics, in the order of [`ComponentOracles::metrics`].
const UP: &str = "up";
const FAILURES: &str = "failures";
const REPAIR_TIME: &str = "repair_time";
const TIME_TO_FAILURE: &str = "time_to_failure";

/// A node without behaviour.
#[derive(Clone, Debug)]
pub struct Component;

/// Components say nothing to each other.
#[derive(Clone, Debug)]
pub enum Silence {}

impl Message for Silence {
    const KINDS: &'static [&'static str] = &[];

    fn kind(&self) -> usize {
        match *self {}
    }

    fn bytes(&self) -> u32 {
        match *self {}
    }

    fn digest(&self) -> u64 {
        match *self {}
    }
}

impl Process for Component {
    type Config = ();
    type Message = Silence;
    type Timer = ();
    type Durable = ();

    fn boot(_cx: &mut Context<'_, Self>) -> Component {
        Component
    }

    fn on_message(&mut self, _cx: &mut Context<'_, Self>, _from: NodeId, message: &Silence) {
        match *message {}
    }

    fn on_timer(&mut self, _cx: &mut Context<'_, Self>, (): ()) {}
}

impl Protocol for Component {
    type Process = Component;
    type Oracles = ComponentOracles;

    fn info() -> ModelInfo {
        let metric = |name, about, dimension, kind| MetricInfo { name, about, dimension, kind };
        ModelInfo {
            name: "component",
            about: "plain components that are up or down: availability, time to failure, time to repair",
            kinds: vec![KindInfo {
                name: UNIT,
                about: "is up until a fault takes it down",
                client: false,
                params: Vec::new(),
            }],
            metrics: vec![
                metric(
                    UP,
                    "1 while a component is up, 0 while it is down: its mean over time is availability",
                    Dimension::One,
                    MetricKind::Gauge,
                ),
                metric(FAILURES, "times that a component went down", Dimension::One, MetricKind::Counter),
                metric(
                    REPAIR_TIME,
                    "time from going down to being up again",
                    Dimension::Time,
                    MetricKind::Distribution,
                ),
                metric(
                    TIME_TO_FAILURE,
                    "time from the start or the last repair to going down",
                    Dimension::Time,
                    MetricKind::Distribution,
                ),
            ],
            ..ModelInfo::default()
        }
    }

    fn configure(_system: &System, _node: &NodeSpec) {}

    fn oracles(system: &System) -> ComponentOracles {
        ComponentOracles::new(system.nodes.len())
    }
}

/// Measures how long each component is up and down.
#[derive(Clone, Debug)]
pub struct ComponentOracles {
    /// By node: when it last went down or came up.
    since_ns: Vec<u64>,
    /// Samples by metric: time, node, value.
    up: Vec<(u64, u32, f64)>,
    failures: Vec<(u64, u32, f64)>,
    repair_time: Vec<(u64, u32, f64)>,
    time_to_failure: Vec<(u64, u32, f64)>,
}

impl ComponentOracles {
    fn new(nodes: usize) -> ComponentOracles {
        let count = u32::try_from(nodes).expect("fewer than 2^32 nodes");
        ComponentOracles {
            since_ns: vec![0; nodes],
            // All are up at the start, so that one that never fails counts.
            up: (0..count).map(|node| (0, node, 1.0)).collect(),
            failures: Vec::new(),
            repair_time: Vec::new(),
            time_to_failure: Vec::new(),
        }
    }
}

impl Judge for ComponentOracles {
    fn observe(&mut self, said: &Stamped) {
        let (at_ns, node) = (said.at.0, said.node.0);
        let since_ns = &mut self.since_ns[said.node.index()];
        let lasted_ns = (at_ns - *since_ns) as f64;
        match said.fact {
            Fact::Crash => {
                *since_ns = at_ns;
                self.up.push((at_ns, node, 0.0));
                self.failures.push((at_ns, node, 1.0));
                self.time_to_failure.push((at_ns, node, lasted_ns));
            }
            Fact::Restart => {
                *since_ns = at_ns;
                self.up.push((at_ns, node, 1.0));
                self.repair_time.push((at_ns, node, lasted_ns));
            }
            _ => {}
        }
    }
}

impl Oracles for ComponentOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        Vec::new()
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        let record = |name: &str, unit: &str, kind, samples: &mut Vec<(u64, u32, f64)>| MetricRecord {
            name: name.to_owned(),
            unit: unit.to_owned(),
            kind,
            samples: std::mem::take(samples),
        };
        vec![
            record(UP, "1", MetricKind::Gauge, &mut self.up),
            record(FAILURES, "1", MetricKind::Counter, &mut self.failures),
            record(REPAIR_TIME, "ns", MetricKind::Distribution, &mut self.repair_time),
            record(TIME_TO_FAILURE, "ns", MetricKind::Distribution, &mut self.time_to_failure),
        ]
    }
}
