//! How scenarios see the protocol: kinds of nodes, parameters, operations, metrics, properties.

use murphy::{
    Dimension, Effect, KindInfo, Message, MetricInfo, MetricKind, ModelInfo, NodeSpec, OperationInfo, Param,
    ParamKind, ParamValue, Problem, PropertyInfo, PropertyKind, Protocol, Span, System,
};

use crate::judge::ChainOracles;
use crate::{Chain, Chat, Config};

const SERVER: &str = "chain.server";
const CLIENT: &str = "chain.client";
/// Place of `put` among the operations.
pub const PUT: u16 = 0;
pub const EFFECTS: [Effect; 2] = [Effect::Write, Effect::Read];
/// Place of `propagation` among the metrics.
pub const PROPAGATION: u16 = 0;

impl Protocol for Chain {
    type Process = Chain;
    type Oracles = ChainOracles;

    fn info() -> ModelInfo {
        let bug = Param {
            name: "bug",
            about: "stores whatever comes last, for the oracle to find",
            kind: ParamKind::Flag,
            default: Some(ParamValue::Flag(false)),
        };
        let retry_after = Param {
            name: "retry_after",
            about: "time after which a request is sent again",
            kind: ParamKind::Duration,
            default: Some(ParamValue::Duration(Span::millis(200))),
        };
        ModelInfo {
            name: "chain",
            about: "chain replication of a key-value store",
            kinds: vec![
                KindInfo { name: SERVER, about: "one link of the chain", client: false, params: vec![bug] },
                KindInfo { name: CLIENT, about: "puts and gets", client: true, params: vec![retry_after] },
            ],
            messages: Chat::KINDS.to_vec(),
            operations: vec![
                OperationInfo { name: "put", effect: EFFECTS[0] },
                OperationInfo { name: "get", effect: EFFECTS[1] },
            ],
            metrics: vec![MetricInfo {
                name: "propagation",
                about: "time from the arrival of a put to the tail",
                dimension: Dimension::Time,
                kind: MetricKind::Distribution,
            }],
            properties: vec![PropertyInfo {
                name: "chain.forward",
                about: "a server never replaces a version by an older one",
                kind: PropertyKind::Safety,
            }],
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        if system.of_kind(SERVER).is_empty() {
            let place = system.scenario.groups[0].place.clone();
            return vec![Problem { place, message: format!("a chain needs at least one {SERVER}") }];
        }
        Vec::new()
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let chain = system.of_kind(SERVER);
        if node.kind == SERVER {
            let place = chain.iter().position(|id| id.index() == node.index);
            let next = place.and_then(|place| chain.get(place + 1)).copied();
            Config::Server { next, bug: node.params.flag("bug") }
        } else {
            let retry_after = node.params.duration("retry_after");
            Config::Client { head: chain[0], tail: chain[chain.len() - 1], retry_after }
        }
    }

    fn oracles(system: &System) -> ChainOracles {
        ChainOracles::new(system)
    }
}
