//! `[policy.NAME]`: the keys of a policy and of its parts.

use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Count, Field, Fields, Located, Name, Number, Positive, Probability, Table, Walk};
use super::super::value::{Data, Value};
use super::spec::{
    Around, BackoffKind, BackoffSpec, BreakerSpec, BreakerWindow, BudgetSpec, Jitter, Level, PolicySpec,
    RateLimitSpec, RetryOn,
};
use crate::describe::ModelInfo;

/// Most retries of a call.
const MAX_RETRIES: u64 = 1000;
/// Most calls that a policy counts or lets through at once.
const MAX_CALLS: u64 = 1_000_000;

/// The tables below `[policy]`, in file order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies(pub(crate) Vec<Located<PolicySpec>>);

impl Field for Policies {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Policies, Value) {
        if !matches!(value.data, Data::Table(_)) {
            walk.mismatch(value, "tables such as [policy.careful]");
        }
        let (mut policies, mut canonical) = (Vec::new(), Vec::new());
        for entry in value.entries() {
            let mut key = Value::text(entry.key.clone());
            key.at = entry.key_at;
            let (name, _) = Name::read(&key, walk);
            let (part, value) = PolicyPart::read(&entry.value, walk);
            policies.push(Located { at: entry.key_at, value: PolicySpec { name: name.0, ..part.0 } });
            canonical.push((entry.key.as_str(), value));
        }
        (Policies(policies), Value::table(canonical))
    }

    fn schema(models: &[ModelInfo]) -> Json {
        json!({ "type": "object", "additionalProperties": PolicyPart::schema(models) })
    }

    fn placeholder() -> Policies {
        Policies::default()
    }
}

/// A policy without its name.
struct PolicyPart(PolicySpec);

impl Table for PolicyPart {
    const WHAT: &'static str = "[policy]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> PolicyPart {
        let timeout: Option<Located<Span>> =
            fields.optional("timeout", "longest wait for the answer to one attempt; for ever without");
        let zero = timeout.as_ref().filter(|span| span.value == Span::ZERO);
        if let (Some(zero), true) = (zero, fields.good("timeout")) {
            let title = "no call can be answered in no time";
            fields.error(Diagnostic::new(zero.at, title, "must be greater than zero"));
        }
        let retries: Count<0, MAX_RETRIES> = fields.default("retries", "attempts beside the first", "0");
        let bulkhead: Option<Count<1, MAX_CALLS>> =
            fields.optional("bulkhead", "calls of one replica that may be on their way at once");
        PolicyPart(PolicySpec {
            name: String::new(),
            timeout: timeout.map(|timeout| timeout.value),
            retries: retries.0,
            retry_on: retry_on(fields),
            backoff: fields.section("backoff", "wait before a retry"),
            budget: fields.optional("budget", "what retries may cost, for each caller and callee"),
            breaker: fields.optional("breaker", "circuit breaker, for each caller and callee"),
            bulkhead: bulkhead.map(|most| most.0),
            rate_limit: fields.optional("rate_limit", "calls that a replica may make in a time"),
            hedge: fields.optional("hedge", "a second attempt is sent when the first takes this long"),
            cancel: fields.default("cancel", "the callee is told when nobody waits any more", "false"),
            propagate: fields.default("propagate", "the callee learns when an answer is of no use", "false"),
            fallback: fallback(fields),
        })
    }
}

fn retry_on(fields: &mut Fields<'_, '_, '_>) -> RetryOn {
    const ALL: &str = "[\"timeout\", \"rejected\", \"failed\"]";
    const WORDS: [&str; 3] = ["timeout", "rejected", "failed"];
    let words: Vec<Located<String>> = fields.default("retry_on", "outcomes that are tried again", ALL);
    for word in &words {
        if !WORDS.contains(&word.value.as_str()) {
            let title = format!("no outcome is called `{}`", word.value);
            let wrong = Diagnostic::new(word.at, title, "not an outcome");
            fields.error(wrong.suggest(&word.value, "outcomes", &WORDS));
        }
    }
    let has = |outcome: &str| words.iter().any(|word| word.value == outcome);
    RetryOn { timeout: has("timeout"), rejected: has("rejected"), failed: has("failed") }
}

fn fallback(fields: &mut Fields<'_, '_, '_>) -> Option<Level> {
    let about = "what answers a call that failed, so that the request goes on";
    match fields.choice("fallback", about, &["none", "degraded", "minimal"], "none") {
        "degraded" => Some(Level::Degraded),
        "minimal" => Some(Level::Minimal),
        _ => None,
    }
}

impl Table for BackoffSpec {
    const WHAT: &'static str = "backoff";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> BackoffSpec {
        const KINDS: &[&str] = &["none", "fixed", "exponential", "decorrelated", "smooth"];
        const JITTERS: &[&str] = &["none", "full", "equal", "additive", "proportional"];
        let kind = match fields.choice("kind", "how the wait grows from retry to retry", KINDS, "none") {
            "fixed" => BackoffKind::Fixed,
            "exponential" => BackoffKind::Exponential,
            "decorrelated" => BackoffKind::Decorrelated,
            "smooth" => BackoffKind::Smooth,
            _ => BackoffKind::None,
        };
        let base = fields.default("base", "wait before the first retry", "\"100ms\"");
        let cap = fields.default("cap", "longest wait, before jitter is added", "\"20s\"");
        let factor: Number<1, 1000> = fields.default("factor", "growth of an exponential wait", "2.0");
        let jitter = fields.choice("jitter", "what is random about the wait", JITTERS, "none");
        let share: Probability = fields.default("share", "of proportional jitter, either way", "0.1");
        let random = matches!(kind, BackoffKind::Decorrelated | BackoffKind::Smooth);
        if random && jitter != "none" && fields.good("jitter") {
            let title = "decorrelated and smooth back-off are random by themselves";
            fields.error(Diagnostic::new(fields.spot("jitter"), title, "leave it out"));
        }
        let jitter = match jitter {
            "full" => Jitter::Full,
            "equal" => Jitter::Equal,
            "additive" => Jitter::Additive,
            "proportional" => Jitter::Proportional(share.0),
            _ => Jitter::None,
        };
        BackoffSpec { kind, base, cap, factor: factor.0, jitter }
    }
}

impl Table for BudgetSpec {
    const WHAT: &'static str = "budget";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> BudgetSpec {
        let ratio: Positive = fields.required("ratio", "retries for each request, such as 0.1");
        let min: Count<0, MAX_CALLS> = fields.default(
            "min_per_sec",
            "retries a second that are always allowed, over all replicas of the caller",
            "10",
        );
        let ttl = fields.default("ttl", "how long a request counts", "\"10s\"");
        if ttl < Span::secs(1) && fields.good("ttl") {
            let title = "requests count for less than a second";
            fields.error(Diagnostic::new(fields.spot("ttl"), title, "must be at least 1s"));
        }
        BudgetSpec { ratio: ratio.0, min_per_sec: min.0, ttl }
    }
}

impl Table for BreakerSpec {
    const WHAT: &'static str = "breaker";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> BreakerSpec {
        const KINDS: &[&str] = &["count", "time", "consecutive"];
        let kind = fields.choice(
            "kind",
            "what is counted: last calls, last seconds, failures in a row",
            KINDS,
            "count",
        );
        let size: Count<1, MAX_CALLS> = fields.default("size", "calls or seconds that count", "100");
        let failures: Count<1, MAX_CALLS> =
            fields.default("failures", "failures in a row that open a consecutive one", "5");
        let successes: Count<1, MAX_CALLS> =
            fields.default("successes", "successes in a row that close a consecutive one", "1");
        let minimum: Count<1, MAX_CALLS> =
            fields.default("minimum", "calls before which it does not judge", "100");
        let failure_rate: Probability =
            fields.default("failure_rate", "share of failures at which it opens", "0.5");
        let slow_rate: Probability =
            fields.default("slow_rate", "share of slow calls at which it opens", "1.0");
        let half_open: Count<1, MAX_CALLS> =
            fields.default("half_open", "calls that are let through while half open", "10");
        let around = fields.choice(
            "around",
            "whether it sees each attempt, or a call with its retries as one",
            &["attempt", "call"],
            "attempt",
        );
        BreakerSpec {
            window: match kind {
                "time" => BreakerWindow::Seconds(size.0),
                "consecutive" => BreakerWindow::Consecutive { failures: failures.0, successes: successes.0 },
                _ => BreakerWindow::Count(size.0),
            },
            minimum: minimum.0,
            failure_rate: failure_rate.0,
            slow_rate: slow_rate.0,
            slow_after: fields.default("slow_after", "a call that takes longer is slow", "\"60s\""),
            open_for: fields.default("open_for", "time that it stays open", "\"60s\""),
            half_open: half_open.0,
            around: if around == "call" { Around::Call } else { Around::Attempt },
        }
    }
}

impl Table for RateLimitSpec {
    const WHAT: &'static str = "rate_limit";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> RateLimitSpec {
        let limit: Count<1, MAX_CALLS> = fields.required("limit", "calls in a cycle");
        let period = fields.required("period", "length of a cycle, such as \"1s\"");
        if period == Span::ZERO && fields.good("period") {
            let title = "a cycle has a length";
            fields.error(Diagnostic::new(fields.spot("period"), title, "must be greater than zero"));
        }
        RateLimitSpec {
            limit: limit.0,
            period,
            wait: fields.default("wait", "longest wait for a later cycle", "\"0s\""),
        }
    }
}
