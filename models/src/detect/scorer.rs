//! How good detectors are: suspicions against what really happened.
//!
//! The measures are those of Chen, Toueg & Aguilera, IEEE Trans. Computers 51(5), 2002: detection
//! time, mistakes and how long they last.

use murphy_scenarios::language::{FaultEffect, Scenario};
use murphy_scenarios::{MetricKind, MetricRecord, Verdict};
use murphy_sim::{Fact, Judge, NodeId, Span, Stamped, Time};

/// Judges the suspicions of watchers by the crashes of those they watch.
///
/// A suspicion is *false* when, at the instant at which it is raised, its subject is up, not paused,
/// and not cut off from the watcher by a partition of the plan. One that comes and goes excuses while it
/// is there. A node that a fault restarts is down until it is back, as after any crash. (Lost or late messages excuse nothing:
/// that is what a detector has to live with.)
#[derive(Clone, Debug)]
pub struct Scorer {
    names: std::sync::Arc<[String]>,
    /// Whether the first node watches the second.
    watches: Vec<Vec<bool>>,
    /// A crash that lasts this long must be suspected in this time.
    within: Span,
    excuses: Vec<Excuse>,
    /// Since when each node is down.
    down: Vec<Option<Time>>,
    /// Whether anyone has suspected the node since it went down.
    noticed: Vec<bool>,
    /// By watcher and subject.
    pairs: Vec<Vec<Pair>>,
    last: Time,
    incomplete: Option<Found>,
    judged: u64,
    suspicions: u64,
    trusts: u64,
    samples: [Vec<(u64, u32, f64)>; 4],
}

/// What a watcher says about a subject.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    suspected: bool,
    /// When the suspicion was raised, if it was false.
    mistake: Option<Time>,
    /// The subject is down, and the watcher, up ever since, has not suspected it.
    owes: bool,
}

type Found = (Time, u64, String);

/// A fault of the plan that makes a suspicion right although its subject has not crashed.
#[derive(Clone, Debug)]
struct Excuse {
    start: Time,
    end: Time,
    /// How long it is there and away in turn, if it comes and goes.
    flaps: Option<(Span, Span)>,
    why: Why,
}

impl Excuse {
    fn is_there(&self, at: Time) -> bool {
        let there = |(on, off): (Span, Span)| at.since(self.start).0 % (on.0 + off.0) < on.0;
        self.start <= at && at < self.end && self.flaps.is_none_or(there)
    }
}

#[derive(Clone, Debug)]
enum Why {
    Paused(Vec<usize>),
    Apart(Vec<Vec<usize>>),
}

/// From a crash to the suspicion of one watcher.
pub(super) const DETECTION_TIME: &str = "detection_time";
/// From a crash to the first suspicion of any watcher.
pub(super) const FIRST_DETECTION: &str = "first_detection";
/// Suspicions of a node that was up and reachable.
pub(super) const FALSE_SUSPICIONS: &str = "false_suspicions";
/// From a false suspicion to the end of it.
pub(super) const MISTAKE_TIME: &str = "mistake_time";
const METRICS: [(&str, &str, MetricKind); 4] = [
    (DETECTION_TIME, "ns", MetricKind::Distribution),
    (FIRST_DETECTION, "ns", MetricKind::Distribution),
    (FALSE_SUSPICIONS, "1", MetricKind::Counter),
    (MISTAKE_TIME, "ns", MetricKind::Distribution),
];

impl Scorer {
    /// A scorer of the suspicions that `watches[w][s]` says count.
    pub fn new(names: &std::sync::Arc<[String]>, watches: Vec<Vec<bool>>, within: Span) -> Scorer {
        let n = names.len();
        Scorer {
            names: std::sync::Arc::clone(names),
            watches,
            within,
            excuses: Vec::new(),
            down: vec![None; n],
            noticed: vec![false; n],
            pairs: vec![vec![Pair::default(); n]; n],
            last: Time::ZERO,
            incomplete: None,
            judged: 0,
            suspicions: 0,
            trusts: 0,
            samples: Default::default(),
        }
    }

    /// Takes note of the pauses and partitions of the plan.
    #[must_use]
    pub fn excusing(mut self, scenario: &Scenario) -> Scorer {
        for fault in &scenario.faults {
            let (why, flaps) = match &fault.effect {
                FaultEffect::Pause { nodes } => (Why::Paused(nodes.clone()), None),
                FaultEffect::Partition { groups, .. } => (Why::Apart(groups.clone()), None),
                FaultEffect::Flapping { groups, on, off, .. } => {
                    (Why::Apart(groups.clone()), Some((*on, *off)))
                }
                _ => continue,
            };
            let end = fault.duration.map_or(Time::MAX, |lasts| fault.start.saturating_add(lasts));
            self.excuses.push(Excuse { start: fault.start, end, flaps, why });
        }
        self
    }

    /// Number of suspicions, right or wrong.
    pub fn suspicions(&self) -> u64 {
        self.suspicions
    }

    /// Number of suspicions that were taken back.
    pub fn trusts(&self) -> u64 {
        self.trusts
    }

    /// "Every crash that lasts is suspected in time by everyone who watches", and how often it was judged.
    pub fn complete(&self) -> (Verdict, u64) {
        let mut found = self.incomplete.clone();
        for (subject, down) in self.down.iter().enumerate() {
            let Some(since) = *down else { continue };
            let late = self.last > since.saturating_add(self.within);
            let owing = |pairs: &Vec<Pair>| pairs[subject].owes;
            if let Some(watcher) = self.pairs.iter().position(owing).filter(|_| late && found.is_none()) {
                found = Some((self.last, 0, self.missed(watcher, subject, since)));
            }
        }
        let judged = self.judged + u64::from(found.is_some());
        (verdict(found.as_ref()), judged)
    }

    /// The samples.
    pub fn metrics(&mut self) -> Vec<MetricRecord> {
        let mut samples = std::mem::take(&mut self.samples);
        // No mistake is a result, not a gap in the measurement.
        samples[2].insert(0, (0, 0, 0.0));
        let record = |((name, unit, kind), samples): ((&str, &str, MetricKind), _)| MetricRecord {
            name: name.to_owned(),
            unit: unit.to_owned(),
            kind,
            samples,
        };
        METRICS.into_iter().zip(samples).map(record).collect()
    }

    /// All detection times so far, for tests.
    pub fn detection_times(&self) -> impl Iterator<Item = Span> + '_ {
        self.samples[0].iter().map(|&(_, _, ns)| Span(1).scale(ns))
    }

    /// Number of false suspicions so far.
    pub fn false_suspicions(&self) -> u64 {
        self.samples[2].len() as u64
    }

    fn sample(&mut self, metric: usize, at: Time, node: usize, value: f64) {
        let node = u32::try_from(node).expect("fewer than 2^32 nodes");
        self.samples[metric].push((at.0, node, value));
    }

    /// A node is gone, crashed or (for a model's own reasons) as good as crashed.
    pub fn gone(&mut self, at: Time, node: usize) {
        self.down[node] = Some(at);
        self.noticed[node] = false;
        for subject in 0..self.names.len() {
            // What it suspected died with it.
            self.pairs[node][subject] = Pair::default();
        }
        for watcher in 0..self.names.len() {
            if !self.watches[watcher][node] || self.down[watcher].is_some() {
                continue;
            }
            let pair = &mut self.pairs[watcher][node];
            pair.owes = !pair.suspected;
            if pair.suspected {
                // It was suspected before it crashed: detected at once.
                pair.mistake = None;
                self.detected(at, watcher, node, at);
            }
        }
    }

    /// A node is back.
    pub fn back(&mut self, at: Time, event: u64, node: usize) {
        let Some(since) = self.down[node].take() else { return };
        for watcher in 0..self.names.len() {
            let owed = std::mem::take(&mut self.pairs[watcher][node].owes);
            if owed && at > since.saturating_add(self.within) {
                let found = (at, event, self.missed(watcher, node, since));
                self.incomplete.get_or_insert(found);
            }
        }
    }

    fn missed(&self, watcher: usize, subject: usize, since: Time) -> String {
        let (watcher, subject) = (&self.names[watcher], &self.names[subject]);
        format!("{watcher} did not suspect {subject}, down since {since}, within {}", self.within)
    }

    fn detected(&mut self, at: Time, watcher: usize, subject: usize, since: Time) {
        let took = at - since;
        self.judged += 1;
        self.sample(0, at, watcher, took.0 as f64);
        if !std::mem::replace(&mut self.noticed[subject], true) {
            self.sample(1, at, watcher, took.0 as f64);
        }
    }

    fn suspect(&mut self, said: &Stamped, watcher: usize, subject: usize) {
        if !self.watches[watcher][subject] || self.pairs[watcher][subject].suspected {
            return;
        }
        self.suspicions += 1;
        self.pairs[watcher][subject].suspected = true;
        match self.down[subject] {
            Some(since) => {
                if std::mem::take(&mut self.pairs[watcher][subject].owes) {
                    self.detected(said.at, watcher, subject, since);
                    if said.at > since.saturating_add(self.within) {
                        let found = (said.at, said.event, self.missed(watcher, subject, since));
                        self.incomplete.get_or_insert(found);
                    }
                }
            }
            None if self.excused(said.at, watcher, subject) => {}
            None => {
                self.pairs[watcher][subject].mistake = Some(said.at);
                self.sample(2, said.at, watcher, 1.0);
            }
        }
    }

    fn trust(&mut self, said: &Stamped, watcher: usize, subject: usize) {
        let pair = &mut self.pairs[watcher][subject];
        if !std::mem::take(&mut pair.suspected) {
            return;
        }
        self.trusts += 1;
        if let Some(since) = pair.mistake.take() {
            self.sample(3, said.at, watcher, (said.at - since).0 as f64);
        }
    }

    fn excused(&self, at: Time, watcher: usize, subject: usize) -> bool {
        let active = self.excuses.iter().filter(|excuse| excuse.is_there(at));
        active.map(|excuse| &excuse.why).any(|why| match why {
            Why::Paused(nodes) => nodes.contains(&subject),
            // A node in no group reaches everyone, and one in several groups is a bridge between them.
            Why::Apart(groups) => {
                let inside = |node| groups.iter().any(|group| group.contains(node));
                let both = |group: &Vec<usize>| group.contains(&watcher) && group.contains(&subject);
                inside(&watcher) && inside(&subject) && !groups.iter().any(both)
            }
        })
    }
}

impl Judge for Scorer {
    fn observe(&mut self, said: &Stamped) {
        self.last = said.at;
        let who = said.node.index();
        match said.fact {
            Fact::Crash => self.gone(said.at, who),
            Fact::Restart => self.back(said.at, said.event, who),
            Fact::Suspect { node: NodeId(node) } => self.suspect(said, who, node as usize),
            Fact::Trust { node: NodeId(node) } => self.trust(said, who, node as usize),
            _ => {}
        }
    }
}

fn verdict(found: Option<&Found>) -> Verdict {
    match found {
        None => Verdict::Held,
        Some((at, event, message)) => {
            Verdict::Violated { at_ns: at.0, event: *event, message: message.clone() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn scorer() -> Scorer {
        let names = ["a", "b", "c"].map(String::from).into();
        let watches = (0..3).map(|w| (0..3).map(|s| w != s).collect()).collect();
        Scorer::new(&names, watches, Span::millis(100))
    }

    fn say(scorer: &mut Scorer, ms: u64, node: u32, fact: Fact) {
        scorer.observe(&Stamped { at: Time(ms * MS), event: ms, node: NodeId(node), correct: true, fact });
    }

    fn suspect(node: u32) -> Fact {
        Fact::Suspect { node: NodeId(node) }
    }

    fn trust(node: u32) -> Fact {
        Fact::Trust { node: NodeId(node) }
    }

    #[test]
    fn a_detection_is_timed_and_a_mistake_is_counted() {
        let mut s = scorer();
        say(&mut s, 10, 0, suspect(1));
        say(&mut s, 25, 0, trust(1));
        say(&mut s, 50, 1, Fact::Crash);
        say(&mut s, 80, 0, suspect(1));
        say(&mut s, 90, 2, suspect(1));
        assert_eq!(s.detection_times().collect::<Vec<_>>(), [Span::millis(30), Span::millis(40)]);
        assert_eq!(s.complete(), (Verdict::Held, 2));
        assert_eq!((s.suspicions(), s.trusts(), s.false_suspicions()), (3, 1, 1));
        let metrics = s.metrics();
        let values = |index: usize| metrics[index].samples.iter().map(|s| s.2).collect::<Vec<_>>();
        assert_eq!(values(1), [3e7]);
        assert_eq!(values(2), [0.0, 1.0]);
        assert_eq!(values(3), [1.5e7]);
    }

    #[test]
    fn a_cut_or_a_pause_excuses_while_it_lasts() {
        let apart = Why::Apart(vec![vec![0, 2], vec![1, 2]]);
        let (start, end) = (Time(10 * MS), Time(20 * MS));
        for (why, at, watcher, subject, mistakes) in [
            (apart.clone(), 15, 0, 1, 0),
            (apart.clone(), 20, 0, 1, 1),
            (apart, 15, 0, 2, 1),
            (Why::Paused(vec![1]), 15, 0, 1, 0),
            (Why::Paused(vec![0]), 15, 0, 1, 1),
        ] {
            let mut s = scorer();
            s.excuses.push(Excuse { start, end, flaps: None, why });
            say(&mut s, at, watcher, suspect(subject));
            assert_eq!(s.false_suspicions(), mistakes, "{at} {watcher} {subject}");
        }
    }

    #[test]
    fn what_comes_and_goes_excuses_while_it_is_there() {
        for (at, mistakes) in [(10, 0), (12, 0), (13, 1), (14, 1), (15, 0), (29, 1), (30, 1)] {
            let mut s = scorer();
            let why = Why::Apart(vec![vec![0], vec![1, 2]]);
            let flaps = Some((Span::millis(3), Span::millis(2)));
            s.excuses.push(Excuse { start: Time(10 * MS), end: Time(30 * MS), flaps, why });
            say(&mut s, at, 0, suspect(1));
            assert_eq!(s.false_suspicions(), mistakes, "{at}");
        }
    }

    #[test]
    fn whoever_never_notices_is_named() {
        let mut s = scorer();
        say(&mut s, 50, 1, Fact::Crash);
        say(&mut s, 80, 0, suspect(1));
        say(&mut s, 140, 0, trust(2));
        assert_eq!(s.complete().0, Verdict::Held, "the time is not over yet");
        say(&mut s, 151, 0, trust(2));
        let message = "c did not suspect b, down since 50.000ms, within 100.000ms".to_owned();
        assert_eq!(s.complete().0, Verdict::Violated { at_ns: 151 * MS, event: 0, message });
        // Whoever crashes meanwhile owes nothing, and a short crash may go unnoticed.
        let mut s = scorer();
        say(&mut s, 50, 1, Fact::Crash);
        say(&mut s, 60, 2, Fact::Crash);
        say(&mut s, 70, 0, suspect(1));
        say(&mut s, 120, 2, Fact::Restart);
        say(&mut s, 500, 1, Fact::Restart);
        assert_eq!(s.complete(), (Verdict::Held, 1));
    }
}
