//! Incidents: what broke the service, when that was detected, mitigated and recovered from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{Mark, MarkKind, RunRecord};
use crate::service::{OUTAGE_GAP_NS, Service};
use crate::windows::{WindowSet, ended_ns, measured};

/// A fault that ended at most this long before an outage may still have caused it.
pub const JUST_BEFORE_NS: u64 = 5_000_000_000;
/// A node that says within this long after a restart that it is behind had not caught up at the restart.
const SETTLE_NS: u64 = 1_000_000_000;

/// One outage of the service and what happened in it. Instants are nanoseconds from the start of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The last good probe before it.
    pub start_ns: u64,
    /// Faults that may have caused it: active when it started, within a second after its last good
    /// probe, or ended at most [`JUST_BEFORE_NS`] earlier. By name, in plan order.
    pub causes: Vec<String>,
    /// First suspicion or view change within it.
    pub detected_ns: Option<u64>,
    /// First good probe after it; `None` when the run ended during it.
    pub mitigated_ns: Option<u64>,
    /// First instant from the mitigation on at which all correct nodes had caught up; `None` if never.
    ///
    /// A node that crashed and never came back is not correct, so nobody waits for it.
    pub recovered_ns: Option<u64>,
}

impl Incident {
    /// Time to detect; `None` when nobody noticed.
    pub fn detect_ns(&self) -> Option<u64> {
        Some(self.detected_ns? - self.start_ns)
    }

    /// Time to mitigate: how long users felt it; `None` while open.
    pub fn mitigate_ns(&self) -> Option<u64> {
        Some(self.mitigated_ns? - self.start_ns)
    }

    /// Time to recover: until all correct nodes had caught up.
    pub fn recover_ns(&self) -> Option<u64> {
        Some(self.recovered_ns? - self.start_ns)
    }
}

/// The incidents of a run in order of time; empty without probes.
pub fn incidents(run: &RunRecord, service: &Service) -> Vec<Incident> {
    let Some(outages) = service.outages() else {
        return Vec::new();
    };
    let lagging = Lagging::of(run);
    let ended = ended_ns(run);
    let last = outages.as_slice().last().copied();
    let incident = |&(start_ns, end_ns): &(u64, u64)| {
        let open = service.ends_down() && last == Some((start_ns, end_ns)) && end_ns == ended;
        let mitigated_ns = (!open).then_some(end_ns);
        Incident {
            start_ns,
            causes: causes(run, start_ns),
            detected_ns: detected(&run.marks, start_ns, end_ns),
            mitigated_ns,
            recovered_ns: mitigated_ns.and_then(|at| lagging.first_caught_up(at)),
        }
    };
    outages.as_slice().iter().map(incident).collect()
}

fn causes(run: &RunRecord, start_ns: u64) -> Vec<String> {
    let from = start_ns.saturating_sub(JUST_BEFORE_NS);
    let until = start_ns.saturating_add(OUTAGE_GAP_NS);
    let active = run.faults.iter().filter(|fault| {
        fault.start_ns <= until && fault.end_ns.is_none_or(|end| end.max(fault.start_ns) >= from)
    });
    let mut names: Vec<String> = Vec::new();
    for fault in active {
        if !names.contains(&fault.name) {
            names.push(fault.name.clone());
        }
    }
    names
}

fn detected(marks: &[Mark], start_ns: u64, end_ns: u64) -> Option<u64> {
    let first = marks.partition_point(|mark| mark.at_ns < start_ns);
    let within = marks[first..].iter().take_while(|mark| mark.at_ns < end_ns);
    within
        .filter(|mark| matches!(mark.kind, MarkKind::Suspect | MarkKind::ViewChange))
        .map(|mark| mark.at_ns)
        .next()
}

/// When at least one correct node is down or behind.
struct Lagging(WindowSet);

impl Lagging {
    fn of(run: &RunRecord) -> Self {
        let mut by_node: BTreeMap<u32, Vec<&Mark>> = BTreeMap::new();
        for mark in run.marks.iter().filter(|mark| moves(mark.kind)) {
            by_node.entry(mark.node).or_default().push(mark);
        }
        let windows: Vec<_> = by_node.values().flat_map(|marks| node_windows(marks)).collect();
        Self(WindowSet::from(windows))
    }

    fn first_caught_up(&self, from_ns: u64) -> Option<u64> {
        let after = self.0.as_slice().partition_point(|&(_, end)| end <= from_ns);
        match self.0.as_slice().get(after) {
            Some(&(start, end)) if start <= from_ns => (end != u64::MAX).then_some(end),
            _ => Some(from_ns),
        }
    }
}

fn moves(kind: MarkKind) -> bool {
    matches!(kind, MarkKind::Crash | MarkKind::Restart | MarkKind::Behind | MarkKind::CaughtUp)
}

/// Windows in which one node lags; an end of `u64::MAX` means that it never caught up.
fn node_windows(marks: &[&Mark]) -> Vec<(u64, u64)> {
    let mut windows = Vec::new();
    let mut since: Option<u64> = None;
    let mut crashed_since: Option<u64> = None;
    for (index, mark) in marks.iter().enumerate() {
        match mark.kind {
            MarkKind::Crash => {
                crashed_since = crashed_since.or(Some(mark.at_ns));
                since = since.or(Some(mark.at_ns));
            }
            MarkKind::Behind => since = since.or(Some(mark.at_ns)),
            MarkKind::Restart => {
                crashed_since = None;
                let still_behind = marks.get(index + 1).is_some_and(|next| match next.kind {
                    MarkKind::CaughtUp => true,
                    MarkKind::Behind => next.at_ns - mark.at_ns <= SETTLE_NS,
                    _ => false,
                });
                if !still_behind {
                    windows.extend(since.take().map(|start| (start, mark.at_ns)));
                }
            }
            _ => windows.extend(since.take().map(|start| (start, mark.at_ns))),
        }
    }
    match (since, crashed_since) {
        // Gone for good: until its crash it was correct, after it nobody waits for it.
        (Some(start), Some(crash)) => windows.push((start, crash)),
        (Some(start), None) => windows.push((start, u64::MAX)),
        (None, _) => {}
    }
    windows
}

/// What the incidents of one run add up to. Only incidents that start after the warm-up count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Incidents.
    pub failures: u64,
    /// Incidents that ended within the run.
    pub repairs: u64,
    /// Time observed after the warm-up.
    pub observed_ns: u64,
    /// Down time within it.
    pub down_ns: u64,
    /// Incidents that somebody detected.
    pub detections: u64,
    /// Sum of their times to detect.
    pub detect_sum_ns: u64,
}

impl Reliability {
    /// Adds up the incidents of a run; `None` without probes.
    pub fn of(run: &RunRecord, service: &Service, incidents: &[Incident]) -> Option<Self> {
        let observed = measured(run);
        let counted = incidents.iter().filter(|incident| incident.start_ns >= run.warmup_ns);
        let mut total = Self {
            observed_ns: observed.length_ns(),
            down_ns: service.down_ns(&observed)?,
            ..Self::default()
        };
        for incident in counted {
            total.failures += 1;
            total.repairs += u64::from(incident.mitigated_ns.is_some());
            total.detections += u64::from(incident.detected_ns.is_some());
            total.detect_sum_ns += incident.detect_ns().unwrap_or(0);
        }
        Some(total)
    }

    /// Adds another run.
    pub fn merge(&mut self, other: &Self) {
        self.failures += other.failures;
        self.repairs += other.repairs;
        self.observed_ns += other.observed_ns;
        self.down_ns += other.down_ns;
        self.detections += other.detections;
        self.detect_sum_ns += other.detect_sum_ns;
    }

    /// Mean time to detect; `None` without a detection.
    pub fn mttd_ns(&self) -> Option<f64> {
        (self.detections > 0).then(|| self.detect_sum_ns as f64 / self.detections as f64)
    }

    /// Mean time to repair: down time a repair, so that open outages count with the time they lasted.
    /// `None` without a repair.
    pub fn mttr_ns(&self) -> Option<f64> {
        (self.repairs > 0).then(|| self.down_ns as f64 / self.repairs as f64)
    }

    /// Mean time to failure: up time a failure; `None` without a failure.
    pub fn mttf_ns(&self) -> Option<f64> {
        (self.failures > 0).then(|| (self.observed_ns - self.down_ns) as f64 / self.failures as f64)
    }

    /// Mean time between failures: MTTF + MTTR; `None` when either does not exist.
    pub fn mtbf_ns(&self) -> Option<f64> {
        Some(self.mttf_ns()? + self.mttr_ns()?)
    }
}
