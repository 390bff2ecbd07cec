//! What callers and services say to each other.

use std::sync::Arc;

use murphy_sim::{Message, Outcome, Span, Time, fold};

use super::balancer::Listed;
use super::instance::Phase;

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

/// What an instance has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Time that its workers worked, waits for calls apart.
    pub worked: Span,
    /// Requests that it answered.
    pub answered: u64,
    /// Those of them that failed.
    pub failed: u64,
}

/// What an instance tells the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The check that it answers, or zero.
    pub serial: u32,
    /// Where it is in its life.
    pub phase: Phase,
    /// The version that it runs.
    pub version: u32,
    /// What it has done.
    pub load: Load,
}

/// What the control plane has an instance do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Start, with this version.
    Start {
        /// Zero for the one that was there at the start of the run.
        version: u32,
    },
    /// Stop.
    Stop,
    /// Stop at once, and start again.
    Restart,
    /// Go on with this version.
    Adopt {
        /// Which.
        version: u32,
    },
}

/// What callers, services and the control plane say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Are you well?
    Check {
        /// Names the check in the answer.
        serial: u32,
        /// Whether the instance asks its dependencies first.
        deep: bool,
    },
    /// How an instance is.
    Report(Report),
    /// What an instance is to do.
    Order(Order),
    /// Which instances of a service to ask.
    Endpoints {
        /// Index of the service.
        service: u32,
        /// By replica.
        listed: Arc<[Listed]>,
    },
}

impl Message for ServiceMessage {
    const KINDS: &'static [&'static str] =
        &["call", "reply", "cancel", "connect", "accepted", "check", "report", "order", "endpoints"];

    #[inline]
    fn kind(&self) -> usize {
        match self {
            ServiceMessage::Call { .. } => 0,
            ServiceMessage::Reply { .. } => 1,
            ServiceMessage::Cancel { .. } => 2,
            ServiceMessage::Connect { .. } => 3,
            ServiceMessage::Accepted { .. } => 4,
            ServiceMessage::Check { .. } => 5,
            ServiceMessage::Report(_) => 6,
            ServiceMessage::Order(_) => 7,
            ServiceMessage::Endpoints { .. } => 8,
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
            ServiceMessage::Check { serial, deep } => return fold(u64::from(serial), u64::from(deep)),
            ServiceMessage::Report(Report { serial, phase, version, load }) => {
                let did = fold(fold(load.worked.0, load.answered), load.failed);
                return fold(fold(u64::from(serial) << 32 | u64::from(version), phase as u64), did);
            }
            ServiceMessage::Order(order) => {
                return match order {
                    Order::Start { version } => fold(1, u64::from(version)),
                    Order::Stop => 2,
                    Order::Restart => 3,
                    Order::Adopt { version } => fold(4, u64::from(version)),
                };
            }
            ServiceMessage::Endpoints { service, ref listed } => {
                return listed.iter().fold(u64::from(service), |hash, listed| fold(hash, *listed as u64));
            }
        };
        fold(u64::from(ticket.slot) << 32 | u64::from(ticket.serial), more)
    }
}
