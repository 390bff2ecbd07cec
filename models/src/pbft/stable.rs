//! What a replica keeps on its disk, so that a restart contradicts nothing that it ever sent.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Durable, Time};

use super::message::{Batch, NewView, Prepared, StableProof, ViewChange};
use crate::consensus::{Signed, Snapshot};

/// What the disk knows of one slot.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub(super) view: u64,
    pub(super) batch: Option<Arc<Batch>>,
    pub(super) prepared: Option<Prepared>,
    pub(super) committed: bool,
    /// Sum over slot and content as they were written.
    pub(super) sum: u64,
}

/// The promises that concern no single slot, and what is proven stable.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub(super) view: u64,
    /// The view-change for `view`, until the view is entered.
    pub(super) changing: Option<Arc<Signed<ViewChange>>>,
    /// The message that started the last view entered.
    pub(super) new_view: Option<Arc<Signed<NewView>>>,
    /// The last stable checkpoint.
    pub(super) proof: Option<StableProof>,
    /// Last slot for which a promise may have been lost with a damaged block.
    pub(super) doubt: Option<u64>,
    /// Sum over the rest as it was written.
    pub(super) sum: u64,
}

/// One write to the replica's disk.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Write {
    /// The blocks of this disk have no sums.
    NoSums,
    /// A pre-prepare was accepted or made.
    Accepted { view: u64, slot: u64, batch: Arc<Batch> },
    /// A certificate was completed.
    Prepared(Prepared),
    /// A slot is decided. It may be lost: the others know.
    Committed { slot: u64 },
    /// A checkpoint was taken, or installed.
    Checkpoint(Arc<Snapshot>),
    /// The replica entered a view or gave up on one, or a checkpoint is stable.
    Head(Arc<Head>),
}

/// The disk of a replica. A block is a record, a checkpoint or one of two copies of the head.
#[derive(Clone, Debug)]
pub struct Stable {
    /// Blocks have sums, over their address too, and a reader can tell which are not what was written.
    pub(super) sums: bool,
    pub(super) heads: [Head; 2],
    /// Records of the slots above the stable checkpoint.
    pub(super) records: VecDeque<Record>,
    /// Slot before the first record.
    pub(super) low: u64,
    pub(super) snapshots: VecDeque<Arc<Snapshot>>,
}

impl Default for Stable {
    fn default() -> Stable {
        Stable {
            sums: true,
            heads: Default::default(),
            records: VecDeque::new(),
            low: 0,
            snapshots: VecDeque::new(),
        }
    }
}

impl Stable {
    pub(super) fn record(&mut self, slot: u64) -> Option<&mut Record> {
        let place = usize::try_from(slot.checked_sub(self.low + 1)?).ok()?;
        while self.records.len() <= place {
            self.records.push_back(Record::default());
        }
        self.records.get_mut(place)
    }

    /// Adds to a record. A damaged one stays so.
    fn amend(&mut self, slot: u64, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.record(slot) {
            let sound = record.is_sound(slot);
            change(record);
            if sound {
                record.seal(slot);
            }
        }
    }

    /// Forgets what a stable checkpoint covers.
    fn discard(&mut self, slot: u64) {
        while self.low < slot {
            self.records.pop_front();
            self.low += 1;
        }
        forget_snapshots(&mut self.snapshots, slot);
    }
}

impl Durable for Stable {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::NoSums => self.sums = false,
            Write::Accepted { view, slot, batch } => {
                if let Some(record) = self.record(*slot) {
                    record.committed &=
                        record.batch.as_ref().is_some_and(|known| known.digest() == batch.digest());
                    record.view = *view;
                    record.batch = Some(Arc::clone(batch));
                    record.seal(*slot);
                }
            }
            Write::Prepared(certificate) => {
                self.amend(certificate.slot, |record| record.prepared = Some(certificate.clone()));
            }
            Write::Committed { slot } => self.amend(*slot, |record| record.committed = true),
            Write::Checkpoint(snapshot) => self.snapshots.push_back(Arc::clone(snapshot)),
            Write::Head(head) => {
                self.discard(head.proof.as_ref().map_or(0, StableProof::slot));
                self.heads = [Head::clone(head), Head::clone(head)];
            }
        }
    }

    fn apply_torn(&mut self, write: &Write, word: u64) {
        self.tear(write, word);
    }

    fn apply_misdirected(&mut self, write: &Write, word: u64) {
        self.misdirect(write, word);
    }

    fn rot(&mut self, word: u64, _at: Time) -> bool {
        self.flip(word)
    }
}

/// Drops the checkpoints that a stable one replaces; the last state that the replica has stays.
pub(super) fn forget_snapshots(snapshots: &mut VecDeque<Arc<Snapshot>>, stable: u64) {
    while snapshots.get(1).is_some_and(|next| next.slot() <= stable) {
        snapshots.pop_front();
    }
}
