//! The probe that every run has: facts in, records out. It knows no protocol.

use murphy_reports::{Mark, MarkKind, MetricRecord, Outcome, Request};
use murphy_sim::{Fact, Judge, NodeId, RequestId, Stamped};

use crate::build;
use crate::describe::{Dimension, ModelInfo};
use crate::model::System;
use crate::states::States;

/// Collects requests, probes, marks and samples.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    /// By request id: whether it is a probe, and its place among those.
    places: Vec<(bool, u32)>,
    /// By workload and operation kind of the model: index of the operation in the workload.
    operations: Vec<Vec<u16>>,
    states: Option<Box<States>>,
    observed: Observed,
}

/// What was collected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) requests: Vec<Request>,
    pub(crate) probes: Vec<Request>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) metrics: Vec<MetricRecord>,
}

impl Observer {
    pub(crate) fn new(system: &System, info: &ModelInfo, states: bool) -> Observer {
        let metrics = info.metrics.iter().map(|metric| MetricRecord {
            name: metric.name.to_owned(),
            unit: unit(metric.dimension).to_owned(),
            kind: metric.kind,
            samples: Vec::new(),
        });
        Observer {
            places: Vec::new(),
            operations: build::operation_places(&system.scenario, info),
            states: states.then(|| Box::new(States::new(system.nodes.len()))),
            observed: Observed { metrics: metrics.collect(), ..Observed::default() },
        }
    }

    /// The pairs of protocol states that were reached, if they are watched.
    pub(crate) fn states(&self) -> &[u16] {
        self.states.as_ref().map_or(&[], |states| states.reached())
    }

    pub(crate) fn finish(self) -> Observed {
        self.observed
    }

    fn arrive(&mut self, said: &Stamped, request: murphy_sim::Request) {
        let operations = &self.operations[usize::from(request.workload)];
        let row = Request {
            workload: request.workload,
            op: operations.get(usize::from(request.operation.kind)).copied().unwrap_or(0),
            client: said.node.0,
            arrived_ns: said.at.0,
            done_ns: None,
            outcome: Outcome::Pending,
        };
        assert!(request.id.index() == self.places.len(), "requests arrive in the order of their numbers");
        let rows = if request.probe { &mut self.observed.probes } else { &mut self.observed.requests };
        let place = u32::try_from(rows.len()).expect("fewer than 2^32 requests");
        rows.push(row);
        self.places.push((request.probe, place));
    }

    fn complete(&mut self, said: &Stamped, request: RequestId, outcome: murphy_sim::Outcome) {
        let Some(&(probe, place)) = self.places.get(request.index()) else { return };
        let rows = if probe { &mut self.observed.probes } else { &mut self.observed.requests };
        let row = &mut rows[place as usize];
        // The first result is what the client saw.
        if row.outcome == Outcome::Pending {
            row.done_ns = Some(said.at.0);
            row.outcome = match outcome {
                murphy_sim::Outcome::Ok => Outcome::Ok,
                murphy_sim::Outcome::Timeout => Outcome::Timeout,
                murphy_sim::Outcome::Rejected => Outcome::Rejected,
                murphy_sim::Outcome::Failed => Outcome::Failed,
                murphy_sim::Outcome::Wrong => Outcome::Wrong,
                murphy_sim::Outcome::ClientDown => Outcome::ClientDown,
            };
        }
    }

    fn mark(&mut self, said: &Stamped, kind: MarkKind, value: u64) {
        self.observed.marks.push(Mark { at_ns: said.at.0, node: said.node.0, kind, value });
    }

    fn sample(&mut self, said: &Stamped, metric: u16, value: u64) {
        if let Some(record) = self.observed.metrics.get_mut(usize::from(metric)) {
            record.samples.push((said.at.0, said.node.0, value as f64));
        }
    }
}

impl Judge for Observer {
    fn observe(&mut self, said: &Stamped) {
        if let Some(states) = &mut self.states {
            states.observe(said);
        }
        let named = |NodeId(node)| u64::from(node);
        match said.fact {
            Fact::Arrive(request) => self.arrive(said, request),
            Fact::Complete { request, outcome, .. } => self.complete(said, request, outcome),
            Fact::Sample { metric, value } => self.sample(said, metric, value),
            Fact::Suspect { node } => self.mark(said, MarkKind::Suspect, named(node)),
            Fact::Trust { node } => self.mark(said, MarkKind::Trust, named(node)),
            Fact::ViewChange { view } => self.mark(said, MarkKind::ViewChange, view),
            Fact::View { view } => self.mark(said, MarkKind::View, view),
            Fact::Leader { term } => self.mark(said, MarkKind::Leader, term),
            Fact::Behind { slot } => self.mark(said, MarkKind::Behind, slot),
            Fact::CaughtUp { slot } => self.mark(said, MarkKind::CaughtUp, slot),
            Fact::Crash => self.mark(said, MarkKind::Crash, 0),
            Fact::Restart => self.mark(said, MarkKind::Restart, 0),
            Fact::Invoke { .. }
            | Fact::Decide { .. }
            | Fact::Execute { .. }
            | Fact::Install { .. }
            | Fact::Stable { .. }
            | Fact::SessionEnd { .. }
            | Fact::State { .. }
            | Fact::Own { .. } => {}
        }
    }
}

/// Unit in which samples of a metric are recorded.
fn unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Time => "ns",
        Dimension::Bytes => "B",
        Dimension::Rate => "1/s",
        Dimension::Bandwidth => "B/s",
        Dimension::One => "1",
    }
}
