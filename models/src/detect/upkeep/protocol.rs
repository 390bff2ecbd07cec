//! How scenarios see components and stores.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Dimension, Effect, KindInfo, MetricInfo, MetricKind, MetricRecord, ModelInfo, OperationInfo, Oracles,
    Param, ParamKind, ParamValue, Problem, PropertyInfo, PropertyKind, PropertyRecord, Protocol, System,
    Verdict,
};
use murphy_sim::{Fact, Judge, Message as _, Span, Stamped};

use super::super::health::HealthRules;
use super::super::params::{choice, count, flag, kind, metric, probability, property, record, span};
use super::{ESCALATIONS, HEALTH, LOST, Mood, SERVED, StoreOptions, Upkeep, UpkeepConfig, UpkeepMessage};

const COMPONENT: &str = "upkeep.component";
const DEPENDENCY: &str = "upkeep.dependency";
const STORE: &str = "upkeep.store";
/// What happens in a run, in the order of [`UpkeepOracles`]'s counts.
const SEEN: [(&str, &str); 5] = [
    ("upkeep.failing", "a component failed too often to be retried"),
    ("upkeep.failed", "a component failed"),
    ("upkeep.escalated", "a permanent fault was escalated"),
    ("upkeep.lost", "a block had no good copy left"),
    ("upkeep.served_rotten", "a rotten block was handed out as if it were good"),
];

impl Protocol for Upkeep {
    type Process = Upkeep;
    type Oracles = UpkeepOracles;

    fn info() -> ModelInfo {
        let operation = |name| OperationInfo { name, effect: Effect::Other };
        ModelInfo {
            name: "upkeep",
            about: "components that retry by class of fault, and a store that scrubs its blocks",
            kinds: kinds(),
            messages: UpkeepMessage::KINDS.to_vec(),
            operations: vec![operation("call"), operation("read")],
            metrics: metrics(),
            properties: properties(),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let components = system.scenario.groups.iter().find(|group| group.kind == COMPONENT);
        let found = system.of_kind(DEPENDENCY).len();
        let missing = components.filter(|_| found != 1).map(|group| Problem {
            place: group.place.clone(),
            message: format!("a {COMPONENT} calls the one {DEPENDENCY} of the scenario, found {found}"),
        });
        missing.into_iter().collect()
    }

    fn configure(system: &System, node: &NodeSpec) -> UpkeepConfig {
        let params = &node.params;
        let size = |name| usize::try_from(params.count(name)).expect("a checked count is small");
        match node.kind {
            COMPONENT => UpkeepConfig::Component {
                dependency: system.of_kind(DEPENDENCY)[0],
                rules: if params.choice("rules") == "s0" { HealthRules::S0 } else { HealthRules::Corrected },
            },
            DEPENDENCY => UpkeepConfig::Dependency(Mood {
                hang: params.number("hang"),
                refuse: params.number("refuse"),
                broken: params.number("broken"),
            }),
            _ => UpkeepConfig::Store(StoreOptions {
                blocks: size("blocks"),
                copies: size("copies"),
                scrub: params.duration("scrub"),
                checksum: params.flag("checksum"),
                read: params.duration("read"),
            }),
        }
    }

    fn oracles(_system: &System) -> UpkeepOracles {
        UpkeepOracles::default()
    }
}

fn kinds() -> Vec<KindInfo> {
    let component = vec![choice("rules", "corrected, or S0's as they are written", &["corrected", "s0"])];
    let dependency = vec![
        probability("hang", "probability that it does not answer", 0.0),
        probability("refuse", "probability that it refuses the connection", 0.0),
        probability("broken", "probability that it answers that it can never work", 0.0),
    ];
    let blocks = Param {
        name: "blocks",
        about: "blocks that it keeps",
        kind: ParamKind::Count { min: 1, max: 10_000_000 },
        default: Some(ParamValue::Count(1000)),
    };
    let store = vec![
        blocks,
        count("copies", "copies of each block", 1, 16, 2),
        span("scrub", "time in which every copy is read once; 0s: never", Span::secs(3600)),
        flag("checksum", "whether a reader can tell that a block is rotten", true),
        span("read", "time to read a block", Span::micros(100)),
    ];
    vec![
        KindInfo {
            client: true,
            ..kind(COMPONENT, "calls its dependency, and retries by the class of fault", component)
        },
        kind(DEPENDENCY, "answers, refuses, or does not answer", dependency),
        KindInfo { client: true, ..kind(STORE, "keeps blocks that rot", store) },
    ]
}

fn metrics() -> Vec<MetricInfo> {
    let (one, time) = (Dimension::One, Dimension::Time);
    let (counter, distribution) = (MetricKind::Counter, MetricKind::Distribution);
    vec![
        metric("attempts", "attempts of a call", one, distribution),
        metric("health", "0 healthy, 1 degraded, 2 failing, 3 failed", one, MetricKind::Gauge),
        metric("escalations", "permanent faults that were escalated", one, counter),
        metric("rot_time", "from the rot of a copy to its detection", time, distribution),
        metric("blocks_lost", "blocks of which no good copy was left", one, counter),
        metric("served_rotten", "rotten blocks handed out as if they were good", one, counter),
    ]
}

fn properties() -> Vec<PropertyInfo> {
    SEEN.into_iter().map(|(name, about)| property(name, about, PropertyKind::Sometimes)).collect()
}

/// Counts what must or must not happen.
#[derive(Clone, Debug, Default)]
pub struct UpkeepOracles {
    seen: [u64; SEEN.len()],
}

impl Judge for UpkeepOracles {
    fn observe(&mut self, said: &Stamped) {
        let index = match said.fact {
            Fact::Sample { metric: HEALTH, value: 2 } => 0,
            Fact::Sample { metric: HEALTH, value: 3 } => 1,
            Fact::Sample { metric: ESCALATIONS, .. } => 2,
            Fact::Sample { metric: LOST, .. } => 3,
            Fact::Sample { metric: SERVED, .. } => 4,
            _ => return,
        };
        self.seen[index] += 1;
    }
}

impl Oracles for UpkeepOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let seen = SEEN.into_iter().zip(self.seen);
        seen.map(|((name, _), count)| record(name, (Verdict::Held, count))).collect()
    }

    /// Zeros: that nothing was counted is a result, not a gap in the measurement.
    fn metrics(&mut self) -> Vec<MetricRecord> {
        let counters = metrics().into_iter().filter(|metric| metric.kind == MetricKind::Counter);
        let zero = |metric: MetricInfo| MetricRecord {
            name: metric.name.to_owned(),
            unit: "1".to_owned(),
            kind: metric.kind,
            samples: vec![(0, 0, 0.0)],
        };
        counters.map(zero).collect()
    }
}
