//! A story in the formats of viewers: Perfetto and `ShiViz`, and as CSV.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::story::Story;

/// Trace-event JSON, which Perfetto and `chrome://tracing` open: a track a node, arrows for messages, and a
/// track of faults.
///
/// Source: "Trace Event Format", the JSON array format with complete, instant, flow and metadata events.
/// Times are microseconds.
pub fn perfetto(story: &Story) -> String {
    let us = |ns: u64| ns as f64 / 1000.0;
    let mut events: Vec<Value> = Vec::new();
    let name = |events: &mut Vec<Value>, kind: &str, pid: u32, tid: u32, name: &str| {
        events.push(json!({ "ph": "M", "name": kind, "pid": pid, "tid": tid, "args": { "name": name } }));
    };
    name(&mut events, "process_name", 1, 0, "nodes");
    name(&mut events, "process_name", 2, 0, "faults");
    for (tid, node) in (0..).zip(&story.nodes) {
        name(&mut events, "thread_name", 1, tid, node);
    }
    for event in &story.events {
        events.push(json!({
            "ph": "X", "pid": 1, "tid": event.node, "ts": us(event.at_ns), "dur": 1.0, "name": event.what,
            "cat": event.kind,
            "args": { "number": event.number, "facts": event.facts, "slice": event.slice },
        }));
        if event.violates {
            events.push(json!({
                "ph": "i", "s": "g", "pid": 1, "tid": event.node, "ts": us(event.at_ns), "name": story.message,
            }));
        }
    }
    for (id, message) in story.messages.iter().enumerate() {
        let (Some(sent), Some(received)) = (message.sent, message.received) else { continue };
        let (sent, received) = (&story.events[sent], &story.events[received]);
        let flow = |ph: &str, tid: u32, at: u64| json!({ "ph": ph, "bp": "e", "id": id, "pid": 1, "tid": tid, "ts": us(at), "name": message.what, "cat": "message" });
        events.push(flow("s", sent.node, sent.at_ns));
        events.push(flow("f", received.node, received.at_ns));
    }
    let end = story.events.last().map_or(0, |event| event.at_ns);
    for (tid, fault) in (0_u32..).zip(&story.faults) {
        let to = fault.to_ns.unwrap_or(end).max(fault.from_ns);
        name(&mut events, "thread_name", 2, tid, &fault.what);
        events.push(json!({
            "ph": "X", "pid": 2, "tid": tid, "ts": us(fault.from_ns), "dur": us(to - fault.from_ns),
            "name": fault.what, "cat": "fault", "args": { "needed": fault.needed },
        }));
    }
    json!({ "traceEvents": events, "displayTimeUnit": "ms" }).to_string() + "\n"
}

/// The regular expression that `ShiViz` parses [`shiviz`]'s lines with.
pub const SHIVIZ_REGEX: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// A log for `ShiViz`: two lines an event, with its vector clock. The first line is its parser expression.
pub fn shiviz(story: &Story) -> String {
    let mut out = format!("{SHIVIZ_REGEX}\n\n");
    for (event, clock) in story.events.iter().zip(story.vector_clocks()) {
        let Some(host) = story.nodes.get(event.node as usize) else { continue };
        let entries = story.nodes.iter().zip(&clock).filter(|(_, count)| **count > 0);
        let clock: Vec<String> = entries.map(|(name, count)| format!("\"{name}\":{count}")).collect();
        let facts =
            if event.facts.is_empty() { String::new() } else { format!(": {}", event.facts.join("; ")) };
        let what = format!("{} {}{facts}", seconds(event.at_ns), event.what).replace('\n', " ");
        _ = writeln!(out, "{host} {{{}}}\n{what}", clock.join(","));
    }
    out
}

/// Every event as a row.
///
/// # Panics
/// Never: the rows go into memory.
pub fn events_csv(story: &Story) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = (|| -> Result<(), csv::Error> {
        writer.write_record(["number", "at_s", "node", "kind", "what", "facts"])?;
        for event in &story.events {
            let node = story.nodes.get(event.node as usize).map_or("", String::as_str);
            writer.write_record([
                &event.number.to_string(),
                &crate::exact_seconds(event.at_ns),
                node,
                &event.kind,
                &event.what,
                &event.facts.join("; "),
            ])?;
        }
        Ok(())
    })();
    written.expect("writing to memory does not fail");
    let bytes = writer.into_inner().expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("CSV of strings is UTF-8")
}

fn seconds(ns: u64) -> String {
    format!("{}s", crate::exact_seconds(ns))
}
