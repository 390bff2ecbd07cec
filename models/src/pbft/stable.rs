//! What a replica keeps on its disk, so that a restart contradicts nothing that it ever sent.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::Durable;

use super::message::{Batch, NewView, Prepared, StableProof, ViewChange};
use crate::consensus::Signed;
use crate::consensus::Snapshot;

/// What the disk knows of one slot.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub(super) view: u64,
    pub(super) batch: Option<Arc<Batch>>,
    pub(super) prepared: Option<Prepared>,
    pub(super) committed: bool,
}

/// One write to the replica's disk.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Write {
    /// A pre-prepare was accepted or made.
    Accepted { view: u64, slot: u64, batch: Arc<Batch> },
    /// A certificate was completed.
    Prepared(Prepared),
    /// A slot is decided. It may be lost: the others know.
    Committed { slot: u64 },
    /// A checkpoint was taken, or installed.
    Checkpoint(Arc<Snapshot>),
    /// A checkpoint is stable.
    Stable(StableProof),
    /// The replica gave up on its view.
    ViewChange(Arc<Signed<ViewChange>>),
    /// The replica entered a view.
    NewView(Arc<Signed<NewView>>),
}

/// The disk of a replica.
#[derive(Clone, Debug, Default)]
pub struct Stable {
    pub(super) view: u64,
    /// The view-change for `view`, until the view is entered.
    pub(super) changing: Option<Arc<Signed<ViewChange>>>,
    /// The message that started the last view entered.
    pub(super) new_view: Option<Arc<Signed<NewView>>>,
    /// Records of the slots above `proof`.
    records: VecDeque<Record>,
    /// Slot before the first record.
    low: u64,
    pub(super) snapshots: VecDeque<Arc<Snapshot>>,
    pub(super) proof: Option<StableProof>,
}

impl Stable {
    /// Records with their slots.
    pub(super) fn records(&self) -> impl Iterator<Item = (u64, &Record)> {
        (self.low + 1..).zip(&self.records)
    }

    fn record(&mut self, slot: u64) -> Option<&mut Record> {
        let place = usize::try_from(slot.checked_sub(self.low + 1)?).ok()?;
        while self.records.len() <= place {
            self.records.push_back(Record::default());
        }
        self.records.get_mut(place)
    }
}

impl Durable for Stable {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Accepted { view, slot, batch } => {
                if let Some(record) = self.record(*slot) {
                    record.committed &=
                        record.batch.as_ref().is_some_and(|known| known.digest() == batch.digest());
                    record.view = *view;
                    record.batch = Some(Arc::clone(batch));
                }
            }
            Write::Prepared(certificate) => {
                if let Some(record) = self.record(certificate.slot) {
                    record.prepared = Some(certificate.clone());
                }
            }
            Write::Committed { slot } => {
                if let Some(record) = self.record(*slot) {
                    record.committed = true;
                }
            }
            Write::Checkpoint(snapshot) => self.snapshots.push_back(Arc::clone(snapshot)),
            Write::Stable(proof) => {
                while self.low < proof.slot {
                    self.records.pop_front();
                    self.low += 1;
                }
                forget_snapshots(&mut self.snapshots, proof.slot);
                self.proof = Some(proof.clone());
            }
            Write::ViewChange(change) => {
                self.view = change.body().view;
                self.changing = Some(Arc::clone(change));
            }
            Write::NewView(new) => {
                self.view = new.body().view;
                self.changing = None;
                self.new_view = Some(Arc::clone(new));
            }
        }
    }
}

/// Drops the checkpoints that a stable one replaces; the last state that the replica has stays.
pub(super) fn forget_snapshots(snapshots: &mut VecDeque<Arc<Snapshot>>, stable: u64) {
    while snapshots.get(1).is_some_and(|next| next.slot() <= stable) {
        snapshots.pop_front();
    }
}
