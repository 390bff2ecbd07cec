//! `[[hazard]] kind = "trace"`: the records of a failure trace, read in so that the frozen scenario
//! needs no file, with columns `node,start,downtime_min` and, if there, `system` and `cause`.

use std::io;
use std::path::Path;

use jiff::civil::DateTime;
use serde_json::{Value as Json, json};

use super::diagnostic::{At, Diagnostic, Sources};
use super::fields::{Field, Walk};
use super::value::{Data, Entry, Value};
use crate::describe::ModelInfo;
use crate::hazard::Record;

/// Replaces `file` and `system` of every trace by its records.
pub(crate) fn inline(
    root: &mut Value,
    read: &dyn Fn(&Path) -> io::Result<String>,
    sources: &mut Sources,
    found: &mut Vec<Diagnostic>,
) {
    let Data::Table(entries) = &mut root.data else { return };
    let Some(hazards) = entries.iter_mut().find(|entry| entry.key == "hazard") else { return };
    let Data::Array(hazards) = &mut hazards.value.data else { return };
    for hazard in hazards {
        if hazard.get("kind").and_then(Value::as_text) != Some("trace") {
            continue;
        }
        let Some(file) = hazard.get("file").cloned() else { continue };
        // A value of another type is reported by the walk.
        let Some(name) = file.as_text() else { continue };
        let records = match read(Path::new(name)) {
            Ok(text) => {
                let source = sources.push(name, &text);
                rows(&text, source, hazard.get("system"), found)
            }
            Err(error) => {
                let title = format!("cannot read {name}: {error}");
                found.push(Diagnostic::new(file.at, title, "a path beside the scenario file"));
                Vec::new()
            }
        };
        let Data::Table(keys) = &mut hazard.data else { continue };
        keys.retain(|key| key.key != "file" && key.key != "system");
        let value = Value::new(file.at, Data::Array(records));
        keys.push(Entry { key: "records".to_owned(), key_at: file.at, value });
    }
}

/// Rows of one system as `node,start,downtime_min,cause`; each stands at its line of the table.
fn rows(text: &str, source: u32, system: Option<&Value>, found: &mut Vec<Diagnostic>) -> Vec<Value> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let column = |name: &str| header.iter().position(|column| column == name);
    let needed = ["node", "start", "downtime_min"];
    let missing: Vec<&str> = needed.into_iter().filter(|name| column(name).is_none()).collect();
    let (Some(node), Some(start), Some(downtime)) = (column(needed[0]), column(needed[1]), column(needed[2]))
    else {
        let first = text.lines().next().unwrap_or_default().len();
        let title = format!(
            "a failure trace needs the columns node,start,downtime_min; {} is missing",
            missing.join(", ")
        );
        found.push(Diagnostic::new(At::new(source, 0..first), title, "the columns it has"));
        return Vec::new();
    };
    let (of, cause) = (column("system"), column("cause"));
    let wanted = system.map(|system| system.as_text().map_or_else(|| system.inline(), str::to_owned));
    let (mut rows, mut systems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let byte = error.position().map_or(0, csv::Position::byte);
                let byte = usize::try_from(byte).unwrap_or(0);
                let at = At::new(source, byte..byte + 1);
                found.push(Diagnostic::new(at, format!("not CSV: {error}"), "here"));
                return rows;
            }
        };
        let cell = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        if wanted.as_ref().is_some_and(|wanted| cell(of) != wanted) {
            if !systems.iter().any(|known| known == cell(of)) {
                systems.push(cell(of).to_owned());
            }
            continue;
        }
        let begin = usize::try_from(record.position().map_or(0, csv::Position::byte)).unwrap_or(0);
        let begin = begin.min(text.len());
        let line = text.as_bytes()[begin..].split(|byte| *byte == b'\n').next().unwrap_or_default().len();
        let cells = [Some(node), Some(start), Some(downtime), cause].map(cell);
        rows.push(Value::new(At::new(source, begin..begin + line), Data::Text(cells.join(","))));
    }
    if let (Some(system), Some(wanted), true) = (system, wanted, rows.is_empty()) {
        let title = format!("the trace has no system {wanted}");
        found.push(
            Diagnostic::new(system.at, title, "no record has it").suggest(&wanted, "systems", &systems),
        );
    }
    rows
}

/// Minutes since the start of 1970 of a local date and time such as `2002-05-06T08:45`.
fn minutes(text: &str) -> Option<i64> {
    let time: DateTime = text.parse().ok()?;
    Some(time.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_mins())
}

/// An instant of a trace, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Minute(pub(crate) i64);

impl Field for Minute {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Minute, Value) {
        let text = match &value.data {
            Data::Text(text) | Data::Date(text) => text.as_str(),
            _ => "",
        };
        let Some(minute) = minutes(text) else {
            let title = format!("expected a date such as \"2002-05-06T08:45\", found {}", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "not a date"));
            return (Minute(0), value.clone());
        };
        (Minute(minute), Value::text(text))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "examples": ["2002-05-06T08:45"] })
    }

    fn placeholder() -> Minute {
        Minute(0)
    }
}

/// `node,start,downtime_min,cause`.
impl Field for Record {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Record, Value) {
        let mut parts = value.as_text().unwrap_or_default().splitn(4, ',').map(str::trim);
        let mut part = || parts.next().unwrap_or_default();
        let (node, start, downtime, cause) = (part(), part(), part(), part());
        let (start_min, downtime_min) = (minutes(start), downtime.parse::<u64>().ok());
        let wrong = match (node, start_min, downtime_min) {
            ("", _, _) => Some("names no node".to_owned()),
            (_, None, _) => Some(format!("\"{start}\" is not a date such as 2002-05-06T08:45")),
            (_, _, None) => Some(format!("\"{downtime}\" is not a whole number of minutes")),
            _ => None,
        };
        if let Some(wrong) = wrong {
            let title = format!(
                "a record of a failure trace {}",
                if node.is_empty() { wrong } else { format!("is wrong: {wrong}") }
            );
            walk.found.push(Diagnostic::new(value.at, title, "this record"));
        }
        let record = Record {
            node: node.to_owned(),
            start_min: start_min.unwrap_or(0),
            downtime_min: downtime_min.unwrap_or(0),
            cause: cause.to_owned(),
        };
        (record, value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "examples": ["0,2002-05-06T08:45,60,hardware"] })
    }

    fn placeholder() -> Record {
        Record { node: String::new(), start_min: 0, downtime_min: 0, cause: String::new() }
    }
}
