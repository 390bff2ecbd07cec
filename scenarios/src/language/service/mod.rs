//! Services that call one another: `[[service]]`, `[policy.NAME]`, and workloads from outside.

mod cache;
mod conduct;
mod fleet;
mod policy;
mod spec;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::diagnostic::{At, Diagnostic, Sources};
use super::fields::{Count, Fields, Located, Name, Patterns, Probability, Table};
use super::scenario::{ClockSpec, GroupSpec, LawSpec, NodeSpec};
use super::tables::{CpuPart, MAX_NODES, NodeTable, WorkloadTable};
use crate::describe::{ModelInfo, Params};

pub use cache::CacheSpec;
pub use fleet::CONTROL;
pub(crate) use fleet::RolloutTable;
pub use fleet::{
    ColdSpec, FleetSpec, HealthSpec, OutlierSpec, RolloutSpec, SERVICE_CONTROL, ScaleSpec, Strategy,
};
pub(crate) use policy::Policies;
pub use policy::{
    BackoffKind, BackoffSpec, BreakerSpec, BreakerWindow, BudgetSpec, ConnectSpec, FallbackSpec, Jitter,
    Layer, Level, Library, LimitSpec, PolicySpec, RateLimitKind, RateLimitSpec, RetryOn, ThrottleSpec,
    ToggleSpec, libraries, policy_keys,
};
pub use spec::{
    Balancer, CallSpec, ConductSpec, Priority, QueueOrder, QueueSpec, SERVICE_REPLICA, SERVICE_USERS,
    ServiceSpec,
};

/// Most requests that one replica works on, or lets wait, at once.
const MAX_JOBS: u64 = 100_000_000;

/// `[[service]]`.
pub(crate) struct ServiceTable {
    /// The nodes that it makes.
    pub(crate) node: NodeTable,
    concurrency: u64,
    queue: QueueSpec,
    work: LawSpec,
    contention: murphy_sim::Span,
    calls: Vec<CallTable>,
    balancer: Balancer,
    drop_expired: bool,
    partial: f64,
    conduct: ConductSpec,
    fleet: FleetSpec,
}

impl Table for ServiceTable {
    const WHAT: &'static str = "[[service]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ServiceTable {
        let name = fields.required("name", "name; its replicas are name0, name1, …");
        let replicas: Count<1, MAX_NODES> = fields.default("replicas", "number of replicas", "1");
        let sites: Option<Patterns> = fields.optional("sites", "where the replicas sit, in turn");
        let cpu: Option<CpuPart> = fields.optional("cpu", "costs that differ from [cpu]");
        let concurrency: Count<1, MAX_JOBS> =
            fields.default("concurrency", "requests that a replica works on at once", "1");
        let fleet = FleetSpec::read(fields);
        let partial: Probability = fields.default(
            "partial",
            "share of its answers that have only the first half of what they should",
            "0.0",
        );
        let node = NodeTable {
            miscounted: false,
            name,
            count: Some(replicas.0 + fleet.spares),
            kind: Some((SERVICE_REPLICA, false)),
            sites,
            params: Params::default(),
            cpu,
            disk: None,
            clock: ClockSpec::default(),
        };
        ServiceTable {
            node,
            concurrency: concurrency.0,
            queue: fields.section("queue", "where requests wait for a worker"),
            work: fields.required("work", "time that the work of a request takes"),
            contention: fields.default(
                "contention",
                "added to the work for each request in work, itself included",
                "\"0s\"",
            ),
            calls: fields.list("calls", "calls that a request makes after its work, in order"),
            balancer: balancer(fields),
            drop_expired: fields.default(
                "drop_expired",
                "requests whose deadline has passed are dropped when their turn comes",
                "false",
            ),
            partial: partial.0,
            conduct: conduct::conduct(fields),
            fleet,
        }
    }
}

fn balancer(fields: &mut Fields<'_, '_, '_>) -> Balancer {
    const WORDS: &[&str] = &["power-of-two", "least-outstanding", "round-robin", "random"];
    match fields.choice("balancer", "how callers choose a replica", WORDS, "power-of-two") {
        "random" => Balancer::Random,
        "least-outstanding" => Balancer::LeastOutstanding,
        "round-robin" => Balancer::RoundRobin,
        _ => Balancer::PowerOfTwo,
    }
}

impl Table for QueueSpec {
    const WHAT: &'static str = "queue";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> QueueSpec {
        let bound: Option<Count<0, MAX_JOBS>> =
            fields.optional("bound", "requests that may wait; more are refused. No bound without");
        let order = fields.choice("order", "which one is next", &["fifo", "lifo", "priority"], "fifo");
        QueueSpec {
            bound: bound.map(|bound| bound.0),
            order: match order {
                "lifo" => QueueOrder::Lifo,
                "priority" => QueueOrder::Priority,
                _ => QueueOrder::Fifo,
            },
        }
    }
}

/// One of a service's `calls`.
struct CallTable {
    to: Located<String>,
    policy: Option<Located<String>>,
    optional: bool,
    group: String,
    scatter: bool,
    cache: Option<CacheSpec>,
}

impl Table for CallTable {
    const WHAT: &'static str = "calls";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> CallTable {
        let group: Option<Name> = fields.optional("group", "neighbours of the same group are called at once");
        CallTable {
            to: fields.required("to", "the service that is called"),
            policy: fields.optional("policy", "how it is called; without, the caller waits for ever"),
            optional: fields.default("optional", "the request succeeds without it", "false"),
            group: group.map(|group| group.0).unwrap_or_default(),
            scatter: fields.default(
                "scatter",
                "every replica of it holds a part, and all are asked",
                "false",
            ),
            cache: fields.optional("cache", "answers that each replica keeps, by key"),
        }
    }
}

/// What services and their users add to a scenario while it is resolved.
pub(crate) struct Services<'f> {
    tables: &'f [ServiceTable],
    policies: &'f Policies,
    sources: &'f Arc<Sources>,
}

impl<'f> Services<'f> {
    pub(crate) fn new(
        tables: &'f [ServiceTable],
        policies: &'f Policies,
        sources: &'f Arc<Sources>,
    ) -> Services<'f> {
        Services { tables, policies, sources }
    }

    /// Whether a model simulates services, if there are any.
    pub(crate) fn simulated(&self, models: &[ModelInfo], found: &mut Vec<Diagnostic>) {
        let Some(first) = self.tables.first() else { return };
        let mut kinds = models.iter().flat_map(|model| &model.kinds);
        if !kinds.any(|kind| kind.name == SERVICE_REPLICA) {
            let title = "no model of this program simulates services";
            found.push(Diagnostic::new(first.node.name.at, title, "a service"));
        }
    }

    /// What the tables mean; the replicas of service `i` are the group `first + i`.
    pub(crate) fn specs(&self, first: usize, found: &mut Vec<Diagnostic>) -> Vec<ServiceSpec> {
        let specs = self.tables.iter().enumerate();
        specs.map(|(index, table)| self.spec(table, first + index, found)).collect()
    }

    fn spec(&self, table: &ServiceTable, group: usize, found: &mut Vec<Diagnostic>) -> ServiceSpec {
        let calls = table.calls.iter().map(|call| CallSpec {
            to: self.service(&call.to, found).unwrap_or(0),
            policy: call.policy.as_ref().and_then(|policy| self.policy(policy, found)),
            optional: call.optional,
            group: call.group.clone(),
            scatter: call.scatter,
            cache: call.cache,
        });
        ServiceSpec {
            name: table.node.name.value.0.clone(),
            group,
            concurrency: table.concurrency,
            queue: table.queue,
            work: table.work.clone(),
            contention: table.contention,
            calls: calls.collect(),
            balancer: table.balancer,
            drop_expired: table.drop_expired,
            partial: table.partial,
            conduct: table.conduct.clone(),
            fleet: table.fleet.clone(),
            place: self.sources.place(table.node.name.at),
        }
    }

    /// The policies, in file order.
    pub(crate) fn policies(&self) -> Vec<PolicySpec> {
        self.policies.0.iter().map(|policy| policy.value.clone()).collect()
    }

    /// The service that a text names.
    fn service(&self, name: &Located<String>, found: &mut Vec<Diagnostic>) -> Option<usize> {
        let names: Vec<&str> = self.tables.iter().map(|table| table.node.name.value.0.as_str()).collect();
        named(name, &names, "service", "services", found)
    }

    fn policy(&self, name: &Located<String>, found: &mut Vec<Diagnostic>) -> Option<usize> {
        let names: Vec<&str> = self.policies.0.iter().map(|policy| policy.value.name.as_str()).collect();
        named(name, &names, "policy", "policies", found)
    }

    /// The service that a workload asks, and the policy of its users.
    pub(crate) fn asked(
        &self,
        table: &WorkloadTable,
        found: &mut Vec<Diagnostic>,
    ) -> (Option<usize>, Option<usize>) {
        let to = table.to.as_ref().and_then(|to| self.service(to, found));
        (to, table.policy.as_ref().and_then(|policy| self.policy(policy, found)))
    }

    /// The node from which a workload comes that asks a service from outside. It sits where the
    /// service's first replica sits.
    pub(crate) fn users(
        &self,
        workload: &WorkloadTable,
        to: usize,
        groups: &mut Vec<GroupSpec>,
        nodes: &mut Vec<NodeSpec>,
    ) {
        let service = self.tables[to].node.name.value.0.as_str();
        let replicas = groups.iter().find(|group| group.name == service);
        let Some(replica) = replicas.and_then(|group| nodes.get(group.nodes.start)) else { return };
        let name = outside(&workload.name.value.0);
        let users = NodeSpec {
            index: nodes.len(),
            name: name.clone(),
            group: groups.len(),
            kind: SERVICE_USERS,
            client: true,
            ..replica.clone()
        };
        groups.push(GroupSpec {
            name,
            kind: SERVICE_USERS,
            nodes: nodes.len()..nodes.len() + 1,
            place: self.sources.place(workload.name.at),
        });
        nodes.push(users);
    }
}

impl Services<'_> {
    /// New versions, in file order.
    pub(crate) fn rollouts(&self, tables: &[RolloutTable], found: &mut Vec<Diagnostic>) -> Vec<RolloutSpec> {
        let mut rollouts = Vec::new();
        for table in tables {
            let Some(service) = self.service(&table.service, found) else { continue };
            let rollout = table.resolve(service, self.sources);
            let fleet = &self.tables[service].fleet;
            if rollout.gate.is_some() && fleet.health.is_none() {
                let title = format!("nobody sees how `{}` does", table.service.value);
                let wrong = Diagnostic::new(table.name.at, title, "a gate needs reports");
                found.push(wrong.help("give the service `health = {}`: its checks report what failed"));
            }
            rollouts.push(rollout);
        }
        rollouts
    }

    /// The node of the control plane, if it has anything to do. It sits where the first service does.
    pub(crate) fn control(
        &self,
        rollouts: &[RolloutSpec],
        groups: &mut Vec<GroupSpec>,
        nodes: &mut Vec<NodeSpec>,
        found: &mut Vec<Diagnostic>,
    ) {
        let managed = self.tables.iter().any(|table| table.fleet.is_managed()) || !rollouts.is_empty();
        let Some(first) = self.tables.first().filter(|_| managed) else { return };
        if groups.iter().any(|group| group.name == CONTROL) {
            let title = format!("`{CONTROL}` is the name of the control plane");
            found.push(Diagnostic::new(first.node.name.at, title, "which this service needs"));
            return;
        }
        let replicas = groups.iter().find(|group| group.name == first.node.name.value.0);
        let Some(replica) = replicas.and_then(|group| nodes.get(group.nodes.start)) else { return };
        let node = NodeSpec {
            index: nodes.len(),
            name: CONTROL.to_owned(),
            group: groups.len(),
            kind: SERVICE_CONTROL,
            ..replica.clone()
        };
        groups.push(GroupSpec {
            name: CONTROL.to_owned(),
            kind: SERVICE_CONTROL,
            nodes: nodes.len()..nodes.len() + 1,
            place: self.sources.place(first.node.name.at),
        });
        nodes.push(node);
    }
}

/// Name of the node of a workload's users.
pub(crate) fn outside(workload: &str) -> String {
    format!("outside({workload})")
}

/// Where a name stands in a list.
fn named(
    name: &Located<String>,
    names: &[&str],
    what: &str,
    many: &str,
    found: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let index = names.iter().position(|known| *known == name.value);
    if index.is_none() {
        let title = format!("no {what} is called `{}`", name.value);
        let wrong = Diagnostic::new(name.at, title, format!("not a {what}"));
        found.push(wrong.suggest(&name.value, many, names));
    }
    index
}

/// Services that call each other in a circle would never answer.
pub(crate) fn acyclic(services: &[ServiceSpec], tables: &[ServiceTable], found: &mut Vec<Diagnostic>) {
    for (start, service) in services.iter().enumerate() {
        let mut seen = BTreeSet::new();
        let mut next: Vec<usize> = service.calls.iter().map(|call| call.to).collect();
        while let Some(index) = next.pop() {
            if index == start {
                let title = format!("`{}` calls itself, directly or through others", service.name);
                let at: At = tables[start].node.name.at;
                found.push(Diagnostic::new(at, title, "a circle of calls"));
                return;
            }
            if seen.insert(index) {
                next.extend(services[index].calls.iter().map(|call| call.to));
            }
        }
    }
}

/// Reads `priority` of a workload.
pub(crate) fn priority(fields: &mut Fields<'_, '_, '_>) -> Priority {
    const WORDS: &[&str] = &["critical", "high", "medium", "low"];
    match fields.choice("priority", "importance of its requests to services", WORDS, "medium") {
        "critical" => Priority::Critical,
        "high" => Priority::High,
        "low" => Priority::Low,
        _ => Priority::Medium,
    }
}

/// Reads `to` and `policy` of a workload.
pub(crate) fn workload_keys(
    fields: &mut Fields<'_, '_, '_>,
) -> (Option<Located<String>>, Option<Located<String>>) {
    let to = fields.optional("to", "the service that users outside ask");
    let policy: Option<Located<String>> = fields.optional("policy", "how users call it; needs `to`");
    if let (Some(policy), None) = (&policy, &to) {
        let title = "a workload without `to` calls no service";
        fields.error(Diagnostic::new(policy.at, title, "needs `to`"));
    }
    (to, policy)
}
