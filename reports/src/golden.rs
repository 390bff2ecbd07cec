//! Golden files: a trace hash with its prefixes, and figures that show a reviewer what changed with it.

use serde::Deserialize;

use crate::batch::Batch;
use crate::number::{Put, hash_text, nine_digits};
use crate::run::RunSummary;
use crate::tables::point_text;

/// What differs between a golden file and a new result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoldenReview {
    /// Events of the first run up to which both traces are the same, and the first at which they are known
    /// to differ; `None` when no prefix differs.
    pub diverges: Option<(u64, u64)>,
    /// Lines that changed, as `key: before -> now`; a missing side is `none`.
    pub changed: Vec<String>,
}

impl GoldenReview {
    /// Whether everything is the same.
    pub fn same(&self) -> bool {
        self.diverges.is_none() && self.changed.is_empty()
    }

    /// What changed, one statement a line, for a person.
    pub fn lines(&self) -> Vec<String> {
        let events = self.diverges.map(|(same, differ)| match same {
            0 => format!("the first different event is among the first {differ}"),
            same => format!("the first different event is number {} to {differ}", same + 1),
        });
        events.into_iter().chain(self.changed.iter().cloned()).collect()
    }
}

/// The golden file of a batch, as TOML.
///
/// A batch of one run has its figures; a larger one has a line for each figure of each point.
pub fn golden(batch: &Batch) -> String {
    let mut text = "# Changed by this command only: murphy test FILE --accept\n".to_owned();
    let mut line = |key: &str, value: String| text.put(format_args!("{key} = {value}\n"));
    line("scenario", format!("{:?}", batch.info.scenario));
    if let [run] = batch.runs.as_slice() {
        line("seed", run.seed.to_string());
    } else {
        line("runs", batch.runs.len().to_string());
    }
    line("trace_hash", format!("{:?}", hash_text(batch.trace_hash)));
    line("exit_code", batch.exit_code().to_string());
    match batch.runs.as_slice() {
        [run] => figures(run, &mut line),
        _ => points(batch, &mut line),
    }
    let prefixes = batch.runs.first().and_then(|run| run.detail.as_ref()).map(|detail| &detail.prefixes);
    let prefixes = prefixes.into_iter().flatten().map(|(events, hash)| format!("\"{events}:{hash:08x}\""));
    line("prefixes", format!("[{}]", prefixes.collect::<Vec<_>>().join(", ")));
    text
}

fn figures(run: &RunSummary, line: &mut impl FnMut(&str, String)) {
    let scaled = |nanos: Option<u64>, unit: f64| {
        nanos.map_or_else(|| "\"none\"".to_owned(), |nanos| nine_digits(nanos as f64 / unit))
    };
    line("events", run.events.to_string());
    for sent in &run.messages {
        line(&format!("messages.{}", sent.kind), sent.count.to_string());
    }
    line("requests", run.requests.offered().to_string());
    line("requests_good", run.requests.good.to_string());
    line("probes", run.probes.to_string());
    line("probes_good", run.probes_good.to_string());
    line("steady_s", scaled(Some(run.steady_ns), 1e9));
    line("steady_down_s", scaled(run.steady_down_ns, 1e9));
    line("incidents", run.incidents.len().to_string());
    line("latency_ms_p50", scaled(run.latency.p50_ns, 1e6));
    line("latency_ms_p99", scaled(run.latency.p99_ns, 1e6));
    for fault in &run.faults {
        for (hit, count) in &fault.fault.hits {
            line(&format!("fault.{:?}.{hit}", fault.fault.name), count.to_string());
        }
    }
    for property in &run.properties {
        line(&format!("checked.{:?}", property.name), property.checked.to_string());
    }
}

fn points(batch: &Batch, line: &mut impl FnMut(&str, String)) {
    for point in &batch.points {
        let name = point_text(&point.point);
        let mut figure = |key: &str, value: String| line(&format!("point.{name:?}.{key}"), value);
        let requests = &point.requests;
        figure("runs", point.runs.to_string());
        figure("requests", requests.offered().to_string());
        figure("requests_good", requests.good.to_string());
        if let Some(reliability) = &point.reliability {
            figure("down_s", nine_digits(reliability.down_ns as f64 / 1e9));
        }
    }
}

/// Compares a golden file with what a batch gives now.
pub fn review_golden(expected: &str, found: &str) -> GoldenReview {
    let (old, new) = (lines(expected), lines(found));
    let mut changed = Vec::new();
    for (key, value) in &old {
        let now = new.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
        if now != Some(*value) && *key != "prefixes" {
            changed.push(format!("{key}: {value} -> {}", now.unwrap_or("none")));
        }
    }
    for (key, value) in &new {
        if !old.iter().any(|(name, _)| name == key) && *key != "prefixes" {
            changed.push(format!("{key}: none -> {value}"));
        }
    }
    GoldenReview { diverges: diverges(expected, found), changed }
}

/// Lines `key = value`, without comments.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

#[derive(Default, Deserialize)]
struct Prefixes(Vec<String>);

/// The last prefix that both have, and the first that differs.
fn diverges(expected: &str, found: &str) -> Option<(u64, u64)> {
    let prefixes = |text: &str| -> Vec<(u64, String)> {
        let value = lines(text).into_iter().find(|(key, _)| *key == "prefixes").map_or("[]", |line| line.1);
        // An array of plain strings is written the same in TOML and in JSON.
        let Prefixes(list) = serde_json::from_str(value).unwrap_or_default();
        let pair = |item: &String| {
            let (events, hash) = item.split_once(':')?;
            Some((events.parse().ok()?, hash.to_owned()))
        };
        list.iter().filter_map(pair).collect()
    };
    let (old, new) = (prefixes(expected), prefixes(found));
    let mut same = 0;
    for (events, hash) in &old {
        match new.iter().find(|(other, _)| other == events) {
            Some((_, other)) if other == hash => same = *events,
            Some(_) => return Some((same, *events)),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> String {
        format!("# Changed by a command\nscenario = \"s\"\n{body}")
    }

    #[test]
    fn the_same_text_is_the_same() {
        let golden = text("events = 5\nprefixes = [\"1024:0000000a\"]\n");
        assert!(review_golden(&golden, &golden).same());
    }

    #[test]
    fn what_changed_is_named_and_where_the_trace_left() {
        let old = text("events = 5\ngone = 1\nprefixes = [\"1024:a\", \"2048:b\", \"4096:c\"]\n");
        let new = text("events = 6\nfresh = 2\nprefixes = [\"1024:a\", \"2048:x\", \"4096:y\"]\n");
        let review = review_golden(&old, &new);
        assert_eq!(review.diverges, Some((1024, 2048)));
        assert_eq!(review.changed, ["events: 5 -> 6", "gone: 1 -> none", "fresh: none -> 2"]);
        assert_eq!(review.lines()[0], "the first different event is number 1025 to 2048");
    }

    #[test]
    fn a_golden_file_that_is_no_golden_file_differs() {
        let new = text("events = 6\n");
        assert_eq!(review_golden("", &new).changed.len(), 2);
        assert!(!review_golden("prefixes = [1, {}", &new).same());
    }
}
