//! Key figures of one point: availability, latency, downtime, repair.

use super::words;
use crate::batch::{Batch, PointSummary};
use crate::estimate::{Estimate, ONE_RUN};
use crate::latency::Latency;
use crate::plot::{Unit, whole};
use crate::run::RunSummary;

/// One key figure.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Small lines below: interval, nines, counts.
    pub(super) lines: Vec<String>,
}

/// The key figures of a point.
pub(super) fn cards(batch: &Batch, point: &PointSummary) -> Vec<Card> {
    let runs: Vec<&RunSummary> = batch.runs.iter().filter(|run| run.point == point.point).collect();
    let counts = &point.requests;
    let down = point.reliability.as_ref().map(|total| {
        let incidents = if total.failures == 1 { "incident" } else { "incidents" };
        let (down, observed) = (words::span(total.down_ns), words::span(total.observed_ns));
        format!("{down} down in {observed}, {} {incidents}", total.failures)
    });
    let good = format!("{} good, {} bad", whole(counts.good), whole(counts.bad()));
    let requests = Card { name: "Requests", value: whole(counts.offered()), lines: vec![good] };
    let mut cards = vec![
        availability("Availability by time", point.availability_by_time.as_ref(), "no probes"),
        availability(
            "Availability by requests",
            point.availability_by_requests.as_ref(),
            "no request resolved",
        ),
    ];
    cards.extend(latencies(point, &runs));
    let none = "no incident seen";
    cards.push(span("Downtime a year", point.downtime_s_per_year.as_ref(), "no probes", down));
    cards.push(span("Mean time to detect", point.mttd_s.as_ref(), none, None));
    cards.push(span("Mean time to repair", point.mttr_s.as_ref(), none, None));
    cards.push(requests);
    cards
}

fn availability(name: &'static str, estimate: Option<&Estimate>, none: &str) -> Card {
    let Some(estimate) = estimate else {
        return missing(name, none);
    };
    let value = Unit::Ratio.show(estimate.point);
    Card { name, value, lines: vec![words::nines(estimate.point), words::nines_interval(estimate)] }
}

fn span(name: &'static str, estimate: Option<&Estimate>, none: &str, more: Option<String>) -> Card {
    let Some(estimate) = estimate else {
        return missing(name, none);
    };
    let show = |value: f64| Unit::Seconds.show(value);
    let mut lines = vec![words::interval(estimate, show)];
    lines.extend(more);
    Card { name, value: show(estimate.point), lines }
}

fn missing(name: &'static str, why: &str) -> Card {
    Card { name, value: "–".to_owned(), lines: vec![why.to_owned()] }
}

/// Median and 99th percentile: with intervals when there is one operation, else over all of them.
fn latencies(point: &PointSummary, runs: &[&RunSummary]) -> [Card; 2] {
    let figures = match runs {
        [only] => only.latency,
        _ => pooled(runs).figures(),
    };
    let over = match runs.len() {
        1 => ONE_RUN.to_owned(),
        count => format!("all operations of {count} runs"),
    };
    let wanted = [("Latency p50", 0.5, figures.p50_ns), ("Latency p99", 0.99, figures.p99_ns)];
    wanted.map(|(name, quantile, over_all)| {
        if let [only] = &point.latencies[..] {
            let estimate = only.quantiles_ms.iter().find(|(which, _)| (which - quantile).abs() < 1e-9);
            let show = |ms: f64| Unit::Seconds.show(ms / 1e3);
            return estimate.map_or_else(
                || missing(name, "no correct reply"),
                |(_, value)| Card {
                    name,
                    value: show(value.point),
                    lines: vec![words::interval(value, show)],
                },
            );
        }
        over_all.map_or_else(
            || missing(name, "no correct reply"),
            |ns| Card { name, value: words::span(ns), lines: vec![over.clone()] },
        )
    })
}

/// Latencies of all operations of all runs whose distributions were kept.
fn pooled(runs: &[&RunSummary]) -> Latency {
    let mut all = Latency::default();
    for op in runs.iter().flat_map(|run| &run.workloads).flat_map(|workload| &workload.ops) {
        if op.latency.quantile_ns(0.5).is_some() {
            all.merge(&op.latency);
        }
    }
    all
}
