//! Kinds of generators of faults. A kind is one entry of [`KINDS`] and one function that declares its
//! keys and says what they mean once names are known.

mod events;
mod injector;
mod renewal;
mod targets;
mod trace;

use std::sync::Arc;

use murphy_reports::Persistence;
use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::diagnostic::{At, Diagnostic, Sources};
use super::fields::{Field, Fields, KeyList, Kind, Located, Name, Table, Walk, keys_of};
use super::names::Names;
use super::template::{By, Template};
use super::value::Value;
use crate::describe::ModelInfo;
use crate::hazard::{Burst, Components, Generator, HazardSpec};

/// What a hazard's keys mean.
pub(crate) type HazardPart = Box<dyn FnOnce(&mut Names<'_>) -> Generator>;

/// Every kind of hazard, in the order of `murphy list hazards`.
pub(crate) const KINDS: &[Kind<HazardPart>] = &[
    Kind {
        name: "renewal",
        about: "components fail and are repaired (MTTF, MTTR, common causes)",
        read: renewal::renewal,
    },
    Kind {
        name: "nemesis",
        about: "random faults of several kinds, at most so many at once",
        read: events::nemesis,
    },
    Kind {
        name: "swarm",
        about: "families of faults of which each run has some, drawn anew",
        read: events::swarm,
    },
    Kind {
        name: "injector",
        about: "messages are delayed, lost, unanswered or corrupted at random",
        read: injector::injector,
    },
    Kind { name: "trace", about: "the records of a real failure trace", read: trace::trace },
];

/// A kind of hazard, for `murphy list hazards`.
pub fn hazards() -> Vec<super::FaultInfo> {
    let info = |kind: &Kind<HazardPart>| super::FaultInfo {
        name: kind.name,
        about: kind.about,
        keys: with_common(keys_of(kind)),
    };
    KINDS.iter().map(info).collect()
}

fn with_common(mut keys: KeyList) -> KeyList {
    for (key, about) in [("from", FROM), ("until", UNTIL), ("cause", CAUSE)] {
        keys.push((key.to_owned(), false, about.to_owned()));
    }
    keys
}

const FROM: &str = "no fault starts before";
const UNTIL: &str = "no fault starts at or after; the end of the run without";
const CAUSE: &str = "root cause, such as \"hardware\", for the records";

/// `[[hazard]]`.
pub(crate) struct HazardTable {
    pub(crate) name: Located<Name>,
    from: Span,
    until: Option<Span>,
    cause: String,
    part: Option<(&'static str, HazardPart)>,
}

impl Table for HazardTable {
    const WHAT: &'static str = "[[hazard]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> HazardTable {
        let name = fields.required("name", "name; the draws are keyed by it");
        let from = fields.default("from", FROM, "\"0s\"");
        let until: Option<Span> = fields.optional("until", UNTIL);
        if until.is_some_and(|until| until <= from) && fields.good("until") {
            let title = "the hazard ends before it begins";
            fields.error(Diagnostic::new(fields.spot("until"), title, "must be later than `from`"));
        }
        let cause: Option<Name> = fields.optional("cause", CAUSE);
        let part = fields.tagged("kind", KINDS);
        HazardTable { name, from, until, cause: cause.map(|cause| cause.0).unwrap_or_default(), part }
    }
}

impl HazardTable {
    pub(crate) fn resolve(self, sources: &Arc<Sources>, names: &mut Names<'_>) -> Option<HazardSpec> {
        let (kind, part) = self.part?;
        Some(HazardSpec {
            name: self.name.value.0,
            kind,
            place: sources.place(self.name.at),
            from: self.from,
            until: self.until,
            cause: self.cause,
            generator: part(names),
        })
    }
}

/// A persistence class by its word.
pub(crate) struct Class(pub(crate) Persistence);

impl Field for Class {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Class, Value) {
        let found = value.as_text().unwrap_or_default();
        let words = Persistence::ALL.map(Persistence::word);
        let class = Persistence::ALL.into_iter().find(|class| class.word() == found);
        if class.is_none() {
            let title = format!("unknown persistence {}", value.found());
            let wrong = Diagnostic::new(value.at, title, "not a class");
            walk.found.push(wrong.suggest(found, "classes", &words));
        }
        (Class(class.unwrap_or_default()), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "enum": Persistence::ALL.map(Persistence::word) })
    }

    fn placeholder() -> Class {
        Class(Persistence::default())
    }
}

impl Table for Burst {
    const WHAT: &'static str = "a pattern";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> Burst {
        Burst {
            on: fields.required("on", "how long a burst lasts, a duration or a law"),
            off: fields.required("off", "time between two bursts, a duration or a law"),
        }
    }
}

/// The `fault` of a generator.
fn template(fields: &mut Fields<'_, '_, '_>, by: By, ranges: bool) -> (At, Template) {
    let about = if ranges {
        "the fault it makes, such as { kind = \"loss\", probability = { low = 0.01, high = 0.3 } }"
    } else {
        "the fault it makes, such as { kind = \"crash\" }"
    };
    let schema = json!({ "type": "object", "required": ["kind"] });
    let at = fields.spot("fault");
    let Some(value) = fields.raw("fault", about, schema) else {
        if fields.live() {
            let title = "the hazard needs `fault`: the fault it makes, such as { kind = \"crash\" }";
            fields.error(Diagnostic::new(fields.at, title, "in this table"));
        }
        let nothing = Value::table(vec![("kind", Value::text("crash"))]);
        return (at, Template::read(&nothing, By::Node, false, &mut Walk::new(&[])).0);
    };
    let (template, canonical) = Template::read(value, by, ranges, fields.walk);
    fields.emit("fault", canonical);
    (at, template)
}

/// Binds a template to names, and says what it names wrongly with the first of its components.
fn bound(
    (at, mut template): (At, Template),
    components: Option<&Components>,
    names: &mut Names<'_>,
) -> Template {
    let words = components.and_then(|components| components.list.first()).map(|first| first.words.clone());
    if components.is_none() || words.is_some() {
        template.bind(at, &words.unwrap_or_default(), names);
    }
    template
}

fn positive(fields: &mut Fields<'_, '_, '_>, key: &'static str, about: &str) -> Option<Span> {
    let span: Option<Span> = fields.optional(key, about);
    if span == Some(Span::ZERO) && fields.good(key) {
        let title = format!("`{key}` is zero");
        fields.error(Diagnostic::new(fields.spot(key), title, "must be greater than zero"));
    }
    span
}
