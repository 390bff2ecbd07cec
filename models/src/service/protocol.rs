//! How scenarios see the model: kinds of nodes, metrics, properties.

use std::sync::Arc;

use murphy_scenarios::language::{CONTROL, NodeSpec, SERVICE_CONTROL, SERVICE_REPLICA, SERVICE_USERS};
use murphy_scenarios::{
    Dimension, Effect, KindInfo, MetricInfo, MetricKind, ModelInfo, OperationInfo, Problem, PropertyInfo,
    PropertyKind, Protocol, System,
};
use murphy_sim::{Message as _, NodeId};

use super::measure::{AMPLIFICATION, COUNTERS, INSTANCES, SOMETIMES};
use super::plan::{self, node_id};
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
                kind(SERVICE_CONTROL, "the control plane of services that need one", false),
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
            !service && !users && system.scenario.groups[node.group].name != CONTROL
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
        let scenario = &system.scenario;
        let (plan, role) = (Plan::new(scenario), Role::of(scenario, node));
        let callers = if role == Role::Control { callers(system, &plan) } else { Arc::new([]) };
        let control = scenario.nodes.iter().find(|node| node.kind == SERVICE_CONTROL);
        let control = control.map(|node| node_id(node.index));
        Config { plan, role, zone: plan::zone(scenario, node.site), callers, control }
    }

    fn oracles(system: &System) -> ServiceOracles {
        let scenario = &system.scenario;
        let first = |group: usize| node_id(scenario.groups[group].nodes.start);
        let firsts = scenario.services.iter().map(|service| first(service.group)).collect();
        ServiceOracles::new(system.nodes.len(), firsts)
    }
}

/// By service: the nodes that call it.
fn callers(system: &System, plan: &Plan) -> Arc<[Vec<NodeId>]> {
    let mut callers = vec![Vec::new(); plan.services.len()];
    for node in &system.nodes {
        for service in plan.called_by(Role::of(&system.scenario, node)) {
            let of: &mut Vec<NodeId> = &mut callers[service];
            if of.last() != Some(&node_id(node.index)) {
                of.push(node_id(node.index));
            }
        }
    }
    callers.into()
}

fn kind(name: &'static str, about: &'static str, client: bool) -> KindInfo {
    KindInfo { name, about, client, params: Vec::new() }
}

/// The metrics; samples of the first five are taken by the nodes themselves.
fn metrics() -> Vec<MetricInfo> {
    let metric = |name, about, kind| MetricInfo { name, about, dimension: Dimension::One, kind };
    let mut metrics = vec![
        metric("queue_depth", "requests that wait at a replica, looked at every 100 ms", MetricKind::Gauge),
        metric("breaker_state", "0 closed, 1 half open, 2 open, at the caller", MetricKind::Gauge),
        metric("limit", "attempts that an adaptive limit lets be on their way at once", MetricKind::Gauge),
        metric(
            "completeness",
            "thousandths that are there of an answer to a user, of services that may answer in part",
            MetricKind::Distribution,
        ),
        MetricInfo {
            dimension: Dimension::Time,
            ..metric(
                "staleness",
                "age of the oldest part of an answer that is not fresh",
                MetricKind::Distribution,
            )
        },
    ];
    metrics.extend(COUNTERS.iter().map(|&(name, about)| metric(name, about, MetricKind::Counter)));
    metrics.push(metric(
        AMPLIFICATION,
        "attempts sent to a service for each request from outside, by second, at its first replica",
        MetricKind::Gauge,
    ));
    metrics.push(metric(
        INSTANCES,
        "instances of a service that serve, at its first replica",
        MetricKind::Gauge,
    ));
    metrics
}
