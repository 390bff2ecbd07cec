//! What `[[service]]` and `[policy.NAME]` tables mean, once names are resolved.

use murphy_sim::Span;

use super::super::scenario::{LawSpec, Place};
use super::cache::CacheSpec;
use super::fleet::FleetSpec;

/// Node kind of a service's replicas: a model that simulates services declares it.
pub const SERVICE_REPLICA: &str = "service.replica";
/// Node kind of the users outside, from whom a workload with `to` comes; declared with the former.
pub const SERVICE_USERS: &str = "service.users";

/// A `[[service]]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSpec {
    /// Name.
    pub name: String,
    /// Its replicas: an index into [`Scenario::groups`](super::super::Scenario::groups).
    pub group: usize,
    /// Requests that a replica works on at once. One that waits for calls keeps its place.
    pub concurrency: u64,
    /// Where requests wait.
    pub queue: QueueSpec,
    /// Time that the work of a request takes at full speed.
    pub work: LawSpec,
    /// Added to the work for each request that the replica works on, itself included.
    pub contention: Span,
    /// Calls that a request makes after its work, in order.
    pub calls: Vec<CallSpec>,
    /// How callers choose a replica.
    pub balancer: Balancer,
    /// Whether requests whose deadline has passed are dropped when their turn comes.
    pub drop_expired: bool,
    /// Share of its answers that have only the first half of what they should.
    pub partial: f64,
    /// How it fails, and what its work leaves behind.
    pub conduct: ConductSpec,
    /// How its instances are run.
    pub fleet: FleetSpec,
    /// Where the table's `name` stands.
    pub place: Place,
}

/// How a service fails by itself, refuses, and what its work leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct ConductSpec {
    /// Work that ends with an error, by HTTP status; the shares add up to at most one. An error of the
    /// caller's (4xx) is the same for all attempts of a call, one of the service's own (5xx) is not.
    pub errors: Vec<(u16, f64)>,
    /// What a refusal asks its caller to wait.
    pub retry_after: Span,
    /// Whether its work takes effect outside, as a charge does.
    pub effect: bool,
    /// How long a replica remembers its answers to calls that name themselves.
    pub remember: Option<Span>,
}

/// Where a replica's requests wait for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Requests that may wait; more are refused. `None` for no bound.
    pub bound: Option<u64>,
    /// Which one is next.
    pub order: QueueOrder,
}

/// Which of the waiting requests is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOrder {
    /// The one that came first.
    Fifo,
    /// The one that came last.
    Lifo,
    /// The most important one, and of these the one that came first. A full queue gives up the least
    /// important one.
    Priority,
}

/// Importance of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Without it nothing works: health, administration.
    Critical,
    /// Core, paid for.
    High,
    /// Free use, analytics.
    Medium,
    /// Background.
    Low,
}

/// One call of a request to another service.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSpec {
    /// Whom: an index into [`Scenario::services`](super::super::Scenario::services).
    pub to: usize,
    /// How: an index into [`Scenario::policies`](super::super::Scenario::policies); `None` waits for ever.
    pub policy: Option<usize>,
    /// Whether the request succeeds without it.
    pub optional: bool,
    /// Calls that follow each other and have the same group are made at once; empty for none.
    pub group: String,
    /// Whether every replica of it holds a part, and all are asked at once.
    pub scatter: bool,
    /// Answers that each replica of the caller keeps.
    pub cache: Option<CacheSpec>,
}

/// How callers choose a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancer {
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// The one with the fewest calls of this caller on their way.
    LeastOutstanding,
    /// Of two at random, the one with fewer calls of this caller on their way.
    PowerOfTwo,
}
