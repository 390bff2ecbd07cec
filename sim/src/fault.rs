//! Faults as data: a plan is a list of intervals, and the state of the world's faults at any time
//! is a function of that list. Every subset of a plan is a plan.

use crate::adversary::Attack;
use crate::fact::NodeId;
use crate::failure::{Failure, Load};
use crate::law::Law;
use crate::random::Chance;
use crate::time::{Span, Time};

/// A set of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet(Vec<u64>);

impl NodeSet {
    /// Whether the set has this node.
    #[inline]
    pub fn has(&self, node: NodeId) -> bool {
        self.0.get(node.index() / 64).is_some_and(|word| word >> (node.0 % 64) & 1 == 1)
    }

    /// Whether the set has no node.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Adds a node.
    pub fn insert(&mut self, node: NodeId) {
        let word = node.index() / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (node.0 % 64);
    }

    /// The nodes, in roster order.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..).step_by(64).zip(&self.0).flat_map(|(first, &word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| NodeId(first + bit))
        })
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> NodeSet {
        let mut set = NodeSet::default();
        for node in nodes {
            set.insert(node);
        }
        set
    }
}

/// One fault: an interval and what goes wrong in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Name; its random decisions are keyed by it.
    pub name: String,
    /// When it starts.
    pub start: Time,
    /// When it ends; [`Time::MAX`] for a permanent one.
    pub end: Time,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Nodes stop, and boot again when the fault ends. What is not synced is lost.
    Crash {
        /// Which nodes.
        nodes: NodeSet,
        /// Whether the disk is lost too.
        amnesia: bool,
    },
    /// Nodes stop working and miss nothing: what arrives waits, as in a long garbage collection.
    Pause {
        /// Which nodes.
        nodes: NodeSet,
    },
    /// CPU or disk take longer.
    Slow {
        /// Which nodes.
        nodes: NodeSet,
        /// How many times as long the CPU takes.
        cpu: f64,
        /// How many times as long the disk takes.
        disk: f64,
    },
    /// Groups of nodes cannot reach each other. A node in no group reaches everyone, and a node in two
    /// of them, a bridge, reaches both.
    Partition {
        /// The groups.
        groups: Vec<NodeSet>,
        /// Only messages from an earlier group to a later one are cut.
        one_way: bool,
    },
    /// A partition that comes and goes: it is there at the start.
    Flapping {
        /// The groups.
        groups: Vec<NodeSet>,
        /// Only messages from an earlier group to a later one are cut.
        one_way: bool,
        /// How long it is there.
        on: Span,
        /// How long it is away after that; `on` and `off` are not both zero.
        off: Span,
    },
    /// Something happens to messages on their way.
    Messages {
        /// On which way.
        scope: Scope,
        /// Only this message kind.
        kind: Option<u8>,
        /// What happens.
        effect: Effect,
    },
    /// Links of the topology are cut; traffic takes another path if one is left.
    Cut {
        /// Indices of the links.
        links: Vec<u32>,
    },
    /// The nodes' clocks go wrong.
    Clock {
        /// Which nodes.
        nodes: NodeSet,
        /// Added to the wall clock while the fault lasts, in nanoseconds.
        offset_ns: i64,
        /// Added to the wall clock at the start and kept, in nanoseconds; negative jumps backwards.
        jump_ns: i64,
        /// Drift of wall and monotonic clock in parts per billion.
        drift_ppb: i64,
    },
    /// Nodes lie: an adversary edits what they send and receive, with one strategy for all of them.
    Byzantine {
        /// Which nodes: accomplices.
        nodes: NodeSet,
        /// What is done to their messages.
        attack: Attack,
    },
    /// A resource of the nodes fails.
    Resource {
        /// Which nodes.
        nodes: NodeSet,
        /// Which resource, and how.
        failure: Failure,
    },
    /// More requests arrive.
    Load {
        /// Index of the workload.
        workload: u16,
        /// How many more.
        load: Load,
    },
}

/// Which way messages take that a fault acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// From these nodes to those.
    Between {
        /// Senders.
        from: NodeSet,
        /// Recipients.
        to: NodeSet,
        /// Whether the answers, from `to` to `from`, count as well.
        both: bool,
    },
    /// Over this link of the topology, in either direction.
    Link(u32),
}

/// What happens to messages on their way.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// They are lost, each with this chance.
    Drop(Chance),
    /// Of each sender's matching messages, only the n-th is lost, counted from one.
    DropNth(u64),
    /// They take `factor` times as long, and `add` longer.
    Delay {
        /// At least one.
        factor: f64,
        /// Added after that.
        add: Law,
    },
    /// They arrive twice, each with this chance.
    Duplicate(Chance),
    /// They are held back, each with this chance, so that later ones overtake them.
    HoldBack(Chance, Law),
    /// Their bits flip, each with this chance.
    Corrupt(Chance),
    /// Each sender has only so many bytes a second for them; what does not fit waits, until the fault
    /// ends at the latest.
    Squeeze(u64),
    /// They are held until the fault ends and arrive then, in the order in which they were sent. So
    /// many of each sender are held; what does not fit is lost.
    Clog(u64),
}

/// What a fault can hit. Every count is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Hit {
    MessagesCut,
    MessagesDelayed,
    DelayAddedNs,
    MessagesDuplicated,
    MessagesReordered,
    MessagesCorrupted,
    MessagesRerouted,
    MessagesLostAtDown,
    RequestsLostAtDown,
    NodesCrashed,
    NodesRestarted,
    TimeDownNs,
    EventsHeld,
    TimePausedNs,
    TimeSlowedNs,
    WritesLost,
    ClocksShifted,
    MessagesWithheld,
    MessagesIgnored,
    MessagesHeldBack,
    MessagesAltered,
    MessagesReplayed,
    MessagesFlooded,
    MessagesFromTwin,
    MessagesClogged,
    MessagesRefused,
    RequestsRefused,
    RequestsAdded,
    WritesTorn,
    WritesRefused,
    WritesMisdirected,
    SyncsLied,
    BlocksRotted,
    BytesLeaked,
    OomKills,
    ConfigsRead,
    CredentialsDenied,
    SlotsRefused,
    SlotsLeaked,
}

impl Hit {
    /// All of them, in order.
    pub const ALL: [Hit; 39] = [
        Hit::MessagesCut,
        Hit::MessagesDelayed,
        Hit::DelayAddedNs,
        Hit::MessagesDuplicated,
        Hit::MessagesReordered,
        Hit::MessagesCorrupted,
        Hit::MessagesRerouted,
        Hit::MessagesLostAtDown,
        Hit::RequestsLostAtDown,
        Hit::NodesCrashed,
        Hit::NodesRestarted,
        Hit::TimeDownNs,
        Hit::EventsHeld,
        Hit::TimePausedNs,
        Hit::TimeSlowedNs,
        Hit::WritesLost,
        Hit::ClocksShifted,
        Hit::MessagesWithheld,
        Hit::MessagesIgnored,
        Hit::MessagesHeldBack,
        Hit::MessagesAltered,
        Hit::MessagesReplayed,
        Hit::MessagesFlooded,
        Hit::MessagesFromTwin,
        Hit::MessagesClogged,
        Hit::MessagesRefused,
        Hit::RequestsRefused,
        Hit::RequestsAdded,
        Hit::WritesTorn,
        Hit::WritesRefused,
        Hit::WritesMisdirected,
        Hit::SyncsLied,
        Hit::BlocksRotted,
        Hit::BytesLeaked,
        Hit::OomKills,
        Hit::ConfigsRead,
        Hit::CredentialsDenied,
        Hit::SlotsRefused,
        Hit::SlotsLeaked,
    ];

    /// Name in records and reports.
    pub fn name(self) -> &'static str {
        match self {
            Hit::MessagesCut => "messages_cut",
            Hit::MessagesDelayed => "messages_delayed",
            Hit::DelayAddedNs => "delay_added_ns",
            Hit::MessagesDuplicated => "messages_duplicated",
            Hit::MessagesReordered => "messages_reordered",
            Hit::MessagesCorrupted => "messages_corrupted",
            Hit::MessagesRerouted => "messages_rerouted",
            Hit::MessagesLostAtDown => "messages_lost_at_down",
            Hit::RequestsLostAtDown => "requests_lost_at_down",
            Hit::NodesCrashed => "nodes_crashed",
            Hit::NodesRestarted => "nodes_restarted",
            Hit::TimeDownNs => "time_down_ns",
            Hit::EventsHeld => "events_held",
            Hit::TimePausedNs => "time_paused_ns",
            Hit::TimeSlowedNs => "time_slowed_ns",
            Hit::WritesLost => "writes_lost",
            Hit::ClocksShifted => "clocks_shifted",
            Hit::MessagesWithheld => "messages_withheld",
            Hit::MessagesIgnored => "messages_ignored",
            Hit::MessagesHeldBack => "messages_held_back",
            Hit::MessagesAltered => "messages_altered",
            Hit::MessagesReplayed => "messages_replayed",
            Hit::MessagesFlooded => "messages_flooded",
            Hit::MessagesFromTwin => "messages_from_twin",
            Hit::MessagesClogged => "messages_clogged",
            Hit::MessagesRefused => "messages_refused",
            Hit::RequestsRefused => "requests_refused",
            Hit::RequestsAdded => "requests_added",
            Hit::WritesTorn => "writes_torn",
            Hit::WritesRefused => "writes_refused",
            Hit::WritesMisdirected => "writes_misdirected",
            Hit::SyncsLied => "syncs_lied",
            Hit::BlocksRotted => "blocks_rotted",
            Hit::BytesLeaked => "bytes_leaked",
            Hit::OomKills => "oom_kills",
            Hit::ConfigsRead => "configs_read",
            Hit::CredentialsDenied => "credentials_denied",
            Hit::SlotsRefused => "slots_refused",
            Hit::SlotsLeaked => "slots_leaked",
        }
    }
}

/// What one fault has hit so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hits([u64; Hit::ALL.len()]);

impl Default for Hits {
    fn default() -> Hits {
        Hits([0; Hit::ALL.len()])
    }
}

impl Hits {
    /// One count.
    pub fn get(&self, hit: Hit) -> u64 {
        self.0[hit as usize]
    }

    pub(crate) fn add(&mut self, hit: Hit, n: u64) {
        self.0[hit as usize] = self.0[hit as usize].saturating_add(n);
    }

    /// Names and counts of all that is not zero.
    pub fn nonzero(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Hit::ALL.into_iter().map(|hit| (hit.name(), self.get(hit))).filter(|(_, n)| *n > 0)
    }
}

impl Fault {
    /// Whether the interval is not empty: an empty one never starts.
    pub(crate) fn ever(&self) -> bool {
        self.start < self.end
    }

    /// How long it has lasted at `now`.
    pub(crate) fn lasted(&self, now: Time) -> Span {
        self.end.min(now).since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in() {
        let set: NodeSet = [3, 64, 200].map(NodeId).into_iter().collect();
        assert_eq!(set.iter().map(|n| n.0).collect::<Vec<_>>(), [3, 64, 200]);
        assert!(set.has(NodeId(64)) && !set.has(NodeId(65)) && !set.has(NodeId(100_000)));
    }

    #[test]
    fn counters_are_numbered_by_their_order() {
        for (i, hit) in Hit::ALL.into_iter().enumerate() {
            assert_eq!(hit as usize, i, "{}", hit.name());
        }
    }
}
