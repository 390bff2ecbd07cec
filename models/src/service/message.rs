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
}

impl Answer {
    /// Complete, and fresh.
    pub const FULL: Answer = Answer { outcome: Outcome::Ok, whole: 1000, age: Span::ZERO };

    /// No answer, for this reason.
    pub const fn failed(outcome: Outcome) -> Answer {
        Answer { outcome, whole: 0, age: Span::ZERO }
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
}

impl Message for ServiceMessage {
    const KINDS: &'static [&'static str] = &["call", "reply", "cancel"];

    #[inline]
    fn kind(&self) -> usize {
        match self {
            ServiceMessage::Call { .. } => 0,
            ServiceMessage::Reply { .. } => 1,
            ServiceMessage::Cancel { .. } => 2,
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
        };
        fold(u64::from(ticket.slot) << 32 | u64::from(ticket.serial), more)
    }
}
