//! How scenarios see the laboratory.

use std::sync::Arc;

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Dimension, Effect, KindInfo, MetricInfo, MetricKind, ModelInfo, OperationInfo, Param, ParamKind,
    ParamValue, Problem, PropertyInfo, PropertyKind, Protocol, System,
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
                KindInfo {
                    name: REPLICA,
                    about: "keeps a copy of the store",
                    client: false,
                    params: replica_params(),
                },
                KindInfo {
                    name: CLIENT,
                    about: "sends any number of requests at a time",
                    client: true,
                    params: client_params(),
                },
            ],
            messages: LabMessage::KINDS.to_vec(),
            operations: vec![
                OperationInfo { name: "put", effect: Effect::Write },
                OperationInfo { name: "get", effect: Effect::Read },
            ],
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

fn param(name: &'static str, about: &'static str, kind: ParamKind, default: ParamValue) -> Param {
    Param { name, about, kind, default: Some(default) }
}

fn replica_params() -> Vec<Param> {
    let span = |name, about, value| param(name, about, ParamKind::Duration, ParamValue::Duration(value));
    let flag = |name, about, value| param(name, about, ParamKind::Flag, ParamValue::Flag(value));
    let threads = ParamKind::Count { min: 1, max: 1_000_000 };
    let auth = ParamKind::Choice(&["none", "closed", "open"]);
    vec![
        flag("checksum", "whether sums are checked, on the disk and on the wire", true),
        flag("sync", "whether a write is synced before it is acknowledged", true),
        span("scrub", "time between two checks of the whole disk; \"0s\" for none", Span::ZERO),
        span("work", "CPU time that a request takes", Span::micros(100)),
        param("threads", "writes under way at a time; one more is refused", threads, ParamValue::Count(1000)),
        param("auth", "what happens to requests that cannot be checked", auth, ParamValue::Choice("none")),
    ]
}

fn client_params() -> Vec<Param> {
    let quorum =
        |name, about| param(name, about, ParamKind::Count { min: 1, max: 1000 }, ParamValue::Count(2));
    let connections = ParamKind::Count { min: 1, max: 1_000_000 };
    let (timeout, distinct) = (ParamValue::Duration(Span::secs(1)), ParamValue::Flag(true));
    vec![
        quorum("read", "replicas that a read needs; with 1, only one is asked"),
        quorum("write", "replicas that a write needs"),
        param("timeout", "time after which a request is given up", ParamKind::Duration, timeout),
        param(
            "connections",
            "requests under way at a time; others wait for one to end",
            connections,
            ParamValue::Count(1_000_000),
        ),
        param("distinct", "whether two answers of one replica count once", ParamKind::Flag, distinct),
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
