//! Short forms for what models declare.

use murphy_scenarios::{
    Dimension, Effect, MetricInfo, MetricKind, MetricRecord, OperationInfo, Param, ParamKind, ParamValue,
    Params, PropertyInfo, PropertyKind, PropertyRecord, Verdict,
};
use murphy_sim::{NodeId, Span};

use crate::oracle::Convergence;

use super::{ClientOptions, History, Lost, Sample};

fn param(name: &'static str, about: &'static str, kind: ParamKind, value: ParamValue) -> Param {
    Param { name, about, kind, default: Some(value) }
}

pub(crate) fn span(name: &'static str, about: &'static str, value: Span) -> Param {
    param(name, about, ParamKind::Duration, ParamValue::Duration(value))
}

pub(crate) fn flag(name: &'static str, about: &'static str, value: bool) -> Param {
    param(name, about, ParamKind::Flag, ParamValue::Flag(value))
}

pub(crate) fn count(name: &'static str, about: &'static str, range: (u64, u64), value: u64) -> Param {
    param(name, about, ParamKind::Count { min: range.0, max: range.1 }, ParamValue::Count(value))
}

pub(crate) fn number(name: &'static str, about: &'static str, range: (f64, f64), value: f64) -> Param {
    param(name, about, ParamKind::Number { min: range.0, max: range.1 }, ParamValue::Number(value))
}

/// The first word is the default.
pub(crate) fn choice(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Param {
    param(name, about, ParamKind::Choice(words), ParamValue::Choice(words[0]))
}

/// The parameters of a client.
pub(crate) fn client(attempt: Span, timeout: Span) -> Vec<Param> {
    vec![
        span("attempt", "time without an answer after which the next replica is asked", attempt),
        span("timeout", "time after which a request is given up", timeout),
    ]
}

pub(crate) fn client_options(params: &Params) -> ClientOptions {
    ClientOptions { attempt: params.duration("attempt"), timeout: params.duration("timeout") }
}

/// The operations of a register: the first writes it, the second reads it.
pub(crate) fn put_and_get() -> Vec<OperationInfo> {
    vec![
        OperationInfo { name: "put", effect: Effect::Write },
        OperationInfo { name: "get", effect: Effect::Read },
    ]
}

/// A metric of times, one sample an event.
pub(crate) fn times(name: &'static str, about: &'static str) -> MetricInfo {
    MetricInfo { name, about, dimension: Dimension::Time, kind: MetricKind::Distribution }
}

/// A metric of plain numbers, one sample an event.
pub(crate) fn numbers(name: &'static str, about: &'static str) -> MetricInfo {
    MetricInfo { name, about, dimension: Dimension::One, kind: MetricKind::Distribution }
}

/// What an oracle measured, under the declaration of its metric.
pub(crate) fn measured(info: &MetricInfo, samples: &[Sample]) -> MetricRecord {
    let unit = if info.dimension == Dimension::Time { "ns" } else { "1" };
    let mut samples: Vec<_> = samples.iter().map(|&(at, node, value)| (at.0, node.0, value)).collect();
    // An oracle that looked all the time and counted nothing says so: none is not the same as unknown.
    if samples.is_empty() && info.kind == MetricKind::Counter {
        samples.push((0, 0, 0.0));
    }
    MetricRecord { name: info.name.to_owned(), unit: unit.to_owned(), kind: info.kind, samples }
}

/// What [`History`](super::History) and [`Lost`](super::Lost) measure in every scheme.
pub(crate) fn seen_by_clients() -> [MetricInfo; 4] {
    [
        counter("lost_writes", "acknowledged writes that are gone"),
        counter("stale_reads", "reads that missed a write acknowledged before them"),
        times("staleness", "how long the first write that a stale read missed had been acknowledged"),
        counter("corrupt_reads", "reads of what nobody wrote to that key"),
    ]
}

/// Samples of [`seen_by_clients`].
pub(crate) fn saw(history: &History, lost: &Lost) -> Vec<MetricRecord> {
    let stale: Vec<Sample> = history.stale().iter().map(|&(at, node, _)| (at, node, 1.0)).collect();
    let samples = [lost.samples(), &stale, history.stale(), history.corrupt()];
    seen_by_clients().iter().zip(samples).map(|(info, samples)| measured(info, samples)).collect()
}

pub(crate) const CONVERGENCE_TIME: fn() -> MetricInfo =
    || times("convergence_time", "from the end of the last fault until all replicas are in the same state");

/// Sample of [`CONVERGENCE_TIME`].
pub(crate) fn convergence_time(oracle: &Convergence) -> MetricRecord {
    let sample = oracle.took().map(|(at, took)| (at, NodeId(0), took.0 as f64));
    measured(&CONVERGENCE_TIME(), sample.as_slice())
}

pub(crate) fn safety(name: &'static str, about: &'static str) -> PropertyInfo {
    PropertyInfo { name, about, kind: PropertyKind::Safety }
}

pub(crate) fn sometimes(name: &'static str, about: &'static str) -> PropertyInfo {
    PropertyInfo { name, about, kind: PropertyKind::Sometimes }
}

pub(crate) fn verdict(name: &str, verdict: impl Into<Verdict>, checked: u64) -> PropertyRecord {
    PropertyRecord { name: name.to_owned(), verdict: verdict.into(), checked }
}

/// A metric that counts events.
pub(crate) fn counter(name: &'static str, about: &'static str) -> MetricInfo {
    MetricInfo { name, about, dimension: Dimension::One, kind: MetricKind::Counter }
}
