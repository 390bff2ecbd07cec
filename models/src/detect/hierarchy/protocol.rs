//! How scenarios see the hierarchy, and how the console is scored.

use std::sync::Arc;

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Dimension, KindInfo, MetricInfo, MetricKind, MetricRecord, ModelInfo, Oracles, Problem, PropertyInfo,
    PropertyKind, PropertyRecord, Protocol, System, Verdict,
};
use murphy_sim::{Fact, Judge, Message as _, NodeId, Span, Stamped, Time};

use super::super::params::{choice, count, kind, metric, property, record, span};
use super::correlate::{CorrelationRules, Level, Pattern, Structure};
use super::{BLIND, HIGH_RATE, Hierarchy, HierarchyConfig, HierarchyMessage, PAGE, ROOT};

const PART: &str = "hierarchy.part";
const BASE: &str = "hierarchy.base";
const HOST: &str = "hierarchy.host";
const SENSOR: &str = "hierarchy.sensor";
const CONSOLE: &str = "hierarchy.console";
const NAMED: &str = "hierarchy.root_named";
const PAGED: &str = "hierarchy.paged";
const RATE: &str = "hierarchy.high_rate";
const BLINDED: &str = "hierarchy.sensor_failed";

impl Protocol for Hierarchy {
    type Process = Hierarchy;
    type Oracles = HierarchyOracles;

    fn info() -> ModelInfo {
        ModelInfo {
            name: "hierarchy",
            about: "sensors on four levels and a console that names root causes",
            kinds: kinds(),
            messages: HierarchyMessage::KINDS.to_vec(),
            operations: Vec::new(),
            metrics: metrics(),
            properties: properties(),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let consoles = system.of_kind(CONSOLE).len();
        if consoles == 1 {
            return Vec::new();
        }
        let place = system.scenario.groups[0].place.clone();
        let message = format!("the scenario needs one {CONSOLE}, which gets all alarms, found {consoles}");
        vec![Problem { place, message }]
    }

    fn configure(system: &System, node: &NodeSpec) -> HierarchyConfig {
        let structure = structure(system);
        let params = &node.params;
        match node.kind {
            SENSOR => {
                let level = level(params.choice("level"));
                HierarchyConfig::Sensor {
                    level,
                    targets: targets(system, level).into(),
                    console: system.of_kind(CONSOLE)[0],
                    every: params.duration("every"),
                    failures: params.count("failures"),
                }
            }
            CONSOLE => {
                let sensors = system.nodes.iter().filter(|node| node.kind == SENSOR);
                let sensors = sensors.map(|node| (id(node.index), level(node.params.choice("level"))));
                HierarchyConfig::Console {
                    sensors: sensors.collect(),
                    sensor_timeout: params.duration("sensor_timeout"),
                    settle: params.duration("settle"),
                    window: params.duration("window"),
                    rules: if params.choice("rules") == "s0" {
                        CorrelationRules::S0
                    } else {
                        CorrelationRules::Corrected
                    },
                    structure: Arc::new(structure),
                }
            }
            _ => HierarchyConfig::Part {
                needs: structure.needs[node.index].clone().into(),
                every: params.duration("every"),
            },
        }
    }

    fn oracles(system: &System) -> HierarchyOracles {
        let sensors = system.of_kind(SENSOR);
        HierarchyOracles::new(Arc::new(structure(system)), &sensors)
    }
}

fn id(index: usize) -> NodeId {
    NodeId(u32::try_from(index).expect("fewer than 2^32 nodes"))
}

fn level(word: &str) -> Level {
    match word {
        "component" => Level::Component,
        "service" => Level::Service,
        "system" => Level::System,
        _ => Level::Infrastructure,
    }
}

/// The parts of a group are a chain, each needs the next; the last ones need all bases.
/// A part runs on the first machine of its site.
fn structure(system: &System) -> Structure {
    let nodes = &system.nodes;
    let bases = system.of_kind(BASE);
    let needs = |node: &NodeSpec| match (node.kind, nodes.get(node.index + 1)) {
        (PART, Some(next)) if next.kind == PART && next.group == node.group => vec![id(next.index)],
        (PART, _) => bases.clone(),
        _ => Vec::new(),
    };
    let host = |node: &NodeSpec| {
        let machine = nodes.iter().find(|other| other.kind == HOST && other.site == node.site);
        machine.filter(|_| node.kind == PART || node.kind == BASE).map(|machine| id(machine.index))
    };
    Structure { needs: nodes.iter().map(needs).collect(), host: nodes.iter().map(host).collect() }
}

fn targets(system: &System, level: Level) -> Vec<NodeId> {
    let heads = || {
        let groups = system.scenario.groups.iter().filter(|group| group.kind == PART);
        groups.map(|group| id(group.nodes.start)).collect()
    };
    match level {
        Level::Component => {
            let parts = system.nodes.iter().filter(|node| node.kind == PART || node.kind == BASE);
            parts.map(|node| id(node.index)).collect()
        }
        Level::Service | Level::System => heads(),
        Level::Infrastructure => system.of_kind(HOST),
    }
}

fn kinds() -> Vec<KindInfo> {
    let every = || span("every", "time between two calls of what it needs", Span::secs(1));
    let sensor = vec![
        choice("level", "what it checks", &["component", "service", "system", "infrastructure"]),
        span("every", "time between two rounds of checks", Span::secs(2)),
        count("failures", "checks in a row that must fail", 1, 1000, 2),
    ];
    let console = vec![
        choice("rules", "corrected, or S0's as they are written", &["corrected", "s0"]),
        span("window", "time in which alarms are correlated", Span::secs(300)),
        span("settle", "from the first new alarm to the analysis", Span::secs(15)),
        span("sensor_timeout", "silence after which a sensor has failed", Span::secs(10)),
    ];
    vec![
        kind(
            PART,
            "a component: needs the next one of its group, the last one needs all bases",
            vec![every()],
        ),
        kind(BASE, "a component that all services share", vec![every()]),
        kind(HOST, "a machine: carries the parts and bases of its site", vec![every()]),
        kind(SENSOR, "checks everything of one level", sensor),
        kind(CONSOLE, "correlates alarms, names root causes and pages", console),
    ]
}

const METRICS: [(&str, &str, MetricKind); 6] = [
    ("roots_true", "faults that were injected", MetricKind::Counter),
    ("roots_named", "root causes that the console named", MetricKind::Counter),
    ("roots_right", "named root causes that were injected", MetricKind::Counter),
    ("patterns_right", "named root causes with the right pattern", MetricKind::Counter),
    ("pages", "pages", MetricKind::Counter),
    ("naming_time", "from the fault to the naming of its root cause", MetricKind::Distribution),
];

fn metrics() -> Vec<MetricInfo> {
    let dimension = |name: &str| if name == "naming_time" { Dimension::Time } else { Dimension::One };
    METRICS.into_iter().map(|(name, about, kind)| metric(name, about, dimension(name), kind)).collect()
}

fn properties() -> Vec<PropertyInfo> {
    let sometimes = PropertyKind::Sometimes;
    vec![
        property(NAMED, "the console named a root cause", sometimes),
        property(PAGED, "the console paged", sometimes),
        property(RATE, "the console saw a high rate of faults", sometimes),
        property(BLINDED, "the console saw that a sensor failed", sometimes),
    ]
}

/// How good the console was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HierarchyScore {
    /// Faults that were injected.
    pub injected: u64,
    /// Root causes that it named.
    pub named: u64,
    /// Of these, those that were injected.
    pub right: u64,
    /// Of these, those with the right pattern.
    pub patterns: u64,
    /// Pages.
    pub pages: u64,
    /// High rates of faults.
    pub high_rates: u64,
    /// Sensors that it saw fail.
    pub blind: u64,
}

/// Scores what the console names by what was injected.
///
/// Crashes of one instant are one fault when a machine is among them and the others run on it: then
/// the machine is the root. A naming is right when it names a root that was injected and not named before.
#[derive(Clone, Debug)]
pub struct HierarchyOracles {
    structure: Arc<Structure>,
    sensors: Vec<NodeId>,
    injected: Vec<Injected>,
    score: HierarchyScore,
    samples: [Vec<(u64, u32, f64)>; METRICS.len()],
}

#[derive(Clone, Copy, Debug)]
struct Injected {
    at: Time,
    node: NodeId,
    named: bool,
}

impl HierarchyOracles {
    /// Scores by the true structure; crashes of `sensors` are no faults of the system.
    pub fn new(structure: Arc<Structure>, sensors: &[NodeId]) -> HierarchyOracles {
        HierarchyOracles {
            structure,
            sensors: sensors.to_vec(),
            injected: Vec::new(),
            score: HierarchyScore::default(),
            samples: Default::default(),
        }
    }

    /// The score so far.
    pub fn score(&self) -> HierarchyScore {
        HierarchyScore { injected: self.roots().count() as u64, ..self.score }
    }

    /// Crashes that no crash of their machine at the same instant explains.
    fn roots(&self) -> impl Iterator<Item = &Injected> + '_ {
        self.injected.iter().filter(|fault| {
            let host = self.structure.host[fault.node.index()];
            !self.injected.iter().any(|other| Some(other.node) == host && other.at == fault.at)
        })
    }

    fn sample(&mut self, metric: usize, said: &Stamped, value: f64) {
        self.samples[metric].push((said.at.0, said.node.0, value));
    }

    fn naming(&mut self, said: &Stamped, root: u64, pattern: u64) {
        self.score.named += 1;
        self.sample(1, said, 1.0);
        let root = u32::try_from(root).ok().and_then(|root| root.checked_sub(1)).map(NodeId);
        let hit = self.roots().find(|fault| Some(fault.node) == root && !fault.named).copied();
        let Some(Injected { at, node, .. }) = hit else { return };
        for fault in self.injected.iter_mut().filter(|fault| fault.node == node && fault.at == at) {
            fault.named = true;
        }
        self.score.right += 1;
        self.sample(2, said, 1.0);
        self.sample(5, said, (said.at - at).0 as f64);
        if self.pattern(node) as u64 == pattern {
            self.score.patterns += 1;
            self.sample(3, said, 1.0);
        }
    }

    /// What a fault of this node looks like from outside.
    fn pattern(&self, node: NodeId) -> Pattern {
        let all = 0..self.structure.needs.len();
        if self.structure.host.contains(&Some(node)) {
            Pattern::CommonCause
        } else if all.map(id).any(|other| self.structure.explains(node, other)) {
            Pattern::Cascading
        } else {
            Pattern::Single
        }
    }
}

impl Judge for HierarchyOracles {
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            Fact::Crash if !self.sensors.contains(&said.node) => {
                self.injected.push(Injected { at: said.at, node: said.node, named: false });
            }
            Fact::Own { kind: ROOT, a, b } => self.naming(said, a, b),
            Fact::Own { kind: PAGE, .. } => {
                self.score.pages += 1;
                self.sample(4, said, 1.0);
            }
            Fact::Own { kind: HIGH_RATE, .. } => self.score.high_rates += 1,
            Fact::Own { kind: BLIND, .. } => self.score.blind += 1,
            _ => {}
        }
    }
}

impl Oracles for HierarchyOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let seen = |name, count| record(name, (Verdict::Held, count));
        vec![
            seen(NAMED, self.score.named),
            seen(PAGED, self.score.pages),
            seen(RATE, self.score.high_rates),
            seen(BLINDED, self.score.blind),
        ]
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        let roots: Vec<_> = self.roots().map(|fault| (fault.at.0, fault.node.0, 1.0)).collect();
        self.samples[0] = roots;
        let mut samples = std::mem::take(&mut self.samples);
        // None is a result, not a gap in the measurement.
        for ((_, _, kind), samples) in METRICS.iter().zip(&mut samples) {
            if *kind == MetricKind::Counter {
                samples.insert(0, (0, 0, 0.0));
            }
        }
        let unit = |name: &str| if name == "naming_time" { "ns" } else { "1" };
        let record = |((name, _, kind), samples): ((&str, &str, MetricKind), _)| MetricRecord {
            name: name.to_owned(),
            unit: unit(name).to_owned(),
            kind,
            samples,
        };
        METRICS.into_iter().zip(samples).map(record).collect()
    }
}
