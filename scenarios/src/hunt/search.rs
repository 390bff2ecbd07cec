//! The search: seed after seed in parallel, each with a plan and a schedule of its own.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use murphy_sim::{Span, Stream, Time, name_hash};
use rayon::prelude::*;

use super::case::Case;
use super::fingerprint::Fingerprint;
use super::lab::{Lab, Outcome, Violation, safety};
use super::nemesis;
use super::repro::Repro;
use crate::hazard;
use crate::language::{FaultEffect, FaultSpec, Scenario, Value, duration_text};
use crate::model::{Run, Tolerance, Watched};
use crate::runner::Study;

/// How a seed is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// The seed chooses one of the others.
    Mix,
    /// Faults of every family, at one strength.
    Random,
    /// Each run has half of the families, at strengths of its own.
    Swarm,
    /// A swarm, and nodes with random priorities.
    Priorities,
    /// A swarm whose worlds are cloned where they reached something new, and go on otherwise.
    Forks,
    /// The scenario's own faults, and nothing beside them.
    Own,
}

impl Strategy {
    /// All of them, with the words that name them.
    pub const ALL: [(&'static str, Strategy); 6] = [
        ("mix", Strategy::Mix),
        ("random", Strategy::Random),
        ("swarm", Strategy::Swarm),
        ("priorities", Strategy::Priorities),
        ("forks", Strategy::Forks),
        ("own", Strategy::Own),
    ];

    /// The strategy of one seed.
    fn of(self, seed: u64) -> Strategy {
        const MIXED: [Strategy; 8] = [
            Strategy::Swarm,
            Strategy::Forks,
            Strategy::Swarm,
            Strategy::Priorities,
            Strategy::Swarm,
            Strategy::Forks,
            Strategy::Random,
            Strategy::Priorities,
        ];
        match self {
            Strategy::Mix => MIXED[usize::try_from(seed % MIXED.len() as u64).expect("an index")],
            other => other,
        }
    }
}

/// A violation that a search came upon.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The first seed that showed it.
    pub seed: u64,
    /// How many runs of the search were done up to that seed, its own included.
    pub runs: u64,
    /// How it was found.
    pub strategy: Strategy,
    /// What was violated.
    pub violation: Violation,
    /// How many seeds showed it.
    pub seen: u64,
    case: Case,
}

/// What a search has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HuntStats {
    /// Seeds.
    pub seeds: u64,
    /// Seeds that showed a failure.
    pub failing: u64,
    /// Runs: a seed has several when worlds are cloned.
    pub runs: u64,
    /// Events simulated.
    pub events: u64,
    /// Pairs of protocol states reached.
    pub states: u64,
    /// How many of them the last seeds added, of the last call of [`Hunt::step`].
    pub new_states: u64,
}

/// A search for violated properties of one scenario.
pub struct Hunt<'m> {
    points: Vec<Prey<'m>>,
    strategy: Strategy,
    engine: String,
    next_seed: u64,
    stats: HuntStats,
    states: Vec<u64>,
    findings: BTreeMap<Fingerprint, Finding>,
}

/// One point of the scenario, and what may happen to it.
struct Prey<'m> {
    lab: Lab<'m>,
    scenario: Scenario,
    case: Case,
    tolerance: Tolerance,
    properties: Vec<String>,
}

/// What one seed gave.
struct Catch {
    seed: u64,
    found: Vec<(Violation, Case)>,
    states: Vec<u16>,
    runs: u64,
    events: u64,
}

/// Clones of one seed's worlds.
const MOST_FORKS: usize = 6;
/// A world is looked at so many times for something new.
const LOOKS: u64 = 50;

impl<'m> Hunt<'m> {
    /// A search over the points of a scenario. The first seed is the scenario's own; `engine` goes into the
    /// repro files.
    pub fn new(study: &'m Study<'m>, strategy: Strategy, engine: &str) -> Hunt<'m> {
        let points = study.points().iter().zip(study.models());
        let points: Vec<Prey<'m>> = points.map(|(point, model)| Prey::new(point, Lab::new(*model))).collect();
        let next_seed = points.first().map_or(0, |prey| prey.scenario.seed);
        Hunt {
            points,
            strategy,
            engine: engine.to_owned(),
            next_seed,
            stats: HuntStats::default(),
            states: vec![0; 1 << 10],
            findings: BTreeMap::new(),
        }
    }

    /// Starts at another seed.
    #[must_use]
    pub fn from_seed(mut self, seed: u64) -> Hunt<'m> {
        self.next_seed = seed;
        self
    }

    /// The safety properties that are judged; without any there is nothing to hunt.
    pub fn properties(&self) -> &[String] {
        self.points.first().map_or(&[], |prey| &prey.properties)
    }

    /// Searches the next seeds on rayon's current pool; what was found is folded in their order. Seeds that
    /// `stop` interrupts do not count.
    pub fn step(&mut self, seeds: u64, stop: &AtomicBool) {
        let seeds: Vec<u64> = (0..seeds).map(|i| self.next_seed + i).collect();
        let caught: Vec<Option<Catch>> = seeds.par_iter().map(|&seed| self.search(seed, stop)).collect();
        self.stats.new_states = 0;
        for caught in caught {
            let Some(caught) = caught else { return };
            self.next_seed = caught.seed + 1;
            self.fold(caught);
        }
    }

    fn fold(&mut self, caught: Catch) {
        self.stats.seeds += 1;
        self.stats.failing += u64::from(!caught.found.is_empty());
        self.stats.runs += caught.runs;
        self.stats.events += caught.events;
        for pair in caught.states {
            let (word, bit) = (usize::from(pair / 64), pair % 64);
            if self.states[word] >> bit & 1 == 0 {
                self.states[word] |= 1 << bit;
                self.stats.states += 1;
                self.stats.new_states += 1;
            }
        }
        for (violation, case) in caught.found {
            let first = Finding {
                seed: caught.seed,
                runs: self.stats.runs,
                strategy: self.strategy.of(caught.seed),
                violation: violation.clone(),
                seen: 0,
                case,
            };
            self.findings.entry(violation.fingerprint).or_insert(first).seen += 1;
        }
    }

    /// What was done so far.
    pub fn stats(&self) -> HuntStats {
        self.stats
    }

    /// What was found so far, one a fingerprint.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.values()
    }

    /// The concrete run of a finding; `None` when it does not show the same a second time.
    pub fn repro(&self, finding: &Finding) -> Option<Repro<'m>> {
        let lab = Lab::new(self.prey(finding.seed).lab.model);
        Repro::make(lab, finding.case.clone(), &finding.violation, &self.engine)
    }

    /// The point that a seed searches.
    fn prey(&self, seed: u64) -> &Prey<'m> {
        &self.points[usize::try_from(seed % self.points.len() as u64).expect("an index")]
    }

    fn search(&self, seed: u64, stop: &AtomicBool) -> Option<Catch> {
        let prey = self.prey(seed);
        let strategy = self.strategy.of(seed);
        let scenario = prey.seeded(seed, strategy)?;
        let mut catch = Catch { seed, found: Vec::new(), states: Vec::new(), runs: 1, events: 0 };
        let watched = Watched { states: true, ..Watched::default() };
        let mut run = prey.lab.prepare(&scenario, &prey.properties, watched);
        let mut forks = Vec::new();
        let mut goes_on = true;
        let mut known = 0;
        for look in 1..LOOKS {
            if !goes_on || stop.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            let at = Time(scenario.duration.0 / LOOKS * look);
            goes_on = run.advance(at);
            if goes_on && run.states().len() > known && strategy == Strategy::Forks {
                known = run.states().len();
                forks.push((at, run.fork()));
            }
        }
        catch.states.extend_from_slice(run.states());
        let outcome = Outcome::of(&run.finish(stop)?);
        catch.events += outcome.events;
        if let Some(first) = outcome.violations.into_iter().next() {
            catch.found.push((first, Case::concrete(&scenario, seed)));
            return Some(catch);
        }
        // The latest worlds have come furthest.
        for (nth, (at, fork)) in forks.into_iter().rev().take(MOST_FORKS).enumerate() {
            prey.go_on(&scenario, (at, fork, nth), &mut catch, stop)?;
        }
        Some(catch)
    }
}

impl<'m> Prey<'m> {
    fn new(scenario: &Scenario, lab: Lab<'m>) -> Prey<'m> {
        let mut case = Case::of(scenario);
        case.drop_keys(&["expect", "repro"]);
        Prey {
            case,
            tolerance: lab.model.tolerance(scenario),
            properties: safety(lab.model, scenario),
            scenario: scenario.clone(),
            lab,
        }
    }

    /// The scenario with a seed, and with generators where it has none of its own.
    fn seeded(&self, seed: u64, strategy: Strategy) -> Option<Scenario> {
        let mut case = self.case.clone();
        case.set(&["seed"], Value::count(seed));
        if self.scenario.hazards.is_empty() && strategy != Strategy::Own {
            case.add(&nemesis::hazard(&self.scenario, &self.tolerance, strategy, seed), "hazard");
        }
        if strategy == Strategy::Priorities {
            case.add(&nemesis::priorities(&self.scenario, &self.tolerance, seed), "fault");
        }
        self.lab.resolve(&case)
    }

    /// A clone goes on with other decisions and more faults.
    fn go_on(
        &self,
        scenario: &Scenario,
        (at, mut fork, nth): (Time, Box<dyn Run>, usize),
        catch: &mut Catch,
        stop: &AtomicBool,
    ) -> Option<()> {
        let seed = Stream::new(catch.seed, name_hash("fork") ^ nth as u64).word() >> 1;
        let more = self.more_faults(scenario, seed, at);
        let before = fork.states().len();
        fork.reseed(seed);
        fork.add_faults(&more);
        _ = fork.advance(Time::ZERO.saturating_add(scenario.duration));
        catch.states.extend_from_slice(&fork.states()[before..]);
        let outcome = Outcome::of(&fork.finish(stop)?);
        catch.runs += 1;
        catch.events += outcome.events;
        if let Some(first) = outcome.violations.into_iter().next() {
            let mut case = Case::concrete(scenario, catch.seed);
            let plan = hazard::Plan { faults: more, notes: Vec::new(), full: false };
            case.add(&plan.render(), "fault");
            let reseed = format!("{} {seed}", duration_text(at.0));
            case.set(&["repro", "reseeds"], Value::array(vec![Value::text(reseed)]));
            if !catch.found.iter().any(|(known, _)| known.fingerprint == first.fingerprint) {
                catch.found.push((first, case));
            }
        }
        Some(())
    }

    /// Faults of another seed that start soon after a time. Nobody turns into a liar on the way.
    fn more_faults(&self, scenario: &Scenario, seed: u64, after: Time) -> Vec<FaultSpec> {
        let Some(other) = self.seeded(seed, Strategy::Swarm) else { return Vec::new() };
        let soon = after.saturating_add(Span(scenario.duration.0 / 4));
        let lies = |fault: &FaultSpec| matches!(fault.effect, FaultEffect::Byzantine { .. });
        let made = |fault: &FaultSpec| other.hazards.iter().any(|hazard| hazard.name == fault.origin);
        let mut faults = hazard::expand(&other, seed).faults;
        faults.retain(|fault| made(fault) && fault.start > after && fault.start < soon && !lies(fault));
        for fault in &mut faults {
            fault.name = format!("fork.{}", fault.name);
            "fork".clone_into(&mut fault.origin);
        }
        faults
    }
}
