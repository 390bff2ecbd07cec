//! What a run leaves behind. Everything after a run is a pure function of these records.
//!
//! Times and spans are nanoseconds of simulated time (`_ns`), counted from the start of the run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything measured in one run: one point of a sweep with one seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// Name of the scenario at this point (a sweep may set it).
    pub scenario: String,
    /// Axis name and value of the sweep point, in axis order; empty without a sweep.
    pub point: Vec<(String, String)>,
    /// The seed of the run.
    pub seed: u64,
    /// Planned end of the run.
    pub duration_ns: u64,
    /// End of the warm-up.
    pub warmup_ns: u64,
    /// How the run ended.
    pub end: End,
    /// Hash of the whole event trace.
    pub trace_hash: u64,
    /// Numbers of events, ascending, and the trace hash after each: at most [`RunRecord::PREFIXES`].
    pub prefixes: Vec<(u64, u64)>,
    /// Node name and the hash of that node's own events, in roster order.
    pub node_hashes: Vec<(String, u64)>,
    /// Events the engine handled.
    pub events: u64,
    /// Messages handed to the network, by message kind in the model's order.
    pub messages: Vec<MessageCount>,
    /// The workloads' names, deadlines and operation names; a [`Request`] points here.
    pub workloads: Vec<WorkloadInfo>,
    /// User requests in order of arrival.
    pub requests: Vec<Request>,
    /// Synthetic probes in order of arrival; `Request::workload` names the workload they stand for.
    pub probes: Vec<Request>,
    /// What nodes said about the state of the system, in order of time.
    pub marks: Vec<Mark>,
    /// Faults of the expanded plan, in plan order, with what each one hit.
    pub faults: Vec<FaultRecord>,
    /// One entry per property the model declares, in its order.
    pub properties: Vec<PropertyRecord>,
    /// Names of the scenario's structures: the samples of `structure_…` metrics count them.
    #[serde(default)]
    pub structures: Vec<String>,
    /// Service level objectives, in scenario order.
    #[serde(default)]
    pub slos: Vec<crate::slo::SloSpec>,
    /// Samples of the model's own metrics, in order of time within each metric.
    pub metrics: Vec<MetricRecord>,
}

impl RunRecord {
    /// Most prefix hashes that a record keeps.
    pub const PREFIXES: usize = 32;
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum End {
    /// It reached its planned end.
    Finished,
    /// A property with `abort = true` was violated.
    Aborted {
        /// The violated property.
        property: String,
        /// When.
        at_ns: u64,
    },
    /// A limit ended it: the result is inconclusive.
    Limit {
        /// Which limit, in words: `events`, `bytes`, `zero-time loop`.
        limit: String,
        /// When.
        at_ns: u64,
    },
}

/// Messages of one kind that were handed to the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCount {
    /// The model's name of the kind, such as `prepare`.
    pub kind: String,
    /// Messages, one per recipient.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a workload asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadInfo {
    /// Name in the scenario.
    pub name: String,
    /// A reply after this long is not good.
    pub deadline_ns: u64,
    /// Names of its operations, such as `put` and `get`; `Request::op` points here.
    pub ops: Vec<String>,
}

/// One request, from its arrival at the client to its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Index into `RunRecord::workloads`.
    pub workload: u16,
    /// Index into `WorkloadInfo::ops`.
    pub op: u16,
    /// Client node: index into `RunRecord::node_hashes`.
    pub client: u32,
    /// When it arrived (latency counts from here, also while it waits at its client).
    pub arrived_ns: u64,
    /// When its reply came; `None` while unresolved at the end of the run.
    pub done_ns: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended, as its client saw it. Whether it was *good* also depends on the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A correct reply came.
    Ok,
    /// The client gave up waiting.
    Timeout,
    /// The system refused: overload, open breaker, no leader.
    Rejected,
    /// The system answered with an error.
    Failed,
    /// The answer was wrong.
    Wrong,
    /// The client itself was down.
    ClientDown,
    /// Neither answered nor given up at the end of the run.
    Pending,
}

/// Something a node said that incidents are built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at_ns: u64,
    /// Node: index into `RunRecord::node_hashes`.
    pub node: u32,
    /// What.
    pub kind: MarkKind,
    /// View, term, suspected node or slot, as the kind says.
    pub value: u64,
}

/// Kinds of [`Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// The node suspects another (value: its index): a detection.
    Suspect,
    /// The node no longer suspects another (value: its index).
    Trust,
    /// The node started a view change or an election (value: the view or term it wants): a detection.
    ViewChange,
    /// The node entered a view or term (value).
    View,
    /// The node leads a view or term (value).
    Leader,
    /// The node fell behind the others and fetches state (value: the slot it has).
    Behind,
    /// The node has caught up again (value: the slot it has).
    CaughtUp,
    /// The node crashed.
    Crash,
    /// The node started again.
    Restart,
}

/// One fault of the expanded plan and what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Name in the scenario (generators number theirs).
    pub name: String,
    /// Kind, such as `partition`.
    pub kind: String,
    /// What it was aimed at, in the scenario's words.
    pub target: String,
    /// Start.
    pub start_ns: u64,
    /// End; `None` for a permanent fault.
    pub end_ns: Option<u64>,
    /// Whether it goes away by itself, comes and goes, or stays.
    #[serde(default)]
    pub persistence: Persistence,
    /// Root cause, as the plan or a failure trace names it; empty for none.
    #[serde(default)]
    pub cause: String,
    /// The generator, or the intermittent fault, that this interval came from; empty for none.
    #[serde(default)]
    pub origin: String,
    /// What it hit: counter name (`messages_cut`, `time_slowed_ns`, …) and value, zero entries left out.
    pub hits: BTreeMap<String, u64>,
}

impl FaultRecord {
    /// Whether `name` is this fault's name, or that of the generator it came from.
    pub fn is_of(&self, name: &str) -> bool {
        self.name == name || (!name.is_empty() && self.origin == name)
    }
}

/// Persistence class of a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persistence {
    /// It goes away by itself.
    #[default]
    Transient,
    /// It comes and goes: this interval is one of several.
    Intermittent,
    /// It stays.
    Permanent,
}

impl Persistence {
    /// All of them.
    pub const ALL: [Persistence; 3] =
        [Persistence::Transient, Persistence::Intermittent, Persistence::Permanent];

    /// The word for it in scenarios and tables.
    pub fn word(self) -> &'static str {
        match self {
            Persistence::Transient => "transient",
            Persistence::Intermittent => "intermittent",
            Persistence::Permanent => "permanent",
        }
    }
}

/// The verdict of one property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyRecord {
    /// Full name, such as `pbft.agreement`.
    pub name: String,
    /// Verdict.
    pub verdict: Verdict,
    /// How many times the oracle had something to judge: zero makes a green verdict vacuous.
    pub checked: u64,
}

/// What an oracle says at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// It held.
    Held,
    /// It was violated.
    Violated {
        /// When.
        at_ns: u64,
        /// Number of the event that violated it.
        event: u64,
        /// One sentence with the names and values that disagree.
        message: String,
    },
    /// The checker gave up within its bound.
    Unknown {
        /// Why.
        message: String,
    },
}

/// Samples of one metric that the model declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRecord {
    /// Name.
    pub name: String,
    /// `ns`, `B`, `count` or `1`: durations are nanoseconds.
    pub unit: String,
    /// How samples combine over time.
    pub kind: MetricKind,
    /// (time, node index, value).
    pub samples: Vec<(u64, u32, f64)>,
}

/// How samples of a metric combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricKind {
    /// Each sample adds to a total.
    Counter,
    /// Each sample replaces the node's last.
    Gauge,
    /// Each sample is one observation of a distribution.
    Distribution,
}
