//! What members send to each other.

use murphy_sim::{Message, NodeId, fold};

/// What members send to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembersMessage {
    /// "I live."
    Heartbeat {
        /// Tells one life of the sender from another.
        life: u64,
        /// Number of the heartbeat in this life.
        seq: u64,
    },
    /// "Do you live?"
    Ping {
        /// The sender's number for it.
        seq: u64,
        /// News on its back.
        gossip: Gossip,
    },
    /// "I live", or "the one you asked me about does".
    Ack {
        /// The number of the ping or ping-req.
        seq: u64,
        /// News on its back.
        gossip: Gossip,
    },
    /// "Ping this one for me."
    PingReq {
        /// The sender's number for it.
        seq: u64,
        /// Whom.
        target: NodeId,
        /// News on its back.
        gossip: Gossip,
    },
}

/// What a member believes of another, in the order in which one belief overrides another of the
/// same incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It answers.
    Alive,
    /// It did not answer, and may object.
    Suspect,
    /// It did not object.
    Failed,
}

/// One piece of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// About whom.
    pub node: NodeId,
    /// Which of its incarnations.
    pub incarnation: u32,
    /// What is believed.
    pub standing: Standing,
}

/// Most pieces of news on the back of one message.
pub(super) const ON_BACK: usize = 6;

/// The news on the back of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gossip {
    len: u8,
    updates: [Update; ON_BACK],
}

impl Default for Gossip {
    fn default() -> Gossip {
        let nothing = Update { node: NodeId(0), incarnation: 0, standing: Standing::Alive };
        Gossip { len: 0, updates: [nothing; ON_BACK] }
    }
}

impl Gossip {
    /// Adds a piece of news, or says that there is no room.
    pub(super) fn push(&mut self, update: Update) -> bool {
        let Some(slot) = self.updates.get_mut(usize::from(self.len)) else { return false };
        *slot = update;
        self.len += 1;
        true
    }

    /// The pieces of news.
    pub fn updates(&self) -> &[Update] {
        &self.updates[..usize::from(self.len)]
    }
}

/// Addresses, kind and number.
const HEADER: u32 = 40;
/// A node, an incarnation and a standing.
const UPDATE: u32 = 9;

impl Message for MembersMessage {
    const KINDS: &'static [&'static str] = &["heartbeat", "ping", "ack", "ping-req"];

    fn kind(&self) -> usize {
        match self {
            MembersMessage::Heartbeat { .. } => 0,
            MembersMessage::Ping { .. } => 1,
            MembersMessage::Ack { .. } => 2,
            MembersMessage::PingReq { .. } => 3,
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            MembersMessage::Heartbeat { .. } => HEADER,
            MembersMessage::Ping { gossip, .. }
            | MembersMessage::Ack { gossip, .. }
            | MembersMessage::PingReq { gossip, .. } => HEADER + UPDATE * u32::from(gossip.len),
        }
    }

    fn digest(&self) -> u64 {
        let news = |seed: u64, gossip: &Gossip| {
            gossip.updates().iter().fold(seed, |digest, update| {
                let node = u64::from(update.node.0) << 32 | u64::from(update.incarnation);
                fold(fold(digest, node), update.standing as u64)
            })
        };
        match self {
            MembersMessage::Heartbeat { life, seq } => fold(*life, *seq),
            MembersMessage::Ping { seq, gossip } | MembersMessage::Ack { seq, gossip } => news(*seq, gossip),
            MembersMessage::PingReq { seq, target, gossip } => news(fold(*seq, u64::from(target.0)), gossip),
        }
    }
}
