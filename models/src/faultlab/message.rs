//! What nodes of the laboratory send to each other.

use murphy_sim::{Message, RequestId, fold};

/// Why a replica refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The client could not prove who it is, or nobody could check.
    Denied,
    /// The block is damaged.
    Damaged,
    /// The disk is full.
    Full,
    /// The configuration is wrong.
    Misconfigured,
    /// No thread is free.
    Busy,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LabMessage {
    /// `valid` says whether the client's credential is good, `sealed` whether a sum covers the message.
    Put {
        request: RequestId,
        key: u64,
        value: u64,
        stamp: u64,
        valid: bool,
        sealed: bool,
    },
    Get {
        request: RequestId,
        key: u64,
        valid: bool,
    },
    Ack {
        request: RequestId,
    },
    Value {
        request: RequestId,
        value: u64,
        stamp: u64,
        sealed: bool,
    },
    Refuse {
        request: RequestId,
        why: Refusal,
    },
    /// A sign of life.
    Beat,
    /// Asks for a sound copy of a damaged block.
    Fetch {
        key: u64,
    },
    /// A sound copy.
    Repair {
        key: u64,
        value: u64,
        stamp: u64,
    },
}

impl Message for LabMessage {
    const KINDS: &'static [&'static str] =
        &["put", "get", "ack", "value", "refuse", "beat", "fetch", "repair"];

    fn kind(&self) -> usize {
        match self {
            LabMessage::Put { .. } => 0,
            LabMessage::Get { .. } => 1,
            LabMessage::Ack { .. } => 2,
            LabMessage::Value { .. } => 3,
            LabMessage::Refuse { .. } => 4,
            LabMessage::Beat => 5,
            LabMessage::Fetch { .. } => 6,
            LabMessage::Repair { .. } => 7,
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            LabMessage::Put { .. } | LabMessage::Value { .. } | LabMessage::Repair { .. } => 1000,
            _ => 100,
        }
    }

    fn digest(&self) -> u64 {
        let of = |request: RequestId, a: u64, b: u64| fold(fold(u64::from(request.0), a), b);
        let content = match *self {
            LabMessage::Put { request, key, value, stamp, valid, .. } => {
                fold(of(request, key, value), stamp ^ u64::from(valid) << 63)
            }
            LabMessage::Get { request, key, valid } => of(request, key, u64::from(valid)),
            LabMessage::Ack { request } => of(request, 0, 0),
            LabMessage::Value { request, value, stamp, .. } => of(request, value, stamp),
            LabMessage::Refuse { request, why } => of(request, why as u64, 0),
            LabMessage::Beat => 0,
            LabMessage::Fetch { key } => key,
            LabMessage::Repair { key, value, stamp } => fold(fold(key, value), stamp),
        };
        fold(self.kind() as u64, content)
    }

    fn corrupted(&self, word: u64) -> Option<LabMessage> {
        let flip = 1 << (32 + word % 31);
        let mut copy = *self;
        match &mut copy {
            LabMessage::Put { value, sealed: false, .. } | LabMessage::Value { value, sealed: false, .. } => {
                *value ^= flip;
                Some(copy)
            }
            _ => None,
        }
    }
}
