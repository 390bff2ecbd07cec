//! The log: entries above a base that a snapshot covers.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::fold;

use super::members::Members;
use crate::consensus::{Command, Snapshot};

/// What an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: the first entry of a leader (Ongaro 2014, section 6.4).
    Nothing,
    /// A client's command.
    Command(Command),
    /// The group's members from here on.
    Members(Members),
}

/// An entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Term in which it was appended first.
    pub term: u64,
    /// Content.
    pub payload: Payload,
    /// Hash of the log up to it, in the log that it is in.
    pub chain: u64,
}

impl Entry {
    /// An entry after a log with this hash.
    fn after(chain: u64, term: u64, payload: Payload) -> Entry {
        let digest = match &payload {
            Payload::Nothing => 1,
            Payload::Command(command) => command.digest(),
            Payload::Members(members) => fold(members.new, fold(members.old, 2)),
        };
        Entry { term, payload, chain: fold(chain, fold(term, digest)) }
    }
}

/// Where a log begins: the last entry that is no longer in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Its index; zero before the first entry.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// Hash of the log up to it.
    pub chain: u64,
}

/// The state of a replica after an entry, and what a log that begins there must know (section 5.1).
#[derive(Clone, Debug)]
pub struct Compacted {
    /// The last entry that it covers.
    pub last: Base,
    /// The members after it.
    pub members: Members,
    /// State of the service.
    pub state: Arc<Snapshot>,
}

/// A log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    base: Base,
    entries: VecDeque<Entry>,
}

impl Log {
    /// Where it begins.
    pub fn base(&self) -> Base {
        self.base
    }

    /// Index of the last entry.
    #[inline]
    pub fn last(&self) -> u64 {
        self.base.index + self.entries.len() as u64
    }

    /// The last entry, as the base of what follows.
    #[inline]
    pub fn end(&self) -> Base {
        self.entries.back().map_or(self.base, |entry| Base {
            index: self.last(),
            term: entry.term,
            chain: entry.chain,
        })
    }

    /// The entry at an index.
    #[inline]
    pub fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(index.checked_sub(self.base.index + 1)?).ok()?)
    }

    /// Term of the entry at an index, also of the base; `None` outside.
    #[inline]
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base.index { Some(self.base.term) } else { self.get(index).map(|entry| entry.term) }
    }

    /// The entry at an index as a base.
    pub(super) fn place(&self, index: u64) -> Option<Base> {
        if index == self.base.index {
            return Some(self.base);
        }
        self.get(index).map(|entry| Base { index, term: entry.term, chain: entry.chain })
    }

    /// Appends an entry, and hashes the log up to it.
    pub(super) fn push(&mut self, term: u64, payload: Payload) -> Entry {
        let entry = Entry::after(self.end().chain, term, payload);
        self.entries.push_back(entry);
        entry
    }

    /// Drops the entry at an index and all that follow.
    pub(super) fn truncate(&mut self, from: u64) {
        let keep = from.saturating_sub(self.base.index + 1);
        self.entries.truncate(usize::try_from(keep).unwrap_or(usize::MAX));
    }

    /// At most `most` entries from an index on.
    pub(super) fn slice(&self, from: u64, most: usize) -> Arc<[Entry]> {
        let start = usize::try_from(from.saturating_sub(self.base.index + 1)).unwrap_or(usize::MAX);
        let start = start.min(self.entries.len());
        let end = start.saturating_add(most).min(self.entries.len());
        self.entries.range(start..end).copied().collect()
    }

    /// Drops the entries up to an index, which must be in the log.
    pub(super) fn compact(&mut self, to: u64) {
        let Some(base) = self.place(to).filter(|base| base.index > self.base.index) else { return };
        let gone = usize::try_from(base.index - self.base.index).expect("entries of this log");
        self.entries.drain(..gone);
        self.base = base;
    }

    /// Begins after what a leader's snapshot covers; what follows it stays if it belongs there (section 5.1).
    pub(super) fn install(&mut self, last: Base) {
        if self.term(last.index) == Some(last.term) {
            self.compact(last.index);
        } else {
            self.entries.clear();
            self.base = last;
        }
    }

    /// First index of the term that the entry at `index` has, as far as the log goes back.
    pub(super) fn start_of_term(&self, index: u64) -> u64 {
        let term = self.term(index);
        let mut first = index;
        while first > self.base.index + 1 && self.term(first - 1) == term {
            first -= 1;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::default();
        for &term in terms {
            log.push(term, Payload::Nothing);
        }
        log
    }

    #[test]
    fn indices_survive_compaction() {
        let mut log = log(&[1, 1, 2, 2, 3]);
        let chain = log.get(3).unwrap().chain;
        log.compact(3);
        assert_eq!((log.base(), log.last()), (Base { index: 3, term: 2, chain }, 5));
        assert_eq!([2, 3, 4, 5, 6].map(|index| log.term(index)), [None, Some(2), Some(2), Some(3), None]);
        assert_eq!(log.slice(4, 9).len(), 2);
        assert_eq!(log.slice(5, 9)[0].term, 3);
        assert!(log.slice(6, 9).is_empty());
        log.truncate(5);
        assert_eq!(log.last(), 4);
        log.truncate(1);
        assert_eq!(log.last(), 3);
    }

    #[test]
    fn a_snapshot_keeps_what_belongs_behind_it() {
        let mut short = log(&[1, 1]);
        short.install(Base { index: 4, term: 2, chain: 7 });
        assert_eq!((short.last(), short.end().chain), (4, 7));
        let mut long = log(&[1, 1, 2, 2, 3]);
        let base = long.place(4).unwrap();
        long.install(base);
        assert_eq!((long.base(), long.last()), (base, 5));
        let mut other = log(&[1, 1, 1, 1, 1]);
        other.install(base);
        assert_eq!((other.base(), other.last()), (base, 4));
    }

    #[test]
    fn the_first_entry_of_a_term() {
        let log = log(&[1, 2, 2, 2, 3]);
        assert_eq!([1, 2, 3, 4, 5].map(|index| log.start_of_term(index)), [1, 2, 2, 2, 5]);
    }
}
