//! How a model comes in: one object-safe trait between the runner and what is simulated, and a
//! static one that protocols implement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use murphy_reports::{
    End, MessageCount, MetricRecord, PropertyRecord, RunRecord, Severity, SloSummary, Verdict,
};
use murphy_sim::{Judge, Keep, NodeId, Process, Recorded, Sending, Span, Stop, Time, Trace, World};

use crate::build;
use crate::describe::ModelInfo;
use crate::expect::{Check, Condition, SLOS};
use crate::language::{FaultSpec, NodeSpec, Place, Scenario};
use crate::observer::Observer;
use crate::structure;

/// What the runner knows of a model: erased once a run, static inside.
pub trait Model: Send + Sync {
    /// How the model describes itself.
    fn info(&self) -> &ModelInfo;

    /// Mistakes in a scenario that only this model can see.
    fn check(&self, scenario: &Scenario) -> Vec<Problem>;

    /// One run, ready to start.
    fn prepare(&self, scenario: &Arc<Scenario>, seed: u64, keep: Keep) -> Box<dyn Run> {
        self.prepare_watched(scenario, seed, Watched { keep, ..Watched::default() })
    }

    /// The same, and what is kept of it beside its record.
    fn prepare_watched(&self, scenario: &Arc<Scenario>, seed: u64, watched: Watched) -> Box<dyn Run>;

    /// What a hunt may do to the system without breaking the protocol's assumptions.
    fn tolerance(&self, scenario: &Scenario) -> Tolerance;
}

/// What is kept of a run beside its record. None of it changes the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Events.
    pub keep: Keep,
    /// Every message that was handed to the network.
    pub sendings: bool,
    /// The pairs of protocol states that it reached.
    pub states: bool,
}

/// What a protocol promises to bear: a hunt goes no further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// The nodes that faults strike, in roster order.
    pub nodes: Vec<NodeId>,
    /// How many of them may be down or cut off at once, for the system to go on.
    pub at_once: usize,
    /// How many of them may lie, the same ones throughout a run.
    pub liars: usize,
}

/// What is left of a run that was watched.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The record.
    pub record: RunRecord,
    /// The events that were kept.
    pub events: Vec<Recorded>,
    /// The messages, if they were asked for.
    pub sendings: Vec<Sending>,
    /// Hashes of prefixes of the trace, and how many events they are apart.
    pub prefixes: (Vec<u64>, u64),
    /// Hash of the events, edges of faults apart.
    pub events_hash: u64,
}

/// One run of one scenario with one seed.
pub trait Run {
    /// Simulates to the end and hands over what was measured; `None` when `stop` became true before.
    fn finish(self: Box<Self>, stop: &AtomicBool) -> Option<RunRecord>;

    /// The same, with what was watched.
    fn traced(self: Box<Self>, stop: &AtomicBool) -> Option<Traced>;

    /// Simulates up to and including a time; whether the run goes on.
    fn advance(&mut self, until: Time) -> bool;

    /// A run with the same past, and the same future unless something is changed.
    fn fork(&self) -> Box<dyn Run>;

    /// From now on the environment decides by another seed.
    fn reseed(&mut self, seed: u64);

    /// Adds faults that are still to come. None of them makes a node lie.
    fn add_faults(&mut self, faults: &[FaultSpec]);

    /// The pairs of protocol states reached so far, in order, if they are watched.
    fn states(&self) -> &[u16];
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

    /// Mistakes that only this protocol can see. The default: nobody is there of a kind that is no client.
    fn check(system: &System) -> Vec<Problem> {
        let kinds = Self::info().kinds.into_iter().filter(|kind| !kind.client);
        kinds.flat_map(|kind| system.lacks(kind.name)).collect()
    }

    /// What a hunt may do to the system. The default: every node that is no client may fail in any way but
    /// lying, a third of them at once.
    fn tolerance(system: &System) -> Tolerance {
        let nodes = system.nodes.iter().filter(|node| !node.client);
        let nodes: Vec<NodeId> = nodes.map(|node| build::node_id(node.index)).collect();
        let at_once = nodes.len().div_ceil(3);
        Tolerance { nodes, at_once, liars: 0 }
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

    /// The mistake that no node is of this kind, if there is none.
    fn lacks(&self, kind: &str) -> Vec<Problem> {
        if !self.of_kind(kind).is_empty() {
            return Vec::new();
        }
        let place = self.scenario.groups[0].place.clone();
        vec![Problem { place, message: format!("the scenario has no {kind}") }]
    }

    /// The time that `eventually(property, TIME)` or `converges(property, TIME)` allows, or the whole run without one; `None` when no
    /// expectation asks for the property.
    pub fn bound_of(&self, property: &str) -> Option<Span> {
        self.scenario.expectations.iter().find_map(|expectation| match &expectation.condition {
            Condition::Property { check: Check::Eventually | Check::Converges, name, within, .. }
                if name == property =>
            {
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

    fn prepare_watched(&self, scenario: &Arc<Scenario>, seed: u64, watched: Watched) -> Box<dyn Run> {
        let system = System::new(&crate::hazard::expanded(scenario, seed));
        let setup = build::setup::<P>(&system, &self.info, seed, watched.keep);
        let script = build::script(&system, &self.info, watched.sendings);
        let judge = (Observer::new(&system, &self.info, watched.states), P::oracles(&system));
        let world = World::scripted(setup, judge, script);
        let faults = system.scenario.faults.clone();
        Box::new(ProtocolRun::<P> { world, faults, system, info: self.info.clone(), seed, reseeded: 0 })
    }

    fn tolerance(&self, scenario: &Scenario) -> Tolerance {
        P::tolerance(&System::new(&Arc::new(scenario.clone())))
    }
}

struct ProtocolRun<P: Protocol> {
    world: World<P::Process, (Observer, P::Oracles)>,
    /// The plan, with what was added to it.
    faults: Vec<FaultSpec>,
    system: System,
    info: ModelInfo,
    seed: u64,
    /// How many of the scenario's reseeds are done.
    reseeded: usize,
}

impl<P: Protocol> ProtocolRun<P> {
    /// Simulates up to and including a time, and reseeds where the scenario says so.
    fn run_until(&mut self, end: Time) -> Stop {
        let reseeds = self.system.scenario.repro.as_ref().map_or(&[][..], |repro| &repro.reseeds);
        while let Some(&(at, seed)) = reseeds.get(self.reseeded).filter(|(at, _)| *at < end) {
            match self.world.run_until(at) {
                Stop::Reached => {}
                other => return other,
            }
            self.world.reseed(seed);
            self.reseeded += 1;
        }
        self.world.run_until(end)
    }

    /// Runs to the end, and looks now and then whether it should give up. Where a slice ends changes nothing.
    fn run_in_slices(&mut self, stop: &AtomicBool) -> Option<Stop> {
        const SLICES: u64 = 1000;
        let end = Time::ZERO.saturating_add(self.system.scenario.duration);
        for slice in 1..=SLICES {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let until = if slice == SLICES { end } else { Time(end.0 / SLICES * slice) };
            if until < self.world.now() {
                continue;
            }
            match self.run_until(until) {
                Stop::Reached => {}
                other => return Some(other),
            }
        }
        Some(Stop::Reached)
    }

    fn record(self, stop: Stop) -> RunRecord {
        let scenario = Arc::clone(&self.system.scenario);
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
        let faults = build::fault_records(&self.faults, &self.world.hits());
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
        seen.metrics.extend(structure::measure(&scenario, &seen.marks));
        let mut run = RunRecord {
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
            structures: scenario.structures.iter().map(|structure| structure.name.clone()).collect(),
            slos: scenario.slos.clone(),
            metrics: seen.metrics,
        };
        run.metrics.extend(objectives(&run));
        run
    }
}

impl<P: Protocol> Run for ProtocolRun<P> {
    fn finish(mut self: Box<Self>, stop: &AtomicBool) -> Option<RunRecord> {
        let stop = self.run_in_slices(stop)?;
        Some(self.record(stop))
    }

    fn traced(mut self: Box<Self>, stop: &AtomicBool) -> Option<Traced> {
        let stop = self.run_in_slices(stop)?;
        let trace = self.world.trace();
        let (prefixes, stride) = trace.prefixes();
        let (prefixes, events_hash) = ((prefixes.to_vec(), stride), trace.hash());
        let events = trace.recorded().copied().collect();
        let sendings = self.world.sendings().to_vec();
        Some(Traced { record: self.record(stop), events, sendings, prefixes, events_hash })
    }

    fn advance(&mut self, until: Time) -> bool {
        self.run_until(until) == Stop::Reached
    }

    fn fork(&self) -> Box<dyn Run> {
        Box::new(ProtocolRun::<P> {
            world: self.world.clone(),
            faults: self.faults.clone(),
            system: self.system.clone(),
            info: self.info.clone(),
            seed: self.seed,
            reseeded: self.reseeded,
        })
    }

    fn reseed(&mut self, seed: u64) {
        self.world.reseed(seed);
    }

    fn add_faults(&mut self, faults: &[FaultSpec]) {
        self.world.add_faults(&build::faults(faults, &self.system.scenario, &self.info));
        self.faults.extend_from_slice(faults);
    }

    fn states(&self) -> &[u16] {
        self.world.judge().0.states()
    }
}

/// What a run made of its objectives, as metrics: one sample each, at the end of the warm-up so that every
/// window that holds the whole run has it.
fn objectives(run: &RunRecord) -> Vec<MetricRecord> {
    if run.slos.is_empty() {
        return Vec::new();
    }
    let found = murphy_reports::objectives(run, &murphy_reports::Service::of(run));
    let told = |slo: &SloSummary, severity| {
        slo.alerts.iter().filter(|alert| alert.severity == severity).count() as f64
    };
    let value = |name: &str, slo: &SloSummary| match name {
        "slo_burnt" => slo.burnt,
        "slo_met" => f64::from(u8::from(slo.is_met() == Some(true))),
        "slo_pages" => slo.pages as f64,
        "slo_false_pages" => slo.false_pages as f64,
        "slo_missed" => slo.missed as f64,
        "slo_suppressed" => slo.suppressed as f64,
        "slo_escalations" => told(slo, Severity::Escalate),
        _ => told(slo, Severity::Ticket),
    };
    let record = |(name, _): &(&str, &str)| MetricRecord {
        name: (*name).to_owned(),
        unit: "1".to_owned(),
        kind: murphy_reports::MetricKind::Counter,
        samples: (0_u32..).zip(&found).map(|(index, slo)| (run.warmup_ns, index, value(name, slo))).collect(),
    };
    SLOS.iter().map(record).collect()
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
