//! A laboratory for faults: a replicated key-value store that is as simple as it can be, and shows each
//! kind of fault in an outcome of its own.
//!
//! Clients stamp writes with their wall clock and send them to all replicas; the last stamp wins. A
//! write is acknowledged when a quorum has it on disk, a read takes the newest of a quorum. Replicas
//! check sums, scrub, look at their configuration and at credentials, and watch each other, each as
//! far as its parameters say. It is no protocol to use: clocks that are off lose its writes. It promises
//! nothing, either: a scenario says with `never` or `eventually` which damage must be seen.

mod client;
mod message;
mod oracle;
mod protocol;
mod replica;
mod store;

use std::sync::Arc;

use murphy_sim::{Context, DiskOp, DiskResult, NodeId, Process, Request, RequestId, Span};

pub use client::{Client, ClientOptions};
pub use message::{LabMessage, Refusal};
pub use oracle::{Freshness, LabOracles};
pub use replica::{Auth, Replica, ReplicaOptions};
pub use store::{Block, Put, Store};

/// Operation kind that writes a key.
pub const PUT: u16 = 0;
/// Operation kind that reads a key.
pub const GET: u16 = 1;

/// A node of the laboratory.
#[derive(Clone, Debug)]
pub enum Lab {
    /// Keeps a copy.
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
        replicas: Arc<[NodeId]>,
        /// What it guards against.
        options: ReplicaOptions,
    },
    /// A client.
    Client {
        /// All replicas.
        replicas: Arc<[NodeId]>,
        /// How it asks.
        options: ClientOptions,
    },
}

/// What a node is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Time for a replica to say that it lives, and to look who else does.
    Beat,
    /// Time for a replica to write its cache to the disk.
    Flush,
    /// Time for a replica to check what the disk keeps.
    Scrub,
    /// A client has waited long enough for a request.
    GiveUp(RequestId),
}

/// What a node acts through.
pub(crate) type Cx<'a> = Context<'a, Lab>;

/// Indices of the metrics that nodes sample.
pub(crate) mod metric {
    pub(crate) const CORRUPTIONS_FOUND: u16 = 0;
    pub(crate) const REPAIRS: u16 = 1;
    pub(crate) const CLOCK_BACKWARDS: u16 = 2;
    pub(crate) const CLOCK_ERROR: u16 = 3;
    pub(crate) const WRITES_REFUSED: u16 = 4;
    pub(crate) const DENIED: u16 = 5;
    pub(crate) const UNCHECKED: u16 = 6;
    pub(crate) const MISCONFIGURED: u16 = 7;
    pub(crate) const SUSPICIONS: u16 = 8;
    pub(crate) const TURNED_AWAY: u16 = 9;
}

/// Time between two signs of life.
pub const BEAT: Span = Span::millis(100);

impl Process for Lab {
    type Config = Config;
    type Message = LabMessage;
    type Timer = Timer;
    type Durable = Store;

    fn boot(cx: &mut Cx<'_>) -> Lab {
        match cx.config().clone() {
            Config::Replica { replicas, options } => {
                Lab::Replica(Box::new(Replica::boot(cx, &replicas, options)))
            }
            Config::Client { replicas, options } => Lab::Client(Client::new(replicas, options)),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &LabMessage) {
        match self {
            Lab::Replica(replica) => replica.on_message(cx, from, message),
            Lab::Client(client) => client.on_message(cx, from, message),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (self, timer) {
            (Lab::Replica(replica), _) => replica.on_timer(cx, timer),
            (Lab::Client(client), Timer::GiveUp(request)) => client.give_up(cx, request),
            (Lab::Client(_), _) => {}
        }
    }

    fn on_disk(&mut self, cx: &mut Cx<'_>, _: DiskOp, result: DiskResult) {
        if let Lab::Replica(replica) = self {
            replica.on_disk(cx, result);
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Lab::Client(client) = self {
            client.on_request(cx, request);
        }
    }
}
