//! What a `[[hazard]]` means, once every name is resolved.

use std::sync::Arc;

use murphy_sim::Span;

use crate::language::{By, LawSpec, Place, Template};

/// A generator of faults.
#[derive(Clone, Debug, PartialEq)]
pub struct HazardSpec {
    /// Name; its draws are keyed by it.
    pub name: String,
    /// Kind, such as `renewal`.
    pub kind: &'static str,
    /// Where its table's `name` stands.
    pub place: Place,
    /// No fault starts before.
    pub from: Span,
    /// No fault starts at or after; `None` for the end of the run.
    pub until: Option<Span>,
    /// Root cause that its faults are recorded with; empty for none.
    pub cause: String,
    pub(crate) generator: Generator,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Generator {
    Renewal(Renewal),
    Nemesis(Nemesis),
    Swarm(Swarm),
    Injector(Injector),
    Trace(Trace),
}

/// One thing that may fail: its name, which keys its draws, and the words that a fault names it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
}

/// What a generator strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Components {
    pub(crate) by: By,
    pub(crate) list: Arc<[Component]>,
}

/// The recurring pattern of an intermittent fault, within one episode.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Burst {
    pub(crate) on: LawSpec,
    pub(crate) off: LawSpec,
}

/// Components that fail and are repaired, again and again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Renewal {
    pub(crate) components: Components,
    pub(crate) up: LawSpec,
    /// `None`: what fails stays so.
    pub(crate) down: Option<LawSpec>,
    pub(crate) burst: Option<Burst>,
    pub(crate) common: Option<Common>,
    /// Who repairs: index into the scenario's crews; `None` for a crew each.
    pub(crate) crew: Option<usize>,
    pub(crate) standby: Option<Box<Aside>>,
    pub(crate) fault: Template,
}

/// Components that stand by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aside {
    pub(crate) active: usize,
    pub(crate) dormancy: f64,
    pub(crate) coverage: f64,
    pub(crate) failover: Option<LawSpec>,
    pub(crate) manual: Option<LawSpec>,
    /// The fault of a switch-over, and the nodes it is aimed at.
    pub(crate) down: Option<(Template, Vec<String>)>,
}

impl Renewal {
    /// Whether one component's fate depends on another's.
    pub(crate) fn is_coupled(&self) -> bool {
        self.crew.is_some() || self.standby.is_some()
    }
}

/// Common causes: the beta-factor model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Common {
    /// Share of the failures that take the whole group.
    pub(crate) beta: f64,
    pub(crate) groups: Vec<Shared>,
}

/// A group with a cause in common: its name, and its members among the components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) members: Vec<usize>,
}

/// Random faults of several kinds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nemesis {
    pub(crate) gap: LawSpec,
    pub(crate) at_most: usize,
    pub(crate) quiet: Span,
    pub(crate) strikes: Vec<Strike>,
}

/// One kind of fault of a nemesis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strike {
    pub(crate) weight: f64,
    pub(crate) lasts: LawSpec,
    pub(crate) components: Option<Components>,
    pub(crate) pick: usize,
    pub(crate) fault: Template,
}

/// Families of faults, of which each run has some.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Swarm {
    pub(crate) off: f64,
    pub(crate) quiet: Span,
    pub(crate) families: Vec<Family>,
}

/// One family of a swarm; mean gap and mean length are drawn once a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) gap: (Span, Span),
    pub(crate) lasts: (Span, Span),
    pub(crate) components: Option<Components>,
    pub(crate) pick: usize,
    pub(crate) fault: Template,
}

/// The injector of S0: faults of messages while it lasts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Injector {
    pub(crate) faults: Vec<(&'static str, Template)>,
    pub(crate) lasts: Option<Span>,
}

/// A real failure trace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trace {
    /// Component that each record strikes; `None` for a node that the scenario does not have.
    pub(crate) records: Arc<[(Option<usize>, super::Record)]>,
    pub(crate) components: Components,
    /// The instant of the trace that is the start of the hazard's window.
    pub(crate) origin_min: i64,
    /// No record starts at or after.
    pub(crate) end_min: i64,
    pub(crate) causes: Option<Vec<String>>,
    /// Minutes of the trace in one simulated minute.
    pub(crate) speed: u64,
    /// Length given to a record of downtime 0; `None` leaves it out.
    pub(crate) zero: Option<Span>,
    pub(crate) fault: Template,
}
