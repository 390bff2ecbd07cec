//! How scenarios see the model.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{KindInfo, ModelInfo, Param, Problem, PropertyInfo, PropertyKind, Protocol, System};
use murphy_sim::{Message as _, Span};

use super::{Config, Hints, Options, Quorum, QuorumMessage, QuorumOracles};
use crate::replication::declare::{
    CONVERGENCE_TIME, choice, client, client_options, count, counter, flag, put_and_get, seen_by_clients,
    span, times,
};
use crate::replication::{Client, Targets};

const REPLICA: &str = "quorum.replica";
const CLIENT: &str = "quorum.client";
pub(super) const CONVERGED: &str = "quorum.converged";

impl Protocol for Quorum {
    type Process = Quorum;
    type Oracles = QuorumOracles;

    fn info() -> ModelInfo {
        let sampled = [
            counter("read_repairs", "replicas that a read found behind, and repaired"),
            counter("hints", "writes that a coordinator keeps for a replica that did not answer"),
            counter("handed_off", "hints that reached their replica"),
            counter("exchanged", "versions that anti-entropy brought to a replica"),
            times("replication_lag", "from a write's begin to its arrival at a replica"),
        ];
        let metrics = sampled.into_iter().chain(seen_by_clients()).chain([CONVERGENCE_TIME()]);
        ModelInfo {
            name: "quorum",
            about: "a quorum store after Dynamo: N copies, R answers to read, W to write, three kinds of repair",
            kinds: vec![
                KindInfo {
                    name: REPLICA,
                    about: "keeps every key, and coordinates requests; N is their number",
                    client: false,
                    params: replica_params(),
                },
                KindInfo {
                    name: CLIENT,
                    about: "sends any number of requests at a time",
                    client: true,
                    params: {
                        let mut params = client(Span::secs(1), Span::secs(2));
                        params.push(choice(
                            "coordinator",
                            "which replica it asks: the nearest by the roster of its site, or each in turn",
                            &["turn", "near"],
                        ));
                        params
                    },
                },
            ],
            messages: QuorumMessage::KINDS.to_vec(),
            operations: put_and_get(),
            metrics: metrics.collect(),
            properties: vec![PropertyInfo {
                name: CONVERGED,
                about: "the replicas come to the same state after the last fault",
                kind: PropertyKind::Convergence,
            }],
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let place = system.scenario.groups[0].place.clone();
        let n = system.of_kind(REPLICA).len() as u64;
        let problem = |message: String| vec![Problem { place: place.clone(), message }];
        if n == 0 {
            return problem(format!("the scenario has no {REPLICA}: its clients have nobody to ask"));
        }
        for node in system.nodes.iter().filter(|node| node.kind == REPLICA) {
            for key in ["read", "write"] {
                let quorum = node.params.count(key);
                if quorum > n {
                    return problem(format!("{key} = {quorum} needs {quorum} replicas, found {n}"));
                }
            }
        }
        Vec::new()
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let params = &node.params;
        if node.kind == CLIENT {
            let targets = if params.choice("coordinator") == "near" {
                Targets::follow(crate::replication::nearest(system, node, REPLICA))
            } else {
                Targets::spread(system.of_kind(REPLICA))
            };
            return Config::Client(Client::new(targets.clone(), targets, client_options(params)));
        }
        let quorum = |key| usize::try_from(params.count(key)).expect("a checked quorum is small");
        let options = Options {
            read: quorum("read"),
            write: quorum("write"),
            partial: params.flag("partial"),
            read_repair: params.flag("read_repair"),
            hints: match params.choice("hints") {
                "none" => Hints::None,
                "counted" => Hints::Counted,
                _ => Hints::Kept,
            },
            patience: params.duration("patience"),
            handoff_every: params.duration("handoff_every"),
            anti_entropy: params.duration("anti_entropy"),
            work: params.duration("work"),
        };
        Config::Replica { group: system.of_kind(REPLICA).into(), options }
    }

    fn oracles(system: &System) -> QuorumOracles {
        QuorumOracles::new(system)
    }
}

fn replica_params() -> Vec<Param> {
    vec![
        count("read", "replicas that must answer a read (R)", (1, 1000), 2),
        count("write", "replicas that must have a write (W)", (1, 1000), 2),
        flag(
            "partial",
            "whether a request goes to R or W replicas drawn at random, instead of to all",
            false,
        ),
        flag(
            "read_repair",
            "whether a read brings the newest version to replicas that answered with an older one",
            true,
        ),
        choice(
            "hints",
            "whether a coordinator keeps writes for replicas that do not answer (hinted handoff), and counts them",
            &["kept", "none", "counted"],
        ),
        span("patience", "time that a coordinator waits for replicas", Span::millis(200)),
        span("handoff_every", "time between two attempts to hand hints off", Span::secs(1)),
        span(
            "anti_entropy",
            "time between two comparisons with another replica; \"0s\" for none",
            Span::secs(2),
        ),
        span("work", "CPU time that a replica takes for a read or a write", Span::micros(100)),
    ]
}
