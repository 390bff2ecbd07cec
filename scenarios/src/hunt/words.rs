//! Events and facts in words.

use murphy_sim::{Event, Fact, NodeId, Outcome, Recorded, RequestId};

use crate::describe::ModelInfo;

/// Who is who in a run.
pub(super) struct Words<'i> {
    pub(super) names: Vec<String>,
    pub(super) info: &'i ModelInfo,
}

impl Words<'_> {
    pub(super) fn node(&self, node: u32) -> &str {
        self.names.get(node as usize).map_or("a twin", String::as_str)
    }

    pub(super) fn message(&self, kind: u8) -> &'static str {
        self.info.messages.get(usize::from(kind)).copied().unwrap_or("message")
    }

    /// Kind of an event, and the event in words.
    pub(super) fn event(&self, event: &Recorded) -> (&'static str, String) {
        match event.event {
            Event::Boot if event.digest > 0 => ("boot", "starts again".to_owned()),
            Event::Boot => ("boot", "starts".to_owned()),
            Event::Deliver => {
                ("message", format!("{} from {}", self.message(event.kind), self.node(event.from)))
            }
            Event::Timer => ("timer", "a timer runs out".to_owned()),
            Event::Disk => ("disk", "its disk is done".to_owned()),
            Event::Request => ("request", format!("takes up request {}", event.digest)),
            Event::Crash if event.digest > 0 => ("crash", "crashes and loses its disk".to_owned()),
            Event::Crash => ("crash", "crashes".to_owned()),
            Event::Fact => ("fact", event.fact.map_or_else(String::new, |fact| self.fact(&fact))),
            Event::FaultStart => ("fault", "a fault starts".to_owned()),
            Event::FaultEnd => ("fault", "a fault ends".to_owned()),
            Event::Drop => ("drop", "a message is lost".to_owned()),
        }
    }

    /// A fact in words.
    pub(super) fn fact(&self, fact: &Fact) -> String {
        let of = |NodeId(node): NodeId| self.node(node).to_owned();
        match *fact {
            Fact::Arrive(request) => {
                let op = self.info.operations.get(usize::from(request.operation.kind));
                let what = op.map_or("request", |op| op.name);
                let probe = if request.probe { "probe" } else { "request" };
                format!("{probe} {} arrives: {what} {}", request.id.0, request.operation.key)
            }
            Fact::Invoke { request } => format!("asks for request {}", request.0),
            Fact::Complete { request, outcome, value } => {
                let result = match outcome {
                    Outcome::Ok if value > 0 => format!("done, reads {value:#x}"),
                    Outcome::Ok => "done".to_owned(),
                    Outcome::Timeout => "timed out".to_owned(),
                    Outcome::Rejected => "rejected".to_owned(),
                    Outcome::Failed => "failed".to_owned(),
                    Outcome::Wrong => "answered wrongly".to_owned(),
                    Outcome::ClientDown => "lost with its client".to_owned(),
                };
                format!("request {} {result}", request.0)
            }
            Fact::Decide { slot, view, digest } => format!("decides slot {slot} in view {view}: {digest:#x}"),
            Fact::Execute { slot, request: RequestId::NONE, .. } => {
                format!("executes nothing at slot {slot}")
            }
            Fact::Execute { slot, request, .. } => format!("executes request {} at slot {slot}", request.0),
            Fact::Install { slot, .. } => format!("installs the state up to slot {slot}"),
            Fact::Stable { slot, .. } => format!("checkpoint {slot} is stable"),
            Fact::Leader { term } => format!("leads {term}"),
            Fact::View { view } => format!("enters view {view}"),
            Fact::ViewChange { view } => format!("wants view {view}"),
            Fact::Suspect { node } => format!("suspects {}", of(node)),
            Fact::Trust { node } => format!("trusts {} again", of(node)),
            Fact::Behind { slot } => format!("is behind, at slot {slot}"),
            Fact::CaughtUp { slot } => format!("has caught up, at slot {slot}"),
            Fact::Crash => "crashed".to_owned(),
            Fact::Restart => "started again".to_owned(),
            Fact::Sample { metric, value } => {
                let name =
                    self.info.metrics.get(usize::from(metric)).map_or("a metric", |metric| metric.name);
                format!("{name} = {value}")
            }
            other => format!("{other:?}"),
        }
    }
}
