//! Services that call one another: queues, workers, balancers, and the policies of their calls.
//!
//! What a scenario does not say follows these rules:
//! - A replica has `concurrency` workers, and a request holds one from the start of its work to its
//!   answer, its calls and their back-off included: a thread for every request.
//! - The work comes first, then the calls in order. Work proceeds at the pace of the node's CPU: a
//!   `slow` fault stretches what starts while it lasts.
//! - A queue has no bound and is served in order, unless the scenario says otherwise.
//! - A time-out ends the caller's wait and nothing else: the callee does not know and goes on.
//! - Retries, budgets, breakers, limiters and bulkheads belong to one caller's replica and one callee.
//! - Replicas are chosen by two random choices, the one with fewer calls on their way. (Round robin
//!   lets the queues of busy replicas drift apart.)
//! - A retry budget is Finagle's: requests of the last 10 s allow retries in proportion, and a reserve
//!   allows `min_per_sec` more, in total over the caller's replicas.
//! - An instance that is stopped with `drain` serves for so long what still comes; then, or at once without,
//!   it gives up what it has, and the connections of its callers break.
//! - A node on which no instance serves refuses connections; one that is down does not answer.
//! - Callers ask the instances that the control plane listed last, less those that they ejected themselves.
//! - Users outside wait for ever unless their workload names a policy; whether the answer was of use
//!   is judged by the workload's deadline.

mod balancer;
mod cache;
mod caller;
mod control;
mod draw;
mod fact;
mod instance;
mod measure;
mod memory;
mod message;
mod plan;
pub mod policy;
mod protocol;
mod queue;
mod replica;
mod slab;
mod users;

use std::sync::Arc;

use murphy_sim::{Context, NodeId, Process, Request, Time, fold};

pub use balancer::Listed;
pub use control::Control;
pub use instance::Phase;
pub use measure::ServiceOracles;
pub use message::{Answer, Ask, Load, Order, Report, ServiceMessage, Ticket};
pub use plan::{Dependency, Plan, Role};
pub use replica::Replica;
pub use users::Users;

/// A node of a system of services.
#[derive(Clone, Debug)]
pub enum Service {
    /// A replica of a service.
    Replica(Box<Replica>),
    /// The users of a workload.
    Users(Box<Users>),
    /// The control plane.
    Control(Box<Control>),
}

/// What a node is told at boot.
#[derive(Clone, Debug)]
pub struct Config {
    /// All services.
    pub plan: Arc<Plan>,
    /// What this node is.
    pub role: Role,
    /// Number of the zone that it is in.
    pub zone: u32,
    /// For the control plane: by service, the nodes that call it.
    pub callers: Arc<[Vec<NodeId>]>,
    /// The control plane, if there is one.
    pub control: Option<NodeId>,
}

/// What a node is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The work of a request is done.
    Work(Ticket),
    /// An attempt was not answered in time.
    Timeout(Ticket),
    /// The wait is over, before a retry or at the rate limiter.
    Turn(Ticket),
    /// No connection came in time.
    Connect(Ticket),
    /// Time for a hedge.
    Hedge(Ticket),
    /// An instance has started.
    Started(u32),
    /// An instance has had its time to finish what it has.
    Drained(u32),
    /// The control plane checks the instances of a service.
    Check(u32),
    /// The answers to its checks should be there.
    Judge(Ticket),
    /// The autoscaler of a service looks at its load.
    Scale(u32),
    /// A node for an instance is there.
    Provisioned(Ticket),
    /// The next step of a new version.
    Rollout(u32),
    /// The control plane is back, and has heard who runs.
    Listened,
    /// The control plane tells callers again.
    Repeat,
}

/// What a node of this model acts through.
pub(crate) type Cx<'a> = Context<'a, Service>;

/// A number from which names of calls count on, another one for each boot.
fn serial(now: Time, more: u32) -> u32 {
    let [_, _, _, _, a, b, c, d] = fold(now.0, u64::from(more)).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

impl Process for Service {
    type Config = Config;
    type Message = ServiceMessage;
    type Timer = Timer;
    type Durable = ();

    fn boot(cx: &mut Cx<'_>) -> Service {
        let Config { plan, role, zone, callers, control } = cx.config().clone();
        // Answers to what was asked before a crash must not fit what is asked after it.
        let serial = serial(cx.now(), 1);
        match role {
            Role::Replica { service, ordinal } => Service::Replica(Box::new(Replica::new(
                cx,
                &plan,
                (service, ordinal),
                zone,
                (serial, control),
            ))),
            Role::Users { workload } => {
                let users = plan.users[workload].as_ref().expect("users have a service to ask");
                Service::Users(Box::new(Users::new(cx, users, zone, serial)))
            }
            Role::Control => Service::Control(Box::new(Control::new(cx, &plan, &callers, serial))),
        }
    }

    #[inline]
    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &ServiceMessage) {
        match self {
            Service::Replica(replica) => replica.on_message(cx, from, message),
            Service::Users(users) => users.on_message(cx, message),
            Service::Control(control) => control.on_message(cx, from, message),
        }
    }

    #[inline]
    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match self {
            Service::Replica(replica) => replica.on_timer(cx, timer),
            Service::Users(users) => users.on_timer(cx, timer),
            Service::Control(control) => control.on_timer(cx, timer),
        }
    }

    #[inline]
    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Service::Users(users) = self {
            users.on_request(cx, request);
        }
    }
}
