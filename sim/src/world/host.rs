//! What the engine keeps of one node, and the work that waits for its CPU.

use crate::random::Stream;
use crate::time::Time;
use crate::trace::Event;

/// One node: a cache line, so that an event touches one, and a hundred thousand idle nodes fit.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Host {
    /// Hash of its name.
    pub(crate) name: u64,
    /// Hash of what happened at it.
    pub(crate) hash: u64,
    /// When the CPU is done with what it was given.
    pub(crate) free: Time,
    /// The process's own randomness, once it has drawn some.
    pub(super) stream: Option<Box<Stream>>,
    pub(crate) inbox: Inbox,
    pub(crate) incarnation: u32,
    pub(crate) idle_timers: u32,
    /// Index into the distinct costs of CPUs and disks.
    pub(crate) cost: u16,
    pub(crate) down: bool,
    pub(crate) paused: bool,
    /// An entry that will wake the CPU is in the queue.
    pub(crate) waking: bool,
    pub(super) correct: bool,
    /// Some fault slows the CPU or the disk.
    pub(crate) slow: bool,
    /// An adversary edits what it sends and receives.
    pub(super) subverted: bool,
    /// Some fault makes the disk fail or bounds what may wait.
    pub(super) ailing: bool,
    /// The clocks do not run at the true rate.
    pub(super) drifts: bool,
}

const _: () = assert!(size_of::<Host>() == 64);

impl Host {
    /// Looks at what an event needs, so that it is in the cache when the event comes.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        self.free.0 ^ self.stream.as_ref().map_or(0, |stream| stream.touch())
    }

    /// Whether what arrives at `now` is handled at once.
    #[inline]
    pub(crate) fn is_ready(&self, now: Time) -> bool {
        !self.down && !self.paused && self.free <= now && self.inbox.is_empty()
    }
}

/// Work that waits for a node's CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) event: Event,
    /// Payload, timer or request.
    pub(crate) slot: u32,
}

/// The queue of one node's work: first in, first out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inbox {
    first: u32,
    last: u32,
}

const NIL: u32 = u32::MAX;

impl Inbox {
    pub(crate) const EMPTY: Inbox = Inbox { first: NIL, last: NIL };

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.first == NIL
    }
}

/// The cells of all inboxes: lists in one allocation, which no node keeps for itself.
#[derive(Clone, Debug)]
pub(crate) struct Inboxes {
    cells: Vec<(Work, u32)>,
    free: u32,
}

impl Inboxes {
    pub(crate) fn new() -> Inboxes {
        Inboxes { cells: Vec::new(), free: NIL }
    }

    pub(crate) fn push(&mut self, inbox: &mut Inbox, work: Work) {
        let cell = self.free;
        let cell = if let Some((place, next)) = self.cells.get_mut(cell as usize) {
            *place = work;
            self.free = *next;
            *next = NIL;
            cell
        } else {
            self.cells.push((work, NIL));
            u32::try_from(self.cells.len() - 1).expect("fewer than 2^32 events wait")
        };
        if inbox.is_empty() {
            inbox.first = cell;
        } else {
            self.cells[inbox.last as usize].1 = cell;
        }
        inbox.last = cell;
    }

    pub(crate) fn pop(&mut self, inbox: &mut Inbox) -> Option<Work> {
        let cell = inbox.first;
        let (work, next) = self.cells.get_mut(cell as usize)?;
        let work = *work;
        inbox.first = *next;
        *next = self.free;
        self.free = cell;
        Some(work)
    }

    /// Whether at least `limit` events wait.
    pub(crate) fn has_waiting(&self, inbox: Inbox, limit: u64) -> bool {
        let mut cell = inbox.first;
        for _ in 0..limit {
            let Some((_, next)) = self.cells.get(cell as usize) else { return false };
            cell = *next;
        }
        true
    }

    pub(crate) fn bytes(&self) -> usize {
        self.cells.capacity() * size_of::<(Work, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inboxes_share_cells_and_keep_their_order() {
        let mut inboxes = Inboxes::new();
        let (mut a, mut b) = (Inbox::EMPTY, Inbox::EMPTY);
        let work = |slot| Work { event: Event::Deliver, slot };
        for round in 0..10 {
            for slot in 0..5 {
                inboxes.push(&mut a, work(round * 10 + slot));
                inboxes.push(&mut b, work(1000 + round * 10 + slot));
            }
            for slot in 0..5 {
                assert_eq!(inboxes.pop(&mut a), Some(work(round * 10 + slot)));
                assert_eq!(inboxes.pop(&mut b), Some(work(1000 + round * 10 + slot)));
            }
            assert_eq!((inboxes.pop(&mut a), b.is_empty()), (None, true));
        }
        assert_eq!(inboxes.cells.len(), 10, "cells are used again");
    }
}
