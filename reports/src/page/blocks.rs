//! The tables of the page that are not behind a plot.

use super::table::{Cell, Table};
use super::words;
use crate::batch::{Batch, PointSummary};
use crate::estimate::Estimate;
use crate::expectation::Judgement;
use crate::plot::{Unit, whole};
use crate::record::{End, MetricKind, Verdict};
use crate::requests::RequestClass;
use crate::run::RunSummary;

/// Most rows of a table that grows with the number of runs; the files beside the page hold all.
pub(super) const ROWS: usize = 500;

/// A table under a heading.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) title: &'static str,
    pub(super) table: Table,
}

/// All tables after the plots, in the page's order.
pub(super) fn blocks(batch: &Batch) -> Vec<Block> {
    let mut blocks = vec![Block { title: "Incidents", table: incidents(batch) }];
    if batch.runs.iter().any(|run| !run.slos.is_empty()) {
        blocks.push(Block { title: "Objectives and error budgets", table: super::slo::objectives(batch) });
        blocks.push(Block { title: "Alerts", table: super::slo::alerts(batch) });
    }
    blocks.push(Block { title: "Properties", table: properties(batch) });
    blocks.push(Block { title: "Requests by outcome", table: outcomes(batch) });
    blocks.push(Block { title: "Latency by operation", table: latencies(batch) });
    if batch.runs.len() > batch.points.len() || batch.points.len() > 1 {
        blocks.push(Block { title: "Pooled figures", table: pooled(batch) });
        blocks.push(Block { title: "Runs", table: runs(batch) });
    }
    blocks.push(Block { title: "Messages by kind", table: messages(batch) });
    if !batch.comparisons.is_empty() {
        blocks.insert(0, Block { title: "Comparisons over paired seeds", table: comparisons(batch) });
    }
    if batch.runs.iter().any(|run| !run.metrics.is_empty()) {
        blocks.push(Block { title: "Metrics of the model", table: metrics(batch) });
    }
    blocks
}

/// Class and word of a verdict.
pub(super) fn verdict(judgement: Judgement) -> (&'static str, &'static str) {
    match judgement {
        Judgement::Pass => ("pass", "pass"),
        Judgement::Inconclusive => ("open", "inconclusive"),
        Judgement::Fail => ("fail", "fail"),
    }
}

/// Figures of points that differ in one axis: what both share cancels.
fn comparisons(batch: &Batch) -> Table {
    let heads =
        ["Figure", "Point", "Base", "#Its mean", "Against", "#Its mean", "#Difference", "Pairs", "Verdict"];
    let mut table = Table::new("Comparisons over paired seeds", &heads);
    for one in &batch.comparisons {
        for arm in &one.arms {
            let number = |value: f64| format!("{}{}", crate::number::significant(value, 4), one.unit);
            let difference = arm.difference.as_ref();
            let words = difference.map_or_else(String::new, |difference| match &difference.interval {
                Some(interval) => format!(
                    "{} ({} to {})",
                    number(difference.point),
                    number(interval.low),
                    number(interval.high)
                ),
                None => number(difference.point),
            });
            table.push(vec![
                Cell::code(one.metric.clone()),
                Cell::text(crate::tables::point_text(&one.point)),
                Cell::word(one.base.clone()),
                Cell::maybe(arm.base_mean, number),
                Cell::word(arm.value.clone()),
                Cell::maybe(arm.mean, number),
                Cell::number(words, difference.map_or(f64::NAN, |difference| difference.point)),
                Cell::number(arm.pairs.to_string(), arm.pairs as f64),
                Cell::text(arm.verdict.clone()),
            ]);
        }
        if let Some(claim) = &one.claim {
            let (class, word) = verdict(claim.verdict);
            let mut row =
                vec![Cell::code(claim.text.clone()), Cell::text(crate::tables::point_text(&one.point))];
            row.extend((0..6).map(|_| Cell::text("")));
            row.push(Cell::badge(word, class));
            table.push(row);
        }
    }
    "Run k of every point has the same environment; differences with a bootstrap interval of 95 %."
        .clone_into(&mut table.note);
    table
}

/// What was expected, what was seen, and where it is written.
pub(super) fn expectations(batch: &Batch) -> Table {
    let heads = ["Result", "Expectation", "Observed", "Asked", "Seeds", "Point", "Where"];
    let mut table = Table::new("Expectations", &heads).or("The scenario has no expectations.");
    for expectation in &batch.expectations {
        let (class, word) = verdict(expectation.verdict);
        let seeds: Vec<u64> = expectation.not_passed.iter().map(|seed| seed.seed).collect();
        let mut passed = expectation.seeds_text();
        if !passed.is_empty() && !seeds.is_empty() {
            passed = format!("{passed}; not seed {}", words::some_of(&seeds, 6));
        }
        table.push(vec![
            Cell::badge(word, class),
            Cell { class: "wide-text", ..Cell::code(expectation.text.clone()) },
            Cell::text(expectation.observed.clone()),
            Cell::text(expectation.limit.clone()),
            Cell::text(passed),
            Cell::word(words::point(&expectation.point)),
            Cell::word(format!("{}:{}", expectation.file, expectation.line)),
        ]);
    }
    table.without_empty_columns().capped(ROWS, "result.json")
}

/// Seed and point of a run, empty where the batch has only one.
pub(super) fn which(batch: &Batch, run: &RunSummary) -> [Cell; 2] {
    let seed = if batch.runs.len() > 1 { run.seed.to_string() } else { String::new() };
    [Cell { class: "num", ..Cell::text(seed) }, Cell::word(words::point(&run.point))]
}

fn incidents(batch: &Batch) -> Table {
    let heads = [
        "#Seed",
        "Point",
        "#Start",
        "#Lasted",
        "#Detected after",
        "#Mitigated after",
        "#Recovered after",
        "Active faults",
    ];
    let known = batch.runs.iter().any(|run| run.outages.is_some());
    let empty = if known {
        "The service was never down for more than a second."
    } else {
        "There were no probes, so nothing is known about outages."
    };
    let mut table = Table::new("Incidents", &heads).or(empty);
    for run in &batch.runs {
        for incident in &run.incidents {
            let [seed, point] = which(batch, run);
            let seconds = |ns: Option<u64>, none: &str| match ns {
                Some(ns) => Cell::number(words::span(ns), ns as f64),
                None => Cell { class: "num", key: Some(String::new()), ..Cell::text(none) },
            };
            let lasted = run.ended_ns - incident.start_ns;
            let length = incident
                .mitigate_ns()
                .map_or_else(|| format!("{}, still open", words::span(lasted)), words::span);
            table.push(vec![
                seed,
                point,
                Cell::number(words::instant(incident.start_ns), incident.start_ns as f64),
                Cell::number(length, incident.mitigate_ns().unwrap_or(lasted) as f64),
                seconds(incident.detect_ns(), "not detected"),
                seconds(incident.mitigate_ns(), "not mitigated"),
                seconds(incident.recover_ns(), "not recovered"),
                Cell {
                    class: "wide-text",
                    ..Cell::text(if incident.causes.is_empty() {
                        "none".to_owned()
                    } else {
                        incident.causes.join(", ")
                    })
                },
            ]);
        }
    }
    table.tall = table.rows.len() > 20;
    table.sortable = table.rows.len() > 1;
    table.without_empty_columns().capped(ROWS, "incidents.csv")
}

fn properties(batch: &Batch) -> Table {
    let heads = ["Result", "Property", "#Checked", "#Runs", "What was seen"];
    let mut table = Table::new("Properties", &heads).or("The model declares no properties.");
    let mut names: Vec<&str> = Vec::new();
    for property in batch.runs.iter().flat_map(|run| &run.properties) {
        if !names.contains(&property.name.as_str()) {
            names.push(&property.name);
        }
    }
    for name in names {
        let judged = || {
            batch.runs.iter().flat_map(move |run| {
                run.properties
                    .iter()
                    .filter(move |property| property.name == name)
                    .map(move |property| (run, property))
            })
        };
        let checked: u64 = judged().map(|(_, property)| property.checked).sum();
        let held = judged().filter(|(_, property)| property.verdict == Verdict::Held).count();
        // A violation outweighs a checker that gave up in an earlier run.
        let violated = judged().find(|(_, property)| matches!(property.verdict, Verdict::Violated { .. }));
        let unsure = judged().find(|(_, property)| matches!(property.verdict, Verdict::Unknown { .. }));
        let worst = violated.or(unsure).and_then(|(run, property)| complaint(run.seed, &property.verdict));
        let (class, word, seen) = worst.unwrap_or_else(|| {
            if checked == 0 {
                ("open", "never checked", "nothing to judge: this result is vacuous".to_owned())
            } else {
                ("pass", "held", String::new())
            }
        });
        table.push(vec![
            Cell::badge(word, class),
            Cell::code(name),
            Cell::number(whole(checked), checked as f64),
            Cell { class: "num", ..Cell::text(format!("{held} of {} held", judged().count())) },
            Cell { class: "wide-text", ..Cell::text(seen) },
        ]);
    }
    table.without_empty_columns()
}

/// Badge, word and sentence of a verdict that is not good; `None` when the property held.
fn complaint(seed: u64, verdict: &Verdict) -> Option<(&'static str, &'static str, String)> {
    match verdict {
        Verdict::Held => None,
        Verdict::Violated { at_ns, event, message } => {
            let at = words::instant(*at_ns);
            Some(("fail", "violated", format!("seed {seed}, {at}, event {}: {message}", whole(*event))))
        }
        Verdict::Unknown { message } => Some(("open", "unknown", format!("seed {seed}: {message}"))),
    }
}

fn outcomes(batch: &Batch) -> Table {
    let heads = ["Point", "Outcome", "#Requests", "#Share", "Meaning"];
    let mut table = Table::new("Requests by outcome", &heads).or("No request arrived after the warm-up.");
    let classes = [RequestClass::Good].into_iter().chain(RequestClass::BAD).chain([RequestClass::Censored]);
    let classes: Vec<RequestClass> = classes.collect();
    for point in &batch.points {
        for &class in &classes {
            let count = point.requests.get(class);
            if count == 0 {
                continue;
            }
            let share = count as f64 / point.requests.offered() as f64;
            table.push(vec![
                Cell::word(words::point(&point.point)),
                Cell::word(class.name()),
                Cell::number(whole(count), count as f64),
                Cell::number(Unit::Ratio.show(share), share),
                Cell::text(meaning(class)),
            ]);
        }
    }
    table.tall = table.rows.len() > 40;
    table.without_empty_columns().capped(ROWS, "result.json")
}

fn meaning(class: RequestClass) -> &'static str {
    match class {
        RequestClass::Good => "correct reply within the deadline",
        RequestClass::Late => "correct reply after the deadline",
        RequestClass::Timeout => "the client gave up waiting",
        RequestClass::Rejected => "refused: overload, open breaker, no leader",
        RequestClass::Failed => "answered with an error",
        RequestClass::Wrong => "the answer was wrong",
        RequestClass::ClientDown => "the client itself was down",
        RequestClass::Unresolved => "no answer by the end, deadline passed",
        RequestClass::Censored => "no answer by the end, time left: left out",
    }
}

fn latencies(batch: &Batch) -> Table {
    let heads =
        ["Point", "Workload", "Operation", "#Replies", "#Mean", "#p50", "#p95", "#p99", "#p99.9", "#Max"];
    let mut table = Table::new("Latency by operation", &heads).or("No request got a correct reply.");
    let show = |ms: f64| Unit::Seconds.show(ms / 1e3);
    for point in &batch.points {
        for latency in &point.latencies {
            let quantile = |wanted: f64| {
                let found = latency.quantiles_ms.iter().find(|(which, _)| (which - wanted).abs() < 1e-9);
                Cell::maybe(found.map(|(_, estimate)| estimate.point), show)
            };
            table.push(vec![
                Cell::word(words::point(&point.point)),
                Cell::text(latency.workload.clone()),
                Cell::text(latency.op.clone()),
                Cell::number(whole(latency.count), latency.count as f64),
                Cell::maybe(latency.mean_ms, show),
                quantile(0.5),
                quantile(0.95),
                quantile(0.99),
                quantile(0.999),
                Cell::maybe(latency.max_ms, show),
            ]);
        }
    }
    table.tall = table.rows.len() > 40;
    table.without_empty_columns().capped(ROWS, "result.json")
}

fn pooled(batch: &Batch) -> Table {
    let heads = ["Point", "Figure", "#Value", "Interval", "How", "#Runs"];
    let mut table = Table::new("Pooled figures", &heads).or("Nothing was pooled.");
    for point in &batch.points {
        pooled_point(point, &mut table);
    }
    table.tall = table.rows.len() > 40;
    table.without_empty_columns().capped(ROWS, "result.json")
}

fn pooled_point(point: &PointSummary, table: &mut Table) {
    let seconds = |value: f64| Unit::Seconds.show(value);
    let ratio = |value: f64| Unit::Ratio.show(value);
    let mut push = |name: String, estimate: Option<&Estimate>, show: &dyn Fn(f64) -> String| {
        let Some(estimate) = estimate else { return };
        let (bounds, how) = match &estimate.interval {
            Some(interval) => {
                let level = Unit::Ratio.show(interval.level);
                let bounds = format!("{} to {}", show(interval.low), show(interval.high));
                (bounds, format!("{level}, {}", interval.method))
            }
            None => ("none".to_owned(), estimate.note.clone()),
        };
        table.push(vec![
            Cell::word(words::point(&point.point)),
            Cell::word(name),
            Cell::number(show(estimate.point), estimate.point),
            Cell::word(bounds),
            Cell::text(how),
            Cell::number(estimate.runs.to_string(), estimate.runs as f64),
        ]);
    };
    push("availability by time".to_owned(), point.availability_by_time.as_ref(), &ratio);
    push("availability by requests".to_owned(), point.availability_by_requests.as_ref(), &ratio);
    push("downtime a year".to_owned(), point.downtime_s_per_year.as_ref(), &seconds);
    push("mean time to detect".to_owned(), point.mttd_s.as_ref(), &seconds);
    push("mean time to repair".to_owned(), point.mttr_s.as_ref(), &seconds);
    push("mean time to failure".to_owned(), point.mttf_s.as_ref(), &seconds);
    push("mean time between failures".to_owned(), point.mtbf_s.as_ref(), &seconds);
    for latency in &point.latencies {
        for (quantile, estimate) in &latency.quantiles_ms {
            let name = format!("{} {} p{}", latency.workload, latency.op, quantile_name(*quantile));
            push(name, Some(estimate), &|ms: f64| Unit::Seconds.show(ms / 1e3));
        }
    }
}

/// `99.9` for 0.999.
fn quantile_name(quantile: f64) -> String {
    let text = format!("{:.3}", quantile * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn runs(batch: &Batch) -> Table {
    let heads = [
        "Point",
        "#Seed",
        "End",
        "#By time",
        "#By requests",
        "#p50",
        "#p99",
        "#Good",
        "#Bad",
        "#Incidents",
        "#Down",
        "Trace",
    ];
    let mut table = Table::new("Runs", &heads).or("Nothing was run.");
    table.sortable = true;
    table.tall = batch.runs.len() > 12;
    for run in &batch.runs {
        let latency = |ns: Option<u64>| Cell::maybe(ns.map(|ns| ns as f64 / 1e9), |s| Unit::Seconds.show(s));
        let ratio = |value| Cell::maybe(value, |value| Unit::Ratio.show(value));
        let down = run.reliability.as_ref().map(|total| total.down_ns as f64 / 1e9);
        let counts = &run.requests_measured;
        table.push(vec![
            Cell::word(words::point(&run.point)),
            Cell::number(run.seed.to_string(), run.seed as f64),
            Cell::word(end(run)),
            ratio(run.availability_by_time()),
            ratio(run.availability_by_requests()),
            latency(run.latency.p50_ns),
            latency(run.latency.p99_ns),
            Cell::number(whole(counts.good), counts.good as f64),
            Cell::number(whole(counts.bad()), counts.bad() as f64),
            Cell::number(run.incidents.len().to_string(), run.incidents.len() as f64),
            Cell::maybe(down, |value| Unit::Seconds.show(value)),
            Cell::code(format!("{:016x}", run.trace_hash)),
        ]);
    }
    table.without_empty_columns().capped(ROWS, "summary.csv")
}

/// How a run ended, in a few words.
pub(super) fn end(run: &RunSummary) -> String {
    match &run.end {
        End::Finished => "finished".to_owned(),
        End::Aborted { property, at_ns } => format!("aborted at {}: {property}", words::instant(*at_ns)),
        End::Limit { limit, at_ns } => format!("limit at {}: {limit}", words::instant(*at_ns)),
    }
}

fn messages(batch: &Batch) -> Table {
    let heads = ["Kind", "#Messages", "#Share", "#Bytes"];
    let mut table = Table::new("Messages by kind", &heads).or("No message was sent.");
    let mut kinds: Vec<(&str, u64, u64)> = Vec::new();
    for message in batch.runs.iter().flat_map(|run| &run.messages) {
        match kinds.iter_mut().find(|(kind, ..)| *kind == message.kind) {
            Some((_, count, bytes)) => {
                *count = count.saturating_add(message.count);
                *bytes = bytes.saturating_add(message.bytes);
            }
            None => kinds.push((&message.kind, message.count, message.bytes)),
        }
    }
    let total: u64 = kinds.iter().map(|(_, count, _)| *count).sum();
    for (kind, count, bytes) in kinds {
        let share = if total > 0 { count as f64 / total as f64 } else { 0.0 };
        table.push(vec![
            Cell::code(kind),
            Cell::number(whole(count), count as f64),
            Cell::number(Unit::Ratio.show(share), share),
            Cell::number(Unit::Bytes.show(bytes as f64), bytes as f64),
        ]);
    }
    if batch.runs.len() > 1 {
        table.note = format!("Over all {} runs.", batch.runs.len());
    }
    table.sortable = table.rows.len() > 1;
    table
}

fn metrics(batch: &Batch) -> Table {
    let heads = ["Point", "Metric", "#Samples", "#Sum", "#Mean", "#Min", "#Max", "#Last"];
    let mut table = Table::new("Metrics of the model", &heads).or("There are no samples.");
    let mut shown: Option<&[(String, String)]> = None;
    for run in &batch.runs {
        // Runs of one point come one after another.
        if shown == Some(run.point.as_slice()) {
            continue;
        }
        shown = Some(&run.point);
        for metric in &run.metrics {
            let show = |value: f64| match metric.unit.as_str() {
                "ns" => Unit::Seconds.show(value / 1e9),
                "B" => Unit::Bytes.show(value),
                _ => Unit::Count.show(value),
            };
            let sum = (metric.kind == MetricKind::Counter).then_some(metric.sum);
            let mean = (metric.kind == MetricKind::Distribution && metric.count > 0)
                .then(|| metric.sum / metric.count as f64);
            let last = metric.last.filter(|_| metric.kind == MetricKind::Gauge);
            table.push(vec![
                Cell::word(words::point(&run.point)),
                Cell::code(metric.name.clone()),
                Cell::number(whole(metric.count), metric.count as f64),
                Cell::maybe(sum, show),
                Cell::maybe(mean, show),
                Cell::maybe(metric.min, show),
                Cell::maybe(metric.max, show),
                Cell::maybe(last, show),
            ]);
        }
    }
    if batch.runs.len() > batch.points.len() {
        "Of the first seed of each point.".clone_into(&mut table.note);
    }
    table.without_empty_columns().capped(ROWS, "summary.csv")
}
