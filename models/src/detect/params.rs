//! Short forms for the tables of parameters, metrics and properties.

use murphy_scenarios::{
    Dimension, KindInfo, MetricInfo, MetricKind, Param, PropertyInfo, PropertyKind, PropertyRecord, Verdict,
};
use murphy_sim::Span;

pub(super) fn count(name: &'static str, about: &'static str, min: u64, max: u64, value: u64) -> Param {
    Param::count(name, about, (min, max), value)
}

pub(super) fn span(name: &'static str, about: &'static str, value: Span) -> Param {
    Param::duration(name, about, value)
}

pub(super) fn number(name: &'static str, about: &'static str, min: f64, max: f64, value: f64) -> Param {
    Param::number(name, about, (min, max), value)
}

pub(super) fn probability(name: &'static str, about: &'static str, value: f64) -> Param {
    Param::probability(name, about, value)
}

pub(super) fn flag(name: &'static str, about: &'static str, value: bool) -> Param {
    Param::flag(name, about, value)
}

/// A choice whose default is the first word.
pub(super) fn choice(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Param {
    Param::choice(name, about, words)
}

pub(super) fn kind(name: &'static str, about: &'static str, params: Vec<Param>) -> KindInfo {
    KindInfo::server(name, about, params)
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
