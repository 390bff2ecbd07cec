//! The scenario language and its runners.

mod describe;

pub use describe::{
    Dimension, Effect, KindInfo, MetricInfo, ModelInfo, OperationInfo, Param, ParamKind, ParamValue, Params,
    PropertyInfo, PropertyKind,
};
