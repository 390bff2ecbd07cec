//! What callers and services say to each other.

use murphy_sim::{Message, Outcome, Span, Time, fold};

/// Bytes of every message: headers and a small body.
const BYTES: u32 = 200;

/// A caller's own name of an attempt; the callee only repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Place in the caller's table.
    pub slot: u32,
    /// Tells the attempts apart that had this place one after the other.
    pub serial: u32,
}

/// What a request carries from its user through all calls that are made for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Everything random about the work derives from it.
    pub luck: u64,
    /// From then on nobody waits any more; [`Time::MAX`] if the caller does not say.
    pub deadline: Time,
    /// What it asks about: caches are kept by it.
    pub key: u64,
    /// Its importance: 0 critical, 1 high, 2 medium, 3 low.
    pub priority: u8,
    /// Names the call: the same for all its attempts, and no other call.
    pub id: u64,
    /// Whether the callee may go by this name.
    pub keyed: bool,
}

/// What a request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub outcome: Outcome,
    /// Thousandths of the full answer that are there.
    pub whole: u16,
    /// Age of the oldest part of it.
    pub age: Span,
    /// How good the worst part of it is: 0 full, 1 degraded, 2 minimal.
    pub level: u8,
    /// Why it failed, as an HTTP status.
    pub status: u16,
    /// For a refusal: not before this much time has passed again.
    pub retry_after: Span,
}

impl Answer {
    /// Complete, and fresh.
    pub const FULL: Answer = Answer {
        outcome: Outcome::Ok,
        whole: 1000,
        age: Span::ZERO,
        level: 0,
        status: 200,
        retry_after: Span::ZERO,
    };

    /// No answer, for this reason.
    pub const fn failed(outcome: Outcome) -> Answer {
        let status = match outcome {
            Outcome::Timeout => 504,
            Outcome::Rejected => 503,
            _ => 500,
        };
        Answer { outcome, whole: 0, status, ..Answer::FULL }
    }
}

/// What callers and services say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceMessage {
    /// Please work on this.
    Call {
        /// Names the attempt in the answer.
        ticket: Ticket,
        /// What is asked.
        ask: Ask,
    },
    /// The answer to a call.
    Reply {
        /// Which.
        ticket: Ticket,
        /// What it says.
        answer: Answer,
    },
    /// Nobody waits any more.
    Cancel {
        /// For which attempt.
        ticket: Ticket,
    },
    /// Please open a connection.
    Connect {
        /// For which attempt.
        ticket: Ticket,
    },
    /// The connection is open.
    Accepted {
        /// For which attempt.
        ticket: Ticket,
    },
}

impl Message for ServiceMessage {
    const KINDS: &'static [&'static str] = &["call", "reply", "cancel", "connect", "accepted"];

    #[inline]
    fn kind(&self) -> usize {
        match self {
            ServiceMessage::Call { .. } => 0,
            ServiceMessage::Reply { .. } => 1,
            ServiceMessage::Cancel { .. } => 2,
            ServiceMessage::Connect { .. } => 3,
            ServiceMessage::Accepted { .. } => 4,
        }
    }

    #[inline]
    fn bytes(&self) -> u32 {
        BYTES
    }

    #[inline]
    fn digest(&self) -> u64 {
        let (ticket, more) = match *self {
            ServiceMessage::Call { ticket, ask } => {
                (ticket, fold(fold(ask.luck, ask.deadline.0), ask.key << 2 | u64::from(ask.priority)))
            }
            ServiceMessage::Reply { ticket, answer } => {
                (ticket, fold(answer.outcome as u64 | u64::from(answer.whole) << 8, answer.age.0))
            }
            ServiceMessage::Cancel { ticket } => (ticket, u64::MAX),
            ServiceMessage::Connect { ticket } => (ticket, u64::MAX - 1),
            ServiceMessage::Accepted { ticket } => (ticket, u64::MAX - 2),
        };
        fold(u64::from(ticket.slot) << 32 | u64::from(ticket.serial), more)
    }
}
