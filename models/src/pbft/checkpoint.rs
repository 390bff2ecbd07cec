//! Checkpoints and garbage collection (Castro & Liskov 1999, section 4.3).

use murphy_sim::Fact;

use super::Cx;
use super::bug::Bug;
use super::message::{CheckpointVote, PbftMessage, StableProof};
use super::replica::{Later, Replica};
use super::stable::{Write, forget_snapshots};
use crate::consensus::Signers;

/// Votes for one state after one slot.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    slot: u64,
    state: u64,
    signers: Signers,
}

impl Replica {
    /// Takes a checkpoint every K slots; its message leaves when the disk has the state.
    pub(super) fn checkpoint_if_due(&mut self, cx: &mut Cx<'_>) {
        if !self.executed.is_multiple_of(self.options.checkpoint_every) {
            return;
        }
        let snapshot = self.store.snapshot(self.executed);
        let vote = CheckpointVote { slot: snapshot.slot(), state: snapshot.digest() };
        let bytes = snapshot.bytes();
        self.snapshots.push_back(snapshot.clone());
        self.promise(cx, Write::Checkpoint(snapshot), bytes, Later::Checkpoint(vote));
    }

    pub(super) fn send_checkpoint(&mut self, cx: &mut Cx<'_>, vote: &CheckpointVote) {
        self.to_peers(cx, PbftMessage::Checkpoint(*vote));
        self.on_checkpoint(cx, self.place, vote);
    }

    pub(super) fn on_checkpoint(&mut self, cx: &mut Cx<'_>, from: usize, vote: &CheckpointVote) {
        let &CheckpointVote { slot, state } = vote;
        if slot <= self.log.low() || !slot.is_multiple_of(self.options.checkpoint_every) {
            return;
        }
        if self.tallies.iter().any(|tally| tally.slot == slot && tally.signers.has(from)) {
            return;
        }
        if slot > self.log.high() && !self.replace_far_vote(from, slot) {
            return;
        }
        let known = self.tallies.iter().position(|tally| tally.slot == slot && tally.state == state);
        let index = known.unwrap_or_else(|| {
            self.tallies.push(Tally { slot, state, signers: Signers::none(self.group.n()) });
            self.tallies.len() - 1
        });
        self.tallies[index].signers.insert(from);
        self.consider_tally(cx, index);
    }

    /// Beyond the window a replica has one vote, its latest, so that what is kept stays bounded.
    fn replace_far_vote(&mut self, from: usize, slot: u64) -> bool {
        let high = self.log.high();
        let far = |tally: &Tally| tally.slot > high && tally.signers.has(from);
        match self.tallies.iter().position(far) {
            Some(old) if self.tallies[old].slot > slot => return false,
            Some(old) => {
                let n = self.group.n();
                let tally = &mut self.tallies[old];
                let mut others = Signers::none(n);
                for place in (0..n).filter(|place| *place != from && tally.signers.has(*place)) {
                    others.insert(place);
                }
                tally.signers = others;
            }
            None => {}
        }
        self.tallies.retain(|tally| tally.signers.count() > 0);
        true
    }

    /// A checkpoint with a quorum is stable. Who has not executed so far must get its state first.
    fn consider_tally(&mut self, cx: &mut Cx<'_>, index: usize) {
        let tally = &self.tallies[index];
        let (slot, votes) = (tally.slot, tally.signers.count());
        if votes >= self.quorums.checkpoints {
            let proof = StableProof { slot, state: tally.state, signers: tally.signers.clone() };
            if self.own_checkpoint(slot) == Some(proof.state) {
                self.stabilise(cx, proof);
            } else if self.has(Bug::CheckpointBeforeExecution) && slot > self.executed {
                self.executed = slot;
                self.stabilise(cx, proof);
            }
        }
        if votes > self.group.f() && slot > self.executed.max(self.log.high()) {
            // The messages that led there are gone elsewhere.
            self.fetch(cx, slot);
        }
    }

    /// Looks again at the votes for what has been executed since they came.
    pub(super) fn consider_tallies(&mut self, cx: &mut Cx<'_>) {
        let mut index = 0;
        while index < self.tallies.len() {
            let before = self.tallies.len();
            self.consider_tally(cx, index);
            index = if self.tallies.len() < before { 0 } else { index + 1 };
        }
    }

    /// Highest checkpoint that a correct replica has according to f + 1 votes, if it is not executed here.
    pub(super) fn missed_checkpoint(&self) -> Option<u64> {
        let proven = self.tallies.iter().filter(|tally| tally.signers.count() > self.group.f());
        proven.map(|tally| tally.slot).filter(|slot| *slot > self.executed).max()
    }

    /// Digest of the own checkpoint at a slot.
    pub(super) fn own_checkpoint(&self, slot: u64) -> Option<u64> {
        self.snapshots.iter().find(|own| own.slot() == slot).map(|own| own.digest())
    }

    /// The watermarks move, and the log before the checkpoint is discarded.
    pub(super) fn stabilise(&mut self, cx: &mut Cx<'_>, proof: StableProof) {
        let StableProof { slot, state, .. } = proof;
        if slot <= self.log.low() {
            return;
        }
        cx.fact(Fact::Stable { slot, state });
        self.retire_batches(slot);
        self.log.advance(slot);
        self.doubt = self.doubt.filter(|last| slot < *last);
        forget_snapshots(&mut self.snapshots, slot);
        self.tallies.retain(|tally| tally.slot > slot);
        self.proof = Some(proof);
        self.write_head(cx, 88);
        self.proposed = self.proposed.max(slot);
        self.execute_ready(cx);
        self.propose(cx);
    }

    /// A primary keeps the batches that the log lets go, to fill them again.
    fn retire_batches(&mut self, low: u64) {
        if !self.is_primary() {
            return;
        }
        let most = usize::try_from(2 * self.options.window).unwrap_or(usize::MAX);
        for slot in self.log.low() + 1..=low.min(self.log.high()) {
            if let Some(batch) = self.log.slot_mut(slot).batch.take()
                && self.retired.len() < most
            {
                self.retired.push_back(batch);
            }
        }
    }
}
