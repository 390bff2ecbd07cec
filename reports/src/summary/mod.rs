//! The summary on a terminal: what happened, in ten seconds of reading.

mod availability;
mod lanes;
mod paint;

use crate::batch::Batch;
use crate::expectation::{ExpectationSummary, Judgement};
use crate::number::{Put, grouped, hash_text, span_text};
use crate::record::{End, Verdict};
use crate::run::RunSummary;
use crate::tables::point_text;
use paint::Paint;

/// Columns of the terminal that the summary fits into.
pub const WIDTH: usize = 100;
/// How many of a kind are listed before the rest is counted.
const LISTED: usize = 8;

/// The summary of a batch as text, at most [`WIDTH`] columns wide where the scenario's own words allow.
///
/// With `color` it carries ANSI colours; the text is the same without them.
pub fn terminal_summary(batch: &Batch, color: bool) -> String {
    let ink = Paint { color };
    let mut text = header(batch, ink);
    text.push_str(&warnings(batch, ink));
    text.push_str(&expectations(&batch.expectations, ink));
    text.push_str(&comparisons(batch, ink));
    text.push_str(&availability::section(batch, ink));
    if let Some(first) = batch.runs.first() {
        text.push_str(&availability::incidents(batch, first, ink));
        text.push_str(&objectives(first, ink));
        text.push_str(&lanes::section(first, batch.runs.len() > 1, ink));
    }
    text.put(format_args!("\n{}  {}\n", ink.bold("Repeat"), batch.info.command));
    text
}

/// The objectives of the first run: a line each, and its alerts.
fn objectives(run: &RunSummary, ink: Paint) -> String {
    let mut lines = Vec::new();
    for slo in &run.slos {
        lines.push(crate::page::slo_line(slo));
        for alert in slo.alerts.iter().take(LISTED) {
            let burnt = crate::number::significant(alert.burnt * 100.0, 3);
            let at = span_text(alert.fired_ns);
            lines.push(format!("  {:8} {} at {at}, {burnt} % burnt", alert.severity.word(), alert.rule));
        }
        if slo.alerts.len() > LISTED {
            lines.push(format!("  and {} more in result.json", slo.alerts.len() - LISTED));
        }
    }
    section("Objectives", &lines, ink)
}

fn header(batch: &Batch, ink: Paint) -> String {
    let verdict = ink.judgement(batch.verdict, batch.verdict.word());
    let trace = hash_text(batch.trace_hash);
    let (seeds, trace_of) = match batch.runs.as_slice() {
        [only] => (format!("seed {}", only.seed), ""),
        runs => (seeds_text(batch, runs), " (folded over all runs)"),
    };
    let mut text = format!("{verdict}  {}  {seeds}\n", ink.bold(&batch.info.scenario));
    if !batch.info.about.is_empty() {
        text.put(format_args!("{}\n", batch.info.about));
    }
    let events: u64 = batch.runs.iter().map(|run| run.events).sum();
    text.put(format_args!("trace {trace}{trace_of}, {} events\n", grouped(events)));
    text
}

fn seeds_text(batch: &Batch, runs: &[RunSummary]) -> String {
    let points = batch.points.len();
    let count = grouped(runs.len() as u64);
    let mut seeds: Vec<u64> = runs.iter().map(|run| run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let seeds = match (seeds.first(), seeds.last()) {
        (Some(first), Some(last)) if last - first + 1 == seeds.len() as u64 => {
            format!("seeds {first}..={last}")
        }
        _ => format!("{} seeds", seeds.len()),
    };
    if points > 1 {
        format!("{count} runs: {points} points, {seeds}")
    } else {
        format!("{count} runs: {seeds}")
    }
}

/// What no expectation need have asked for: violated properties, limits, and verdicts without substance.
fn warnings(batch: &Batch, ink: Paint) -> String {
    let mut lines = Vec::new();
    for run in &batch.runs {
        let of = run_name(batch, run);
        if let End::Limit { limit, at_ns } = &run.end {
            lines.push(ink.yellow(&format!("stopped by the limit on {limit} at {}{of}", span_text(*at_ns))));
        }
        for property in run.complaints() {
            match &property.verdict {
                Verdict::Held => {}
                Verdict::Violated { at_ns, event, message } => {
                    let at =
                        format!("{} violated at {}, event {event}{of}", property.name, span_text(*at_ns));
                    lines.push(format!("{}\n    {message}", ink.red(&at)));
                }
                Verdict::Unknown { message } => {
                    lines.push(ink.yellow(&format!("{} is unknown: {message}{of}", property.name)));
                }
            }
        }
    }
    for name in vacuous(batch) {
        lines.push(ink.yellow(&format!("{name} had nothing to judge in any run: its verdict says nothing")));
    }
    section("Look here", &lines, ink)
}

/// Properties that held in every run and were never checked.
fn vacuous(batch: &Batch) -> Vec<&str> {
    let first = batch.runs.first().map_or(&[][..], |run| &run.properties);
    let unchecked = |name: &str| {
        let mut records =
            batch.runs.iter().flat_map(|run| &run.properties).filter(|record| record.name == name);
        records.all(|record| record.checked == 0 && record.verdict == Verdict::Held)
    };
    first.iter().map(|property| property.name.as_str()).filter(|name| unchecked(name)).collect()
}

/// `, seed 7 of policy=budget`; empty when there is one run.
fn run_name(batch: &Batch, run: &RunSummary) -> String {
    match (batch.runs.len(), point_text(&run.point)) {
        (0 | 1, _) => String::new(),
        (_, point) if point.is_empty() => format!(", seed {}", run.seed),
        (_, point) => format!(", seed {} of {point}", run.seed),
    }
}

fn expectations(all: &[ExpectationSummary], ink: Paint) -> String {
    if all.is_empty() {
        return String::new();
    }
    let count = |verdict| all.iter().filter(|expectation| expectation.verdict == verdict).count();
    let counts = [
        (count(Judgement::Pass), "passed"),
        (count(Judgement::Fail), "failed"),
        (count(Judgement::Inconclusive), "inconclusive"),
    ];
    let counts: Vec<String> =
        counts.iter().filter(|count| count.0 > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let mut text = format!("\n{}  {}\n", ink.bold("Expectations"), counts.join(", "));
    let mut shown: Vec<&ExpectationSummary> = all.iter().collect();
    // What failed is read first; the order of the scenario stays within each verdict.
    shown.sort_by_key(|expectation| std::cmp::Reverse(expectation.verdict));
    for expectation in shown.iter().take(LISTED * 2) {
        text.push_str(&expectation_lines(expectation, ink));
    }
    if shown.len() > LISTED * 2 {
        text.put(format_args!("  … and {} more in result.json\n", shown.len() - LISTED * 2));
    }
    text
}

/// Comparisons of points: figures, differences, and the claims about them.
fn comparisons(batch: &Batch, ink: Paint) -> String {
    let mut text = String::new();
    for comparison in &batch.comparisons {
        let title = format!("{} against {}", comparison.axis, comparison.base);
        let pairs = comparison.pairs();
        text.put(format_args!(
            "\n{}  {}  ({pairs} paired seeds, bootstrap 95%)\n",
            ink.bold(&title),
            comparison.metric
        ));
        for line in comparison.lines() {
            text.put(format_args!("  {line}\n"));
        }
        if let Some(claim) = &comparison.claim {
            let word = ink.judgement(claim.verdict, &format!("{:<12}", claim.verdict.word()));
            text.put(format_args!("  {word}  {}  {}:{}\n", claim.text, comparison.file, comparison.line));
        }
    }
    text
}

fn expectation_lines(expectation: &ExpectationSummary, ink: Paint) -> String {
    let word = ink.judgement(expectation.verdict, &format!("{:<12}", expectation.verdict.word()));
    let point = point_text(&expectation.point);
    let point = if point.is_empty() { point } else { format!("  [{point}]") };
    let mut found = vec![expectation.observed.clone()];
    found.retain(|text| !text.is_empty());
    if !expectation.limit.is_empty() {
        found.push(format!("wanted {}", expectation.limit));
    }
    if expectation.total > 1 {
        found.push(expectation.seeds_text());
    }
    let place = format!("{}:{}", expectation.file, expectation.line);
    let found = found.join("; ");
    let mut text = format!("  {word}  {}{point}\n", expectation.text);
    let fits = 16 + found.chars().count() + 2 + place.chars().count() <= WIDTH;
    let gap = if fits { "  ".to_owned() } else { format!("\n{:16}", "") };
    text.put(format_args!("{:16}{found}{gap}{}\n", "", ink.dim(&place)));
    if expectation.total > 1 && !expectation.not_passed.is_empty() {
        let seeds: Vec<String> =
            expectation.not_passed.iter().take(LISTED).map(|seed| seed.seed.to_string()).collect();
        let more =
            if expectation.failed + expectation.inconclusive > seeds.len() as u64 { ", …" } else { "" };
        text.put(format_args!("                not passed: seeds {}{more}\n", seeds.join(", ")));
    }
    text
}

/// A titled list; empty without lines.
fn section(title: &str, lines: &[String], ink: Paint) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", ink.bold(title));
    for line in lines.iter().take(LISTED) {
        text.put(format_args!("  {line}\n"));
    }
    if lines.len() > LISTED {
        text.put(format_args!("  … and {} more\n", lines.len() - LISTED));
    }
    text
}

/// As many of the items as fit, and how many more there are; the first of them in any case.
fn fitting(items: &[String], width: usize) -> String {
    let shown = |kept: usize| match items.len() - kept {
        0 => items.join(", "),
        more => format!("{}, {more} more", items[..kept].join(", ")),
    };
    let fits = (1..=items.len()).rev().map(shown).find(|text| text.chars().count() <= width);
    fits.unwrap_or_else(|| shown(items.len().min(1)))
}

/// At most `width` characters, the last one an ellipsis when some are missing.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_between_its_items() {
        let items = ["nodes crashed 2", "time down 1 s", "messages lost 12"].map(str::to_owned);
        for (width, text) in [
            (48, "nodes crashed 2, time down 1 s, messages lost 12"),
            (47, "nodes crashed 2, time down 1 s, 1 more"),
            (37, "nodes crashed 2, 2 more"),
            (3, "nodes crashed 2, 2 more"),
        ] {
            assert_eq!(fitting(&items, width), text, "{width}");
        }
        assert_eq!(fitting(&[], 9), "");
    }
}
