//! `result.json`: the whole batch, versioned, to be read by scripts and by later commands.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::batch::{Batch, BatchInfo, PointSummary};
use crate::compare::ComparisonSummary;
use crate::expectation::{ExpectationSummary, Judgement};
use crate::number::{Put, hash_text, nine_digits};
use crate::run::RunSummary;

/// Version of the format of `result.json`.
pub const RESULT_SCHEMA: u64 = 1;

/// Why a `result.json` cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// Written by another version.
    #[error(
        "result.json has schema {found}, but this build reads schema {RESULT_SCHEMA}: run the scenario again"
    )]
    Schema {
        /// The version found.
        found: u64,
    },
    /// Not JSON, or not a result.
    #[error("result.json cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

/// `result.json`: a JSON object with `"schema": 1`; each point, expectation and run on a line of its own.
///
/// Floats have nine significant digits. Hashes are strings of 16 hexadecimal digits; times are whole
/// nanoseconds (`_ns`).
///
/// # Panics
/// Never: everything in a batch can be written as JSON.
pub fn result_json(batch: &Batch) -> String {
    let mut text = format!("{{\n\"schema\": {RESULT_SCHEMA},\n");
    let mut field = |name: &str, value: String, last: bool| {
        text.put(format_args!("\"{name}\": {value}{}\n", if last { "" } else { "," }));
    };
    field("verdict", compact(&batch.verdict), false);
    field("exit_code", batch.exit_code().to_string(), false);
    field("trace_hash", format!("\"{}\"", hash_text(batch.trace_hash)), false);
    field("info", compact(&batch.info), false);
    field("expectations", lines(&batch.expectations), false);
    field("comparisons", lines(&batch.comparisons), false);
    field("points", lines(&batch.points), false);
    field("runs", lines(&batch.runs), true);
    text.push_str("}\n");
    text
}

/// Reads what [`result_json`] wrote.
///
/// # Errors
/// Another schema, or text that is not a result.
pub fn read_result_json(text: &str) -> Result<Batch, ResultError> {
    let Version { schema } = serde_json::from_str(text)?;
    if schema != RESULT_SCHEMA {
        return Err(ResultError::Schema { found: schema });
    }
    let stored: Stored = serde_json::from_str(text)?;
    Ok(Batch {
        info: stored.info,
        runs: stored.runs,
        points: stored.points,
        expectations: stored.expectations,
        comparisons: stored.comparisons,
        verdict: stored.verdict,
        trace_hash: stored.trace_hash,
    })
}

#[derive(Deserialize)]
struct Version {
    schema: u64,
}

#[derive(Deserialize)]
struct Stored {
    verdict: Judgement,
    #[serde(with = "crate::number::hex")]
    trace_hash: u64,
    info: BatchInfo,
    expectations: Vec<ExpectationSummary>,
    #[serde(default)]
    comparisons: Vec<ComparisonSummary>,
    points: Vec<PointSummary>,
    runs: Vec<RunSummary>,
}

fn lines<T: Serialize>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(compact).collect();
    if items.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", items.join(",\n")) }
}

fn compact<T: Serialize>(item: &T) -> String {
    let mut value = serde_json::to_value(item).expect("records have text keys only");
    round(&mut value);
    value.to_string()
}

/// Rounds every float to nine significant digits: the last ones may differ between machines.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().and_then(|float| nine_digits(float).parse().ok());
            if let Some(rounded) = rounded.and_then(Number::from_f64) {
                *number = rounded;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        _ => {}
    }
}
