//! PBFT allocates nothing between checkpoints, histories excepted.

use std::sync::Arc;

use murphy_alloc_tests::allocations;
use murphy_models::consensus::{ClientOptions, GET, Group, PUT};
use murphy_models::pbft::{Config, Options, Pbft};
use murphy_sim::{
    Channel, CpuCost, DiskCost, Fact, Judge, Keep, Law, Limits, NodeId, NodeSetup, Setup, SiteId, Span,
    Stamped, Stop, Time, Topology, Workload, World,
};

const REPLICAS: u32 = 4;
const CLIENTS: u32 = 8;
/// Time between two requests: each makes a slot of its own.
const GAP_MS: u64 = 10;

/// Counts what matters, and keeps nothing.
#[derive(Clone, Default)]
struct Counts {
    executed: u64,
    stable: u64,
    completed: u64,
}

impl Judge for Counts {
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            Fact::Execute { .. } => self.executed += 1,
            Fact::Stable { .. } => self.stable += 1,
            Fact::Complete { .. } => self.completed += 1,
            _ => {}
        }
    }
}

fn world() -> World<Pbft, Counts> {
    let replicas: Vec<NodeId> = (0..REPLICAS).map(NodeId).collect();
    let group = Group::new(&replicas, None);
    let node = |index: u32| NodeSetup {
        name: format!("n{index}"),
        site: SiteId(0),
        config: if index < REPLICAS {
            Config::Replica { group: Arc::clone(&group), options: Options::default() }
        } else {
            Config::Client { group: Arc::clone(&group), options: ClientOptions::default() }
        },
        cpu: CpuCost::default(),
        disk: DiskCost::default(),
        clock_offset_ns: 0,
        drift_ppb: 0,
    };
    let workload = Workload {
        name: "kv".to_owned(),
        clients: (REPLICAS..REPLICAS + CLIENTS).map(NodeId).collect(),
        arrivals: Law::Constant(Span::millis(GAP_MS)).into(),
        operations: vec![(PUT, 0.5), (GET, 0.5)],
        keys: 16.into(),
        probe: None,
    };
    let setup = Setup {
        seed: 1,
        topology: Topology::single(
            "here",
            Channel::new(Law::LogNormal { median: Span::millis(2), sigma: 0.4 }),
        ),
        nodes: (0..REPLICAS + CLIENTS).map(node).collect(),
        workloads: vec![workload],
        plan: Arc::new([]),
        byzantine: Vec::new(),
        limits: Limits::default(),
        keep: Keep::Nothing,
    };
    World::new(setup, Counts::default())
}

fn slots(n: u64) -> Time {
    Time::ZERO + Span::millis(GAP_MS * n)
}

#[test]
fn pbft_allocates_nothing_between_checkpoints() {
    // A checkpoint every 128 slots; the engine's list of requests next grows at 2,048.
    let (start, end) = (128 * 10 + 20, 128 * 11 - 20);
    let mut world = world();
    assert_eq!(world.run_until(slots(start)), Stop::Reached);
    let before = world.judge().clone();
    let (calls, stop) = allocations(|| world.run_until(slots(end)));
    assert_eq!(stop, Stop::Reached);
    let after = world.judge().clone();
    assert_eq!(after.stable, before.stable, "no checkpoint lies between");
    assert!(after.completed - before.completed > 80, "{} requests", after.completed - before.completed);
    assert!(after.executed - before.executed >= 4 * 80);
    assert_eq!(calls, 0, "allocations over {} requests", after.completed - before.completed);
}

#[test]
fn a_checkpoint_allocates_so_that_the_test_above_can_fail() {
    let mut world = world();
    world.run_until(slots(128 * 10 - 20));
    let stable = world.judge().stable;
    let (calls, _) = allocations(|| world.run_until(slots(128 * 10 + 20)));
    assert!(world.judge().stable > stable);
    assert!(calls > 0, "a checkpoint copies the state");
}
