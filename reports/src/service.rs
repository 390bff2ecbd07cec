//! When the service was up, as synthetic probes saw it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{Outcome, Request, RunRecord};
use crate::windows::{WindowSet, ended_ns, fault_span};

/// Two good probes further apart than this have an outage between them.
pub const OUTAGE_GAP_NS: u64 = 1_000_000_000;
/// The service counts as good from an instant when it stays good for this long.
pub const GOOD_FOR_NS: u64 = 1_000_000_000;

/// The service over the run, up or down, from its synthetic probes.
///
/// A probe is good when its correct reply came within the deadline of the workload it stands for; a
/// workload's good probes are taken at their *completion* instants, since that is when the service
/// is known to work. When two consecutive ones are more than [`OUTAGE_GAP_NS`] apart, the workload is
/// down from the first to the second: `[last good, next good)`. The start of the run counts as good,
/// so a service that needs more than a second to come up is down from 0. The end of the run closes
/// the last gap: a service whose last good probe is more than a second before the end is down until
/// the end, and that outage is *open*. The service is down when any probed workload is (union); two
/// outages that meet in a single good probe are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    ended_ns: u64,
    /// `None`: no probes, so nothing is known.
    probed: Option<Probed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Probed {
    down: WindowSet,
    /// Down at the end of the run.
    open: bool,
    /// Every probed workload was seen good at this instant or later.
    seen_until_ns: u64,
}

/// How long something took, when it may also never have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "elapsed")]
pub enum Elapsed {
    /// It happened after this long.
    After {
        /// Nanoseconds; zero when nothing had to happen.
        ns: u64,
    },
    /// The run ended with the service down: infinite.
    Never,
    /// The run ended before a second of good service could be seen: no sample.
    TooShort,
}

impl Elapsed {
    /// Nanoseconds as a number to compare with: infinite for never, `None` when there is no sample.
    pub fn as_ns(self) -> Option<f64> {
        match self {
            Self::After { ns } => Some(ns as f64),
            Self::Never => Some(f64::INFINITY),
            Self::TooShort => None,
        }
    }
}

impl Service {
    /// Reads the probes of a run.
    pub fn of(run: &RunRecord) -> Self {
        let ended = ended_ns(run);
        let mut good: BTreeMap<u16, Vec<u64>> = BTreeMap::new();
        for probe in &run.probes {
            let instants = good.entry(probe.workload).or_default();
            instants.extend(good_at(run, probe).filter(|&at| at <= ended));
        }
        let mut down = Vec::new();
        let mut open = false;
        let mut seen_until_ns = ended;
        for instants in good.values_mut() {
            instants.sort_unstable();
            let mut last = 0;
            for &at in instants.iter() {
                if at - last > OUTAGE_GAP_NS {
                    down.push((last, at));
                }
                last = at;
            }
            if ended - last > OUTAGE_GAP_NS {
                down.push((last, ended));
                open = true;
            }
            seen_until_ns = seen_until_ns.min(last);
        }
        let probed = (!good.is_empty()).then(|| Probed { down: WindowSet::from(down), open, seen_until_ns });
        Self { ended_ns: ended, probed }
    }

    /// Whether the run had probes: without them nothing is known about time.
    pub fn is_known(&self) -> bool {
        self.probed.is_some()
    }

    /// Outage windows, clipped to the run; `None` without probes.
    pub fn outages(&self) -> Option<&WindowSet> {
        self.probed.as_ref().map(|probed| &probed.down)
    }

    /// Whether the run ended during an outage.
    pub fn ends_down(&self) -> bool {
        self.probed.as_ref().is_some_and(|probed| probed.open)
    }

    /// Share of the time in `windows` that the service was up, in `0.0..=1.0`.
    ///
    /// `None` without probes or without time.
    pub fn availability(&self, windows: &WindowSet) -> Option<f64> {
        let down = self.down_ns(windows)?;
        let total = windows.length_ns();
        (total > 0).then(|| (total - down) as f64 / total as f64)
    }

    /// Nanoseconds down within `windows`; `None` without probes.
    pub fn down_ns(&self, windows: &WindowSet) -> Option<u64> {
        Some(self.outages()?.intersect(windows).length_ns())
    }

    /// Time from `from_ns` to the first instant from which the service is good for a second.
    ///
    /// The service is good at an instant when it is outside every outage and not later than the last
    /// instant at which every probed workload had been seen good: after that, nothing is known. `None`
    /// without probes.
    pub fn good_from(&self, from_ns: u64) -> Option<Elapsed> {
        let probed = self.probed.as_ref()?;
        let known_good = WindowSet::one(0, probed.seen_until_ns).subtract(&probed.down);
        let first = known_good.as_slice().iter().find_map(|&(start, end)| {
            let start = start.max(from_ns);
            (end >= start.saturating_add(GOOD_FOR_NS)).then_some(start)
        });
        Some(match first {
            Some(at) => Elapsed::After { ns: at - from_ns },
            None if probed.open && from_ns < self.ended_ns => Elapsed::Never,
            None => Elapsed::TooShort,
        })
    }

    /// `mitigation(f)`: from the start of the fault to the first instant from which the service is
    /// good for a second.
    ///
    /// Zero when the fault did no harm within its first second. `None` without probes or without such a fault.
    pub fn mitigation(&self, run: &RunRecord, fault: &str) -> Option<Elapsed> {
        let (start, _) = fault_span(run, fault)?;
        self.good_from(start)
    }

    /// `recovery(f)`: from the end of the fault to the first instant, not before that end, from which
    /// the service is good for a second; zero when it was good already.
    ///
    /// What was good for a while during the fault and is bad at its end does not count as good: a
    /// slow collapse would look recovered. A permanent fault has no end and counts from its start.
    /// `None` without probes or without such a fault.
    pub fn recovery(&self, run: &RunRecord, fault: &str) -> Option<Elapsed> {
        let (start, end) = fault_span(run, fault)?;
        self.good_from(end.unwrap_or(start))
    }
}

/// The instant at which a probe showed that the service works, if it did.
fn good_at(run: &RunRecord, probe: &Request) -> impl Iterator<Item = u64> {
    let deadline = run.workloads[usize::from(probe.workload)].deadline_ns;
    let done = probe.done_ns.filter(|done| done.saturating_sub(probe.arrived_ns) <= deadline);
    done.filter(|_| probe.outcome == Outcome::Ok).into_iter()
}
