//! Resources of nodes that fail, and load that grows: kinds of faults beside those of the network.

use crate::law::Law;
use crate::random::Chance;
use crate::time::Span;

/// A resource that nodes live by, and how it fails while a fault lasts.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The nodes stop at the start of the fault. Each boots after a time of its own, at the end of the
    /// fault at the latest.
    Reboot {
        /// How long a node is down.
        down: Law,
        /// Whether the disk is lost too.
        amnesia: bool,
    },
    /// A crash during the fault tears: of the writes that no sync covers, a prefix reaches the disk, and
    /// the last of these only in part ([`Durable::apply_torn`](crate::Durable::apply_torn)).
    TornWrites,
    /// Syncs report that they are done, but their writes stay in the drive's cache until a sync after
    /// the fault; a crash before that takes them.
    LyingSyncs,
    /// The disk takes no writes: the next sync ends with [`DiskResult::Full`](crate::DiskResult::Full).
    DiskFull,
    /// Each write is acknowledged and never reaches the disk, with this chance.
    LostWrites(Chance),
    /// Each write lands in the place of another, with this chance
    /// ([`Durable::apply_misdirected`](crate::Durable::apply_misdirected)).
    MisdirectedWrites(Chance),
    /// Bits of what the disk keeps flip ([`Durable::rot`](crate::Durable::rot)).
    BitRot {
        /// Blocks of each node that rot at the start.
        at_once: u64,
        /// Time between two blocks of a node that rot later.
        every: Option<Law>,
    },
    /// Memory leaks until the node is killed for want of it.
    MemoryLeak(Leak),
    /// At most so many events wait for the CPU: a message or request beyond is dropped.
    QueueLimit(u64),
    /// Pools of the nodes have no more than so many slots, whatever their own size.
    PoolLimit {
        /// Which of their pools.
        pool: Pool,
        /// Slots that are left.
        slots: u64,
    },
    /// Slots of the nodes' pools leak: what is given back is lost with this chance. A crash or the end
    /// of the fault brings it back.
    PoolLeak {
        /// Which of their pools.
        pool: Pool,
        /// Chance of each slot that is given back.
        chance: Chance,
    },
    /// A configuration of this version is pushed to the nodes, and rolled back at the end.
    ConfigPush(u64),
    /// The nodes cannot prove who they are, or cannot tell who others are.
    Credential(Credential),
}

/// A kind of pool: a bounded number of slots that work of a node takes and gives back
/// ([`Context::acquire`](crate::Context::acquire)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pool {
    /// Workers that handle what others ask for.
    Threads,
    /// Connections to those that the node asks.
    Connections,
}

/// A memory leak. A crash or the end of the fault gives the memory back.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// Bytes a second.
    pub rate: u64,
    /// Bytes that are free when a node starts: when they are gone, it is killed.
    pub free: u64,
    /// Bytes after which the node pages.
    pub pressure: u64,
    /// How many times as long the CPU takes while the node pages.
    pub factor: f64,
    /// How long a killed node is down.
    pub restart: Law,
}

impl Leak {
    /// Bytes that leaked in so much time.
    pub(crate) fn bytes_after(&self, span: Span) -> u64 {
        let bytes = u128::from(span.0) * u128::from(self.rate) / 1_000_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Time until nothing is left.
    pub(crate) fn lasts(&self) -> Span {
        let nanos = (u128::from(self.free) * 1_000_000_000).div_ceil(u128::from(self.rate.max(1)));
        Span(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// State of a node's credential, from good to bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// The node can prove who it is, and check others.
    #[default]
    Valid,
    /// The provider of authentication does not answer: nothing can be checked.
    Unavailable,
    /// The node's own credential is no longer accepted.
    Expired,
}

/// Requests beside those that a workload would bring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// The workload's rate is this many times as high: what is added has its own arrivals.
    Surge(f64),
    /// So many requests arrive together at the start.
    Herd(u64),
}
