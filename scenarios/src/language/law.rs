//! Laws of durations and arrivals: `{ dist = "lognormal", median = "2ms", sigma = 0.4 }`.

use murphy_sim::{Span, Time};
use serde_json::{Value as Json, json};

use super::diagnostic::Diagnostic;
use super::fields::{Count, Field, Fields, Kind, Located, Number, Positive, Probability, Rate, Table, Walk};
use super::scenario::{ArrivalSpec, LawSpec};
use super::value::{Data, Value};
use crate::describe::ModelInfo;

const LAWS: &[Kind<LawSpec>] = &[
    Kind { name: "constant", about: "always the same", read: constant },
    Kind { name: "uniform", about: "every value from low to high alike", read: uniform },
    Kind { name: "exponential", about: "memoryless", read: exponential },
    Kind { name: "normal", about: "normal, cut at zero", read: normal },
    Kind { name: "lognormal", about: "its logarithm is normal", read: lognormal },
    Kind { name: "weibull", about: "infant mortality (shape below 1) or wear-out (above 1)", read: weibull },
    Kind { name: "pareto", about: "a heavy tail above a least value", read: pareto },
    Kind { name: "empirical", about: "one of the listed values, each alike", read: empirical },
];

/// A law, or a plain duration for a constant.
impl Field for LawSpec {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (LawSpec, Value) {
        if matches!(value.data, Data::Table(_)) {
            let (law, canonical) = LawTable::read(value, walk);
            return (law.0, canonical);
        }
        let (span, canonical) = Span::read(value, walk);
        (LawSpec::Constant(span), canonical)
    }

    fn schema(models: &[ModelInfo]) -> Json {
        json!({ "anyOf": [Span::schema(models), LawTable::schema(models)] })
    }

    fn placeholder() -> LawSpec {
        LawSpec::Constant(Span::ZERO)
    }
}

struct LawTable(LawSpec);

impl Table for LawTable {
    const WHAT: &'static str = "a law";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> LawTable {
        LawTable(fields.tagged("dist", LAWS).map_or_else(LawSpec::placeholder, |(_, law)| law))
    }
}

fn constant(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    LawSpec::Constant(fields.required("value", "the value"))
}

fn uniform(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    let low = fields.required("low", "least value");
    let high = fields.required("high", "greatest value");
    if low > high && fields.has("high") {
        fields.error(Diagnostic::new(fields.spot("high"), "high is below low", "must not be below low"));
    }
    LawSpec::Uniform { low, high }
}

fn exponential(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    LawSpec::Exponential { mean: fields.required("mean", "mean") }
}

fn normal(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    let mean: Span = fields.required("mean", "mean");
    let sigma: Option<Span> = fields.optional("sigma", "standard deviation");
    let cv: Option<Positive> = fields.optional("cv", "standard deviation over mean");
    one_of(fields, ["sigma", "cv"], [sigma.is_some(), cv.is_some()]);
    let sigma = sigma.or(cv.map(|cv| mean.scale(cv.0))).unwrap_or_default();
    LawSpec::Normal { mean, sigma }
}

fn lognormal(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    let median: Option<Span> = fields.optional("median", "median");
    let mean: Option<Span> = fields.optional("mean", "mean, instead of the median");
    let sigma: Option<Number<0, 20>> = fields.optional("sigma", "standard deviation of the logarithm");
    let cv: Option<Number<0, 1000>> = fields.optional("cv", "standard deviation over mean, instead of sigma");
    one_of(fields, ["median", "mean"], [median.is_some(), mean.is_some()]);
    one_of(fields, ["sigma", "cv"], [sigma.is_some(), cv.is_some()]);
    // For a lognormal law, cv^2 = exp(sigma^2) - 1 and mean = median * exp(sigma^2 / 2).
    let from_cv = cv.map(|cv| libm::sqrt(libm::log1p(cv.0 * cv.0)));
    let sigma = sigma.map(|sigma| sigma.0).or(from_cv).unwrap_or_default();
    let from_mean = mean.map(|mean| mean.scale(libm::exp(-sigma * sigma / 2.0)));
    LawSpec::Lognormal { median: median.or(from_mean).unwrap_or_default(), sigma }
}

fn weibull(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    let scale: Option<Span> = fields.optional("scale", "scale, the 63rd percentile");
    let mean: Option<Span> = fields.optional("mean", "mean, instead of the scale");
    let shape: Positive = fields.required("shape", "below 1 for infant mortality, above 1 for wear-out");
    one_of(fields, ["scale", "mean"], [scale.is_some(), mean.is_some()]);
    let from_mean = mean.map(|mean| mean.scale(1.0 / libm::tgamma(1.0 + 1.0 / shape.0)));
    LawSpec::Weibull { scale: scale.or(from_mean).unwrap_or_default(), shape: shape.0 }
}

fn pareto(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    let scale = fields.required("scale", "least value");
    let shape: Positive = fields.required("shape", "tail index; the mean exists above 1");
    LawSpec::Pareto { scale, shape: shape.0 }
}

fn empirical(fields: &mut Fields<'_, '_, '_>) -> LawSpec {
    let values: Vec<Span> = fields.required("values", "samples, each as likely");
    if values.is_empty() && fields.has("values") {
        fields.error(Diagnostic::new(fields.spot("values"), "no values", "needs at least one duration"));
    }
    LawSpec::Empirical { values: values.into() }
}

/// Exactly one of two keys must be there.
pub(crate) fn one_of(fields: &mut Fields<'_, '_, '_>, keys: [&str; 2], given: [bool; 2]) {
    if given[0] == given[1] && fields.live() {
        let [a, b] = keys;
        let (title, label) = if given[0] {
            (format!("both `{a}` and `{b}` are given"), "give only one of them")
        } else {
            (format!("neither `{a}` nor `{b}` is given"), "needs one of them")
        };
        fields.error(Diagnostic::new(fields.at, title, label));
    }
}

const ARRIVALS: &[Kind<ArrivalSpec>] = &[
    Kind { name: "poisson", about: "independent arrivals", read: poisson },
    Kind { name: "constant", about: "evenly spaced arrivals", read: steady },
    Kind { name: "burst", about: "groups of requests that arrive together", read: burst },
    Kind {
        name: "diurnal",
        about: "independent, at a rate that goes up and down as over a day",
        read: diurnal,
    },
    Kind { name: "steps", about: "independent, at a rate that changes at given times", read: steps },
    Kind { name: "trace", about: "arrivals at given times", read: trace },
    Kind { name: "closed", about: "users who ask again after they have thought", read: closed },
    Kind { name: "sessions", about: "sessions of requests that give up when one fails", read: sessions },
];

impl Table for ArrivalSpec {
    const WHAT: &'static str = "arrivals";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
        fields.tagged("dist", ARRIVALS).map_or(ArrivalSpec::Poisson { rate: 1.0 }, |(_, arrivals)| arrivals)
    }
}

fn total(fields: &mut Fields<'_, '_, '_>) -> f64 {
    let rate: Rate = fields.required("rate", "the total over all clients, such as \"200/s\"");
    rate.0
}

fn poisson(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    ArrivalSpec::Poisson { rate: total(fields) }
}

fn steady(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    ArrivalSpec::Constant { rate: total(fields) }
}

fn burst(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    let rate = total(fields);
    let size: Count<1, 1_000_000> = fields.required("size", "requests of one group");
    ArrivalSpec::Burst { rate, size: size.0 }
}

fn diurnal(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    let mean: Rate = fields.required("mean", "mean rate over all clients, such as \"200/s\"");
    let swing: Probability =
        fields.default("swing", "how far the rate goes to either side, as a share of its mean", "0.5");
    let period: Span = fields.default("period", "length of a day", "\"24h\"");
    if period == Span::ZERO && fields.good("period") {
        let title = "a day has a length";
        fields.error(Diagnostic::new(fields.spot("period"), title, "must be greater than zero"));
    }
    ArrivalSpec::Diurnal { mean: mean.0, swing: swing.0, period: period.max(Span(1)) }
}

/// One of `steps`.
struct Step {
    at: Located<Span>,
    rate: f64,
}

impl Table for Step {
    const WHAT: &'static str = "steps";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> Step {
        let at = fields.required("at", "start of the step");
        let rate: Option<Rate> = fields.optional("rate", "rate from then on; without, nobody comes");
        Step { at, rate: rate.map_or(0.0, |rate| rate.0) }
    }
}

fn steps(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    let steps: Vec<Step> = fields.required("steps", "such as [{ at = \"0s\", rate = \"100/s\" }]");
    if fields.live() && fields.good("steps") && steps.first().is_none_or(|step| step.at.value > Span::ZERO) {
        let title = "the first step does not start at \"0s\"";
        fields.error(Diagnostic::new(fields.spot("steps"), title, "no rate at the start"));
    }
    for pair in steps.windows(2) {
        if pair[1].at.value <= pair[0].at.value {
            fields.error(Diagnostic::new(pair[1].at.at, "steps are not in order", "must be later"));
        }
    }
    let mut read: Vec<(Time, f64)> = steps.iter().map(|step| (Time(step.at.value.0), step.rate)).collect();
    read.sort_by_key(|step| step.0);
    ArrivalSpec::Steps { steps: read.into() }
}

fn trace(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    let times: Vec<Span> = fields.required("times", "when requests arrive, such as [\"1s\", \"1.5s\"]");
    let mut read: Vec<Time> = times.iter().map(|time| Time(time.0)).collect();
    read.sort_unstable();
    ArrivalSpec::Trace { times: read.into() }
}

fn closed(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    let users: Count<1, 1_000_000> = fields.required("users", "how many, over all clients");
    let think = fields.required("think", "time between a result and the user's next request");
    ArrivalSpec::Closed { users: u32::try_from(users.0).expect("a count in range"), think }
}

fn sessions(fields: &mut Fields<'_, '_, '_>) -> ArrivalSpec {
    let rate: Rate = fields.required("rate", "sessions, over all clients, such as \"5/s\"");
    let requests: Count<1, 1_000_000> = fields.required("requests", "requests of a session");
    ArrivalSpec::Sessions {
        rate: rate.0,
        requests: u32::try_from(requests.0).expect("a count in range"),
        think: fields.required("think", "time between a result and the session's next request"),
        patience: fields.required("patience", "a result that takes longer ends the session"),
    }
}
