//! From a finding to the smallest run that still shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use murphy_sim::{Span, Time};
use rayon::prelude::*;

use super::case::Case;
use super::fingerprint::Fingerprint;
use super::lab::{Lab, Outcome, Violation};
use super::passes;
use super::repro::Repro;
use crate::language::Scenario;

/// Runs after which shrinking ends, whatever is left.
const MOST_RUNS: u64 = 6000;
/// Events after which it ends.
const MOST_EVENTS: u64 = 150_000_000;
/// Candidates that are tried together, whatever the number of threads.
const ABREAST: usize = 4;
/// Rounds over all passes: each takes less to do than the one before.
const MOST_ROUNDS: usize = 8;

/// How large a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Faults of the plan, and single messages that something happens to.
    pub faults: usize,
    /// Length of the run.
    pub duration: Span,
    /// Clients.
    pub clients: usize,
    /// Nodes that are no clients.
    pub nodes: usize,
    /// Requests of the users, where they are listed.
    pub requests: Option<usize>,
}

impl Size {
    pub(crate) fn of(scenario: &Scenario) -> Size {
        let repro = scenario.repro.as_ref();
        let lists = repro.and_then(|repro| repro.requests.as_ref());
        Size {
            faults: scenario.faults.len() + repro.map_or(0, |repro| repro.messages.len()),
            duration: scenario.duration,
            clients: scenario.nodes.iter().filter(|node| node.client).count(),
            nodes: scenario.nodes.iter().filter(|node| !node.client).count(),
            requests: lists.map(|lists| lists.iter().map(Vec::len).sum()),
        }
    }
}

/// What shrinking made of a finding.
pub struct Shrunk<'m> {
    /// The smallest run found.
    pub repro: Repro<'m>,
    /// How large the run was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// Candidates that were run.
    pub runs: u64,
    /// Whether every smaller run by one step (one fault, message or request less) was tried, and passes.
    pub minimal: bool,
    /// Findings of another kind that candidates showed.
    pub slipped: Vec<Repro<'m>>,
}

/// Makes a repro as small as it gets, with the same fingerprint throughout. When `stop` becomes true, the
/// smallest so far is what comes back. `tried` is called with every candidate's number.
///
/// `None` when the run does not reproduce, or was stopped before that was known.
pub fn shrink<'m>(repro: &Repro<'m>, stop: &AtomicBool, tried: &(dyn Fn(u64) + Sync)) -> Option<Shrunk<'m>> {
    let mut shrinker = Shrinker {
        lab: &repro.lab,
        target: repro.fingerprint(),
        stop,
        tried,
        original: repro.case.clone(),
        best: repro.case.clone(),
        found: None,
        runs: 0,
        events: 0,
        failed: BTreeSet::new(),
        slipped: BTreeMap::new(),
    };
    if !shrinker.fails(repro.case.clone()) {
        return None;
    }
    let before = repro.size();
    passes::few(&mut shrinker);
    for _ in 0..MOST_ROUNDS {
        let was = shrinker.best.render();
        passes::all(&mut shrinker);
        if shrinker.is_over() || shrinker.best.render() == was {
            break;
        }
    }
    let minimal = passes::is_minimal(&mut shrinker);
    let Shrinker { best, found, runs, slipped, .. } = shrinker;
    let (violation, _) = found?;
    let engine = &repro.spec().engine;
    let lab = || Lab::new(repro.lab.model);
    let shrunk = Repro::make(lab(), best, &violation, engine)?;
    let slipped =
        slipped.into_values().filter_map(|(case, violation)| Repro::make(lab(), case, &violation, engine));
    Some(Shrunk { before, after: shrunk.size(), repro: shrunk, runs, minimal, slipped: slipped.collect() })
}

/// The state of one shrinking.
pub(super) struct Shrinker<'s, 'm> {
    pub(super) lab: &'s Lab<'m>,
    target: Fingerprint,
    stop: &'s AtomicBool,
    tried: &'s (dyn Fn(u64) + Sync),
    /// The case as it was found.
    pub(super) original: Case,
    /// The smallest case that fails.
    pub(super) best: Case,
    found: Option<(Violation, u64)>,
    runs: u64,
    events: u64,
    /// Cases that do not fail.
    failed: BTreeSet<[u8; 32]>,
    slipped: BTreeMap<Fingerprint, (Case, Violation)>,
}

impl Shrinker<'_, '_> {
    /// Whether a case violates the same; it is the best one then.
    pub(super) fn fails(&mut self, case: Case) -> bool {
        self.first_that_fails(&[case])
    }

    /// Whether one of these cases does: the first one that does is the best one then. They are tried in
    /// parallel; which one is taken does not depend on that.
    pub(super) fn first_that_fails(&mut self, cases: &[Case]) -> bool {
        for cases in cases.chunks(ABREAST) {
            let known = |case: &Case| *blake3::hash(case.render().as_bytes()).as_bytes();
            let mut fresh: Vec<(Case, [u8; 32])> =
                cases.iter().map(|case| (case.clone(), known(case))).collect();
            fresh.retain(|(_, key)| !self.failed.contains(key));
            if self.is_over() || fresh.is_empty() {
                continue;
            }
            let outcomes: Vec<Option<Outcome>> = fresh.par_iter().map(|(case, _)| self.run(case)).collect();
            let mut failed = false;
            for ((case, key), outcome) in fresh.into_iter().zip(outcomes) {
                failed |= self.judge(case, key, outcome, !failed);
            }
            if failed {
                return true;
            }
        }
        false
    }

    /// Takes note of what became of a case; whether it violates the same.
    fn judge(&mut self, case: Case, key: [u8; 32], outcome: Option<Outcome>, take: bool) -> bool {
        let Some(outcome) = outcome else {
            // What was interrupted is not known to pass.
            if !self.stop.load(Ordering::Relaxed) {
                self.failed.insert(key);
            }
            return false;
        };
        self.runs += 1;
        self.events += outcome.events;
        (self.tried)(self.runs);
        if let Some(violation) = outcome.violation(&self.target) {
            if take {
                self.found = Some((violation.clone(), outcome.trace_hash));
                self.best = case;
            }
            return true;
        }
        self.failed.insert(key);
        if let Some(other) = outcome.violations.into_iter().next() {
            self.slipped.entry(other.fingerprint.clone()).or_insert((case, other));
        }
        false
    }

    fn run(&self, case: &Case) -> Option<Outcome> {
        let scenario = self.lab.resolve(case)?;
        self.lab.run(&scenario, std::slice::from_ref(&self.target.property), self.stop)
    }

    /// The best case, to come back to.
    pub(super) fn kept(&self) -> (Case, Option<(Violation, u64)>) {
        (self.best.clone(), self.found.clone())
    }

    /// Takes an earlier case for the best one again: it was seen to fail.
    pub(super) fn go_back(&mut self, (best, found): (Case, Option<(Violation, u64)>)) {
        (self.best, self.found) = (best, found);
    }

    /// When the best case violates the property.
    pub(super) fn violated_at(&self) -> Time {
        self.found.as_ref().map_or(Time::ZERO, |(violation, _)| violation.at)
    }

    /// What the best case means.
    pub(super) fn scenario(&self) -> Option<Scenario> {
        self.lab.resolve(&self.best)
    }

    /// The best case with every event and message.
    pub(super) fn trace(&self) -> Option<crate::model::Traced> {
        let scenario = self.scenario()?;
        self.lab.trace(&scenario, std::slice::from_ref(&self.target.property), self.stop)
    }

    /// Whether nothing more is to be tried.
    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.runs >= MOST_RUNS || self.events >= MOST_EVENTS
    }
}
