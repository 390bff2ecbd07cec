//! The course of a run in one-second windows, as tidy rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{MetricKind, MetricRecord, RunRecord};
use crate::requests::{RequestClass, RequestCounts, classify, latency_ns};
use crate::service::Service;
use crate::windows::{WindowSet, ended_ns};

/// Length of a window in nanoseconds.
pub const WINDOW_NS: u64 = 1_000_000_000;

/// One figure of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowRow {
    /// Start of the window, in seconds.
    pub t_s: u64,
    /// Name with its unit last, such as `latency_ms_p99`.
    pub metric: String,
    /// `name=value` pairs joined by `,`; empty when the figure covers everything.
    pub labels: String,
    /// The figure.
    pub value: f64,
}

/// The one-second windows of a run; requests belong to the window in which they arrived.
///
/// For every workload (`workload=NAME`), and over all of them with empty labels when there are
/// several: `offered_per_s`, `goodput_per_s`, `availability_by_requests` (left out without a resolved
/// request), `bad_per_s` by `class=…` where there are any, and `latency_ms_p50`, `_p95`, `_p99` over
/// correct replies (left out without one). From probes `availability_by_time`. Then the model's
/// metrics under their own names with their unit: the sum of a counter, the last value of a gauge
/// over all nodes (the mean of the nodes' values), the mean and `_max` of a distribution. Rates of a
/// last, shorter window are taken over its real length.
pub fn series(run: &RunRecord, service: &Service) -> Vec<WindowRow> {
    let ended = ended_ns(run);
    let mut rows = Vec::new();
    let mut first = 0;
    let mut gauges = GaugeState::default();
    for start in (0..ended).step_by(usize::try_from(WINDOW_NS).unwrap_or(usize::MAX)) {
        let end = start.saturating_add(WINDOW_NS).min(ended);
        let mut window =
            Window { t_s: start / WINDOW_NS, length_s: (end - start) as f64 / 1e9, rows: &mut rows };
        let count = run.requests[first..].iter().take_while(|request| request.arrived_ns < end).count();
        window.requests(run, first..first + count);
        first += count;
        if let Some(availability) = service.availability(&WindowSet::one(start, end)) {
            window.push("availability_by_time", String::new(), availability);
        }
        for (index, metric) in run.metrics.iter().enumerate() {
            window.metric(index, metric, (start, end), &mut gauges);
        }
    }
    rows
}

/// Last value of each gauge and node.
type GaugeState = BTreeMap<(usize, u32), f64>;

struct Window<'a> {
    t_s: u64,
    length_s: f64,
    rows: &'a mut Vec<WindowRow>,
}

impl Window<'_> {
    fn push(&mut self, metric: &str, labels: String, value: f64) {
        self.rows.push(WindowRow { t_s: self.t_s, metric: metric.to_owned(), labels, value });
    }

    fn requests(&mut self, run: &RunRecord, range: std::ops::Range<usize>) {
        let mut counts = vec![RequestCounts::default(); run.workloads.len()];
        let mut latencies = vec![Vec::new(); run.workloads.len()];
        for request in &run.requests[range] {
            let workload = usize::from(request.workload);
            counts[workload].add(classify(run, request));
            latencies[workload].extend(latency_ns(request));
        }
        if run.workloads.len() > 1 {
            let mut total = RequestCounts::default();
            for part in &counts {
                total.merge(part);
            }
            self.counts("", &total, &latencies.concat());
        }
        for ((workload, counts), latencies) in run.workloads.iter().zip(&counts).zip(&latencies) {
            self.counts(&format!("workload={}", workload.name), counts, latencies);
        }
    }

    fn counts(&mut self, labels: &str, counts: &RequestCounts, latencies: &[u64]) {
        self.push("offered_per_s", labels.to_owned(), counts.offered() as f64 / self.length_s);
        self.push("goodput_per_s", labels.to_owned(), counts.good as f64 / self.length_s);
        for class in RequestClass::BAD {
            let count = counts.get(class);
            if count > 0 {
                let comma = if labels.is_empty() { "" } else { "," };
                let labels = format!("{labels}{comma}class={}", class.name());
                self.push("bad_per_s", labels, count as f64 / self.length_s);
            }
        }
        if let Some(availability) = counts.availability() {
            self.push("availability_by_requests", labels.to_owned(), availability);
        }
        let mut sorted = latencies.to_vec();
        sorted.sort_unstable();
        for (name, percent) in [("latency_ms_p50", 50), ("latency_ms_p95", 95), ("latency_ms_p99", 99)] {
            // The nearest rank, exactly: a window holds few requests.
            let rank = (sorted.len() * percent).div_ceil(100);
            if let Some(&ns) = rank.checked_sub(1).and_then(|index| sorted.get(index)) {
                self.push(name, labels.to_owned(), ns as f64 / 1e6);
            }
        }
    }

    fn metric(&mut self, index: usize, metric: &MetricRecord, window: (u64, u64), gauges: &mut GaugeState) {
        let first = metric.samples.partition_point(|sample| sample.0 < window.0);
        let samples: Vec<_> =
            metric.samples[first..].iter().take_while(|sample| sample.0 < window.1).collect();
        let name = metric_column(metric);
        match metric.kind {
            MetricKind::Counter => {
                self.push(&name, String::new(), samples.iter().fold(0.0, |sum, sample| sum + sample.2));
            }
            MetricKind::Gauge => {
                gauges.extend(samples.iter().map(|sample| ((index, sample.1), sample.2)));
                let last: Vec<f64> =
                    gauges.range((index, 0)..=(index, u32::MAX)).map(|(_, &value)| value).collect();
                if !last.is_empty() {
                    self.push(&name, String::new(), last.iter().sum::<f64>() / last.len() as f64);
                }
            }
            MetricKind::Distribution => {
                let values = samples.iter().map(|sample| sample.2);
                if let Some(max) = values.clone().reduce(f64::max) {
                    self.push(
                        &format!("{name}_mean"),
                        String::new(),
                        values.sum::<f64>() / samples.len() as f64,
                    );
                    self.push(&format!("{name}_max"), String::new(), max);
                }
            }
        }
    }
}

/// The column name of a model's metric, with its unit last: `queue_wait` in `ns` is `queue_wait_ns`.
pub fn metric_column(metric: &MetricRecord) -> String {
    column(&metric.name, &metric.unit)
}

pub(crate) fn column(name: &str, unit: &str) -> String {
    match unit {
        "ns" => format!("{name}_ns"),
        "B" => format!("{name}_bytes"),
        _ => name.to_owned(),
    }
}
