//! One run condensed: what tables, pooled figures and the page need, without the requests.

use serde::{Deserialize, Serialize};

use crate::incidents::{Incident, Reliability, incidents};
use crate::latency::{Latency, LatencyFigures};
use crate::record::{
    End, FaultRecord, Mark, MessageCount, MetricKind, MetricRecord, PropertyRecord, Request, RunRecord,
    Verdict,
};
use crate::requests::{RequestClass, RequestCounts, RequestFilter, classify, latency};
use crate::series::{WindowRow, series};
use crate::service::{Elapsed, Service};
use crate::windows::{WindowSet, ended_ns, measured, steady};

/// The result of one run: one point of a sweep with one seed. Instants and spans are nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Name of the scenario at this point.
    pub scenario: String,
    /// Axis name and value, in axis order; empty without a sweep.
    pub point: Vec<(String, String)>,
    /// The seed.
    pub seed: u64,
    /// Planned end.
    pub duration_ns: u64,
    /// Real end: the planned one unless the run was aborted or hit a limit.
    pub ended_ns: u64,
    /// End of the warm-up.
    pub warmup_ns: u64,
    /// How it ended.
    pub end: End,
    /// Hash of the whole event trace.
    #[serde(with = "crate::number::hex")]
    pub trace_hash: u64,
    /// Events the engine handled.
    pub events: u64,
    /// Messages by kind.
    pub messages: Vec<MessageCount>,
    /// Requests of the whole run.
    pub requests: RequestCounts,
    /// Requests that arrived after the warm-up: what the headline figures use.
    pub requests_measured: RequestCounts,
    /// Requests that arrived in `steady`.
    pub requests_steady: RequestCounts,
    /// Each workload, in the scenario's order.
    pub workloads: Vec<WorkloadSummary>,
    /// Latencies of all workloads and operations, after the warm-up.
    pub latency: LatencyFigures,
    /// Synthetic probes sent.
    pub probes: u64,
    /// Synthetic probes that were good.
    pub probes_good: u64,
    /// Length of `steady`.
    pub steady_ns: u64,
    /// Down time within `steady`; `None` without probes. An outage starts at the last good probe, so up
    /// to one probe interval just before a fault counts here.
    pub steady_down_ns: Option<u64>,
    /// Outages of the whole run; `None` without probes.
    pub outages: Option<WindowSet>,
    /// Failures, repairs and down time after the warm-up; `None` without probes.
    pub reliability: Option<Reliability>,
    /// The incidents in order of time.
    pub incidents: Vec<Incident>,
    /// The faults in plan order, with what they hit.
    pub faults: Vec<FaultSummary>,
    /// The properties in the model's order.
    pub properties: Vec<PropertyRecord>,
    /// Names of properties that the scenario wants violated at this point.
    #[serde(default)]
    pub wanted: Vec<String>,
    /// What the run made of each objective.
    #[serde(default)]
    pub slos: Vec<crate::slo::SloSummary>,
    /// The model's own metrics.
    pub metrics: Vec<MetricSummary>,
    /// The course of the run; `None` when it was dropped to save memory.
    pub detail: Option<RunDetail>,
}

/// The course of one run, for plots and for `windows.csv`: large, so kept for few runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunDetail {
    /// One-second windows.
    pub windows: Vec<WindowRow>,
    /// Numbers of events and the upper half of the trace hash after each.
    #[serde(default)]
    pub prefixes: Vec<(u64, u32)>,
    /// Node names in roster order; [`Mark::node`] points here.
    pub nodes: Vec<String>,
    /// What nodes said about the state of the system: the state lanes.
    pub marks: Vec<Mark>,
    /// Changes of breakers: when, at which node, and to which state (0 closed, 1 half open, 2 open).
    #[serde(default)]
    pub breakers: Vec<(u64, u32, u8)>,
}

/// One workload in one run, after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadSummary {
    /// Name in the scenario.
    pub name: String,
    /// Its deadline.
    pub deadline_ns: u64,
    /// Each operation, in the workload's order.
    pub ops: Vec<OpSummary>,
}

/// One operation of one workload in one run, after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpSummary {
    /// Name, such as `put`.
    pub name: String,
    /// What became of the requests.
    pub counts: RequestCounts,
    /// Latencies of the requests that got a correct reply, from arrival. In a large batch the
    /// distribution is dropped; the figures stay.
    pub latency: Latency,
    /// The same in a few figures.
    pub figures: LatencyFigures,
}

/// One fault in one run and how the service took it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultSummary {
    /// The fault and what it hit.
    pub fault: FaultRecord,
    /// From its start until the service was good for a second; `None` without probes.
    pub mitigation: Option<Elapsed>,
    /// The same from its end; `None` without probes.
    pub recovery: Option<Elapsed>,
}

/// One of the model's metrics in one run, after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// Name.
    pub name: String,
    /// `ns`, `B`, `count` or `1`.
    pub unit: String,
    /// How samples combine.
    pub kind: MetricKind,
    /// Number of samples.
    pub count: u64,
    /// Their sum: the total of a counter.
    pub sum: f64,
    /// Smallest sample; `None` without samples, as the next two.
    pub min: Option<f64>,
    /// Largest sample.
    pub max: Option<f64>,
    /// Last sample.
    pub last: Option<f64>,
}

impl RunSummary {
    /// Condenses a run, with its course.
    pub fn of(run: &RunRecord) -> Self {
        let mut summary = Self::without_course(run);
        summary.detail = Some(RunDetail {
            windows: series(run, &Service::of(run)),
            prefixes: run.prefixes.iter().map(|&(events, hash)| (events, upper_half(hash))).collect(),
            nodes: run.node_hashes.iter().map(|(name, _)| name.clone()).collect(),
            marks: run.marks.clone(),
            breakers: breakers(run),
        });
        summary
    }

    /// Condenses a run of a large batch, where nobody looks at the course of each one.
    pub fn without_course(run: &RunRecord) -> Self {
        let service = Service::of(run);
        let incidents = incidents(run, &service);
        let measured = measured(run);
        let steady = steady(run, &service);
        let count = |windows| RequestCounts::of(run, windows, RequestFilter::default());
        let good_probe = |probe: &&Request| classify(run, probe) == RequestClass::Good;
        Self {
            scenario: run.scenario.clone(),
            point: run.point.clone(),
            seed: run.seed,
            duration_ns: run.duration_ns,
            ended_ns: ended_ns(run),
            warmup_ns: run.warmup_ns,
            end: run.end.clone(),
            trace_hash: run.trace_hash,
            events: run.events,
            messages: run.messages.clone(),
            requests: count(&crate::windows::all(run)),
            requests_measured: count(&measured),
            requests_steady: count(&steady),
            latency: latency(run, &measured, RequestFilter::default()).figures(),
            workloads: workloads(run, &measured),
            probes: run.probes.len() as u64,
            probes_good: run.probes.iter().filter(good_probe).count() as u64,
            steady_ns: steady.length_ns(),
            steady_down_ns: service.down_ns(&steady),
            outages: service.outages().cloned(),
            reliability: Reliability::of(run, &service, &incidents),
            incidents,
            faults: faults(run, &service),
            properties: run.properties.clone(),
            wanted: Vec::new(),
            slos: crate::slo::objectives(run, &service),
            metrics: run.metrics.iter().map(|metric| summarise_metric(metric, &measured)).collect(),
            detail: None,
        }
    }

    /// Properties that were violated or could not be judged, but for those that the scenario wants violated.
    pub fn complaints(&self) -> impl Iterator<Item = &PropertyRecord> {
        let held = |property: &PropertyRecord| property.verdict == Verdict::Held;
        self.properties
            .iter()
            .filter(move |property| !held(property) && !self.wanted.contains(&property.name))
    }

    /// Properties that were violated, but for those that the scenario wants violated.
    pub fn violations(&self) -> impl Iterator<Item = &PropertyRecord> {
        self.complaints().filter(|property| matches!(property.verdict, Verdict::Violated { .. }))
    }

    /// Drops the course of the run.
    #[must_use]
    pub fn without_detail(mut self) -> Self {
        self.detail = None;
        self
    }

    /// Share of requests after the warm-up that were good; `None` without a resolved one.
    pub fn availability_by_requests(&self) -> Option<f64> {
        self.requests_measured.availability()
    }

    /// Share of time after the warm-up that the service was up; `None` without probes or time.
    pub fn availability_by_time(&self) -> Option<f64> {
        let reliability = self.reliability.as_ref()?;
        let observed = reliability.observed_ns;
        (observed > 0).then(|| (observed - reliability.down_ns) as f64 / observed as f64)
    }

    /// Messages handed to the network, of all kinds.
    pub fn message_count(&self) -> u64 {
        self.messages.iter().map(|kind| kind.count).sum()
    }
}

/// Changes of breakers, from the metric in which models tell them.
fn breakers(run: &RunRecord) -> Vec<(u64, u32, u8)> {
    let told = run.metrics.iter().filter(|metric| metric.name == "breaker_state");
    let state = |value: f64| if value > 1.5 { 2 } else { u8::from(value > 0.5) };
    told.flat_map(|metric| &metric.samples).map(|&(at, node, value)| (at, node, state(value))).collect()
}

fn upper_half(hash: u64) -> u32 {
    u32::try_from(hash >> 32).expect("32 bits are left")
}

fn workloads(run: &RunRecord, measured: &WindowSet) -> Vec<WorkloadSummary> {
    let summarise = |workload: &crate::record::WorkloadInfo| WorkloadSummary {
        name: workload.name.clone(),
        deadline_ns: workload.deadline_ns,
        ops: workload
            .ops
            .iter()
            .map(|op| {
                let filter = RequestFilter { workload: Some(&workload.name), op: Some(op) };
                let latency = latency(run, measured, filter);
                OpSummary {
                    name: op.clone(),
                    counts: RequestCounts::of(run, measured, filter),
                    figures: latency.figures(),
                    latency,
                }
            })
            .collect(),
    };
    run.workloads.iter().map(summarise).collect()
}

fn faults(run: &RunRecord, service: &Service) -> Vec<FaultSummary> {
    let summarise = |fault: &FaultRecord| FaultSummary {
        fault: fault.clone(),
        mitigation: service.good_from(fault.start_ns),
        recovery: service.good_from(fault.end_ns.unwrap_or(fault.start_ns)),
    };
    run.faults.iter().map(summarise).collect()
}

fn summarise_metric(metric: &MetricRecord, measured: &WindowSet) -> MetricSummary {
    let mut summary = MetricSummary {
        name: metric.name.clone(),
        unit: metric.unit.clone(),
        kind: metric.kind,
        count: 0,
        sum: 0.0,
        min: None,
        max: None,
        last: None,
    };
    for &(at, _, value) in &metric.samples {
        // A sample that is no number would make a sum of none.
        if measured.contains(at) && value.is_finite() {
            summary.count += 1;
            summary.sum += value;
            summary.min = Some(summary.min.map_or(value, |min| min.min(value)));
            summary.max = Some(summary.max.map_or(value, |max| max.max(value)));
            summary.last = Some(value);
        }
    }
    summary
}
