//! Choices, hedges, fan-outs, quorums.

use super::super::form::{Answer, Form, Kind, arg, count};
use super::super::math::harmonic;
use super::super::queue::{choices_sojourn, choices_tail, redundancy};
use super::super::service::{Hedge, any_slow, kth_of_n};
use super::require;

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "choices",
        about: "the shortest of d queues drawn at random (power of two choices)",
        args: &[
            arg("load", Kind::Share, "load of a server"),
            count("d", 1, 100, "queues drawn").or("2"),
            arg("mean", Kind::Span, "mean service time").or("1s"),
            count("queue", 0, 1000, "queue length whose probability is wanted").or("3"),
        ],
        assumes: &["very many servers", "Poisson arrivals, exponential service, first come first served"],
        source: "Vvedenskaya, Dobrushin & Karpelevich 1996; Mitzenmacher 1996",
        example: "load=0.9 d=2",
        compute: |given| {
            let (load, d) = (given.share("load"), given.count("d"));
            require(load.yes > 0.0 && load.no > 0.0, || "load must be between 0 and 1".to_owned())?;
            Ok(Answer::new()
                .seconds("W", choices_sojourn(load.yes, d) * given.number("mean"))
                .plain("P(queue)", choices_tail(load.yes, d, given.count("queue"))))
        },
    },
    Form {
        name: "redundancy",
        about: "requests sent to d servers, the rest cancelled when one completes",
        args: &[
            count("n", 1, 500, "servers"),
            count("d", 1, 500, "copies"),
            arg("load", Kind::Share, "arrivals per server over its service rate"),
            arg("mean", Kind::Span, "mean service time").or("1s"),
        ],
        assumes: &[
            "copies are exponential and independent of each other",
            "Poisson arrivals; cancelling is free",
        ],
        source: "Gardner et al. 2016, Redundancy-d",
        example: "n=100 d=2 load=0.9",
        compute: |given| {
            let (n, d, load) = (given.count("n"), given.count("d"), given.share("load"));
            require(d <= n, || format!("d={d} copies need d servers, not n={n}"))?;
            require(load.no > 0.0, || "load must be below 1".to_owned())?;
            Ok(Answer::new().seconds("W", redundancy(n, d, load.yes) * given.number("mean")))
        },
    },
    Form {
        name: "hedge",
        about: "a second request when the first is slow; the first answer wins",
        args: &[
            arg("quantile", Kind::Share, "latency quantile at which the second is sent").or("95%"),
            arg("mean", Kind::Span, "mean service time").or("1s"),
        ],
        assumes: &["service is exponential and independent", "the extra load slows nothing down"],
        source: "minimum of two exponential times; Dean & Barroso 2013 for the technique",
        example: "quantile=95% mean=10ms",
        compute: |given| {
            let (quantile, mean) = (given.share("quantile"), given.number("mean"));
            require(quantile.no > 0.0, || "quantile must be below 1".to_owned())?;
            let hedge = Hedge { mean, quantile: quantile.yes };
            Ok(Answer::new()
                .seconds("mean", hedge.mean_latency())
                .seconds("p0.99", hedge.latency(0.99))
                .seconds("p0.999", hedge.latency(0.999))
                .seconds("delay", hedge.delay())
                .plain("extra load", quantile.no))
        },
    },
    Form {
        name: "fan-out",
        about: "a request that waits for n others",
        args: &[
            count("n", 1, 1_000_000, "calls"),
            arg("slow", Kind::Share, "probability that one is slow").or("1%"),
            arg("mean", Kind::Span, "mean latency of one").or("1s"),
        ],
        assumes: &["calls are independent", "the mean: latencies are exponential"],
        source: "1 - (1 - p)^n; mean of the largest of n is the harmonic number",
        example: "n=100 slow=1%",
        compute: |given| {
            let (n, slow) = (given.count("n"), given.share("slow"));
            Ok(Answer::new()
                .plain("P(any slow)", any_slow(slow.yes, n))
                .seconds("mean", harmonic(1, n) * given.number("mean")))
        },
    },
    Form {
        name: "quorum-latency",
        about: "a request that waits for the first k of n answers",
        args: &[
            count("k", 1, 10_000, "answers needed"),
            count("n", 1, 10_000, "nodes asked"),
            arg("mean", Kind::Span, "mean latency of one").or("1s"),
        ],
        assumes: &["latencies are exponential and independent"],
        source: "order statistics of the exponential law, David & Nagaraja 2003",
        example: "k=3 n=5 mean=10ms",
        compute: |given| {
            let (k, n) = (given.count("k"), given.count("n"));
            require(k <= n, || format!("k={k} answers from n={n} nodes never come"))?;
            Ok(Answer::new().seconds("mean", kth_of_n(k, n) * given.number("mean")))
        },
    },
];
