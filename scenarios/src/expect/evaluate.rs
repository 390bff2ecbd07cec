//! The verdict on an expectation, from what a run left behind.

use murphy_reports::{
    Elapsed, End, ExpectationResult, Judgement, Latency, MetricKind, MetricRecord, PropertyRecord,
    RequestCounts, RequestFilter, RunRecord, Service, Verdict, WindowSet, after, all, during, explicit,
    latency, significant, span_text, steady, warmup,
};
use murphy_sim::Time;

use super::ast::{Atom, Check, Comparison, Condition, Expectation, Metric, Statistic, Sum, Window};
use crate::describe::{Dimension, PropertyKind};

/// Judges one expectation by one run.
///
/// Without samples, when a checker gave up, or when the run did not reach its end, it is inconclusive
/// unless a violation was seen. Pool the results over seeds with
/// [`ExpectationSummary`](murphy_reports::ExpectationSummary).
pub fn evaluate(expectation: &Expectation, run: &RunRecord) -> ExpectationResult {
    let (verdict, observed, limit) = match &expectation.condition {
        Condition::Property { check, name, kind, .. } => property(*check, name, *kind, run),
        Condition::Compare { left, op, right, window } => compare(run, left, *op, right, window),
    };
    ExpectationResult {
        text: expectation.that.clone(),
        file: expectation.place.file.to_string(),
        line: u32::try_from(expectation.place.line).unwrap_or(u32::MAX),
        observed,
        limit,
        verdict,
    }
}

/// A figure of a run, in base units; `Err` says why there is none.
pub(crate) fn measure(sum: &Sum, window: &Window, run: &RunRecord) -> Result<f64, String> {
    if let Some(why) = short(run) {
        return Err(why);
    }
    let service = Service::of(run);
    let scope = Scope { run, windows: windows(run, &service, window), service };
    scope.sum(sum)
}

/// The name under which a run records the verdict of a check.
pub fn property_name(check: Check, name: &str) -> String {
    if check == Check::Linearizable { format!("linearizable({name})") } else { name.to_owned() }
}

type Judged = (Judgement, String, String);

fn property(check: Check, name: &str, kind: PropertyKind, run: &RunRecord) -> Judged {
    let limit = match check {
        Check::Always => "never violated",
        Check::Never => "never happens",
        Check::Eventually => "happens",
        Check::Linearizable => "linearizable",
        Check::Converges => "converges",
        Check::Violated => "violated",
    };
    let name = property_name(check, name);
    let (verdict, observed) = match run.properties.iter().find(|record| record.name == name) {
        None => (Judgement::Inconclusive, format!("the run did not judge {name}")),
        Some(record) if kind == PropertyKind::Sometimes => sometimes(check, record, run),
        Some(record) if check == Check::Violated => violated(record),
        Some(record) => held(record, run),
    };
    (verdict, observed, limit.to_owned())
}

/// `eventually` and `never` of something that may happen: its count decides.
fn sometimes(check: Check, record: &PropertyRecord, run: &RunRecord) -> (Judgement, String) {
    let happened = format!("happened {} times", record.checked);
    match (record.checked > 0, check) {
        (true, Check::Never) => (Judgement::Fail, happened),
        (true, _) => (Judgement::Pass, happened),
        (false, Check::Never) => unless_short(Judgement::Pass, run, "did not happen"),
        (false, _) => unless_short(Judgement::Fail, run, "did not happen"),
    }
}

fn held(record: &PropertyRecord, run: &RunRecord) -> (Judgement, String) {
    match &record.verdict {
        Verdict::Unknown { message } => (Judgement::Inconclusive, message.clone()),
        Verdict::Violated { at_ns, message, .. } => {
            (Judgement::Fail, format!("violated at {}: {message}", Time(*at_ns)))
        }
        Verdict::Held if record.checked == 0 => (Judgement::Inconclusive, "nothing to judge".to_owned()),
        Verdict::Held => {
            unless_short(Judgement::Pass, run, &format!("held, judged {} times", record.checked))
        }
    }
}

/// The opposite of [`held`].
fn violated(record: &PropertyRecord) -> (Judgement, String) {
    match &record.verdict {
        Verdict::Unknown { message } => (Judgement::Inconclusive, message.clone()),
        Verdict::Violated { at_ns, message, .. } => {
            (Judgement::Pass, format!("violated at {}: {message}", Time(*at_ns)))
        }
        Verdict::Held => (Judgement::Fail, format!("held, judged {} times", record.checked)),
    }
}

/// The property that an expectation wants violated: such a violation fails no run.
pub(crate) fn wants_violated(expectation: &Expectation) -> Option<String> {
    match &expectation.condition {
        Condition::Property { check: Check::Violated, name, .. } => Some(name.clone()),
        _ => None,
    }
}

/// A verdict that needs the whole run.
fn unless_short(verdict: Judgement, run: &RunRecord, observed: &str) -> (Judgement, String) {
    match short(run) {
        Some(why) => (Judgement::Inconclusive, format!("{observed}, but {why}")),
        None => (verdict, observed.to_owned()),
    }
}

/// Why the run did not reach its end, if it did not.
fn short(run: &RunRecord) -> Option<String> {
    match &run.end {
        End::Finished => None,
        End::Aborted { property, at_ns } => {
            Some(format!("the run was aborted at {} by {property}", Time(*at_ns)))
        }
        End::Limit { limit, at_ns } => {
            Some(format!("the run was stopped at {} by the limit of {limit}", Time(*at_ns)))
        }
    }
}

fn compare(run: &RunRecord, left: &Sum, op: Comparison, right: &Sum, window: &Window) -> Judged {
    let service = Service::of(run);
    let scope = Scope { run, windows: windows(run, &service, window), service };
    let figure = Figure { dimension: left.dimension, percent: has_percent(left) || has_percent(right) };
    let sides = scope.sum(left).and_then(|left| scope.sum(right).map(|right| (left, right)));
    let (a, b) = match sides {
        Ok(sides) => sides,
        Err(why) => return (Judgement::Inconclusive, why, op.word().to_owned()),
    };
    let observed = figure.text(a);
    let limit = format!("{} {}", op.word(), figure.text(b));
    let scale = a.abs().max(b.abs());
    if let Some(why) = short(run) {
        return (Judgement::Inconclusive, format!("{observed}, but {why}"), limit);
    }
    // Equality of measured figures: to the nine digits that are printed.
    let equal = a.total_cmp(&b).is_eq() || (a - b).abs() <= scale * 1e-9;
    let holds = match op {
        Comparison::Less => a < b,
        Comparison::LessEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterEqual => a >= b,
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
    };
    (if holds { Judgement::Pass } else { Judgement::Fail }, observed, limit)
}

impl Comparison {
    /// The operator as it is written.
    pub fn word(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
        }
    }
}

fn has_percent(sum: &Sum) -> bool {
    let [(_, atoms)] = sum.terms.as_slice() else { return false };
    matches!(atoms.as_slice(), [Atom::Percent(_)])
}

/// How a figure is printed.
struct Figure {
    dimension: Dimension,
    percent: bool,
}

impl Figure {
    fn text(&self, value: f64) -> String {
        if value.is_infinite() {
            return "never".to_owned();
        }
        match self.dimension {
            Dimension::One if self.percent => format!("{}%", significant(value * 100.0, 6)),
            Dimension::One => significant(value, 6),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive time")]
            Dimension::Time if value >= 0.0 => span_text(libm::round(value * 1e9) as u64),
            Dimension::Time => format!("{} s", significant(value, 6)),
            Dimension::Rate => format!("{}/s", significant(value, 6)),
            Dimension::Bytes => format!("{} B", significant(value, 6)),
            Dimension::Bandwidth => format!("{} B/s", significant(value, 6)),
        }
    }
}

fn windows(run: &RunRecord, service: &Service, window: &Window) -> WindowSet {
    match window {
        Window::Steady => steady(run, service),
        Window::Warmup => warmup(run),
        Window::All => all(run),
        Window::During(fault) => during(run, fault),
        Window::After(fault, delay) => after(run, fault, delay.0),
        Window::Range(from, to) => explicit(run, from.0, to.0),
    }
}

/// The part of a run that figures are taken from. `Err` says why there is no figure.
struct Scope<'r> {
    run: &'r RunRecord,
    service: Service,
    windows: WindowSet,
}

impl Scope<'_> {
    fn sum(&self, sum: &Sum) -> Result<f64, String> {
        let mut total = 0.0;
        for (minus, atoms) in &sum.terms {
            let mut product = 1.0;
            for atom in atoms {
                product *= self.atom(atom)?;
            }
            total += if *minus { -product } else { product };
        }
        // Never minus never is no figure.
        if total.is_nan() { Err("no figure: infinite on both sides".to_owned()) } else { Ok(total) }
    }

    fn atom(&self, atom: &Atom) -> Result<f64, String> {
        match atom {
            Atom::Number(value, _) | Atom::Percent(value) => Ok(*value),
            Atom::Mitigation(fault) => self.elapsed(fault, self.service.mitigation(self.run, fault)),
            Atom::Recovery(fault) => self.elapsed(fault, self.service.recovery(self.run, fault)),
            Atom::Metric(metric) => self.plain(metric),
            Atom::Statistic(statistic, metric) => self.statistic(*statistic, metric),
        }
    }

    fn elapsed(&self, fault: &str, elapsed: Option<Elapsed>) -> Result<f64, String> {
        let Some(elapsed) = elapsed else {
            return Err(if self.service.is_known() {
                format!("the run has no fault {fault}")
            } else {
                "no probes".to_owned()
            });
        };
        let nanos =
            elapsed.as_ns().ok_or_else(|| "the run ended before the service could be seen good".to_owned());
        nanos.map(|nanos| nanos / 1e9)
    }

    /// Seconds of the window.
    fn seconds(&self) -> Result<f64, String> {
        let length = self.windows.length_ns();
        if length == 0 { Err("no time in the window".to_owned()) } else { Ok(length as f64 / 1e9) }
    }

    fn counts(&self, metric: &Metric) -> RequestCounts {
        RequestCounts::of(self.run, &self.windows, filter(metric))
    }

    fn plain(&self, metric: &Metric) -> Result<f64, String> {
        let seconds = self.seconds()?;
        let unknown = || "no requests in the window".to_owned();
        match metric.name.as_str() {
            "offered" => Ok(self.counts(metric).offered() as f64 / seconds),
            "goodput" => {
                // Nothing offered is no sample of how much of it was good.
                let counts = self.counts(metric);
                if counts.offered() == 0 { Err(unknown()) } else { Ok(counts.good as f64 / seconds) }
            }
            "availability" => self.counts(metric).availability().ok_or_else(unknown),
            "error_rate" => self.counts(metric).availability().map(|up| 1.0 - up).ok_or_else(unknown),
            "uptime" => self.service.availability(&self.windows).ok_or_else(|| "no probes".to_owned()),
            "downtime" => {
                let down = self.service.down_ns(&self.windows).ok_or_else(|| "no probes".to_owned());
                down.map(|nanos| nanos as f64 / 1e9)
            }
            name => {
                let record = self.record(name)?;
                let samples = self.samples(record, metric);
                if samples.is_empty() && record.samples.is_empty() {
                    return Err(format!("no samples of {name}"));
                }
                Ok(samples.iter().map(|(_, _, value)| value).sum::<f64>() * scale(record))
            }
        }
    }

    fn statistic(&self, statistic: Statistic, metric: &Metric) -> Result<f64, String> {
        let seconds = self.seconds()?;
        match metric.name.as_str() {
            "offered" => Ok(self.counts(metric).offered() as f64),
            "goodput" => Ok(self.counts(metric).good as f64),
            "latency" => {
                let latency = latency(self.run, &self.windows, filter(metric));
                of_latency(&latency, statistic, seconds).ok_or_else(|| "no replies in the window".to_owned())
            }
            name => {
                let record = self.record(name)?;
                let samples = self.samples(record, metric);
                let figure = match (statistic, record.kind) {
                    (Statistic::Count, _) => Some(samples.len() as f64),
                    (Statistic::Rate, MetricKind::Counter) => {
                        return self.plain(metric).map(|total| total / seconds);
                    }
                    (Statistic::Rate, _) => Some(samples.len() as f64 / seconds),
                    (_, MetricKind::Gauge) => self.gauge(record, metric, statistic),
                    _ => of_samples(&samples, statistic),
                };
                let figure = figure.ok_or_else(|| format!("no samples of {name} in the window"))?;
                let unit =
                    if matches!(statistic, Statistic::Count | Statistic::Rate) { 1.0 } else { scale(record) };
                Ok(figure * unit)
            }
        }
    }

    fn record(&self, name: &str) -> Result<&MetricRecord, String> {
        let found = self.run.metrics.iter().find(|record| record.name == name);
        found.ok_or_else(|| format!("the run did not measure {name}"))
    }

    fn selected(&self, metric: &Metric, node: u32) -> bool {
        let name = self.run.node_hashes.get(node as usize).map(|(name, _)| name);
        let structure = self.run.structures.get(node as usize);
        let slo = self.run.slos.get(node as usize).map(|slo| &slo.name);
        metric.labels.iter().all(|(label, value)| match label.as_str() {
            "structure" => structure == Some(value),
            "slo" => slo == Some(value),
            _ => name == Some(value),
        })
    }

    fn samples(&self, record: &MetricRecord, metric: &Metric) -> Vec<(u64, u32, f64)> {
        let inside =
            |(at, node, _): &&(u64, u32, f64)| self.windows.contains(*at) && self.selected(metric, *node);
        record.samples.iter().filter(inside).copied().collect()
    }

    /// Mean (over time and nodes), least or greatest level of a gauge. A level holds until the next sample.
    fn gauge(&self, record: &MetricRecord, metric: &Metric, statistic: Statistic) -> Option<f64> {
        let mut nodes: Vec<u32> = record.samples.iter().map(|(_, node, _)| *node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let (mut area, mut length) = (0.0, 0.0);
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for node in nodes.into_iter().filter(|node| self.selected(metric, *node)) {
            let own: Vec<(u64, f64)> = record
                .samples
                .iter()
                .filter(|sample| sample.1 == node)
                .map(|sample| (sample.0, sample.2))
                .collect();
            for (index, (from, level)) in own.iter().enumerate() {
                let to = own.get(index + 1).map_or(murphy_reports::ended_ns(self.run), |next| next.0);
                let held = WindowSet::one(*from, to).intersect(&self.windows).length_ns() as f64;
                if held > 0.0 {
                    area += level * held;
                    length += held;
                    least = least.min(*level);
                    greatest = greatest.max(*level);
                }
            }
        }
        let figure = match statistic {
            Statistic::Min => least,
            Statistic::Max => greatest,
            _ => area / length,
        };
        (length > 0.0).then_some(figure)
    }
}

fn filter(metric: &Metric) -> RequestFilter<'_> {
    let label =
        |name: &str| metric.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str());
    RequestFilter { workload: label("workload"), op: label("op") }
}

/// Durations of models are nanoseconds in records and seconds in expectations.
fn scale(record: &MetricRecord) -> f64 {
    if record.unit == "ns" { 1e-9 } else { 1.0 }
}

fn of_latency(latency: &Latency, statistic: Statistic, seconds: f64) -> Option<f64> {
    let nanos = |value: Option<u64>| value.map(|nanos| nanos as f64 / 1e9);
    match statistic {
        Statistic::P50 => nanos(latency.quantile_ns(0.5)),
        Statistic::P95 => nanos(latency.quantile_ns(0.95)),
        Statistic::P99 => nanos(latency.quantile_ns(0.99)),
        Statistic::P999 => nanos(latency.quantile_ns(0.999)),
        Statistic::Mean => latency.mean_ns().map(|nanos| nanos / 1e9),
        Statistic::Max => nanos(latency.max_ns()),
        Statistic::Min => nanos(latency.min_ns()),
        Statistic::Count => Some(latency.count() as f64),
        Statistic::Rate => Some(latency.count() as f64 / seconds),
    }
}

/// A statistic of observations; percentiles are the nearest rank.
fn of_samples(samples: &[(u64, u32, f64)], statistic: Statistic) -> Option<f64> {
    let mut values: Vec<f64> = samples.iter().map(|sample| sample.2).collect();
    values.sort_by(f64::total_cmp);
    let rank = |per_mille: usize| {
        let rank = (values.len() * per_mille).div_ceil(1000).max(1);
        values.get(rank - 1).copied()
    };
    match statistic {
        Statistic::P50 => rank(500),
        Statistic::P95 => rank(950),
        Statistic::P99 => rank(990),
        Statistic::P999 => rank(999),
        Statistic::Max => values.last().copied(),
        Statistic::Min => values.first().copied(),
        _ => (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
    }
}
