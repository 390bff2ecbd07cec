//! The page that explains a violation: causes, the chance of the bug over time, and a space-time diagram.

use askama::Template;

use super::theme;
use crate::number::{exact_seconds, span_text};
use crate::story::{Story, StoryChance};

const RULES: &str = include_str!("../../templates/story.css");
const SCRIPT: &str = include_str!("../../templates/story.js");

/// The explanation of one violation as one self-contained HTML document, which loads nothing.
///
/// Every event of the run is in it: the diagram has pages and filters, and the table below has all rows.
///
/// # Panics
/// Never: the template writes into a string.
pub fn explain_page(story: &Story) -> String {
    let style = theme::style() + RULES;
    let causes = story.faults.iter().filter(|fault| fault.needed).map(cause).collect();
    let others = story.faults.iter().filter(|fault| !fault.needed).map(cause).collect();
    let rows = story.events.iter().map(|event| Row {
        number: event.number,
        at: format!("{} s", exact_seconds(event.at_ns)),
        node: story.nodes.get(event.node as usize).map_or("a twin", String::as_str),
        what: &event.what,
        facts: event.facts.join("; "),
        class: if event.violates { "violates" } else { "" },
        slice: event.slice,
    });
    let page = Page {
        story,
        at: span_text(story.at_ns),
        causes,
        others,
        curve: curve(&story.curve),
        slice: story.slice(),
        rows: rows.collect(),
        data: script_json(story),
        style_hash: theme::source_hash(&style),
        script_hash: theme::source_hash(SCRIPT),
        style,
        script: SCRIPT,
    };
    page.render().expect("writing to a string does not fail")
}

#[derive(Template)]
#[template(path = "story.html")]
struct Page<'a> {
    story: &'a Story,
    at: String,
    causes: Vec<Cause>,
    others: Vec<Cause>,
    curve: Vec<Step>,
    slice: usize,
    rows: Vec<Row<'a>>,
    data: String,
    style: String,
    style_hash: String,
    script: &'static str,
    script_hash: String,
}

struct Cause {
    at: String,
    what: String,
}

struct Step {
    at: String,
    hits: u32,
    runs: u32,
    /// Length of its bar, out of 100.
    percent: u32,
}

struct Row<'a> {
    number: u64,
    at: String,
    node: &'a str,
    what: &'a str,
    facts: String,
    class: &'static str,
    slice: bool,
}

fn cause(fault: &crate::story::StoryFault) -> Cause {
    let lasts = fault.to_ns.map(|to| format!(" for {}", span_text(to.saturating_sub(fault.from_ns))));
    Cause { at: span_text(fault.from_ns), what: format!("{}{}", fault.what, lasts.unwrap_or_default()) }
}

fn curve(points: &[StoryChance]) -> Vec<Step> {
    let step = |point: &StoryChance| Step {
        at: span_text(point.at_ns),
        hits: point.hits,
        runs: point.runs,
        percent: point.hits * 100 / point.runs.max(1),
    };
    // In the middle of a flat stretch nothing happens.
    let flat = |index: usize| {
        let share = |index: usize| points.get(index).map(|point: &StoryChance| (point.hits, point.runs));
        index > 0 && share(index - 1) == share(index) && share(index) == share(index + 1)
    };
    points.iter().enumerate().filter(|(index, _)| !flat(*index)).map(|(_, point)| step(point)).collect()
}

/// The story as JSON that no script element ends early.
fn script_json(story: &Story) -> String {
    let json = serde_json::to_string(story).unwrap_or_default();
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
