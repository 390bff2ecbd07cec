//! What an expectation says, once parsed and checked.

use murphy_reports::Over;
use murphy_sim::Span;

use crate::describe::{Dimension, PropertyKind};
use crate::language::Place;

/// One `[[expect]]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Its text, for reports.
    pub that: String,
    /// Where the text stands.
    pub place: Place,
    /// Whether the first violation ends the run.
    pub abort: bool,
    /// How verdicts of single runs make the verdict of a point.
    pub over: Over,
    /// Its meaning.
    pub condition: Condition,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A property of a model or a workload.
    Property {
        /// Which check.
        check: Check,
        /// Property such as `pbft.agreement`, or a workload for `linearizable`.
        name: String,
        /// What the model says the property is; `Safety` for `linearizable`.
        kind: PropertyKind,
        /// Time allowed, for `eventually` and `converges`.
        within: Option<Span>,
    },
    /// A comparison of measured figures.
    Compare {
        /// Left side.
        left: Sum,
        /// Comparison.
        op: Comparison,
        /// Right side.
        right: Sum,
        /// The time it is measured over.
        window: Window,
    },
}

/// Words that judge a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It was never violated.
    Always,
    /// It never happened.
    Never,
    /// It happened.
    Eventually,
    /// The history of a workload is linearizable.
    Linearizable,
    /// Correct nodes end in the same state.
    Converges,
    /// It was violated: the arm of a comparison that shows what goes wrong.
    Violated,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// Products with their signs.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// Terms; `true` for a term that is subtracted.
    pub terms: Vec<(bool, Vec<Atom>)>,
    /// What the sum measures.
    pub dimension: Dimension,
}

/// A factor.
#[derive(Clone, Debug, PartialEq)]
pub enum Atom {
    /// A literal: seconds, per second, bytes, bytes per second or a plain number.
    Number(f64, Dimension),
    /// A share that was written in percent.
    Percent(f64),
    /// A metric as it is: a rate, a share or a level.
    Metric(Metric),
    /// A statistic of a metric.
    Statistic(Statistic, Metric),
    /// From the start of a fault until the service is good for 1 s.
    Mitigation(String),
    /// From the end of a fault until the service is good for 1 s.
    Recovery(String),
}

/// Statistics of a metric's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Median.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// 99.9th percentile.
    P999,
    /// Mean.
    Mean,
    /// Greatest.
    Max,
    /// Least.
    Min,
    /// Number of samples.
    Count,
    /// Samples (or the counter's total) per second.
    Rate,
}

/// A metric with the labels that select its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Name.
    pub name: String,
    /// Label and value.
    pub labels: Vec<(String, String)>,
}

/// A part of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// After the warm-up, outside faults and the recovery that follows each.
    Steady,
    /// The warm-up.
    Warmup,
    /// The whole run.
    All,
    /// The interval of a fault.
    During(String),
    /// From the end of a fault plus a delay to the next fault or the end of the run.
    After(String, Span),
    /// From one time to another, counted from the start of the run.
    Range(Span, Span),
}
