//! Raft (Ongaro & Ousterhout 2014; Ongaro's dissertation of 2014), complete: elections with
//! pre-vote and the leader's check of its quorum, replication, both ways to change the members,
//! snapshots, reads through the log, by read index and by lease, clients' sessions, durable replicas.
//!
//! Sections in comments are those of the dissertation. Where it leaves a choice:
//! - A term, a vote, entries and snapshots are on the disk before anything is said that hangs on them. One
//!   sync at a time covers all that was written before it; a leader sends its entries while it writes them.
//! - A follower relays a client's request to the leader it knows, and else drops it.
//! - Entries go out as they come, several messages at a time (section 10.2); a follower that
//!   refuses one says where its log may agree.
//! - A replica that starts makes as if it had just heard from a leader: a promise that it gave
//!   before, and a leader's lease rests on, must not end with a crash.
//! - Who asks for changes of the members is the leader itself, every so often. A new member is brought up to
//!   date before it is added (section 4.2.1).
//! - A snapshot goes out as one message.

mod apply;
mod bug;
mod election;
mod log;
mod members;
mod membership;
mod message;
mod options;
mod protocol;
mod reads;
mod replica;
mod replication;
mod snapshot;
mod stable;

use std::sync::Arc;

use murphy_sim::{Context, DiskOp, DiskResult, NodeId, Process, Request};

use crate::consensus::{Client, ClientOptions, Command, Group, Service};

pub use bug::Bug;
pub use log::{Base, Compacted, Entry, Log, Payload};
pub use members::Members;
pub use message::{Append, Appended, InstallSnapshot, RaftMessage, RequestVote, Vote};
pub use options::{Change, Options, Reads};
pub use replica::{Replica, Role};
pub use stable::{Stable, Write};

/// Kinds of [`Fact::Own`](murphy_sim::Fact::Own) beside those of every protocol.
pub mod own {
    /// A leader took over a log that was not empty: its term, and the last index.
    pub const SUCCEEDED: u16 = 16;
    /// A follower replaced entries: the first index, and how many.
    pub const TRUNCATED: u16 = 17;
    /// A leader answered a read by read index.
    pub const READ_INDEX: u16 = 18;
    /// A leader answered a read by its lease.
    pub const LEASE_READ: u16 = 19;
    /// A leader stepped down because a majority no longer answered it.
    pub const STEPPED_DOWN: u16 = 20;
}

/// A node of the protocol.
#[derive(Clone, Debug)]
pub enum Raft {
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
    /// A follower may have waited long enough for its leader.
    Election,
    /// Time for a leader's sign of life.
    Heartbeat,
    /// Time for a leader to change the members.
    Reconfigure,
    /// A client's reply did not come.
    Retry {
        /// Which of the client's sessions.
        session: u8,
    },
}

/// What a node of the protocol acts through.
pub(crate) type Cx<'a> = Context<'a, Raft>;

impl Service for Raft {
    fn request(command: Command) -> RaftMessage {
        RaftMessage::Request(command)
    }

    fn retry(session: u8) -> Timer {
        Timer::Retry { session }
    }
}

impl Process for Raft {
    type Config = Config;
    type Message = RaftMessage;
    type Timer = Timer;
    type Durable = Stable;

    fn boot(cx: &mut Cx<'_>) -> Raft {
        match cx.config().clone() {
            Config::Replica { group, options } => Raft::Replica(Box::new(Replica::boot(cx, group, options))),
            Config::Client { group, options } => Raft::Client(Client::new(group, options)),
        }
    }

    #[inline]
    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &RaftMessage) {
        match self {
            Raft::Replica(replica) => replica.on_message(cx, from, message),
            Raft::Client(client) => {
                if let RaftMessage::Reply(reply) = message {
                    client.on_reply(cx, from, reply);
                }
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (self, timer) {
            (Raft::Replica(replica), timer) => replica.on_timer(cx, timer),
            (Raft::Client(client), Timer::Retry { session }) => client.on_retry(cx, session),
            (Raft::Client(_), _) => {}
        }
    }

    fn on_disk(&mut self, cx: &mut Cx<'_>, _op: DiskOp, result: DiskResult) {
        // After a write that the disk refused, nothing may be said that hangs on it: the replica is
        // silent until it starts again from what the disk kept.
        if let (Raft::Replica(replica), DiskResult::Synced) = (self, result) {
            replica.on_synced(cx);
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Raft::Client(client) = self {
            client.on_request(cx, request);
        }
    }
}
