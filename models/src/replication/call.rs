//! What clients and replicas say to each other, whatever the scheme.

use murphy_sim::{NodeId, Operation, Outcome, Process, RequestId, fold};

/// A request or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A client asks.
    Ask {
        /// Which request.
        request: RequestId,
        /// For what.
        operation: Operation,
    },
    /// A replica answers.
    Answer {
        /// Which request.
        request: RequestId,
        /// How it ended.
        outcome: Outcome,
        /// What a read returned; zero for an absent key.
        value: u64,
    },
    /// A replica does not serve now.
    Refuse {
        /// Which request.
        request: RequestId,
        /// Who does, as far as it knows.
        to: Option<NodeId>,
    },
}

/// A process that takes part in calls: a client library or a replica.
pub trait Calls: Process<Message: From<Call>> {}

impl<P: Process<Message: From<Call>>> Calls for P {}

impl Call {
    /// Names of the kinds.
    pub const KINDS: [&'static str; 3] = ["ask", "answer", "refuse"];

    /// Index into [`Call::KINDS`].
    pub fn kind(&self) -> usize {
        match self {
            Call::Ask { .. } => 0,
            Call::Answer { .. } => 1,
            Call::Refuse { .. } => 2,
        }
    }

    /// Size on the wire: what carries a value has a kilobyte.
    pub fn bytes(&self) -> u32 {
        match self {
            Call::Refuse { .. } => 100,
            _ => 1000,
        }
    }

    /// Digest of the content.
    pub fn digest(&self) -> u64 {
        match *self {
            Call::Ask { request, operation } => {
                let what = fold(u64::from(operation.kind), operation.key);
                fold(fold(u64::from(request.0), what), operation.value)
            }
            Call::Answer { request, outcome, value } => {
                fold(fold(u64::from(request.0), outcome as u64), value)
            }
            Call::Refuse { request, to } => {
                fold(u64::from(request.0), to.map_or(0, |node| 1 + u64::from(node.0)))
            }
        }
    }
}
