//! Retries.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::policy::grpc_failures_to_stop;
use super::super::retry::{
    all_fail, all_fail_shared, attempts_per_call, budget, budget_saturation, fails_after_backoff, layers,
    load_fixed_points, quota_drains,
};
use super::require;

const FAILS: Arg = arg("p", Kind::Share, "probability that an attempt fails");
const ATTEMPTS: Arg = count("attempts", 1, 1000, "attempts at most, the first included");

fn retry_answer(given: &Given) -> Result<Answer, String> {
    let (p, attempts) = (given.share("p").yes, given.count("attempts"));
    let independent = all_fail(p, attempts);
    let shared = given.share("shared").yes;
    require(shared <= p && shared < 1.0, || {
        "the shared outage is part of p: shared must not exceed p".to_owned()
    })?;
    let fails = if shared > 0.0 { all_fail_shared(p, shared, attempts) } else { independent };
    Ok(Answer::new()
        .plain("success", 1.0 - fails)
        .plain("failure", fails)
        .plain("attempts per call", attempts_per_call(p, attempts))
        .plain("attempts per call when all fail", attempts as f64)
        .note_if(shared > 0.0, || {
            format!("if attempts were independent, {independent:.9e} of the calls would fail: 1 - (1 - a)^k promises too much")
        }))
}

fn storm_answer(given: &Given) -> Answer {
    let [arrivals, service, timeout] = ["lam", "mu", "timeout"].map(|name| given.number(name));
    let points = load_fixed_points(arrivals, service, timeout, given.count("attempts"));
    let mut answer = Answer::new().plain("fixed points", points.len() as f64);
    for (i, point) in points.iter().enumerate() {
        answer = answer.rate(format!("load {i}"), *point);
    }
    answer.note_if(points.len() > 1, || {
        "the lowest load is healthy, the next is where it tips, the highest stays after the cause is gone"
            .to_owned()
    })
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "retry",
        about: "success 1 - (1 - a)^k and amplification of retries",
        args: &[
            FAILS,
            ATTEMPTS,
            arg("shared", Kind::Share, "part of p that is an outage shared by all attempts").or("0"),
        ],
        assumes: &[
            "attempts fail independently, but for the shared outage",
            "retries add no load that makes more fail",
        ],
        source: "geometric sum (1 - p^k)/(1 - p); s + (1 - s) p^k with a shared outage",
        example: "p=1% attempts=3 shared=0.1%",
        compute: retry_answer,
    },
    Form {
        name: "retry-backoff",
        about: "one retry after a delay, at a target that goes up and down",
        args: &[
            arg("mttf", Kind::Span, "mean time to failure of the target"),
            arg("mttr", Kind::Span, "mean time to repair"),
            arg("delay", Kind::Duration, "delay before the retry"),
        ],
        assumes: &["times up and down are exponential", "a call fails exactly when the target is down"],
        source: "two-state chain: U (U + (1 - U) e^(-(lambda + mu) D))",
        example: "mttf=999s mttr=1s delay=1s",
        compute: |given| {
            let [mttf, mttr, delay] = ["mttf", "mttr", "delay"].map(|name| given.number(name));
            let down = mttr / (mttf + mttr);
            Ok(Answer::new()
                .plain("failure", fails_after_backoff(mttf, mttr, delay))
                .plain("failure if independent", down * down))
        },
    },
    Form {
        name: "retry-layers",
        about: "retries at every layer of a call chain",
        args: &[ATTEMPTS, count("layers", 1, 20, "layers that retry"), FAILS.or("1")],
        assumes: &["attempts at the leaf fail independently", "every layer retries as often"],
        source: "attempts^layers when all fail",
        example: "attempts=3 layers=3",
        compute: |given| {
            let (load, failing) =
                layers(given.share("p").yes, given.count("attempts"), given.count("layers"));
            Ok(Answer::new().plain("leaf attempts per call", load).plain("failure", failing))
        },
    },
    Form {
        name: "retry-budget",
        about: "retries paid from a token bucket",
        args: &[
            FAILS,
            number("ratio", 0.0, 100.0, "tokens per first try; a retry costs one").or("0.1"),
            count("min-rate", 0, 1_000_000, "retries per second that are always allowed (Finagle)").or("0"),
            arg("ttl", Kind::Duration, "time that tokens live (Finagle)").or("10s"),
        ],
        assumes: &["attempts fail independently", "any number of retries per call, long run"],
        source: "amplification 1 + min(b, p/(1 - p)); Finagle's RetryBudget reserves min-rate x ttl",
        example: "p=50% ratio=0.1",
        compute: |given| {
            let ratio = given.number("ratio");
            let (amplification, success) = budget(given.share("p").yes, ratio);
            Ok(Answer::new()
                .plain("amplification", amplification)
                .plain("success", success)
                .plain("retries per first try at most", ratio)
                .plain("p that uses the budget up", budget_saturation(ratio))
                .plain("retries in reserve", given.count("min-rate") as f64 * given.number("ttl")))
        },
    },
    Form {
        name: "retry-quota",
        about: "the AWS standard retry quota: when it drains, how long it lasts",
        args: &[
            count("cost", 1, 10_000, "tokens that a retry costs").or("5"),
            count("capacity", 1, 1_000_000, "tokens when full").or("500"),
        ],
        assumes: &["three attempts at most; attempts fail independently", "one caller shares the quota"],
        source: "botocore, retries/quota.py and retries/standard.py: (1 - p) = c p^2 (1 + p)",
        example: "cost=14",
        compute: |given| {
            let (cost, capacity) = (given.count("cost"), given.count("capacity"));
            Ok(Answer::new()
                .plain("p that drains the quota", quota_drains(cost as f64))
                .plain("retries until empty, all failing", (capacity / cost) as f64))
        },
    },
    Form {
        name: "retry-throttle",
        about: "gRPC retry throttling: when retries stop",
        args: &[
            count("max-tokens", 1, 1000, "tokens when full").or("10"),
            number("token-ratio", 1e-3, 1000.0, "tokens that a success adds; a failure takes one").or("0.1"),
        ],
        assumes: &["attempts fail independently, long run"],
        source: "gRPC proposal A6",
        example: "max-tokens=10 token-ratio=0.1",
        compute: |given| {
            let failures = grpc_failures_to_stop(given.count("max-tokens"));
            Ok(Answer::new()
                .plain("p that drains the tokens", budget_saturation(given.number("token-ratio")))
                .plain("failures until retries stop", failures as f64))
        },
    },
    Form {
        name: "retry-storm",
        about: "loads at which time-outs and retries keep a server",
        args: &[
            arg("lam", Kind::Rate, "first attempts"),
            arg("mu", Kind::Rate, "requests that the server can serve"),
            arg("timeout", Kind::Span, "time-out of an attempt"),
            ATTEMPTS,
        ],
        assumes: &[
            "M/M/1, nothing is cancelled, retries at once",
            "mean field: a single server leaves the healthy load by chance, sooner or later",
        ],
        source: "le = lambda (1 + f + …), f = e^(-(mu - le) T)",
        example: "lam=60/s mu=100/s timeout=100ms attempts=3",
        compute: |given| Ok(storm_answer(given)),
    },
    Form {
        name: "backoff",
        about: "exponential back-off before a retry",
        args: &[
            arg("base", Kind::Span, "back-off before the first retry"),
            arg("cap", Kind::Span, "longest back-off"),
            count("n", 0, 1000, "retry, from 0"),
        ],
        assumes: &["full jitter draws from 0 to the value, equal jitter from half of it"],
        source: "Brooker 2015, Exponential Backoff and Jitter: min(cap, base 2^n)",
        example: "base=5ms cap=2s n=4",
        compute: |given| {
            let value =
                super::super::service::backoff(given.number("base"), given.number("cap"), given.count("n"));
            Ok(Answer::new()
                .seconds("back-off", value)
                .seconds("mean with full jitter", value / 2.0)
                .seconds("mean with equal jitter", value * 0.75))
        },
    },
];
