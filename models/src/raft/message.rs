//! What clients and replicas say to each other.

use std::sync::Arc;

use murphy_sim::{Message, Time, fold};

use super::log::{Compacted, Entry};
use crate::consensus::{Command, Reply};

/// Asks for a vote, or whether it would be given (Ongaro 2014, sections 3.4 and 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestVote {
    /// The candidate's term, or that in which it would be one.
    pub term: u64,
    /// Index of its last entry.
    pub last_index: u64,
    /// Term of its last entry.
    pub last_term: u64,
}

/// Answers a request for a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Term of the election if granted, else of the one who answers.
    pub term: u64,
    /// Whether the vote is given.
    pub granted: bool,
}

/// Entries of a leader's log, or none as a sign of life (section 3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The leader's term.
    pub term: u64,
    /// Index of the entry before.
    pub prev_index: u64,
    /// Term of the entry before.
    pub prev_term: u64,
    /// The entries that follow it.
    pub entries: Arc<[Entry]>,
    /// What the leader knows to be committed.
    pub commit: u64,
    /// When it was sent, by the leader's monotonic clock.
    pub sent: Time,
}

/// Answers entries, a sign of life or a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Term of the one who answers.
    pub term: u64,
    /// Whether its log has the entry before.
    pub ok: bool,
    /// If so, up to where its log is the leader's and on its disk; if not, where it may be.
    pub index: u64,
    /// The instant that the leader's message carried.
    pub sent: Time,
}

/// A leader's snapshot (section 5.3), in one message.
#[derive(Clone, Debug)]
pub struct InstallSnapshot {
    /// The leader's term.
    pub term: u64,
    /// The snapshot.
    pub snapshot: Arc<Compacted>,
    /// When it was sent, by the leader's monotonic clock.
    pub sent: Time,
}

/// A message of the protocol.
#[derive(Clone, Debug)]
pub enum RaftMessage {
    /// From a client, or relayed by a follower.
    Request(Command),
    /// To a client.
    Reply(Reply),
    /// Entries, or a sign of life.
    Append(Append),
    /// Its answer.
    Appended(Appended),
    /// Asks whether a vote would be given.
    PreVote(RequestVote),
    /// Its answer.
    PreVoted(Vote),
    /// Asks for a vote.
    RequestVote(RequestVote),
    /// Its answer.
    Voted(Vote),
    /// A snapshot.
    Snapshot(InstallSnapshot),
}

/// Headers of any message, in bytes.
const HEADER: u32 = 48;
/// An entry with its command.
pub(super) const ENTRY: u32 = 64;

impl Message for RaftMessage {
    const KINDS: &'static [&'static str] = &[
        "request",
        "reply",
        "append",
        "heartbeat",
        "appended",
        "pre-vote",
        "pre-voted",
        "request-vote",
        "voted",
        "snapshot",
    ];

    #[inline]
    fn kind(&self) -> usize {
        match self {
            RaftMessage::Request(_) => 0,
            RaftMessage::Reply(_) => 1,
            RaftMessage::Append(append) if append.entries.is_empty() => 3,
            RaftMessage::Append(_) => 2,
            RaftMessage::Appended(_) => 4,
            RaftMessage::PreVote(_) => 5,
            RaftMessage::PreVoted(_) => 6,
            RaftMessage::RequestVote(_) => 7,
            RaftMessage::Voted(_) => 8,
            RaftMessage::Snapshot(_) => 9,
        }
    }

    #[inline]
    fn bytes(&self) -> u32 {
        match self {
            RaftMessage::Request(_) => HEADER + 56,
            RaftMessage::Append(append) => {
                let count = u32::try_from(append.entries.len()).unwrap_or(u32::MAX);
                (HEADER + 32).saturating_add(count.saturating_mul(ENTRY))
            }
            RaftMessage::Snapshot(install) => (HEADER + 40).saturating_add(install.snapshot.state.bytes()),
            _ => HEADER + 24,
        }
    }

    #[inline]
    fn digest(&self) -> u64 {
        let vote = |vote: &Vote| fold(vote.term, u64::from(vote.granted));
        let request = |ask: &RequestVote| fold(ask.term, fold(ask.last_index, ask.last_term));
        match self {
            RaftMessage::Request(command) => command.digest(),
            RaftMessage::Reply(reply) => fold(fold(reply.view, reply.timestamp), reply.value),
            RaftMessage::Append(append) => {
                let chain = append.entries.last().map_or(0, |entry| entry.chain);
                let place = fold(append.prev_index, append.prev_term);
                fold(fold(append.term, append.commit), fold(place, chain ^ append.sent.0))
            }
            RaftMessage::Appended(appended) => {
                fold(fold(appended.term, appended.index), appended.sent.0 << 1 | u64::from(appended.ok))
            }
            RaftMessage::PreVote(ask) | RaftMessage::RequestVote(ask) => request(ask),
            RaftMessage::PreVoted(answer) | RaftMessage::Voted(answer) => vote(answer),
            RaftMessage::Snapshot(install) => fold(
                fold(install.term, install.sent.0),
                fold(install.snapshot.last.chain, install.snapshot.state.digest()),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_small() {
        assert!(size_of::<RaftMessage>() <= 72, "{}", size_of::<RaftMessage>());
    }
}
