//! What nodes send to each other.

use std::sync::Arc;

use murphy_sim::{Message, fold};

use super::Version;
use crate::replication::Call;
use crate::replication::ranges::Ranges;

/// A message. `op` names a request of its coordinator; zero when nobody waits for an answer.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum QuorumMessage {
    Call(Call),
    /// Keep this version.
    Store {
        op: u64,
        version: Version,
    },
    /// It is on the disk, or a newer one is.
    Stored {
        op: u64,
        version: Version,
    },
    Fetch {
        op: u64,
        key: u64,
    },
    Fetched {
        op: u64,
        version: Version,
    },
    /// Digests of all ranges: compare.
    Compare {
        digests: Arc<Ranges>,
    },
    /// Versions of the ranges that differ; those of the recipient are wanted back.
    Differ {
        ranges: u64,
        versions: Arc<[Version]>,
        back: bool,
    },
}

impl From<Call> for QuorumMessage {
    fn from(call: Call) -> QuorumMessage {
        QuorumMessage::Call(call)
    }
}

impl Message for QuorumMessage {
    const KINDS: &'static [&'static str] =
        &["ask", "answer", "refuse", "store", "stored", "fetch", "fetched", "compare", "differ"];

    fn kind(&self) -> usize {
        match self {
            QuorumMessage::Call(call) => call.kind(),
            QuorumMessage::Store { .. } => 3,
            QuorumMessage::Stored { .. } => 4,
            QuorumMessage::Fetch { .. } => 5,
            QuorumMessage::Fetched { .. } => 6,
            QuorumMessage::Compare { .. } => 7,
            QuorumMessage::Differ { .. } => 8,
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            QuorumMessage::Call(call) => call.bytes(),
            QuorumMessage::Store { .. } | QuorumMessage::Fetched { .. } => 1000,
            QuorumMessage::Stored { .. } | QuorumMessage::Fetch { .. } => 100,
            QuorumMessage::Compare { .. } => Ranges::BYTES,
            QuorumMessage::Differ { versions, .. } => {
                100 + 1000 * u32::try_from(versions.len()).unwrap_or(1 << 20).min(1 << 20)
            }
        }
    }

    fn digest(&self) -> u64 {
        let content = match self {
            QuorumMessage::Call(call) => call.digest(),
            QuorumMessage::Store { op, version }
            | QuorumMessage::Stored { op, version }
            | QuorumMessage::Fetched { op, version } => fold(*op, version.digest()),
            QuorumMessage::Fetch { op, key } => fold(*op, *key),
            QuorumMessage::Compare { digests } => digests.digest(),
            QuorumMessage::Differ { ranges, versions, .. } => {
                versions.iter().fold(*ranges, |sum, version| fold(sum, version.digest()))
            }
        };
        fold(self.kind() as u64, content)
    }
}
