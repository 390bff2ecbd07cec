//! The life of an instance: whether a replica's node runs one, and whether it serves.

use murphy_scenarios::language::RolloutSpec;
use murphy_sim::{NodeId, Outcome, Span, Time, unit};

use super::draw::{self, Purpose};
use super::message::{Answer, Load, Report};
use super::plan::Plan;

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The node runs none.
    Absent,
    /// It starts, and takes no requests yet.
    Starting,
    /// It takes requests.
    Serving,
    /// It finishes what it has, and takes no more.
    Draining,
}

impl Phase {
    /// Whether it should get requests.
    pub(crate) fn serves(self) -> bool {
        self == Phase::Serving
    }

    /// Whether it takes those that it gets.
    pub(crate) fn takes_requests(self) -> bool {
        matches!(self, Phase::Serving | Phase::Draining)
    }
}

/// What a replica knows of itself as an instance.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) phase: Phase,
    /// Since when it serves.
    pub(crate) serving: Time,
    /// The version that it runs.
    pub(crate) version: u32,
    pub(crate) load: Load,
    /// Tells the timers of one start or stop from those of another.
    pub(crate) turn: u32,
    /// Checks that wait for the answers of dependencies.
    checks: Vec<Check>,
}

#[derive(Clone, Copy, Debug)]
struct Check {
    from: NodeId,
    serial: u32,
    /// Answers that are missing.
    missing: u32,
}

impl Instance {
    pub(crate) fn new(phase: Phase) -> Instance {
        let load = Load::default();
        Instance { phase, serving: Time::ZERO, version: 0, load, turn: 0, checks: Vec::new() }
    }

    /// A timer of what it does from now on.
    pub(crate) fn next_turn(&mut self) -> u32 {
        self.turn = self.turn.wrapping_add(1);
        self.turn
    }

    /// It starts, with this version.
    pub(crate) fn start(&mut self, version: u32) {
        self.phase = Phase::Starting;
        self.version = version;
        self.load = Load::default();
    }

    /// The time that work takes at this instance: longer when it has just started, or by its version.
    pub(crate) fn paced(&self, plan: &Plan, service: usize, now: Time, work: Span) -> Span {
        // Those that were there at the start of the run are warm.
        let young = |lasts| self.serving > Time::ZERO && now.since(self.serving) < lasts;
        let cold = plan.services[service].fleet.cold.filter(|cold| young(cold.lasts));
        let factor = cold.map_or(1.0, |cold| cold.factor) * self.rollout(plan).map_or(1.0, |new| new.factor);
        if factor > 1.0 { work.scale(factor) } else { work }
    }

    /// The rollout that brought the version that it runs.
    fn rollout<'p>(&self, plan: &'p Plan) -> Option<&'p RolloutSpec> {
        plan.rollouts.get((self.version as usize).wrapping_sub(1))
    }

    /// Whether its version answers a request of this luck with an error.
    pub(crate) fn version_fails(&self, plan: &Plan, luck: u64) -> bool {
        let errors = self.rollout(plan).map_or(0.0, |new| new.errors);
        errors > 0.0 && unit(draw::word(luck, Purpose::Version)) < errors
    }

    /// Takes note of an answer. One of a version that a later one broke is wrong.
    pub(crate) fn account(&mut self, plan: &Plan, service: usize, now: Time, answer: &mut Answer) {
        let newer = plan.rollouts.iter().skip(self.version as usize);
        let broken = |new: &RolloutSpec| new.breaking && new.service == service && now >= new.at;
        if answer.outcome == Outcome::Ok && newer.clone().any(broken) {
            *answer = Answer::failed(Outcome::Wrong);
        }
        self.load.answered += 1;
        self.load.failed += u64::from(answer.outcome != Outcome::Ok);
    }

    /// What it tells the control plane.
    pub(crate) fn report(&self, serial: u32) -> Report {
        Report { serial, phase: self.phase, version: self.version, load: self.load }
    }

    /// A check that is answered when so many dependencies have answered.
    pub(crate) fn hold(&mut self, from: NodeId, serial: u32, missing: u32) {
        // Of checks that were never answered only the last few are kept.
        if self.checks.len() == 8 {
            self.checks.remove(0);
        }
        self.checks.push(Check { from, serial, missing });
    }

    /// A dependency is well: the check that this completes.
    pub(crate) fn well(&mut self, serial: u32) -> Option<NodeId> {
        let place = self.checks.iter().position(|check| check.serial == serial)?;
        self.checks[place].missing -= 1;
        (self.checks[place].missing == 0).then(|| self.checks.remove(place).from)
    }
}
