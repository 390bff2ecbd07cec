//! What is judged: which updates are lost or in conflict, what counters and sets show, and convergence.

use std::collections::{BTreeMap, BTreeSet};

use murphy_scenarios::{MetricRecord, Oracles, PropertyRecord, System, Verdict};
use murphy_sim::{Fact, Judge, NodeId, Operation, Outcome, Span, Stamped, Time};

use super::cell::{Cell, Data};
use super::protocol::{MEASURED, PROPERTIES};
use super::{ADD, REMOVE, own};
use crate::oracle::Convergence;
use crate::replication::declare::{convergence_time, measured, saw, verdict};
use crate::replication::{History, Linear, Lost, Sample};

/// Writes that are looked through for the one that a write replaced.
const ANCESTORS: usize = 1000;

/// Time after which an acknowledged change should be in every copy.
const SETTLE: Span = Span::secs(1);

/// One add or remove.
#[derive(Clone, Copy, Debug)]
struct Change {
    operation: Operation,
    invoked: Option<Time>,
    done: Option<Time>,
}

/// The judges of the model.
#[derive(Clone, Debug)]
pub struct LeadersOracles {
    data: Data,
    history: History,
    linear: Linear,
    convergence: Convergence,
    /// Updates that lost although they began after the winner had been acknowledged.
    lost: Lost,
    /// By value: the one that its writer saw and replaced.
    replaced: BTreeMap<u64, u64>,
    in_conflict: BTreeSet<u64>,
    conflicts: Vec<Sample>,
    /// By request number.
    changes: Vec<Option<Change>>,
    /// What replicas show: of counters a number, of sets whether an element is there.
    shown: BTreeMap<(NodeId, u64), u64>,
    present: BTreeMap<(NodeId, u64, u64), bool>,
    end: Time,
}

impl LeadersOracles {
    pub(super) fn new(system: &System, data: Data) -> LeadersOracles {
        LeadersOracles {
            data,
            history: History::default(),
            linear: Linear::new(system),
            convergence: Convergence::new(system, PROPERTIES[0].0),
            lost: Lost::default(),
            replaced: BTreeMap::new(),
            in_conflict: BTreeSet::new(),
            conflicts: Vec::new(),
            changes: Vec::new(),
            shown: BTreeMap::new(),
            present: BTreeMap::new(),
            end: Time::ZERO.saturating_add(system.scenario.duration),
        }
    }

    /// A merge let one value go. It is no conflict if whoever wrote the other one had seen it.
    fn dropped(&mut self, said: &Stamped, loser: u64, winner: u64) {
        let mut ancestor = Some(winner);
        let mut steps = std::iter::from_fn(|| {
            ancestor = self.replaced.get(&ancestor?).copied();
            ancestor
        });
        if steps.by_ref().take(ANCESTORS).any(|value| value == loser) {
            return;
        }
        if self.in_conflict.insert(loser) {
            self.conflicts.push((said.at, said.node, 1.0));
        }
        if self.history.precedes(winner, loser) {
            self.lost.add(said.at, said.node, loser);
        }
    }

    fn own(&mut self, said: &Stamped, kind: u16, a: u64, b: u64) {
        match kind {
            own::REPLACED => {
                self.replaced.insert(b, a);
            }
            own::DROPPED => self.dropped(said, a, b),
            own::SIBLINGS if b > 1 => self.conflicts.push((said.at, said.node, 1.0)),
            own::COUNT => {
                self.shown.insert((said.node, a), b);
            }
            own::HAS | own::HAS_NOT => {
                self.present.insert((said.node, a, b), kind == own::HAS);
            }
            _ => {}
        }
    }

    fn change(&mut self, request: murphy_sim::RequestId) -> Option<&mut Change> {
        self.changes.get_mut(request.index())?.as_mut()
    }

    /// Whether every copy should have a change by the end of the run.
    fn settled(&self, change: &Change) -> bool {
        change.done.is_some_and(|done| done.saturating_add(SETTLE) <= self.end)
    }

    /// How far counters are from what was acknowledged, beyond what is uncertain; and how many were judged.
    fn miscounted(&self) -> (Vec<u64>, u64) {
        let mut bounds: BTreeMap<u64, (i64, i64)> = BTreeMap::new();
        for change in self.changes.iter().flatten().filter(|change| change.invoked.is_some()) {
            let step = if change.operation.kind == ADD { 1 } else { -1 };
            let (low, high) = bounds.entry(change.operation.key).or_default();
            // A change without an answer may have happened; a late one may not be everywhere yet.
            let certain = self.settled(change);
            *low += if certain { step } else { step.min(0) };
            *high += if certain { step } else { step.max(0) };
        }
        let errors = self.shown.iter().map(|((_, key), shown)| {
            let (low, high) = bounds.get(key).copied().unwrap_or_default();
            let shown = shown.cast_signed();
            low.saturating_sub(shown).max(shown.saturating_sub(high)).max(0).unsigned_abs()
        });
        (errors.collect(), self.shown.len() as u64)
    }

    /// Elements that are missing although an add began after all their removes; and how many were judged.
    fn missing(&self) -> (u64, u64) {
        let mut by_element: BTreeMap<(u64, u64), Vec<&Change>> = BTreeMap::new();
        for change in self.changes.iter().flatten().filter(|change| change.invoked.is_some()) {
            let place = (change.operation.key, Cell::element(&change.operation));
            by_element.entry(place).or_default().push(change);
        }
        let (mut missing, mut judged) = (0, 0);
        for ((_, key, element), has) in &self.present {
            let Some(changes) = by_element.get(&(*key, *element)) else { continue };
            let removes = changes.iter().filter(|change| change.operation.kind == REMOVE);
            let clean = removes.map(|change| change.done.unwrap_or(self.end)).max().unwrap_or(Time::ZERO);
            let adds = changes.iter().filter(|change| change.operation.kind == ADD && self.settled(change));
            if adds.filter_map(|change| change.invoked).any(|invoked| invoked >= clean) {
                judged += 1;
                missing += u64::from(!has);
            }
        }
        (missing, judged)
    }
}

impl Judge for LeadersOracles {
    fn observe(&mut self, said: &Stamped) {
        self.history.observe(said);
        self.linear.observe(said);
        self.convergence.observe(said);
        match said.fact {
            Fact::Own { kind, a, b } => self.own(said, kind, a, b),
            Fact::Arrive(request) => {
                let change = Change { operation: request.operation, invoked: None, done: None };
                let counts = matches!(request.operation.kind, ADD | REMOVE);
                self.changes.push(counts.then_some(change));
            }
            Fact::Invoke { request } => {
                if let Some(change) = self.change(request) {
                    change.invoked = Some(said.at);
                }
            }
            Fact::Complete { request, outcome: Outcome::Ok, .. } => {
                if let Some(change) = self.change(request) {
                    change.done = Some(said.at);
                }
            }
            _ => {}
        }
    }
}

impl Oracles for LeadersOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let at_end = |wrong: u64, what: &str| match wrong {
            0 => Verdict::Held,
            _ => Verdict::Violated { at_ns: self.end.0, event: 0, message: format!("{wrong} {what}") },
        };
        let (errors, counters) = self.miscounted();
        let wrong = errors.iter().filter(|error| **error > 0).count() as u64;
        let (missing, elements) = self.missing();
        let counters = if self.data.counts() { counters } else { 0 };
        let mut records = vec![
            self.convergence.record(),
            verdict(PROPERTIES[1].0, at_end(wrong, "copies of counters are wrong"), counters),
            verdict(PROPERTIES[2].0, at_end(missing, "elements are missing"), elements),
        ];
        records.extend(self.linear.verdicts());
        records
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        // Judged at the end, and counted in the last instant before it.
        let last = Time(self.end.0.saturating_sub(1));
        let total = |value: f64| vec![(last, NodeId(0), value)];
        let errors = total(self.miscounted().0.iter().map(|error| *error as f64).sum());
        let missing = total(self.missing().0 as f64);
        let own = MEASURED.iter().zip([&self.conflicts, &errors, &missing]);
        let mut records: Vec<MetricRecord> = own.map(|(info, samples)| measured(&info(), samples)).collect();
        records.extend(saw(&self.history, &self.lost));
        records.push(convergence_time(&self.convergence));
        records
    }
}
