//! Expectations: what a scenario says must come out, parsed, type-checked and judged.
//!
//! Without `in WINDOW` a figure is taken over the whole run (`all`).

mod ast;
mod evaluate;
mod metrics;
mod parse;

pub use ast::{Atom, Check, Comparison, Condition, Expectation, Metric, Statistic, Sum, Window};
pub(crate) use evaluate::wants_violated;
pub use evaluate::{evaluate, property_name};
pub use metrics::{SLOS, STANDARD, STRUCTURES, StandardMetric};

pub(crate) use evaluate::measure;
pub(crate) use metrics::Known;
pub(crate) use parse::{Mistake, condition, figure, over};
