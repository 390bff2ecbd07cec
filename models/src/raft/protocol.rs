//! How scenarios see the protocol: kinds of nodes, parameters, properties.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    KindInfo, ModelInfo, Param, ParamKind, ParamValue, Params, Problem, Protocol, System,
};
use murphy_sim::{Fact, Message as _};

use super::{Bug, Change, Config, Options, Raft, RaftMessage, Reads, own};
use crate::consensus::{
    self, Ask, Believe, Group, ReplicationOracles, Sometimes, choice, client_kind, client_options, count,
    flag, own::MEMBERS, properties, span,
};

const REPLICA: &str = "raft.replica";
const CLIENT: &str = "raft.client";
const PROPERTIES: [(&str, &str); 8] = properties!("raft");
const SOMETIMES: [Sometimes; 8] = [
    Sometimes {
        name: "raft.election",
        about: "a leader took over a log from another",
        matches: |fact| matches!(fact, Fact::Own { kind: own::SUCCEEDED, .. }),
    },
    Sometimes {
        name: "raft.truncation",
        about: "a follower replaced entries that conflicted with its leader's",
        matches: |fact| matches!(fact, Fact::Own { kind: own::TRUNCATED, .. }),
    },
    Sometimes {
        name: "raft.step_down",
        about: "a leader stepped down because a majority no longer answered it",
        matches: |fact| matches!(fact, Fact::Own { kind: own::STEPPED_DOWN, .. }),
    },
    Sometimes {
        name: "raft.snapshot",
        about: "a replica took a snapshot",
        matches: |fact| matches!(fact, Fact::Stable { .. }),
    },
    Sometimes {
        name: "raft.install",
        about: "a replica installed its leader's snapshot",
        matches: |fact| matches!(fact, Fact::Install { .. }),
    },
    Sometimes {
        name: "raft.membership",
        about: "the members changed",
        matches: |fact| matches!(fact, Fact::Own { kind: MEMBERS, .. }),
    },
    Sometimes {
        name: "raft.read_index",
        about: "a leader answered a read by read index",
        matches: |fact| matches!(fact, Fact::Own { kind: own::READ_INDEX, .. }),
    },
    Sometimes {
        name: "raft.lease_read",
        about: "a leader answered a read by its lease",
        matches: |fact| matches!(fact, Fact::Own { kind: own::LEASE_READ, .. }),
    },
];

impl Protocol for Raft {
    type Process = Raft;
    type Oracles = ReplicationOracles;

    fn info() -> ModelInfo {
        ModelInfo {
            name: "raft",
            about: "Raft (Ongaro & Ousterhout 2014): a replicated key-value store",
            kinds: vec![
                KindInfo {
                    name: REPLICA,
                    about: "keeps a copy of the store",
                    client: false,
                    params: replica_params(),
                },
                client_kind(CLIENT),
            ],
            messages: RaftMessage::KINDS.to_vec(),
            operations: consensus::operations(),
            metrics: consensus::metrics(),
            properties: ReplicationOracles::declare(&PROPERTIES, &SOMETIMES),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let Some(first) = system.nodes.iter().find(|node| node.kind == REPLICA) else {
            let place = system.scenario.groups[0].place.clone();
            let message = format!("the scenario has no {REPLICA}: its clients have nobody to ask");
            return vec![Problem { place, message }];
        };
        let problem = |node: &NodeSpec, message| {
            let place = system.scenario.groups[node.group].place.clone();
            Problem { place, message }
        };
        let mut problems = Vec::new();
        let n = system.of_kind(REPLICA).len();
        if n > 64 {
            problems.push(problem(first, format!("a group has at most 64 replicas, found {n}")));
        }
        let members = first.params.count("members");
        if members > n as u64 {
            let message = format!("members = {members} needs at least {members} replicas, found {n}");
            problems.push(problem(first, message));
        }
        let (timeout, heartbeat) =
            (first.params.duration("election_timeout"), first.params.duration("heartbeat"));
        if heartbeat >= timeout {
            let message = format!("heartbeat = {heartbeat} must be less than election_timeout = {timeout}");
            problems.push(problem(first, message));
        }
        if first.params.choice("reads") == "lease" && !first.params.flag("sticky") {
            let message = "reads = \"lease\" needs sticky = true: a lease is a promise to give no votes";
            problems.push(problem(first, message.to_owned()));
        }
        let mut replicas = system.nodes.iter().filter(|node| node.kind == REPLICA);
        if let Some(other) = replicas.find(|node| node.params != first.params) {
            let message =
                format!("all replicas of a group have the same params, but those of {} differ", other.name);
            problems.push(problem(other, message));
        }
        problems
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let replicas = system.of_kind(REPLICA);
        let group = Group::new(&replicas, Some((replicas.len() - 1) / 2));
        if node.kind == REPLICA {
            Config::Replica { group, options: options(&node.params) }
        } else {
            Config::Client { group, options: client_options(&node.params, Ask::Leader, Believe::One) }
        }
    }

    fn oracles(system: &System) -> ReplicationOracles {
        ReplicationOracles::new(system, &PROPERTIES, &SOMETIMES)
    }
}

fn replica_params() -> Vec<Param> {
    let defaults = Options::default();
    let drift = Param {
        name: "drift_bound",
        about: "share by which two clocks may run apart, for leases",
        kind: ParamKind::Number { min: 0.0, max: 0.9 },
        default: Some(ParamValue::Number(defaults.drift_bound)),
    };
    vec![
        span(
            "election_timeout",
            "least time without a leader after which a follower asks for votes; the most is twice that",
            defaults.election_timeout,
        ),
        span("heartbeat", "time between two signs of life of a leader", defaults.heartbeat),
        flag("pre_vote", "whether a replica asks if it could win before an election", defaults.pre_vote),
        flag("sticky", "whether a replica that hears from a leader gives no votes", defaults.sticky),
        count("snapshot_every", "entries between two snapshots", (1, 1 << 20), defaults.snapshot_every),
        count("trailing", "entries that stay in the log behind a snapshot", (0, 1 << 20), defaults.trailing),
        count("batch_max", "most entries in a message", (1, 1 << 16), defaults.batch_max as u64),
        count("window", "entries that a follower may have unacknowledged", (1, 1 << 16), defaults.window),
        choice("reads", "how reads are answered", &["index", "lease", "log"]),
        drift,
        count("members", "replicas that vote at the start, the first ones; 0 for all", (0, 64), 0),
        span(
            "reconfigure",
            "mean time between two changes of the members; \"0s\" for none",
            defaults.reconfigure,
        ),
        choice("change", "how the members change", &["single", "joint"]),
        choice("bug", "a planted bug, for the oracles to find", Bug::CHOICES),
    ]
}

fn options(params: &Params) -> Options {
    let size = |name| usize::try_from(params.count(name)).expect("a checked count is small");
    Options {
        election_timeout: params.duration("election_timeout"),
        heartbeat: params.duration("heartbeat"),
        pre_vote: params.flag("pre_vote"),
        sticky: params.flag("sticky"),
        snapshot_every: params.count("snapshot_every"),
        trailing: params.count("trailing"),
        batch_max: size("batch_max"),
        window: params.count("window"),
        reads: match params.choice("reads") {
            "log" => Reads::Log,
            "lease" => Reads::Lease,
            _ => Reads::Index,
        },
        drift_bound: params.number("drift_bound"),
        members: if size("members") == 0 { usize::MAX } else { size("members") },
        reconfigure: params.duration("reconfigure"),
        change: if params.choice("change") == "joint" { Change::Joint } else { Change::Single },
        bug: Bug::from_name(params.choice("bug")),
    }
}
