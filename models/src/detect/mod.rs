//! Failure detectors: who notices that a node is gone, how fast, how often wrongly, and at what cost.
//!
//! Four models, from the mechanism to the judgement:
//! - [`Members`] watch each other: heartbeats with a fixed time-out, an estimated arrival, or
//!   phi-accrual; SWIM gossip.
//! - [`Watch`]: one server and the five techniques that notice its end: an active check, passive
//!   monitoring, heartbeats, a request's deadline, a watchdog.
//! - [`Health`]: a component that retries by class of fault, and a store that scrubs its blocks.
//! - [`Hierarchy`]: sensors on four levels, and a console that correlates alarms, names the root
//!   cause and pages.

pub mod phi;

mod estimate;
mod members;
mod params;
mod scorer;

pub use members::{
    Detector, Gossip, HeartbeatOptions, MemberConfig, MemberTimer, Members, MembersMessage, MembersOracles,
    PhiRule, Rule, Standing, SwimOptions, Update,
};
pub use scorer::Scorer;
