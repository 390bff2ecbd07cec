//! What the disk of a replica, or of the arbiter, keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use murphy_sim::{Durable, NodeId};

use super::Record;

/// Values that are remembered, to know a request that was sent twice.
const RECENT: usize = 4096;

/// One write.
#[derive(Clone, Debug)]
pub enum Write {
    /// A replica heard of this term.
    Term(u64),
    /// A replica is primary under this term: what it has is the log from now on.
    Lead(u64),
    /// One record.
    Put(Record),
    /// The whole state of another replica.
    Install(Arc<Store>),
    /// The arbiter gave this term to this node, whose place is the only one in sync.
    Grant(u64, NodeId, u64),
    /// These places of the group are in sync.
    Insync(u64),
}

/// A store of registers, each with the number of the record that wrote it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Highest term heard of.
    pub(super) term: u64,
    /// To whom the arbiter gave it.
    pub(super) holder: Option<NodeId>,
    /// Places of the group that may follow that one, as the arbiter knows.
    pub(super) insync: u64,
    blocks: BTreeMap<u64, (u64, u64)>,
    /// All records up to this one are here.
    pub(super) prefix: u64,
    /// Records that are here although some before them are not.
    beyond: BTreeSet<u64>,
    /// Greatest number of a record.
    pub(super) last: u64,
    recent: BTreeSet<u64>,
}

impl Store {
    /// Keys with record number and value.
    pub(super) fn blocks(&self) -> &BTreeMap<u64, (u64, u64)> {
        &self.blocks
    }

    /// Whether a value was written, as far as that is remembered.
    pub(super) fn has(&self, value: u64) -> bool {
        self.recent.contains(&value)
    }

    /// Values of this store that the other one has not, among those that the other remembers.
    pub(super) fn missing_in(&self, other: &Store) -> u64 {
        let from = if other.recent.len() < RECENT { 0 } else { other.recent.first().copied().unwrap_or(0) };
        self.recent.range(from..).filter(|value| !other.recent.contains(value)).count() as u64
    }

    fn put(&mut self, record: &Record) {
        if record.seq <= self.prefix || !self.beyond.insert(record.seq) {
            return;
        }
        while self.beyond.remove(&(self.prefix + 1)) {
            self.prefix += 1;
        }
        self.last = self.last.max(record.seq);
        let block = self.blocks.entry(record.key).or_default();
        *block = (*block).max((record.seq, record.value));
        self.recent.insert(record.value);
        if self.recent.len() > RECENT {
            self.recent.pop_first();
        }
    }
}

impl Durable for Store {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Term(term) => self.term = self.term.max(*term),
            Write::Lead(term) => {
                self.term = self.term.max(*term);
                self.prefix = self.last;
                self.beyond.clear();
            }
            Write::Put(record) => self.put(record),
            Write::Install(state) => {
                let term = self.term.max(state.term);
                *self = Store { term, ..Store::clone(state) };
            }
            Write::Grant(term, holder, insync) => {
                (self.term, self.holder, self.insync) = (*term, Some(*holder), *insync);
            }
            Write::Insync(insync) => self.insync = *insync,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64, key: u64, value: u64) -> Write {
        Write::Put(Record { seq, key, value, committed: murphy_sim::Time::ZERO })
    }

    #[test]
    fn records_in_any_order_make_the_same_store() {
        let mut store = Store::default();
        for write in [record(2, 7, 20), record(1, 7, 10), record(4, 8, 40), record(4, 8, 40)] {
            store.apply(&write);
        }
        assert_eq!((store.prefix, store.last), (2, 4), "the third record is missing");
        assert_eq!(store.blocks()[&7], (2, 20), "a late record does not undo a later one");
        store.apply(&Write::Lead(9));
        assert_eq!((store.prefix, store.term), (4, 9), "a primary's log has no holes");
    }
}
