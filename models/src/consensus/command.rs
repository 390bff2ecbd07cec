//! What clients ask for, and what they are told.

use murphy_sim::{Context, NodeId, Operation, Process, RequestId, fold};

/// Operation kind that writes a key.
pub const PUT: u16 = 0;
/// Operation kind that reads a key.
pub const GET: u16 = 1;
/// Names of the operations, by kind.
pub const OPERATIONS: [&str; 2] = ["put", "get"];

/// Most sessions of a client.
pub const SESSIONS: usize = 16;

/// One session of a client. To the protocol it is a client of its own, with its own timestamps
/// and one request at a time (Castro & Liskov 1999, section 4.1); a client node has several, so
/// that a request need not wait for the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u32);

impl SessionId {
    /// Place in tables.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The session at a place in tables.
    pub(crate) fn at(index: usize) -> SessionId {
        SessionId(u32::try_from(index).expect("fewer than 2^32 sessions"))
    }
}

/// A client's signed request (Castro & Liskov 1999, section 4.1): only its client can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    client: NodeId,
    session: SessionId,
    request: RequestId,
    timestamp: u64,
    operation: Operation,
    /// Replicas at which the client's authenticator fails, one bit a place modulo 64.
    unverifiable: u64,
}

impl Command {
    /// Signs a request as the client that handles this event.
    pub fn new<P: Process>(
        cx: &Context<'_, P>,
        session: SessionId,
        request: RequestId,
        timestamp: u64,
        operation: Operation,
    ) -> Command {
        Command { client: cx.id(), session, request, timestamp, operation, unverifiable: 0 }
    }

    /// A command that nobody issued: what a planted bug proposes.
    pub(crate) fn invented(
        client: NodeId,
        session: SessionId,
        request: RequestId,
        timestamp: u64,
    ) -> Command {
        let operation = Operation { kind: PUT, key: u64::from(request.0), value: u64::from(request.0) + 1 };
        Command { client, session, request, timestamp, operation, unverifiable: 0 }
    }

    /// The command with one bit of its value another, as a disk makes it. A read becomes a write, so that
    /// either changes the state.
    pub(crate) fn flipped(self, word: u64) -> Command {
        let value = self.operation.value ^ 1 << (32 + word % 31);
        Command { operation: Operation { kind: PUT, value, ..self.operation }, ..self }
    }

    /// The same request with an authenticator that fails at some replicas.
    pub(crate) fn with_unverifiable(self, places: u64) -> Command {
        Command { unverifiable: places, ..self }
    }

    /// Whether the replica at this place can tell that the client sent it.
    #[inline]
    pub(crate) fn verifies_at(&self, place: usize) -> bool {
        self.unverifiable >> (place % 64) & 1 == 0
    }

    /// Who issued it.
    pub fn client(&self) -> NodeId {
        self.client
    }

    /// The session of the client that it belongs to.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The workload's request that it stands for.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// Number that grows with every request of the session: the key of de-duplication.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// What it asks for.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Digest of who asks for what.
    pub(crate) fn digest(&self) -> u64 {
        let Operation { kind, key, value } = self.operation;
        let who = u64::from(self.client.0) << 32 | u64::from(self.request.0);
        let session = self.session.index() as u64;
        fold(fold(who, fold(session, self.timestamp)), fold(fold(key, value), u64::from(kind)))
    }
}

/// A replica's answer to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// View or term of the replica.
    pub view: u64,
    /// Place of the replica that leads it, as far as this one knows: whom to ask next.
    pub leader: u32,
    /// Timestamp of the request.
    pub timestamp: u64,
    /// Result: for a read the value, zero if the key was absent.
    pub value: u64,
}
