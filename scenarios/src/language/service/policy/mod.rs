//! `[policy.NAME]`: the keys of a policy.

mod library;
mod parts;
mod spec;

use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Count, Field, Fields, Located, Name, Table, Walk};
use super::super::value::{Data, Value};
use crate::describe::ModelInfo;

pub use library::{Library, libraries, policy_keys};
use parts::MAX_CALLS;
pub use spec::{
    BackoffKind, BackoffSpec, BreakerSpec, BreakerWindow, BudgetSpec, ConnectSpec, FallbackSpec, Jitter,
    Layer, Level, LimitSpec, PolicySpec, RateLimitKind, RateLimitSpec, RetryOn, ThrottleSpec, ToggleSpec,
};

/// Most retries of a call.
const MAX_RETRIES: u64 = 1000;

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
            let completed = library::complete(&entry.value, walk);
            let (part, value) = PolicyPart::read(&completed, walk);
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
        let about = "a library whose defaults the parts of this policy have; murphy list policies";
        let _: Option<Located<String>> = fields.optional("like", about);
        let timeout = wait(fields, "timeout", "longest wait for the answer to one attempt; for ever without");
        let overall = wait(fields, "overall", "longest wait for the call, retries included");
        let connect = fields.optional("connect", "connections to replicas, one to each");
        let retries: Count<0, MAX_RETRIES> = fields.default("retries", "attempts beside the first", "0");
        let mut policy = PolicySpec {
            timeout,
            overall,
            connect,
            retries: retries.0,
            retry_on: retry_on(fields),
            heed: fields.default("retry_after", "a retry waits as long as the refusal asked for", "false"),
            backoff: fields.section("backoff", "wait before a retry"),
            budget: fields.optional("budget", "what retries may cost, for each caller and callee"),
            idempotency: fields.default("idempotency", "a retry has the key of its call", "false"),
            breaker: fields.optional("breaker", "circuit breaker, for each caller and callee"),
            health: wait(fields, "health", "one failure gives the callee up until its next check, so often"),
            throttle: fields
                .optional("throttle", "calls are refused here in proportion to those refused there"),
            bulkhead: limit(fields),
            rate_limit: fields.optional("rate_limit", "calls that a replica may make in a time"),
            hedge: fields.optional("hedge", "a second attempt is sent when the first takes this long"),
            cancel: fields.default("cancel", "the callee is told when nobody waits any more", "false"),
            propagate: fields.default("propagate", "the callee learns when an answer is of no use", "false"),
            late: fields.default("late", "the answer to an attempt that was given up still counts", "false"),
            toggle: fields.optional("toggle", "the call is turned off for a while"),
            fallback: fallback(fields),
            ..PolicySpec::patient()
        };
        policy.stack = stack(fields, &policy);
        PolicyPart(policy)
    }
}

fn wait(fields: &mut Fields<'_, '_, '_>, key: &'static str, about: &str) -> Option<Span> {
    let wait: Option<Located<Span>> = fields.optional(key, about);
    let zero = wait.as_ref().filter(|span| span.value == Span::ZERO);
    if let (Some(zero), true) = (zero, fields.good(key)) {
        let title = "no call can be answered in no time";
        fields.error(Diagnostic::new(zero.at, title, "must be greater than zero"));
    }
    wait.map(|wait| wait.value)
}

fn limit(fields: &mut Fields<'_, '_, '_>) -> Option<LimitSpec> {
    let about = "attempts of one replica that may be on their way at once";
    let bulkhead: Option<Count<1, MAX_CALLS>> = fields.optional("bulkhead", about);
    let limit: Option<LimitSpec> = fields.optional("limit", "a bulkhead whose size follows what calls take");
    if bulkhead.is_some() && limit.is_some() {
        let title = "both `bulkhead` and `limit` are given";
        fields.error(Diagnostic::new(fields.spot("limit"), title, "give only one of them"));
    }
    limit.or(bulkhead.map(|most| LimitSpec::Fixed(most.0)))
}

fn retry_on(fields: &mut Fields<'_, '_, '_>) -> RetryOn {
    const ALL: &str = "[\"timeout\", \"rejected\", \"failed\"]";
    const WORDS: [&str; 3] = ["timeout", "rejected", "failed"];
    let about =
        "outcomes that are tried again: timeout, rejected (429, 503), failed (other 5xx), or a status";
    let words: Vec<Located<String>> = fields.default("retry_on", about, ALL);
    let status = |word: &str| word.parse().ok().filter(|status| (400..600).contains(status));
    for word in &words {
        if !WORDS.contains(&word.value.as_str()) && status(&word.value).is_none() {
            let title = format!("no outcome is called `{}`", word.value);
            let wrong = Diagnostic::new(word.at, title, "not an outcome, nor a status such as \"429\"");
            fields.error(wrong.suggest(&word.value, "outcomes", &WORDS));
        }
    }
    let has = |outcome: &str| words.iter().any(|word| word.value == outcome);
    let statuses = words.iter().filter_map(|word| status(&word.value)).collect();
    RetryOn { timeout: has("timeout"), rejected: has("rejected"), failed: has("failed"), statuses }
}

fn fallback(fields: &mut Fields<'_, '_, '_>) -> Option<FallbackSpec> {
    let about = "what answers a call that failed, so that the request goes on";
    let level = match fields.choice("fallback", about, &["none", "degraded", "minimal"], "none") {
        "degraded" => Level::Degraded,
        "minimal" => Level::Minimal,
        _ => Level::None,
    };
    let about = "an earlier answer to the same key, not older than this, stands in for one that failed";
    let stale = wait(fields, "stale", about);
    (level != Level::None || stale.is_some()).then_some(FallbackSpec { stale, level })
}

/// The layers that are configured, in the order of the file or else the usual one.
fn stack(fields: &mut Fields<'_, '_, '_>, policy: &PolicySpec) -> Vec<Layer> {
    let about = "order of the layers from the outside in; all that are configured";
    let words: Option<Vec<Located<String>>> = fields.optional("stack", about);
    let configured = Layer::ALL.into_iter().filter(|layer| policy.has(*layer));
    let Some(words) = words else { return configured.collect() };
    let mut stack = Vec::new();
    for word in &words {
        let names = Layer::ALL.map(Layer::word);
        let Some(layer) = Layer::ALL.into_iter().find(|layer| layer.word() == word.value) else {
            let title = format!("no layer is called `{}`", word.value);
            let wrong = Diagnostic::new(word.at, title, "not a layer");
            fields.error(wrong.suggest(&word.value, "layers", &names));
            continue;
        };
        if stack.contains(&layer) {
            let title = format!("`{}` is in the stack twice", word.value);
            fields.error(Diagnostic::new(word.at, title, "a layer stands once"));
        } else if policy.has(layer) {
            stack.push(layer);
        }
    }
    for layer in configured.filter(|layer| !words.iter().any(|word| word.value == layer.word())) {
        let title = format!("the stack lacks `{}`, which this policy configures", layer.word());
        fields.error(Diagnostic::new(fields.spot("stack"), title, "say where it stands"));
    }
    stack
}
