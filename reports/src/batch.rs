//! All runs of one command: their summaries, the figures pooled over seeds, and the verdict.

use serde::{Deserialize, Serialize};

use crate::compare::ComparisonSummary;
use crate::estimate::Estimate;
use crate::expectation::{ExpectationSummary, Judgement};
use crate::incidents::Reliability;
use crate::pool::Fold;
use crate::record::{End, Verdict};
use crate::requests::RequestCounts;
use crate::run::RunSummary;

/// What was run and how to run it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInfo {
    /// Name of the scenario.
    pub scenario: String,
    /// Its one-line description.
    pub about: String,
    /// Scenario file, as the user named it.
    pub file: String,
    /// The command that repeats the batch.
    pub command: String,
    /// Version of the engine.
    pub engine: String,
    /// Hash of the resolved scenario and the engine version: names the folder of results.
    pub run_id: String,
    /// The resolved scenario, as written beside the results.
    pub resolved: String,
}

/// All runs of one command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// What was run.
    pub info: BatchInfo,
    /// The runs, in index order: points in order, and seeds within a point.
    pub runs: Vec<RunSummary>,
    /// Figures pooled over the seeds of each point, in point order.
    pub points: Vec<PointSummary>,
    /// Expectations by point, in scenario order.
    pub expectations: Vec<ExpectationSummary>,
    /// Comparisons of points, in scenario order.
    pub comparisons: Vec<ComparisonSummary>,
    /// Verdict over everything: expectations, properties and how the runs ended.
    pub verdict: Judgement,
    /// Hash over the runs' trace hashes in order; the trace hash itself for a single run.
    #[serde(with = "crate::number::hex")]
    pub trace_hash: u64,
}

/// The seeds of one point, pooled. Everything is taken after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointSummary {
    /// Axis name and value, in axis order; empty without a sweep.
    pub point: Vec<(String, String)>,
    /// Runs pooled.
    pub runs: u64,
    /// Requests of all runs.
    pub requests: RequestCounts,
    /// Share of requests that were good: the mean over runs. `None` without a resolved request.
    pub availability_by_requests: Option<Estimate>,
    /// Share of time up: the mean over runs. `None` without probes.
    pub availability_by_time: Option<Estimate>,
    /// Seconds down a year, by time. `None` without probes.
    pub downtime_s_per_year: Option<Estimate>,
    /// Failures, repairs and down time of all runs; `None` without probes.
    pub reliability: Option<Reliability>,
    /// Mean time to detect, in seconds.
    pub mttd_s: Option<Estimate>,
    /// Mean time to repair, in seconds.
    pub mttr_s: Option<Estimate>,
    /// Mean time to failure, in seconds.
    pub mttf_s: Option<Estimate>,
    /// Mean time between failures, in seconds: MTTF + MTTR.
    pub mtbf_s: Option<Estimate>,
    /// Latency of each workload and operation.
    pub latencies: Vec<PooledLatency>,
}

/// The latency of one operation, pooled over the seeds of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PooledLatency {
    /// Workload.
    pub workload: String,
    /// Operation.
    pub op: String,
    /// Requests that got a correct reply.
    pub count: u64,
    /// Quantiles 0.5, 0.95, 0.99 and 0.999 in milliseconds; empty without samples.
    pub quantiles_ms: Vec<(f64, Estimate)>,
    /// Mean in milliseconds.
    pub mean_ms: Option<f64>,
    /// Largest in milliseconds.
    pub max_ms: Option<f64>,
}

/// Collects the runs of a batch in index order, without keeping what only the pooled figures need.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    info: BatchInfo,
    runs: Vec<RunSummary>,
    folds: Vec<Fold>,
    latencies_kept: usize,
}

impl BatchBuilder {
    /// Runs whose latency distributions are kept unless told otherwise; later ones live on in the
    /// pooled figures only.
    pub const LATENCIES_KEPT: usize = 256;

    /// A batch without runs.
    pub fn new(info: BatchInfo) -> Self {
        Self { info, runs: Vec::new(), folds: Vec::new(), latencies_kept: Self::LATENCIES_KEPT }
    }

    /// Keeps the latency distributions of this many runs, so that they can be pooled again later.
    #[must_use]
    pub fn keep_latencies(self, runs: usize) -> Self {
        Self { latencies_kept: runs, ..self }
    }

    /// Adds a run. Runs of one point come one after another.
    ///
    /// The course of a run is kept for the first run of each point, and the latency distributions of
    /// as many runs as [`BatchBuilder::keep_latencies`] says.
    pub fn add(&mut self, mut run: RunSummary) {
        match self.folds.last_mut() {
            Some(fold) if fold.point() == run.point => {
                fold.add(&run);
                run.detail = None;
            }
            _ => self.folds.push(Fold::new(&run)),
        }
        if self.runs.len() >= self.latencies_kept {
            for op in run.workloads.iter_mut().flat_map(|workload| &mut workload.ops) {
                op.latency = op.latency.without_buckets();
            }
        }
        self.runs.push(run);
    }

    /// Pools the figures and gives the verdict.
    ///
    /// The verdict is fail when an expectation failed or a property was violated; otherwise inconclusive
    /// when an expectation or property could not be judged, a limit ended a run, or nothing was run.
    pub fn finish(self, expectations: Vec<ExpectationSummary>) -> Batch {
        let worst_run = self.runs.iter().map(run_verdict).max().unwrap_or(Judgement::Inconclusive);
        let worst = expectations.iter().map(|expectation| expectation.verdict).max();
        let trace_hash = fold_hashes(&self.runs);
        Batch {
            verdict: worst.map_or(worst_run, |verdict| verdict.max(worst_run)),
            points: self.folds.iter().map(Fold::finish).collect(),
            info: self.info,
            runs: self.runs,
            expectations,
            comparisons: Vec::new(),
            trace_hash,
        }
    }
}

impl Batch {
    /// The batch with comparisons of its points: a claim that was not shown fails it.
    #[must_use]
    pub fn with_comparisons(mut self, comparisons: Vec<ComparisonSummary>) -> Batch {
        let claims = comparisons.iter().filter_map(|comparison| comparison.claim.as_ref());
        self.verdict = claims.map(|claim| claim.verdict).fold(self.verdict, Judgement::max);
        self.comparisons = comparisons;
        self
    }

    /// Exit code of the program: 0 pass, 1 fail, 5 inconclusive.
    pub fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }
}

/// What a run says by itself: an abort and a limit count even when no expectation asks.
fn run_verdict(run: &RunSummary) -> Judgement {
    let ended = match run.end {
        End::Finished => Judgement::Pass,
        End::Aborted { ref property, .. } if run.wanted.contains(property) => Judgement::Pass,
        End::Aborted { .. } => Judgement::Fail,
        End::Limit { .. } => Judgement::Inconclusive,
    };
    let properties = run.complaints().map(|property| match property.verdict {
        Verdict::Held => Judgement::Pass,
        Verdict::Violated { .. } => Judgement::Fail,
        Verdict::Unknown { .. } => Judgement::Inconclusive,
    });
    properties.fold(ended, Judgement::max)
}

fn fold_hashes(runs: &[RunSummary]) -> u64 {
    if let [only] = runs {
        return only.trace_hash;
    }
    let mut hasher = blake3::Hasher::new();
    for run in runs {
        hasher.update(&run.trace_hash.to_le_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}
