//! Lost writes, detection, election, failover.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::recovery::{
    Election, FailoverBudget, Stream, detection, heartbeats_to_suspicion, lost_at_least,
    parallel_lag_quantile, periodic_loss,
};
use super::require;

const WRITES: Arg = arg("writes", Kind::Rate, "writes");
const LOST: Arg = count("lost", 1, 1_000_000, "number of lost writes whose probability is wanted").optional();
const QUANTILE: Arg = arg("quantile", Kind::Share, "quantile of the age of the oldest lost write").or("99%");
const POISSON: &str = "writes are a Poisson stream; the crash comes at any time";

fn stream_answer(given: &Given) -> Result<Answer, String> {
    let stream = Stream { rate: given.number("writes"), apply: given.number("apply") };
    require(stream.apply > stream.rate, || {
        "the replica must apply faster than writes come: raise apply".to_owned()
    })?;
    let quantile = given.share("quantile");
    require(quantile.no > 0.0, || "quantile must be below 1".to_owned())?;
    let mut answer = Answer::new()
        .plain("mean lost writes", stream.mean_lost())
        .seconds("RPO at the quantile", stream.age_exceeded(quantile.no));
    if let Some(count) = given.count_if("lost") {
        answer = answer.plain("probability of losing so many", stream.lost_at_least(count));
    }
    if let Some(age) = given.number_if("age") {
        answer = answer.plain("probability of losing older writes", stream.older_than(age));
    }
    Ok(answer)
}

fn budget_answer(given: &Given) -> Result<Answer, String> {
    let [detect_min, detect_max, elect, promote_median] =
        ["detect-min", "detect-max", "elect", "promote"].map(|name| given.number(name));
    require(detect_min <= detect_max, || "detect-min must not exceed detect-max".to_owned())?;
    let promote_sigma = given.number("sigma");
    let budget = FailoverBudget { detect_min, detect_max, elect, promote_median, promote_sigma };
    let quantile = given.share("quantile");
    require(quantile.no > 0.0, || "quantile must be below 1".to_owned())?;
    let mut answer = Answer::new()
        .seconds("mean", budget.mean())
        .seconds("at the quantile", budget.quantile(quantile.yes));
    if let Some(within) = given.number_if("within") {
        answer = answer.plain("probability within", budget.within(within));
    }
    Ok(answer)
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "rpo-lag",
        about: "writes lost when a replica lags by a constant time",
        args: &[WRITES, arg("lag", Kind::Span, "replication lag"), LOST],
        assumes: &[POISSON, "writes are shipped one by one, in a pipeline"],
        source: "Poisson law with mean writes x lag",
        example: "writes=200/s lag=0.5s lost=125",
        compute: |given| {
            let (writes, lag) = (given.number("writes"), given.number("lag"));
            let mut answer = Answer::new().plain("mean lost writes", writes * lag).seconds("RPO", lag);
            if let Some(count) = given.count_if("lost") {
                answer = answer.plain("probability of losing so many", lost_at_least(writes, lag, count));
            }
            Ok(answer)
        },
    },
    Form {
        name: "rpo-parallel",
        about: "writes lost when each is replicated after a random time of its own",
        args: &[WRITES, arg("lag", Kind::Span, "mean replication time"), QUANTILE],
        assumes: &[POISSON, "replication times are exponential and independent: writes overtake each other"],
        source: "M/G/infinity: mean insensitive to the law; oldest d ln(w d / -ln q)",
        example: "writes=200/s lag=0.5s quantile=99%",
        compute: |given| {
            let (writes, lag, quantile) =
                (given.number("writes"), given.number("lag"), given.share("quantile"));
            require(quantile.yes > 0.0 && quantile.no > 0.0, || {
                "quantile must be between 0 and 1".to_owned()
            })?;
            let oldest = parallel_lag_quantile(writes, lag, quantile.yes);
            Ok(Answer::new().plain("mean lost writes", writes * lag).seconds("RPO at the quantile", oldest))
        },
    },
    Form {
        name: "rpo-periodic",
        about: "writes lost when changes are shipped periodically",
        args: &[
            WRITES,
            arg("period", Kind::Span, "time between shipments"),
            arg("latency", Kind::Duration, "time that a shipment takes").or("0s"),
        ],
        assumes: &[POISSON],
        source: "law of total variance over the phase of the crash",
        example: "writes=200/s period=10s latency=0.5s",
        compute: |given| {
            let [writes, period, latency] = ["writes", "period", "latency"].map(|name| given.number(name));
            let (mean, sd) = periodic_loss(writes, period, latency);
            Ok(Answer::new()
                .plain("mean lost writes", mean)
                .plain("standard deviation", sd)
                .seconds("worst RPO", period + latency))
        },
    },
    Form {
        name: "rpo-stream",
        about: "writes lost when one replica applies them in order (M/M/1)",
        args: &[
            WRITES,
            arg("apply", Kind::Rate, "writes that the replica can apply"),
            QUANTILE,
            LOST,
            arg("age", Kind::Duration, "age whose probability is wanted").optional(),
        ],
        assumes: &[POISSON, "apply times are exponential"],
        source: "M/M/1: geometric backlog, P(age > t) = rho e^(-(mu - lambda) t)",
        example: "writes=200/s apply=220/s lost=50",
        compute: stream_answer,
    },
    Form {
        name: "heartbeat",
        about: "detection time of heartbeats with a fixed time-out",
        args: &[
            arg("every", Kind::Span, "heartbeat period"),
            arg("timeout", Kind::Span, "silence after which a node is suspected"),
        ],
        assumes: &["heartbeats take no time and none is lost", "the crash comes at any time of a period"],
        source: "uniform phase: timeout - every/2",
        example: "every=1s timeout=3s",
        compute: |given| {
            let (every, timeout) = (given.number("every"), given.number("timeout"));
            require(timeout >= every, || {
                "a timeout below the period suspects everyone: raise timeout".to_owned()
            })?;
            Ok(Answer::new()
                .seconds("mean detection", detection(every, timeout))
                .seconds("fastest detection", timeout - every)
                .seconds("slowest detection", timeout))
        },
    },
    Form {
        name: "false-suspicion",
        about: "heartbeats until a healthy node is suspected",
        args: &[
            arg("loss", Kind::Share, "probability that a heartbeat is lost"),
            count("misses", 1, 100, "misses in a row that raise a suspicion"),
            arg("every", Kind::Span, "heartbeat period").optional(),
        ],
        assumes: &["heartbeats are lost independently of each other: bursts are not"],
        source: "runs of successes, Feller, volume 1: (1 - q^k)/((1 - q) q^k)",
        example: "loss=1% misses=3 every=1s",
        compute: |given| {
            let loss = given.share("loss");
            require(loss.yes > 0.0 && loss.no > 0.0, || "loss must be between 0 and 1".to_owned())?;
            let beats = heartbeats_to_suspicion(loss.yes, given.count("misses"));
            let answer = Answer::new().plain("mean heartbeats", beats);
            Ok(match given.number_if("every") {
                Some(every) => answer.seconds("mean time", beats * every),
                None => answer,
            })
        },
    },
    Form {
        name: "election",
        about: "first candidate and split votes after a leader's crash (Raft)",
        args: &[
            count("n", 2, 1000, "nodes, the crashed leader included"),
            arg("shortest", Kind::Duration, "shortest election time-out"),
            arg("longest", Kind::Span, "longest election time-out"),
            arg("delay", Kind::Duration, "time that a vote request takes").or("0s"),
            arg("heartbeat", Kind::Duration, "the leader's heartbeat period").or("0s"),
        ],
        assumes: &[
            "time-outs are uniform and start at the last heartbeat",
            "the crash comes at any time of a period",
        ],
        source: "order statistics of n - 1 uniform times",
        example: "n=5 shortest=150ms longest=300ms delay=15ms heartbeat=50ms",
        compute: |given| {
            let [shortest, longest, delay, heartbeat] =
                ["shortest", "longest", "delay", "heartbeat"].map(|name| given.number(name));
            require(shortest < longest, || "shortest must be below longest".to_owned())?;
            let election = Election { nodes: given.count("n"), shortest, longest };
            Ok(Answer::new()
                .seconds("mean time to the first candidate", election.first_candidate(heartbeat))
                .plain("probability of one candidate", election.one_candidate(delay)))
        },
    },
    Form {
        name: "failover-budget",
        about: "mean and percentiles of detect + elect + promote",
        args: &[
            arg("detect-min", Kind::Duration, "shortest detection"),
            arg("detect-max", Kind::Span, "longest detection"),
            arg("elect", Kind::Duration, "election, constant").or("0s"),
            arg("promote", Kind::Span, "median of the promotion"),
            number("sigma", 1e-6, 5.0, "standard deviation of the promotion's logarithm"),
            arg("quantile", Kind::Share, "wanted quantile").or("99%"),
            arg("within", Kind::Span, "time whose probability is wanted").optional(),
        ],
        assumes: &[
            "detection is uniform, promotion lognormal, and they are independent",
            "percentiles of parts do not add",
        ],
        source: "convolution of a uniform and a lognormal law, in closed form",
        example: "detect-min=2s detect-max=3s elect=0.2s promote=5s sigma=0.5",
        compute: budget_answer,
    },
];
