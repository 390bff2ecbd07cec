//! Generators of faults. Before a run they expand to a list of ordinary faults, which is the run's
//! plan: recorded with the result, and pasteable into a scenario in place of the generators.
//!
//! Every draw is keyed by the seed, the generator's name, the component's name and the ordinal of the
//! draw. So adding a node or another generator leaves the rest of the plan as it was, and a longer run
//! has the plan of a shorter one at its start.

mod coupled;
mod draw;
mod events;
mod plan;
mod renewal;
mod spec;
mod trace;

pub use plan::{Plan, expand};
pub use spec::HazardSpec;

pub(crate) use coupled::{Members, members};
pub(crate) use plan::{expanded, overfull};
pub(crate) use spec::{
    Aside, Burst, Common, Component, Components, Family, Generator, Injector, Nemesis, Renewal, Shared,
    Strike, Swarm, Trace,
};
pub(crate) use trace::Record;

/// Most faults of one plan.
pub const MAX_FAULTS: usize = 200_000;
