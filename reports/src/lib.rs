//! Records in, bytes out: statistics, tables, CSV, plots and the report page. Pure; it runs nothing.

mod record;

mod incidents;
mod latency;
mod requests;
mod run;
mod series;
mod service;
mod slo;
mod stats;
mod windows;

mod batch;
mod bootstrap;
mod compare;
mod estimate;
mod expectation;
mod pairing;
mod pool;

mod golden;
mod json;
mod manifest;
mod number;
mod suite;
mod summary;
mod tables;

mod export;
mod page;
mod plot;
mod story;

pub use batch::{Batch, BatchBuilder, BatchInfo, PointSummary, PooledLatency};
pub use bootstrap::{
    RESAMPLES, Resampler, bootstrap_mean, bootstrap_mean_at, paired_difference, percentile_interval,
};
pub use compare::{ArmSummary, ClaimSummary, ComparisonSummary, compare_csv};
pub use estimate::{Estimate, Interval, NO_OUTAGE, ONE_RUN, nines};
pub use expectation::{ExpectationResult, ExpectationSummary, Judgement, Over, SeedResult};
pub use export::{SHIVIZ_REGEX, events_csv, perfetto, shiviz};
pub use golden::{GoldenReview, golden, review_golden};
pub use incidents::{Incident, JUST_BEFORE_NS, Reliability, incidents};
pub use json::{RESULT_SCHEMA, ResultError, read_result_json, result_json};
pub use latency::{Latency, LatencyFigures};
pub use manifest::manifest;
pub use number::{exact_seconds, grouped, hash_text, nine_digits, significant, span_text};
pub use page::{explain_page, page};
pub use pairing::{PairingError, pairings};
pub use plot::{
    Axis, Band, Chart, Drawing, Frame, HeatCell, HeatMap, Lane, LaneChart, Point, SIZES, Scale, Series, Size,
    Stretch, Unit,
};
pub use record::{
    End, FaultRecord, Mark, MarkKind, MessageCount, MetricKind, MetricRecord, Outcome, Persistence,
    PropertyRecord, Request, RunRecord, Verdict, WorkloadInfo,
};
pub use requests::{RequestClass, RequestCounts, RequestFilter, arrived_in, classify, latency, latency_ns};
pub use run::{FaultSummary, MetricSummary, OpSummary, RunDetail, RunSummary, WorkloadSummary};
pub use series::{WINDOW_NS, WindowRow, metric_column, series};
pub use service::{Elapsed, GOOD_FOR_NS, OUTAGE_GAP_NS, Service};
pub use slo::{Alert, AlertScheme, Course, Severity, SloBy, SloSpec, SloSummary, alerts, objectives};
pub use stats::{
    LEVEL, StatsError, batch_means, clopper_pearson, downtime_f, log_scale, mean, normal_quantile,
    poisson_rate, ratio, samples_needed, student_t, sum_of_ratios, wilson, zero_events_bound,
};
pub use story::{Story, StoryChance, StoryEvent, StoryFault, StoryMessage};
pub use suite::{CheckResult, SuiteCase, junit_xml, suite_markdown};
pub use summary::{WIDTH, terminal_summary};
pub use tables::{
    faults_csv, files, incidents_csv, point_text, summary_csv, windows_csv, windows_csv_header,
    windows_csv_rows,
};
pub use windows::{WindowSet, after, all, during, ended_ns, explicit, fault_span, measured, steady, warmup};
