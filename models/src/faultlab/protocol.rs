//! How scenarios see the laboratory.

use std::sync::Arc;

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Dimension, KindInfo, MetricInfo, MetricKind, ModelInfo, OperationInfo, Param, Problem, PropertyInfo,
    PropertyKind, Protocol, System,
};
use murphy_sim::{Message as _, NodeId, Span};

use super::{Auth, ClientOptions, Config, Lab, LabMessage, LabOracles, ReplicaOptions};

const REPLICA: &str = "lab.replica";
const CLIENT: &str = "lab.client";
const METRICS: [(&str, &str); 10] = [
    ("corruptions_found", "damaged blocks that a sum found"),
    ("repairs", "damaged blocks that were fetched from another replica"),
    ("clock_backwards", "times that a replica's clock showed less than before"),
    ("clock_error", "difference of a replica's clock from true time"),
    ("writes_refused", "writes that a full disk refused"),
    ("denied", "requests refused for want of a good credential"),
    ("unchecked", "requests let through although nobody could check them"),
    ("misconfigured", "requests refused for a wrong configuration"),
    ("suspicions", "replicas that another one took for dead"),
    ("turned_away", "writes refused because no thread was free"),
];

impl Protocol for Lab {
    type Process = Lab;
    type Oracles = LabOracles;

    fn info() -> ModelInfo {
        ModelInfo {
            name: "lab",
            about: "a laboratory for faults: a replicated store that shows each kind in an outcome",
            kinds: vec![
                KindInfo::server(REPLICA, "keeps a copy of the store", replica_params()),
                KindInfo::client(CLIENT, "sends any number of requests at a time", client_params()),
            ],
            messages: LabMessage::KINDS.to_vec(),
            operations: vec![OperationInfo::write("put"), OperationInfo::read("get")],
            metrics: metrics(),
            properties: properties(),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let place = system.scenario.groups[0].place.clone();
        let n = system.of_kind(REPLICA).len() as u64;
        if n > 64 {
            let message = format!("a laboratory has at most 64 replicas, found {n}");
            return vec![Problem { place, message }];
        }
        if n == 0 {
            let message = format!("the scenario has no {REPLICA}: its clients have nobody to ask");
            return vec![Problem { place, message }];
        }
        let clients = system.nodes.iter().filter(|node| node.kind == CLIENT);
        let mut problems = Vec::new();
        for client in clients {
            for key in ["read", "write"] {
                let quorum = client.params.count(key);
                if quorum > n {
                    let place = system.scenario.groups[client.group].place.clone();
                    let message = format!("{key} = {quorum} needs {quorum} replicas, found {n}");
                    problems.push(Problem { place, message });
                }
            }
        }
        problems
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let replicas: Arc<[NodeId]> = system.of_kind(REPLICA).into();
        let first = system.nodes.iter().find(|node| node.kind == REPLICA).expect("a checked scenario");
        let checksum = first.params.flag("checksum");
        let params = &node.params;
        let quorum = |key| usize::try_from(params.count(key)).expect("a checked quorum is small");
        if node.kind == CLIENT {
            let timeout = params.duration("timeout");
            let (read, write, distinct) = (quorum("read"), quorum("write"), params.flag("distinct"));
            let connections = params.count("connections");
            let options = ClientOptions { read, write, timeout, checksum, distinct, connections };
            return Config::Client { replicas, options };
        }
        let auth = match params.choice("auth") {
            "closed" => Auth::Closed,
            "open" => Auth::Open,
            _ => Auth::None,
        };
        let options = ReplicaOptions {
            checksum: params.flag("checksum"),
            sync: params.flag("sync"),
            scrub: params.duration("scrub"),
            work: params.duration("work"),
            threads: params.count("threads"),
            auth,
        };
        Config::Replica { replicas, options }
    }

    fn oracles(_: &System) -> LabOracles {
        LabOracles::default()
    }
}

fn replica_params() -> Vec<Param> {
    vec![
        Param::flag("checksum", "whether sums are checked, on the disk and on the wire", true),
        Param::flag("sync", "whether a write is synced before it is acknowledged", true),
        Param::duration("scrub", "time between two checks of the whole disk; \"0s\" for none", Span::ZERO),
        Param::duration("work", "CPU time that a request takes", Span::micros(100)),
        Param::count("threads", "writes under way at a time; one more is refused", (1, 1_000_000), 1000),
        Param::choice("auth", "what happens to requests that cannot be checked", &["none", "closed", "open"]),
    ]
}

fn client_params() -> Vec<Param> {
    let connections = "requests under way at a time; others wait for one to end";
    vec![
        Param::count("read", "replicas that a read needs; with 1, only one is asked", (1, 1000), 2),
        Param::count("write", "replicas that a write needs", (1, 1000), 2),
        Param::duration("timeout", "time after which a request is given up", Span::secs(1)),
        Param::count("connections", connections, (1, 1_000_000), 1_000_000),
        Param::flag("distinct", "whether two answers of one replica count once", true),
    ]
}

fn metrics() -> Vec<MetricInfo> {
    let own = METRICS.into_iter().map(|(name, about)| {
        let error = name == "clock_error";
        let dimension = if error { Dimension::Time } else { Dimension::One };
        let kind = if error { MetricKind::Distribution } else { MetricKind::Counter };
        MetricInfo { name, about, dimension, kind }
    });
    let reads = [
        ("stale_reads", "reads that did not see an acknowledged write"),
        ("corrupt_reads", "reads that returned what nobody wrote"),
    ];
    let reads = reads.into_iter().map(|(name, about)| MetricInfo {
        name,
        about,
        dimension: Dimension::One,
        kind: MetricKind::Counter,
    });
    own.chain(reads).collect()
}

fn properties() -> Vec<PropertyInfo> {
    [
        ("lab.stale_read", "a read missed an acknowledged write"),
        ("lab.corrupt_read", "a read returned what nobody wrote"),
        ("lab.suspicion", "a replica took another for dead"),
    ]
    .into_iter()
    .map(|(name, about)| PropertyInfo { name, about, kind: PropertyKind::Sometimes })
    .collect()
}
