//! Active-active: every replica takes writes of every key and sends its state to the others, which merge.
//!
//! What a key holds is a data type of [`crdt`](super::crdt): registers in which the last write wins, or that
//! keep concurrent values; counters; sets; maps. With `owner = "key"` or `"first"` writes go through
//! one replica instead, and only reads are local.

mod cell;
mod message;
mod oracle;
mod protocol;
mod replica;
mod store;

use std::sync::Arc;

use murphy_sim::{Context, DiskOp, DiskResult, NodeId, Process, Request};

pub use cell::{Cell, Data};
pub use message::LeadersMessage;
pub use oracle::LeadersOracles;
pub use replica::{Options, Owner, Replica};
pub use store::{Store, Write};

use super::{Client, ClientTimer};

/// Operation that adds: to a counter, or an element to a set.
pub const ADD: u16 = 2;
/// Operation that takes away.
pub const REMOVE: u16 = 3;

/// A node.
#[derive(Clone, Debug)]
pub enum Leaders {
    /// Takes writes.
    Replica(Box<Replica>),
    /// Sends requests.
    Client(Client),
}

/// What a node is told at boot.
#[derive(Clone, Debug)]
pub enum Config {
    /// A replica.
    Replica {
        /// All replicas.
        group: Arc<[NodeId]>,
        /// How it replicates.
        options: Options,
    },
    /// A client.
    Client(Client),
}

/// What a node is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The client's.
    Client(ClientTimer),
    /// Time to compare digests.
    Compare,
    /// Time to send what changed.
    Ship,
}

impl From<ClientTimer> for Timer {
    fn from(timer: ClientTimer) -> Timer {
        Timer::Client(timer)
    }
}

/// What a node acts through.
pub(crate) type Cx<'a> = Context<'a, Leaders>;

/// Kinds of facts that only this model's oracles understand.
pub(crate) mod own {
    /// Of two values, the first lost against the second.
    pub(crate) const DROPPED: u16 = 0;
    /// A write replaced the first value, which it saw, by the second.
    pub(crate) const REPLACED: u16 = 5;
    /// A register (first) holds that many values of concurrent writes (second).
    pub(crate) const SIBLINGS: u16 = 1;
    /// A counter (first) shows this (second, signed).
    pub(crate) const COUNT: u16 = 2;
    /// A set (first) has this element (second), or not.
    pub(crate) const HAS: u16 = 3;
    pub(crate) const HAS_NOT: u16 = 4;
}

/// Indices of the metrics that nodes sample.
pub(crate) mod metric {
    pub(crate) const LAG: u16 = 0;
    pub(crate) const EXCHANGED: u16 = 1;
}

impl Process for Leaders {
    type Config = Config;
    type Message = LeadersMessage;
    type Timer = Timer;
    type Durable = Store;

    fn boot(cx: &mut Cx<'_>) -> Leaders {
        match cx.config().clone() {
            Config::Replica { group, options } => {
                Leaders::Replica(Box::new(Replica::boot(cx, group, options)))
            }
            Config::Client(client) => Leaders::Client(client),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &LeadersMessage) {
        match (self, message) {
            (Leaders::Replica(replica), _) => replica.on_message(cx, from, message),
            (Leaders::Client(client), LeadersMessage::Call(call)) => client.on_call(cx, *call),
            (Leaders::Client(_), _) => {}
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (self, timer) {
            (Leaders::Client(client), Timer::Client(timer)) => client.on_timer(cx, timer),
            (Leaders::Client(_), _) => {}
            (Leaders::Replica(replica), _) => replica.on_timer(cx, timer),
        }
    }

    fn on_disk(&mut self, cx: &mut Cx<'_>, _: DiskOp, result: DiskResult) {
        if let Leaders::Replica(replica) = self {
            replica.on_disk(cx, result);
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Leaders::Client(client) = self {
            client.on_request(cx, request);
        }
    }
}
