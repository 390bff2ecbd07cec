//! Disks: writes go to a cache, a sync makes them durable, and a crash takes what is not synced.

use std::collections::VecDeque;
use std::fmt::Debug;

use crate::fault::{Hit, Hits};
use crate::random::below;
use crate::time::{Span, Time};

/// State that a disk keeps, as the sum of the writes that reached it.
pub trait Durable: Default + Clone {
    /// One write. It must be small, or share what is large.
    type Write: Clone + Debug;

    /// Applies one write that became durable.
    fn apply(&mut self, write: &Self::Write);

    /// Applies a write that a crash tore; `word` says where. By default nothing of it is left, as
    /// with a checksum that shows it to be incomplete.
    fn apply_torn(&mut self, _write: &Self::Write, _word: u64) {}

    /// Applies a write that landed in the place of another; `word` says where. By default the write
    /// itself is lost, and what was there rots.
    fn apply_misdirected(&mut self, _write: &Self::Write, word: u64) {
        self.rot(word, Time::ZERO);
    }

    /// Flips bits of one block at this instant; `word` says which. Returns whether there was anything
    /// to hit: by default there is not.
    fn rot(&mut self, _word: u64, _at: Time) -> bool {
        false
    }
}

/// A node without a disk.
impl Durable for () {
    type Write = std::convert::Infallible;

    fn apply(&mut self, write: &Self::Write) {
        match *write {}
    }
}

/// Names a disk operation of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskOp(pub u64);

/// How a disk operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiskResult {
    /// All writes before the sync are durable (or the disk says so).
    Synced,
    /// The disk was full: some writes since the sync before were refused, and are gone. The others
    /// are durable.
    Full,
}

/// Where a write ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// Where it should.
    Home,
    /// Nowhere: this fault took it.
    Nowhere {
        /// Its place in the plan.
        fault: u32,
    },
    /// In the place of another, through this fault.
    Elsewhere {
        /// Its place in the plan.
        fault: u32,
        /// Says where.
        word: u64,
    },
}

/// Latencies of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskCost {
    /// Of one write into the cache.
    pub write: Span,
    /// Of one sync.
    pub sync: Span,
    /// Of each kilobyte (1,000 bytes) written, charged at the sync.
    pub per_kilobyte: Span,
}

impl DiskCost {
    /// A disk that takes no time, for checks against closed forms.
    pub const FREE: DiskCost = DiskCost { write: Span::ZERO, sync: Span::ZERO, per_kilobyte: Span::ZERO };
}

impl Default for DiskCost {
    /// A data-centre flash drive: 2 us into the cache, 100 us a sync, 1 GB/s.
    fn default() -> DiskCost {
        DiskCost { write: Span::micros(2), sync: Span::micros(100), per_kilobyte: Span::micros(1) }
    }
}

/// A sync that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) op: DiskOp,
    pub(crate) result: DiskResult,
    /// Writes that it covered.
    pub(crate) writes: u32,
}

/// The volatile side of one disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk<W> {
    /// Writes that no completed sync covers, oldest first.
    cache: VecDeque<(W, Landing)>,
    /// Syncs on their way: how many writes of the cache each one covers beyond the one before, and
    /// whether others were refused.
    syncs: VecDeque<(u32, bool)>,
    /// A write was refused since the last sync.
    refused: bool,
    /// Writes after the last sync.
    uncovered: u32,
    /// Bytes after the last sync.
    unsynced_bytes: u64,
    /// When the device is done with all that was asked.
    busy: Time,
    issued: u64,
    completed: u64,
}

impl<W> Disk<W> {
    pub(crate) fn new() -> Disk<W> {
        Disk {
            cache: VecDeque::new(),
            syncs: VecDeque::new(),
            refused: false,
            uncovered: 0,
            unsynced_bytes: 0,
            busy: Time::ZERO,
            issued: 0,
            completed: 0,
        }
    }

    pub(crate) fn write(&mut self, at: Time, write: W, bytes: u32, takes: Span, landing: Landing) {
        self.cache.push_back((write, landing));
        self.uncovered += 1;
        self.unsynced_bytes += u64::from(bytes);
        self.busy = self.busy.max(at) + takes;
    }

    /// A write for which there is no room: the next sync will say so.
    pub(crate) fn refuse(&mut self, at: Time, takes: Span) {
        self.refused = true;
        self.busy = self.busy.max(at) + takes;
    }

    /// Bytes that the next sync has to move.
    pub(crate) fn unsynced_bytes(&self) -> u64 {
        self.unsynced_bytes
    }

    /// Writes that a crash would take.
    pub(crate) fn unsynced(&self) -> u64 {
        self.cache.len() as u64
    }

    /// Starts a sync that takes `takes` once the device is free; returns its name and its end.
    pub(crate) fn sync(&mut self, at: Time, takes: Span) -> (DiskOp, Time) {
        self.busy = self.busy.max(at) + takes;
        self.syncs.push_back((self.uncovered, std::mem::take(&mut self.refused)));
        self.uncovered = 0;
        self.unsynced_bytes = 0;
        self.issued += 1;
        (DiskOp(self.issued), self.busy)
    }

    /// Ends the oldest sync: its writes move to what the disk keeps.
    pub(crate) fn complete<D: Durable<Write = W>>(&mut self, durable: &mut D, hits: &mut [Hits]) -> Ended {
        let (writes, refused) = self.syncs.pop_front().expect("a sync ends once");
        for (write, landing) in self.cache.drain(..writes as usize) {
            match landing {
                Landing::Home => durable.apply(&write),
                Landing::Nowhere { fault } => hits[fault as usize].add(Hit::WritesLost, 1),
                Landing::Elsewhere { fault, word } => {
                    durable.apply_misdirected(&write, word);
                    hits[fault as usize].add(Hit::WritesMisdirected, 1);
                }
            }
        }
        self.completed += 1;
        let result = if refused { DiskResult::Full } else { DiskResult::Synced };
        Ended { op: DiskOp(self.completed), result, writes }
    }

    /// A crash tears: a prefix of the cache reaches the disk, the last write of it in part. Returns
    /// whether there was a write to tear.
    pub(crate) fn tear<D: Durable<Write = W>>(&mut self, durable: &mut D, length: u64, word: u64) -> bool {
        let whole = usize::try_from(below(length, (self.cache.len() as u64).max(1))).expect("an index");
        for (write, _) in self.cache.drain(..whole) {
            durable.apply(&write);
        }
        let Some((write, _)) = self.cache.pop_front() else { return false };
        durable.apply_torn(&write, word);
        true
    }

    /// A crash: the cache is gone.
    pub(crate) fn crash(&mut self, at: Time) {
        self.cache.clear();
        self.syncs.clear();
        self.refused = false;
        self.uncovered = 0;
        self.unsynced_bytes = 0;
        self.busy = at;
        self.completed = self.issued;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Log(Vec<u32>);

    impl Durable for Log {
        type Write = u32;
        fn apply(&mut self, write: &u32) {
            self.0.push(*write);
        }
    }

    #[test]
    fn a_crash_takes_exactly_what_no_sync_covered() {
        let mut disk = Disk::new();
        let mut log = Log::default();
        disk.write(Time(0), 1, 10, Span(5), Landing::Home);
        let (first, end) = disk.sync(Time(0), Span(100));
        assert_eq!(end, Time(105), "a sync waits for the writes before it");
        disk.write(Time(0), 2, 10, Span(5), Landing::Home);
        disk.sync(Time(0), Span(100));
        disk.write(Time(0), 3, 10, Span(5), Landing::Home);
        assert_eq!(disk.complete(&mut log, &mut []).op, first);
        assert_eq!(disk.unsynced(), 2);
        disk.crash(Time(200));
        assert_eq!(log.0, [1]);
        disk.write(Time(300), 4, 10, Span(5), Landing::Home);
        let (op, _) = disk.sync(Time(300), Span(1));
        assert_eq!(disk.complete(&mut log, &mut []).op, op, "names of operations are not used twice");
        assert_eq!(log.0, [1, 4]);
    }

    #[test]
    fn a_torn_crash_keeps_a_prefix_and_a_part() {
        #[derive(Clone, Debug, Default)]
        struct Parts(Vec<(u32, bool)>);
        impl Durable for Parts {
            type Write = u32;
            fn apply(&mut self, write: &u32) {
                self.0.push((*write, true));
            }
            fn apply_torn(&mut self, write: &u32, _: u64) {
                self.0.push((*write, false));
            }
        }
        let torn = |length| {
            let (mut disk, mut parts) = (Disk::new(), Parts::default());
            for write in 0..4 {
                disk.write(Time(0), write, 10, Span(5), Landing::Home);
            }
            assert!(disk.tear(&mut parts, length, 0));
            (parts.0, disk.unsynced())
        };
        assert_eq!(torn(0), (vec![(0, false)], 3));
        assert_eq!(torn(1 << 63), (vec![(0, true), (1, true), (2, false)], 1));
        assert_eq!(torn(u64::MAX), (vec![(0, true), (1, true), (2, true), (3, false)], 0));
        assert!(!Disk::new().tear(&mut Parts::default(), 0, 0), "an empty cache has nothing to tear");
    }
}
