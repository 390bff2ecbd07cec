//! Short forms for the tables of parameters, metrics and properties.

use murphy_scenarios::{
    Dimension, KindInfo, MetricInfo, MetricKind, Param, ParamKind, ParamValue, PropertyInfo, PropertyKind,
    PropertyRecord, Verdict,
};
use murphy_sim::Span;

pub(super) fn count(name: &'static str, about: &'static str, min: u64, max: u64, value: u64) -> Param {
    Param { name, about, kind: ParamKind::Count { min, max }, default: Some(ParamValue::Count(value)) }
}

pub(super) fn span(name: &'static str, about: &'static str, value: Span) -> Param {
    Param { name, about, kind: ParamKind::Duration, default: Some(ParamValue::Duration(value)) }
}

pub(super) fn number(name: &'static str, about: &'static str, min: f64, max: f64, value: f64) -> Param {
    Param { name, about, kind: ParamKind::Number { min, max }, default: Some(ParamValue::Number(value)) }
}

pub(super) fn probability(name: &'static str, about: &'static str, value: f64) -> Param {
    Param { name, about, kind: ParamKind::Probability, default: Some(ParamValue::Number(value)) }
}

pub(super) fn flag(name: &'static str, about: &'static str, value: bool) -> Param {
    Param { name, about, kind: ParamKind::Flag, default: Some(ParamValue::Flag(value)) }
}

/// A choice whose default is the first word.
pub(super) fn choice(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Param {
    let default = Some(ParamValue::Choice(words[0]));
    Param { name, about, kind: ParamKind::Choice(words), default }
}

pub(super) fn kind(name: &'static str, about: &'static str, params: Vec<Param>) -> KindInfo {
    KindInfo { name, about, client: false, params }
}

pub(super) fn metric(
    name: &'static str,
    about: &'static str,
    dimension: Dimension,
    kind: MetricKind,
) -> MetricInfo {
    MetricInfo { name, about, dimension, kind }
}

pub(super) fn property(name: &'static str, about: &'static str, kind: PropertyKind) -> PropertyInfo {
    PropertyInfo { name, about, kind }
}

pub(super) fn record(name: &str, (verdict, checked): (Verdict, u64)) -> PropertyRecord {
    PropertyRecord { name: name.to_owned(), verdict, checked }
}
