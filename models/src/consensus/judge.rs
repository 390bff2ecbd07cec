//! The judges of a replicated key-value store, and its measures, the same for every protocol.

use murphy_scenarios::{
    Dimension, MessageCount, MetricInfo, MetricKind, MetricRecord, Oracles, PropertyInfo, PropertyKind,
    PropertyRecord, System, Verdict,
};
use murphy_sim::{Fact, Judge, NodeId, Span, Stamped, Time};

use super::params::EFFECTS;
use crate::oracle::{
    ConsensusOracles, Leadership, LogMatching, MonotonicReads, OracleVerdict, PROPERTIES, Progress, Seen,
};

/// Kinds of [`Fact::Own`] that mean the same in every protocol; those of one protocol start at 16.
pub mod own {
    /// An entry was appended to the log: [`LogMatching::entry`](crate::oracle::LogMatching::entry),
    /// and a hash of the log up to it.
    pub const APPEND: u16 = 0;
    /// The group has other members than before: their number, and the place of the entry in the log.
    pub const MEMBERS: u16 = 1;
}

/// Something that should happen now and then, so that a green run is not vacuous.
#[derive(Clone, Copy, Debug)]
pub struct Sometimes {
    /// Full name, such as `raft.election`.
    pub name: &'static str,
    /// What happened.
    pub about: &'static str,
    /// The facts that say so.
    pub matches: fn(&Fact) -> bool,
}

/// Name and meaning of a property.
type Named = (&'static str, &'static str);

/// Measures of every protocol; the expectations of scenarios name them.
const METRICS: [(&str, &str, Dimension, MetricKind); 6] = [
    ("decisions", "slots that were decided", Dimension::One, MetricKind::Counter),
    (
        "messages_per_decision",
        "messages sent in the whole run for each decision",
        Dimension::One,
        MetricKind::Distribution,
    ),
    (
        "bytes_per_decision",
        "bytes sent in the whole run for each decision",
        Dimension::Bytes,
        MetricKind::Distribution,
    ),
    (
        "leaderless",
        "from the last decision before a new leader to that leader's start",
        Dimension::Time,
        MetricKind::Distribution,
    ),
    (
        "view_change",
        "from the last decision in an older view to the first one in a newer",
        Dimension::Time,
        MetricKind::Distribution,
    ),
    (
        "longest_wait",
        "of the requests that arrived after the last change of the plan",
        Dimension::Time,
        MetricKind::Distribution,
    ),
];

/// Place of the first metric that a protocol adds to those of [`metrics`].
pub const FIRST_OWN_METRIC: u16 = 6;
const _: () = assert!(FIRST_OWN_METRIC as usize == METRICS.len());

/// The metrics of every protocol.
pub fn metrics() -> Vec<MetricInfo> {
    METRICS.map(|(name, about, dimension, kind)| MetricInfo { name, about, dimension, kind }).into()
}

/// The judges of a protocol's properties. Those that it declares decide which ones it has.
#[derive(Clone, Debug)]
pub struct ReplicationOracles {
    properties: Vec<Named>,
    consensus: ConsensusOracles,
    leadership: Leadership,
    log_matching: Option<LogMatching>,
    monotonic: MonotonicReads,
    progress: Option<Progress>,
    /// Whether a violation of leadership, log matching, monotonic reads or progress stops the run.
    abort_on: [bool; 4],
    sometimes: Vec<(&'static str, Seen)>,
    /// Names of the workloads' properties.
    workloads: Vec<String>,
    course: Course,
}

impl ReplicationOracles {
    /// Declares properties as `properties!` lists them, and what should happen sometimes.
    pub fn declare(properties: &[Named], sometimes: &[Sometimes]) -> Vec<PropertyInfo> {
        let judged = properties.iter().map(|&(name, about)| {
            let kind = if last(name) == "progress" { PropertyKind::Liveness } else { PropertyKind::Safety };
            PropertyInfo { name, about, kind }
        });
        let sometimes = sometimes.iter().map(|&Sometimes { name, about, .. }| PropertyInfo {
            name,
            about,
            kind: PropertyKind::Sometimes,
        });
        judged.chain(sometimes).collect()
    }

    /// The judges of one run.
    pub fn new(system: &System, properties: &[Named], sometimes: &[Sometimes]) -> ReplicationOracles {
        let names = &system.names;
        let full = |wanted: &str| properties.iter().find(|(name, _)| last(name) == wanted);
        let aborts = |wanted: &str| full(wanted).is_some_and(|(name, _)| system.aborts_on(name));
        let workloads: Vec<String> = system
            .scenario
            .workloads
            .iter()
            .map(|workload| format!("linearizable({})", workload.name))
            .collect();
        let mut abort_on = PROPERTIES.map(aborts);
        abort_on[PROPERTIES.len() - 1] = workloads.iter().any(|name| system.aborts_on(name));
        let bound = full("progress").and_then(|(name, _)| system.bound_of(name));
        ReplicationOracles {
            properties: properties.to_vec(),
            consensus: ConsensusOracles::new(names, &EFFECTS, abort_on),
            leadership: Leadership::new(names.clone()),
            log_matching: full("log_matching").map(|_| LogMatching::new(names.clone(), own::APPEND)),
            monotonic: MonotonicReads::new(names.clone(), EFFECTS.to_vec()),
            progress: bound.map(|bound| Progress::new(names.clone(), last_change(system), bound)),
            abort_on: ["one_leader", "log_matching", "monotonic_reads", "progress"].map(aborts),
            sometimes: sometimes.iter().map(|it| (it.name, Seen::new(it.about, it.matches))).collect(),
            workloads,
            course: Course::default(),
        }
    }

    /// What the judge of a property says; `None` for one that nobody asked for.
    fn verdict(&self, name: &str) -> Option<(OracleVerdict, u64)> {
        Some(match last(name) {
            "one_leader" => (self.leadership.verdict(), self.leadership.checked()),
            "log_matching" => self.log_matching.as_ref().map(|it| (it.verdict(), it.checked()))?,
            "monotonic_reads" => (self.monotonic.verdict(), self.monotonic.checked()),
            "progress" => self.progress.as_ref().map(|it| (it.verdict(), it.checked()))?,
            name => {
                let place = PROPERTIES.iter().position(|known| *known == name).expect("a declared property");
                (self.consensus.verdicts()[place].clone(), self.consensus.checked()[place])
            }
        })
    }

    /// Which of the judges that may stop the run, beside those of [`ConsensusOracles`], found something.
    fn violated(&self) -> [bool; 4] {
        [
            self.leadership.violated(),
            self.log_matching.as_ref().is_some_and(LogMatching::violated),
            self.monotonic.violated(),
            self.progress.as_ref().is_some_and(Progress::violated),
        ]
    }
}

/// A property's name without the protocol's.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// When the last fault starts or ends.
fn last_change(system: &System) -> Time {
    let edges = system
        .scenario
        .faults
        .iter()
        .map(|fault| fault.duration.map_or(fault.start, |lasts| fault.start.saturating_add(lasts)));
    edges.max().unwrap_or(Time::ZERO)
}

impl Judge for ReplicationOracles {
    fn observe(&mut self, said: &Stamped) {
        self.consensus.observe(said);
        self.monotonic.observe(said);
        if let Some(progress) = &mut self.progress {
            progress.observe(said);
        }
        match said.fact {
            // Most facts by far; nothing else is about them.
            Fact::Arrive(_) | Fact::Invoke { .. } | Fact::Complete { .. } | Fact::Execute { .. } => return,
            Fact::Own { kind: own::APPEND, .. } => {
                if let Some(log_matching) = &mut self.log_matching {
                    log_matching.observe(said);
                }
                return;
            }
            Fact::Leader { .. } => self.leadership.observe(said),
            _ => {}
        }
        self.course.observe(said);
        for (_, seen) in &mut self.sometimes {
            seen.observe(said);
        }
    }

    fn wants_stop(&self) -> bool {
        self.consensus.wants_stop()
            || self.violated().into_iter().zip(self.abort_on).any(|(violated, abort)| violated && abort)
    }
}

impl Oracles for ReplicationOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let record = |name: &str, verdict: OracleVerdict, checked| PropertyRecord {
            name: name.to_owned(),
            verdict: verdict.into(),
            checked,
        };
        let judged = self.properties.iter().filter_map(|(name, _)| {
            self.verdict(name).map(|(verdict, checked)| record(name, verdict, checked))
        });
        let mut records: Vec<PropertyRecord> = judged.collect();
        records.extend(self.sometimes.iter().map(|(name, seen)| PropertyRecord {
            name: (*name).to_owned(),
            verdict: Verdict::Held,
            checked: seen.checked(),
        }));
        let place = PROPERTIES.len() - 1;
        let (verdict, checked) = (self.consensus.verdicts()[place].clone(), self.consensus.checked()[place]);
        records.extend(self.workloads.iter().map(|name| record(name, verdict.clone(), checked)));
        records
    }

    fn sent(&mut self, messages: &[MessageCount]) {
        self.course.messages = messages.iter().map(|kind| kind.count).sum();
        self.course.bytes = messages.iter().map(|kind| kind.bytes).sum();
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        let longest = self.progress.as_ref().and_then(Progress::longest);
        let longest = longest.map(|(at, node, wait)| (at.0, node.0, wait.0 as f64));
        let samples = self.course.samples(longest.into_iter().collect());
        METRICS
            .iter()
            .zip(samples)
            .map(|(&(name, _, dimension, kind), samples)| {
                let unit = match dimension {
                    Dimension::Time => "ns",
                    Dimension::Bytes => "B",
                    _ => "1",
                };
                MetricRecord { name: name.to_owned(), unit: unit.to_owned(), kind, samples }
            })
            .collect()
    }
}

type Samples = Vec<(u64, u32, f64)>;

/// What is measured on the way.
#[derive(Clone, Debug, Default)]
struct Course {
    /// Last slot decided; protocols decide slots in order.
    decided: u64,
    decisions: Samples,
    /// Highest view in which something was decided, and when the last decision was.
    view: u64,
    last: Option<(Time, NodeId)>,
    /// Highest view that somebody led.
    led: u64,
    leaderless: Samples,
    view_changes: Samples,
    messages: u64,
    bytes: u64,
}

impl Course {
    fn observe(&mut self, said: &Stamped) {
        if !said.correct {
            return;
        }
        match said.fact {
            Fact::Decide { slot, view, .. } if slot > self.decided => {
                if let Some((at, _)) = self.last.filter(|_| view > self.view) {
                    self.view_changes.push(sample(said, said.at - at));
                }
                self.decided = slot;
                self.view = self.view.max(view);
                self.last = Some((said.at, said.node));
                self.decisions.push((said.at.0, said.node.0, 1.0));
            }
            Fact::Leader { term } if term > self.led => {
                self.led = term;
                if let Some((at, _)) = self.last {
                    self.leaderless.push(sample(said, said.at - at));
                }
            }
            _ => {}
        }
    }

    /// Samples of all metrics, in the order of [`METRICS`].
    fn samples(&mut self, longest: Samples) -> [Samples; 6] {
        let each = |total: u64| {
            let count = self.decisions.len() as f64;
            let share = self.last.map(|(at, node)| (at.0, node.0, total as f64 / count));
            share.into_iter().collect::<Samples>()
        };
        let (messages, bytes) = (each(self.messages), each(self.bytes));
        let take = std::mem::take;
        [
            take(&mut self.decisions),
            messages,
            bytes,
            take(&mut self.leaderless),
            take(&mut self.view_changes),
            longest,
        ]
    }
}

fn sample(said: &Stamped, span: Span) -> (u64, u32, f64) {
    (said.at.0, said.node.0, span.0 as f64)
}
