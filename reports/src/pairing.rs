//! Finished runs compared after the fact: points that differ in one axis, seed by seed.

use crate::batch::Batch;
use crate::compare::{ArmSummary, ComparisonSummary};
use crate::run::RunSummary;

/// Name and value of axes.
type Point = Vec<(String, String)>;

/// Why finished runs cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// The runs are of one point.
    #[error("the runs are all of one point: nothing differs that could be compared")]
    OnePoint,
    /// The axis is not one of the sweep's.
    #[error("no axis is called `{axis}`; the axes are {known}")]
    Axis {
        /// What was asked for.
        axis: String,
        /// What there is.
        known: String,
    },
    /// The base is not a value of an axis.
    #[error("no axis has the value `{base}`; the values are {known}")]
    Base {
        /// What was asked for.
        base: String,
        /// What there is.
        known: String,
    },
}

/// A figure that every run has.
struct Figure {
    metric: &'static str,
    unit: &'static str,
    higher_is_good: bool,
    of: fn(&RunSummary) -> Option<f64>,
}

const FIGURES: [Figure; 4] = [
    Figure { metric: "goodput", unit: "/s", higher_is_good: true, of: goodput },
    Figure {
        metric: "availability",
        unit: "",
        higher_is_good: true,
        of: RunSummary::availability_by_requests,
    },
    Figure { metric: "uptime", unit: "", higher_is_good: true, of: RunSummary::availability_by_time },
    Figure {
        metric: "p99(latency)",
        unit: "ms",
        higher_is_good: false,
        of: |run| run.latency.p99_ns.map(|ns| ns as f64 / 1e6),
    },
];

fn goodput(run: &RunSummary) -> Option<f64> {
    let measured_ns = run.ended_ns.saturating_sub(run.warmup_ns);
    (measured_ns > 0).then(|| run.requests_measured.good as f64 * 1e9 / measured_ns as f64)
}

/// Every figure of every value of an axis against its base, after the warm-up.
///
/// Without an axis, that of the base, or else the first one; without a base, the axis's first value. Axes
/// that move in lockstep with the chosen one are part of it.
///
/// # Errors
/// Nothing to compare, or an axis or base that is not there.
pub fn pairings(
    batch: &Batch,
    axis: Option<&str>,
    base: Option<&str>,
) -> Result<Vec<ComparisonSummary>, PairingError> {
    let names: Vec<&str> = batch
        .points
        .first()
        .map_or_else(Vec::new, |point| point.point.iter().map(|(name, _)| name.as_str()).collect());
    if batch.points.len() < 2 || names.is_empty() {
        return Err(PairingError::OnePoint);
    }
    let index = match (axis, base) {
        (Some(axis), _) => names
            .iter()
            .position(|name| *name == axis)
            .ok_or_else(|| PairingError::Axis { axis: axis.to_owned(), known: names.join(", ") })?,
        (None, Some(base)) => (0..names.len())
            .find(|&index| values(batch, index).iter().any(|value| value == base))
            .unwrap_or(0),
        (None, None) => (0..names.len()).find(|&index| values(batch, index).len() > 1).unwrap_or(0),
    };
    let values = values(batch, index);
    let base = base.map_or_else(|| values[0].clone(), str::to_owned);
    if !values.contains(&base) {
        return Err(PairingError::Base { base, known: values.join(", ") });
    }
    let mut others: Vec<Point> = Vec::new();
    for point in &batch.points {
        let rest = rest(batch, &point.point, index);
        if !others.contains(&rest) {
            others.push(rest);
        }
    }
    let compared = FIGURES.iter().flat_map(|figure| {
        let of = |other: &Point| comparison(batch, figure, index, (&base, &values), other);
        others.iter().filter_map(of).collect::<Vec<_>>()
    });
    Ok(compared.collect())
}

fn values(batch: &Batch, axis: usize) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for point in &batch.points {
        let value = &point.point[axis].1;
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    values
}

/// The axes of a point beside one, without those whose value follows from it.
fn rest(batch: &Batch, point: &Point, axis: usize) -> Point {
    let follows = |other: usize| {
        batch.points.iter().all(|a| {
            let same = batch.points.iter().filter(|b| b.point[axis].1 == a.point[axis].1);
            same.into_iter().all(|b| b.point[other].1 == a.point[other].1)
        })
    };
    let kept = point.iter().enumerate().filter(|(other, _)| *other != axis && !follows(*other));
    kept.map(|(_, pair)| pair.clone()).collect()
}

fn comparison(
    batch: &Batch,
    figure: &Figure,
    axis: usize,
    (base, values): (&str, &[String]),
    other: &Point,
) -> Option<ComparisonSummary> {
    let runs = |value: &str| {
        let here = |run: &&RunSummary| run.point[axis].1 == value && rest(batch, &run.point, axis) == *other;
        batch
            .runs
            .iter()
            .filter(here)
            .filter_map(|run| Some((run.seed, (figure.of)(run)?)))
            .collect::<Vec<_>>()
    };
    let of_base = runs(base);
    let arms: Vec<ArmSummary> = values
        .iter()
        .filter(|value| *value != base)
        .map(|value| {
            let arm = runs(value);
            let pair = |&(seed, figure): &(u64, f64)| {
                Some((figure, arm.iter().find(|(other, _)| *other == seed)?.1))
            };
            let pairs: Vec<(f64, f64)> = of_base.iter().filter_map(pair).collect();
            ArmSummary::new(value, &pairs, Some(figure.higher_is_good))
        })
        .filter(|arm| arm.pairs > 0)
        .collect();
    (!arms.is_empty()).then(|| ComparisonSummary {
        axis: batch.points[0].point[axis].0.clone(),
        metric: figure.metric.to_owned(),
        unit: figure.unit.to_owned(),
        file: String::new(),
        line: 0,
        point: other.clone(),
        base: base.to_owned(),
        arms,
        claim: None,
    })
}
