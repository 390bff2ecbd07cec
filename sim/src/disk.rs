//! Disks: writes go to a cache, a sync makes them durable, and a crash takes what is not synced.

use std::collections::VecDeque;
use std::fmt::Debug;

use crate::time::{Span, Time};

/// State that a disk keeps, as the sum of the writes that reached it.
pub trait Durable: Default + Clone {
    /// One write. It must be small, or share what is large.
    type Write: Clone + Debug;

    /// Applies one write that became durable.
    fn apply(&mut self, write: &Self::Write);
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
    /// A data-centre NVMe drive: 2 us into the cache, 100 us a sync, 1 GB/s.
    fn default() -> DiskCost {
        DiskCost { write: Span::micros(2), sync: Span::micros(100), per_kilobyte: Span::micros(1) }
    }
}

/// The volatile side of one disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk<W> {
    /// Writes that no completed sync covers, oldest first.
    cache: VecDeque<W>,
    /// Syncs on their way: how many writes of the cache each one covers beyond the one before.
    syncs: VecDeque<u32>,
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
            uncovered: 0,
            unsynced_bytes: 0,
            busy: Time::ZERO,
            issued: 0,
            completed: 0,
        }
    }

    pub(crate) fn write(&mut self, at: Time, write: W, bytes: u32, takes: Span) {
        self.cache.push_back(write);
        self.uncovered += 1;
        self.unsynced_bytes += u64::from(bytes);
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
        self.syncs.push_back(self.uncovered);
        self.uncovered = 0;
        self.unsynced_bytes = 0;
        self.issued += 1;
        (DiskOp(self.issued), self.busy)
    }

    /// Ends the oldest sync: its writes move to what the disk keeps.
    pub(crate) fn complete<D: Durable<Write = W>>(&mut self, durable: &mut D) -> DiskOp {
        let writes = self.syncs.pop_front().expect("a sync ends once");
        for write in self.cache.drain(..writes as usize) {
            durable.apply(&write);
        }
        self.completed += 1;
        DiskOp(self.completed)
    }

    /// A crash: the cache is gone.
    pub(crate) fn crash(&mut self, at: Time) {
        self.cache.clear();
        self.syncs.clear();
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
        disk.write(Time(0), 1, 10, Span(5));
        let (first, end) = disk.sync(Time(0), Span(100));
        assert_eq!(end, Time(105), "a sync waits for the writes before it");
        disk.write(Time(0), 2, 10, Span(5));
        disk.sync(Time(0), Span(100));
        disk.write(Time(0), 3, 10, Span(5));
        assert_eq!(disk.complete(&mut log), first);
        assert_eq!(disk.unsynced(), 2);
        disk.crash(Time(200));
        assert_eq!(log.0, [1]);
        disk.write(Time(300), 4, 10, Span(5));
        let (op, _) = disk.sync(Time(300), Span(1));
        assert_eq!(disk.complete(&mut log), op, "names of operations are not used twice");
        assert_eq!(log.0, [1, 4]);
    }
}
