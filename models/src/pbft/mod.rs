//! Practical Byzantine Fault Tolerance (Castro & Liskov, OSDI 1999), complete: normal case with
//! batching, checkpoints, view changes, retransmission, state transfer, durable replicas, clients.
//!
//! Sections in comments are those of the OSDI paper. Where it leaves a choice:
//! - A replica's disk keeps what it accepted, prepared and promised; prepares, commits,
//!   checkpoints, view-changes and new-views leave after the sync that covers them.
//! - P and O carry the batches themselves, so that no body has to be fetched.
//! - Replicas that wait for something exchange status messages and retransmit; others do so rarely.
//! - Blocks on the disk have sums. A replica that finds one damaged gives no vote that the block might have
//!   held until a later checkpoint is stable, and leaves no view; of two copies of its head one is enough.
//! - Every view change waits twice as long as the one before, until a request is executed.
//! - A replica that gives up on a view alone, after a partition say, takes no part in it any more
//!   (section 4.4): it follows by state transfer, from checkpoint to checkpoint, until the next view.
//! - Batches of more than one command form only while the pipeline or the window is full.

mod bug;
mod checkpoint;
mod damage;
mod log;
mod message;
mod mutate;
mod normal;
mod options;
mod protocol;
mod recovery;
mod replica;
mod stable;
mod state_transfer;
mod status;
mod view_change;

use std::sync::Arc;

use murphy_sim::{Context, DiskOp, DiskResult, NodeId, Process, Request};

use crate::consensus::{Client, ClientOptions, Command, Group, Service};

pub use bug::Bug;
pub use message::{
    Batch, CheckpointVote, NewView, PbftMessage, PrePrepare, Prepared, Proposal, StableProof, Status,
    Transfer, ViewChange, Vote,
};
pub use options::Options;
pub use replica::Replica;
pub use stable::{Head, Record, Stable, Write};

/// A node of the protocol.
#[derive(Clone, Debug)]
pub enum Pbft {
    /// Keeps a copy of the service.
    Replica(Box<Replica>),
    /// Sends requests to the service.
    Client(Client),
}

/// What a node is told at boot.
#[derive(Clone, Debug)]
pub enum Config {
    /// A replica.
    Replica {
        /// Its group.
        group: Arc<Group>,
        /// How the group runs.
        options: Options,
    },
    /// A client.
    Client {
        /// The group that it asks.
        group: Arc<Group>,
        /// How it asks.
        options: ClientOptions,
    },
}

/// What a node of the protocol is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A replica waited long enough for progress, or for the new view.
    Progress,
    /// Time for a replica to look at whether something is missing.
    Status,
    /// A state did not come.
    Fetch,
    /// A client's reply did not come.
    Retry {
        /// Which of the client's sessions.
        session: u8,
    },
}

/// What a node of the protocol acts through.
pub(crate) type Cx<'a> = Context<'a, Pbft>;

impl Service for Pbft {
    fn request(command: Command) -> PbftMessage {
        PbftMessage::Request(command)
    }

    fn retry(session: u8) -> Timer {
        Timer::Retry { session }
    }
}

impl Process for Pbft {
    type Config = Config;
    type Message = PbftMessage;
    type Timer = Timer;
    type Durable = Stable;

    fn boot(cx: &mut Cx<'_>) -> Pbft {
        match cx.config().clone() {
            Config::Replica { group, options } => Pbft::Replica(Box::new(Replica::boot(cx, group, options))),
            Config::Client { group, options } => Pbft::Client(Client::new(group, options)),
        }
    }

    #[inline]
    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &PbftMessage) {
        match self {
            Pbft::Replica(replica) => replica.on_message(cx, from, message),
            Pbft::Client(client) => {
                if let PbftMessage::Reply(reply) = message {
                    client.on_reply(cx, from, reply);
                }
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match self {
            Pbft::Replica(replica) => replica.on_timer(cx, timer),
            Pbft::Client(client) => {
                if let Timer::Retry { session } = timer {
                    client.on_retry(cx, session);
                }
            }
        }
    }

    fn on_disk(&mut self, cx: &mut Cx<'_>, _op: DiskOp, result: DiskResult) {
        // After a write that the disk refused, nothing may be said that hangs on it: the replica is
        // silent until it starts again from what the disk kept.
        if let (Pbft::Replica(replica), DiskResult::Synced) = (self, result) {
            replica.on_synced(cx);
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Pbft::Client(client) = self {
            client.on_request(cx, request);
        }
    }
}
