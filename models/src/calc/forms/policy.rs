//! Breakers, throttles, autoscalers, membership.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::policy::{
    admission, autoscale, average_falls, false_trip, half_open_closes, swim_periods, swim_suspicion, throttle,
};
use super::require;
use crate::detect::phi::Tail;

const FAILS: Arg = arg("p", Kind::Share, "probability that a call fails");

/// Phi of a silence, and the silence of a threshold.
fn phi_answer(given: &Given) -> Result<Answer, String> {
    let law = match given.word("law") {
        "normal" => Tail::Normal,
        "logistic" => Tail::Logistic,
        _ => Tail::Exponential,
    };
    let (mean, sd) = (given.number("mean") + given.number("pause"), given.number("sd"));
    require(law == Tail::Exponential || sd > 0.0, || "sd must be above 0 for this law".to_owned())?;
    require(law != Tail::Exponential || mean > 0.0, || "mean must be above 0 for this law".to_owned())?;
    let silence = law.silence(given.number("threshold"), mean, sd);
    let answer = Answer::new().seconds("silence", silence);
    Ok(match given.number_if("silence") {
        Some(silence) => answer.plain("phi", law.phi(silence, mean, sd)),
        None => answer,
    })
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "phi",
        about: "silence at which a phi-accrual detector suspects, and phi of a silence",
        args: &[
            arg("law", Kind::Word(&["normal", "logistic", "exponential"]), "law of the intervals")
                .or("normal"),
            arg("mean", Kind::Duration, "mean interval between heartbeats"),
            arg("sd", Kind::Duration, "its standard deviation; none for the exponential law").or("0s"),
            arg("pause", Kind::Duration, "acceptable pause, added to the mean (Akka)").or("0s"),
            number("threshold", 0.1, 300.0, "phi that raises a suspicion").or("8"),
            arg("silence", Kind::Duration, "silence whose phi is wanted").optional(),
        ],
        assumes: &["intervals are independent, with this mean and spread"],
        source: "Hayashibara et al. 2004 (normal); Akka (logistic approximation); Cassandra (exponential)",
        example: "law=logistic mean=1s sd=100ms threshold=8",
        compute: phi_answer,
    },
    Form {
        name: "breaker",
        about: "probability that a breaker trips on one full window",
        args: &[
            count("calls", 1, 1000, "calls in the window"),
            count("trip-at", 1, 1000, "failures that trip it"),
            FAILS,
        ],
        assumes: &["calls fail independently", "one look at a full window, not many in a row"],
        source: "binomial tail; resilience4j trips at rate >= threshold, from its minimum number of calls on",
        example: "calls=100 trip-at=50 p=40%",
        compute: |given| {
            let (calls, trip) = (given.count("calls"), given.count("trip-at"));
            require(trip <= calls, || format!("trip-at={trip} of calls={calls} never trips"))?;
            Ok(Answer::new()
                .plain("trips", false_trip(calls, trip, given.share("p")))
                .plain("calls to trip, all failing", calls as f64))
        },
    },
    Form {
        name: "half-open",
        about: "probability that a half-open breaker closes",
        args: &[
            count("permitted", 1, 1000, "calls let through"),
            arg("threshold", Kind::Share, "share of failures that opens it again").or("50%"),
            FAILS,
        ],
        assumes: &["calls fail independently", "closes when the share is below the threshold"],
        source: "binomial law; resilience4j",
        example: "permitted=10 p=50%",
        compute: |given| {
            let closes =
                half_open_closes(given.count("permitted"), given.share("threshold").yes, given.share("p"));
            Ok(Answer::new().plain("closes", closes))
        },
    },
    Form {
        name: "throttle",
        about: "client throttling under overload (Google SRE)",
        args: &[
            number("k", 1.0, 1000.0, "multiple of accepts that may be sent").or("2"),
            arg("lam", Kind::Rate, "calls offered"),
            arg("capacity", Kind::Rate, "calls that the backend accepts"),
        ],
        assumes: &["rejecting costs the backend nothing", "steady state"],
        source: "Beyer et al. 2016, Site Reliability Engineering, chapter 21",
        example: "k=2 lam=400/s capacity=100/s",
        compute: |given| {
            let [k, lam, capacity] = ["k", "lam", "capacity"].map(|name| given.number(name));
            let state = throttle(k, lam, capacity);
            Ok(Answer::new()
                .plain("rejected at the client", state.local)
                .rate("sent", state.sent)
                .rate("rejected at the backend", state.rejected)
                .plain("sent over capacity", state.sent / capacity)
                .plain("failures that collapse sending", 1.0 - 1.0 / k))
        },
    },
    Form {
        name: "admission",
        about: "Envoy's admission control",
        args: &[
            arg("success", Kind::Share, "share of requests that succeed"),
            arg("threshold", Kind::Share, "success below which it rejects").or("95%"),
            number("aggression", 1.0, 100.0, "aggression").or("1"),
            arg("most", Kind::Share, "highest share rejected").or("80%"),
        ],
        assumes: &["many requests in the sampling window"],
        source: "Envoy, admission control filter",
        example: "success=80%",
        compute: |given| {
            let [success, threshold, most] =
                ["success", "threshold", "most"].map(|name| given.share(name).yes);
            require(threshold > 0.0, || "threshold must be above 0".to_owned())?;
            Ok(Answer::new()
                .plain("rejected", admission(success, threshold, given.number("aggression"), most)))
        },
    },
    Form {
        name: "autoscale",
        about: "replicas that the Kubernetes autoscaler wants",
        args: &[
            count("current", 1, 1_000_000, "replicas now"),
            number("metric", 0.0, 1e15, "metric now"),
            number("target", 1e-9, 1e15, "its target"),
            number("tolerance", 0.0, 1.0, "relative difference that is let be").or("0.1"),
        ],
        assumes: &["all replicas are ready and report"],
        source: "Kubernetes: ceil(current x metric / target)",
        example: "current=4 metric=200 target=100",
        compute: |given| {
            let [metric, target, tolerance] =
                ["metric", "target", "tolerance"].map(|name| given.number(name));
            Ok(Answer::new()
                .plain("replicas", autoscale(given.count("current"), metric, target, tolerance) as f64))
        },
    },
    Form {
        name: "swim",
        about: "detection by random probes, and memberlist's suspicion time",
        args: &[
            count("n", 2, 1_000_000_000, "members"),
            number("multiplier", 0.1, 1000.0, "memberlist's suspicion multiplier").or("4"),
            arg("interval", Kind::Span, "probe interval").or("1s"),
            number("most", 1.0, 1000.0, "longest suspicion over the shortest").or("6"),
        ],
        assumes: &["every member probes one other at random each period"],
        source: "Das, Gupta & Motivala 2002; hashicorp/memberlist",
        example: "n=100",
        compute: |given| {
            let (n, interval) = (given.count("n"), given.number("interval"));
            let shortest = swim_suspicion(n, given.number("multiplier"), interval);
            Ok(Answer::new()
                .plain("mean periods to the first probe", swim_periods(n))
                .seconds("mean time to the first probe", swim_periods(n) * interval)
                .seconds("shortest suspicion", shortest)
                .seconds("longest suspicion", shortest * given.number("most")))
        },
    },
    Form {
        name: "failure-accrual",
        about: "time for an average of successes to fall below a threshold (Finagle)",
        args: &[
            arg("window", Kind::Span, "window of the average").or("30s"),
            arg("threshold", Kind::Share, "success rate that marks a host dead").or("80%"),
        ],
        assumes: &["full outage, dense traffic", "an exponential average that was at 1"],
        source: "Finagle, FailureAccrualPolicy.scala: -window ln(threshold); its comment says window (1 - threshold)",
        example: "window=30s threshold=80%",
        compute: |given| {
            let (window, threshold) = (given.number("window"), given.share("threshold"));
            require(threshold.yes > 0.0, || "threshold must be above 0".to_owned())?;
            Ok(Answer::new()
                .seconds("time to detect", average_falls(window, threshold.yes))
                .seconds("as the comment says", window * threshold.no))
        },
    },
    Form {
        name: "in-flight",
        about: "requests in a server that slows down with them",
        args: &[
            arg("lam", Kind::Rate, "requests"),
            arg("base", Kind::Span, "latency of an idle server").or("1s"),
            arg("slope", Kind::Duration, "latency that each request in it adds").or("10ms"),
            count("attempts", 1, 100, "attempts when all time out").or("3"),
        ],
        assumes: &["Little's law, N = lambda (base + slope N)", "abandoned work goes on"],
        source: "Brooker's simple_collapse simulation",
        example: "lam=30/s",
        compute: |given| {
            let [lam, base, slope] = ["lam", "base", "slope"].map(|name| given.number(name));
            let count = |lam: f64| super::super::service::in_flight(lam, base, slope);
            let storm = lam * given.count("attempts") as f64;
            Ok(Answer::new()
                .plain("healthy", count(lam))
                .plain("with every attempt timing out", count(storm)))
        },
    },
    Form {
        name: "drain",
        about: "time that the backlog of a stall takes to drain",
        args: &[
            arg("lam", Kind::Rate, "arrivals"),
            arg("mu", Kind::Rate, "service"),
            arg("stall", Kind::Span, "length of the stall"),
        ],
        assumes: &["first come first served, no retries", "steady flow"],
        source: "fluid: D lambda / (mu - lambda)",
        example: "lam=90/s mu=100/s stall=10s",
        compute: |given| {
            let [lam, mu, stall] = ["lam", "mu", "stall"].map(|name| given.number(name));
            require(mu > lam, || {
                "a server that is slower than its arrivals never drains: raise mu".to_owned()
            })?;
            Ok(Answer::new()
                .seconds("time to drain", super::super::service::drain(lam, mu, stall))
                .plain("longest queue", lam * stall))
        },
    },
];
