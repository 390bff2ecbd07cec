//! Objectives: nines, budgets, burn rates, requests against time.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::math::{Share, size};
use super::super::slo::{
    BurnAlert, burn, burn_to_spend, closed_loop, down_time, exhausted_after, request_availability,
    seed_availability,
};
use super::super::structure::series;
use super::require;

const SLO: Arg = arg("slo", Kind::Share, "objective");
const PERIOD: Arg = arg("period", Kind::Span, "period of the objective").or("30d");

fn slo(given: &Given) -> Result<Share, String> {
    let slo = given.share("slo");
    require(slo.no > 0.0, || "an objective of 100% has no budget: write 99.9%".to_owned())?;
    Ok(slo)
}

fn nines_answer(given: &Given) -> Result<Answer, String> {
    let down = match (given.share_if("a"), given.number_if("down")) {
        (Some(a), None) => a.no,
        (None, Some(down)) => {
            let period = given.number("period");
            require(down <= period, || "down must not exceed the period".to_owned())?;
            down / period
        }
        _ => return Err("write either a=99.9%, or down=43min with a period".to_owned()),
    };
    Ok(Answer::new()
        .unavailability(down)
        .seconds("downtime in a year of 365.25 d", down * 31_557_600.0)
        .seconds("downtime in 30 d", down * 2_592_000.0)
        .seconds("downtime in a week", down * 604_800.0)
        .seconds("downtime in a day", down * 86_400.0))
}

fn burn_answer(given: &Given) -> Result<Answer, String> {
    let (slo, period, error) = (slo(given)?, given.number("period"), given.share("error"));
    let rate = burn(slo, error.yes);
    let left = given.share("left").yes;
    require(rate > 0.0, || "error must be above 0".to_owned())?;
    let ends = exhausted_after(left, rate, period);
    Ok(Answer::new()
        .plain("burn rate", rate)
        .seconds("time to exhaustion", ends)
        .plain("highest possible burn rate", 1.0 / slo.no)
        .plain("burn rate that ends the rest in 24 h", left * period / 86_400.0)
        .note_if(rate > 2.0 && ends > 86_400.0, || {
            format!(
                "S2 pages on a `burn above 2 that exhausts in 24 h`. At this burn that is so only with at most {:.1} % of the budget \
                 left; a full one needs {:.0}x",
                rate * 86_400.0 / period * 100.0,
                period / 86_400.0
            )
        }))
}

fn alert_answer(given: &Given) -> Result<Answer, String> {
    let (slo, period, error) = (slo(given)?, given.number("period"), given.share("error").yes);
    let alert =
        BurnAlert { burn: given.number("burn"), long: given.number("long"), short: given.number("short") };
    require(error > 0.0, || "error must be above 0".to_owned())?;
    let mut answer = Answer::new()
        .plain("budget spent at the alert", alert.spent(period))
        .plain("highest possible burn rate", 1.0 / slo.no);
    if let Some(fires) = alert.fires_after(slo, error) {
        answer = answer
            .seconds("time to alert", fires)
            .seconds("time to reset", alert.resets_after(slo, error, alert.short))
            .seconds("time to reset with the long window alone", alert.resets_after(slo, error, alert.long));
    } else {
        answer = answer.note(format!(
            "never fires: the error rate burns {:.6}x, below {}x",
            burn(slo, error),
            alert.burn
        ));
    }
    Ok(answer)
}

/// The scheme of field practice; Beyer et al. 2018, The Site Reliability Workbook, chapter 5.
const SCHEME: [(&str, BurnAlert); 3] = [
    ("14.4x over 1 h", BurnAlert { burn: 14.4, long: 3600.0, short: 300.0 }),
    ("6x over 6 h", BurnAlert { burn: 6.0, long: 21_600.0, short: 1800.0 }),
    ("1x over 3 d", BurnAlert { burn: 1.0, long: 259_200.0, short: 21_600.0 }),
];

fn alerts_answer(given: &Given) -> Result<Answer, String> {
    let (slo, error) = (slo(given)?, given.share("error").yes);
    require(error > 0.0, || "error must be above 0".to_owned())?;
    let fires = |alert: &BurnAlert| alert.fires_after(slo, error);
    let first = SCHEME.iter().filter_map(|(_, alert)| fires(alert)).min_by(f64::total_cmp);
    let mut answer = Answer::new();
    if let Some(first) = first {
        answer = answer.seconds("time to first alert", first);
    }
    for (name, alert) in &SCHEME {
        answer = match fires(alert) {
            Some(time) => answer.seconds(format!("time to {name}"), time),
            None => answer.note(format!("{name} never fires")),
        };
    }
    Ok(answer
        .note("compared with >=: at equality an alert fires when its window is full; with > it never would"))
}

fn window_answer(given: &Given) -> Result<Answer, String> {
    let (starts, lengths, window) = (given.list("starts"), given.list("lengths"), given.number("window"));
    require(starts.len() == lengths.len(), || {
        format!(
            "starts lists {} times and lengths {}: one length for each start",
            starts.len(),
            lengths.len()
        )
    })?;
    let intervals: Vec<(f64, f64)> = starts.into_iter().zip(lengths.iter().copied()).collect();
    let down = down_time(&intervals, window);
    let seed = seed_availability(&lengths, window);
    Ok(Answer::new().unavailability(down / window).seconds("down time", down).plain("S0's figure", seed).note(
        "S0 sums the last ten recovery times, whenever they were: it counts overlaps twice and leaves out earlier \
         incidents, detection and open outages. Down time is the union of the intervals, clipped to the window",
    ))
}

fn requests_answer(given: &Given) -> Result<Answer, String> {
    let (rates, lengths, outages) = (given.list("rates"), given.list("lengths"), given.list("outages"));
    require(rates.len() == lengths.len() && rates.len() == outages.len(), || {
        "rates, lengths and outages must list as many values each".to_owned()
    })?;
    require(lengths.iter().zip(&outages).all(|(length, down)| down <= length && *length > 0.0), || {
        "no outage may be longer than its segment".to_owned()
    })?;
    let segments: Vec<_> = rates.iter().zip(&lengths).zip(&outages).map(|((r, l), o)| (*r, *l, *o)).collect();
    let by_request = request_availability(&segments);
    let by_time = 1.0 - outages.iter().sum::<f64>() / lengths.iter().sum::<f64>();
    Ok(Answer::new().plain("availability by requests", by_request).plain("availability by time", by_time))
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "nines",
        about: "availability, nines and down time, each from the other",
        args: &[
            arg("a", Kind::Share, "availability").optional(),
            arg("down", Kind::Duration, "down time in a period").optional(),
            arg("period", Kind::Span, "that period").or("365d"),
        ],
        assumes: &["a year has 365 days unless said"],
        source: "(1 - A) x period",
        example: "a=99.9%",
        compute: nines_answer,
    },
    Form {
        name: "composite",
        about: "a request through a service and the services it needs",
        args: &[
            arg("own", Kind::Share, "availability of the service itself").or("100%"),
            arg("p", Kind::Shares, "availability of each service it needs"),
            count("n", 1, 1000, "that many of one p").optional(),
        ],
        assumes: &["services fail independently", "every one is needed, once, without retries or fallback"],
        source: "product; Treynor Sloss et al. 2017, The Calculus of Service Availability",
        example: "own=99.99% p=99.999% n=5",
        compute: |given| {
            let mut up = given.shares("p");
            if let Some(n) = given.count_if("n") {
                require(up.len() == 1, || "n needs exactly one p".to_owned())?;
                up = vec![up[0]; size(n)];
            }
            up.push(given.share("own"));
            Ok(Answer::new().unavailability(series(&up)))
        },
    },
    Form {
        name: "error-budget",
        about: "what an objective allows",
        args: &[SLO, PERIOD, arg("rate", Kind::Rate, "requests").optional()],
        assumes: &["the budget is spent by full outages; a partial one lasts longer in proportion"],
        source: "(1 - SLO) x period",
        example: "slo=99.9%",
        compute: |given| {
            let (slo, period) = (slo(given)?, given.number("period"));
            let answer = Answer::new().seconds("budget", slo.no * period);
            Ok(match given.number_if("rate") {
                Some(rate) => answer.plain("requests that may fail", slo.no * period * rate),
                None => answer,
            })
        },
    },
    Form {
        name: "burn-rate",
        about: "how fast an error rate spends the budget, and when it is gone",
        args: &[
            SLO,
            PERIOD,
            arg("error", Kind::Share, "share of requests that fail"),
            arg("left", Kind::Share, "share of the budget that is left").or("100%"),
        ],
        assumes: &["the error rate and the traffic stay as they are"],
        source: "Beyer et al. 2018, The Site Reliability Workbook, chapter 5",
        example: "slo=99.9% error=1%",
        compute: burn_answer,
    },
    Form {
        name: "burn-threshold",
        about: "the burn rate that spends a share of the budget in a window",
        args: &[
            arg("budget", Kind::Share, "share of the budget"),
            arg("window", Kind::Span, "window"),
            PERIOD,
        ],
        assumes: &["the traffic is even over the period"],
        source: "Beyer et al. 2018, The Site Reliability Workbook, chapter 5: share x period / window",
        example: "budget=2% window=1h",
        compute: |given| {
            let (budget, window) = (given.share("budget").yes, given.number("window"));
            Ok(Answer::new().plain("burn rate", burn_to_spend(budget, window, given.number("period"))))
        },
    },
    Form {
        name: "burn-alert",
        about: "when an alert on two windows fires and resets",
        args: &[
            SLO,
            PERIOD,
            arg("error", Kind::Share, "share of requests that fail").or("100%"),
            number("burn", 1e-3, 1e6, "burn rate of the alert").or("14.4"),
            arg("long", Kind::Span, "long window").or("1h"),
            arg("short", Kind::Span, "short window").or("5min"),
        ],
        assumes: &[
            "no errors before; then a constant rate",
            "compared with >=; both windows were full at the end",
        ],
        source: "Beyer et al. 2018, The Site Reliability Workbook, chapter 5",
        example: "slo=99.9% error=100%",
        compute: alert_answer,
    },
    Form {
        name: "burn-scheme",
        about: "which alert of the 14.4/6/1 scheme fires first",
        args: &[SLO, arg("error", Kind::Share, "share of requests that fail")],
        assumes: &["no errors before; then a constant rate"],
        source: "Beyer et al. 2018, The Site Reliability Workbook, chapter 5",
        example: "slo=99.9% error=1%",
        compute: alerts_answer,
    },
    Form {
        name: "request-availability",
        about: "availability by requests and by time, with traffic that changes",
        args: &[
            arg("rates", Kind::Rates, "requests in each segment"),
            arg("lengths", Kind::Durations, "length of each segment"),
            arg("outages", Kind::Durations, "down time in each segment"),
        ],
        assumes: &["a request fails exactly when it comes during an outage"],
        source: "counts",
        example: "rates=3/s,1/s lengths=12h,12h outages=1h,0s",
        compute: requests_answer,
    },
    Form {
        name: "partial-outage",
        about: "an outage of some parts: by time and by requests",
        args: &[
            count("parts", 1, 1_000_000, "equal parts, such as zones"),
            count("down", 0, 1_000_000, "parts that were down"),
            arg("outage", Kind::Duration, "for how long"),
            arg("window", Kind::Span, "out of"),
        ],
        assumes: &[
            "requests are spread evenly; those of a part that is down fail",
            "by time: down when any part is",
        ],
        source: "counts",
        example: "parts=10 down=1 outage=10h window=1000h",
        compute: |given| {
            let (parts, down) = (given.count("parts"), given.count("down"));
            require(down <= parts, || format!("down={down} of parts={parts}"))?;
            let share = given.number("outage") / given.number("window");
            require(share <= 1.0, || "the outage must fit the window".to_owned())?;
            let time = if down > 0 { 1.0 - share } else { 1.0 };
            Ok(Answer::new()
                .plain("availability by time", time)
                .plain("availability by requests", 1.0 - share * down as f64 / parts as f64))
        },
    },
    Form {
        name: "closed-loop",
        about: "how clients that wait for answers hide an outage",
        args: &[
            arg("think", Kind::Duration, "time between an answer and the next request"),
            arg("service", Kind::Span, "time of a good answer"),
            arg("timeout", Kind::Span, "time that a failing request holds its client"),
            arg("outage", Kind::Duration, "length of the outage"),
            arg("window", Kind::Span, "window"),
        ],
        assumes: &[
            "every client has one request at a time",
            "in the outage every request runs into its time-out",
        ],
        source: "counts per client; Schroeder, Wierman & Harchol-Balter 2006 on open and closed systems",
        example: "think=1s service=10ms timeout=5s outage=1h window=24h",
        compute: |given| {
            let [think, service, timeout, outage, window] =
                ["think", "service", "timeout", "outage", "window"].map(|name| given.number(name));
            require(outage <= window, || "the outage must fit the window".to_owned())?;
            Ok(Answer::new()
                .plain("availability by requests", closed_loop(think, service, timeout, outage, window))
                .plain("availability by time", 1.0 - outage / window))
        },
    },
    Form {
        name: "window-availability",
        about: "availability from a list of outages: their union, clipped",
        args: &[
            arg("starts", Kind::Durations, "start of each outage, from the start of the window"),
            arg("lengths", Kind::Durations, "length of each outage"),
            arg("window", Kind::Span, "window").or("24h"),
        ],
        assumes: &["down when any outage is open"],
        source: "union of intervals",
        example: "starts=0s,200s,1h lengths=5min,5min,5min window=24h",
        compute: window_answer,
    },
];
