//! New versions: how instances come to them, and back when they do badly.

use std::sync::Arc;

use murphy_scenarios::language::{RolloutSpec, Strategy};
use murphy_sim::{Span, Time};

use super::super::fact::Said;
use super::super::message::{Load, Order, ServiceMessage};
use super::fleet::{Fleet, Member, State};
use super::{Control, Cx, slot};
use crate::service::Timer;

/// How far a new version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its time has not come.
    Waiting,
    /// The first ones change, or a second set starts.
    First,
    /// They are watched until then.
    Baking(Time),
    /// The others change; not before then does the next batch.
    Rest(Time),
    /// It did badly: instances change back.
    Back,
    /// It is out, or gone again.
    Over,
}

impl Progress {
    /// Whether nothing is going on.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Progress::Waiting | Progress::Over)
    }
}

/// The version that a rollout brings: one more than its place in the file.
fn version_of(index: usize) -> u32 {
    slot(index) + 1
}

impl Control {
    /// Whether a new version of a service is on its way.
    pub(super) fn rolls(&self, service: usize) -> bool {
        let of = |(index, progress): (usize, &Progress)| {
            self.plan.rollouts[index].service == service && !progress.is_idle()
        };
        self.rollouts.iter().enumerate().any(of)
    }

    /// After the control plane was away: what was under way is carried to its end. That it took a version back
    /// is among what it has forgotten.
    pub(super) fn resume(&mut self, index: usize) {
        let service = self.plan.rollouts[index].service;
        self.fleets[service].version = version_of(index);
        self.rollouts[index] = Progress::Rest(Time::ZERO);
    }

    /// The time of a rollout, or of its next step, has come.
    pub(super) fn roll(&mut self, cx: &mut Cx<'_>, index: usize) {
        let service = self.plan.rollouts[index].service;
        if self.rollouts[index] == Progress::Waiting {
            self.rollouts[index] = Progress::First;
            self.before[index] = self.fleets[service].version;
            for member in &mut self.fleets[service].members {
                member.base = member.load;
            }
            Said::RolledOut.say(cx, service, u64::from(version_of(index)));
        }
        self.settle(cx, service);
    }

    /// Carries the rollouts of a service on as far as they can go now.
    pub(super) fn advance(&mut self, cx: &mut Cx<'_>, service: usize) {
        for index in 0..self.rollouts.len() {
            if self.plan.rollouts[index].service == service && !self.rollouts[index].is_idle() {
                while self.step(cx, index) {}
            }
        }
    }

    /// One step of a rollout; whether another one may follow at once.
    fn step(&mut self, cx: &mut Cx<'_>, index: usize) -> bool {
        let plan = Arc::clone(&self.plan);
        let spec = &plan.rollouts[index];
        let (service, version, now) = (spec.service, version_of(index), cx.now());
        if self.did_badly(spec, version) && !matches!(self.rollouts[index], Progress::Back) {
            Said::RolledBack.say(cx, service, u64::from(version));
            self.rollouts[index] = Progress::Back;
            let old = self.before[index];
            self.fleets[service].active = (spec.strategy == Strategy::BlueGreen).then_some(old);
        }
        let after = match self.rollouts[index] {
            Progress::Waiting | Progress::Over => return false,
            Progress::First => self.first(cx, index, version),
            Progress::Baking(until) if now < until => return false,
            Progress::Baking(_) => Some(Progress::Rest(now)),
            Progress::Rest(from) if now < from => return false,
            Progress::Rest(_) => self.rest(cx, index, version),
            Progress::Back => self.back(cx, index, version),
        };
        let Some(after) = after else { return false };
        if let Progress::Baking(until) | Progress::Rest(until) = after
            && until > now
        {
            cx.set_timer(until - now, Timer::Rollout(slot(index)));
        }
        self.rollouts[index] = after;
        true
    }

    /// The first instances change. `None` while they do.
    fn first(&mut self, cx: &mut Cx<'_>, index: usize, version: u32) -> Option<Progress> {
        let plan = Arc::clone(&self.plan);
        let spec = &plan.rollouts[index];
        let service = spec.service;
        let until = cx.now().saturating_add(spec.bake);
        match spec.strategy {
            Strategy::Rolling => {
                self.fleets[service].version = version;
                Some(Progress::Rest(cx.now()))
            }
            Strategy::Push => {
                self.fleets[service].version = version;
                self.adopt(cx, service, version);
                Some(Progress::Baking(until))
            }
            Strategy::Canary => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of a count"
                )]
                let first = libm::ceil(spec.canary * self.fleets[service].wanted as f64) as usize;
                self.change(cx, spec, version, first).then_some(Progress::Baking(until))
            }
            Strategy::BlueGreen => {
                self.fleets[service].active = Some(self.before[index]);
                let fleet = &self.fleets[service];
                let there = fleet.count(|member| started_as(member, version));
                for _ in there..fleet.wanted {
                    let place = self.fleets[service].vacancy(&self.plan.services[service])?;
                    self.begin(cx, service, place, version);
                }
                let fleet = &mut self.fleets[service];
                if fleet.count(|member| runs(member, version)) < fleet.wanted {
                    return None;
                }
                fleet.active = Some(version);
                fleet.version = version;
                Some(Progress::Baking(until))
            }
        }
    }

    /// The others change. `None` while they do.
    fn rest(&mut self, cx: &mut Cx<'_>, index: usize, version: u32) -> Option<Progress> {
        let plan = Arc::clone(&self.plan);
        let spec = &plan.rollouts[index];
        self.fleets[spec.service].version = version;
        match spec.strategy {
            Strategy::Push => Some(Progress::Over),
            Strategy::BlueGreen => {
                let old = |member: &Member| member.state.counts() && member.version != version;
                while let Some(place) = self.fleets[spec.service].members.iter().position(old) {
                    self.stop(cx, spec.service, place, None);
                }
                self.fleets[spec.service].active = None;
                Some(Progress::Over)
            }
            Strategy::Rolling | Strategy::Canary => {
                let wanted = self.fleets[spec.service].wanted;
                if self.change(cx, spec, version, wanted) {
                    return Some(Progress::Over);
                }
                None
            }
        }
    }

    /// Instances change back. `None` while they do.
    fn back(&mut self, cx: &mut Cx<'_>, index: usize, version: u32) -> Option<Progress> {
        let plan = Arc::clone(&self.plan);
        let spec = &plan.rollouts[index];
        let (service, old) = (spec.service, self.before[index]);
        self.fleets[service].version = old;
        match spec.strategy {
            Strategy::Push => {
                self.adopt(cx, service, old);
                Some(Progress::Over)
            }
            Strategy::BlueGreen => {
                let new = |member: &Member| member.state.counts() && started_as(member, version);
                while let Some(place) = self.fleets[service].members.iter().position(new) {
                    self.stop(cx, service, place, None);
                }
                self.fleets[service].active = None;
                Some(Progress::Over)
            }
            Strategy::Rolling | Strategy::Canary => {
                let all = RolloutSpec { batch: u64::MAX, pause: Span::ZERO, ..spec.clone() };
                let wanted = self.fleets[service].wanted;
                self.change(cx, &all, old, wanted).then_some(Progress::Over)
            }
        }
    }

    /// Brings `most` instances to a version, a batch at a time; whether they are there.
    fn change(&mut self, cx: &mut Cx<'_>, spec: &RolloutSpec, version: u32, most: usize) -> bool {
        let fleet = &self.fleets[spec.service];
        let done = fleet.count(|member| runs(member, version));
        let moving = fleet.count(|member| {
            member.then.is_some() || matches!(member.state, State::Starting | State::Provisioning)
        });
        let room = usize::try_from(spec.batch).unwrap_or(usize::MAX).saturating_sub(moving);
        // A batch starts when the one before is there.
        if moving > 0 && spec.batch < u64::MAX {
            return false;
        }
        let old = |(_, member): &(usize, &Member)| {
            matches!(member.state, State::Ready | State::Unready) && member.version != version
        };
        let places: Vec<usize> = fleet
            .members
            .iter()
            .enumerate()
            .filter(old)
            .map(|(place, _)| place)
            .take(room.min(most.saturating_sub(done + moving)))
            .collect();
        if places.is_empty() {
            return moving == 0 && done >= most.min(done + self.others(spec.service, version));
        }
        if done > 0 && spec.pause > Span::ZERO && !self.paused(cx, spec) {
            return false;
        }
        for place in places {
            self.stop(cx, spec.service, place, Some(version));
        }
        false
    }

    /// Instances of other versions that could still change.
    fn others(&self, service: usize, version: u32) -> usize {
        self.fleets[service].count(|member| member.state.counts() && member.version != version)
    }

    /// Whether the wait after a batch is over; it starts at the first call after the batch.
    fn paused(&mut self, cx: &mut Cx<'_>, spec: &RolloutSpec) -> bool {
        let Some(index) = self.plan.rollouts.iter().position(|other| other.name == spec.name) else {
            return true;
        };
        let until = self.pauses[index];
        if until > Time::ZERO && cx.now() >= until {
            self.pauses[index] = Time::ZERO;
            return true;
        }
        if until == Time::ZERO {
            self.pauses[index] = cx.now().saturating_add(spec.pause);
            cx.set_timer(spec.pause, Timer::Rollout(slot(index)));
        }
        false
    }

    /// Tells all instances to adopt a version while they run.
    fn adopt(&mut self, cx: &mut Cx<'_>, service: usize, version: u32) {
        for &node in &self.plan.services[service].replicas {
            cx.send(node, ServiceMessage::Order(Order::Adopt { version }));
        }
    }

    /// Whether the answers of a version have failed more often than its gate allows.
    fn did_badly(&self, spec: &RolloutSpec, version: u32) -> bool {
        let Some(gate) = spec.gate else { return false };
        let (answered, failed) = judged(&self.fleets[spec.service], version);
        answered >= spec.samples && failed as f64 > gate * answered as f64
    }
}

/// Answers, and failures among them, of the instances of a version since it started.
fn judged(fleet: &Fleet, version: u32) -> (u64, u64) {
    let of = |member: &&Member| member.version == version && member.state.counts();
    let since = u64::saturating_sub;
    let one = |Member { load, base, .. }: &Member| {
        let Load { answered, failed, .. } = load;
        (since(*answered, base.answered), since(*failed, base.failed))
    };
    fleet.members.iter().filter(of).map(one).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

fn runs(member: &Member, version: u32) -> bool {
    member.state == State::Ready && member.version == version
}

/// Whether an instance runs a version, or is about to.
fn started_as(member: &Member, version: u32) -> bool {
    member.then == Some(version) || (member.state.counts() && member.version == version)
}
