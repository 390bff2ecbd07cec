//! What `[policy.NAME]` tables mean.

use murphy_sim::Span;

/// A `[policy.NAME]` table: how one service calls another.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that a scenario sets by itself")]
pub struct PolicySpec {
    /// Name.
    pub name: String,
    /// The layers that every call goes through, from the outside in; those that are configured, each once.
    pub stack: Vec<Layer>,
    /// Longest wait for the answer to one attempt; `None` for ever.
    pub timeout: Option<Span>,
    /// Longest wait for the call with all that is inside this layer; `None` for ever.
    pub overall: Option<Span>,
    /// Connections to replicas; `None` if they cost nothing.
    pub connect: Option<ConnectSpec>,
    /// Attempts beside the first.
    pub retries: u64,
    /// Which outcomes are tried again.
    pub retry_on: RetryOn,
    /// Whether a retry waits as long as the refusal asked.
    pub heed: bool,
    /// Wait before a retry.
    pub backoff: BackoffSpec,
    /// What retries may cost.
    pub budget: Option<BudgetSpec>,
    /// Whether retries of a call can be told from new calls.
    pub idempotency: bool,
    /// Stops calls that would fail anyway.
    pub breaker: Option<BreakerSpec>,
    /// Gives a dependency up until its next check.
    pub health: Option<Span>,
    /// Refuses a share of the calls while the callee refuses calls.
    pub throttle: Option<ThrottleSpec>,
    /// Attempts of one replica that may be on their way at once.
    pub bulkhead: Option<LimitSpec>,
    /// Calls that a replica may make in a time.
    pub rate_limit: Option<RateLimitSpec>,
    /// A second attempt when the first takes long.
    pub hedge: Option<Span>,
    /// Whether the callee is told that nobody waits any more.
    pub cancel: bool,
    /// Whether the callee learns by when an answer is of use.
    pub propagate: bool,
    /// Whether the answer to an attempt that was given up still ends its call.
    pub late: bool,
    /// When calls are not made at all.
    pub toggle: Option<ToggleSpec>,
    /// What a call that failed is answered with, so that the request goes on.
    pub fallback: Option<FallbackSpec>,
}

impl PolicySpec {
    /// The policy of a call that names none: one attempt, without a time-out.
    pub fn patient() -> PolicySpec {
        PolicySpec {
            name: String::new(),
            stack: Vec::new(),
            timeout: None,
            overall: None,
            connect: None,
            retries: 0,
            retry_on: RetryOn::default(),
            heed: false,
            backoff: BackoffSpec {
                kind: BackoffKind::None,
                base: Span::ZERO,
                cap: Span::ZERO,
                factor: 1.0,
                jitter: Jitter::None,
            },
            budget: None,
            idempotency: false,
            breaker: None,
            health: None,
            throttle: None,
            bulkhead: None,
            rate_limit: None,
            hedge: None,
            cancel: false,
            propagate: false,
            late: false,
            toggle: None,
            fallback: None,
        }
    }

    /// Whether a layer has something to do.
    pub fn has(&self, layer: Layer) -> bool {
        match layer {
            Layer::Overall => self.overall.is_some(),
            Layer::Retry => self.retries > 0,
            Layer::Health => self.health.is_some(),
            Layer::Throttle => self.throttle.is_some(),
            Layer::Breaker => self.breaker.is_some(),
            Layer::RateLimit => self.rate_limit.is_some(),
            Layer::Bulkhead => self.bulkhead.is_some(),
            Layer::Timeout => self.timeout.is_some() || self.propagate,
        }
    }
}

/// A policy that calls pass on their way out, and answers on their way back. The fallback is outside of
/// all of them, hedges and the balancer inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The time-out of everything inside.
    Overall,
    /// Retries.
    Retry,
    /// Health gate.
    Health,
    /// Client-side throttling.
    Throttle,
    /// Circuit breaker.
    Breaker,
    /// Rate limiter.
    RateLimit,
    /// Bulkhead, or an adaptive limit in its place.
    Bulkhead,
    /// The time-out of an attempt.
    Timeout,
}

impl Layer {
    /// All of them, from the outside in, as they stand unless a policy says otherwise.
    pub const ALL: [Layer; 8] = [
        Layer::Overall,
        Layer::Retry,
        Layer::Health,
        Layer::Throttle,
        Layer::Breaker,
        Layer::RateLimit,
        Layer::Bulkhead,
        Layer::Timeout,
    ];

    /// Its word in a `stack`.
    pub fn word(self) -> &'static str {
        match self {
            Layer::Overall => "overall",
            Layer::Retry => "retry",
            Layer::Health => "health",
            Layer::Throttle => "throttle",
            Layer::Breaker => "breaker",
            Layer::RateLimit => "rate_limit",
            Layer::Bulkhead => "bulkhead",
            Layer::Timeout => "timeout",
        }
    }
}

/// Connections to replicas: one to each, opened by the first attempt that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectSpec {
    /// Longest wait for a connection.
    pub timeout: Span,
    /// A connection that was not used for so long is closed.
    pub idle: Span,
}

/// Which outcomes of an attempt are worth another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryOn {
    /// No answer came in time.
    pub timeout: bool,
    /// The callee refused it: its queue was full, or the caller too fast (429, 503).
    pub rejected: bool,
    /// The callee answered with a fault of its own (other 5xx).
    pub failed: bool,
    /// Statuses beside these.
    pub statuses: Vec<u16>,
}

impl Default for RetryOn {
    fn default() -> RetryOn {
        RetryOn { timeout: true, rejected: true, failed: true, statuses: Vec::new() }
    }
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

/// A retry budget, for each caller's replica and callee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BudgetSpec {
    /// Finagle's: a share of the requests of the last while, and a reserve.
    Window {
        /// Retries for each request.
        ratio: f64,
        /// Retries a second that are always allowed.
        min_per_sec: u64,
        /// Whether all replicas of the caller share the reserve; if not, each has the whole of it.
        shared: bool,
        /// How long a request counts.
        ttl: Span,
    },
    /// A bucket that first attempts fill and retries empty: one retry, one token, while there is more
    /// than one.
    Tokens {
        /// Tokens for each first attempt.
        ratio: f64,
        /// Tokens at the start, and at most.
        capacity: f64,
    },
    /// gRPC's: failures cost a token, successes bring some, and only a bucket more than half full allows
    /// retries.
    Throttling {
        /// Tokens at the start, and at most.
        max_tokens: f64,
        /// Tokens for each success.
        token_ratio: f64,
    },
    /// botocore's: a retry costs more after a time-out, and gets its cost back by success.
    Quota {
        /// Tokens at the start, and at most.
        quota: u64,
        /// Cost of a retry.
        cost: u64,
        /// Cost of a retry after a time-out.
        timeout_cost: u64,
    },
    /// Envoy's: retries on their way are a share of the calls on their way.
    Concurrent {
        /// The share.
        share: f64,
        /// Retries that are always allowed.
        least: u64,
    },
    /// No retries once more than this share of all attempts so far failed.
    Share {
        /// The share.
        most: f64,
    },
}

/// A circuit breaker, for each caller's replica and callee.
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
    /// Calls that are let through while half open; `None` for any number.
    pub half_open: Option<u64>,
    /// Whether it waits for the results that it judges by; if not, every call that starts is a success.
    pub awaits: bool,
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
    /// The last calls, and a threshold that follows the failures of a longer history.
    Adaptive {
        /// Calls that are judged.
        size: u64,
        /// Calls of the history that sets the threshold.
        history: u64,
    },
}

/// Client-side throttling: refuse calls with probability `(requests - k accepts) / (requests + 1)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThrottleSpec {
    /// Requests for each that is accepted before any is refused.
    pub k: f64,
    /// Time over which both are counted.
    pub window: Span,
}

/// How many attempts may be on their way at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitSpec {
    /// So many.
    Fixed(u64),
    /// As Netflix's `AIMDLimit` says.
    Aimd {
        /// Least limit, and the one at the start.
        least: u64,
        /// Greatest limit.
        most: u64,
        /// A round trip that takes longer counts as a drop.
        timeout: Span,
    },
    /// As Netflix's `Gradient2Limit` says.
    Gradient {
        /// Least limit, and the one at the start.
        least: u64,
        /// Greatest limit.
        most: u64,
    },
    /// As Netflix's `VegasLimit` says.
    Vegas {
        /// Limit at the start.
        start: u64,
        /// Greatest limit.
        most: u64,
    },
}

/// A rate limiter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimitSpec {
    /// How it counts.
    pub kind: RateLimitKind,
    /// Longest wait for a permit.
    pub wait: Span,
    /// Whether each key has a limiter of its own.
    pub per_key: bool,
}

/// How a rate limiter counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RateLimitKind {
    /// Fixed cycles, each with its permits.
    Cycle {
        /// Calls in a cycle.
        limit: u64,
        /// Length of a cycle.
        period: Span,
    },
    /// A bucket of `burst` tokens that fills at `rate`.
    Token {
        /// Tokens a second.
        rate: f64,
        /// Tokens at the start, and at most.
        burst: u64,
    },
    /// A queue that leaks evenly at `rate`.
    Leaky {
        /// Calls a second.
        rate: f64,
    },
    /// botocore's adaptive mode: a rate that falls when the callee throttles.
    Adaptive,
}

/// A feature that is turned off for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToggleSpec {
    /// From when on no call is made.
    pub off: Span,
    /// From when on calls are made again; `None` for never.
    pub on: Option<Span>,
}

/// What stands in for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FallbackSpec {
    /// Longest age of an earlier answer to the same key that is given again; `None` if none is kept.
    pub stale: Option<Span>,
    /// What is given otherwise.
    pub level: Level,
}

/// How good an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// No answer: the call has failed.
    None,
    /// Part of the answer.
    Degraded,
    /// The least that makes sense.
    Minimal,
}
