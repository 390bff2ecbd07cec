//! The scenario language and its runners.
//!
//! [`language`] turns a file into [`Scenario`](language::Scenario)s, [`Model`] brings in what is
//! simulated, [`Study`] runs all points with all seeds, and [`results`] writes what came out.

mod describe;
pub mod estimate;
pub mod expect;
pub mod fleet;
pub mod hazard;
pub mod hunt;
pub mod language;

mod build;
mod compare;
mod model;
mod observer;
mod runner;
mod states;
mod structure;

pub mod plan;

pub mod results;
pub mod rows;

pub use describe::{
    Dimension, Effect, KindInfo, MetricInfo, ModelInfo, OperationInfo, Param, ParamKind, ParamValue, Params,
    PropertyInfo, PropertyKind,
};
pub use model::{Model, Oracles, Problem, Protocol, Run, System, Tolerance, Traced, Watched, model};
/// What oracles answer with, and how samples of a metric combine.
pub use murphy_reports::{MessageCount, MetricKind, MetricRecord, PropertyRecord, Verdict};
pub use runner::{Fold, Job, RunPlan, Study};
