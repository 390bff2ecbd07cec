//! Failure detectors: who notices that a node is gone, how fast, how often wrongly, and at what cost.
//!
//! From the mechanism to the judgement:
//! - [`Members`] watch each other: heartbeats with a fixed time-out, an estimated arrival, or
//!   phi-accrual; SWIM gossip.
//! - [`Watch`]: one server and the five techniques that notice its end: an active check, passive
//!   monitoring, heartbeats, a request's deadline, a watchdog.
//! - [`health`]: what each class of fault does to a component, and how often it is retried.
//! - [`Upkeep`]: such a component, and a store that scrubs its blocks.
//! - [`Hierarchy`]: sensors on four levels, and a console that correlates alarms, names the root
//!   cause and pages.

pub mod health;
pub mod hierarchy;
pub mod phi;
pub mod upkeep;

mod estimate;
mod members;
mod params;
mod scorer;
mod watch;

pub use hierarchy::Hierarchy;
pub use members::{
    Detector, Gossip, HeartbeatOptions, MemberConfig, MemberTimer, Members, MembersMessage, MembersOracles,
    PhiRule, Rule, Standing, SwimOptions, Update,
};
pub use phi::Tail;
pub use scorer::Scorer;
pub use upkeep::Upkeep;
pub use watch::{
    Caller, CallerOptions, Monitor, Prober, ProberOptions, Server, ServerOptions, Watch, WatchConfig,
    WatchMessage, WatchOracles, WatchTimer, Watchdog, WatchdogOptions,
};
