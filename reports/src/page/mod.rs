//! The report page: one HTML file that needs nothing else, from the summaries of a batch.

mod blocks;
mod cards;
mod course;
mod figure;
mod latency;
mod phase;
mod slo;
mod story;
mod sweep;
mod table;
mod theme;
mod words;

pub(crate) use slo::line as slo_line;

use askama::Template;

use crate::batch::{Batch, PointSummary};
use crate::expectation::Judgement;
use crate::plot::whole;
use crate::record::{End, Verdict};
use crate::run::RunSummary;
use blocks::Block;
use cards::Card;
use figure::{Data, Figure, script_json};
pub use story::explain_page;
use table::{Look, Table};

/// Bytes that the plots of points may take, so that the page stays below two million; the files beside it
/// hold all points.
const BUDGET: usize = 1_300_000;
/// Most notes about single runs in the header; the rest is counted.
const WARNINGS: usize = 6;

/// The report of a batch as one self-contained HTML document.
///
/// It loads nothing: the content security policy allows its own style and script, by their hashes, and
/// no network. It holds no date and no host, so the same batch gives the same bytes. Everything that
/// comes from the scenario is escaped.
///
/// # Panics
/// Never for a batch of this crate: the template writes into a string.
pub fn page(batch: &Batch) -> String {
    let points = parts(batch);
    let mut sweep = phase::figures(batch);
    sweep.extend(sweep::figures(batch));
    let figures = sweep.iter().chain(points.iter().flat_map(|part| &part.figures));
    let data: Vec<&Data> = figures.filter_map(|figure| figure.data.as_ref()).collect();
    let style = theme::style();
    let points_note = if batch.points.len() > points.len() {
        let (shown, all) = (points.len(), batch.points.len());
        format!("Plots for the first {shown} of {all} points; windows.csv beside this page holds all.")
    } else {
        String::new()
    };
    let page = Page {
        head: head(batch),
        expectations: blocks::expectations(batch),
        data: script_json(&data),
        sweep,
        single: batch.points.len() == 1,
        points,
        points_note,
        blocks: blocks::blocks(batch),
        scenario: &batch.info.resolved,
        style_hash: theme::source_hash(&style),
        script_hash: theme::source_hash(theme::SCRIPT),
        style,
        script: theme::SCRIPT,
    };
    page.render().expect("writing to a string does not fail")
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    head: Header,
    expectations: Table,
    points: Vec<Part>,
    points_note: String,
    sweep: Vec<Figure>,
    single: bool,
    blocks: Vec<Block>,
    scenario: &'a str,
    data: String,
    style: String,
    style_hash: String,
    script: &'static str,
    script_hash: String,
}

/// What stands above everything.
struct Header {
    name: String,
    about: String,
    verdict: &'static str,
    badge: String,
    class: &'static str,
    facts: Vec<Fact>,
    command: String,
    warnings: Vec<String>,
}

struct Fact {
    name: &'static str,
    value: String,
    code: bool,
}

/// One point: its key figures and its plots.
struct Part {
    name: String,
    cards: Vec<Card>,
    note: String,
    figures: Vec<Figure>,
}

fn head(batch: &Batch) -> Header {
    let failed = batch.expectations.iter().filter(|one| one.verdict == Judgement::Fail).count();
    let passed = batch.expectations.iter().filter(|one| one.verdict == Judgement::Pass).count();
    let all = batch.expectations.len();
    let word = batch.verdict.word();
    let badge = match batch.verdict {
        Judgement::Fail if failed > 0 => format!("{word} {failed} of {all}"),
        Judgement::Pass if all > 0 => format!("{word} {passed} of {all}"),
        _ => word.to_owned(),
    };
    Header {
        name: batch.info.scenario.clone(),
        about: batch.info.about.clone(),
        verdict: word,
        badge,
        class: blocks::verdict(batch.verdict).0,
        facts: facts(batch),
        command: batch.info.command.clone(),
        warnings: warnings(batch),
    }
}

fn facts(batch: &Batch) -> Vec<Fact> {
    let mut seeds: Vec<u64> = batch.runs.iter().map(|run| run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let plain = |name, value| Fact { name, value, code: false };
    let mut facts = vec![plain(if seeds.len() == 1 { "seed" } else { "seeds" }, words::some_of(&seeds, 8))];
    if batch.runs.len() > 1 {
        let points = batch.points.len();
        let value = match points {
            1 => batch.runs.len().to_string(),
            _ => format!("{} at {points} points", batch.runs.len()),
        };
        facts.push(plain("runs", value));
    }
    if let Some(run) = batch.runs.first() {
        facts.push(plain("simulated", words::span(run.duration_ns)));
        if run.warmup_ns > 0 {
            facts.push(plain("warm-up", words::span(run.warmup_ns)));
        }
    }
    facts.push(plain("events", whole(batch.runs.iter().map(|run| run.events).sum())));
    facts.push(plain("messages", whole(batch.runs.iter().map(RunSummary::message_count).sum())));
    facts.push(Fact { name: "trace", value: format!("{:016x}", batch.trace_hash), code: true });
    if !batch.info.run_id.is_empty() {
        facts.push(Fact { name: "run", value: batch.info.run_id.clone(), code: true });
    }
    if !batch.info.engine.is_empty() {
        facts.push(plain("engine", batch.info.engine.clone()));
    }
    facts
}

/// What a reader must know before the figures: runs that ended early, violations, faults that hit nothing.
fn warnings(batch: &Batch) -> Vec<String> {
    let mut warnings = Vec::new();
    for run in &batch.runs {
        if run.end != End::Finished {
            warnings.push(format!("seed {} did not finish: {}", run.seed, blocks::end(run)));
        }
        for property in run.violations() {
            if let Verdict::Violated { at_ns, message, .. } = &property.verdict {
                let at = words::instant(*at_ns);
                warnings.push(format!("seed {}: {} violated at {at}: {message}", run.seed, property.name));
            }
        }
    }
    for run in batch.runs.iter().take(1) {
        let idle = run.faults.iter().filter(|fault| fault.fault.hits.values().all(|count| *count == 0));
        for fault in idle {
            warnings.push(format!("fault {} hit nothing in seed {}", fault.fault.name, run.seed));
        }
    }
    if warnings.len() > WARNINGS {
        let rest = warnings.len() - WARNINGS;
        warnings.truncate(WARNINGS);
        warnings.push(format!("and {rest} more of this kind: see the tables below"));
    }
    warnings
}

/// The points in order until their plots fill the budget; the first in any case.
fn parts(batch: &Batch) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut used = 0;
    for (index, point) in batch.points.iter().enumerate() {
        let part = part(batch, point, index);
        used += part.figures.iter().map(Figure::bytes).sum::<usize>();
        if used > BUDGET && index > 0 {
            break;
        }
        parts.push(part);
    }
    parts
}

fn part(batch: &Batch, point: &PointSummary, index: usize) -> Part {
    let runs: Vec<&RunSummary> = batch.runs.iter().filter(|run| run.point == point.point).collect();
    let prefix = format!("p{index}");
    let mut figures = Vec::new();
    let mut note = String::new();
    match runs.iter().find_map(|run| run.detail.as_ref().map(|detail| (*run, detail))) {
        Some((run, detail)) => {
            let which = match runs.len() {
                1 => format!("seed {}", run.seed),
                count => format!("seed {}, the first of {count}", run.seed),
            };
            figures = course::figures(run, detail, &prefix, &which);
        }
        None => {
            "The course of these runs was not kept, so there are no plots over time.".clone_into(&mut note);
        }
    }
    figures.extend(latency::figure(&runs, &prefix));
    Part { name: words::point(&point.point), cards: cards::cards(batch, point), note, figures }
}
