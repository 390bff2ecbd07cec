//! Figures across a sweep: availability and latency against each axis of numbers, with intervals.

use std::collections::BTreeSet;

use super::figure::{Caption, Figure};
use crate::batch::{Batch, PointSummary};
use crate::estimate::Estimate;
use crate::plot::{Axis, Chart, Point, Series, Unit};

/// Most lines of a figure; a sweep with more combinations is in the table of pooled figures only.
const LINES: usize = 6;

/// Picks the figure of a point that is drawn.
type Pick<'a> = &'a dyn Fn(&PointSummary) -> Option<(f64, Option<(f64, f64)>)>;

/// Figures against every axis whose values are different numbers of one unit.
pub(super) fn figures(batch: &Batch) -> Vec<Figure> {
    let Some(first) = batch.points.first() else {
        return Vec::new();
    };
    let count = first.point.len();
    (0..count).flat_map(|axis| against(batch, axis)).collect()
}

fn against(batch: &Batch, axis: usize) -> Vec<Figure> {
    let numbers: Option<Vec<(f64, &str)>> =
        batch.points.iter().map(|point| number(&point.point.get(axis)?.1)).collect();
    let Some(numbers) = numbers else {
        return Vec::new();
    };
    let units: BTreeSet<&str> = numbers.iter().map(|(_, unit)| *unit).collect();
    let mut grid: Vec<f64> = numbers.iter().map(|(value, _)| *value).collect();
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    let lines = lines(batch, axis);
    if units.len() != 1 || grid.len() < 2 || lines.len() > LINES {
        return Vec::new();
    }
    let availability =
        |point: &PointSummary| point.availability_by_requests.as_ref().map(|one| bounds(one, 1.0));
    let by_time = |point: &PointSummary| point.availability_by_time.as_ref().map(|one| bounds(one, 1.0));
    let p99 = |point: &PointSummary| {
        let latency = point.latencies.first()?;
        let (_, estimate) = latency.quantiles_ms.iter().find(|(which, _)| (which - 0.99).abs() < 1e-9)?;
        Some(bounds(estimate, 1e-3))
    };
    let latency = batch.points[0].latencies.first();
    let operation = latency.map(|one| format!("{} {}, ", one.workload, one.op)).unwrap_or_default();
    let sweep = Sweep { batch, axis, numbers: &numbers, grid: &grid, lines: &lines };
    vec![
        sweep.figure(("Availability by requests", ""), Axis::linear(Unit::Ratio), &availability),
        sweep.figure(("Availability by time", ""), Axis::linear(Unit::Ratio), &by_time),
        sweep.figure(("Latency p99", &operation), Axis::linear(Unit::Seconds), &p99),
    ]
}

/// A number and the unit after it.
pub(super) fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let value: f64 = text[..end].parse().ok()?;
    value.is_finite().then(|| (value, text[end..].trim()))
}

/// Values of the other axes, one entry per line.
fn lines(batch: &Batch, axis: usize) -> Vec<Vec<(String, String)>> {
    let mut lines = Vec::new();
    for point in &batch.points {
        let rest = others(point, axis);
        if !lines.contains(&rest) {
            lines.push(rest);
        }
    }
    lines
}

fn others(point: &PointSummary, axis: usize) -> Vec<(String, String)> {
    let kept = point.point.iter().enumerate().filter(|(index, _)| *index != axis);
    kept.map(|(_, pair)| pair.clone()).collect()
}

fn bounds(estimate: &Estimate, scale: f64) -> (f64, Option<(f64, f64)>) {
    let interval = estimate.interval.as_ref().map(|one| (one.low * scale, one.high * scale));
    (estimate.point * scale, interval)
}

/// A sweep seen along one of its axes.
struct Sweep<'a> {
    batch: &'a Batch,
    axis: usize,
    /// Value and unit of the axis, by point.
    numbers: &'a [(f64, &'a str)],
    grid: &'a [f64],
    lines: &'a [Vec<(String, String)>],
}

impl Sweep<'_> {
    fn figure(&self, (title, of): (&str, &str), y: Axis, pick: Pick<'_>) -> Figure {
        let (name, _) = &self.batch.points[0].point[self.axis];
        let unit = self.numbers[0].1;
        let measured = if unit.is_empty() { name.clone() } else { format!("{name} ({unit})") };
        let note = format!("{of}against {measured}; the shade is the interval over seeds");
        let id = format!("sweep{}-{}", self.axis, title.to_lowercase().replace(' ', "-"));
        let group = format!("sweep{}", self.axis);
        let caption = Caption { id, group: &group, title, note: &note, x_name: &measured };
        let label = format!("{title} against {measured}");
        let names = |line: &[(String, String)]| {
            let values: Vec<&str> = line.iter().map(|(_, value)| value.as_str()).collect();
            if values.is_empty() { title.to_owned() } else { values.join(" ") }
        };
        let series = self.lines.iter().enumerate().map(|(ink, line)| Series {
            name: names(line),
            ink,
            broad: false,
            points: self.grid.iter().map(|&x| self.point(x, line, pick)).collect(),
        });
        let series: Vec<Series> = series.collect();
        let labels: Vec<String> = self.grid.iter().map(|x| format!("{x} {unit}").trim().to_owned()).collect();
        let range = Some((self.grid[0].min(0.0), self.grid[self.grid.len() - 1]));
        let x = Axis { range, ..Axis::linear(Unit::Count) };
        Figure::chart(&caption, &Chart { label, x, y, series, bands: Vec::new(), height: 150 }, &labels)
    }

    fn point(&self, x: f64, line: &[(String, String)], pick: Pick<'_>) -> Point {
        let here = self
            .batch
            .points
            .iter()
            .zip(self.numbers)
            .find(|(point, (value, _))| value.total_cmp(&x).is_eq() && others(point, self.axis) == line);
        match here.and_then(|(point, _)| pick(point)) {
            Some((value, interval)) => Point { x, y: Some(value), interval },
            None => Point { x, y: None, interval: None },
        }
    }
}
