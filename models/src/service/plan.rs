//! The system of services as its nodes know it: names are indices, laws are the engine's.

use std::sync::Arc;

use murphy_scenarios::language::{
    Balancer, CacheSpec, CallSpec, ConductSpec, FleetSpec, OutlierSpec, PolicySpec, QueueSpec, RolloutSpec,
    SERVICE_CONTROL, SERVICE_REPLICA, SERVICE_USERS, Scenario, ServiceSpec,
};
use murphy_sim::{Law, NodeId, Span};

use super::balancer::Listed;

/// All services, and how they are called.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The services, in file order.
    pub services: Vec<Service>,
    /// What the users of each workload call; `None` for a workload of another kind.
    pub users: Vec<Option<Users>>,
    /// New versions, in file order.
    pub rollouts: Vec<RolloutSpec>,
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
    /// Share of its answers that have only the first half of what they should.
    pub partial: f64,
    /// How its instances are run.
    pub fleet: FleetSpec,
    /// Time from the start of an instance until it serves.
    pub startup: Law,
    /// Time from an order for an instance to its node.
    pub provision: Law,
    /// What runs at the start, by replica.
    pub initial: Arc<[Listed]>,
    /// Site of each replica.
    pub sites: Vec<usize>,
}

/// The users of a workload.
#[derive(Clone, Debug)]
pub struct Users {
    /// The one service that they call.
    pub calls: Arc<[Dependency]>,
    /// A reply after this long is of no use to them.
    pub deadline: Span,
    /// Whether what they ask for may come in part.
    pub in_parts: bool,
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
    /// Which of them run at the start.
    pub initial: Arc<[Listed]>,
    /// Zone of each of them.
    pub zones: Arc<[u32]>,
    /// Whether callers prefer those in their own zone.
    pub zone_aware: bool,
    /// What callers conclude from the outcomes of their calls.
    pub outlier: Option<OutlierSpec>,
    /// Share of healthy ones below which all are asked.
    pub panic: f64,
    /// How a replica is chosen.
    pub balancer: Balancer,
    /// The policy.
    pub policy: PolicySpec,
    /// Whether the request succeeds without it.
    pub optional: bool,
    /// Whether it is called at once with the one before.
    pub joined: bool,
    /// The replica that is meant, of a service of which every replica holds a part.
    pub part: Option<usize>,
    /// Answers that each replica of the caller keeps.
    pub cache: Option<CacheSpec>,
}

impl Plan {
    /// The plan of a scenario.
    pub fn new(scenario: &Scenario) -> Arc<Plan> {
        let services = scenario.services.iter().map(|spec| service(scenario, spec)).collect();
        let users = scenario.workloads.iter().map(|workload| {
            let call = CallSpec {
                to: workload.to?,
                policy: workload.policy,
                optional: false,
                group: String::new(),
                scatter: false,
                cache: None,
            };
            let calls = [dependency(scenario, &call, false)].into();
            let asked = &scenario.services[workload.to?];
            let in_parts = asked.partial > 0.0 || asked.calls.iter().any(|call| call.optional);
            Some(Users { calls, deadline: workload.deadline, in_parts, priority: workload.priority as u8 })
        });
        Arc::new(Plan { services, users: users.collect(), rollouts: scenario.rollouts.clone() })
    }

    /// The service of a node, and its place there.
    pub(crate) fn place_of(&self, node: NodeId) -> Option<(usize, usize)> {
        let place = |service: &Service| service.replicas.iter().position(|replica| *replica == node);
        self.services.iter().enumerate().find_map(|(index, service)| Some((index, place(service)?)))
    }

    /// The services that a node calls.
    pub(crate) fn called_by(&self, role: Role) -> Vec<usize> {
        let calls = match role {
            Role::Replica { service, .. } => &self.services[service].calls,
            Role::Users { workload } => match &self.users[workload] {
                Some(users) => &users.calls,
                None => return Vec::new(),
            },
            Role::Control => return Vec::new(),
        };
        calls.iter().map(|call| call.service).collect()
    }
}

/// The replicas of a service that run at the start: one site after the other, or the first site's first.
fn initial(sites: &[usize], spec: &ServiceSpec) -> Arc<[Listed]> {
    let spares = usize::try_from(spec.fleet.spares).expect("a count of nodes");
    let mut order: Vec<usize> = (0..sites.len()).collect();
    if !spec.fleet.spread {
        order.sort_by_key(|&place| (sites[place], place));
    }
    let mut listed = vec![Listed::Ready; sites.len()];
    for &place in &order[sites.len() - spares..] {
        listed[place] = Listed::Absent;
    }
    listed.into()
}

/// Sites of a service's replicas.
fn sites(scenario: &Scenario, spec: &ServiceSpec) -> Vec<usize> {
    scenario.groups[spec.group].nodes.clone().map(|node| scenario.nodes[node].site).collect()
}

/// Number of the zone of a site: that of the first site in it. A site without a zone is one of its own.
pub(crate) fn zone(scenario: &Scenario, site: usize) -> u32 {
    let name = &scenario.sites[site].zone;
    let first = scenario.sites.iter().position(|other| name.is_some() && other.zone == *name);
    u32::try_from(first.unwrap_or(site)).expect("fewer than 2^32 sites")
}

fn service(scenario: &Scenario, spec: &ServiceSpec) -> Service {
    let joined = |index: usize, call: &CallSpec| {
        index > 0 && !call.group.is_empty() && spec.calls[index - 1].group == call.group
    };
    let calls = spec.calls.iter().enumerate();
    let sites = sites(scenario, spec);
    Service {
        startup: Law::from(&spec.fleet.startup),
        provision: Law::from(&spec.fleet.provision),
        initial: initial(&sites, spec),
        sites,
        fleet: spec.fleet.clone(),
        replicas: replicas(scenario, spec),
        concurrency: spec.concurrency,
        queue: spec.queue,
        work: Law::from(&spec.work),
        contention: spec.contention,
        drop_expired: spec.drop_expired,
        conduct: spec.conduct.clone(),
        calls: calls.flat_map(|(index, call)| dependencies(scenario, call, joined(index, call))).collect(),
        partial: spec.partial,
    }
}

/// What a call comes to: one dependency, or one for each part of a service that is in parts.
fn dependencies(scenario: &Scenario, call: &CallSpec, joined: bool) -> Vec<Dependency> {
    let whole = dependency(scenario, call, joined);
    if !call.scatter {
        return vec![whole];
    }
    let part = |index: usize| Dependency {
        replicas: vec![whole.replicas[index]],
        initial: [whole.initial[index]].into(),
        zones: [whole.zones[index]].into(),
        joined: joined || index > 0,
        part: Some(index),
        ..whole.clone()
    };
    (0..whole.replicas.len()).map(part).collect()
}

fn dependency(scenario: &Scenario, call: &CallSpec, joined: bool) -> Dependency {
    let callee = &scenario.services[call.to];
    let sites = sites(scenario, callee);
    Dependency {
        service: call.to,
        replicas: replicas(scenario, callee),
        initial: initial(&sites, callee),
        zones: sites.iter().map(|&site| zone(scenario, site)).collect(),
        zone_aware: callee.fleet.zone_aware,
        outlier: callee.fleet.outlier,
        panic: callee.fleet.panic,
        balancer: callee.balancer,
        policy: call.policy.map_or_else(PolicySpec::patient, |policy| scenario.policies[policy].clone()),
        optional: call.optional,
        joined,
        part: None,
        cache: call.cache,
    }
}

fn replicas(scenario: &Scenario, spec: &ServiceSpec) -> Vec<NodeId> {
    scenario.groups[spec.group].nodes.clone().map(node_id).collect()
}

pub(crate) fn node_id(index: usize) -> NodeId {
    NodeId(u32::try_from(index).expect("a checked scenario has fewer than 2^32 nodes"))
}

/// What a node is: a replica of a service, the users of a workload, or the control plane.
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
    /// The control plane.
    Control,
}

impl Role {
    /// The role of a node of the roster: a replica's by its place, the users' by their group.
    pub(crate) fn of(scenario: &Scenario, node: &murphy_scenarios::language::NodeSpec) -> Role {
        if node.kind == SERVICE_REPLICA {
            let service = scenario.services.iter().position(|service| service.group == node.group);
            let service = service.expect("a replica belongs to a service");
            return Role::Replica { service, ordinal: node.index - scenario.groups[node.group].nodes.start };
        }
        if node.kind == SERVICE_CONTROL {
            return Role::Control;
        }
        assert!(node.kind == SERVICE_USERS, "`{}` is no kind of this model", node.kind);
        let users = scenario.groups[node.group].nodes.start;
        let workload = scenario.workloads.iter().position(|workload| workload.from == [users]);
        Role::Users { workload: workload.expect("users belong to a workload") }
    }
}
