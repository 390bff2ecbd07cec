//! The tables inside `[policy.NAME]`.

use murphy_sim::Span;

use super::super::super::diagnostic::Diagnostic;
use super::super::super::fields::{Count, Fields, Located, Number, Positive, Probability, Rate, Table};
use super::spec::{
    BackoffKind, BackoffSpec, BreakerSpec, BreakerWindow, BudgetSpec, ConnectSpec, Jitter, LimitSpec,
    RateLimitKind, RateLimitSpec, ThrottleSpec, ToggleSpec,
};

/// Most calls that a policy counts or lets through at once.
pub(super) const MAX_CALLS: u64 = 1_000_000;

/// Whether the keys of these kinds are read: those of the kind that is chosen, and for the schema all.
fn of(fields: &Fields<'_, '_, '_>, kind: &str, kinds: &[&str]) -> bool {
    !fields.live() || kinds.contains(&kind)
}

impl Table for ConnectSpec {
    const WHAT: &'static str = "connect";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ConnectSpec {
        ConnectSpec {
            timeout: fields.default("timeout", "longest wait for a connection", "\"5s\""),
            idle: fields.default("idle", "an unused connection is closed after this long", "\"5min\""),
        }
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
        const KINDS: &[&str] = &["window", "tokens", "throttling", "quota", "concurrent", "share"];
        let kind = fields.choice("kind", "what retries are paid with", KINDS, "window");
        let mut spec = BudgetSpec::Share { most: 0.1 };
        if of(fields, kind, &["window"]) {
            spec = window(fields);
        }
        if of(fields, kind, &["tokens"]) {
            let ratio: Positive = fields.default("per_request", "tokens for each first attempt", "0.1");
            let capacity: Positive = fields.default("capacity", "tokens at the start, and at most", "5.0");
            spec = BudgetSpec::Tokens { ratio: ratio.0, capacity: capacity.0 };
        }
        if of(fields, kind, &["throttling"]) {
            let max: Positive = fields.default("max_tokens", "tokens at the start, and at most", "10.0");
            let ratio: Positive = fields.default("token_ratio", "tokens for each success", "0.1");
            spec = BudgetSpec::Throttling { max_tokens: max.0, token_ratio: ratio.0 };
        }
        if of(fields, kind, &["quota"]) {
            let quota: Count<1, MAX_CALLS> =
                fields.default("quota", "tokens at the start, and at most", "500");
            let cost: Count<0, MAX_CALLS> = fields.default("cost", "tokens for a retry", "5");
            let late: Count<0, MAX_CALLS> =
                fields.default("timeout_cost", "tokens for a retry after a time-out", "10");
            spec = BudgetSpec::Quota { quota: quota.0, cost: cost.0, timeout_cost: late.0 };
        }
        if of(fields, kind, &["concurrent"]) {
            let share: Probability =
                fields.default("percent", "retries among the calls on their way, such as \"20%\"", "0.2");
            let least: Count<0, MAX_CALLS> =
                fields.default("least", "retries at once that are always allowed", "3");
            spec = BudgetSpec::Concurrent { share: share.0, least: least.0 };
        }
        if of(fields, kind, &["share"]) {
            let most: Probability =
                fields.default("most", "share of failed attempts up to which calls are retried", "0.1");
            spec = if kind == "share" { BudgetSpec::Share { most: most.0 } } else { spec };
        }
        spec
    }
}

fn window(fields: &mut Fields<'_, '_, '_>) -> BudgetSpec {
    let ratio: Positive = fields.required("ratio", "retries for each request, such as 0.1");
    let about = "retries a second that are always allowed";
    let min: Count<0, MAX_CALLS> = fields.default("min_per_sec", about, "10");
    let about = "whose `min_per_sec` is: all replicas of the caller share it, or each has the whole of it";
    let reserve = fields.choice("reserve", about, &["shared", "each"], "shared");
    let ttl = fields.default("ttl", "how long a request counts", "\"10s\"");
    if ttl < Span::secs(1) && fields.good("ttl") {
        let title = "requests count for less than a second";
        fields.error(Diagnostic::new(fields.spot("ttl"), title, "must be at least 1s"));
    }
    BudgetSpec::Window { ratio: ratio.0, min_per_sec: min.0, shared: reserve == "shared", ttl }
}

impl Table for BreakerSpec {
    const WHAT: &'static str = "breaker";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> BreakerSpec {
        const KINDS: &[&str] = &["count", "time", "consecutive", "adaptive"];
        let about =
            "what is counted: last calls, last seconds, failures in a row, last calls against a history";
        let kind = fields.choice("kind", about, KINDS, "count");
        let size: Count<1, MAX_CALLS> = fields.default("size", "calls or seconds that count", "100");
        let failures: Count<1, MAX_CALLS> =
            fields.default("failures", "failures in a row that open a consecutive one", "5");
        let successes: Count<1, MAX_CALLS> =
            fields.default("successes", "successes in a row that close a consecutive one", "1");
        let history: Count<1, MAX_CALLS> =
            fields.default("history", "calls that set the threshold of an adaptive one", "1000");
        let minimum: Count<1, MAX_CALLS> =
            fields.default("minimum", "calls before which it does not judge", "100");
        let failure_rate: Probability =
            fields.default("failure_rate", "share of failures at which it opens", "0.5");
        let slow_rate: Probability =
            fields.default("slow_rate", "share of slow calls at which it opens", "1.0");
        let half_open: Count<0, MAX_CALLS> =
            fields.default("half_open", "calls that are let through while half open; 0 for any number", "10");
        BreakerSpec {
            window: match kind {
                "time" => BreakerWindow::Seconds(size.0),
                "consecutive" => BreakerWindow::Consecutive { failures: failures.0, successes: successes.0 },
                "adaptive" => BreakerWindow::Adaptive { size: size.0, history: history.0 },
                _ => BreakerWindow::Count(size.0),
            },
            minimum: minimum.0,
            failure_rate: failure_rate.0,
            slow_rate: slow_rate.0,
            slow_after: fields.default("slow_after", "a call that takes longer is slow", "\"60s\""),
            open_for: fields.default("open_for", "time that it stays open", "\"60s\""),
            half_open: (half_open.0 > 0).then_some(half_open.0),
            awaits: fields.default("awaits", "false: it takes every call that starts for a success", "true"),
        }
    }
}

impl Table for ThrottleSpec {
    const WHAT: &'static str = "throttle";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ThrottleSpec {
        let k: Positive =
            fields.default("k", "calls for each accepted one before any is refused here", "2.0");
        let window: Located<Span> = fields.default("window", "time over which they are counted", "\"2min\"");
        if window.value < Span::secs(1) && fields.good("window") {
            let title = "a window has a length";
            fields.error(Diagnostic::new(window.at, title, "must be at least 1s"));
        }
        ThrottleSpec { k: k.0, window: window.value }
    }
}

impl Table for LimitSpec {
    const WHAT: &'static str = "limit";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> LimitSpec {
        const KINDS: &[&str] = &["aimd", "gradient2", "vegas"];
        let kind = fields.choice("kind", "how the limit follows what calls take", KINDS, "gradient2");
        let (least, most) = if kind == "vegas" { ("20", "1000") } else { ("20", "200") };
        let start: Count<1, MAX_CALLS> = fields.default("start", "limit at the start, and the least", least);
        let most: Count<1, MAX_CALLS> = fields.default("most", "greatest limit", most);
        let (start, most) = (start.0, most.0.max(start.0));
        if of(fields, kind, &["aimd"]) {
            let timeout = fields.default("timeout", "a call that takes longer counts as a drop", "\"5s\"");
            if kind == "aimd" {
                return LimitSpec::Aimd { least: start, most, timeout };
            }
        }
        match kind {
            "vegas" => LimitSpec::Vegas { start, most },
            _ => LimitSpec::Gradient { least: start, most },
        }
    }
}

impl Table for RateLimitSpec {
    const WHAT: &'static str = "rate_limit";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> RateLimitSpec {
        const KINDS: &[&str] = &["cycle", "token", "leaky", "adaptive"];
        let about = "fixed cycles, a bucket of tokens, a bucket that leaks, a rate that follows throttling";
        let kind = fields.choice("kind", about, KINDS, "cycle");
        let mut spec = RateLimitKind::Adaptive;
        if of(fields, kind, &["cycle"]) {
            let limit: Count<1, MAX_CALLS> = fields.needed("limit", "calls in a cycle");
            let period = fields.needed("period", "length of a cycle, such as \"1s\"");
            if period == Span::ZERO && fields.good("period") {
                let title = "a cycle has a length";
                fields.error(Diagnostic::new(fields.spot("period"), title, "must be greater than zero"));
            }
            spec = RateLimitKind::Cycle { limit: limit.0, period };
        }
        if of(fields, kind, &["token", "leaky"]) {
            let rate: Rate = fields.needed("rate", "calls a second, such as \"50/s\"");
            spec = RateLimitKind::Leaky { rate: rate.0 };
            if of(fields, kind, &["token"]) {
                let burst: Count<1, MAX_CALLS> = fields.default("burst", "calls that may come at once", "1");
                spec = RateLimitKind::Token { rate: rate.0, burst: burst.0 };
            }
        }
        RateLimitSpec {
            kind: spec,
            wait: fields.default("wait", "longest wait for a permit", "\"0s\""),
            per_key: fields.default("per_key", "each key has a limiter of its own", "false"),
        }
    }
}

impl Table for ToggleSpec {
    const WHAT: &'static str = "toggle";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ToggleSpec {
        let off = fields.required("off", "from then on no call is made");
        let on: Option<Located<Span>> = fields.optional("on", "from then on calls are made again");
        if let Some(on) = on.as_ref().filter(|on| on.value <= off) {
            fields.error(Diagnostic::new(on.at, "`on` is not after `off`", "must be later"));
        }
        ToggleSpec { off, on: on.map(|on| on.value) }
    }
}
