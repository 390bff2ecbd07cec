//! How a model describes itself, so that the language can check a file against it by declaration:
//! node kinds, parameters, operations, messages, metrics and properties.

use std::collections::BTreeMap;

use murphy_sim::Span;

/// Everything the scenario language knows about a model.
#[derive(Clone, Debug, Default)]
pub struct ModelInfo {
    /// First part of its kinds and properties, such as `pbft`.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Node kinds; `model = "pbft.replica"` names one.
    pub kinds: Vec<KindInfo>,
    /// Message kinds, in the order of `Message::kind`; a fault may name one.
    pub messages: Vec<&'static str>,
    /// Operations its clients understand, such as `put` and `get`.
    pub operations: Vec<OperationInfo>,
    /// Metrics beside the standard ones.
    pub metrics: Vec<MetricInfo>,
    /// Properties, each judged by one oracle.
    pub properties: Vec<PropertyInfo>,
}

/// A kind of node.
#[derive(Clone, Debug)]
pub struct KindInfo {
    /// Full name, such as `pbft.replica`.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Whether a workload may send its requests from nodes of this kind.
    pub client: bool,
    /// Parameters that `params = { … }` may set.
    pub params: Vec<Param>,
}

/// One parameter of a node kind.
#[derive(Clone, Debug)]
pub struct Param {
    /// Key in `params`.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Type and range.
    pub kind: ParamKind,
    /// Value when the key is absent; `None` makes the key required.
    pub default: Option<ParamValue>,
}

impl Param {
    /// A whole number from `min` to `max`, with its default.
    pub fn count(name: &'static str, about: &'static str, (min, max): (u64, u64), value: u64) -> Param {
        Param { name, about, kind: ParamKind::Count { min, max }, default: Some(ParamValue::Count(value)) }
    }

    /// A duration, with its default.
    pub fn duration(name: &'static str, about: &'static str, value: Span) -> Param {
        Param { name, about, kind: ParamKind::Duration, default: Some(ParamValue::Duration(value)) }
    }

    /// A number from `min` to `max`, with its default.
    pub fn number(name: &'static str, about: &'static str, (min, max): (f64, f64), value: f64) -> Param {
        Param { name, about, kind: ParamKind::Number { min, max }, default: Some(ParamValue::Number(value)) }
    }

    /// A probability, with its default.
    pub fn probability(name: &'static str, about: &'static str, value: f64) -> Param {
        Param { name, about, kind: ParamKind::Probability, default: Some(ParamValue::Number(value)) }
    }

    /// True or false, with its default.
    pub fn flag(name: &'static str, about: &'static str, value: bool) -> Param {
        Param { name, about, kind: ParamKind::Flag, default: Some(ParamValue::Flag(value)) }
    }

    /// One of some words; the first is its default.
    pub fn choice(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Param {
        Param { name, about, kind: ParamKind::Choice(words), default: Some(ParamValue::Choice(words[0])) }
    }
}

impl KindInfo {
    /// A kind of node that no workload sends from.
    pub fn server(name: &'static str, about: &'static str, params: Vec<Param>) -> KindInfo {
        KindInfo { name, about, client: false, params }
    }

    /// A kind of node that sends the requests of workloads.
    pub fn client(name: &'static str, about: &'static str, params: Vec<Param>) -> KindInfo {
        KindInfo { name, about, client: true, params }
    }
}

/// Type and range of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamKind {
    /// A whole number in a closed range.
    Count {
        /// Least value allowed.
        min: u64,
        /// Greatest value allowed.
        max: u64,
    },
    /// A duration with its unit, such as `"500ms"`.
    Duration,
    /// A plain number in a closed range.
    Number {
        /// Least value allowed.
        min: f64,
        /// Greatest value allowed.
        max: f64,
    },
    /// A probability: `0.001` or `"0.1%"`.
    Probability,
    /// A size with its unit, such as `"4kB"`.
    Bytes,
    /// `true` or `false`.
    Flag,
    /// One of a closed set of words.
    Choice(&'static [&'static str]),
}

/// A parameter's value, of the type its [`ParamKind`] says.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// For [`ParamKind::Count`] and [`ParamKind::Bytes`].
    Count(u64),
    /// For [`ParamKind::Duration`].
    Duration(Span),
    /// For [`ParamKind::Number`] and [`ParamKind::Probability`].
    Number(f64),
    /// For [`ParamKind::Flag`].
    Flag(bool),
    /// For [`ParamKind::Choice`].
    Choice(&'static str),
}

/// The parameters of one node, complete: what the file left out has its default.
///
/// The getters panic when the model asks for a name or a type that it did not declare:
/// that is a mistake in the model, not in the scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(pub BTreeMap<&'static str, ParamValue>);

impl Params {
    /// Value of a declared [`ParamKind::Count`] or [`ParamKind::Bytes`].
    ///
    /// # Panics
    /// When the model did not declare `name` with that type.
    pub fn count(&self, name: &str) -> u64 {
        match self.0.get(name) {
            Some(ParamValue::Count(value)) => *value,
            other => panic!("the model declares no count `{name}` (found {other:?})"),
        }
    }

    /// Value of a declared [`ParamKind::Duration`].
    ///
    /// # Panics
    /// When the model did not declare `name` with that type.
    pub fn duration(&self, name: &str) -> Span {
        match self.0.get(name) {
            Some(ParamValue::Duration(value)) => *value,
            other => panic!("the model declares no duration `{name}` (found {other:?})"),
        }
    }

    /// Value of a declared [`ParamKind::Number`] or [`ParamKind::Probability`].
    ///
    /// # Panics
    /// When the model did not declare `name` with that type.
    pub fn number(&self, name: &str) -> f64 {
        match self.0.get(name) {
            Some(ParamValue::Number(value)) => *value,
            other => panic!("the model declares no number `{name}` (found {other:?})"),
        }
    }

    /// Value of a declared [`ParamKind::Flag`].
    ///
    /// # Panics
    /// When the model did not declare `name` with that type.
    pub fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(ParamValue::Flag(value)) => *value,
            other => panic!("the model declares no flag `{name}` (found {other:?})"),
        }
    }

    /// Value of a declared [`ParamKind::Choice`].
    ///
    /// # Panics
    /// When the model did not declare `name` with that type.
    pub fn choice(&self, name: &str) -> &'static str {
        match self.0.get(name) {
            Some(ParamValue::Choice(value)) => value,
            other => panic!("the model declares no choice `{name}` (found {other:?})"),
        }
    }
}

/// An operation that clients of a model understand.
#[derive(Clone, Copy, Debug)]
pub struct OperationInfo {
    /// Name in `ops = { put = 0.5, … }`.
    pub name: &'static str,
    /// What it does to the store, for the linearizability checker.
    pub effect: Effect,
}

impl OperationInfo {
    /// An operation that returns the value of its key.
    pub const fn read(name: &'static str) -> OperationInfo {
        OperationInfo { name, effect: Effect::Read }
    }

    /// An operation that sets its key.
    pub const fn write(name: &'static str) -> OperationInfo {
        OperationInfo { name, effect: Effect::Write }
    }
}

/// What an operation does to a register of a key-value store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Returns the value of its key.
    Read,
    /// Sets its key to a value that no other operation writes.
    Write,
    /// Neither: the checker does not judge it.
    Other,
}

/// A metric that a model declares beside the standard ones.
#[derive(Clone, Debug)]
pub struct MetricInfo {
    /// Name in expectations.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What its numbers measure.
    pub dimension: Dimension,
    /// How its samples combine over time.
    pub kind: murphy_reports::MetricKind,
}

impl MetricInfo {
    /// Samples of which quantiles and a mean are taken.
    pub fn distribution(name: &'static str, about: &'static str, dimension: Dimension) -> MetricInfo {
        MetricInfo { name, about, dimension, kind: murphy_reports::MetricKind::Distribution }
    }

    /// Numbers that add up.
    pub fn counter(name: &'static str, about: &'static str) -> MetricInfo {
        MetricInfo { name, about, dimension: Dimension::One, kind: murphy_reports::MetricKind::Counter }
    }
}

/// What a number measures; expectations check it before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A plain number: counts, ratios, probabilities.
    One,
    /// A duration.
    Time,
    /// Something per second.
    Rate,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    Bandwidth,
}

/// A property that one oracle of a model judges.
#[derive(Clone, Debug)]
pub struct PropertyInfo {
    /// Full name, such as `pbft.agreement`.
    pub name: &'static str,
    /// One sentence: what must hold.
    pub about: &'static str,
    /// Which checks may name it.
    pub kind: PropertyKind,
}

/// Which checks may name a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// `always(p)`: nothing bad happens.
    Safety,
    /// `eventually(p, D)`: something good happens.
    Liveness,
    /// `converges(p, D)`: correct nodes come to the same state.
    Convergence,
    /// `eventually(p)` or `never(p)`: it happened at least once, so a green run is not vacuous.
    Sometimes,
}
