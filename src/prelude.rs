//! All that most models use: `use murphy::prelude::*;`.

pub use crate::oracle::{Judges, Property};
pub use crate::{
    Context, Dimension, DiskOp, DiskResult, Durable, Effect, Fact, Judge, KindInfo, Message, MetricInfo,
    MetricKind, ModelInfo, NodeId, NodeSpec, Operation, OperationInfo, Oracles, Outcome, Param, Problem,
    Process, PropertyInfo, PropertyKind, PropertyRecord, Protocol, Request, RequestId, Span, Stamped, System,
    Time, TimerId, Verdict, fold, messages,
};
