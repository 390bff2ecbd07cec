//! `kind = "injector"`: what goes wrong with single messages between clients and servers.

use murphy_sim::Span;
use serde_json::Value as Json;

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Field, Fields, Patterns, Probability, Walk};
use super::super::scenario::LawSpec;
use super::super::template::{By, Template};
use super::super::value::{Data, Value};
use super::{HazardPart, bound};
use crate::describe::ModelInfo;
use crate::hazard::{Generator, Injector};

/// Name of the draw that decides what a message meets.
const DRAW: &str = "injector";

/// One effect of the injector: its label, and the fault that has it.
type Injected = (&'static str, Option<Value>);

pub(super) fn injector(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let client: Patterns = fields.required("client", "nodes that ask");
    let server: Patterns = fields.required("server", "nodes that answer");
    let mut share =
        |key: &'static str, about: &str, default: &str| fields.default::<Probability>(key, about, default).0;
    let delay = share("delay", "share of messages that are delayed", "0.1");
    let error = share("error", "share of requests that are lost, as by a connection error", "0.05");
    let timeout = share("timeout", "share of replies that are lost, so that the caller times out", "0.02");
    let corrupt = share("corrupt", "share of replies that arrive corrupted", "0.01");
    let by = fields.default("delay_by", "how long", "{ dist = \"uniform\", low = \"1s\", high = \"5s\" }");
    let lasts: Option<Span> = fields.optional("for", "how long it injects; to the end without");
    fields.unsupported("partial", "half of a list is lost by services, which are not supported yet");
    let total = delay + error + timeout + corrupt;
    if total > 1.0 {
        let title = format!("the shares sum to {total}, more than 1");
        fields.error(Diagnostic::new(fields.at, title, "each message has one of them at most"));
    }
    let faults = if fields.live() {
        let chances = [delay, error, timeout, corrupt];
        injected(&client, &server, chances, &by)
    } else {
        Vec::new()
    };
    let mut templates = Vec::new();
    for (label, value) in faults {
        let Some(value) = value else { continue };
        let (template, _) = Template::read(&value, By::Itself, false, &mut Walk::new(&[]));
        templates.push((label, template));
    }
    let at = fields.at;
    Box::new(move |names| {
        let faults =
            templates.into_iter().map(|(label, template)| (label, bound((at, template), None, names)));
        Generator::Injector(Injector { faults: faults.collect(), lasts })
    })
}

fn injected(client: &Patterns, server: &Patterns, chances: [f64; 4], by: &LawText) -> Vec<Injected> {
    let names = |patterns: &Patterns| {
        Value::array(patterns.0.iter().map(|p| Value::new(p.at, Data::Text(p.value.clone()))).collect())
    };
    let (ask, answer) = (names(client), names(server));
    // Each message has one effect at most: they are bands of one draw.
    let mut skip = 0.0;
    let mut fault = |kind: &str, from: &Value, to: &Value, chance: f64, more: Option<Value>| {
        let draw = Value::table(vec![("name", Value::text(DRAW)), ("skip", Value::number(skip))]);
        skip += chance;
        let mut keys = vec![
            ("draw", draw),
            ("kind", Value::text(kind)),
            ("from", from.clone()),
            ("to", to.clone()),
            ("probability", Value::number(chance)),
        ];
        keys.extend(more.map(|delay| ("delay", delay)));
        (chance > 0.0).then(|| Value::table(keys))
    };
    let [delay, error, timeout, corrupt] = chances;
    vec![
        ("delay", fault("reorder", &answer, &ask, delay, Some(by.0.clone()))),
        ("error", fault("loss", &ask, &answer, error, None)),
        ("timeout", fault("loss", &answer, &ask, timeout, None)),
        ("corrupt", fault("corrupt", &answer, &ask, corrupt, None)),
    ]
}

/// A law that stands in another table as it was written.
#[derive(Clone)]
struct LawText(Value);

impl Field for LawText {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (LawText, Value) {
        let (_, canonical) = LawSpec::read(value, walk);
        (LawText(canonical.clone()), canonical)
    }

    fn schema(models: &[ModelInfo]) -> Json {
        LawSpec::schema(models)
    }

    fn placeholder() -> LawText {
        LawText(Value::text("0s"))
    }
}
