//! The system of services as its nodes know it: names are indices, laws are the engine's.

use std::sync::Arc;

use murphy_scenarios::language::{
    Balancer, CallSpec, ConductSpec, PolicySpec, QueueSpec, SERVICE_REPLICA, SERVICE_USERS, Scenario,
    ServiceSpec,
};
use murphy_sim::{Law, NodeId, Span};

/// All services, and how they are called.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The services, in file order.
    pub services: Vec<Service>,
    /// What the users of each workload call; `None` for a workload of another kind.
    pub users: Vec<Option<Users>>,
}

/// One service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its replicas.
    pub replicas: Vec<NodeId>,
    /// Requests that a replica works on at once.
    pub concurrency: u64,
    /// Where requests wait.
    pub queue: QueueSpec,
    /// Time that the work of a request takes at full speed.
    pub work: Law,
    /// Added to it for each request that the replica works on.
    pub contention: Span,
    /// Whether requests whose deadline has passed are dropped when their turn comes.
    pub drop_expired: bool,
    /// How it fails, and what its work leaves behind.
    pub conduct: ConductSpec,
    /// Calls that a request makes after its work.
    pub calls: Arc<[Dependency]>,
}

/// The users of a workload.
#[derive(Clone, Debug)]
pub struct Users {
    /// The one service that they call.
    pub calls: Arc<[Dependency]>,
    /// A reply after this long is of no use to them.
    pub deadline: Span,
    /// Importance of their requests: 0 critical, 1 high, 2 medium, 3 low.
    pub priority: u8,
}

/// How one service, or the users, call another.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Whom.
    pub service: usize,
    /// Its replicas.
    pub replicas: Vec<NodeId>,
    /// How a replica is chosen.
    pub balancer: Balancer,
    /// The policy.
    pub policy: PolicySpec,
    /// Whether the request succeeds without it.
    pub optional: bool,
    /// Whether it is called at once with the one before.
    pub joined: bool,
}

impl Plan {
    /// The plan of a scenario.
    pub fn new(scenario: &Scenario) -> Arc<Plan> {
        let services = scenario.services.iter().map(|spec| service(scenario, spec)).collect();
        let users = scenario.workloads.iter().map(|workload| {
            let call =
                CallSpec { to: workload.to?, policy: workload.policy, optional: false, group: String::new() };
            let calls = [dependency(scenario, &call, false)].into();
            Some(Users { calls, deadline: workload.deadline, priority: workload.priority as u8 })
        });
        Arc::new(Plan { services, users: users.collect() })
    }
}

fn service(scenario: &Scenario, spec: &ServiceSpec) -> Service {
    let joined = |index: usize, call: &CallSpec| {
        index > 0 && !call.group.is_empty() && spec.calls[index - 1].group == call.group
    };
    let calls = spec.calls.iter().enumerate();
    Service {
        replicas: replicas(scenario, spec),
        concurrency: spec.concurrency,
        queue: spec.queue,
        work: Law::from(&spec.work),
        contention: spec.contention,
        drop_expired: spec.drop_expired,
        conduct: spec.conduct.clone(),
        calls: calls.map(|(index, call)| dependency(scenario, call, joined(index, call))).collect(),
    }
}

fn dependency(scenario: &Scenario, call: &CallSpec, joined: bool) -> Dependency {
    let callee = &scenario.services[call.to];
    Dependency {
        service: call.to,
        replicas: replicas(scenario, callee),
        balancer: callee.balancer,
        policy: call.policy.map_or_else(PolicySpec::patient, |policy| scenario.policies[policy].clone()),
        optional: call.optional,
        joined,
    }
}

fn replicas(scenario: &Scenario, spec: &ServiceSpec) -> Vec<NodeId> {
    scenario.groups[spec.group].nodes.clone().map(node_id).collect()
}

pub(crate) fn node_id(index: usize) -> NodeId {
    NodeId(u32::try_from(index).expect("a checked scenario has fewer than 2^32 nodes"))
}

/// What a node is: a replica of a service, or the users of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A replica.
    Replica {
        /// Of which service.
        service: usize,
        /// Its number within the service.
        ordinal: usize,
    },
    /// The users of a workload.
    Users {
        /// Which workload.
        workload: usize,
    },
}

impl Role {
    /// The role of a node of the roster: a replica's by its place, the users' by their group.
    pub(crate) fn of(scenario: &Scenario, node: &murphy_scenarios::language::NodeSpec) -> Role {
        if node.kind == SERVICE_REPLICA {
            let service = scenario.services.iter().position(|service| service.group == node.group);
            let service = service.expect("a replica belongs to a service");
            return Role::Replica { service, ordinal: node.index - scenario.groups[node.group].nodes.start };
        }
        assert!(node.kind == SERVICE_USERS, "`{}` is no kind of this model", node.kind);
        let users = scenario.groups[node.group].nodes.start;
        let workload = scenario.workloads.iter().position(|workload| workload.from == [users]);
        Role::Users { workload: workload.expect("users belong to a workload") }
    }
}
