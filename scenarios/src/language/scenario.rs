//! What a scenario file means, once every name is resolved: building a simulation needs no lookup.

use std::fmt;
use std::sync::Arc;

use murphy_reports::Persistence;
use murphy_sim::{Span, Time};

use super::compare::Figure;
use super::fleet::{CrewSpec, EstimateSpec, StructureSpec};
use super::repro::ReproSpec;
use super::service::{PolicySpec, Priority, RolloutSpec, ServiceSpec};
use crate::describe::{Effect as OpEffect, Params};
use crate::expect::Expectation;
use crate::hazard::{Burst, HazardSpec};

/// One point of a scenario: everything that, with the seed, decides a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Name, for results.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// The seed; `[design]` and the command line replace it.
    pub seed: u64,
    /// Planned end of the run.
    pub duration: Span,
    /// End of the warm-up.
    pub warmup: Span,
    /// Whether it must end with a violation: a demonstration of something wrong.
    pub violates: bool,
    /// Axis name and value of the sweep point, in axis order.
    pub point: Vec<(String, String)>,
    /// What ends a run early.
    pub limits: Limits,
    /// Defaults of every link and of traffic within a site.
    pub network: NetworkSpec,
    /// Sites; a file without `[[site]]` has one, named `site`.
    pub sites: Vec<SiteSpec>,
    /// Links between sites, complete: what the file left out came from `[network]`.
    pub links: Vec<LinkSpec>,
    /// One entry a `[[node]]` table.
    pub groups: Vec<GroupSpec>,
    /// One entry a node, in roster order.
    pub nodes: Vec<NodeSpec>,
    /// Services in file order.
    pub services: Vec<ServiceSpec>,
    /// New versions of services, in file order.
    pub rollouts: Vec<RolloutSpec>,
    /// Policies of calls, in file order.
    pub policies: Vec<PolicySpec>,
    /// Workloads in file order.
    pub workloads: Vec<WorkloadSpec>,
    /// Faults in file order.
    pub faults: Vec<FaultSpec>,
    /// Generators of faults in file order; [`expand`](crate::hazard::expand) makes the plan of a seed.
    pub hazards: Vec<HazardSpec>,
    /// Crews that repair, in file order.
    pub crews: Vec<CrewSpec>,
    /// What must be up for something to be up, in file order.
    pub structures: Vec<StructureSpec>,
    /// Service level objectives, in file order.
    pub slos: Vec<murphy_reports::SloSpec>,
    /// How a rare unavailability is estimated.
    pub estimate: Option<EstimateSpec>,
    /// Expectations whose `when` holds at this point, in file order.
    pub expectations: Vec<Expectation>,
    /// Figures that `[[compare]]` tables take of a run, in file order.
    pub figures: Vec<Figure>,
    /// What makes of the scenario one concrete run, if it is a repro file.
    pub repro: Option<Arc<ReproSpec>>,
    pub(crate) canonical: String,
}

impl Scenario {
    /// The frozen scenario: canonical TOML with every default written out.
    ///
    /// Parsing it gives this scenario again (without the sweep point, which it no longer has).
    pub fn render(&self) -> &str {
        &self.canonical
    }
}

/// Where something stands in a source file. Every place equals every other, so that scenarios
/// compare by what they mean.
#[derive(Clone, Debug, Eq)]
pub struct Place {
    /// File name as it was given, or `--set …`.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl PartialEq for Place {
    fn eq(&self, _: &Place) -> bool {
        true
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Deterministic limits; reaching one makes the run inconclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Events the engine may handle.
    pub events: Option<u64>,
    /// Bytes that the engine's queues and tables may hold.
    pub bytes: Option<u64>,
}

/// A law of non-negative durations.
#[derive(Clone, Debug, PartialEq)]
pub enum LawSpec {
    /// Always the same.
    Constant(Span),
    /// Every duration from `low` to `high` alike.
    Uniform {
        /// Least value.
        low: Span,
        /// Greatest value.
        high: Span,
    },
    /// Memoryless.
    Exponential {
        /// Mean.
        mean: Span,
    },
    /// Normal, values below zero become zero.
    Normal {
        /// Mean.
        mean: Span,
        /// Standard deviation.
        sigma: Span,
    },
    /// Its logarithm is normal.
    Lognormal {
        /// Median.
        median: Span,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Weibull.
    Weibull {
        /// Scale (63rd percentile).
        scale: Span,
        /// Shape: below 1 for infant mortality, above 1 for wear-out.
        shape: f64,
    },
    /// Pareto (type I).
    Pareto {
        /// Least value.
        scale: Span,
        /// Tail index.
        shape: f64,
    },
    /// One of the listed values, each alike.
    Empirical {
        /// Samples.
        values: Arc<[Span]>,
    },
}

/// Behaviour of a path that messages take.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSpec {
    /// One-way latency within a site.
    pub latency: LawSpec,
    /// Delay added to every message, drawn apart from the latency.
    pub jitter: Option<LawSpec>,
    /// Probability that a message is lost.
    pub drop: f64,
    /// Probability that a message arrives twice.
    pub duplicate: f64,
    /// Probability that a message is held back, and by how much.
    pub reorder: Option<ReorderSpec>,
    /// Probability that a message arrives corrupted.
    pub corrupt: f64,
    /// Bytes per second; `None` for unlimited.
    pub bandwidth: Option<f64>,
    /// Bytes that may wait for the bandwidth; what does not fit is lost. `None` for unlimited.
    pub queue: Option<u64>,
}

/// Messages that are held back so that later ones overtake them.
#[derive(Clone, Debug, PartialEq)]
pub struct ReorderSpec {
    /// Probability per message.
    pub probability: f64,
    /// Extra delay of a message that is held back.
    pub delay: LawSpec,
}

/// What the processor of a node charges.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuSpec {
    /// To receive a message.
    pub receive: Span,
    /// To send a message to one recipient.
    pub send: Span,
    /// For each 1,000 bytes received or sent.
    pub per_kilobyte: Span,
    /// For each signature that is verified.
    pub signature: Span,
    /// To handle a timer, a disk completion or a request.
    pub event: Span,
}

/// What the disk of a node charges.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskSpec {
    /// For each write into the cache.
    pub write: Span,
    /// For each sync.
    pub sync: Span,
    /// For each 1,000 bytes synced.
    pub per_kilobyte: Span,
}

/// A place where nodes sit.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteSpec {
    /// Name.
    pub name: String,
    /// Availability zone, if declared.
    pub zone: Option<String>,
    /// Region, if declared.
    pub region: Option<String>,
    /// One-way latency between nodes of this site.
    pub latency: LawSpec,
}

/// A link between two sites, the same in both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSpec {
    /// Indices into [`Scenario::sites`].
    pub between: (usize, usize),
    /// Behaviour.
    pub path: NetworkSpec,
}

/// A `[[node]]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSpec {
    /// Its name, without an index.
    pub name: String,
    /// Node kind, such as `pbft.replica`.
    pub kind: &'static str,
    /// Its nodes: indices into [`Scenario::nodes`], contiguous and in order.
    pub nodes: std::ops::Range<usize>,
    /// Where the table's `name` stands, for a model's own diagnostics.
    pub place: Place,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// Position in the roster.
    pub index: usize,
    /// Name, such as `r0`; entity keys derive from it.
    pub name: String,
    /// Index into [`Scenario::groups`].
    pub group: usize,
    /// Index into [`Scenario::sites`].
    pub site: usize,
    /// Node kind, such as `pbft.replica`.
    pub kind: &'static str,
    /// Whether a workload may send from it.
    pub client: bool,
    /// Parameters, complete.
    pub params: Params,
    /// Processor.
    pub cpu: CpuSpec,
    /// Disk.
    pub disk: DiskSpec,
    /// Wall clock.
    pub clock: ClockSpec,
}

/// A node's wall clock against simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockSpec {
    /// Offset at the start, in nanoseconds.
    pub offset_ns: i64,
    /// Drift in parts per million.
    pub drift_ppm: f64,
}

/// Requests that arrive from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadSpec {
    /// Name.
    pub name: String,
    /// Client nodes: indices into [`Scenario::nodes`], ascending.
    pub from: Vec<usize>,
    /// The service that they call: an index into [`Scenario::services`].
    pub to: Option<usize>,
    /// How they call it: an index into [`Scenario::policies`].
    pub policy: Option<usize>,
    /// Operations and their weights, in file order; weights are positive and sum to 1.
    pub ops: Vec<OpSpec>,
    /// When requests arrive.
    pub arrivals: ArrivalSpec,
    /// A reply after this long is not good.
    pub deadline: Span,
    /// Importance of its requests to services.
    pub priority: Priority,
    /// Distinct keys.
    pub keys: u64,
    /// Exponent of Zipf's law, by which keys are asked about; `None` for all alike.
    pub zipf: Option<f64>,
    /// Interval of the synthetic probes; `None` for no probes.
    pub probe: Option<Span>,
}

/// An operation of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct OpSpec {
    /// Name, such as `put`.
    pub name: &'static str,
    /// What it does to the store.
    pub effect: OpEffect,
    /// Share of the requests, in `0.0..=1.0`.
    pub weight: f64,
}

/// When the requests of a workload arrive. Rates are totals over all clients, per second.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalSpec {
    /// Independent arrivals.
    Poisson {
        /// Requests per second.
        rate: f64,
    },
    /// Evenly spaced arrivals.
    Constant {
        /// Requests per second.
        rate: f64,
    },
    /// Groups of `size` requests arrive together; groups are Poisson at `rate / size`.
    Burst {
        /// Requests per second.
        rate: f64,
        /// Requests of one group.
        size: u64,
    },
    /// Independent arrivals at a rate that goes up and down as over a day.
    Diurnal {
        /// Mean of the requests per second.
        mean: f64,
        /// How far the rate swings to either side, as a share of its mean.
        swing: f64,
        /// Length of a day.
        period: Span,
    },
    /// Independent arrivals at a rate that changes at given times.
    Steps {
        /// Times, ascending from zero, and requests per second from then on.
        steps: Arc<[(Time, f64)]>,
    },
    /// Arrivals at given times.
    Trace {
        /// Times, ascending.
        times: Arc<[Time]>,
    },
    /// Users who ask again when they have thought about their last result.
    Closed {
        /// How many.
        users: u32,
        /// How long they think.
        think: LawSpec,
    },
    /// Independent sessions of requests, which give up at a failure or when a result takes too long.
    Sessions {
        /// Sessions per second.
        rate: f64,
        /// Requests of a session.
        requests: u32,
        /// Time between a result and the next request.
        think: LawSpec,
        /// Longest wait for a result.
        patience: Span,
    },
}

impl ArrivalSpec {
    /// Requests per second over all clients, where it is constant and known before the run.
    pub fn rate(&self) -> Option<f64> {
        match *self {
            ArrivalSpec::Poisson { rate }
            | ArrivalSpec::Constant { rate }
            | ArrivalSpec::Burst { rate, .. } => Some(rate),
            _ => None,
        }
    }
}

/// One interval of the fault plan.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpec {
    /// Name.
    pub name: String,
    /// Kind, such as `partition`.
    pub kind: &'static str,
    /// What it is aimed at, in the file's words, for reports.
    pub target: String,
    /// Start.
    pub start: Time,
    /// Length; `None` for one that lasts to the end.
    pub duration: Option<Span>,
    /// Whether it goes away by itself, comes and goes, or stays.
    pub persistence: Persistence,
    /// Pattern of an intermittent fault: the plan has its bursts.
    pub(crate) burst: Option<Burst>,
    /// Root cause; empty for none.
    pub cause: String,
    /// The generator, or the intermittent fault, that it came from; empty for none.
    pub origin: String,
    /// What it does while it lasts.
    pub effect: FaultEffect,
    /// Where its table's `name` stands.
    pub place: Place,
    /// `kind` and the keys of the kind, as TOML.
    pub(crate) body: Arc<str>,
}

/// A draw that several faults share: a message meets one of them at most.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawSpec {
    /// Name of the draw.
    pub name: String,
    /// Probability that the other faults of the draw take before this one.
    pub skip: f64,
}

/// What a fault does while it lasts. Nodes and sites are ascending indices into the scenario's.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultEffect {
    /// The nodes stop and lose volatile state; they start again at the end of the interval.
    Crash {
        /// Nodes.
        nodes: Vec<usize>,
        /// Whether they lose their disks too.
        amnesia: bool,
    },
    /// The nodes stand still and keep everything.
    Pause {
        /// Nodes.
        nodes: Vec<usize>,
    },
    /// CPU and disk take `factor` times as long.
    Slow {
        /// Nodes.
        nodes: Vec<usize>,
        /// Factor, at least 1.
        factor: f64,
    },
    /// Messages between different groups are lost; nodes in no group keep all their links.
    Partition {
        /// Groups of nodes; those in several of them are bridges.
        groups: Vec<Vec<usize>>,
        /// Only messages from an earlier group to a later one are lost.
        one_way: bool,
    },
    /// A partition that comes and goes; it is there at the start.
    Flapping {
        /// Groups of nodes; those in several of them are bridges.
        groups: Vec<Vec<usize>>,
        /// Only messages from an earlier group to a later one are lost.
        one_way: bool,
        /// How long it is there.
        on: Span,
        /// How long it is away after that.
        off: Span,
    },
    /// A resource of the nodes fails.
    Resource {
        /// Nodes.
        nodes: Vec<usize>,
        /// Which resource, and how.
        failure: murphy_sim::Failure,
    },
    /// More requests arrive.
    Load {
        /// Index into [`Scenario::workloads`].
        workload: usize,
        /// How many more.
        load: murphy_sim::Load,
    },
    /// Messages are held until the fault ends.
    Clog {
        /// Messages.
        scope: Scope,
        /// Messages of each sender that are held; others are lost.
        queue: u64,
    },
    /// Some messages of some nodes are lost.
    Omission {
        /// Messages.
        traffic: Traffic,
        /// Probability per message.
        probability: f64,
        /// Of each sender's matching messages only this one, counted from one, if given.
        nth: Option<u64>,
    },
    /// Messages take longer.
    Latency {
        /// Messages.
        scope: Scope,
        /// Added to each latency.
        add: LawSpec,
        /// Each latency is first multiplied by this, at least 1.
        factor: f64,
    },
    /// Messages are lost.
    Loss {
        /// Messages.
        scope: Scope,
        /// Probability per message.
        probability: f64,
        /// A draw shared with other faults.
        draw: Option<DrawSpec>,
    },
    /// Messages arrive twice.
    Duplicate {
        /// Messages.
        scope: Scope,
        /// Probability per message.
        probability: f64,
        /// A draw shared with other faults.
        draw: Option<DrawSpec>,
    },
    /// Messages are held back.
    Reorder {
        /// Messages.
        scope: Scope,
        /// Which and by how much.
        reorder: ReorderSpec,
        /// A draw shared with other faults.
        draw: Option<DrawSpec>,
    },
    /// Messages arrive corrupted.
    Corrupt {
        /// Messages.
        scope: Scope,
        /// Probability per message.
        probability: f64,
        /// A draw shared with other faults.
        draw: Option<DrawSpec>,
    },
    /// Bandwidth shrinks.
    Bandwidth {
        /// Messages.
        scope: Scope,
        /// Bytes per second while it lasts.
        limit: f64,
    },
    /// The link between two sites is gone; traffic reroutes if another path is left.
    Cut {
        /// Index into [`Scenario::links`].
        link: usize,
    },
    /// All nodes of the sites crash.
    SiteDown {
        /// Sites.
        sites: Vec<usize>,
        /// Their nodes.
        nodes: Vec<usize>,
    },
    /// Disk operations take `factor` times as long.
    DiskSlow {
        /// Nodes.
        nodes: Vec<usize>,
        /// Factor, at least 1.
        factor: f64,
    },
    /// Wall clocks go wrong.
    Clock {
        /// Nodes.
        nodes: Vec<usize>,
        /// Added to the clock while the fault lasts, in nanoseconds.
        offset_ns: i64,
        /// Drift added while the fault lasts, in parts per million.
        drift_ppm: f64,
        /// Added once at the start and kept, in nanoseconds.
        jump_ns: i64,
    },
    /// Nodes lie.
    Byzantine {
        /// Nodes: accomplices.
        nodes: Vec<usize>,
        /// What is done to their messages.
        deed: murphy_sim::Deed,
        /// Only to these kinds of messages; to all if empty.
        kinds: Vec<&'static str>,
        /// Only to messages to these nodes; to all if empty.
        peers: Vec<usize>,
        /// Chance per message and recipient.
        chance: f64,
    },
}

/// Which messages a network fault acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// By sender and recipient.
    Traffic(Traffic),
    /// Those that cross a link: index into [`Scenario::links`].
    Link(usize),
}

/// Messages by sender, recipient and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Senders: ascending indices into [`Scenario::nodes`].
    pub from: Vec<usize>,
    /// Recipients: ascending indices into [`Scenario::nodes`].
    pub to: Vec<usize>,
    /// Whether the answers, from `to` to `from`, count as well.
    pub both: bool,
    /// Only this kind of message, such as `prepare`.
    pub message: Option<&'static str>,
}
