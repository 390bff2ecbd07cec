//! What nodes say about themselves. Judges and probes see facts, and nothing else.

use crate::time::Time;

/// A node, by its place in the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The place in the roster.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A request of a workload, by its place in the order of arrival over all workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

impl RequestId {
    /// Stands for a command that no client issued, such as the null request of a new view.
    pub const NONE: RequestId = RequestId(u32::MAX);

    /// The place in the order of arrival.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Index into the operations that the model declares.
    pub kind: u16,
    /// Key.
    pub key: u64,
    /// What a write writes: never zero, and no other request of the run has the same.
    pub value: u64,
}

/// One request of a workload, handed to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    /// Index of the workload.
    pub workload: u16,
    /// Whether it is a synthetic probe rather than a user's request.
    pub probe: bool,
    /// What it asks for.
    pub operation: Operation,
}

/// How a request ended, as its client saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A reply came.
    Ok,
    /// The client gave up waiting.
    Timeout,
    /// The system refused it.
    Rejected,
    /// The system answered with an error.
    Failed,
    /// The answer was wrong, and the client could tell.
    Wrong,
    /// The client itself was down.
    ClientDown,
}

/// Something that happened, in the field's own terms: small, hashable and without allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A request arrived at its client (said by the engine).
    Arrive(Request),
    /// The client started to work on a request: its operation may take effect from now on.
    Invoke {
        /// Which.
        request: RequestId,
    },
    /// The client has its result, or gave up.
    Complete {
        /// Which.
        request: RequestId,
        /// How it ended.
        outcome: Outcome,
        /// For a read the value it returned, zero if the key was absent.
        value: u64,
    },
    /// A replica learned that `digest` is decided at `slot`.
    Decide {
        /// Place in the replicated log.
        slot: u64,
        /// View or term in which it was decided.
        view: u64,
        /// Digest of what was decided.
        digest: u64,
    },
    /// A replica applied a command to its state, in log order.
    Execute {
        /// Place in the replicated log; a batch has several commands at one slot.
        slot: u64,
        /// The command, or [`RequestId::NONE`].
        request: RequestId,
        /// Digest of the whole state after it: equal histories give equal digests.
        state: u64,
    },
    /// A replica replaced its state by a checkpoint or snapshot that covers everything up to `slot`.
    Install {
        /// Last place in the log that the state covers.
        slot: u64,
        /// Digest of the state.
        state: u64,
    },
    /// A replica has proof that a checkpoint is stable.
    Stable {
        /// Last place in the log that the checkpoint covers.
        slot: u64,
        /// Digest of its state.
        state: u64,
    },
    /// The node leads this view or term.
    Leader {
        /// View or term.
        term: u64,
    },
    /// The node entered this view or term.
    View {
        /// View or term.
        view: u64,
    },
    /// The node gave up on its view and wants this one: a detection.
    ViewChange {
        /// The view it wants.
        view: u64,
    },
    /// The node suspects another: a detection.
    Suspect {
        /// Whom.
        node: NodeId,
    },
    /// The node no longer suspects another.
    Trust {
        /// Whom.
        node: NodeId,
    },
    /// The node noticed that it is behind and fetches state.
    Behind {
        /// What it has.
        slot: u64,
    },
    /// The node has what it was missing.
    CaughtUp {
        /// What it has.
        slot: u64,
    },
    /// The node crashed (said by the engine).
    Crash,
    /// The node started again (said by the engine).
    Restart,
    /// A sample of one of the model's own metrics.
    Sample {
        /// Index into the metrics that the model declares.
        metric: u16,
        /// Value; durations in nanoseconds.
        value: u64,
    },
    /// Something that only this model's oracles understand.
    Own {
        /// Kind, numbered by the model.
        kind: u16,
        /// First value.
        a: u64,
        /// Second value.
        b: u64,
    },
    /// A session of a workload made its last request, or gave up (said by the engine).
    SessionEnd {
        /// Index of the workload.
        workload: u16,
        /// Whether all its requests were answered in time.
        finished: bool,
    },
    // Hashes number the facts in this order: new ones come last.
    /// The node's copy of what is replicated changed: equal copies have equal digests.
    State {
        /// Digest of the copy.
        digest: u64,
    },
}

/// A fact with its time and source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamped {
    /// When.
    pub at: Time,
    /// Number of the event during which it was said.
    pub event: u64,
    /// Who said it.
    pub node: NodeId,
    /// Whether the node is correct throughout the run: oracles believe no other.
    pub correct: bool,
    /// What.
    pub fact: Fact,
}

/// Sees every fact in order: an oracle, a probe, or several in one.
///
/// It is cloned with its world, so it owns what it knows.
pub trait Judge: Clone {
    /// Takes note of a fact.
    fn observe(&mut self, said: &Stamped);

    /// Whether the run should stop here.
    fn wants_stop(&self) -> bool {
        false
    }
}

/// Judges nothing.
impl Judge for () {
    fn observe(&mut self, _: &Stamped) {}
}

/// Two judges side by side.
impl<A: Judge, B: Judge> Judge for (A, B) {
    fn observe(&mut self, said: &Stamped) {
        self.0.observe(said);
        self.1.observe(said);
    }

    fn wants_stop(&self) -> bool {
        self.0.wants_stop() || self.1.wants_stop()
    }
}
