//! The scenario language and its runners.

mod describe;
pub mod expect;
pub mod language;

pub use describe::{
    Dimension, Effect, KindInfo, MetricInfo, ModelInfo, OperationInfo, Param, ParamKind, ParamValue, Params,
    PropertyInfo, PropertyKind,
};
