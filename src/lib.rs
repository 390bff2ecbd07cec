//! Murphy is a deterministic simulator for everything that can go wrong in a distributed system.
//!
//! A crate of your own depends on this one only: implement [`Process`] for its nodes and
//! [`Protocol`] to describe them, and [`cli`] gives it the whole command line:
//!
//! ```no_run
//! # use murphy::models::pbft::Pbft as MyProtocol;
//! fn main() -> std::process::ExitCode {
//!     murphy::cli().model::<MyProtocol>().run()
//! }
//! ```
//!
//! See `examples/register` for a whole one of about a hundred lines.

mod cli;
pub mod prelude;

pub use cli::{Cli, cli};
/// Protocols and services that come with the program, and the oracles that judge them.
pub use murphy_models as models;
pub use murphy_models::oracle;
/// Records, statistics and what is written from them.
pub use murphy_reports as reports;
pub use murphy_reports::{MetricKind, PropertyRecord, Verdict};
/// The scenario language and the runners.
pub use murphy_scenarios as scenarios;
pub use murphy_scenarios::{
    Dimension, Effect, KindInfo, MetricInfo, Model, ModelInfo, OperationInfo, Oracles, Param, ParamKind,
    ParamValue, Params, Problem, PropertyInfo, PropertyKind, Protocol, System, Tolerance, language::NodeSpec,
};
/// The engine.
pub use murphy_sim as sim;
pub use murphy_sim::{
    Context, DiskOp, DiskResult, Durable, Fact, Judge, Message, NodeId, Operation, Outcome, Process, Request,
    RequestId, Span, Stamped, Time, TimerId, fold, messages,
};
