//! Decisions that a run takes from a list instead of drawing them: which requests arrive, and what
//! becomes of single messages. A list outlives the generator that it came from.

use crate::fact::NodeId;
use crate::time::{Span, Time};

/// What a run is told beside its [`Setup`](crate::Setup). The default tells it nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// For each workload the users' requests, in order of time; `None` leaves arrivals to their laws.
    ///
    /// Faults of load add nothing then: what they added is in the list. Probes go on by themselves.
    pub requests: Option<Vec<Vec<Scripted>>>,
    /// What becomes of single messages, beside what the network and the plan do to them.
    pub letters: Vec<Letter>,
    /// Whether every send is recorded: see [`World::sendings`](crate::World::sendings).
    pub record: bool,
}

/// One request of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scripted {
    /// When it arrives.
    pub at: Time,
    /// At which client.
    pub client: NodeId,
    /// Kind of operation, numbered by the model.
    pub kind: u16,
    /// Key.
    pub key: u64,
}

/// One message, by who sent it to whom and which of its kind it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId {
    /// Sender.
    pub from: NodeId,
    /// Recipient.
    pub to: NodeId,
    /// Message kind.
    pub kind: u8,
    /// Which send operation of that kind by the sender, counted from one; a broadcast counts once.
    pub number: u64,
}

/// Something that happens to one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter {
    /// Which message.
    pub id: LetterId,
    /// What happens to it.
    pub deed: LetterDeed,
}

/// What happens to one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterDeed {
    /// It is lost.
    Drop,
    /// It arrives so much later.
    Late(Span),
    /// A second copy arrives so long after it left.
    Again(Span),
    /// Its bits flip, as the word says.
    Corrupt(u64),
}

/// One message that was handed to the network, as it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Number of the event during which it was sent.
    pub event: u64,
    /// Which message.
    pub id: LetterId,
    /// Digest of its content.
    pub digest: u64,
    /// When it left.
    pub departs: Time,
    /// When it arrives; `None` if it does not.
    pub arrives: Option<Time>,
    /// When a second copy arrives.
    pub again: Option<Time>,
    /// The word that says how its bits flipped.
    pub corrupt: Option<u64>,
    /// How much later it arrives than the latency alone would have it; zero where bandwidth queues it.
    pub late: Span,
    /// Whether a partition or a cut link took it: that is no loss of its own.
    pub separated: bool,
}

impl Sending {
    /// What makes the same of the message when nothing else happens to it.
    pub fn deeds(&self) -> Vec<LetterDeed> {
        if self.separated {
            return Vec::new();
        }
        let Some(_) = self.arrives else { return vec![LetterDeed::Drop] };
        let mut deeds = Vec::new();
        if self.late > Span::ZERO {
            deeds.push(LetterDeed::Late(self.late));
        }
        if let Some(again) = self.again {
            deeds.push(LetterDeed::Again(again.since(self.departs)));
        }
        deeds.extend(self.corrupt.map(LetterDeed::Corrupt));
        deeds
    }
}
