//! Records in, bytes out: statistics, tables, CSV, plots and the report page. Pure; it runs nothing.

mod record;

pub use record::{
    End, FaultRecord, Mark, MarkKind, MessageCount, MetricKind, MetricRecord, Outcome, PropertyRecord,
    Request, RunRecord, Verdict, WorkloadInfo,
};
