//! The scenario language: from a TOML file to what it means, with every mistake shown at once.
//!
//! [`parse`] reads a file and checks every point of its sweep; [`Document::points`] gives the points,
//! and [`Point::resolve`] what the file means at one of them.

mod scenario;
mod service;

mod diagnostic;
pub(crate) mod quantity;
mod value;

mod byzantine;
mod compare;
mod condition;
mod document;
mod fault;
mod fields;
mod fleet;
mod hazard;
mod law;
mod leaf;
mod names;
mod params;
mod partition;
mod path;
mod plan;
mod records;
mod repro;
mod resolve;
mod resource;
mod rtt;
mod slo;
mod sweep;
mod tables;
mod template;

pub use compare::{Claim, CompareGroup, CompareSpec, Figure, Margin};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use document::{Document, Point, Set, decode, parse};
pub use fault::{FaultInfo, faults};
pub use fleet::{CrewSpec, EstimateMethod, EstimateSpec, StructureSpec};
pub use hazard::hazards;
pub use plan::schema;
pub use quantity::parse_duration;
pub use repro::{MessageSpec, ReproSpec, RequestSpec};
pub use scenario::{
    ArrivalSpec, ClockSpec, CpuSpec, DiskSpec, DrawSpec, FaultEffect, FaultSpec, GroupSpec, LawSpec, Limits,
    LinkSpec, NetworkSpec, NodeSpec, OpSpec, Place, ReorderSpec, Scenario, Scope, SiteSpec, Traffic,
    WorkloadSpec,
};
pub use service::{
    BackoffKind, BackoffSpec, Balancer, BreakerSpec, BreakerWindow, BudgetSpec, CONTROL, CacheSpec, CallSpec,
    ColdSpec, ConductSpec, ConnectSpec, FallbackSpec, FleetSpec, HealthSpec, Jitter, Layer, Level, Library,
    LimitSpec, OutlierSpec, PolicySpec, Priority, QueueOrder, QueueSpec, RateLimitKind, RateLimitSpec,
    RetryOn, RolloutSpec, SERVICE_CONTROL, SERVICE_REPLICA, SERVICE_USERS, ScaleSpec, ServiceSpec, Strategy,
    ThrottleSpec, ToggleSpec, libraries, policy_keys,
};
pub use sweep::Seeds;

pub(crate) use diagnostic::{closest, listed};
pub(crate) use document::{Resolver, folder};
pub(crate) use quantity::{duration, duration_text};
pub(crate) use template::{By, Made, Template};
pub(crate) use value::{Data, Entry, Value, parse_tree, quoted};
