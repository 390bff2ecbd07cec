//! Objectives, error budgets and alerts on the page.

use super::blocks::{ROWS, which};
use super::table::{Cell, Table};
use super::words;
use crate::batch::Batch;
use crate::number::significant;
use crate::slo::{Severity, SloSummary};

fn share(value: f64) -> String {
    format!("{} %", significant(value * 100.0, 5))
}

/// One row a run and objective.
pub(super) fn objectives(batch: &Batch) -> Table {
    let heads = [
        "#Seed",
        "Point",
        "Result",
        "Objective",
        "#Target",
        "#Attained",
        "#Budget burnt",
        "#Pages",
        "#False",
        "#Missed",
        "#Kept back",
        "#Slowest page",
        "Detection",
        "Mitigation",
    ];
    let mut table = Table::new("Objectives", &heads);
    for run in &batch.runs {
        for slo in &run.slos {
            let [seed, point] = which(batch, run);
            let (class, word) = match slo.is_met() {
                Some(true) => ("pass", "met"),
                Some(false) => ("fail", "missed"),
                None => ("open", "nothing counted"),
            };
            let count = |count: u64| Cell::number(count.to_string(), count as f64);
            table.push(vec![
                seed,
                point,
                Cell::badge(word, class),
                Cell::word(slo.spec.name.clone()),
                Cell::number(share(slo.spec.target), slo.spec.target),
                Cell::maybe(slo.attained, share),
                Cell::number(share(slo.burnt), slo.burnt),
                count(slo.pages),
                count(slo.false_pages),
                count(slo.missed),
                count(slo.suppressed),
                Cell::maybe(slo.slowest_page_ns.map(|ns| ns as f64), |ns| words::span(whole(ns))),
                Cell::word(limit(slo.detection)),
                Cell::word(limit(slo.recovery)),
            ]);
        }
    }
    table.without_empty_columns().capped(ROWS, "result.json")
}

/// One row an alert.
pub(super) fn alerts(batch: &Batch) -> Table {
    let heads =
        ["#Seed", "Point", "Objective", "Told", "Rule", "#Fired", "#Resolved after", "#Budget gone by then"];
    let mut table = Table::new("Alerts", &heads).or("Nobody was told anything.");
    for run in &batch.runs {
        for (slo, alert) in run.slos.iter().flat_map(|slo| slo.alerts.iter().map(move |alert| (slo, alert))) {
            let [seed, point] = which(batch, run);
            let class = if alert.severity == Severity::Page { "fail" } else { "open" };
            let lasted = alert.resolved_ns.map(|at| (at - alert.fired_ns) as f64);
            table.push(vec![
                seed,
                point,
                Cell::word(slo.spec.name.clone()),
                Cell::badge(alert.severity.word(), class),
                Cell::word(alert.rule.clone()),
                Cell::number(words::instant(alert.fired_ns), alert.fired_ns as f64),
                Cell::maybe(lasted, |ns| words::span(whole(ns))),
                Cell::number(share(alert.burnt), alert.burnt),
            ]);
        }
    }
    table.without_empty_columns().capped(ROWS, "result.json")
}

fn limit(found: Option<(Option<u64>, bool)>) -> String {
    match found {
        None => String::new(),
        Some((longest, met)) => {
            let longest = longest.map_or_else(|| "never".to_owned(), words::span);
            format!("{longest}, {}", if met { "within the limit" } else { "beyond the limit" })
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "was whole before")]
fn whole(ns: f64) -> u64 {
    ns as u64
}

/// One line an objective, for the terminal.
pub(crate) fn line(slo: &SloSummary) -> String {
    let word = match slo.is_met() {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "nothing counted",
    };
    let attained = slo.attained.map_or_else(|| "-".to_owned(), share);
    format!(
        "{}: {word}, {attained} of {}; {} of the budget burnt; {} pages ({} false, {} missed, {} kept back)",
        slo.spec.name,
        share(slo.spec.target),
        share(slo.burnt),
        slo.pages,
        slo.false_pages,
        slo.missed,
        slo.suppressed
    )
}
