//! How scenarios see the protocol: kinds of nodes, parameters, properties.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Effect, KindInfo, ModelInfo, OperationInfo, Oracles, Param, ParamKind, ParamValue, Params, Problem,
    PropertyInfo, PropertyKind, PropertyRecord, Protocol, System, Verdict,
};
use murphy_sim::{Fact, Judge, Message as _, Span, Stamped};

use super::{Bug, ClientOptions, Config, Group, OPERATIONS, Options, Pbft, PbftMessage, SESSIONS};
use crate::oracle::{ConsensusOracles, Seen};

const REPLICA: &str = "pbft.replica";
const CLIENT: &str = "pbft.client";
/// Value of `bug` that plants none.
const NO_BUG: &str = "none";
const EFFECTS: [Effect; 2] = [Effect::Write, Effect::Read];
/// The properties of [`ConsensusOracles`] that are declared; linearizability belongs to the workloads.
const SAFETY: [(&str, &str); 4] = [
    ("pbft.agreement", "no two correct replicas decide or execute different commands at one slot"),
    ("pbft.validity", "every executed command was issued by a client"),
    ("pbft.integrity", "no command is executed twice"),
    ("pbft.durability", "an acknowledged write is never lost"),
];

impl Protocol for Pbft {
    type Process = Pbft;
    type Oracles = PbftOracles;

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
                KindInfo {
                    name: CLIENT,
                    about: "sends requests in several sessions, each one at a time",
                    client: true,
                    params: client_params(),
                },
            ],
            messages: PbftMessage::KINDS.to_vec(),
            operations: OPERATIONS
                .iter()
                .zip(EFFECTS)
                .map(|(&name, effect)| OperationInfo { name, effect })
                .collect(),
            metrics: Vec::new(),
            properties: properties(),
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

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let replicas = system.nodes.iter().filter(|node| node.kind == REPLICA);
        let params = &replicas.clone().next().expect("a checked scenario has replicas").params;
        let f = usize::try_from(params.count("f")).expect("a checked f is small");
        let group = Group::new(&system.of_kind(REPLICA), Some(f));
        let bug = Bug::from_name(params.choice("bug"));
        if node.kind == REPLICA {
            Config::Replica { group, options: options(params) }
        } else {
            let retry_after = node.params.duration("retry_after");
            let backoff = node.params.flag("backoff");
            let sessions = usize::try_from(node.params.count("sessions")).expect("a checked count is small");
            Config::Client { group, options: ClientOptions { retry_after, backoff, sessions, bug } }
        }
    }

    fn oracles(system: &System) -> PbftOracles {
        let workloads: Vec<String> =
            system.scenario.workloads.iter().map(|workload| linearizable(&workload.name)).collect();
        let mut abort = [false; 5];
        for (abort, (name, _)) in abort.iter_mut().zip(SAFETY) {
            *abort = system.aborts_on(name);
        }
        abort[SAFETY.len()] = workloads.iter().any(|name| system.aborts_on(name));
        PbftOracles {
            consensus: ConsensusOracles::new(&system.names, &EFFECTS, abort),
            view_change: Seen::new("a view change", |fact| matches!(fact, Fact::ViewChange { .. })),
            checkpoint: Seen::new("a stable checkpoint", |fact| matches!(fact, Fact::Stable { .. })),
            state_transfer: Seen::new("a state transfer", |fact| matches!(fact, Fact::Install { .. })),
            workloads,
        }
    }
}

fn replica_params() -> Vec<Param> {
    let defaults = Options::default();
    let count = |name, about, min, max, value: u64| Param {
        name,
        about,
        kind: ParamKind::Count { min, max },
        default: Some(ParamValue::Count(value)),
    };
    let span = |name, about, value: Span| Param {
        name,
        about,
        kind: ParamKind::Duration,
        default: Some(ParamValue::Duration(value)),
    };
    let tolerated = Param {
        name: "f",
        about: "faulty replicas that the group tolerates",
        kind: ParamKind::Count { min: 0, max: 1000 },
        default: None,
    };
    let bug = Param {
        name: "bug",
        about: "a planted bug, for the oracles to find",
        kind: ParamKind::Choice(Bug::CHOICES),
        default: Some(ParamValue::Choice(NO_BUG)),
    };
    vec![
        tolerated,
        span("view_timeout", "first time-out of a backup that waits for a request", defaults.view_timeout),
        count("checkpoint_every", "slots between two checkpoints", 1, 1 << 20, defaults.checkpoint_every),
        count("batch_max", "most commands in a batch", 1, 1 << 16, defaults.batch_max as u64),
        count("pipeline", "batches that the primary has on their way", 1, 1 << 16, defaults.pipeline),
        span(
            "status_interval",
            "time between two looks at whether something is missing",
            defaults.status_interval,
        ),
        bug,
    ]
}

fn client_params() -> Vec<Param> {
    let defaults = ClientOptions::default();
    vec![
        Param {
            name: "retry_after",
            about: "time after which a request is sent again, to all replicas",
            kind: ParamKind::Duration,
            default: Some(ParamValue::Duration(defaults.retry_after)),
        },
        Param {
            name: "backoff",
            about: "whether that time doubles from one retransmission to the next",
            kind: ParamKind::Flag,
            default: Some(ParamValue::Flag(defaults.backoff)),
        },
        Param {
            name: "sessions",
            about: "requests that the client has on their way at once; to the replicas each is a client",
            kind: ParamKind::Count { min: 1, max: SESSIONS as u64 },
            default: Some(ParamValue::Count(defaults.sessions as u64)),
        },
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
        bug: Bug::from_name(params.choice("bug")),
    }
}

fn properties() -> Vec<PropertyInfo> {
    let safety =
        SAFETY.into_iter().map(|(name, about)| PropertyInfo { name, about, kind: PropertyKind::Safety });
    let sometimes = [
        ("pbft.view_change", "a replica gave up on a view"),
        ("pbft.checkpoint", "a checkpoint became stable"),
        ("pbft.state_transfer", "a replica installed the state of others"),
    ];
    let sometimes = sometimes.into_iter().map(|(name, about)| PropertyInfo {
        name,
        about,
        kind: PropertyKind::Sometimes,
    });
    safety.chain(sometimes).collect()
}

fn linearizable(workload: &str) -> String {
    format!("linearizable({workload})")
}

/// The judges of the protocol's properties.
#[derive(Clone, Debug)]
pub struct PbftOracles {
    consensus: ConsensusOracles,
    view_change: Seen,
    checkpoint: Seen,
    state_transfer: Seen,
    /// Names of the workloads' properties.
    workloads: Vec<String>,
}

impl Judge for PbftOracles {
    fn observe(&mut self, said: &Stamped) {
        self.consensus.observe(said);
        self.view_change.observe(said);
        self.checkpoint.observe(said);
        self.state_transfer.observe(said);
    }

    fn wants_stop(&self) -> bool {
        self.consensus.wants_stop()
    }
}

impl Oracles for PbftOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let verdicts = self.consensus.verdicts();
        let checked = self.consensus.checked();
        let record = |name: &str, index: usize| PropertyRecord {
            name: name.to_owned(),
            verdict: verdicts[index].clone().into(),
            checked: checked[index],
        };
        let seen = |name: &str, seen: &Seen| PropertyRecord {
            name: name.to_owned(),
            verdict: Verdict::Held,
            checked: seen.checked(),
        };
        let mut records: Vec<PropertyRecord> =
            SAFETY.iter().enumerate().map(|(index, (name, _))| record(name, index)).collect();
        records.push(seen("pbft.view_change", &self.view_change));
        records.push(seen("pbft.checkpoint", &self.checkpoint));
        records.push(seen("pbft.state_transfer", &self.state_transfer));
        records.extend(self.workloads.iter().map(|name| record(name, SAFETY.len())));
        records
    }
}
