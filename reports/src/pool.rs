//! Pooling the runs of one point. The unit of independence is the run, never the request.

use crate::batch::PointSummary;
use crate::incidents::Reliability;
use crate::latency::Latency;
use crate::requests::RequestCounts;
use crate::run::RunSummary;

/// Latency distributions are resampled in at most this many groups of runs, so that memory stays bounded.
const GROUPS: usize = 64;

/// The runs of one point, folded one at a time.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    point: Vec<(String, String)>,
    runs: u64,
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
        self.requests.push(run.requests_measured);
        self.reliability.extend(run.reliability);
        for fold in &mut self.latencies {
            let op =
                run.workloads.iter().filter(|workload| workload.name == fold.workload).flat_map(|w| &w.ops);
            let latency = op.filter(|op| op.name == fold.op).map(|op| &op.latency).next();
            if fold.groups.len() <= group {
                fold.groups.push(Latency::default());
            }
            if let Some(latency) = latency {
                fold.groups[group].merge(latency);
            }
        }
    }

    pub(crate) fn finish(&self) -> PointSummary {
        let mut requests = RequestCounts::default();
        self.requests.iter().for_each(|counts| requests.merge(counts));
        let mut reliability = Reliability::default();
        self.reliability.iter().for_each(|run| reliability.merge(run));
        PointSummary {
            point: self.point.clone(),
            runs: self.runs,
            requests,
            availability_by_requests: None,
            availability_by_time: None,
            downtime_s_per_year: None,
            reliability: (!self.reliability.is_empty()).then_some(reliability),
            mttd_s: None,
            mttr_s: None,
            mttf_s: None,
            mtbf_s: None,
            latencies: Vec::new(),
        }
    }
}
