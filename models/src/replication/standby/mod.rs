//! Active-passive replication: a primary that serves, standbys that hear its heartbeats and take over.
//!
//! What failover costs is measured in parts: *detect* (crash to suspicion), *elect* (to a token),
//! *promote* (to the first service) and *warm-up* (to normal speed) make the RTO; acknowledged writes
//! that the new primary does not have make the RPO. With `fencing`, an arbiter hands out leases under
//! growing tokens: a primary whose lease is over serves nothing, and replicas refuse lower tokens.
//! Without it a partition makes two primaries. Leases: Gray & Cheriton 1989; tokens: Burrows 2006
//! (Chubby's sequencers); semi-synchronous replication as in `MySQL`: it waits for one standby, and
//! gives that up after a time.

mod active;
mod arbiter;
mod message;
mod oracle;
mod passive;
mod protocol;
mod replica;
mod store;

use std::sync::Arc;

use murphy_sim::{Context, DiskOp, DiskResult, NodeId, Process, Request, Span};

pub use message::{Record, StandbyMessage};
pub use oracle::StandbyOracles;
pub use replica::{Heat, Lag, Options, Replica, Shipping};
pub use store::{Store, Write};

use super::{Client, ClientTimer};
use arbiter::Arbiter;

/// A node.
#[derive(Clone, Debug)]
pub enum Standby {
    /// Serves, or waits to.
    Replica(Box<Replica>),
    /// Hands out leases and tokens.
    Arbiter(Arbiter),
    /// Sends requests.
    Client(Client),
}

/// What a node is told at boot.
#[derive(Clone, Debug)]
pub enum Config {
    /// A replica.
    Replica {
        /// All replicas; the first is preferred as primary.
        group: Arc<[NodeId]>,
        /// Who hands out leases; `None` without fencing.
        arbiter: Option<NodeId>,
        /// How it replicates and takes over.
        options: Options,
    },
    /// The arbiter.
    Arbiter {
        /// All replicas.
        group: Arc<[NodeId]>,
        /// Length of a lease.
        lease: Span,
        /// How long it collects candidates.
        elect: Span,
    },
    /// A client.
    Client(Client),
}

/// What a node is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The client's.
    Client(ClientTimer),
    /// Time for a primary to say that it lives.
    Heartbeat,
    /// Time for a primary to renew its lease.
    Renew,
    /// No heartbeat for too long.
    Suspect,
    /// Time for a candidate to ask again.
    Campaign,
    /// The new primary is ready to serve.
    Promoted,
    /// The primary's caches are warm.
    Warm,
    /// Time to ship what was not shipped.
    Batch,
    /// Records from the first to the second leave the primary.
    Leave(u64, u64),
    /// Time for a standby to apply what it received.
    Apply,
    /// Time for the preferred primary to ask for its place.
    Failback,
    /// The arbiter has collected candidates.
    Elect,
}

impl From<ClientTimer> for Timer {
    fn from(timer: ClientTimer) -> Timer {
        Timer::Client(timer)
    }
}

/// What a node acts through.
pub(crate) type Cx<'a> = Context<'a, Standby>;

/// Kinds of facts that only this model's oracles understand.
pub(crate) mod own {
    /// A replica has this value (first) on its disk under this number (second).
    pub(crate) const STORED: u16 = 0;
    /// A replica took over the state of the node (first) up to this number (second).
    pub(crate) const INSTALLED: u16 = 1;
    /// A replica starts with this number (first) on its disk.
    pub(crate) const BOOTED: u16 = 2;
    /// A replica serves under this term (first).
    pub(crate) const SERVING: u16 = 3;
    /// It serves at normal speed.
    pub(crate) const WARM: u16 = 4;
    /// A replica answers a request under this term (first).
    pub(crate) const ANSWERED: u16 = 5;
    /// A primary gives up its place in good order.
    pub(crate) const YIELDED: u16 = 6;
    /// A standby tries to take over.
    pub(crate) const CAMPAIGN: u16 = 7;
}

/// Indices of the metrics that nodes sample; the oracle's follow them.
pub(crate) mod metric {
    pub(crate) const LAG: u16 = 0;
    pub(crate) const DISCARDED: u16 = 1;
    pub(crate) const DEGRADED: u16 = 2;
}

impl Process for Standby {
    type Config = Config;
    type Message = StandbyMessage;
    type Timer = Timer;
    type Durable = Store;

    fn boot(cx: &mut Cx<'_>) -> Standby {
        match cx.config().clone() {
            Config::Replica { group, arbiter, options } => {
                Standby::Replica(Box::new(Replica::boot(cx, group, arbiter, options)))
            }
            Config::Arbiter { group, lease, elect } => {
                Standby::Arbiter(Arbiter::boot(cx, group, lease, elect))
            }
            Config::Client(client) => Standby::Client(client),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &StandbyMessage) {
        match (self, message) {
            (Standby::Replica(replica), _) => replica.on_message(cx, from, message),
            (Standby::Arbiter(arbiter), _) => arbiter.on_message(cx, from, message),
            (Standby::Client(client), StandbyMessage::Call(call)) => client.on_call(cx, *call),
            (Standby::Client(_), _) => {}
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (self, timer) {
            (Standby::Client(client), Timer::Client(timer)) => client.on_timer(cx, timer),
            (Standby::Client(_), _) => {}
            (Standby::Replica(replica), _) => replica.on_timer(cx, timer),
            (Standby::Arbiter(arbiter), _) => arbiter.on_timer(cx, timer),
        }
    }

    fn on_disk(&mut self, cx: &mut Cx<'_>, _: DiskOp, result: DiskResult) {
        match self {
            Standby::Replica(replica) => replica.on_disk(cx, result),
            Standby::Arbiter(arbiter) => arbiter.on_disk(cx),
            Standby::Client(_) => {}
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Standby::Client(client) = self {
            client.on_request(cx, request);
        }
    }
}
