//! The running hash of everything that happens, and the last events themselves.

use std::hash::{Hash, Hasher};

use crate::fact::{Fact, NodeId};
use crate::hash::fold;
use crate::time::Time;

/// Classes of events, as the trace and the queue number them. Stored hashes depend on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Event {
    Boot = 1,
    Deliver,
    Timer,
    Disk,
    Request,
    Crash,
    Fact,
    FaultStart,
    FaultEnd,
    Drop,
}

/// One event, as the ring and the full trace keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When.
    pub at: Time,
    /// Number of the event.
    pub number: u64,
    /// Node it happened at; for a fault its index.
    pub node: u32,
    /// Sender of a message.
    pub from: u32,
    /// What.
    pub event: Event,
    /// Message kind, for a message.
    pub kind: u8,
    /// Digest of the payload, or hash of the fact.
    pub digest: u64,
    /// The fact, when it is one.
    pub fact: Option<Fact>,
}

/// One event of a node, as it is noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    pub(crate) node: NodeId,
    /// Sender of a message; otherwise the node itself.
    pub(crate) from: NodeId,
    pub(crate) event: Event,
    pub(crate) kind: u8,
    pub(crate) digest: u64,
}

/// How much of the trace is kept beside its hash. It does not change the hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Hashes only.
    #[default]
    Nothing,
    /// The last so many events.
    Last(usize),
    /// Every event.
    All,
}

/// Prefix hashes are this many events apart at first; see [`Trace::prefixes`].
pub const PREFIX_STRIDE: u64 = 1024;
const MOST_PREFIXES: usize = 4096;

/// The running hash, its prefixes, and the recorded events.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    events: u64,
    faults: u64,
    prefixes: Vec<u64>,
    stride: u64,
    /// An event whose number has none of these bits is looked at again: it ends a prefix, or events
    /// are kept. The stride is a power of two, because a division would cost more than the hash.
    mask: u64,
    keep: Keep,
    kept: Vec<Recorded>,
    next: usize,
}

impl Trace {
    pub(crate) fn new(keep: Keep) -> Trace {
        let room = match keep {
            Keep::Last(n) => n,
            Keep::Nothing | Keep::All => 0,
        };
        Trace {
            hash: 0,
            events: 0,
            faults: 0,
            prefixes: Vec::with_capacity(MOST_PREFIXES),
            stride: PREFIX_STRIDE,
            mask: if keep == Keep::Nothing { PREFIX_STRIDE - 1 } else { 0 },
            keep,
            kept: Vec::with_capacity(room),
            next: 0,
        }
    }

    /// Hash of all events so far, faults' edges apart.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Hash of the starts and ends of faults, kept apart so that an idle fault changes no other hash.
    pub fn fault_hash(&self) -> u64 {
        self.faults
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The hash after every `stride` events, and that stride: 1,024 at first, doubled (and every
    /// other hash dropped) whenever 4,096 of them are full, so that memory stays bounded.
    pub fn prefixes(&self) -> (&[u64], u64) {
        (&self.prefixes, self.stride)
    }

    /// The recorded events, oldest first.
    pub fn recorded(&self) -> impl Iterator<Item = &Recorded> {
        let (newer, older) = self.kept.split_at(self.next.min(self.kept.len()));
        older.iter().chain(newer)
    }

    /// Folds one event of a node into the run's hash; returns the word for the node's own hash.
    #[inline]
    pub(crate) fn event(&mut self, at: Time, name: u64, noted: &Noted) -> u64 {
        let Noted { event, kind, digest, .. } = *noted;
        let word = fold(at.0 ^ digest.rotate_left(32), name ^ (u64::from(kind) << 8 | event as u64));
        self.hash = fold(self.hash, word);
        self.events += 1;
        if self.events & self.mask == 0 {
            self.look_again(at, *noted);
        }
        word
    }

    #[cold]
    fn look_again(&mut self, at: Time, noted: Noted) {
        if self.events.is_multiple_of(self.stride) {
            self.prefix();
        }
        if self.keep != Keep::Nothing {
            let Noted { node, from, event, kind, digest } = noted;
            let (number, node, from) = (self.events, node.0, from.0);
            self.record(Recorded { at, number, node, from, event, kind, digest, fact: None });
        }
    }

    /// Folds a fact: it belongs to the event during which it was said. `about` is the name hash of
    /// the node that the fact is about, so that an index never enters a hash.
    #[inline]
    pub(crate) fn fact(&mut self, at: Time, name: u64, fact: &Fact, about: u64) -> u64 {
        let fact = match fact {
            Fact::Suspect { .. } => fold(about, Event::Fact as u64),
            Fact::Trust { .. } => fold(about, !(Event::Fact as u64)),
            other => fact_hash(other),
        };
        let word = fold(at.0 ^ fact, name);
        self.hash = fold(self.hash, word);
        word
    }

    pub(crate) fn fault(&mut self, at: Time, name: u64, event: Event) {
        self.faults = fold(self.faults, fold(at.0, name ^ event as u64));
    }

    #[inline]
    pub(crate) fn records(&self) -> bool {
        self.keep != Keep::Nothing
    }

    pub(crate) fn record(&mut self, recorded: Recorded) {
        match self.keep {
            Keep::Nothing | Keep::Last(0) => {}
            Keep::All => self.kept.push(recorded),
            Keep::Last(n) if self.kept.len() < n => self.kept.push(recorded),
            Keep::Last(n) => {
                self.kept[self.next] = recorded;
                self.next = (self.next + 1) % n;
            }
        }
    }

    fn prefix(&mut self) {
        if self.prefixes.len() == MOST_PREFIXES {
            let mut index = 0;
            self.prefixes.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.stride *= 2;
            if self.keep == Keep::Nothing {
                self.mask = self.stride - 1;
            }
            if !self.events.is_multiple_of(self.stride) {
                return;
            }
        }
        self.prefixes.push(self.hash);
    }
}

/// Hash of a fact that is the same on every platform.
fn fact_hash(fact: &Fact) -> u64 {
    let mut hasher = FoldHasher(0);
    fact.hash(&mut hasher);
    hasher.0
}

/// A [`Hasher`] over [`fold`] that takes every integer as one 64-bit word.
struct FoldHasher(u64);

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }
    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = fold(self.0, value);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_isize(&mut self, value: isize) {
        self.write_u64((value as i64).cast_unsigned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_stay_bounded_and_end_at_multiples_of_the_stride() {
        let mut trace = Trace::new(Keep::Nothing);
        let mut hashes = vec![0];
        let events = PREFIX_STRIDE * (MOST_PREFIXES as u64 + 700);
        let noted = Noted { node: NodeId(0), from: NodeId(0), event: Event::Deliver, kind: 0, digest: 0 };
        for n in 0..events {
            trace.event(Time(n), 1, &Noted { digest: n, ..noted });
            hashes.push(trace.hash());
        }
        let (prefixes, stride) = trace.prefixes();
        assert_eq!(stride, 2 * PREFIX_STRIDE);
        assert_eq!(prefixes.len() as u64, events / stride);
        for (i, &prefix) in prefixes.iter().enumerate() {
            assert_eq!(prefix, hashes[(i + 1) * usize::try_from(stride).unwrap()], "prefix {i}");
        }
    }

    #[test]
    fn the_ring_keeps_the_last_events_in_order() {
        let mut trace = Trace::new(Keep::Last(3));
        for number in 0..8 {
            trace.record(Recorded {
                at: Time(number),
                number,
                node: 0,
                from: 0,
                event: Event::Deliver,
                kind: 0,
                digest: 0,
                fact: None,
            });
        }
        assert_eq!(trace.recorded().map(|r| r.number).collect::<Vec<_>>(), [5, 6, 7]);
    }

    #[test]
    fn every_field_of_a_fact_changes_its_hash() {
        let facts = [
            Fact::View { view: 1 },
            Fact::View { view: 2 },
            Fact::Leader { term: 1 },
            Fact::Own { kind: 1, a: 0, b: 0 },
            Fact::Own { kind: 0, a: 1, b: 0 },
            Fact::Own { kind: 0, a: 0, b: 1 },
        ];
        let mut hashes = facts.map(|fact| fact_hash(&fact)).to_vec();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), facts.len());
    }
}
