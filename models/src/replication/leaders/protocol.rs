//! How scenarios see the model.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Effect, KindInfo, MetricInfo, ModelInfo, OperationInfo, Param, Problem, PropertyInfo, PropertyKind,
    Protocol, System,
};
use murphy_sim::{Message as _, Span};

use super::{ADD, Config, Data, Leaders, LeadersMessage, LeadersOracles, Options, Owner, REMOVE};
use crate::replication::declare::{
    CONVERGENCE_TIME, choice, client, client_options, counter, put_and_get, safety, seen_by_clients, span,
    times,
};
use crate::replication::{Client, Targets, nearest};

const REPLICA: &str = "leaders.replica";
const CLIENT: &str = "leaders.client";

pub(super) const PROPERTIES: [(&str, &str); 3] = [
    ("leaders.converged", "the replicas come to the same state after the last fault"),
    ("leaders.counted", "at the end every copy of a counter shows what was acknowledged"),
    ("leaders.kept", "at the end every copy of a set has what was added after all its removes"),
];

/// What the oracle measures, in the order of its samples.
pub(super) const MEASURED: [fn() -> MetricInfo; 3] = [
    || counter("conflicts", "values of concurrent writes: dropped by the last one, or kept beside others"),
    || counter("miscounted", "how far copies of counters are from what was acknowledged, in all"),
    || counter("lost_elements", "elements missing in copies of sets, added after all their removes"),
];

impl Protocol for Leaders {
    type Process = Leaders;
    type Oracles = LeadersOracles;

    fn info() -> ModelInfo {
        let sampled = [
            times("replication_lag", "from a change on a replica's disk to its arrival at another"),
            counter("exchanged", "cells that anti-entropy sent"),
        ];
        let measured = MEASURED.iter().map(|info| info());
        let metrics =
            sampled.into_iter().chain(measured).chain(seen_by_clients()).chain([CONVERGENCE_TIME()]);
        let mut operations = put_and_get();
        operations.push(OperationInfo { name: "add", effect: Effect::Other });
        operations.push(OperationInfo { name: "remove", effect: Effect::Other });
        let mut client_params = client(Span::secs(1), Span::secs(2));
        client_params.push(choice(
            "reads",
            "where it reads; writes go the same way first",
            &["near", "first"],
        ));
        ModelInfo {
            name: "leaders",
            about: "active-active replication: every replica takes writes; last-write-wins or data types that merge",
            kinds: vec![
                KindInfo {
                    name: REPLICA,
                    about: "takes writes, and merges",
                    client: false,
                    params: replica_params(),
                },
                KindInfo {
                    name: CLIENT,
                    about: "asks the replica of its own site first; adds and removes are sent once",
                    client: true,
                    params: client_params,
                },
            ],
            messages: LeadersMessage::KINDS.to_vec(),
            operations,
            metrics: metrics.collect(),
            properties: vec![
                PropertyInfo {
                    name: PROPERTIES[0].0,
                    about: PROPERTIES[0].1,
                    kind: PropertyKind::Convergence,
                },
                safety(PROPERTIES[1].0, PROPERTIES[1].1),
                safety(PROPERTIES[2].0, PROPERTIES[2].1),
            ],
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let place = system.scenario.groups[0].place.clone();
        let problem = |message: String| vec![Problem { place: place.clone(), message }];
        let Some(first) = system.nodes.iter().find(|node| node.kind == REPLICA) else {
            return problem(format!("the scenario has no {REPLICA}: its clients have nobody to ask"));
        };
        if let Some(other) =
            system.nodes.iter().find(|node| node.kind == REPLICA && node.params != first.params)
        {
            return problem(format!("all replicas have the same params, but those of {} differ", other.name));
        }
        let word = first.params.choice("data");
        for operation in system.scenario.workloads.iter().flat_map(|workload| &workload.ops) {
            let kind = ["put", "get", "add", "remove"].iter().position(|name| *name == operation.name);
            let kind = kind.and_then(|kind| u16::try_from(kind).ok()).unwrap_or(0);
            if !Data::from_word(word).takes(kind) {
                return problem(format!("data = \"{word}\" has no operation `{}`", operation.name));
            }
        }
        Vec::new()
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let params = &node.params;
        if node.kind == CLIENT {
            let near = if params.choice("reads") == "near" {
                Targets::follow(nearest(system, node, REPLICA))
            } else {
                Targets::follow(system.of_kind(REPLICA))
            };
            let client = Client::new(near.clone(), near, client_options(params));
            return Config::Client(client.repeating(|kind| kind != ADD && kind != REMOVE));
        }
        let owner = match params.choice("owner") {
            "key" => Owner::Key,
            "first" => Owner::First,
            _ => Owner::Any,
        };
        let options = Options {
            data: Data::from_word(params.choice("data")),
            owner,
            hybrid: params.choice("clock") == "hybrid",
            ship_every: params.duration("ship_every"),
            anti_entropy: params.duration("anti_entropy"),
            work: params.duration("work"),
            by_sum: params.choice("bug") == "merge-by-sum",
        };
        Config::Replica { group: system.of_kind(REPLICA).into(), options }
    }

    fn oracles(system: &System) -> LeadersOracles {
        let first = system.nodes.iter().find(|node| node.kind == REPLICA).expect("a checked scenario");
        LeadersOracles::new(system, Data::from_word(first.params.choice("data")))
    }
}

fn replica_params() -> Vec<Param> {
    vec![
        choice("data", "what a key holds", &Data::WORDS),
        choice(
            "owner",
            "which replica takes the writes of a key: any, one dealt out by key, or the first",
            &["any", "key", "first"],
        ),
        choice(
            "clock",
            "what stamps writes: the wall clock, or one that never goes behind a stamp it has seen",
            &["wall", "hybrid"],
        ),
        span("ship_every", "time from a change until it is sent, with all that changed by then", Span::ZERO),
        span(
            "anti_entropy",
            "time between two comparisons with another replica; \"0s\" for none",
            Span::secs(2),
        ),
        span("work", "CPU time of a request", Span::micros(100)),
        choice("bug", "a planted bug, for the oracles to find", &["none", "merge-by-sum"]),
    ]
}
