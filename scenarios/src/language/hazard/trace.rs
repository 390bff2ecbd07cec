//! `kind = "trace"`: the records of a real failure trace.

use serde_json::{Value as Json, json};

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Count, Field, Fields, Located, Walk};
use super::super::records::Minute;
use super::super::template::By;
use super::super::value::{Data, Value};
use super::targets::{resolved, targets};
use super::{HazardPart, bound, positive, template};
use crate::describe::ModelInfo;
use crate::hazard::{Components, Generator, Record, Trace};

pub(super) fn trace(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let file: Option<Located<String>> =
        fields.optional("file", "CSV file with the columns node,start,downtime_min and perhaps system,cause");
    let system: Option<Located<AnyText>> = fields.optional("system", "only the records of this system");
    let records: Option<Located<Vec<Record>>> =
        fields.optional("records", "records as node,start,downtime_min,cause, instead of a file");
    if fields.live() {
        let read = file.as_ref().map(|file| file.at).or(system.as_ref().map(|system| system.at));
        match (&records, read) {
            (None, None) => {
                let title = "the trace needs `file`: a CSV file of failures";
                fields.error(Diagnostic::new(fields.at, title, "in this table"));
            }
            (_, Some(at)) if file.as_ref().is_none_or(|file| !file.value.is_empty()) => {
                // The file was read and replaced by its records before the walk.
                let title = "`file` and `system` are read before a sweep, and exclude `records`";
                fields.error(Diagnostic::new(at, title, "write one file a scenario"));
            }
            _ => {}
        }
    }
    let targets = targets(fields, true);
    let by = targets.as_ref().map_or(By::Node, |targets| targets.by);
    let first: Count<0, 1_000_000> =
        fields.default("first", "number of the trace's node that the first target stands for", "0");
    let since: Option<Minute> =
        fields.optional("since", "start of the part of the trace; its first record without");
    let before: Option<Minute> = fields.optional("before", "end of the part of the trace");
    let causes: Option<Vec<Located<String>>> = fields.optional("causes", "only records with these causes");
    let speed: Count<1, 1_000_000_000> =
        fields.default("speed", "time of the trace that passes in the same simulated time", "1");
    let zero = positive(fields, "zero", "length given to records of downtime 0; without, they are left out");
    let fault = template(fields, by, false);
    let records = records.map(|records| records.value).unwrap_or_default();
    if let Some(causes) = &causes {
        known_causes(fields, causes, &records);
    }
    Box::new(move |names| {
        let components = resolved(targets.as_ref(), names);
        let earliest = records.iter().map(|record| record.start_min).min().unwrap_or(0);
        let place = |record: &Record| component_of(&record.node, first.0, &components);
        Generator::Trace(Trace {
            records: records.iter().map(|record| (place(record), record.clone())).collect(),
            fault: bound(fault, Some(&components), names),
            components,
            origin_min: since.map_or(earliest, |since| since.0),
            end_min: before.map_or(i64::MAX, |before| before.0),
            causes: causes.map(|causes| causes.into_iter().map(|cause| cause.value).collect()),
            speed: speed.0,
            zero,
        })
    })
}

/// The component that a node of the trace stands for: by its name, else by its number.
fn component_of(node: &str, first: u64, components: &Components) -> Option<usize> {
    if let Ok(number) = node.parse::<u64>() {
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        return (index < components.list.len()).then_some(index);
    }
    components.list.iter().position(|component| component.name == node)
}

fn known_causes(fields: &mut Fields<'_, '_, '_>, causes: &[Located<String>], records: &[Record]) {
    let mut exist: Vec<&str> = records.iter().map(|record| record.cause.as_str()).collect();
    exist.sort_unstable();
    exist.dedup();
    for cause in causes.iter().filter(|cause| !exist.contains(&cause.value.as_str())) {
        let title = format!("no record has the cause \"{}\"", cause.value);
        let wrong = Diagnostic::new(cause.at, title, "not a cause of the trace");
        fields.error(wrong.suggest(&cause.value, "causes", &exist));
    }
}

/// A string or a number, as text.
struct AnyText;

impl Field for AnyText {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (AnyText, Value) {
        if !matches!(value.data, Data::Text(_) | Data::Integer(_)) {
            walk.mismatch(value, "a system such as 18");
        }
        (AnyText, value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": ["string", "integer"] })
    }

    fn placeholder() -> AnyText {
        AnyText
    }
}
