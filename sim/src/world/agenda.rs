//! The events to come: the queue, and in front of it the next few of a crowded one.
//!
//! With a million messages in flight, the memory that an event needs is in no cache. The next few
//! entries are therefore taken out of the queue together, and what they need is fetched at once:
//! the waits overlap. The order of events is the queue's own.

use crate::queue::{Entry, Queue};
use crate::time::{Span, Time};

/// Entries that are taken out together.
const BATCH: usize = 16;
/// Entries taken out together are no further apart: most of what is pushed meanwhile is later.
const REACH: Span = Span::micros(1);

#[derive(Clone, Debug)]
pub(crate) struct Agenda {
    queue: Queue,
    /// Entries taken out, earliest first; those before `next` are over.
    front: Vec<Entry>,
    next: usize,
    /// Time of the last entry in front, while there is one.
    last: Time,
}

impl Agenda {
    pub(crate) fn new() -> Agenda {
        Agenda { queue: Queue::new(), front: Vec::with_capacity(4 * BATCH), next: 0, last: Time::ZERO }
    }

    /// Adds an entry behind those of the same time.
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) {
        if entry.at < self.last && self.next < self.front.len() {
            self.squeeze(entry);
        } else {
            self.queue.push(entry);
        }
    }

    #[cold]
    fn squeeze(&mut self, entry: Entry) {
        let place = self.next + self.front[self.next..].partition_point(|other| other.at <= entry.at);
        self.front.insert(place, entry);
    }

    /// Takes the earliest entry, if it is not later than `end`.
    #[inline]
    pub(crate) fn pop(&mut self, end: Time) -> Option<Entry> {
        if self.next == self.front.len() {
            return self.queue.pop_until(end);
        }
        let entry = self.front[self.next];
        if end < entry.at {
            return None;
        }
        self.next += 1;
        Some(entry)
    }

    /// Takes the next few entries out of the queue, unless there are some in front; what was taken out.
    #[inline]
    pub(crate) fn prepare(&mut self, end: Time) -> &[Entry] {
        if self.next < self.front.len() {
            return &[];
        }
        self.front.clear();
        self.next = 0;
        let Some(first) = self.queue.pop_until(end) else { return &[] };
        self.front.push(first);
        let end = end.min(first.at.saturating_add(REACH));
        while self.front.len() < BATCH
            && let Some(entry) = self.queue.pop_until(end)
        {
            self.front.push(entry);
        }
        self.last = self.front.last().map_or(Time::ZERO, |entry| entry.at);
        &self.front
    }

    /// Entries that are still to come.
    pub(crate) fn len(&self) -> usize {
        self.queue.len() + self.front.len() - self.next
    }

    pub(crate) fn bytes(&self) -> usize {
        self.queue.bytes() + self.front.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn taking_entries_out_together_changes_no_order() {
        let mut plain = Queue::new();
        let mut agenda = Agenda::new();
        let mut rng = Stream::new(3, 0);
        for slot in 0..500 {
            let entry = Entry { at: Time(rng.below(2000)), slot, ..Entry::default() };
            plain.push(entry);
            agenda.push(entry);
        }
        let mut end = Time::ZERO;
        let mut handled = 0;
        while end < Time(200_000) {
            end = end + Span(rng.below(300));
            loop {
                if rng.below(3) > 0 {
                    agenda.prepare(end);
                }
                let entry = agenda.pop(end);
                assert_eq!(entry, plain.pop_until(end));
                assert_eq!(agenda.len(), plain.len());
                let Some(entry) = entry else { break };
                handled += 1;
                for _ in 0..rng.below(3) {
                    if agenda.len() < 600 {
                        // Many ties, and many that come before what was taken out.
                        let at = entry.at + Span(rng.below(4) * rng.below(900));
                        let entry = Entry { at, slot: handled, ..entry };
                        plain.push(entry);
                        agenda.push(entry);
                    }
                }
            }
        }
        assert!(handled > 5000, "{handled}");
    }
}
