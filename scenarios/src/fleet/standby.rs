//! Standbys: who serves, who stands by, and the time between.
//!
//! Repair goes on in all states. A repaired component serves at once if too few serve, which also ends
//! a switch-over that is no longer needed; so does, the other way round, the failure of the last spare.

use murphy_sim::Span;

use super::clocks::NEVER;
use super::state::{Outage, Phase, Purpose, State, What, Witness};

/// What a standby is at.
#[derive(Clone, Debug, Default)]
pub(super) struct Switching {
    /// Members that serve.
    serving: usize,
    /// Start of the switch-over that goes on, if one does.
    since: Option<u64>,
    /// Switch-overs so far: ordinal of their draws.
    count: u64,
}

impl State<'_> {
    /// Puts the first members to use.
    pub(super) fn muster(&mut self, group: usize) {
        let standby = &self.fleet.standbys[group];
        for &line in &standby.members[..standby.needed] {
            self.lines[line].serves = true;
        }
        self.switching[group].serving = standby.needed;
    }

    /// A member failed.
    pub(super) fn lost(&mut self, group: usize, line: usize, witness: &mut impl Witness) {
        if std::mem::take(&mut self.lines[line].serves) {
            self.switching[group].serving -= 1;
            self.switch(group, witness);
        } else if self.spare(group).is_none() {
            self.end_switch(group, witness);
        }
    }

    /// A member is up again.
    pub(super) fn regained(&mut self, group: usize, line: usize, witness: &mut impl Witness) {
        let needed = self.fleet.standbys[group].needed;
        if self.switching[group].serving < needed {
            self.lines[line].serves = true;
            self.switching[group].serving += 1;
            if self.switching[group].serving == needed {
                self.end_switch(group, witness);
            }
        }
        self.arm(line);
    }

    /// A switch-over is done.
    pub(super) fn switched(&mut self, group: usize, witness: &mut impl Witness) {
        self.end_switch(group, witness);
        self.promote(group);
        self.switch(group, witness);
    }

    /// Whether nothing switches over.
    pub(super) fn settled(&self) -> bool {
        self.switching.iter().all(|group| group.since.is_none())
    }

    /// Starts a switch-over where one is needed and possible.
    fn switch(&mut self, group: usize, witness: &mut impl Witness) {
        let standby = &self.fleet.standbys[group];
        while self.switching[group].serving < standby.needed
            && self.switching[group].since.is_none()
            && self.spare(group).is_some()
        {
            let ordinal = self.switching[group].count;
            self.switching[group].count += 1;
            let covered = standby.coverage >= 1.0
                || self.chance(Purpose::Coverage, group as u64, ordinal) < standby.coverage;
            let law = if covered { &standby.failover } else { &standby.manual };
            let Some(law) = law else {
                self.promote(group);
                continue;
            };
            let lasts = law.sample(self.word(Purpose::Switch, group as u64, ordinal)).max(Span(1));
            self.switching[group].since = Some(self.now);
            let clock = self.clock_of_standby(group);
            self.clocks.set(clock, self.after(lasts));
            witness.began(What::Switch(group), self.now);
            for &leaf in &standby.leaves {
                self.levels.fail(&self.fleet.structure, leaf);
            }
        }
    }

    fn end_switch(&mut self, group: usize, witness: &mut impl Witness) {
        let Some(since) = self.switching[group].since.take() else { return };
        let clock = self.clock_of_standby(group);
        self.clocks.set(clock, NEVER);
        for &leaf in &self.fleet.standbys[group].leaves {
            self.levels.mend(&self.fleet.structure, leaf);
        }
        witness.ended(Outage { what: What::Switch(group), from: since, to: self.now, common: None });
    }

    /// The spare that is next.
    fn spare(&self, group: usize) -> Option<usize> {
        let spare = |line: &&usize| self.lines[**line].phase == Phase::Up && !self.lines[**line].serves;
        self.fleet.standbys[group].members.iter().find(spare).copied()
    }

    fn promote(&mut self, group: usize) {
        let Some(line) = self.spare(group) else { return };
        self.switching[group].serving += 1;
        let left = self.life_left(line);
        self.lines[line].serves = true;
        self.age(line, left);
    }
}
