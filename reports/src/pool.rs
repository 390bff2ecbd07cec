//! Pooling the runs of one point. The unit of independence is the run, never the request.

use crate::batch::{PointSummary, PooledLatency};
use crate::bootstrap::{Resampler, percentile_interval};
use crate::estimate::{Estimate, Interval, NO_OUTAGE};
use crate::incidents::Reliability;
use crate::latency::{Latency, Pool};
use crate::number::{significant, span_text};
use crate::requests::RequestCounts;
use crate::run::RunSummary;
use crate::service::OUTAGE_GAP_NS;
use crate::stats::{LEVEL, StatsError, log_scale, mean, ratio, sum_of_ratios, zero_events_bound};

/// Latency distributions are resampled in at most this many groups of runs, so that memory stays bounded.
const GROUPS: usize = 64;
/// Resamples for the intervals of quantiles: a sweep has thousands of them.
const QUANTILE_RESAMPLES: usize = 400;
/// The quantiles of a report.
const QUANTILES: [f64; 4] = [0.5, 0.95, 0.99, 0.999];
/// Seconds of a year of 365 days.
pub(crate) const YEAR_S: f64 = 365.0 * 86_400.0;

/// The runs of one point, folded one at a time.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    point: Vec<(String, String)>,
    runs: u64,
    /// Time after the warm-up, over all runs.
    measured_ns: u64,
    requests: Vec<RequestCounts>,
    reliability: Vec<Reliability>,
    latencies: Vec<LatencyFold>,
}

#[derive(Clone, Debug)]
struct LatencyFold {
    workload: String,
    op: String,
    /// Run `i` belongs to group `i % GROUPS`.
    groups: Vec<Latency>,
}

impl Fold {
    pub(crate) fn new(first: &RunSummary) -> Self {
        let ops = first.workloads.iter().flat_map(|workload| {
            workload.ops.iter().map(|op| LatencyFold {
                workload: workload.name.clone(),
                op: op.name.clone(),
                groups: Vec::new(),
            })
        });
        let mut fold = Self {
            point: first.point.clone(),
            runs: 0,
            measured_ns: 0,
            requests: Vec::new(),
            reliability: Vec::new(),
            latencies: ops.collect(),
        };
        fold.add(first);
        fold
    }

    pub(crate) fn point(&self) -> &[(String, String)] {
        &self.point
    }

    pub(crate) fn add(&mut self, run: &RunSummary) {
        let group = usize::try_from(self.runs % GROUPS as u64).unwrap_or(0);
        self.runs += 1;
        self.measured_ns += run.ended_ns.saturating_sub(run.warmup_ns);
        self.requests.push(run.requests_measured);
        self.reliability.extend(run.reliability);
        for fold in &mut self.latencies {
            let ops = run.workloads.iter().filter(|workload| workload.name == fold.workload);
            let op = ops.flat_map(|workload| &workload.ops).find(|op| op.name == fold.op);
            if fold.groups.len() <= group {
                fold.groups.push(Latency::default());
            }
            if let Some(op) = op {
                fold.groups[group].merge(&op.latency);
            }
        }
    }

    pub(crate) fn finish(&self) -> PointSummary {
        let mut requests = RequestCounts::default();
        self.requests.iter().for_each(|counts| requests.merge(counts));
        let mut reliability = Reliability::default();
        self.reliability.iter().for_each(|run| reliability.merge(run));
        let time = self.unavailability_by_time();
        PointSummary {
            point: self.point.clone(),
            runs: self.runs,
            requests,
            availability_by_requests: self.unavailability_by_requests().map(Estimate::complement),
            downtime_s_per_year: time.clone().map(|estimate| estimate.scaled(YEAR_S)),
            availability_by_time: time.map(Estimate::complement),
            reliability: (!self.reliability.is_empty()).then_some(reliability),
            mttd_s: self.ratio(|run| (run.detect_sum_ns, run.detections)),
            mttr_s: self.ratio(repair_terms),
            mttf_s: self.ratio(failure_terms),
            mtbf_s: self.mtbf(),
            latencies: self.latencies.iter().map(LatencyFold::finish).collect(),
        }
    }

    fn unavailability_by_requests(&self) -> Option<Estimate> {
        let unavailability = self.requests.iter().filter_map(RequestCounts::availability).map(|up| 1.0 - up);
        let resolved: u64 = self.requests.iter().map(RequestCounts::resolved).sum();
        let seen = format!("no bad request in {resolved}");
        mean_over_runs(&unavailability.collect::<Vec<_>>(), self.measured_ns, resolved, &seen)
    }

    fn unavailability_by_time(&self) -> Option<Estimate> {
        let observed = self.reliability.iter().filter(|run| run.observed_ns > 0);
        let down: Vec<f64> = observed.map(|run| run.down_ns as f64 / run.observed_ns as f64).collect();
        let time_ns = self.reliability.iter().map(|run| run.observed_ns).sum();
        mean_over_runs(&down, time_ns, u64::MAX, "no outage")
    }

    /// A ratio of sums over the runs, in seconds; `None` when nothing was counted.
    fn ratio(&self, terms: impl Fn(&Reliability) -> (u64, u64)) -> Option<Estimate> {
        let terms = seconds(&self.reliability, terms);
        let count: f64 = terms.iter().map(|term| term.1).sum();
        let sum: f64 = terms.iter().map(|term| term.0).sum();
        (count > 0.0).then(|| with_interval(sum / count, terms.len(), || ratio(&terms, LEVEL)))
    }

    fn mtbf(&self) -> Option<Estimate> {
        let (up, down) =
            (seconds(&self.reliability, failure_terms), seconds(&self.reliability, repair_terms));
        let mut total = Reliability::default();
        self.reliability.iter().for_each(|run| total.merge(run));
        let point = total.mtbf_ns()? / 1e9;
        Some(with_interval(point, up.len(), || sum_of_ratios(&[&up, &down], LEVEL)))
    }
}

fn failure_terms(run: &Reliability) -> (u64, u64) {
    (run.observed_ns - run.down_ns, run.failures)
}

fn repair_terms(run: &Reliability) -> (u64, u64) {
    (run.down_ns, run.repairs)
}

fn seconds(runs: &[Reliability], terms: impl Fn(&Reliability) -> (u64, u64)) -> Vec<(f64, f64)> {
    runs.iter().map(terms).map(|(sum_ns, count)| (sum_ns as f64 / 1e9, count as f64)).collect()
}

fn with_interval(
    point: f64,
    runs: usize,
    interval: impl FnOnce() -> Result<Interval, StatsError>,
) -> Estimate {
    if runs == 1 {
        return Estimate::from_one_run(point);
    }
    let (interval, note) = match interval() {
        Ok(interval) => (Some(interval), String::new()),
        Err(error) => (None, format!("no interval: {error}")),
    };
    Estimate { point, interval, note, runs: runs as u64 }
}

/// Mean unavailability over runs. When nothing was bad, a bound instead of an interval without width.
///
/// The bound is that of no event in the time seen, or among the `trials` if they are fewer, for bad
/// spells of a second, the shortest that counts as an outage.
fn mean_over_runs(values: &[f64], time_ns: u64, trials: u64, seen: &str) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let point = mean(values);
    if point > 0.0 || values.len() == 1 {
        let mut estimate = with_interval(point, values.len(), || log_scale(values, LEVEL));
        if let Some(interval) = &mut estimate.interval {
            interval.high = interval.high.min(1.0);
        }
        return Some(estimate);
    }
    let spells = (time_ns as f64 / OUTAGE_GAP_NS as f64).min(trials as f64);
    let high = zero_events_bound(spells, LEVEL).unwrap_or(1.0).min(1.0);
    let rate = zero_events_bound(time_ns as f64 / 3.6e12, LEVEL).unwrap_or(f64::INFINITY);
    let note = format!(
        "{seen} in {} of simulated time: at most {} outages an hour (95 %, one-sided); the bound holds for outages of 1 s",
        span_text(time_ns),
        significant(rate, 3),
    );
    let interval = Interval { low: 0.0, high, level: LEVEL, method: NO_OUTAGE.to_owned() };
    Some(Estimate { point, interval: Some(interval), note, runs: values.len() as u64 })
}

impl LatencyFold {
    fn finish(&self) -> PooledLatency {
        let mut all = Latency::default();
        self.groups.iter().for_each(|group| all.merge(group));
        let points: Vec<(f64, u64)> =
            QUANTILES.iter().filter_map(|&quantile| Some((quantile, all.quantile_ns(quantile)?))).collect();
        PooledLatency {
            workload: self.workload.clone(),
            op: self.op.clone(),
            count: all.count(),
            quantiles_ms: self.quantiles(&points),
            mean_ms: all.mean_ns().map(|ns| ns / 1e6),
            max_ms: all.max_ns().map(|ns| ns as f64 / 1e6),
        }
    }

    fn quantiles(&self, points: &[(f64, u64)]) -> Vec<(f64, Estimate)> {
        let groups: Vec<&Latency> = self.groups.iter().filter(|group| group.count() > 0).collect();
        let mut resampled = vec![Vec::with_capacity(QUANTILE_RESAMPLES); points.len()];
        if groups.len() > 1 {
            let pool = Pool::of(&groups);
            let mut draws = Resampler::new(groups.len(), 2);
            let mut weights = Vec::new();
            for _ in 0..QUANTILE_RESAMPLES {
                draws.draw(&mut weights);
                for (statistics, ns) in resampled.iter_mut().zip(pool.quantiles_ns(&weights, points)) {
                    statistics.push(ns as f64 / 1e6);
                }
            }
        }
        let estimate = |(&(quantile, ns), statistics): (&(f64, u64), Vec<f64>)| {
            let point = ns as f64 / 1e6;
            (quantile, with_interval(point, groups.len(), || percentile_interval(statistics, LEVEL)))
        };
        points.iter().zip(resampled).map(estimate).collect()
    }
}
