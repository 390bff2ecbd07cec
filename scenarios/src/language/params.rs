//! `model = "…"` and `params = { … }`: a node kind and its parameters, as the model declares them.

use serde_json::{Value as Json, json};

use super::diagnostic::Diagnostic;
use super::fields::{Bytes, Field, Fields, Located, Probability, Walk, read_count, read_number};
use super::quantity::duration_text;
use super::value::{Data, Value};
use crate::describe::{KindInfo, ModelInfo, Param, ParamKind, ParamValue, Params};
use murphy_sim::Span;

/// Reads the node kind (its name and whether it is a client) and its parameters, complete.
pub(crate) fn model(fields: &mut Fields<'_, '_, '_>) -> (Option<(&'static str, bool)>, Params) {
    let models = fields.walk.models;
    let name: Located<String> = fields.required("model", "node kind, such as \"pbft.replica\"");
    let params = fields.raw("params", "parameters of the node kind", schema(models));
    if !fields.live() || !fields.has("model") {
        return (None, Params::default());
    }
    let kinds = || models.iter().flat_map(|model| &model.kinds);
    let Some(kind) = kinds().find(|kind| kind.name == name.value) else {
        let exist: Vec<&str> = kinds().map(|kind| kind.name).collect();
        let wrong = Diagnostic::new(name.at, format!("unknown model \"{}\"", name.value), "not a node kind");
        fields.error(wrong.suggest(&name.value, "node kinds", &exist));
        return (None, Params::default());
    };
    let empty = Value::new(fields.at, Data::Table(Vec::new()));
    let (params, canonical) = read(params.unwrap_or(&empty), kind, fields.walk);
    fields.emit("params", canonical);
    (Some((kind.name, kind.client)), params)
}

fn read(value: &Value, kind: &KindInfo, walk: &mut Walk<'_>) -> (Params, Value) {
    let mut params = Params::default();
    let mut canonical = Vec::new();
    if !matches!(value.data, Data::Table(_)) {
        let title = format!("expected parameters such as {{ f = 1 }}, found {}", value.found());
        walk.found.push(Diagnostic::new(value.at, title, format!("this is {}", value.kind())));
        return (params, value.clone());
    }
    for param in &kind.params {
        let read = match (value.get(param.name), &param.default) {
            (Some(value), _) => parameter(value, &param.kind, walk),
            (None, Some(default)) => default.clone(),
            (None, None) => {
                let title = format!("{} needs the parameter `{}`: {}", kind.name, param.name, param.about);
                walk.found.push(Diagnostic::new(value.at, title, "in these parameters"));
                continue;
            }
        };
        canonical.push((param.name, write(&read, &param.kind)));
        params.0.insert(param.name, read);
    }
    let known: Vec<&str> = kind.params.iter().map(|param| param.name).collect();
    for entry in value.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        let title = format!("unknown parameter `{}` of {}", entry.key, kind.name);
        let wrong = Diagnostic::new(entry.key_at, title, "not a parameter of this model");
        walk.found.push(wrong.suggest(&entry.key, "parameters", &known));
    }
    (params, Value::table(canonical))
}

fn parameter(value: &Value, kind: &ParamKind, walk: &mut Walk<'_>) -> ParamValue {
    match *kind {
        ParamKind::Count { min, max } => ParamValue::Count(read_count(value, min, max, walk)),
        ParamKind::Duration => ParamValue::Duration(Span::read(value, walk).0),
        ParamKind::Number { min, max } => ParamValue::Number(read_number(value, min, max, walk)),
        ParamKind::Probability => ParamValue::Number(Probability::read(value, walk).0.0),
        ParamKind::Bytes => ParamValue::Count(Bytes::read(value, walk).0.0),
        ParamKind::Flag => ParamValue::Flag(bool::read(value, walk).0),
        ParamKind::Choice(words) => {
            let found = value.as_text().unwrap_or_default();
            if let Some(word) = words.iter().find(|word| **word == found) {
                return ParamValue::Choice(word);
            }
            let title = format!("unknown choice {}", value.found());
            let wrong = Diagnostic::new(value.at, title, "not one of the words");
            walk.found.push(wrong.suggest(found, "choices", words));
            ParamValue::Choice(words.first().copied().unwrap_or_default())
        }
    }
}

fn write(value: &ParamValue, kind: &ParamKind) -> Value {
    match value {
        ParamValue::Count(bytes) if *kind == ParamKind::Bytes => Value::text(format!("{bytes}B")),
        ParamValue::Count(count) => Value::count(*count),
        ParamValue::Duration(span) => Value::text(duration_text(span.0)),
        ParamValue::Number(number) => Value::number(*number),
        ParamValue::Flag(flag) => Value::new(super::diagnostic::At::NONE, Data::Flag(*flag)),
        ParamValue::Choice(word) => Value::text(*word),
    }
}

fn schema(models: &[ModelInfo]) -> Json {
    let alternatives: Vec<Json> = models.iter().flat_map(|model| &model.kinds).map(kind_schema).collect();
    if alternatives.is_empty() { json!({ "type": "object" }) } else { json!({ "anyOf": alternatives }) }
}

fn kind_schema(kind: &KindInfo) -> Json {
    let property = |param: &Param| {
        let mut json = match &param.kind {
            ParamKind::Count { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            ParamKind::Duration => Span::schema(&[]),
            ParamKind::Number { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
            ParamKind::Probability => Probability::schema(&[]),
            ParamKind::Bytes => Bytes::schema(&[]),
            ParamKind::Flag => bool::schema(&[]),
            ParamKind::Choice(words) => json!({ "enum": words }),
        };
        json["description"] = json!(param.about);
        if let Some(default) = &param.default {
            json["default"] = write(default, &param.kind).to_json();
        }
        (param.name.to_owned(), json)
    };
    let required: Vec<&str> =
        kind.params.iter().filter(|param| param.default.is_none()).map(|param| param.name).collect();
    json!({
        "title": kind.name,
        "type": "object",
        "properties": kind.params.iter().map(property).collect::<serde_json::Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}
