//! A quorum store: every replica keeps every key and coordinates requests; a write needs `write` of
//! them, a read `read`. With read + write > n each read meets the last write; with less it may not.
//!
//! Versions carry the coordinator's wall clock, and the last one wins. What a replica missed comes to it
//! by read repair, by hints that the coordinator kept (hinted handoff), and by comparing digests with
//! another replica now and then (anti-entropy). Source: `DeCandia` et al. 2007 (Dynamo).

mod coordinator;
mod entropy;
mod message;
mod oracle;
mod protocol;
mod replica;
mod store;

use std::sync::Arc;

use murphy_sim::{Context, DiskOp, DiskResult, NodeId, Process, Request};

pub use message::QuorumMessage;
pub use oracle::QuorumOracles;
pub use replica::{Hints, Options, Replica};
pub use store::{Store, Version, Write};

use super::{Client, ClientTimer};

/// A node.
#[derive(Clone, Debug)]
pub enum Quorum {
    /// Keeps a copy, and coordinates.
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
    /// A coordinator has waited long enough for a request.
    Over(u64),
    /// Time to send hints again.
    Handoff,
    /// Time to compare digests.
    Compare,
}

impl From<ClientTimer> for Timer {
    fn from(timer: ClientTimer) -> Timer {
        Timer::Client(timer)
    }
}

/// What a node acts through.
pub(crate) type Cx<'a> = Context<'a, Quorum>;

/// Indices of the metrics that nodes sample.
pub(crate) mod metric {
    pub(crate) const READ_REPAIRS: u16 = 0;
    pub(crate) const HINTS: u16 = 1;
    pub(crate) const HANDED_OFF: u16 = 2;
    pub(crate) const EXCHANGED: u16 = 3;
    pub(crate) const LAG: u16 = 4;
}

impl Process for Quorum {
    type Config = Config;
    type Message = QuorumMessage;
    type Timer = Timer;
    type Durable = Store;

    fn boot(cx: &mut Cx<'_>) -> Quorum {
        match cx.config().clone() {
            Config::Replica { group, options } => {
                Quorum::Replica(Box::new(Replica::boot(cx, group, options)))
            }
            Config::Client(client) => Quorum::Client(client),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &QuorumMessage) {
        match (self, message) {
            (Quorum::Replica(replica), _) => replica.on_message(cx, from, message),
            (Quorum::Client(client), QuorumMessage::Call(call)) => client.on_call(cx, *call),
            (Quorum::Client(_), _) => {}
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (self, timer) {
            (Quorum::Client(client), Timer::Client(timer)) => client.on_timer(cx, timer),
            (Quorum::Client(_), _) => {}
            (Quorum::Replica(replica), _) => replica.on_timer(cx, timer),
        }
    }

    fn on_disk(&mut self, cx: &mut Cx<'_>, _: DiskOp, result: DiskResult) {
        if let Quorum::Replica(replica) = self {
            replica.on_disk(cx, result);
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Quorum::Client(client) = self {
            client.on_request(cx, request);
        }
    }
}
