//! `kind = "nemesis"` and `kind = "swarm"`: faults at random instants.

use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::super::diagnostic::{At, Diagnostic};
use super::super::fields::{Count, Field, Fields, Located, Name, Positive, Probability, Rate, Table, Walk};
use super::super::law::one_of;
use super::super::scenario::LawSpec;
use super::super::template::{By, Template, range};
use super::super::value::Value;
use super::targets::{Targets, pick, targets};
use super::{HazardPart, bound, template};
use crate::describe::ModelInfo;
use crate::hazard::{Family, Generator, Nemesis, Strike, Swarm};

/// One kind of fault of a nemesis, before names are known.
struct StrikePart {
    weight: f64,
    lasts: LawSpec,
    targets: Option<Targets>,
    pick: usize,
    fault: (At, Template),
}

impl Table for StrikePart {
    const WHAT: &'static str = "a fault of a nemesis";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> StrikePart {
        let weight: Positive = fields.default("weight", "how often, in proportion to the others", "1.0");
        let lasts = fields.required("lasts", "how long, a duration or a law");
        let targets = targets(fields, false);
        let pick = pick(fields, targets.as_ref());
        let by = targets.as_ref().map_or(By::Itself, |targets| targets.by);
        StrikePart { weight: weight.0, lasts, targets, pick, fault: template(fields, by, false) }
    }
}

pub(super) fn nemesis(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let rate: Option<Rate> = fields.optional("rate", "strikes per time, such as \"20/h\", at random");
    let gap: Option<LawSpec> = fields.optional("gap", "time between two strikes, a duration or a law");
    one_of(fields, ["rate", "gap"], [rate.is_some(), gap.is_some()]);
    let at_most: Count<1, 1_000_000> = fields.default("at_most", "faults at once", "1");
    let quiet = fields.default("quiet", "time at the end of the run without faults", "\"0s\"");
    let strikes: Vec<StrikePart> = fields.required("faults", "the kinds of faults it makes");
    if strikes.is_empty() && fields.has("faults") {
        fields.error(Diagnostic::new(fields.spot("faults"), "no faults", "needs at least one"));
    }
    Box::new(move |names| {
        let strike = |part: StrikePart| {
            let components = part.targets.as_ref().map(|targets| targets.resolve(names));
            Strike {
                weight: part.weight,
                lasts: part.lasts,
                fault: bound(part.fault, components.as_ref(), names),
                components,
                pick: part.pick,
            }
        };
        let mean = rate.map(|rate| Span::from_secs_f64(1.0 / rate.0));
        Generator::Nemesis(Nemesis {
            gap: gap.or(mean.map(|mean| LawSpec::Exponential { mean })).unwrap_or_else(LawSpec::placeholder),
            at_most: usize::try_from(at_most.0).expect("a small count"),
            quiet,
            strikes: strikes.into_iter().map(strike).collect(),
        })
    })
}

/// A duration, or `{ low, high }` that each run draws from.
#[derive(Clone, Copy)]
struct SpanRange(Span, Span);

impl Field for SpanRange {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (SpanRange, Value) {
        let Some((low, high)) = range(value) else {
            let (span, canonical) = Span::read(value, walk);
            return (SpanRange(span, span), canonical);
        };
        let ((a, low_text), (b, high_text)) = (Span::read(low, walk), Span::read(high, walk));
        if a > b {
            walk.found.push(Diagnostic::new(high.at, "high is below low", "must not be below low"));
        }
        (SpanRange(a, b), Value::table(vec![("low", low_text), ("high", high_text)]))
    }

    fn schema(models: &[ModelInfo]) -> Json {
        let span = Span::schema(models);
        json!({ "anyOf": [span, {
            "type": "object", "properties": { "low": span, "high": span }, "required": ["low", "high"],
        }] })
    }

    fn placeholder() -> SpanRange {
        SpanRange(Span::ZERO, Span::ZERO)
    }
}

/// One family of a swarm, before names are known.
struct FamilyPart {
    name: Option<Located<Name>>,
    gap: SpanRange,
    lasts: SpanRange,
    targets: Option<Targets>,
    pick: usize,
    fault: (At, Template),
}

impl Table for FamilyPart {
    const WHAT: &'static str = "a family of a swarm";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> FamilyPart {
        let name = fields.optional("name", "name; without, the kind of its fault");
        let gap = fields.required("gap", "mean time between two faults, or a range of means");
        let lasts = fields.required("lasts", "mean length, or a range of means");
        let targets = targets(fields, false);
        let pick = pick(fields, targets.as_ref());
        let by = targets.as_ref().map_or(By::Itself, |targets| targets.by);
        FamilyPart { name, gap, lasts, targets, pick, fault: template(fields, by, true) }
    }
}

pub(super) fn swarm(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let off: Probability = fields.default("off", "probability that a run goes without a family", "0.5");
    let quiet = fields.default("quiet", "time at the end of the run without faults", "\"0s\"");
    let families: Vec<FamilyPart> = fields.required("families", "the families of faults");
    let mut seen: Vec<String> = Vec::new();
    for family in &families {
        let name = family.name.as_ref().map_or(family.fault.1.kind(), |name| name.value.0.as_str());
        if seen.iter().any(|known| known == name) {
            let title = format!("two families are called `{name}`");
            let at = family.name.as_ref().map_or(family.fault.0, |name| name.at);
            fields.error(Diagnostic::new(at, title, "the second").help("give each a `name`"));
        }
        seen.push(name.to_owned());
    }
    Box::new(move |names| {
        let family = |(part, name): (FamilyPart, String)| {
            let components = part.targets.as_ref().map(|targets| targets.resolve(names));
            Family {
                name,
                gap: (part.gap.0, part.gap.1),
                lasts: (part.lasts.0, part.lasts.1),
                fault: bound(part.fault, components.as_ref(), names),
                components,
                pick: part.pick,
            }
        };
        let families = families.into_iter().zip(seen).map(family).collect();
        Generator::Swarm(Swarm { off: off.0, quiet, families })
    })
}
