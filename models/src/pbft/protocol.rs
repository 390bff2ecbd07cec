//! How scenarios see the protocol: kinds of nodes, parameters, properties.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    KindInfo, MetricInfo, ModelInfo, Param, ParamKind, Params, Problem, Protocol, System, Tolerance,
};
use murphy_sim::{Fact, Message as _};

use super::{Bug, Config, Options, Pbft, PbftMessage};
use crate::consensus::{
    self, Ask, Believe, FIRST_OWN_METRIC, Group, ReplicationOracles, Sometimes, choice, client_kind,
    client_options, count, flag, properties, span,
};

/// Place of the metric among those of the model.
pub(super) const CORRUPTIONS_FOUND: u16 = FIRST_OWN_METRIC;
const REPLICA: &str = "pbft.replica";
const CLIENT: &str = "pbft.client";
const ALL: [(&str, &str); 8] = properties!("pbft");
/// There is no log whose entries could be replaced.
const PROPERTIES: [(&str, &str); 7] = [ALL[0], ALL[1], ALL[2], ALL[3], ALL[4], ALL[6], ALL[7]];
const SOMETIMES: [Sometimes; 3] = [
    Sometimes {
        name: "pbft.view_change",
        about: "a replica gave up on a view",
        matches: |fact| matches!(fact, Fact::ViewChange { .. }),
    },
    Sometimes {
        name: "pbft.checkpoint",
        about: "a checkpoint became stable",
        matches: |fact| matches!(fact, Fact::Stable { .. }),
    },
    Sometimes {
        name: "pbft.state_transfer",
        about: "a replica installed the state of others",
        matches: |fact| matches!(fact, Fact::Install { .. }),
    },
];

impl Protocol for Pbft {
    type Process = Pbft;
    type Oracles = ReplicationOracles;

    fn info() -> ModelInfo {
        ModelInfo {
            name: "pbft",
            about: "Practical Byzantine Fault Tolerance (Castro & Liskov 1999): a replicated key-value store",
            kinds: vec![
                KindInfo {
                    name: REPLICA,
                    about: "keeps a copy of the store",
                    client: false,
                    params: replica_params(),
                },
                client_kind(CLIENT),
            ],
            messages: PbftMessage::KINDS.to_vec(),
            operations: consensus::operations(),
            metrics: metrics(),
            properties: ReplicationOracles::declare(&PROPERTIES, &SOMETIMES),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let Some(first) = system.nodes.iter().find(|node| node.kind == REPLICA) else {
            let place = system.scenario.groups[0].place.clone();
            let message = format!("the scenario has no {REPLICA}: its clients have nobody to ask");
            return vec![Problem { place, message }];
        };
        let place = |node: &NodeSpec| system.scenario.groups[node.group].place.clone();
        let n = system.of_kind(REPLICA).len() as u64;
        let f = first.params.count("f");
        let mut problems = Vec::new();
        if n < 3 * f + 1 {
            let most = (n - 1) / 3;
            let message = format!(
                "f = {f} needs at least {} replicas, found {n}, which tolerate f = {most}",
                3 * f + 1
            );
            problems.push(Problem { place: place(first), message });
        }
        if let Some(other) =
            system.nodes.iter().find(|node| node.kind == REPLICA && node.params != first.params)
        {
            let message =
                format!("all replicas of a group have the same params, but those of {} differ", other.name);
            problems.push(Problem { place: place(other), message });
        }
        problems
    }

    fn tolerance(system: &System) -> Tolerance {
        let nodes = system.of_kind(REPLICA);
        let first = system.nodes.iter().find(|node| node.kind == REPLICA);
        let f =
            first.map_or(0, |node| usize::try_from(node.params.count("f")).expect("a checked f is small"));
        Tolerance { nodes, at_once: f, liars: f }
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let replicas = system.nodes.iter().filter(|node| node.kind == REPLICA);
        let params = &replicas.clone().next().expect("a checked scenario has replicas").params;
        let f = usize::try_from(params.count("f")).expect("a checked f is small");
        let group = Group::new(&system.of_kind(REPLICA), Some(f));
        if node.kind == REPLICA {
            return Config::Replica { group, options: options(params) };
        }
        let local_reads = Bug::from_name(params.choice("bug")) == Some(Bug::LocalRead);
        let ask = if local_reads { Ask::LeaderAndReadsAnyone } else { Ask::Leader };
        Config::Client { group, options: client_options(&node.params, ask, Believe::FaultyPlusOne) }
    }

    fn oracles(system: &System) -> ReplicationOracles {
        ReplicationOracles::new(system, &PROPERTIES, &SOMETIMES)
    }
}

fn metrics() -> Vec<MetricInfo> {
    let mut metrics = consensus::metrics();
    metrics.push(MetricInfo::counter(
        "corruptions_found",
        "damaged blocks that a replica found when it started",
    ));
    metrics
}

fn replica_params() -> Vec<Param> {
    let defaults = Options::default();
    let tolerated = Param {
        name: "f",
        about: "faulty replicas that the group tolerates",
        kind: ParamKind::Count { min: 0, max: 1000 },
        default: None,
    };
    vec![
        tolerated,
        span("view_timeout", "first time-out of a backup that waits for a request", defaults.view_timeout),
        count("checkpoint_every", "slots between two checkpoints", (1, 1 << 20), defaults.checkpoint_every),
        count("batch_max", "most commands in a batch", (1, 1 << 16), defaults.batch_max as u64),
        count("pipeline", "batches that the primary has on their way", (1, 1 << 16), defaults.pipeline),
        span(
            "status_interval",
            "time between two looks at whether something is missing",
            defaults.status_interval,
        ),
        flag(
            "checksums",
            "whether a replica can tell which blocks of its disk are damaged",
            defaults.checksums,
        ),
        choice("bug", "a planted bug, for the oracles to find", Bug::CHOICES),
    ]
}

fn options(params: &Params) -> Options {
    let checkpoint_every = params.count("checkpoint_every");
    Options {
        view_timeout: params.duration("view_timeout"),
        checkpoint_every,
        window: 2 * checkpoint_every,
        batch_max: usize::try_from(params.count("batch_max")).expect("a checked size is small"),
        pipeline: params.count("pipeline"),
        status_interval: params.duration("status_interval"),
        checksums: params.flag("checksums"),
        bug: Bug::from_name(params.choice("bug")),
    }
}
