//! Restart: a replica goes on where its disk says that it stopped.
//!
//! A damaged block may have held a promise, so what is missing cannot be taken as never said (Alagappan et
//! al., FAST 2018). Every promise of a slot lies in the window above the stable checkpoint: the replica
//! gives no new vote there, and leaves no view, whose P set would need it, until a checkpoint above that
//! window is stable. What the others decide it executes meanwhile, and it may say so.

use std::sync::Arc;

use murphy_sim::Fact;

use super::Cx;
use super::bug::Bug;
use super::damage::Found;
use super::log::Phase;
use super::message::{CheckpointVote, StableProof};
use super::protocol::CORRUPTIONS_FOUND;
use super::replica::{Later, Replica};
use super::stable::{Head, Write};

impl Replica {
    /// Continues with what the disk kept.
    pub(super) fn recover(&mut self, cx: &mut Cx<'_>, found: &Found) {
        let head = &found.head;
        if found.damaged > 0 {
            cx.fact(Fact::Sample { metric: CORRUPTIONS_FOUND, value: found.damaged });
        }
        self.doubt = found.doubt.filter(|_| !self.has(Bug::IgnoresDamage));
        self.view = head.view;
        self.active = head.changing.is_none();
        self.new_view.clone_from(&head.new_view);
        self.view_changes[self.place].clone_from(&head.changing);
        self.proof.clone_from(&head.proof);
        if self.doubt.is_some() {
            // New writes may mend the block by which the doubt is known.
            self.write_head(cx, 88);
        }
        if let Some(last) = found.snapshots.back() {
            self.snapshots.clone_from(&found.snapshots);
            self.store = last.store();
            self.executed = last.slot();
        }
        let low = self.proof.as_ref().map_or(0, StableProof::slot);
        self.log.advance(low);
        self.replay(cx, found, low);
        self.proposed = self.proposed.max(low).max(self.executed);
        self.restore_own_votes();
        for own in self.snapshots.clone() {
            self.on_checkpoint(cx, self.place, &CheckpointVote { slot: own.slot(), state: own.digest() });
        }
        if self.executed < low {
            self.fetch(cx, low);
        }
        self.note_all_pending();
        self.watch(cx);
        if self.active {
            self.send_status(cx);
        } else {
            self.send_view_change(cx);
        }
        self.flush(cx);
    }

    /// Puts the records back into the log, and executes what they say is decided.
    fn replay(&mut self, cx: &mut Cx<'_>, found: &Found, low: u64) {
        for (slot, record) in found.records.iter().filter(|(slot, _)| *slot > low) {
            let slot = *slot;
            if !self.log.in_window(slot) {
                continue;
            }
            if let Some(batch) = record.batch.as_ref().filter(|_| record.view == self.view && self.active) {
                self.log.accept(self.view, slot, batch.clone());
                self.log.slot_mut(slot).announced = true;
                self.proposed = slot;
            }
            if let Some(certificate) = &record.prepared {
                self.log.restore(certificate.clone());
            }
            if let Some(batch) = record.batch.as_ref().filter(|_| record.committed) {
                self.log.slot_mut(slot).committed = true;
                if slot == self.executed + 1 {
                    self.executed = slot;
                    self.apply(cx, slot, batch, false);
                    self.checkpoint_if_due(cx);
                }
            }
        }
    }

    /// What the disk kept was, or may have been, sent.
    fn restore_own_votes(&mut self) {
        for slot in self.log.low() + 1..=self.log.high() {
            let (announced, commit_sent) = {
                let slot = self.log.slot(slot);
                (slot.announced, slot.commit_sent)
            };
            let vote = self.log.matching(slot);
            if announced && !self.is_primary() {
                self.log.vote(Phase::Prepare, self.place, &vote);
            }
            if announced && commit_sent {
                self.log.vote(Phase::Commit, self.place, &vote);
            }
        }
    }

    /// Writes what concerns no single slot.
    pub(super) fn write_head(&mut self, cx: &mut Cx<'_>, bytes: u32) {
        let head = Head {
            view: self.view,
            changing: self.own_view_change(),
            new_view: self.new_view.clone(),
            proof: self.proof.clone(),
            doubt: self.doubt,
            sum: 0,
        };
        self.write(cx, Write::Head(Arc::new(head.sealed())), bytes);
    }

    /// The same, and sends `later` once it is durable.
    pub(super) fn promise_head(&mut self, cx: &mut Cx<'_>, bytes: u32, later: Later) {
        self.write_head(cx, bytes);
        self.send_later(later);
    }

    /// Whether it may have promised something else for this slot, and lost it.
    #[inline]
    pub(super) fn doubts(&self, slot: u64) -> bool {
        self.doubt.is_some_and(|last| slot <= last)
    }
}
