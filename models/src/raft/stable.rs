//! What a replica keeps on its disk: term, vote, log and snapshot (Ongaro 2014, figure 3.1).

use std::sync::Arc;

use murphy_sim::Durable;

use super::log::{Compacted, Entry, Log};

/// One write to the replica's disk.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Write {
    /// The replica entered a term, or voted in it.
    Vote { term: u64, vote: Option<u32> },
    /// These entries follow the one before `from`; what was there is gone.
    Append { from: u64, entries: Arc<[Entry]> },
    /// A snapshot was taken; the log begins after `from`.
    Compact { snapshot: Arc<Compacted>, from: u64 },
    /// A leader's snapshot was installed.
    Install(Arc<Compacted>),
}

/// The disk of a replica.
#[derive(Clone, Debug, Default)]
pub struct Stable {
    pub(super) term: u64,
    pub(super) vote: Option<u32>,
    pub(super) log: Log,
    pub(super) snapshot: Option<Arc<Compacted>>,
}

impl Durable for Stable {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Vote { term, vote } => (self.term, self.vote) = (*term, *vote),
            Write::Append { from, entries } => {
                // A write that was lost leaves a gap: what follows it cannot be used.
                if *from <= self.log.last() + 1 {
                    self.log.truncate(*from);
                    for entry in entries.iter() {
                        self.log.push(entry.term, entry.payload);
                    }
                }
            }
            Write::Compact { snapshot, from } => {
                self.log.compact(*from);
                self.snapshot = Some(Arc::clone(snapshot));
            }
            Write::Install(snapshot) => {
                self.log.install(snapshot.last);
                self.snapshot = Some(Arc::clone(snapshot));
            }
        }
    }
}
