//! The replicated service: a key-value store, with the last reply of every client.

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_sim::fold;

use super::command::{Command, PUT, SessionId};

/// Last request of a client's session that was executed, and its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its timestamp; zero before the first.
    pub timestamp: u64,
    /// Its result.
    pub value: u64,
}

/// State of the service.
///
/// The digest is a sum over entries and sessions, so that one change costs a few operations and a
/// transferred state can be checked entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Store {
    entries: BTreeMap<u64, u64>,
    /// By number of the session.
    sessions: Vec<Session>,
    sum: u64,
}

/// A copy of the state after a slot: a checkpoint's content.
#[derive(Clone, Debug)]
pub struct Snapshot {
    slot: u64,
    store: Store,
}

const ENTRY: u64 = 0x656e_7472_7900;
const SESSION: u64 = 0x7365_7373_696f_6e00;

fn entry_hash(key: u64, value: u64) -> u64 {
    fold(fold(key, ENTRY), value)
}

fn session_hash(number: usize, session: Session) -> u64 {
    fold(fold(number as u64, SESSION), fold(session.timestamp, session.value))
}

impl Store {
    /// Digest of the whole state.
    pub fn digest(&self) -> u64 {
        self.sum
    }

    /// The last request of a session.
    pub fn session(&self, id: SessionId) -> Session {
        self.sessions.get(id.index()).copied().unwrap_or_default()
    }

    /// What a read of this key returns, zero if it is absent.
    pub fn get(&self, key: u64) -> u64 {
        self.entries.get(&key).copied().unwrap_or(0)
    }

    /// Applies a command, whether or not it was applied before; returns its result.
    pub fn execute(&mut self, command: &Command) -> u64 {
        let operation = command.operation();
        let value = if operation.kind == PUT {
            let old = self.entries.insert(operation.key, operation.value);
            if let Some(old) = old {
                self.sum = self.sum.wrapping_sub(entry_hash(operation.key, old));
            }
            self.sum = self.sum.wrapping_add(entry_hash(operation.key, operation.value));
            0
        } else {
            self.get(operation.key)
        };
        let number = command.session().index();
        if self.sessions.len() <= number {
            self.sessions.resize(number + 1, Session::default());
        }
        let session = Session { timestamp: command.timestamp(), value };
        let old = std::mem::replace(&mut self.sessions[number], session);
        if old != Session::default() {
            self.sum = self.sum.wrapping_sub(session_hash(number, old));
        }
        self.sum = self.sum.wrapping_add(session_hash(number, session));
        value
    }

    /// A copy of the state, which is that after `slot`.
    pub fn snapshot(&self, slot: u64) -> Arc<Snapshot> {
        Arc::new(Snapshot { slot, store: self.clone() })
    }
}

impl Snapshot {
    /// The initial state.
    pub fn initial() -> Arc<Snapshot> {
        Store::default().snapshot(0)
    }

    /// Last slot that it covers.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// Digest that the state claims.
    pub fn digest(&self) -> u64 {
        self.store.sum
    }

    /// Size on the wire.
    pub fn bytes(&self) -> u32 {
        let items = self.store.entries.len() + self.store.sessions.len();
        u32::try_from(items.saturating_mul(16)).unwrap_or(u32::MAX)
    }

    /// Digest of what the state really holds.
    pub fn recomputed(&self) -> u64 {
        let entries = self.store.entries.iter().map(|(&key, &value)| entry_hash(key, value));
        let sessions = self.store.sessions.iter().enumerate();
        let sessions = sessions
            .filter(|(_, session)| **session != Session::default())
            .map(|(number, &session)| session_hash(number, session));
        entries.chain(sessions).fold(0, u64::wrapping_add)
    }

    /// The same state with one entry changed and its digest kept: what a liar sends.
    #[must_use]
    pub fn corrupted(&self) -> Snapshot {
        let mut copy = self.clone();
        let key = copy.store.entries.keys().next().copied().unwrap_or(0);
        *copy.store.entries.entry(key).or_insert(0) ^= 1 << 63;
        copy
    }

    /// The state.
    pub fn store(&self) -> Store {
        self.store.clone()
    }
}

#[cfg(test)]
mod tests {
    use murphy_sim::{NodeId, RequestId};

    use super::*;

    fn executed(ids: &[u32]) -> Store {
        let mut store = Store::default();
        for (timestamp, id) in (1..).zip(ids) {
            let session = SessionId::at(*id as usize % 3);
            store.execute(&Command::invented(NodeId(id % 3), session, RequestId(*id), timestamp));
        }
        store
    }

    #[test]
    fn the_digest_is_that_of_the_content() {
        let store = executed(&[1, 2, 3, 2, 7, 1]);
        let snapshot = store.snapshot(6);
        assert_eq!(snapshot.recomputed(), store.digest());
        assert_ne!(snapshot.corrupted().recomputed(), store.digest());
        assert_eq!(store.get(2), 3);
        assert_eq!(store.get(9), 0);
    }

    #[test]
    fn different_histories_have_different_digests() {
        let mut digests = [&[1, 2][..], &[2, 1], &[1, 2, 2], &[1], &[]].map(|ids| executed(ids).digest());
        digests.sort_unstable();
        assert!(digests.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
