//! How scenarios see the model: kinds of nodes, metrics, properties.

use murphy_scenarios::language::{NodeSpec, SERVICE_REPLICA, SERVICE_USERS};
use murphy_scenarios::{
    Dimension, Effect, KindInfo, MetricInfo, MetricKind, ModelInfo, OperationInfo, Problem, PropertyInfo,
    PropertyKind, Protocol, System,
};
use murphy_sim::Message as _;

use super::measure::{AMPLIFICATION, COUNTERS, SOMETIMES};
use super::plan::node_id;
use super::{Config, Plan, Role, Service, ServiceMessage, ServiceOracles};

impl Protocol for Service {
    type Process = Service;
    type Oracles = ServiceOracles;

    fn info() -> ModelInfo {
        let property = |&(name, about, _): &(&'static str, &'static str, _)| PropertyInfo {
            name,
            about,
            kind: PropertyKind::Sometimes,
        };
        ModelInfo {
            name: "service",
            about: "services that call one another under policies: [[service]] and [policy.NAME] tables",
            kinds: vec![
                kind(SERVICE_REPLICA, "a replica of a service; [[service]] makes them", false),
                kind(SERVICE_USERS, "the users of a workload that comes from outside", true),
            ],
            messages: ServiceMessage::KINDS.to_vec(),
            operations: vec![OperationInfo { name: "call", effect: Effect::Other }],
            metrics: metrics(),
            properties: SOMETIMES.iter().map(property).collect(),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let made = |node: &&NodeSpec| system.scenario.groups[node.group].name != node.name;
        let by_hand = system.nodes.iter().find(|node| {
            let service = system.scenario.services.iter().any(|service| service.group == node.group);
            let users = system.scenario.workloads.iter().any(|workload| {
                workload.to.is_some() && workload.from == [system.scenario.groups[node.group].nodes.start]
            });
            !service && !users
        });
        let Some(node) = by_hand.filter(|node| made(node) || node.kind == SERVICE_REPLICA || node.client)
        else {
            return Vec::new();
        };
        let place = system.scenario.groups[node.group].place.clone();
        let message = format!("a {} is not declared as a node: write a [[service]] table", node.kind);
        vec![Problem { place, message }]
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        Config { plan: Plan::new(&system.scenario), role: Role::of(&system.scenario, node) }
    }

    fn oracles(system: &System) -> ServiceOracles {
        let scenario = &system.scenario;
        let first = |group: usize| node_id(scenario.groups[group].nodes.start);
        let firsts = scenario.services.iter().map(|service| first(service.group)).collect();
        ServiceOracles::new(system.nodes.len(), firsts)
    }
}

fn kind(name: &'static str, about: &'static str, client: bool) -> KindInfo {
    KindInfo { name, about, client, params: Vec::new() }
}

/// The metrics; samples of the first three are taken by the nodes themselves.
fn metrics() -> Vec<MetricInfo> {
    let metric = |name, about, kind| MetricInfo { name, about, dimension: Dimension::One, kind };
    let mut metrics = vec![
        metric("queue_depth", "requests that wait at a replica, looked at every 100 ms", MetricKind::Gauge),
        metric("breaker_state", "0 closed, 1 half open, 2 open, at the caller", MetricKind::Gauge),
        metric("limit", "attempts that an adaptive limit lets be on their way at once", MetricKind::Gauge),
    ];
    metrics.extend(COUNTERS.iter().map(|&(name, about)| metric(name, about, MetricKind::Counter)));
    metrics.push(metric(
        AMPLIFICATION,
        "attempts sent to a service for each request from outside, by second, at its first replica",
        MetricKind::Gauge,
    ));
    metrics
}
