//! What a single key may hold: names, numbers, quantities with units, patterns.

use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::diagnostic::Diagnostic;
use super::fields::{Field, Located, Walk};
use super::quantity::{self, Wrong};
use super::value::{Data, Value};
use crate::describe::{Dimension, ModelInfo};

/// A name that expectations and paths can spell: letters, digits, `-` and `_`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) String);

impl Field for Name {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Name, Value) {
        let (text, canonical) = String::read(value, walk);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let good = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.chars().all(plain)
            && text.len() <= 64
            && !text.ends_with('-');
        if value.as_text().is_some() && !good {
            let title = format!("{} is not a name", value.found());
            let wrong = Diagnostic::new(value.at, title, "not a name").help(
                "a name has 1 to 64 letters, digits, `-` and `_`, and neither starts nor ends with `-`",
            );
            walk.found.push(wrong);
        }
        (Name(text), canonical)
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$", "maxLength": 64 })
    }

    fn placeholder() -> Name {
        Name::default()
    }
}

/// A fault's name: a [`Name`], or several with dots between, as generators write them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultName(pub(crate) String);

/// A hazard, a link's two sites, and an ordinal.
const MAX_FAULT_NAME: usize = 256;

impl Field for FaultName {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (FaultName, Value) {
        let text = value.as_text().unwrap_or_default();
        if !text.contains('.') || text.len() > MAX_FAULT_NAME {
            let (name, canonical) = Name::read(value, walk);
            return (FaultName(name.0), canonical);
        }
        let part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        if !text.split('.').all(part) {
            let title = format!("{} is not the name of a fault", value.found());
            let help = "its parts, between dots, have letters, digits, `-` and `_`";
            walk.found.push(Diagnostic::new(value.at, title, "not a name").help(help));
        }
        (FaultName(text.to_owned()), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$", "maxLength": MAX_FAULT_NAME })
    }

    fn placeholder() -> FaultName {
        FaultName::default()
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<const MIN: u64, const MAX: u64>(pub(crate) u64);

impl<const MIN: u64, const MAX: u64> Field for Count<MIN, MAX> {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Self, Value) {
        (Count(read_count(value, MIN, MAX, walk)), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }

    fn placeholder() -> Self {
        Count(MIN)
    }
}

pub(crate) fn read_count(value: &Value, min: u64, max: u64, walk: &mut Walk<'_>) -> u64 {
    let Data::Integer(number) = value.data else {
        walk.mismatch(value, "a whole number");
        return min;
    };
    match u64::try_from(number) {
        Ok(count) if (min..=max).contains(&count) => count,
        _ => {
            let title = format!("{number} is out of range");
            walk.found.push(Diagnostic::new(value.at, title, format!("must be from {min} to {max}")));
            min
        }
    }
}

pub(crate) fn read_number(value: &Value, min: f64, max: f64, walk: &mut Walk<'_>) -> f64 {
    let number = match value.data {
        Data::Float(number) => number,
        Data::Integer(number) => number as f64,
        _ => {
            walk.mismatch(value, "a number");
            return min;
        }
    };
    if (min..=max).contains(&number) {
        return number;
    }
    let title = format!("{} is out of range", value.found());
    walk.found.push(Diagnostic::new(value.at, title, range_label(min, max)));
    min
}

fn range_label(min: f64, max: f64) -> String {
    if max >= f64::MAX { format!("must be at least {min}") } else { format!("must be from {min} to {max}") }
}

/// A plain number; the bounds are whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<const MIN: i64, const MAX: i64>(pub(crate) f64);

impl<const MIN: i64, const MAX: i64> Field for Number<MIN, MAX> {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Self, Value) {
        let number = read_number(value, MIN as f64, MAX as f64, walk);
        (Number(number), Value::number(number))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "number", "minimum": MIN, "maximum": MAX })
    }

    fn placeholder() -> Self {
        Number(MIN as f64)
    }
}

/// A number above zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positive(pub(crate) f64);

impl Field for Positive {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Self, Value) {
        let number = read_number(value, 0.0, 1e9, walk);
        if number <= 0.0 && walk.found.last().is_none_or(|found| found.at != value.at) {
            let title = format!("{} is out of range", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "must be greater than 0"));
        }
        (Positive(number), Value::number(number))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000_000 })
    }

    fn placeholder() -> Self {
        Positive(1.0)
    }
}

/// Reads a quantity with a unit from a string; a bare number is shown with its unit.
fn read_quantity<T>(
    value: &Value,
    dimension: Dimension,
    parse: fn(&str) -> Result<T, Wrong>,
    walk: &mut Walk<'_>,
) -> Option<T> {
    let wrong = match &value.data {
        Data::Text(text) => match parse(text) {
            Ok(quantity) => return Some(quantity),
            Err(wrong) => wrong,
        },
        Data::Integer(_) | Data::Float(_) => {
            Wrong { label: "no unit".to_owned(), help: Some(quantity::with_unit(&value.inline(), dimension)) }
        }
        _ => Wrong { label: format!("this is {}", value.kind()), help: None },
    };
    let title = format!("expected {}, found {}", quantity::expected(dimension), value.found());
    let mut found = Diagnostic::new(value.at, title, wrong.label);
    found.help.extend(wrong.help);
    walk.found.push(found);
    None
}

impl Field for Span {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Span, Value) {
        let span = read_quantity(value, Dimension::Time, quantity::duration, walk).unwrap_or_default();
        (span, Value::text(quantity::duration_text(span.0)))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|min|h|d)$", "examples": ["500ms"] })
    }

    fn placeholder() -> Span {
        Span::ZERO
    }
}

/// A duration that may be negative, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed(pub(crate) i64);

impl Field for Signed {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Signed, Value) {
        let nanos =
            read_quantity(value, Dimension::Time, quantity::signed_duration, walk).unwrap_or_default();
        (Signed(nanos), Value::text(quantity::signed_text(nanos)))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|min|h|d)$", "examples": ["-5ms"] })
    }

    fn placeholder() -> Signed {
        Signed(0)
    }
}

/// Something per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) f64);

impl Field for Rate {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Rate, Value) {
        let rate = read_quantity(value, Dimension::Rate, quantity::rate, walk).unwrap_or(1.0);
        (Rate(rate), Value::text(format!("{rate}/s")))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?/(s|min|h)$", "examples": ["200/s"] })
    }

    fn placeholder() -> Rate {
        Rate(1.0)
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(pub(crate) u64);

impl Field for Bytes {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Bytes, Value) {
        let bytes = read_quantity(value, Dimension::Bytes, quantity::bytes, walk).unwrap_or_default();
        (Bytes(bytes), Value::text(format!("{bytes}B")))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(B|[kMG]B|[KMG]iB)$", "examples": ["4kB"] })
    }

    fn placeholder() -> Bytes {
        Bytes(0)
    }
}

/// Bytes per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bandwidth(pub(crate) f64);

impl Field for Bandwidth {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Bandwidth, Value) {
        let rate = read_quantity(value, Dimension::Bandwidth, quantity::bandwidth, walk).unwrap_or(1.0);
        (Bandwidth(rate), Value::text(format!("{rate}B/s")))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(B|[kMG]B|[KMG]iB)/s$", "examples": ["10MB/s"] })
    }

    fn placeholder() -> Bandwidth {
        Bandwidth(1.0)
    }
}

/// A probability: `0.001` or `"0.1%"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probability(pub(crate) f64);

impl Field for Probability {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Probability, Value) {
        let number = match &value.data {
            Data::Text(text) => match quantity::share(text) {
                Ok(number) => number,
                Err(wrong) => {
                    let title =
                        format!("expected a probability such as 0.001 or \"0.1%\", found {}", value.found());
                    let mut found = Diagnostic::new(value.at, title, wrong.label);
                    found.help.extend(wrong.help);
                    walk.found.push(found);
                    0.0
                }
            },
            _ => read_number(value, 0.0, 1.0, walk),
        };
        if !(0.0..=1.0).contains(&number) {
            let title = format!("{} is not a probability", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "must be from 0 to 1, or 0% to 100%"));
        }
        (Probability(number), Value::number(number))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?%?$" },
        ] })
    }

    fn placeholder() -> Probability {
        Probability(0.0)
    }
}

/// One pattern or a list of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns(pub(crate) Vec<Located<String>>);

impl Field for Patterns {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Patterns, Value) {
        if let Data::Array(items) = &value.data {
            if items.is_empty() {
                walk.found.push(Diagnostic::new(value.at, "the list is empty", "names nothing"));
            }
            let (read, canonical) = Vec::read(value, walk);
            return (Patterns(read), canonical);
        }
        if value.as_text().is_none() {
            walk.mismatch(value, "a pattern such as \"client*\", or a list of patterns");
            return (Patterns::default(), value.clone());
        }
        let (read, canonical) = Located::read(value, walk);
        (Patterns(vec![read]), canonical)
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
    }

    fn placeholder() -> Patterns {
        Patterns::default()
    }
}
