//! Figures from measured samples.

use super::super::form::{Answer, Form, Given, Kind, arg};
use super::super::sample::{cut_share, percentile, seed_percentile, window_correlation};
use super::require;

fn timeout_answer(given: &Given) -> Result<Answer, String> {
    let (sample, target) = (given.list("sample"), given.share("target"));
    require(target.yes > 0.0, || "target must be above 0".to_owned())?;
    let timeout = percentile(&sample, target.yes).ok_or("the sample is empty")?;
    let cut = cut_share(&sample, timeout);
    let mut answer = Answer::new()
        .seconds("time-out", timeout)
        .plain("share cut", cut)
        .plain("sample size", sample.len() as f64);
    let seed = seed_percentile(&sample, target.yes);
    if let Some(seed) = seed {
        answer = answer.seconds("S0's figure", seed);
    }
    let says = match seed {
        Some(_) => {
            "S0 takes the value at index floor(n q), counted from 0: one too high. The value that a share q does not exceed has rank ceil(n q), counted from 1"
        }
        None => {
            "S0's index floor(n q) is past the end of this sample: it fails. The rank is ceil(n q), counted from 1"
        }
    };
    let few = target.no > 0.0 && (sample.len() as f64) * target.no < 10.0;
    Ok(answer
        .note(says)
        .note("S0 calls the percentile optimal. It is the time-out that cuts a chosen share of good answers; the best one weighs them against the wait for lost ones, and the load of retries")
        .note_if(few, || {
            format!(
                "only {:.1} values of the sample lie beyond: take at least {:.0} for this percentile",
                sample.len() as f64 * target.no,
                10.0 / target.no
            )
        }))
}

fn correlation_answer(given: &Given) -> Result<Answer, String> {
    let (a, b, window) = (given.list("a"), given.list("b"), given.number("window"));
    let all = || a.iter().chain(&b).copied();
    let first = all().fold(f64::INFINITY, f64::min);
    let last = all().fold(0.0, f64::max);
    let (start, end) = (given.number_if("start").unwrap_or(first), given.number_if("end").unwrap_or(last));
    require(start <= end, || "start must not be after end".to_owned())?;
    require((end - start) / window < 1e7, || "over ten million windows: take a longer one".to_owned())?;
    let found = window_correlation(&a, &b, window, start, end);
    let windows = libm::floor((end - start) / window) + 1.0;
    let correlation = found.ok_or(
        "nothing to correlate: it takes two windows or more, and both series must vary. Give a start and an end, or a shorter window",
    )?;
    Ok(Answer::new()
        .plain("correlation", correlation)
        .plain("windows", windows)
        .note("S0 starts its windows at the first fault and stops before the last one when that begins a window, and reports 0 when a series never varies: here the last event counts, and a series without variation is refused")
        .note_if(windows < 30.0, || format!("{windows} windows are few: the correlation is uncertain by about {:.2}", 2.0 / libm::sqrt(windows))))
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "timeout",
        about: "time-out from a sample of latencies (percentile)",
        args: &[
            arg("sample", Kind::Durations, "latencies of good answers"),
            arg("target", Kind::Share, "share of good answers that must come in time").or("99%"),
        ],
        assumes: &[
            "the sample is of good answers, from the load that the time-out will meet",
            "latencies stay as they were",
        ],
        source: "nearest rank: the smallest value that a share does not exceed",
        example: "sample=10ms,12ms,11ms,9ms,35ms,10ms,13ms,12ms,11ms,10ms target=90%",
        compute: timeout_answer,
    },
    Form {
        name: "correlation",
        about: "correlation of two fault series, counted in windows",
        args: &[
            arg("a", Kind::Durations, "times of the first kind of fault"),
            arg("b", Kind::Durations, "times of the second"),
            arg("window", Kind::Span, "window").or("1h"),
            arg("start", Kind::Duration, "start of the first window; the first fault if left out").optional(),
            arg("end", Kind::Duration, "end of the time watched; the last fault if left out").optional(),
        ],
        assumes: &[
            "both kinds were watched all the time",
            "correlation is not cause; faults of one cause in neighbouring windows are missed",
        ],
        source: "Pearson correlation of counts",
        example: "a=1h,5h,9h b=1.2h,5.1h,20h start=0s end=24h",
        compute: correlation_answer,
    },
];
