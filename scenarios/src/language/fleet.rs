//! `[[crew]]`, `[[structure]]` and `[estimate]`: who repairs, what must be up, and how its
//! unavailability is estimated.

use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::diagnostic::Diagnostic;
use super::fields::{
    Count, Field, Fields, Located, Name, Number, Patterns, Probability, Table, Walk, read_count,
};
use super::names::Names;
use super::quantity;
use super::scenario::LawSpec;
use super::value::Value;
use crate::describe::ModelInfo;
use crate::estimate::Precision;
use crate::fleet::{Crew, Input, Order};
use crate::hazard::Aside;

/// `[[crew]]`.
pub(crate) struct CrewTable {
    pub(crate) name: Located<Name>,
    pub(crate) crew: Crew,
}

impl Table for CrewTable {
    const WHAT: &'static str = "[[crew]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> CrewTable {
        let name = fields.required("name", "name; hazards name it as their `crew`");
        let size: Count<1, 100_000> = fields.default("size", "repairs that can go on at once", "1");
        let about = "who is next: the longest wait, or a race between the hazards that wait";
        let order = fields.choice("order", about, &["fifo", "race"], "fifo");
        let start = fields.default("start", "mean time from a call to the start of the repair", "\"0s\"");
        if order == "race" && size.0 > 1 {
            let title = "a race is for one place";
            fields.error(Diagnostic::new(fields.spot("size"), title, "must be 1"));
        }
        let order = if order == "race" { Order::Race } else { Order::Fifo };
        CrewTable { name, crew: Crew { size: usize::try_from(size.0).unwrap_or(1), order, start } }
    }
}

/// A crew with its name.
#[derive(Clone, Debug)]
pub struct CrewSpec {
    /// Name.
    pub name: String,
    /// Size, order, way.
    pub crew: Crew,
}

impl PartialEq for CrewSpec {
    fn eq(&self, other: &CrewSpec) -> bool {
        let key = |spec: &CrewSpec| (spec.crew.size, spec.crew.order, spec.crew.start);
        self.name == other.name && key(self) == key(other)
    }
}

/// `[[structure]]`.
pub(crate) struct StructureTable {
    pub(crate) name: Located<Name>,
    need: Located<Need>,
    of: Patterns,
}

impl Table for StructureTable {
    const WHAT: &'static str = "[[structure]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> StructureTable {
        StructureTable {
            name: fields.required("name", "name, for metrics and for other structures"),
            need: fields
                .required("need", "how many must be up: a number, \"all\" (series) or \"any\" (parallel)"),
            of: fields.required("of", "nodes, and structures that were declared before"),
        }
    }
}

/// A number, `"all"` or `"any"`.
#[derive(Clone, Copy)]
enum Need {
    All,
    Any,
    Of(u64),
}

impl Field for Need {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Need, Value) {
        let need = match value.as_text() {
            Some("all") => Need::All,
            Some("any") => Need::Any,
            Some(_) => {
                walk.mismatch(value, "a number, \"all\" or \"any\"");
                Need::Any
            }
            None => Need::Of(read_count(value, 1, 100_000, walk)),
        };
        (need, value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "anyOf": [{ "enum": ["all", "any"] }, { "type": "integer", "minimum": 1 }] })
    }

    fn placeholder() -> Need {
        Need::Any
    }
}

/// What must be up for something to be up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructureSpec {
    /// Name.
    pub name: String,
    /// Inputs that must be up.
    pub need: usize,
    /// Nodes (leaves) and structures (gates) by index.
    pub inputs: Vec<Input>,
}

impl StructureTable {
    /// The structure, with the structures before it.
    pub(crate) fn resolve(self, before: &[StructureSpec], names: &mut Names<'_>) -> StructureSpec {
        let index = |index: usize| u32::try_from(index).expect("few structures and nodes");
        let mut inputs = Vec::new();
        for pattern in &self.of.0 {
            if let Some(gate) = before.iter().position(|known| known.name == pattern.value) {
                inputs.push(Input::Gate(index(gate)));
                continue;
            }
            let one = Patterns(vec![Located { at: pattern.at, value: pattern.value.clone() }]);
            inputs.extend(names.nodes(&one).into_iter().map(|node| Input::Leaf(index(node))));
        }
        let need = match self.need.value {
            Need::All => inputs.len(),
            Need::Any => 1,
            Need::Of(need) => usize::try_from(need).unwrap_or(usize::MAX),
        };
        if need > inputs.len() && !inputs.is_empty() {
            let title = format!("`{}` needs {need} of {}", self.name.value.0, inputs.len());
            let wrong = Diagnostic::new(self.need.at, title, "more than there are");
            names.found.push(wrong);
        }
        let need = need.clamp(1, inputs.len().max(1));
        StructureSpec { name: self.name.value.0, need, inputs }
    }
}

/// `[estimate]`.
pub(crate) struct EstimateTable {
    pub(crate) target: Located<String>,
    pub(crate) spec: EstimateSpec,
}

/// How the unavailability of a structure is estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimateSpec {
    /// The structure whose failures are made frequent: index into the scenario's.
    pub target: usize,
    /// How.
    pub method: EstimateMethod,
    /// When to stop.
    pub precision: Precision,
    /// Whether the model is run in every episode and its own down time counts, by probes.
    pub by_probes: bool,
    /// How long the model runs after the last repair of an episode.
    pub settle: Span,
}

/// How episodes are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EstimateMethod {
    /// As they come.
    Crude,
    /// With boosted hazards.
    Boost(f64),
    /// As they come, split at levels: worlds a stage.
    Split(usize),
}

impl Table for EstimateTable {
    const WHAT: &'static str = "[estimate]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> EstimateTable {
        let target = fields.required("target", "the [[structure]] whose failures are rare");
        let about = "boost: more faults, weighted; split: clones of worlds on the way; crude: as they come";
        let method = fields.choice("method", about, &["boost", "split", "crude"], "boost");
        let boost: Number<0, 100> =
            fields.default("boost", "further faults expected until the next repair ends", "1.5");
        let effort: Count<10, 10_000_000> =
            fields.default("effort", "worlds of each stage of a split", "10000");
        let precision: Stop =
            fields.default("precision", "half-width of the interval, and its level", "\"10% at 95%\"");
        let episodes: Count<1, 1_000_000_000> = fields.default("episodes", "most episodes", "1000000");
        let about = "structure: down while the target is; probes: down while the model's probes fail";
        let measure = fields.choice("measure", about, &["structure", "probes"], "structure");
        let settle = fields.default("settle", "time the model runs on after the last repair", "\"10s\"");
        if measure == "probes" && method == "split" {
            let title = "splitting clones components, not a whole model";
            fields.error(Diagnostic::new(fields.spot("method"), title, "use boost or crude with probes"));
        }
        let method = match method {
            "crude" => EstimateMethod::Crude,
            "split" => EstimateMethod::Split(usize::try_from(effort.0).unwrap_or(usize::MAX)),
            _ => EstimateMethod::Boost(boost.0.max(1e-3)),
        };
        let precision = Precision {
            half_width: precision.half_width,
            level: precision.level,
            episodes: episodes.0,
            ..Precision::default()
        };
        let by_probes = measure == "probes";
        EstimateTable { target, spec: EstimateSpec { target: 0, method, precision, by_probes, settle } }
    }
}

impl EstimateTable {
    pub(crate) fn resolve(self, structures: &[StructureSpec], names: &mut Names<'_>) -> EstimateSpec {
        let target = structures.iter().position(|known| known.name == self.target.value);
        if target.is_none() {
            let exist: Vec<&str> = structures.iter().map(|known| known.name.as_str()).collect();
            let title = format!("no structure is called \"{}\"", self.target.value);
            let wrong = Diagnostic::new(self.target.at, title, "not one");
            names.found.push(wrong.suggest(&self.target.value, "structures", &exist));
        }
        EstimateSpec { target: target.unwrap_or(0), ..self.spec }
    }
}

/// `"10% at 95%"`: a relative half-width and its level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stop {
    pub(crate) half_width: f64,
    pub(crate) level: f64,
}

impl Field for Stop {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Stop, Value) {
        let parsed = value.as_text().and_then(|text| {
            let (half_width, level) = text.split_once(" at ")?;
            let share =
                |text: &str| quantity::share(text.trim()).ok().filter(|share| *share > 0.0 && *share < 1.0);
            Some(Stop { half_width: share(half_width)?, level: share(level)? })
        });
        if parsed.is_none() {
            walk.mismatch(value, "a precision such as \"10% at 95%\"");
        }
        (parsed.unwrap_or_else(Stop::placeholder), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "examples": ["10% at 95%"] })
    }

    fn placeholder() -> Stop {
        Stop { half_width: 0.1, level: 0.95 }
    }
}

/// `standby = { … }` of a hazard.
pub(crate) struct StandbyTable {
    pub(crate) aside: Aside,
    pub(crate) down: Option<Patterns>,
}

impl Table for StandbyTable {
    const WHAT: &'static str = "standby";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> StandbyTable {
        let active: Count<1, 100_000> =
            fields.default("active", "components in use; the others stand by", "1");
        let dormancy: Number<0, 1> =
            fields.default("dormancy", "ageing of a standby as a share of that in use: 0 cold, 1 hot", "1.0");
        let coverage: Probability =
            fields.default("coverage", "probability that a failure is switched over by itself", "1.0");
        let failover: Option<LawSpec> =
            fields.optional("failover", "time of such a switch-over; none without");
        let manual: Option<LawSpec> =
            fields.optional("manual", "time until people switched over; none without");
        let down: Option<Patterns> = fields.optional("down", "nodes that are down during a switch-over");
        if (failover.is_some() || manual.is_some()) && down.is_none() && fields.live() {
            let title = "a switch-over that takes time needs `down`: the nodes that are down meanwhile";
            let wrong = Diagnostic::new(fields.at, title, "in this table");
            fields.error(wrong.help("add a component.unit, such as \"switch\", that the structure needs"));
        }
        let aside = Aside {
            active: usize::try_from(active.0).unwrap_or(1),
            dormancy: dormancy.0,
            coverage: coverage.0,
            failover,
            manual,
            down: None,
        };
        StandbyTable { aside, down }
    }
}
