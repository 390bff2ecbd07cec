//! What callers and services say to each other.

use murphy_sim::{Message, Outcome, Time, fold};

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

/// What callers and services say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceMessage {
    /// Please work on this.
    Call {
        /// Names the attempt in the answer.
        ticket: Ticket,
        /// Everything random about the work derives from it.
        luck: u64,
        /// From then on nobody waits any more; [`Time::MAX`] if the caller does not say.
        deadline: Time,
    },
    /// The answer to a call.
    Reply {
        /// Which.
        ticket: Ticket,
        /// How it went.
        outcome: Outcome,
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
            ServiceMessage::Call { ticket, luck, deadline } => (ticket, fold(luck, deadline.0)),
            ServiceMessage::Reply { ticket, outcome } => (ticket, outcome as u64),
            ServiceMessage::Cancel { ticket } => (ticket, u64::MAX),
        };
        fold(u64::from(ticket.slot) << 32 | u64::from(ticket.serial), more)
    }
}
