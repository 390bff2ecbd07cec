//! How replicas run.

use murphy_sim::Span;

use super::bug::Bug;

/// How a leader answers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// As a write: through the log.
    Log,
    /// From its state, once a majority has confirmed that it leads (Ongaro 2014, section 6.4).
    Index,
    /// From its state, while a majority has promised not to elect another (section 6.4.1).
    Lease,
}

/// How the members of a group change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One is added or removed (Ongaro 2014, section 4.1).
    Single,
    /// Any set replaces any other, through a joint configuration (section 4.3).
    Joint,
}

/// How replicas run, the same for all of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Least time without a leader after which a follower asks for votes; the greatest is twice that.
    pub election_timeout: Span,
    /// Time between two signs of life of a leader.
    pub heartbeat: Span,
    /// Whether a replica asks if it could win before it starts an election (section 9.6).
    pub pre_vote: bool,
    /// Whether a replica that hears from a leader gives no votes (section 4.2.3); leases rest on it.
    pub sticky: bool,
    /// Entries executed between two snapshots.
    pub snapshot_every: u64,
    /// Entries that stay in the log behind a snapshot, for followers that are a little behind.
    pub trailing: u64,
    /// Most entries in a message.
    pub batch_max: usize,
    /// Entries that a follower may not have acknowledged when it is sent more.
    pub window: u64,
    /// How reads are answered.
    pub reads: Reads,
    /// Share by which the clocks of two replicas may run apart, for leases.
    pub drift_bound: f64,
    /// Members at the start, the first of the group; the others are spares.
    pub members: usize,
    /// Mean time between two changes of the members; zero for none.
    pub reconfigure: Span,
    /// How they change.
    pub change: Change,
    /// A planted bug.
    pub bug: Option<Bug>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            election_timeout: Span::millis(300),
            heartbeat: Span::millis(75),
            pre_vote: true,
            sticky: true,
            snapshot_every: 1000,
            trailing: 100,
            batch_max: 64,
            window: 256,
            reads: Reads::Index,
            drift_bound: 0.01,
            members: usize::MAX,
            reconfigure: Span::ZERO,
            change: Change::Single,
            bug: None,
        }
    }
}

impl Options {
    /// Whether this bug is planted.
    #[inline]
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// How long a leader may rely on the promise of a majority, from when it asked for it.
    ///
    /// A follower promises an election time-out of its own clock. The leader's may run slower by the
    /// bound while the follower's runs faster (section 6.4.1, clock drift bound).
    pub(super) fn lease(&self) -> Span {
        if self.has(Bug::LeaseIgnoresDrift) {
            return self.election_timeout;
        }
        self.election_timeout.scale((1.0 - self.drift_bound) / (1.0 + self.drift_bound))
    }
}
