//! Availability, latency and incidents on a terminal.

use comfy_table::{CellAlignment, Table, presets};

use super::paint::Paint;
use super::{LISTED, WIDTH, shortened};
use crate::batch::{Batch, PointSummary};
use crate::estimate::{Estimate, nines};
use crate::number::{Put, grouped, significant, span_text};
use crate::requests::{RequestClass, RequestCounts};
use crate::run::RunSummary;
use crate::tables::point_text;

/// Points of a sweep that are listed before the rest is counted.
const POINTS_LISTED: usize = 24;

/// Availability and latency: in full for one point, a row a point for a sweep.
pub(super) fn section(batch: &Batch, ink: Paint) -> String {
    match batch.points.as_slice() {
        [] => String::new(),
        [only] => one_point(only, ink),
        points => sweep(points, ink),
    }
}

fn one_point(point: &PointSummary, ink: Paint) -> String {
    let mut text = format!("\n{}  after the warm-up\n", ink.bold("Availability"));
    match &point.availability_by_requests {
        Some(estimate) => text.put(format_args!("  by requests  {}\n", nines_text(estimate))),
        None => text.push_str("  by requests  no samples\n"),
    }
    text.put(format_args!("               {}\n", classes_text(&point.requests)));
    match (&point.availability_by_time, &point.downtime_s_per_year) {
        (Some(estimate), Some(down)) => {
            text.put(format_args!("  by time      {}\n", nines_text(estimate)));
            text.put(format_args!("               {}\n", downtime_text(down)));
        }
        _ => text.push_str("  by time      no samples: the run had no synthetic probes\n"),
    }
    text.push_str(&latencies(point, ink));
    text
}

/// `3.21 nines (99.938 %), 95 % between 3.02 and 3.44 nines`.
pub(crate) fn nines_text(estimate: &Estimate) -> String {
    let percent = |availability: f64| format!("{} %", percent_digits(availability));
    let figure = if estimate.point >= 1.0 {
        "100 %".to_owned()
    } else {
        format!("{:.2} nines ({})", nines(estimate.point), percent(estimate.point))
    };
    match &estimate.interval {
        Some(interval) if estimate.is_bound() => {
            format!(
                ">= {:.2} nines ({}), one-sided 95 %: nothing failed",
                floor2(nines(interval.low)),
                percent(interval.low)
            )
        }
        Some(interval) => {
            let level = significant(interval.level * 100.0, 3);
            format!("{figure}  {level} %: {:.2} to {:.2} nines", nines(interval.low), nines(interval.high))
        }
        None => format!("{figure}  {}", estimate.note),
    }
}

/// A percentage with enough digits to tell it from 100 %.
fn percent_digits(availability: f64) -> String {
    let unavailability = (1.0 - availability) * 100.0;
    if unavailability <= 0.0 {
        return "100".to_owned();
    }
    // Two digits of the unavailability: 99.938, 99.99962.
    let exponent = libm::floor(libm::log10(unavailability));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the 324 of a float")]
    let decimals = (1.0 - exponent).clamp(0.0, 12.0) as usize;
    format!("{:.decimals$}", 100.0 - unavailability)
}

/// A bound is rounded towards the safe side.
fn floor2(value: f64) -> f64 {
    libm::floor(value * 100.0) / 100.0
}

fn downtime_text(down: &Estimate) -> String {
    let seconds = |value: f64| span_text(whole_ns(value));
    match &down.interval {
        Some(interval) if down.is_bound() => {
            format!("at most {} down a year at this rate", seconds(interval.high))
        }
        Some(interval) => {
            format!(
                "{} down a year at this rate  95 %: {} to {}",
                seconds(down.point),
                seconds(interval.low),
                seconds(interval.high)
            )
        }
        None => format!("{} down a year at this rate", seconds(down.point)),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive span; saturates")]
fn whole_ns(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

fn classes_text(counts: &RequestCounts) -> String {
    let classes = RequestClass::BAD.iter().filter(|&&class| counts.get(class) > 0);
    let classes: Vec<String> =
        classes.map(|&class| format!("{} {}", grouped(counts.get(class)), class.name())).collect();
    let mut text = format!("{} bad of {}", grouped(counts.bad()), grouped(counts.resolved()));
    if !classes.is_empty() {
        text.put(format_args!(": {}", classes.join(", ")));
    }
    if counts.censored > 0 {
        text.put(format_args!("; {} left out, unresolved with time left", grouped(counts.censored)));
    }
    text
}

fn latencies(point: &PointSummary, ink: Paint) -> String {
    let sampled: Vec<_> = point.latencies.iter().filter(|latency| latency.count > 0).collect();
    if sampled.is_empty() {
        return String::new();
    }
    let mut table = table(&["", "p50", "p95", "p99", "p99.9", "max", "replies"]);
    for latency in sampled.iter().take(LISTED) {
        let mut row = vec![shortened(&format!("{}.{}", latency.workload, latency.op), 28)];
        row.extend(latency.quantiles_ms.iter().map(|(_, estimate)| significant(estimate.point, 4)));
        row.resize(5, "-".to_owned());
        row.push(latency.max_ms.map_or_else(|| "-".to_owned(), |max| significant(max, 4)));
        row.push(grouped(latency.count));
        table.add_row(row);
        let intervals = latency.quantiles_ms.iter().filter_map(|(_, estimate)| estimate.interval.as_ref());
        let intervals: Vec<String> = intervals
            .map(|interval| format!("{}..{}", significant(interval.low, 3), significant(interval.high, 3)))
            .collect();
        if !intervals.is_empty() {
            table.add_row(std::iter::once("  95 %".to_owned()).chain(intervals).collect::<Vec<_>>());
        }
    }
    let more = sampled.len().saturating_sub(LISTED);
    let more = if more > 0 { format!("  … and {more} more in summary.csv\n") } else { String::new() };
    format!("\n{}  ms, from arrival\n{}{more}", ink.bold("Latency"), indented(&mut table, 1))
}

fn sweep(points: &[PointSummary], ink: Paint) -> String {
    let mut table = table(&["point", "runs", "by requests", "by time", "p99 ms", "outages"]);
    for point in points.iter().take(POINTS_LISTED) {
        let nines =
            |estimate: &Option<Estimate>| estimate.as_ref().map_or_else(|| "-".to_owned(), short_nines);
        let p99 = point.latencies.iter().flat_map(|latency| &latency.quantiles_ms);
        let p99 =
            p99.filter(|(quantile, _)| (0.98..0.995).contains(quantile)).map(|(_, estimate)| estimate.point);
        table.add_row(vec![
            shortened(&point_text(&point.point), 36),
            grouped(point.runs),
            nines(&point.availability_by_requests),
            nines(&point.availability_by_time),
            p99.reduce(f64::max).map_or_else(|| "-".to_owned(), |p99| significant(p99, 4)),
            point.reliability.map_or_else(|| "-".to_owned(), |reliability| grouped(reliability.failures)),
        ]);
    }
    let more = points.len().saturating_sub(POINTS_LISTED);
    let more = if more > 0 { format!("  … and {more} more in summary.csv\n") } else { String::new() };
    let title = ink.bold("Points");
    format!(
        "\n{title}  nines with their 95 % interval, worst operation's p99\n{}{more}",
        indented(&mut table, 1)
    )
}

fn short_nines(estimate: &Estimate) -> String {
    match &estimate.interval {
        Some(interval) if estimate.is_bound() => format!(">= {:.2}", floor2(nines(interval.low))),
        Some(interval) => {
            format!("{:.2} [{:.2}, {:.2}]", nines(estimate.point), nines(interval.low), nines(interval.high))
        }
        None if estimate.point >= 1.0 => "no failure".to_owned(),
        None => format!("{:.2}", nines(estimate.point)),
    }
}

/// The incidents of the first run, and what all runs say about times to detect and repair.
pub(super) fn incidents(batch: &Batch, first: &RunSummary, ink: Paint) -> String {
    let total: usize = batch.runs.iter().map(|run| run.incidents.len()).sum();
    if batch.runs.iter().all(|run| run.outages.is_none()) {
        return String::new();
    }
    let of_first =
        if batch.runs.len() > 1 { format!("; those of seed {}:", first.seed) } else { String::new() };
    let count = if total == 0 { "none".to_owned() } else { format!("{}{of_first}", grouped(total as u64)) };
    let mut text = format!("\n{}  {count}\n", ink.bold("Incidents"));
    if !first.incidents.is_empty() {
        let mut table = table(&["", "at", "detected", "mitigated", "recovered", "faults around its start"]);
        table.column_mut(5).expect("six columns").set_cell_alignment(CellAlignment::Left);
        let after =
            |ns: Option<u64>| ns.map_or_else(|| "never".to_owned(), |ns| format!("+{}", span_text(ns)));
        for (index, incident) in first.incidents.iter().take(LISTED).enumerate() {
            table.add_row(vec![
                (index + 1).to_string(),
                span_text(incident.start_ns),
                after(incident.detect_ns()),
                after(incident.mitigate_ns()),
                after(incident.recover_ns()),
                if incident.causes.is_empty() {
                    "none".to_owned()
                } else {
                    shortened(&incident.causes.join(", "), 40)
                },
            ]);
        }
        text.push_str(&indented(&mut table, 1));
        if first.incidents.len() > LISTED {
            text.put(format_args!("  … and {} more in incidents.csv\n", first.incidents.len() - LISTED));
        }
    }
    if let [point] = batch.points.as_slice() {
        text.push_str(&reliability_lines(point));
    }
    text
}

fn reliability_lines(point: &PointSummary) -> String {
    let named = [
        ("MTTD", &point.mttd_s, "to detect"),
        ("MTTR", &point.mttr_s, "to repair"),
        ("MTBF", &point.mtbf_s, "between failures"),
    ];
    let mut text = String::new();
    for (name, estimate, what) in named {
        let Some(estimate) = estimate else { continue };
        let interval = match &estimate.interval {
            None => estimate.note.clone(),
            Some(interval) if interval.high - interval.low <= 1e-9 * interval.high => {
                "in every run".to_owned()
            }
            Some(interval) => {
                let (low, high) = (span_text(whole_ns(interval.low)), span_text(whole_ns(interval.high)));
                format!("95 %: {low} to {high}")
            }
        };
        text.put(format_args!("  {name}  {} {what}  {interval}\n", span_text(whole_ns(estimate.point))));
    }
    text
}

/// A table without lines, first column left, the others right.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_width(u16::try_from(WIDTH - 1).unwrap_or(u16::MAX));
    table.set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn indented(table: &mut Table, by: usize) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.put(format_args!("{:by$}{}\n", "", line.trim_end()));
    }
    text
}
