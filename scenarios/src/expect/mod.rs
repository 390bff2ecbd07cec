//! Expectations: what a scenario says must come out, parsed, type-checked and judged.

mod ast;

pub use ast::{Atom, Check, Comparison, Condition, Expectation, Metric, Over, Statistic, Sum, Window};
