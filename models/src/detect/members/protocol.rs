//! How scenarios see the members: parameters, metrics, properties.

use murphy_scenarios::language::{GroupSpec, NodeSpec};
use murphy_scenarios::{
    Dimension, MetricInfo, MetricKind, MetricRecord, ModelInfo, Oracles, Param, Params, Problem,
    PropertyInfo, PropertyKind, PropertyRecord, Protocol, System, Verdict,
};
use murphy_sim::{Judge, Message as _, Span, Stamped};

use super::super::params::{choice, count, flag, kind, metric, number, property, record, span};
use super::super::phi::Tail;
use super::super::scorer::Scorer;
use super::{Detector, HeartbeatOptions, MemberConfig, Members, MembersMessage, PhiRule, Rule, SwimOptions};

const MEMBER: &str = "detect.member";
const COMPLETE: &str = "detect.complete";
const MISTAKEN: &str = "detect.mistaken";
const SUSPECTED: &str = "detect.suspected";
const TRUSTED: &str = "detect.trusted";
const METHODS: &[&str] = &["fixed", "expected", "phi", "phi-akka", "phi-cassandra", "swim"];

impl Protocol for Members {
    type Process = Members;
    type Oracles = MembersOracles;

    fn info() -> ModelInfo {
        ModelInfo {
            name: "detect",
            about: "members that watch each other: heartbeats under five rules, or SWIM gossip",
            kinds: vec![kind(MEMBER, "watches all other members, and is watched by them", params())],
            messages: MembersMessage::KINDS.to_vec(),
            operations: Vec::new(),
            metrics: metrics(),
            properties: properties(),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let problem = |group: &GroupSpec| {
            let params = &system.nodes[group.nodes.start].params;
            mistake(params).map(|message| Problem { place: group.place.clone(), message })
        };
        system.scenario.groups.iter().filter_map(problem).collect()
    }

    fn configure(system: &System, node: &NodeSpec) -> MemberConfig {
        MemberConfig { members: system.of_kind(MEMBER).into(), detector: detector(&node.params) }
    }

    fn oracles(system: &System) -> MembersOracles {
        let n = system.nodes.len();
        let watches = (0..n).map(|watcher| (0..n).map(|subject| watcher != subject).collect()).collect();
        let within = system.nodes.iter().map(|node| node.params.duration("detect_within")).max();
        MembersOracles {
            scorer: Scorer::new(&system.names, watches, within.unwrap_or(Span::MAX))
                .excusing(&system.scenario),
            abort: system.aborts_on(COMPLETE),
        }
    }
}

fn params() -> Vec<Param> {
    let heart = HeartbeatOptions::default();
    let swim = SwimOptions::default();
    vec![
        choice("method", "what makes a member suspect another", METHODS),
        span("interval", "time between two heartbeats, or SWIM's protocol period", heart.interval),
        span("timeout", "fixed: silence after which a member is suspected", Span::millis(3500)),
        span("margin", "expected: time beyond the estimated arrival of a heartbeat", Span::millis(500)),
        number("threshold", "phi: value from which a member is suspected", 0.1, 300.0, 8.0),
        span("min_sd", "phi, phi-akka: least deviation that is believed", Span::millis(100)),
        span("pause", "phi, phi-akka: acceptable pause, added to the mean", Span::ZERO),
        count("window", "intervals that expected and phi learn from", 1, 100_000, heart.window as u64),
        count("confirm", "intervals of silence to wait for beyond the rule", 0, 1000, heart.confirm),
        count("trust_after", "heartbeats after which a suspected member is trusted", 1, 1000, 1),
        span("grace", "time after the start in which nobody is suspected", heart.grace),
        flag("stagger", "whether members start at random phases rather than all at once", heart.stagger),
        span("ping_timeout", "swim: time after which others are asked to ping", swim.ping_timeout),
        count("helpers", "swim: how many others are asked", 0, 100, swim.helpers as u64),
        span("suspicion", "swim: time that a suspected member has to object", swim.suspicion),
        span("detect_within", "bound of detect.complete", Span::secs(60)),
    ]
}

fn metrics() -> Vec<MetricInfo> {
    let (one, time) = (Dimension::One, Dimension::Time);
    let (counter, distribution) = (MetricKind::Counter, MetricKind::Distribution);
    vec![
        metric("messages", "messages that a member sent", one, counter),
        metric("doubts", "swim: pings that failed, direct and indirect", one, counter),
        metric("detection_time", "from a crash to a member's suspicion", time, distribution),
        metric("first_detection", "from a crash to the first suspicion of any member", time, distribution),
        metric("false_suspicions", "suspicions of a member that was up and reachable", one, counter),
        metric("mistake_time", "how long a false suspicion lasted", time, distribution),
    ]
}

fn properties() -> Vec<PropertyInfo> {
    vec![
        property(
            COMPLETE,
            "every crash that lasts is suspected in time by every other member",
            PropertyKind::Safety,
        ),
        property(MISTAKEN, "a member that was up and reachable was suspected", PropertyKind::Sometimes),
        property(SUSPECTED, "a member suspected another", PropertyKind::Sometimes),
        property(TRUSTED, "a member took a suspicion back", PropertyKind::Sometimes),
    ]
}

/// What is wrong with the parameters of a member.
fn mistake(params: &Params) -> Option<String> {
    let interval = params.duration("interval");
    if interval == Span::ZERO {
        return Some("interval = 0s: members would send without end; write interval = \"1s\"".to_owned());
    }
    let ping = params.duration("ping_timeout");
    (params.choice("method") == "swim" && ping >= interval).then(|| {
        format!("ping_timeout = {ping} leaves no time to ask others in a period of {interval}: shorten it")
    })
}

fn detector(params: &Params) -> Detector {
    let size = |name| usize::try_from(params.count(name)).expect("a checked count is small");
    let (interval, grace) = (params.duration("interval"), params.duration("grace"));
    let phi = |tail| {
        Rule::Phi(PhiRule {
            tail,
            threshold: params.number("threshold"),
            min_sd: params.duration("min_sd"),
            pause: params.duration("pause"),
        })
    };
    let rule = match params.choice("method") {
        "fixed" => Rule::Fixed(params.duration("timeout")),
        "expected" => Rule::Expected(params.duration("margin")),
        "phi" => phi(Tail::Normal),
        "phi-akka" => phi(Tail::Logistic),
        "phi-cassandra" => phi(Tail::Exponential),
        _ => {
            return Detector::Swim(SwimOptions {
                period: interval,
                ping_timeout: params.duration("ping_timeout"),
                helpers: size("helpers"),
                suspicion: params.duration("suspicion"),
                grace,
            });
        }
    };
    Detector::Heartbeat(HeartbeatOptions {
        interval,
        rule,
        window: size("window"),
        confirm: params.count("confirm"),
        trust_after: params.count("trust_after"),
        grace,
        stagger: params.flag("stagger"),
    })
}

/// The judges of the members' suspicions.
#[derive(Clone, Debug)]
pub struct MembersOracles {
    scorer: Scorer,
    abort: bool,
}

impl Judge for MembersOracles {
    fn observe(&mut self, said: &Stamped) {
        self.scorer.observe(said);
    }

    fn wants_stop(&self) -> bool {
        self.abort && matches!(self.scorer.complete().0, Verdict::Violated { .. })
    }
}

impl Oracles for MembersOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let scorer = &self.scorer;
        vec![
            record(COMPLETE, scorer.complete()),
            record(MISTAKEN, (Verdict::Held, scorer.false_suspicions())),
            record(SUSPECTED, (Verdict::Held, scorer.suspicions())),
            record(TRUSTED, (Verdict::Held, scorer.trusts())),
        ]
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        self.scorer.metrics()
    }
}
