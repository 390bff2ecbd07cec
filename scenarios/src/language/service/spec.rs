//! What `[[service]]` and `[policy.NAME]` tables mean, once names are resolved.

use murphy_sim::Span;

use super::super::scenario::{LawSpec, Place};

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
    /// Where the table's `name` stands.
    pub place: Place,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSpec {
    /// Whom: an index into [`Scenario::services`](super::super::Scenario::services).
    pub to: usize,
    /// How: an index into [`Scenario::policies`](super::super::Scenario::policies); `None` waits for ever.
    pub policy: Option<usize>,
    /// Whether the request succeeds without it.
    pub optional: bool,
    /// Calls that follow each other and have the same group are made at once; empty for none.
    pub group: String,
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

/// A `[policy.NAME]` table: how one service calls another.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySpec {
    /// Name.
    pub name: String,
    /// Longest wait for the answer to one attempt; `None` for ever.
    pub timeout: Option<Span>,
    /// Attempts beside the first.
    pub retries: u64,
    /// Which outcomes are tried again.
    pub retry_on: RetryOn,
    /// Wait before a retry.
    pub backoff: BackoffSpec,
    /// What retries may cost.
    pub budget: Option<BudgetSpec>,
    /// Stops calls that would fail anyway.
    pub breaker: Option<BreakerSpec>,
    /// Calls of one replica that may be on their way at once.
    pub bulkhead: Option<u64>,
    /// Calls that a replica may make in a time.
    pub rate_limit: Option<RateLimitSpec>,
    /// A second attempt when the first takes long.
    pub hedge: Option<Span>,
    /// Whether the callee is told that nobody waits any more.
    pub cancel: bool,
    /// Whether the callee learns by when an answer is of use.
    pub propagate: bool,
    /// What a call that failed is answered with, so that the request goes on.
    pub fallback: Option<Level>,
}

impl PolicySpec {
    /// The policy of a call that names none: one attempt, without a time-out.
    pub fn patient() -> PolicySpec {
        PolicySpec {
            name: String::new(),
            timeout: None,
            retries: 0,
            retry_on: RetryOn { timeout: true, rejected: true, failed: true },
            backoff: BackoffSpec {
                kind: BackoffKind::None,
                base: Span::ZERO,
                cap: Span::ZERO,
                factor: 1.0,
                jitter: Jitter::None,
            },
            budget: None,
            breaker: None,
            bulkhead: None,
            rate_limit: None,
            hedge: None,
            cancel: false,
            propagate: false,
            fallback: None,
        }
    }
}

/// Which outcomes of an attempt are worth another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOn {
    /// No answer came in time.
    pub timeout: bool,
    /// The callee refused it: its queue was full.
    pub rejected: bool,
    /// The callee answered with an error.
    pub failed: bool,
}

/// Wait before a retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackoffSpec {
    /// How it grows.
    pub kind: BackoffKind,
    /// Wait before the first retry.
    pub base: Span,
    /// Longest wait, before jitter is added.
    pub cap: Span,
    /// Factor from one retry to the next.
    pub factor: f64,
    /// What is random about it.
    pub jitter: Jitter,
}

/// How the wait grows from retry to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackoffKind {
    /// No wait.
    None,
    /// Always the base.
    Fixed,
    /// The base times the factor, again and again.
    Exponential,
    /// Between the base and three times the wait before.
    Decorrelated,
    /// Doubling on average, from a smooth curve at random points, as Polly does it.
    Smooth,
}

/// What is random about a wait of `d`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// Nothing.
    None,
    /// From 0 to `d`.
    Full,
    /// From `d / 2` to `d`.
    Equal,
    /// From `d` to `2 d`.
    Additive,
    /// From `d (1 - share)` to `d (1 + share)`.
    Proportional(f64),
}

/// A retry budget, for each caller and callee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetSpec {
    /// Retries for each request.
    pub ratio: f64,
    /// Retries a second that are always allowed, over all replicas of the caller.
    pub min_per_sec: u64,
    /// How long a request counts.
    pub ttl: Span,
}

/// A circuit breaker, for each caller and callee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSpec {
    /// What it counts.
    pub window: BreakerWindow,
    /// Calls before which it does not judge.
    pub minimum: u64,
    /// Share of failures at which it opens, in `0.0..=1.0`.
    pub failure_rate: f64,
    /// Share of slow calls at which it opens, in `0.0..=1.0`.
    pub slow_rate: f64,
    /// A call that takes longer is slow.
    pub slow_after: Span,
    /// Time that it stays open.
    pub open_for: Span,
    /// Calls that are let through while half open.
    pub half_open: u64,
    /// Whether it sees a call with its retries as one, or each attempt.
    pub around: Around,
}

/// What a breaker counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerWindow {
    /// The last calls, so many of them.
    Count(u64),
    /// The calls of the last seconds, so many of them.
    Seconds(u64),
    /// Failures in a row; half open, `successes` in a row close it.
    Consecutive {
        /// Failures that open it.
        failures: u64,
        /// Successes that close it.
        successes: u64,
    },
}

/// What a breaker stands around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// Every attempt.
    Attempt,
    /// The call with all its retries.
    Call,
}

/// A rate limiter with fixed cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitSpec {
    /// Calls in a cycle.
    pub limit: u64,
    /// Length of a cycle.
    pub period: Span,
    /// Longest wait for a later cycle.
    pub wait: Span,
}

/// How good an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Part of the answer, or an old one.
    Degraded,
    /// The least that makes sense.
    Minimal,
}
