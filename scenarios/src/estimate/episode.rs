//! One episode: from a first fault until everything is up again.

use murphy_sim::{Keyed, unit};

use super::{Method, Strata, Stratum};
use crate::fleet::{Fault, Fleet, Outage, State, What, Witness};

/// What happened in one episode. Times are nanoseconds from its first fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Its number: what else is random in it may be drawn by it.
    pub world: u64,
    /// Likelihood ratio: how much less often the episode comes than it was sampled.
    pub weight: f64,
    /// Its length.
    pub length: u64,
    /// Time that the target was down.
    pub down: u64,
    /// Times that the target went down.
    pub failures: u64,
    /// When it first did.
    pub hit: Option<u64>,
    /// Faults, the first included.
    pub faults: u64,
    /// Outages of components and switch-overs, in the order of their ends; empty unless asked for.
    pub outages: Vec<Outage>,
}

/// A fault that may happen next, with its kind for the balance.
struct Candidate {
    fault: Fault,
    stratum: usize,
    rate: f64,
}

/// Samples episodes of one fleet.
#[derive(Clone, Copy)]
pub(super) struct Sampler<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) strata: &'a Strata,
    /// The gate of the structure whose failures count.
    pub(super) target: u32,
    pub(super) method: Method,
    pub(super) keyed: &'a Keyed,
    /// Whether outages are recorded.
    pub(super) record: bool,
}

/// Records outages, and counts faults.
struct Notes {
    record: bool,
    faults: u64,
    outages: Vec<Outage>,
}

impl Witness for Notes {
    fn began(&mut self, what: What, _at: u64) {
        self.faults += u64::from(matches!(what, What::Line(_)));
    }

    fn ended(&mut self, outage: Outage) {
        if self.record {
            self.outages.push(outage);
        }
    }
}

/// The target's ups and downs.
#[derive(Default)]
struct Course {
    down_since: Option<u64>,
    down: u64,
    failures: u64,
    hit: Option<u64>,
}

impl Course {
    fn see(&mut self, state: &State<'_>, target: u32) {
        let now = state.now();
        match (state.is_up(target), self.down_since) {
            (false, None) => {
                self.down_since = Some(now);
                self.failures += 1;
                self.hit = self.hit.or(Some(now));
            }
            (true, Some(since)) => {
                self.down += now - since;
                self.down_since = None;
            }
            _ => {}
        }
    }
}

impl Sampler<'_> {
    /// An episode that starts with a fault of a stratum, or of any of them in proportion to their rates.
    /// `world` numbers the episode: different numbers, different draws.
    pub(super) fn episode(&self, stratum: Option<usize>, world: u64) -> Episode {
        let mut state = State::still(self.fleet, self.keyed, world);
        let mut notes = Notes { record: self.record, faults: 0, outages: Vec::new() };
        let mut course = Course::default();
        let first = self.first(stratum, &state);
        let boost = match self.method {
            Method::Crude => {
                state.release();
                None
            }
            Method::Boost(factor) => Some(factor),
        };
        state.strike(first, 0, &mut notes);
        course.see(&state, self.target);
        let mut weight = 1.0;
        if let Some(factor) = boost {
            weight = self.boosted(&mut state, factor, &mut notes, &mut course);
            state.release();
        }
        while !state.is_quiet() {
            assert!(state.step(&mut notes), "what is repaired is up again some day");
            course.see(&state, self.target);
        }
        Episode {
            world,
            weight,
            length: state.now(),
            down: course.down,
            failures: course.failures,
            hit: course.hit,
            faults: notes.faults,
            outages: notes.outages,
        }
    }

    /// Goes on with boosted hazards until the target is down or everything is up; returns the weight.
    ///
    /// Between two events the sum of the hazards is h' = factor / (time to the next end of a repair), and
    /// the victim is balanced: each kind that can still fail as likely, and each of its members. A fault
    /// after x multiplies the weight by λ e^(−Λx) / (h' q e^(−h'x)), none for r by e^(−(Λ−h')r).
    fn boosted(&self, state: &mut State<'_>, factor: f64, notes: &mut Notes, course: &mut Course) -> f64 {
        let mut weight = 1.0;
        let mut ordinal = 1;
        while course.hit.is_none() && !state.is_quiet() {
            let next = state.next_at().expect("what is repaired is up again some day");
            let left = (next - state.now()) as f64;
            let candidates = self.candidates(state);
            let total: f64 = candidates.iter().map(|candidate| candidate.rate).sum();
            if candidates.is_empty() || left <= 0.0 {
                state.step(notes);
                course.see(state, self.target);
                continue;
            }
            let hazard = factor / left;
            let wait = -libm::log(unit(state.strike_word(ordinal))) / hazard;
            let pick = unit(state.strike_word(ordinal + 1));
            ordinal += 2;
            if wait >= left {
                weight *= libm::exp(-(total - hazard) * left);
                state.step(notes);
            } else {
                let (victim, chance) = balanced(&candidates, pick);
                weight *= victim.rate / (hazard * chance) * libm::exp(-(total - hazard) * wait);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below `left`")]
                let at = state.now() + wait as u64;
                state.strike(victim.fault, at, notes);
            }
            course.see(state, self.target);
        }
        weight
    }

    fn candidates(&self, state: &State<'_>) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for (stratum, kind) in self.strata.list.iter().enumerate() {
            for (fault, _) in &kind.faults {
                let rate = state.rate_of(*fault);
                if rate > 0.0 {
                    candidates.push(Candidate { fault: *fault, stratum, rate });
                }
            }
        }
        candidates
    }

    /// The first fault of a stratum, in proportion to the rates.
    pub(super) fn first(&self, stratum: Option<usize>, state: &State<'_>) -> Fault {
        let chosen = unit(state.strike_word(0));
        let strata =
            stratum.map_or(&self.strata.list[..], |index| std::slice::from_ref(&self.strata.list[index]));
        let total: f64 = strata.iter().map(|stratum| stratum.rate).sum();
        let mut left = chosen * total;
        let faults: Vec<(Fault, f64)> = strata.iter().flat_map(faults_of).collect();
        for (fault, rate) in &faults {
            left -= rate;
            if left < 0.0 {
                return *fault;
            }
        }
        // Rounding: the last that can happen.
        let last = faults.iter().rev().find(|(_, rate)| *rate > 0.0);
        last.expect("a stratum has faults").0
    }
}

fn faults_of(stratum: &Stratum) -> impl Iterator<Item = (Fault, f64)> + '_ {
    stratum.faults.iter().copied()
}

/// One of the candidates, each stratum as likely and each of its members, with its chance.
fn balanced(candidates: &[Candidate], pick: f64) -> (&Candidate, f64) {
    let mut strata: Vec<(usize, usize)> = Vec::new();
    for candidate in candidates {
        match strata.last_mut() {
            Some(last) if last.0 == candidate.stratum => last.1 += 1,
            _ => strata.push((candidate.stratum, 1)),
        }
    }
    let kinds = strata.len() as f64;
    let mut left = pick;
    for candidate in candidates {
        let members = strata.iter().find(|kind| kind.0 == candidate.stratum).map_or(1, |kind| kind.1);
        let chance = 1.0 / (kinds * members as f64);
        left -= chance;
        if left < 0.0 {
            return (candidate, chance);
        }
    }
    let last = candidates.last().expect("there are candidates");
    let members = strata.last().map_or(1, |kind| kind.1);
    (last, 1.0 / (kinds * members as f64))
}
