//! State transfer: a replica that missed what others have discarded gets a stable checkpoint
//! (Castro & Liskov 1999, section 4.3 leaves the mechanism to the implementation).

use std::sync::Arc;

use murphy_sim::{Fact, NodeId};

use super::message::{PbftMessage, StableProof, Transfer};
use super::replica::Replica;
use super::stable::Write;
use super::{Cx, Timer};

impl Replica {
    /// Wants a state that covers `slot`.
    pub(super) fn fetch(&mut self, cx: &mut Cx<'_>, slot: u64) {
        if let Some(target) = &mut self.target {
            *target = slot.max(*target);
            return;
        }
        cx.fact(Fact::Behind { slot: self.executed });
        self.target = Some(slot);
        self.ask_for_state(cx);
    }

    /// Asks one replica, and the next one when the answer does not come.
    pub(super) fn ask_for_state(&mut self, cx: &mut Cx<'_>) {
        let Some(target) = self.target else { return };
        // What is proven stable comes first: nobody may have the target as a stable checkpoint until
        // this replica goes on and votes for it.
        let slot = if self.executed < self.log.low() { self.log.low() } else { target };
        if self.peers.is_empty() {
            return;
        }
        let peer = self.peers[(self.place + self.fetches) % self.peers.len()];
        self.fetches += 1;
        cx.send(peer, PbftMessage::StateRequest { slot });
        self.fetch_timer = Some(cx.set_timer(self.options.status_interval, Timer::Fetch));
    }

    pub(super) fn on_state_request(&mut self, cx: &mut Cx<'_>, from: NodeId, slot: u64) {
        let Some(proof) = self.proof.clone().filter(|proof| proof.slot() >= slot) else { return };
        let snapshot = self.snapshots.iter().find(|own| own.slot() == proof.slot());
        if let Some(snapshot) = snapshot.cloned() {
            cx.send(from, PbftMessage::State(Arc::new(Transfer { proof, snapshot })));
        }
    }

    /// The proof is checked, and the data against it: a lying replica can only waste time.
    pub(super) fn on_state(&mut self, cx: &mut Cx<'_>, transfer: &Transfer) {
        let Transfer { proof, snapshot } = transfer;
        if self.target.is_none()
            || proof.slot() <= self.executed
            || !self.proves(proof)
            || snapshot.slot() != proof.slot()
            || snapshot.recomputed() != proof.state()
        {
            return;
        }
        self.install(cx, transfer);
    }

    /// Whether a quorum voted for the checkpoint.
    pub(super) fn proves(&self, proof: &StableProof) -> bool {
        proof.signers().count() >= self.quorums.checkpoints
    }

    fn install(&mut self, cx: &mut Cx<'_>, transfer: &Transfer) {
        let Transfer { proof, snapshot } = transfer;
        let slot = proof.slot();
        self.store = snapshot.store();
        self.executed = slot;
        cx.fact(Fact::Install { slot, state: proof.state() });
        self.snapshots.push_back(Arc::clone(snapshot));
        self.write(cx, Write::Checkpoint(Arc::clone(snapshot)), snapshot.bytes());
        self.settle_all();
        self.stop_timer(cx);
        if slot > self.log.low() {
            self.stabilise(cx, proof.clone());
        } else {
            super::stable::forget_snapshots(&mut self.snapshots, self.log.low());
            self.execute_ready(cx);
        }
        self.caught_up(cx);
        self.consider_tallies(cx);
        self.watch(cx);
    }

    /// Stops asking once the target is reached, by state or by execution.
    pub(super) fn caught_up(&mut self, cx: &mut Cx<'_>) {
        if self.target.is_some_and(|target| target <= self.executed) {
            self.target = None;
            if let Some(timer) = self.fetch_timer.take() {
                cx.cancel_timer(timer);
            }
            cx.fact(Fact::CaughtUp { slot: self.executed });
        }
    }
}
