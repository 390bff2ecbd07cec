//! Queues.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::queue::{Markov, erlang_a, erlang_b, finite, fixed_patience, late, token_bucket};
use super::super::service::{dm1_sigma, mg1_sharing, mg1_wait, mixture, priority_waits};
use super::require;

const LAM: Arg = arg("lam", Kind::Rate, "arrivals");
const MU: Arg = arg("mu", Kind::Rate, "requests that one server can serve");
const C: Arg = count("c", 1, 10_000, "servers");
const POISSON: &str = "arrivals are a Poisson stream, in the long run";
const EXPONENTIAL: &str = "service times are exponential and independent";
const FIFO: &str = "first come, first served";
const KLEINROCK: &str = "Kleinrock 1975, Queueing Systems, volume 1";

fn stable(load: f64) -> Result<(), String> {
    require(load < 1.0, || {
        format!("the load is {load:.6}: the queue grows without end. Lower lam, or raise mu or the servers")
    })
}

/// Means and percentiles of a queue with room for all.
fn waiting(queue: Markov) -> Result<Answer, String> {
    stable(queue.utilisation())?;
    let mut answer = Answer::new()
        .seconds("W", queue.mean_sojourn())
        .seconds("Wq", queue.mean_wait())
        .plain("L", queue.arrivals * queue.mean_sojourn())
        .plain("Lq", queue.arrivals * queue.mean_wait())
        .plain("P(wait)", queue.waits())
        .plain("utilisation", queue.utilisation());
    for (name, quantile) in [("p0.5", 0.5), ("p0.95", 0.95), ("p0.99", 0.99), ("p0.999", 0.999)] {
        answer = answer.seconds(format!("sojourn {name}"), queue.sojourn_quantile(quantile));
    }
    Ok(answer.seconds("wait p0.99", queue.wait_quantile(0.99)))
}

fn markov(given: &Given) -> Markov {
    let servers = given.count_if("c").unwrap_or(1);
    Markov { arrivals: given.number("lam"), service: given.number("mu"), servers }
}

fn mg1_answer(given: &Given) -> Result<Answer, String> {
    let (mean, scv) = match (given.list_if("means"), given.list_if("shares")) {
        (Some(means), Some(shares)) => {
            require(means.len() == shares.len(), || "means and shares must list as many values".to_owned())?;
            let sum: f64 = shares.iter().sum();
            require((sum - 1.0).abs() < 1e-9, || format!("shares must add up to 1, not {sum}"))?;
            mixture(&shares.into_iter().zip(means).collect::<Vec<_>>())
        }
        (None, None) => {
            let mean = given.number_if("mean").ok_or("write mean=10ms, or shares and means of a mixture")?;
            (mean, given.number_if("scv").unwrap_or_else(|| given.law("law").scv()))
        }
        _ => return Err("shares and means go together".to_owned()),
    };
    let arrivals = given.number("lam");
    stable(arrivals * mean)?;
    let wait = mg1_wait(arrivals, mean, scv);
    Ok(Answer::new()
        .seconds("W", wait + mean)
        .seconds("Wq", wait)
        .seconds("W with processor sharing", mg1_sharing(arrivals, mean))
        .plain("scv", scv)
        .plain("utilisation", arrivals * mean))
}

fn dm1_answer(given: &Given) -> Result<Answer, String> {
    let (interarrival, mu) = (given.number("every"), given.number("mu"));
    stable(1.0 / (interarrival * mu))?;
    let sigma = dm1_sigma(interarrival, mu);
    let mean = 1.0 / (mu * (1.0 - sigma));
    Ok(Answer::new()
        .seconds("W", mean)
        .seconds("Wq", mean - 1.0 / mu)
        .plain("P(wait)", sigma)
        .seconds("sojourn p0.99", -mean * libm::log(0.01)))
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "mm1",
        about: "one server (M/M/1)",
        args: &[LAM, MU],
        assumes: &[POISSON, EXPONENTIAL, FIFO],
        source: KLEINROCK,
        example: "lam=80/s mu=100/s",
        compute: |given| {
            let queue = markov(given);
            let answer = waiting(queue)?;
            let mean = queue.mean_sojourn();
            Ok(answer.seconds("mean busy period", mean).seconds("standard deviation of the sojourn", mean))
        },
    },
    Form {
        name: "mmc",
        about: "several servers and one queue (M/M/c, Erlang C)",
        args: &[LAM, MU, C],
        assumes: &[POISSON, EXPONENTIAL, FIFO],
        source: KLEINROCK,
        example: "lam=320/s mu=100/s c=4",
        compute: |given| waiting(markov(given)),
    },
    Form {
        name: "mmck",
        about: "several servers and limited room (M/M/c/K)",
        args: &[LAM, MU, C, count("room", 1, 100_000, "requests in all, those in service included")],
        assumes: &[POISSON, EXPONENTIAL, FIFO, "who finds no room is lost and does not come back"],
        source: KLEINROCK,
        example: "lam=90/s mu=100/s c=1 room=10",
        compute: |given| {
            let (queue, room) = (markov(given), given.count("room"));
            require(room >= queue.servers, || {
                format!("room={room} is less than c={}: raise room", queue.servers)
            })?;
            let state = finite(queue, room);
            Ok(Answer::new()
                .plain("P(block)", state.blocked)
                .rate("throughput", state.throughput)
                .plain("L", state.mean_count)
                .seconds("W of the accepted", state.mean_sojourn))
        },
    },
    Form {
        name: "erlang-b",
        about: "servers without a queue (M/G/c/c)",
        args: &[LAM, arg("mean", Kind::Span, "mean service time"), C],
        assumes: &[POISSON, "any law of service times", "who finds no server is lost and does not come back"],
        source: KLEINROCK,
        example: "lam=8/s mean=1s c=10",
        compute: |given| {
            let (load, servers) = (given.number("lam") * given.number("mean"), given.count("c"));
            let blocked = erlang_b(load, servers);
            Ok(Answer::new().plain("P(block)", blocked).plain("mean busy", load * (1.0 - blocked)))
        },
    },
    Form {
        name: "erlang-a",
        about: "several servers and impatient requests (M/M/c+M)",
        args: &[LAM, MU, C, arg("theta", Kind::Rate, "rate at which a waiting request gives up")],
        assumes: &[POISSON, EXPONENTIAL, FIFO, "patience is exponential; no one gives up in service"],
        source: "Palm 1957; Garnett, Mandelbaum & Reiman 2002",
        example: "lam=12/s mu=1/s c=10 theta=0.5/s",
        compute: |given| {
            let (queue, theta) = (markov(given), given.number("theta"));
            let queued = 2.0 * queue.arrivals / theta;
            require(queued < 1e6, || {
                "over a million requests would wait: raise theta or lower lam".to_owned()
            })?;
            let state = erlang_a(queue, theta);
            Ok(Answer::new()
                .plain("P(wait)", state.waits)
                .plain("P(abandon)", state.abandons)
                .seconds("mean wait of all", state.mean_wait)
                .plain("Lq", state.mean_queue)
                .plain("utilisation", state.utilisation))
        },
    },
    Form {
        name: "patience",
        about: "one server; no one waits longer than a fixed time (M/M/1+D)",
        args: &[LAM, MU, arg("patience", Kind::Span, "longest wait")],
        assumes: &[POISSON, EXPONENTIAL, FIFO, "patience ends at service"],
        source: "Barrer 1957; Baccelli & Hebuterne 1981",
        example: "lam=120/s mu=100/s patience=50ms",
        compute: |given| {
            let [lam, mu, patience] = ["lam", "mu", "patience"].map(|name| given.number(name));
            let lost = fixed_patience(lam, mu, patience);
            Ok(Answer::new().plain("P(abandon)", lost).rate("throughput", lam * (1.0 - lost)))
        },
    },
    Form {
        name: "late-answers",
        about: "one server that works on for clients that gave up (M/M/1 with a time-out)",
        args: &[LAM, MU, arg("timeout", Kind::Span, "client time-out")],
        assumes: &[POISSON, EXPONENTIAL, FIFO, "nothing is cancelled, nothing is tried again"],
        source: "M/M/1 sojourn: P(late) = e^(-(mu - lambda) T)",
        example: "lam=90/s mu=100/s timeout=50ms",
        compute: |given| {
            let [lam, mu, timeout] = ["lam", "mu", "timeout"].map(|name| given.number(name));
            stable(lam / mu)?;
            let (late, goodput) = late(lam, mu, timeout);
            Ok(Answer::new().plain("P(timeout)", late).rate("goodput", goodput))
        },
    },
    Form {
        name: "mg1",
        about: "one server, any law of service times (M/G/1)",
        args: &[
            LAM,
            arg("mean", Kind::Span, "mean service time").optional(),
            arg("law", Kind::Law, "law of the service times").or("exp"),
            number("scv", 0.0, 1e9, "variance over squared mean, instead of a law").optional(),
            arg("means", Kind::Durations, "means of a mixture of exponential laws").optional(),
            arg("shares", Kind::Numbers, "their probabilities").optional(),
        ],
        assumes: &[POISSON, "service times are independent", FIFO],
        source: "Pollaczek 1930, Khinchine 1932; processor sharing is insensitive",
        example: "lam=70/s mean=10ms law=lognormal:1",
        compute: mg1_answer,
    },
    Form {
        name: "dm1",
        about: "one server, arrivals like clockwork (D/M/1)",
        args: &[arg("every", Kind::Span, "time between arrivals"), MU],
        assumes: &["arrivals at constant distances, in the long run", EXPONENTIAL, FIFO],
        source: "Kleinrock 1975, G/M/1: sigma = e^(-mu (1 - sigma) T)",
        example: "every=12.5ms mu=100/s",
        compute: dm1_answer,
    },
    Form {
        name: "priority",
        about: "one server, two classes, the high one first",
        args: &[
            arg("high", Kind::Rate, "arrivals of the high class"),
            arg("low", Kind::Rate, "of the low class"),
            MU,
        ],
        assumes: &[
            POISSON,
            EXPONENTIAL,
            "service is not interrupted; within a class first come, first served",
        ],
        source: "Cobham 1954",
        example: "high=30/s low=50/s mu=100/s",
        compute: |given| {
            let [high, low, mu] = ["high", "low", "mu"].map(|name| given.number(name));
            stable((high + low) / mu)?;
            let (first, second) = priority_waits(high, low, mu);
            Ok(Answer::new().seconds("Wq high", first).seconds("Wq low", second))
        },
    },
    Form {
        name: "token-bucket",
        about: "requests that a token bucket drops",
        args: &[LAM, arg("refill", Kind::Rate, "tokens"), count("burst", 1, 500, "tokens when full")],
        assumes: &[POISSON, "tokens flow in continuously; a request without a token is dropped at once"],
        source: "M/D/1 with room for the burst; Takács 1962",
        example: "lam=90/s refill=100/s burst=20",
        compute: |given| {
            let (lam, refill) = (given.number("lam"), given.number("refill"));
            require(lam / refill <= 100.0, || "lam must be at most 100 times refill".to_owned())?;
            let drops = token_bucket(lam, refill, given.count("burst"));
            Ok(Answer::new().plain("P(drop)", drops).rate("throughput", lam * (1.0 - drops)))
        },
    },
];
