//! The files of results: CSV tables and `result.json`. The same records give the same bytes.

use std::collections::BTreeSet;

use crate::batch::Batch;
use crate::number::{exact_seconds, hash_text, nine_digits};
use crate::record::{End, MetricKind, Verdict};
use crate::requests::RequestClass;
use crate::run::{MetricSummary, RunSummary};
use crate::service::Elapsed;

/// Columns of `windows.csv`.
const WINDOW_COLUMNS: [&str; 6] = ["point", "seed", "t", "metric", "labels", "value"];

/// The name of a sweep point in files: `policy=budget,load=800/s`; empty without a sweep.
pub fn point_text(point: &[(String, String)]) -> String {
    point.iter().map(|(axis, value)| format!("{axis}={value}")).collect::<Vec<_>>().join(",")
}

/// `summary.csv`: one row a run (point × seed).
///
/// Fixed columns first, then one `axis_NAME` column an axis, then latency of each
/// `WORKLOAD.OPERATION`, then the model's metrics. Requests, latencies and metrics are those after the
/// warm-up. A figure without samples is an empty cell.
pub fn summary_csv(runs: &[RunSummary]) -> String {
    let columns = Columns::of(runs);
    let mut table = Table::new(&columns.header());
    for run in runs {
        table.row(&columns.cells(run));
    }
    table.finish()
}

/// `windows.csv`: one-second windows of the runs whose course is known, in tidy form; `t` in seconds.
pub fn windows_csv(runs: &[RunSummary]) -> String {
    let mut text = windows_csv_header();
    for run in runs {
        text.push_str(&windows_csv_rows(run));
    }
    text
}

/// The header line of `windows.csv`, for a writer that appends runs as they come.
pub fn windows_csv_header() -> String {
    Table::new(&WINDOW_COLUMNS).finish()
}

/// The lines of one run in `windows.csv`; empty when its course was dropped.
pub fn windows_csv_rows(run: &RunSummary) -> String {
    let mut table = Table::empty();
    let (point, seed) = (point_text(&run.point), run.seed.to_string());
    for row in run.detail.iter().flat_map(|detail| &detail.windows) {
        let (t, value) = (row.t_s.to_string(), nine_digits(row.value));
        table.row(&[point.as_str(), &seed, &t, &row.metric, &row.labels, &value]);
    }
    table.finish()
}

/// `incidents.csv`: one row an incident. Instants count from the start of the run.
pub fn incidents_csv(runs: &[RunSummary]) -> String {
    let mut table = Table::new(&[
        "point",
        "seed",
        "incident",
        "causes",
        "start_s",
        "detected_s",
        "mitigated_s",
        "recovered_s",
        "detect_after_s",
        "mitigate_after_s",
        "recover_after_s",
    ]);
    let seconds = |ns: Option<u64>| ns.map_or_else(String::new, exact_seconds);
    for run in runs {
        for (index, incident) in run.incidents.iter().enumerate() {
            table.row(&[
                point_text(&run.point),
                run.seed.to_string(),
                (index + 1).to_string(),
                incident.causes.join(";"),
                exact_seconds(incident.start_ns),
                seconds(incident.detected_ns),
                seconds(incident.mitigated_ns),
                seconds(incident.recovered_ns),
                seconds(incident.detect_ns()),
                seconds(incident.mitigate_ns()),
                seconds(incident.recover_ns()),
            ]);
        }
    }
    table.finish()
}

/// `faults.csv`: one row a fault of each run, with what it hit (`NAME=COUNT` joined by `;`).
///
/// `end_s` is empty for a permanent fault. `mitigation_s` and `recovery_s` are `inf` when the run ended
/// with the service down, and empty without a sample. `origin` is the generator that a fault came from.
pub fn faults_csv(runs: &[RunSummary]) -> String {
    let mut table = Table::new(&[
        "point",
        "seed",
        "fault",
        "kind",
        "target",
        "start_s",
        "end_s",
        "mitigation_s",
        "recovery_s",
        "hits",
        "persistence",
        "cause",
        "origin",
    ]);
    for run in runs {
        for summary in &run.faults {
            let fault = &summary.fault;
            let hits: Vec<String> =
                fault.hits.iter().map(|(name, count)| format!("{name}={count}")).collect();
            table.row(&[
                point_text(&run.point),
                run.seed.to_string(),
                fault.name.clone(),
                fault.kind.clone(),
                fault.target.clone(),
                exact_seconds(fault.start_ns),
                fault.end_ns.map_or_else(String::new, exact_seconds),
                elapsed_cell(summary.mitigation),
                elapsed_cell(summary.recovery),
                hits.join(";"),
                fault.persistence.word().to_owned(),
                fault.cause.clone(),
                fault.origin.clone(),
            ]);
        }
    }
    table.finish()
}

fn elapsed_cell(elapsed: Option<Elapsed>) -> String {
    match elapsed {
        Some(Elapsed::After { ns }) => exact_seconds(ns),
        Some(Elapsed::Never) => "inf".to_owned(),
        Some(Elapsed::TooShort) | None => String::new(),
    }
}

/// A CSV table in memory.
struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn empty() -> Self {
        Self(csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new()))
    }

    fn new(header: &[impl AsRef<[u8]>]) -> Self {
        let mut table = Self::empty();
        table.row(header);
        table
    }

    fn row(&mut self, cells: &[impl AsRef<[u8]>]) {
        self.0.write_record(cells).expect("rows of a table have one width, and memory does not fail");
    }

    fn finish(self) -> String {
        let bytes = self.0.into_inner().expect("memory does not fail");
        String::from_utf8(bytes).expect("cells are text")
    }
}

/// The columns of `summary.csv` that depend on what was run; the union over all runs.
struct Columns {
    axes: Vec<String>,
    ops: Vec<(String, String)>,
    metrics: Vec<(String, Vec<&'static str>)>,
}

const FIXED: [&str; 14] = [
    "point",
    "seed",
    "scenario",
    "end",
    "ended_s",
    "warmup_s",
    "trace_hash",
    "events",
    "messages",
    "message_bytes",
    "properties_violated",
    "properties_unknown",
    "probes",
    "probes_good",
];
const AVAILABILITY: [&str; 12] = [
    "offered_per_s",
    "goodput_per_s",
    "availability_by_requests",
    "availability_by_requests_steady",
    "availability_by_time",
    "availability_by_time_steady",
    "down_s",
    "incidents",
    "mttd_s",
    "mttr_s",
    "mttf_s",
    "mtbf_s",
];
const LATENCY: [&str; 6] = [
    "latency_ms_mean",
    "latency_ms_p50",
    "latency_ms_p95",
    "latency_ms_p99",
    "latency_ms_p999",
    "latency_ms_max",
];

impl Columns {
    fn of(runs: &[RunSummary]) -> Self {
        let mut columns = Self { axes: Vec::new(), ops: Vec::new(), metrics: Vec::new() };
        let mut seen = BTreeSet::new();
        for run in runs {
            let axes = run.point.iter().map(|(axis, _)| axis);
            columns
                .axes
                .extend(axes.filter(|axis| seen.insert((0, (*axis).clone(), String::new()))).cloned());
            for workload in &run.workloads {
                let ops = workload.ops.iter().map(|op| (workload.name.clone(), op.name.clone()));
                columns
                    .ops
                    .extend(ops.filter(|(workload, op)| seen.insert((1, workload.clone(), op.clone()))));
            }
            for metric in &run.metrics {
                if seen.insert((2, metric_column(metric), String::new())) {
                    columns.metrics.push((metric_column(metric), parts(metric.kind)));
                }
            }
        }
        columns
    }

    fn header(&self) -> Vec<String> {
        let mut header: Vec<String> = FIXED.iter().map(|&name| name.to_owned()).collect();
        header.push("requests".to_owned());
        header.push("requests_good".to_owned());
        header.extend(
            RequestClass::BAD.iter().map(|class| format!("requests_{}", class.name().replace('-', "_"))),
        );
        header.push("requests_censored".to_owned());
        header.extend(AVAILABILITY.iter().chain(&LATENCY).map(|&name| name.to_owned()));
        header.extend(self.axes.iter().map(|axis| format!("axis_{axis}")));
        for (workload, op) in &self.ops {
            header.extend(LATENCY.iter().map(|name| format!("{workload}.{op}.{name}")));
        }
        for (name, parts) in &self.metrics {
            header.extend(parts.iter().map(|part| format!("{name}_{part}")));
        }
        header
    }

    fn cells(&self, run: &RunSummary) -> Vec<String> {
        let mut cells = fixed_cells(run);
        let requests = &run.requests_measured;
        cells.extend([requests.offered(), requests.good].map(|count| count.to_string()));
        cells.extend(RequestClass::BAD.iter().map(|&class| requests.get(class).to_string()));
        cells.push(requests.censored.to_string());
        cells.extend(availability_cells(run));
        cells.extend(latency_cells(Some(&run.latency)));
        let value =
            |axis: &String| run.point.iter().find(|(name, _)| name == axis).map(|(_, value)| value.clone());
        cells.extend(self.axes.iter().map(|axis| value(axis).unwrap_or_default()));
        for (workload, op) in &self.ops {
            let ops =
                run.workloads.iter().filter(|known| known.name == *workload).flat_map(|known| &known.ops);
            cells.extend(latency_cells(
                ops.filter(|known| known.name == *op).map(|known| &known.figures).next(),
            ));
        }
        for (name, parts) in &self.metrics {
            let metric = run.metrics.iter().find(|metric| metric_column(metric) == *name);
            cells.extend(parts.iter().map(|part| metric_cell(metric, part)));
        }
        cells
    }
}

fn fixed_cells(run: &RunSummary) -> Vec<String> {
    let count = |wanted: fn(&Verdict) -> bool| {
        run.properties.iter().filter(|property| wanted(&property.verdict)).count()
    };
    let bytes: u64 = run.messages.iter().map(|kind| kind.bytes).sum();
    let end = match &run.end {
        End::Finished => "finished".to_owned(),
        End::Aborted { property, .. } => format!("aborted: {property}"),
        End::Limit { limit, .. } => format!("limit: {limit}"),
    };
    vec![
        point_text(&run.point),
        run.seed.to_string(),
        run.scenario.clone(),
        end,
        exact_seconds(run.ended_ns),
        exact_seconds(run.warmup_ns),
        hash_text(run.trace_hash),
        run.events.to_string(),
        run.message_count().to_string(),
        bytes.to_string(),
        count(|verdict| matches!(verdict, Verdict::Violated { .. })).to_string(),
        count(|verdict| matches!(verdict, Verdict::Unknown { .. })).to_string(),
        run.probes.to_string(),
        run.probes_good.to_string(),
    ]
}

fn availability_cells(run: &RunSummary) -> [String; 12] {
    let measured_s = run.ended_ns.saturating_sub(run.warmup_ns) as f64 / 1e9;
    let per_second =
        |count: u64| if measured_s > 0.0 { nine_digits(count as f64 / measured_s) } else { String::new() };
    let figure = |value: Option<f64>| value.map_or_else(String::new, nine_digits);
    let steady = run.steady_down_ns.filter(|_| run.steady_ns > 0);
    let reliability = run.reliability.as_ref();
    let mean_s = |ns: Option<f64>| figure(ns.map(|ns| ns / 1e9));
    [
        per_second(run.requests_measured.offered()),
        per_second(run.requests_measured.good),
        figure(run.availability_by_requests()),
        figure(run.requests_steady.availability()),
        figure(run.availability_by_time()),
        figure(steady.map(|down| (run.steady_ns - down) as f64 / run.steady_ns as f64)),
        reliability.map_or_else(String::new, |reliability| exact_seconds(reliability.down_ns)),
        reliability.map_or_else(String::new, |reliability| reliability.failures.to_string()),
        mean_s(reliability.and_then(crate::Reliability::mttd_ns)),
        mean_s(reliability.and_then(crate::Reliability::mttr_ns)),
        mean_s(reliability.and_then(crate::Reliability::mttf_ns)),
        mean_s(reliability.and_then(crate::Reliability::mtbf_ns)),
    ]
}

fn latency_cells(figures: Option<&crate::LatencyFigures>) -> [String; 6] {
    let Some(figures) = figures else {
        return std::array::from_fn(|_| String::new());
    };
    let whole = [figures.p50_ns, figures.p95_ns, figures.p99_ns, figures.p999_ns, figures.max_ns];
    let [p50, p95, p99, p999, max] = whole.map(|ns| ns.map(|ns| ns as f64));
    [figures.mean_ns, p50, p95, p99, p999, max]
        .map(|ns| ns.map_or_else(String::new, |ns| nine_digits(ns / 1e6)))
}

fn metric_column(metric: &MetricSummary) -> String {
    crate::series::column(&metric.name, &metric.unit)
}

fn parts(kind: MetricKind) -> Vec<&'static str> {
    match kind {
        MetricKind::Counter => vec!["total"],
        MetricKind::Gauge => vec!["last", "max"],
        MetricKind::Distribution => vec!["count", "mean", "max"],
    }
}

fn metric_cell(metric: Option<&MetricSummary>, part: &str) -> String {
    let value = metric.and_then(|metric| match part {
        "total" => Some(metric.sum),
        "last" => metric.last,
        "count" => Some(metric.count as f64),
        "mean" => (metric.count > 0).then(|| metric.sum / metric.count as f64),
        _ => metric.max,
    });
    value.map_or_else(String::new, nine_digits)
}

/// The names and bytes of the deterministic files of a batch, in alphabetical order, without the manifest.
pub fn files(batch: &Batch) -> Vec<(String, Vec<u8>)> {
    let runs = &batch.runs;
    let mut files = vec![
        ("faults.csv".to_owned(), faults_csv(runs).into_bytes()),
        ("incidents.csv".to_owned(), incidents_csv(runs).into_bytes()),
        ("result.json".to_owned(), crate::json::result_json(batch).into_bytes()),
        ("summary.csv".to_owned(), summary_csv(runs).into_bytes()),
        ("windows.csv".to_owned(), windows_csv(runs).into_bytes()),
    ];
    if !batch.comparisons.is_empty() {
        files.push(("compare.csv".to_owned(), crate::compare::compare_csv(&batch.comparisons).into_bytes()));
    }
    files
}
