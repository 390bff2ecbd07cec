//! What nodes send to each other.

use std::sync::Arc;

use murphy_sim::{Message, Time, fold};

use super::Store;
use crate::replication::Call;

/// One write in the primary's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Place in the log, from 1.
    pub seq: u64,
    /// Key.
    pub key: u64,
    /// Value.
    pub value: u64,
    /// When the primary had it on its disk; for the measure of lag alone.
    pub committed: Time,
}

/// A message. Every one of the protocol carries the sender's term: its fencing token.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StandbyMessage {
    Call(Call),
    /// The primary lives.
    Heartbeat {
        term: u64,
    },
    /// Records of the primary's log.
    Ship {
        term: u64,
        records: Arc<[Record]>,
    },
    /// The standby has all records up to this one on its disk.
    Stored {
        term: u64,
        prefix: u64,
    },
    /// A standby that has missed something asks for the state.
    Join {
        term: u64,
    },
    /// The primary's state.
    State {
        term: u64,
        state: Arc<Store>,
    },
    /// There is a newer term.
    Deposed {
        term: u64,
    },
    /// A candidate has records up to this one; `sent` is its own clock.
    Acquire {
        last: u64,
        sent: Time,
    },
    /// The primary asks for a longer lease; these places of the group have all that it acknowledges.
    Renew {
        term: u64,
        sent: Time,
        insync: u64,
    },
    /// The lease of this term counts from `sent`; these places of the group may follow.
    Granted {
        term: u64,
        sent: Time,
        insync: u64,
    },
    /// The preferred primary asks for its place.
    Handover {
        term: u64,
    },
    /// The primary gives its lease back.
    Release {
        term: u64,
    },
    /// The primary has stopped for the one that asked.
    Yield {
        term: u64,
    },
}

impl From<Call> for StandbyMessage {
    fn from(call: Call) -> StandbyMessage {
        StandbyMessage::Call(call)
    }
}

impl Message for StandbyMessage {
    const KINDS: &'static [&'static str] = &[
        "ask",
        "answer",
        "refuse",
        "heartbeat",
        "ship",
        "stored",
        "join",
        "state",
        "deposed",
        "acquire",
        "renew",
        "granted",
        "handover",
        "release",
        "yield",
    ];

    fn kind(&self) -> usize {
        match self {
            StandbyMessage::Call(call) => call.kind(),
            StandbyMessage::Heartbeat { .. } => 3,
            StandbyMessage::Ship { .. } => 4,
            StandbyMessage::Stored { .. } => 5,
            StandbyMessage::Join { .. } => 6,
            StandbyMessage::State { .. } => 7,
            StandbyMessage::Deposed { .. } => 8,
            StandbyMessage::Acquire { .. } => 9,
            StandbyMessage::Renew { .. } => 10,
            StandbyMessage::Granted { .. } => 11,
            StandbyMessage::Handover { .. } => 12,
            StandbyMessage::Release { .. } => 13,
            StandbyMessage::Yield { .. } => 14,
        }
    }

    fn bytes(&self) -> u32 {
        let blocks = |count: usize| 100 + 1000 * u32::try_from(count).unwrap_or(1 << 20).min(1 << 20);
        match self {
            StandbyMessage::Call(call) => call.bytes(),
            StandbyMessage::Ship { records, .. } => blocks(records.len()),
            StandbyMessage::State { state, .. } => blocks(state.blocks().len()),
            _ => 100,
        }
    }

    fn digest(&self) -> u64 {
        let content = match self {
            StandbyMessage::Call(call) => call.digest(),
            StandbyMessage::Ship { term, records } => {
                records.iter().fold(*term, |sum, record| fold(fold(sum, record.seq), record.value))
            }
            StandbyMessage::State { term, state } => fold(fold(*term, state.last), state.prefix),
            StandbyMessage::Stored { term, prefix } => fold(*term, *prefix),
            StandbyMessage::Acquire { last, sent } => fold(*last, sent.0),
            StandbyMessage::Renew { term, sent, insync } | StandbyMessage::Granted { term, sent, insync } => {
                fold(fold(*term, sent.0), *insync)
            }
            StandbyMessage::Heartbeat { term }
            | StandbyMessage::Join { term }
            | StandbyMessage::Deposed { term }
            | StandbyMessage::Handover { term }
            | StandbyMessage::Release { term }
            | StandbyMessage::Yield { term } => *term,
        };
        fold(self.kind() as u64, content)
    }
}
