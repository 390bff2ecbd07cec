//! The distribution of latency as a figure.

use super::figure::{Caption, Figure};
use super::words;
use crate::latency::Latency;
use crate::plot::{Axis, Chart, Point, Series, Unit};
use crate::run::RunSummary;

/// Steps between the smallest and the largest latency.
const STEPS: u32 = 120;
/// Most operations with a line of their own; more are drawn as one.
const LINES: usize = 5;

/// Share of correct replies within each latency, pooled over runs; `None` without a reply.
pub(super) fn figure(runs: &[&RunSummary], prefix: &str) -> Option<Figure> {
    let lines = lines(runs);
    let low = lines.iter().filter_map(|(_, latency)| latency.min_ns()).min()?.max(1);
    let high = lines.iter().filter_map(|(_, latency)| latency.max_ns()).max()?.max(low + 1);
    let (first, last) = (libm::log10(low as f64 / 1e9), libm::log10(high as f64 / 1e9));
    let grid: Vec<f64> = (0..=STEPS)
        .map(|step| libm::pow(10.0, first + (last - first) * f64::from(step) / f64::from(STEPS)))
        .collect();
    let series: Vec<Series> = lines
        .iter()
        .enumerate()
        .map(|(ink, (name, latency))| Series {
            name: name.clone(),
            ink,
            broad: false,
            points: points(latency, &grid),
        })
        .collect();
    let labels: Vec<String> = grid.iter().map(|&x| Unit::Seconds.show(x)).collect();
    let note = match runs.len() {
        1 => "share of correct replies within a latency".to_owned(),
        count => format!("share of correct replies within a latency, {count} runs pooled"),
    };
    let title = "Latency distribution";
    let group = format!("{prefix}-distribution");
    let caption = Caption { id: group.clone(), group: &group, title, note: &note, x_name: "within" };
    let y = Axis { range: Some((0.0, 1.0)), ..Axis::linear(Unit::Ratio) };
    let label = format!("{title} from {} to {}", words::span(low), words::span(high));
    let chart = Chart { label, x: Axis::log(Unit::Seconds), y, series, bands: Vec::new(), height: 170 };
    Some(Figure::chart(&caption, &chart, &labels))
}

/// A distribution for every operation, or one for all when there are many or only one.
fn lines(runs: &[&RunSummary]) -> Vec<(String, Latency)> {
    let mut lines: Vec<(String, Latency)> = Vec::new();
    let several = runs.first().is_some_and(|run| run.workloads.len() > 1);
    for run in runs {
        for workload in &run.workloads {
            for op in workload.ops.iter().filter(|op| op.latency.quantile_ns(0.5).is_some()) {
                let name = if several { format!("{} {}", workload.name, op.name) } else { op.name.clone() };
                match lines.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, latency)) => latency.merge(&op.latency),
                    None => lines.push((name, op.latency.clone())),
                }
            }
        }
    }
    if lines.len() > LINES {
        let mut all = Latency::default();
        for (_, latency) in &lines {
            all.merge(latency);
        }
        return vec![("all".to_owned(), all)];
    }
    lines
}

fn points(latency: &Latency, grid: &[f64]) -> Vec<Point> {
    let share = |x: f64| {
        // The grid's last step is the maximum: rounding must not lose it. Buckets are 0.1 % wide.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a latency is not negative"
        )]
        let up_to = (x * 1.002 * 1e9) as u64;
        latency.count_up_to(up_to) as f64 / latency.count().max(1) as f64
    };
    grid.iter().map(|&x| Point { x, y: Some(share(x)), interval: None }).collect()
}
