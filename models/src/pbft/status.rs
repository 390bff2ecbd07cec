//! Status messages and retransmission (Castro's thesis, 2001): what a peer lacks and the log still
//! holds is sent again, so that loss leaves nobody stuck.

use std::sync::Arc;

use murphy_sim::NodeId;

use super::bug::Bug;
use super::message::{CheckpointVote, PbftMessage, PrePrepare, Status};
use super::replica::Replica;
use super::{Cx, Timer};

/// Slots that one status message gets retransmitted.
const AT_ONCE: u64 = 32;
/// A replica to which nothing happens speaks up every so many ticks.
const QUIET_TICKS: u32 = 10;

impl Replica {
    /// Speaks up when something is missing and nothing moved since the last tick.
    pub(super) fn on_status_tick(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(self.options.status_interval, Timer::Status);
        let now = (self.view, self.log.low(), self.executed);
        let moved = std::mem::replace(&mut self.seen, now) != now;
        self.quiet_ticks += 1;
        if !self.active {
            if !self.has(Bug::ViewChangeSentOnce) {
                self.send_view_change(cx);
            }
        } else if self.quiet_ticks >= QUIET_TICKS || (!moved && self.lacks_something()) {
            self.quiet_ticks = 0;
            self.overtaken = false;
            self.send_status(cx);
        }
        if !moved && let Some(slot) = self.missed_checkpoint() {
            self.fetch(cx, slot);
        }
    }

    fn lacks_something(&self) -> bool {
        self.pending > 0 || self.overtaken || self.target.is_some() || self.log.top() > self.executed
    }

    pub(super) fn send_status(&self, cx: &mut Cx<'_>) {
        let status = Status { view: self.view, low: self.log.low(), executed: self.executed };
        self.to_peers(cx, PbftMessage::Status(status));
    }

    pub(super) fn on_status(&mut self, cx: &mut Cx<'_>, from: NodeId, status: &Status) {
        for own in self.snapshots.iter().filter(|own| own.slot() > status.low) {
            let vote = CheckpointVote { slot: own.slot(), state: own.digest() };
            cx.send(from, PbftMessage::Checkpoint(vote));
        }
        if status.view > self.view {
            self.overtaken = true;
        } else if status.view < self.view {
            self.show_view(cx, from);
        } else if self.active {
            self.retransmit(cx, from, status.executed);
        } else if let Some(own) = self.own_view_change() {
            cx.send(from, PbftMessage::ViewChange(own));
        }
    }

    /// Shows the current view to a replica that is in an earlier one, or waits for it.
    ///
    /// The primary and the next f replicas do it: one of them is correct.
    pub(super) fn show_view(&self, cx: &mut Cx<'_>, to: NodeId) {
        if !self.active {
            if let Some(own) = self.own_view_change() {
                cx.send(to, PbftMessage::ViewChange(own));
            }
            return;
        }
        let n = self.group.n();
        let distance = (self.place + n - self.group.primary_place(self.view)) % n;
        if let Some(new) = self.new_view.as_ref().filter(|_| distance <= self.group.f()) {
            cx.send(to, PbftMessage::NewView(Arc::clone(new)));
        }
    }

    /// Sends own messages about the slots after `executed` again.
    fn retransmit(&self, cx: &mut Cx<'_>, to: NodeId, executed: u64) {
        let first = executed.max(self.log.low()) + 1;
        let last = self.log.top().min(self.log.high()).min(executed.saturating_add(AT_ONCE));
        for number in first..=last {
            let slot = self.log.slot(number);
            let Some(batch) = slot.batch.as_ref().filter(|_| slot.announced) else { continue };
            let vote = self.log.matching(number);
            if self.is_primary() {
                let batch = Arc::clone(batch);
                let proposal = PrePrepare { view: vote.view, slot: number, digest: vote.digest, batch };
                cx.send(to, PbftMessage::PrePrepare(proposal));
            } else {
                cx.send(to, PbftMessage::Prepare(vote));
            }
            if slot.commit_sent {
                cx.send(to, PbftMessage::Commit(vote));
            }
        }
    }
}
