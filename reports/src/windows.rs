//! Sets of time windows: what `in steady`, `in after(f, 30s)` and the rest of an expectation mean.

use serde::{Deserialize, Serialize};

use crate::record::{End, RunRecord};
use crate::service::{Elapsed, Service};

/// A set of instants: sorted, disjoint, non-empty half-open windows `[start_ns, end_ns)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>")]
pub struct WindowSet(Vec<(u64, u64)>);

impl From<Vec<(u64, u64)>> for WindowSet {
    /// Sorts and joins; windows that end at or before their start hold no instant and vanish.
    fn from(mut windows: Vec<(u64, u64)>) -> Self {
        windows.retain(|&(start, end)| start < end);
        windows.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(windows.len());
        for (start, end) in windows {
            match joined.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        Self(joined)
    }
}

impl WindowSet {
    /// One window; empty when it ends at or before its start.
    pub fn one(start_ns: u64, end_ns: u64) -> Self {
        Self::from(vec![(start_ns, end_ns)])
    }

    /// The windows in order.
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// Whether no instant belongs to the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Total length in nanoseconds.
    pub fn length_ns(&self) -> u64 {
        self.0.iter().map(|&(start, end)| end - start).sum()
    }

    /// Whether the instant belongs to the set.
    pub fn contains(&self, at_ns: u64) -> bool {
        let after = self.0.partition_point(|&(start, _)| start <= at_ns);
        after > 0 && at_ns < self.0[after - 1].1
    }

    /// Instants in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from([self.as_slice(), other.as_slice()].concat())
    }

    /// Instants in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut left, mut right) = (0, 0);
        let mut both = Vec::new();
        while left < self.0.len() && right < other.0.len() {
            let (a, b) = (self.0[left], other.0[right]);
            both.push((a.0.max(b.0), a.1.min(b.1)));
            if a.1 <= b.1 {
                left += 1;
            } else {
                right += 1;
            }
        }
        Self::from(both)
    }

    /// Instants in this set and not in the other.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut rest = Vec::new();
        for &(start, end) in &self.0 {
            let mut from = start;
            let first = other.0.partition_point(|&(_, cut_end)| cut_end <= start);
            for &(cut_start, cut_end) in other.0[first..].iter().take_while(|cut| cut.0 < end) {
                rest.push((from, cut_start.max(from)));
                from = from.max(cut_end);
            }
            rest.push((from, end));
        }
        Self::from(rest)
    }
}

/// When the run really ended: its planned end, or the instant it was aborted or stopped by a limit.
pub fn ended_ns(run: &RunRecord) -> u64 {
    match run.end {
        End::Finished => run.duration_ns,
        End::Aborted { at_ns, .. } | End::Limit { at_ns, .. } => at_ns.min(run.duration_ns),
    }
}

/// Start and end of the fault, or of all faults of the generator, with this name; `None` when the plan has no such fault.
///
/// Several entries with one name count as one fault from the first start to the last end; the end
/// is `None` as soon as one of them is permanent. An end after the end of the run is kept as it is.
pub fn fault_span(run: &RunRecord, fault: &str) -> Option<(u64, Option<u64>)> {
    run.faults
        .iter()
        .filter(|entry| entry.is_of(fault))
        .map(|entry| (entry.start_ns, entry.end_ns))
        .reduce(|a, b| (a.0.min(b.0), a.1.zip(b.1).map(|(left, right)| left.max(right))))
}

/// `all`: the whole run.
pub fn all(run: &RunRecord) -> WindowSet {
    WindowSet::one(0, ended_ns(run))
}

/// `warmup`: from the start to the end of the warm-up.
pub fn warmup(run: &RunRecord) -> WindowSet {
    WindowSet::one(0, run.warmup_ns.min(ended_ns(run)))
}

/// From the end of the warm-up to the end of the run, faults included: what headline figures use.
pub fn measured(run: &RunRecord) -> WindowSet {
    WindowSet::one(run.warmup_ns, ended_ns(run))
}

/// `a..b`, clipped to the run.
pub fn explicit(run: &RunRecord, start_ns: u64, end_ns: u64) -> WindowSet {
    WindowSet::one(start_ns, end_ns.min(ended_ns(run)))
}

/// `during(f)`: the time that the fault was active, clipped to the run.
///
/// Empty for a name that the plan does not hold: callers resolve names before the run.
pub fn during(run: &RunRecord, fault: &str) -> WindowSet {
    let ended = ended_ns(run);
    let entries = run.faults.iter().filter(|entry| entry.is_of(fault));
    WindowSet::from(
        entries.map(|entry| (entry.start_ns, entry.end_ns.unwrap_or(ended).min(ended))).collect::<Vec<_>>(),
    )
}

/// `after(f, D)`: from the end of the fault plus `delay_ns` to the next fault or the end of the run.
///
/// The next fault is the first other one that starts at or after the end of `f`; one that already
/// runs when `f` ends does not cut the window. Empty for a permanent fault, for an unknown name, and
/// when the next fault comes before `delay_ns` has passed.
pub fn after(run: &RunRecord, fault: &str, delay_ns: u64) -> WindowSet {
    let Some((_, Some(end))) = fault_span(run, fault) else {
        return WindowSet::default();
    };
    let others = run.faults.iter().filter(|entry| !entry.is_of(fault) && entry.start_ns >= end);
    let next = others.map(|entry| entry.start_ns).min().unwrap_or(u64::MAX);
    WindowSet::one(end.saturating_add(delay_ns), next.min(ended_ns(run)))
}

/// `steady`: after the warm-up, outside every fault and outside the recovery that follows it.
///
/// Time that never recovers belongs to `steady`: a service that a fault breaks for good must not look
/// steady by being left out. The same holds when the run ends before the recovery could be seen, and
/// when there are no probes to see it with. A permanent fault has no end, so it takes away only the
/// time from its start to its recovery.
pub fn steady(run: &RunRecord, service: &Service) -> WindowSet {
    let mut excluded = Vec::with_capacity(run.faults.len());
    for fault in &run.faults {
        let end = fault.end_ns.unwrap_or(fault.start_ns);
        let recovered = match service.good_from(end) {
            Some(Elapsed::After { ns }) => end.saturating_add(ns),
            Some(Elapsed::Never | Elapsed::TooShort) | None => end,
        };
        excluded.push((fault.start_ns, recovered));
    }
    measured(run).subtract(&WindowSet::from(excluded))
}
