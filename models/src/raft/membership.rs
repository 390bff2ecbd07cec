//! Changes of the members (Ongaro 2014, chapter 4).

use murphy_sim::{Fact, Span};

use super::bug::Bug;
use super::log::Payload;
use super::members::{Members, Places, places};
use super::options::Change;
use super::replica::{Replica, Role};
use super::{Cx, Timer};
use crate::consensus::own::MEMBERS;

impl Replica {
    /// The next change comes after a random time, twice the option's at most.
    pub(super) fn arm_reconfigure(&mut self, cx: &mut Cx<'_>) {
        if self.options.reconfigure > Span::ZERO {
            let wait = Span(cx.rng().below(2 * self.options.reconfigure.0) + 1);
            self.reconfigure_timer = Some(cx.set_timer(wait, Timer::Reconfigure));
        }
    }

    /// Time for the leader to change the members.
    pub(super) fn on_reconfigure(&mut self, cx: &mut Cx<'_>) {
        self.reconfigure_timer = None;
        if self.role != Role::Leader {
            return;
        }
        self.arm_reconfigure(cx);
        if self.learner.is_some() || !self.may_change() {
            return;
        }
        let members = self.members();
        let spares = Members::first(self.group.n()).new & !members.new;
        let (count, target) = (members.new.count_ones() as usize, self.options.members.min(self.group.n()));
        // Around the number asked for it goes either way.
        let shrinks =
            count > target || (count == target && count > 1 && (spares == 0 || cx.rng().below(2) == 0));
        let add = |set: Places, cx: &mut Cx<'_>| 1 << pick(set, cx);
        match self.options.change {
            Change::Single if shrinks => {
                let gone = add(members.new, cx);
                self.propose(cx, Payload::Members(Members { new: members.new & !gone, old: 0 }));
            }
            Change::Single if spares != 0 => {
                let come = pick(spares, cx);
                self.begin_catch_up(cx, come, Members { new: members.new | 1 << come, old: 0 });
            }
            Change::Joint if spares != 0 => {
                let (come, gone) = (pick(spares, cx), add(members.new, cx));
                let new = (members.new | 1 << come) & !gone;
                self.begin_catch_up(cx, come, Members { new, old: members.new });
            }
            Change::Single | Change::Joint => {}
        }
    }

    /// Whether the members may be changed: the last change is committed (section 4.1), and so is an
    /// entry of this term, without which the majorities of two changes need not meet (Ongaro, "bug in
    /// single-server membership changes", raft-dev, 2015).
    fn may_change(&self) -> bool {
        let (index, members) = self.configurations[self.configurations.len() - 1];
        let settled = index <= self.commit && !members.is_joint();
        settled && (self.commit >= self.start || self.has(Bug::MembersBeforeCommit))
    }

    /// Section 4.2.1: a new member gets the log before it counts.
    fn begin_catch_up(&mut self, cx: &mut Cx<'_>, place: usize, then: Members) {
        self.learner = Some((place, then));
        self.peers[place].next = self.log.last() + 1;
        self.peers[place].matched = 0;
        self.send_heartbeats(cx);
        self.catch_up(cx, place);
    }

    /// A replica has acknowledged entries: if it is to be added and has nearly all, it is.
    pub(super) fn catch_up(&mut self, cx: &mut Cx<'_>, place: usize) {
        let Some((learner, then)) = self.learner else { return };
        let near = self.peers[place].matched + 16 > self.log.last();
        if learner == place && near && self.may_change() {
            self.learner = None;
            self.propose(cx, Payload::Members(then));
        }
    }

    /// The entry that changed the members is committed.
    pub(super) fn on_members_committed(&mut self, cx: &mut Cx<'_>, index: u64, members: Members) {
        cx.fact(Fact::Own { kind: MEMBERS, a: u64::from(members.new.count_ones()), b: index });
        if self.role != Role::Leader || self.configurations.last().is_none_or(|last| last.0 != index) {
            return;
        }
        if members.is_joint() {
            // Section 4.3: once the joint configuration is committed, the new one follows.
            self.propose(cx, Payload::Members(Members { new: members.new, old: 0 }));
        } else if !members.has(self.place) {
            // Section 4.2.2: a leader that is no member steps down when that is committed.
            self.follow(cx, self.term, None);
        }
    }
}

/// One of the places in a set.
fn pick(set: Places, cx: &mut Cx<'_>) -> usize {
    let nth = cx.rng().below(u64::from(set.count_ones()));
    places(set).nth(usize::try_from(nth).unwrap_or(0)).expect("the set has so many")
}
