//! How a model comes in: one object-safe trait between the runner and what is simulated, and a
//! static one that protocols implement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use murphy_reports::{End, MessageCount, MetricRecord, PropertyRecord, RunRecord, Verdict};
use murphy_sim::{Judge, Keep, NodeId, Process, Span, Stop, Time, Trace, World};

use crate::build;
use crate::describe::ModelInfo;
use crate::expect::{Check, Condition};
use crate::language::{NodeSpec, Place, Scenario};
use crate::observer::Observer;

/// What the runner knows of a model: erased once a run, static inside.
pub trait Model: Send + Sync {
    /// How the model describes itself.
    fn info(&self) -> &ModelInfo;

    /// Mistakes in a scenario that only this model can see.
    fn check(&self, scenario: &Scenario) -> Vec<Problem>;

    /// One run, ready to start.
    fn prepare(&self, scenario: &Arc<Scenario>, seed: u64, keep: Keep) -> Box<dyn Run>;
}

/// One run of one scenario with one seed.
pub trait Run {
    /// Simulates to the end and hands over what was measured; `None` when `stop` became true before.
    fn finish(self: Box<Self>, stop: &AtomicBool) -> Option<RunRecord>;
}

/// A mistake in a scenario that a model found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the text that is wrong stands.
    pub place: Place,
    /// What is wrong, what was expected, and what would do.
    pub message: String,
}

/// A protocol: a process, its oracles, and its description. Every protocol is a [`Model`].
pub trait Protocol: Send + Sync + 'static {
    /// The nodes.
    type Process: Process;
    /// The judges of its properties.
    type Oracles: Oracles;

    /// Kinds of nodes, parameters, operations, metrics, properties.
    fn info() -> ModelInfo;

    /// Mistakes that only this protocol can see; the default sees none.
    fn check(_system: &System) -> Vec<Problem> {
        Vec::new()
    }

    /// What one node is told at every boot.
    fn configure(system: &System, node: &NodeSpec) -> <Self::Process as Process>::Config;

    /// The judges of one run.
    fn oracles(system: &System) -> Self::Oracles;
}

/// The judges of a protocol's properties, all in one.
pub trait Oracles: Judge {
    /// The verdict on every declared property, in the order of [`ModelInfo::properties`], and after
    /// them `linearizable(NAME)` for each workload that the protocol judges so.
    fn verdicts(&mut self) -> Vec<PropertyRecord>;

    /// Told once, before [`Oracles::metrics`]: the messages of the whole run, by kind.
    fn sent(&mut self, _messages: &[MessageCount]) {}

    /// Samples that only an observer of several nodes can take, such as the time from one node's
    /// crash to another's suspicion. Each record has the name of a metric in [`ModelInfo::metrics`].
    fn metrics(&mut self) -> Vec<MetricRecord> {
        Vec::new()
    }
}

/// A protocol without properties of its own.
impl Oracles for () {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        Vec::new()
    }
}

/// The system that a protocol is configured for: the scenario, and its roster with the probes' clients.
#[derive(Clone, Debug)]
pub struct System {
    /// The scenario at one point.
    pub scenario: Arc<Scenario>,
    /// The roster: the scenario's nodes, then one client for each workload that is probed.
    pub nodes: Vec<NodeSpec>,
    /// Names in roster order.
    pub names: Arc<[String]>,
    /// Properties whose first violation ends the run.
    pub abort: Vec<String>,
}

impl System {
    /// The system of a scenario.
    pub fn new(scenario: &Arc<Scenario>) -> System {
        let nodes = build::roster(scenario);
        let names = nodes.iter().map(|node| node.name.clone()).collect();
        let abort = build::aborting_properties(scenario);
        System { scenario: Arc::clone(scenario), nodes, names, abort }
    }

    /// The nodes of one kind, in roster order.
    pub fn of_kind(&self, kind: &str) -> Vec<NodeId> {
        self.nodes.iter().filter(|node| node.kind == kind).map(|node| build::node_id(node.index)).collect()
    }

    /// The time that `eventually(property, TIME)` allows, or the whole run without one; `None` when no
    /// expectation asks for the property.
    pub fn bound_of(&self, property: &str) -> Option<Span> {
        self.scenario.expectations.iter().find_map(|expectation| match &expectation.condition {
            Condition::Property { check: Check::Eventually, name, within, .. } if name == property => {
                Some(within.unwrap_or(self.scenario.duration))
            }
            _ => None,
        })
    }

    /// Whether the first violation of a property ends the run.
    pub fn aborts_on(&self, property: &str) -> bool {
        self.abort.iter().any(|name| name == property)
    }
}

/// A protocol as a model.
pub(crate) struct ProtocolModel<P: Protocol> {
    info: ModelInfo,
    protocol: std::marker::PhantomData<fn() -> P>,
}

impl<P: Protocol> ProtocolModel<P> {
    pub(crate) fn new() -> ProtocolModel<P> {
        ProtocolModel { info: P::info(), protocol: std::marker::PhantomData }
    }
}

/// The model that a protocol makes.
pub fn model<P: Protocol>() -> Box<dyn Model> {
    Box::new(ProtocolModel::<P>::new())
}

impl<P: Protocol> Model for ProtocolModel<P> {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn check(&self, scenario: &Scenario) -> Vec<Problem> {
        P::check(&System::new(&Arc::new(scenario.clone())))
    }

    fn prepare(&self, scenario: &Arc<Scenario>, seed: u64, keep: Keep) -> Box<dyn Run> {
        let system = System::new(&crate::hazard::expanded(scenario, seed));
        let setup = build::setup::<P>(&system, &self.info, seed, keep);
        let judge = (Observer::new(&system, &self.info), P::oracles(&system));
        Box::new(ProtocolRun::<P> { world: World::new(setup, judge), system, info: self.info.clone(), seed })
    }
}

struct ProtocolRun<P: Protocol> {
    world: World<P::Process, (Observer, P::Oracles)>,
    system: System,
    info: ModelInfo,
    seed: u64,
}

impl<P: Protocol> Run for ProtocolRun<P> {
    fn finish(mut self: Box<Self>, stop: &AtomicBool) -> Option<RunRecord> {
        let scenario = Arc::clone(&self.system.scenario);
        let stop = run_in_slices(&mut self.world, Time::ZERO.saturating_add(scenario.duration), stop)?;
        let at_ns = self.world.now().0;
        let trace_hash = murphy_sim::fold(self.world.trace().hash(), self.world.trace().fault_hash());
        let events = self.world.trace().events();
        let prefixes = prefixes(self.world.trace());
        let node_hashes = self
            .system
            .nodes
            .iter()
            .map(|node| (node.name.clone(), self.world.node_hash(build::node_id(node.index))))
            .collect();
        let messages = build::message_counts(&self.info, self.world.sent());
        let faults = build::fault_records(&scenario, &self.world.hits());
        let (observer, mut oracles) = self.world.into_judge();
        let properties = oracles.verdicts();
        oracles.sent(&messages);
        let end = match stop {
            Stop::Reached => End::Finished,
            Stop::Judge => aborted(&properties, &self.system.abort, at_ns),
            Stop::Events => limit("events", at_ns),
            Stop::Bytes => limit("bytes", at_ns),
            Stop::ZeroTimeLoop => limit("zero-time loop", at_ns),
        };
        let mut seen = observer.finish();
        add_samples(&mut seen.metrics, oracles.metrics());
        Some(RunRecord {
            scenario: scenario.name.clone(),
            point: scenario.point.clone(),
            seed: self.seed,
            duration_ns: scenario.duration.0,
            warmup_ns: scenario.warmup.0,
            end,
            trace_hash,
            prefixes,
            node_hashes,
            events,
            messages,
            workloads: build::workload_infos(&scenario),
            requests: seen.requests,
            probes: seen.probes,
            marks: seen.marks,
            faults,
            properties,
            metrics: seen.metrics,
        })
    }
}

/// Prefix hashes at evenly spread events, at most [`RunRecord::PREFIXES`].
fn prefixes(trace: &Trace) -> Vec<(u64, u64)> {
    let (hashes, stride) = trace.prefixes();
    let step = hashes.len().div_ceil(RunRecord::PREFIXES).next_power_of_two();
    let numbered = (1..).map(|ordinal: u64| ordinal * stride).zip(hashes.iter().copied());
    numbered.skip(step - 1).step_by(step).collect()
}

/// Adds what oracles measured to what nodes said about themselves.
fn add_samples(metrics: &mut [MetricRecord], measured: Vec<MetricRecord>) {
    for more in measured {
        let record = metrics.iter_mut().find(|record| record.name == more.name);
        let record = record.unwrap_or_else(|| panic!("the model declares no metric `{}`", more.name));
        record.samples.extend(more.samples);
        record.samples.sort_by_key(|&(at_ns, node, _)| (at_ns, node));
    }
}

/// Runs to `end`, and looks now and then whether it should give up. Where a slice ends changes nothing.
fn run_in_slices<P: Process, J: Judge>(
    world: &mut World<P, J>,
    end: Time,
    stop: &AtomicBool,
) -> Option<Stop> {
    const SLICES: u64 = 1000;
    for slice in 1..=SLICES {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let until = if slice == SLICES { end } else { Time(end.0 / SLICES * slice) };
        match world.run_until(until) {
            Stop::Reached => {}
            other => return Some(other),
        }
    }
    Some(Stop::Reached)
}

fn limit(limit: &str, at_ns: u64) -> End {
    End::Limit { limit: limit.to_owned(), at_ns }
}

/// The violation that stopped the run: the first one among the properties that abort.
fn aborted(properties: &[PropertyRecord], abort: &[String], at_ns: u64) -> End {
    let violated = |record: &&PropertyRecord| {
        matches!(record.verdict, Verdict::Violated { .. }) && abort.contains(&record.name)
    };
    let property = properties.iter().find(violated).map_or_else(String::new, |record| record.name.clone());
    End::Aborted { property, at_ns }
}
