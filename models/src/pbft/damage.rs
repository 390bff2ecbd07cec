//! Damage to what a replica keeps: how it comes about, and how sums show it.
//!
//! The sum of a block covers its address, so that a block in the place of another does not pass for it.
//! The head is kept twice. The last entry of the log is told from one that rotted, as by identifiers that
//! are kept apart from the entries (Alagappan et al., FAST 2018): a torn write was never synced, nothing
//! was promised on it, and a disk with sums drops it.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::fold;

use super::stable::{Head, Record, Stable, Write};
use crate::consensus::Snapshot;

/// What a replica reads back from its disk.
pub(super) struct Found {
    pub(super) head: Head,
    /// Slots that are readable.
    pub(super) records: Vec<(u64, Record)>,
    pub(super) snapshots: VecDeque<Arc<Snapshot>>,
    /// Blocks that are not what was written.
    pub(super) damaged: u64,
    /// The last slot for which a promise may have been in a damaged block.
    pub(super) doubt: Option<u64>,
}

/// A block that damage can hit.
enum Place {
    Head(usize),
    Record(u64),
    Snapshot(usize),
}

impl Record {
    fn sum_of(&self, slot: u64) -> u64 {
        let batch = self.batch.as_ref().map_or(0, |batch| batch.digest());
        let prepared = self.prepared.as_ref().map_or(0, |known| fold(known.view, known.batch.digest()));
        fold(fold(fold(slot, self.view), fold(batch, prepared)), u64::from(self.committed))
    }

    pub(super) fn seal(&mut self, slot: u64) {
        self.sum = self.sum_of(slot);
    }

    pub(super) fn is_sound(&self, slot: u64) -> bool {
        self.is_empty() || self.sum == self.sum_of(slot)
    }

    /// Nothing was ever written there.
    fn is_empty(&self) -> bool {
        self.batch.is_none() && self.prepared.is_none() && self.sum == 0
    }
}

impl Head {
    fn sum_now(&self) -> u64 {
        let changing = self.changing.as_ref().map_or(0, |change| change.body().view + 1);
        let new_view = self.new_view.as_ref().map_or(0, |new| new.body().view + 1);
        let proof = self.proof.as_ref().map_or(0, |proof| fold(proof.slot, proof.state));
        let doubt = self.doubt.map_or(0, |slot| fold(slot, 1));
        fold(fold(self.view, changing), fold(fold(new_view, proof), doubt))
    }

    pub(super) fn sealed(mut self) -> Head {
        self.sum = self.sum_now();
        self
    }

    pub(super) fn is_sound(&self) -> bool {
        self.is_blank() || self.sum == self.sum_now()
    }

    fn is_blank(&self) -> bool {
        self.sum == 0 && self.view == 0
    }
}

impl Stable {
    /// Whether nothing was ever written.
    pub(super) fn is_blank(&self) -> bool {
        self.heads.iter().all(Head::is_blank) && self.snapshots.is_empty() && self.records.is_empty()
    }

    /// Reads everything. With sums, what is damaged is left out; without, it is taken for what it is not.
    pub(super) fn read(&self, window: u64) -> Found {
        let mut damaged = 0;
        let mut keep = |sound: bool| {
            damaged += u64::from(self.sums && !sound);
            sound || !self.sums
        };
        let heads: Vec<&Head> = self.heads.iter().filter(|head| keep(head.is_sound())).collect();
        let before = self.records.len();
        let records = (self.low + 1..).zip(&self.records);
        let records: Vec<(u64, Record)> = records
            .filter(|(slot, record)| keep(record.is_sound(*slot)))
            .map(|(slot, record)| (slot, record.clone()))
            .collect();
        let sound = |own: &&Arc<Snapshot>| own.recomputed() == own.digest();
        let snapshots = self.snapshots.iter().filter(|own| keep(sound(own))).cloned().collect();
        let doubt = match heads.first() {
            None => Some(u64::MAX),
            Some(head) if records.len() < before => head.doubt.max(Some(self.low.saturating_add(window))),
            Some(head) => head.doubt,
        };
        let head = heads.first().map_or_else(Head::default, |head| (*head).clone());
        Found { head, records, snapshots, damaged, doubt }
    }

    /// The block that a word picks, if any was written.
    fn pick(&self, word: u64) -> Option<Place> {
        let records = (self.low + 1..).zip(&self.records).filter(|(_, record)| record.batch.is_some());
        let heads = if self.heads[0].is_blank() { 0..0 } else { 0..2 };
        let places = heads.map(Place::Head);
        let places = places.chain(records.map(|(slot, _)| Place::Record(slot)));
        let mut places: Vec<Place> = places.chain((0..self.snapshots.len()).map(Place::Snapshot)).collect();
        let place = usize::try_from((word >> 16).checked_rem(places.len() as u64)?).expect("an index");
        Some(places.swap_remove(place))
    }

    /// Flips a bit of one block; whether there was one.
    pub(super) fn flip(&mut self, word: u64) -> bool {
        let Some(place) = self.pick(word) else { return false };
        match place {
            Place::Head(copy) => self.heads[copy].view ^= 1 << (word % 3),
            Place::Record(slot) => self.flip_record(slot, word),
            Place::Snapshot(index) => self.snapshots[index] = Arc::new(self.snapshots[index].corrupted()),
        }
        true
    }

    fn flip_record(&mut self, slot: u64, word: u64) {
        let Some(record) = self.record(slot) else { return };
        match record.batch.as_ref().and_then(|batch| batch.flipped(word)) {
            Some(batch) => record.batch = Some(Arc::new(batch)),
            // The null request has nothing that could flip.
            None => record.view ^= 1,
        }
    }

    /// A write in the place of another: its own address keeps what was there.
    pub(super) fn misdirect(&mut self, write: &Write, word: u64) {
        match (self.pick(word), write) {
            (Some(Place::Record(victim)), Write::Accepted { view, slot, batch }) if victim != *slot => {
                let mut stray = Record { view: *view, batch: Some(Arc::clone(batch)), ..Record::default() };
                stray.seal(*slot);
                if let Some(record) = self.record(victim) {
                    // What says that the slot is decided is another sector.
                    *record = Record { committed: record.committed, ..stray };
                }
            }
            (Some(_), _) => {
                self.flip(word);
            }
            (None, _) => {}
        }
    }

    /// The last write of a crash, in part.
    pub(super) fn tear(&mut self, write: &Write, word: u64) {
        if self.sums {
            return;
        }
        match write {
            Write::Accepted { view, slot, batch } => {
                let torn = batch.flipped(word).map_or_else(|| Arc::clone(batch), Arc::new);
                if let Some(record) = self.record(*slot) {
                    record.view = *view;
                    record.batch = Some(torn);
                }
            }
            Write::Checkpoint(snapshot) => self.snapshots.push_back(Arc::new(snapshot.corrupted())),
            // Votes and signatures prove themselves: half of them is none.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use murphy_sim::{Durable, NodeId, RequestId, Time};

    use super::super::message::Batch;
    use super::*;
    use crate::consensus::{Command, SessionId};

    fn batch(id: u32) -> Arc<Batch> {
        let command = Command::invented(NodeId(9), SessionId::at(0), RequestId(id), u64::from(id));
        Arc::new(Batch::new(vec![command]))
    }

    fn written(slots: u32) -> Stable {
        let mut disk = Stable::default();
        for slot in 1..=slots {
            disk.apply(&Write::Accepted { view: 0, slot: u64::from(slot), batch: batch(slot) });
            disk.apply(&Write::Committed { slot: u64::from(slot) });
        }
        disk
    }

    fn damaged(disk: &Stable) -> (u64, Option<u64>, usize) {
        let found = disk.read(8);
        (found.damaged, found.doubt, found.records.len())
    }

    #[test]
    fn sums_find_a_flip_and_a_write_in_the_wrong_place() {
        assert_eq!(damaged(&written(5)), (0, None, 5));
        let mut rotten = written(5);
        assert!(rotten.rot(3 << 16 | 7, Time::ZERO));
        assert_eq!(damaged(&rotten), (1, Some(8), 4));
        let mut stray = written(5);
        stray.apply_misdirected(&Write::Accepted { view: 0, slot: 6, batch: batch(6) }, 2 << 16);
        assert_eq!(damaged(&stray), (1, Some(8), 4), "the address is part of the sum");
        for mut disk in [rotten, stray] {
            disk.apply(&Write::NoSums);
            assert_eq!(damaged(&disk), (0, None, 5), "without sums nobody can tell");
        }
        assert!(!Stable::default().rot(1, Time::ZERO), "an empty disk has nothing that could rot");
    }

    #[test]
    fn a_torn_write_is_dropped_with_sums_and_believed_without() {
        let torn = Write::Accepted { view: 0, slot: 6, batch: batch(6) };
        let mut summed = written(5);
        summed.apply_torn(&torn, 3);
        assert_eq!(damaged(&summed), (0, None, 5));
        let mut blind = written(5);
        blind.apply(&Write::NoSums);
        blind.apply_torn(&torn, 3);
        let found = blind.read(8).records;
        let half = found.last().expect("six records");
        assert_eq!(half.0, 6);
        assert_ne!(half.1.batch.as_ref().map(|half| half.digest()), Some(batch(6).digest()));
    }

    #[test]
    fn one_copy_of_the_head_is_enough_and_none_leaves_everything_in_doubt() {
        let mut disk = written(2);
        disk.apply(&Write::Head(Arc::new(Head { view: 3, ..Head::default() }.sealed())));
        disk.heads[0].view = 7;
        let found = disk.read(8);
        assert_eq!((found.head.view, found.damaged, found.doubt), (3, 1, None));
        disk.heads[1].view = 5;
        let found = disk.read(8);
        assert_eq!((found.damaged, found.doubt), (2, Some(u64::MAX)));
    }

    #[test]
    fn a_new_write_of_the_whole_block_mends_it_and_a_part_does_not() {
        let mut disk = written(3);
        assert!(disk.rot(1 << 16, Time::ZERO));
        disk.apply(&Write::Committed { slot: 2 });
        assert_eq!(damaged(&disk).0, 1);
        disk.apply(&Write::Accepted { view: 1, slot: 2, batch: batch(2) });
        assert_eq!(damaged(&disk).0, 0);
    }
}
