//! What no fault may do: change what it does not hit, or a clone.

use std::sync::Arc;

use murphy_sim::{
    Chance, Credential, Effect, Failure, Fault, FaultKind, Law, Leak, Load, NodeId, NodeSet, Pool, Scope,
    Span, World,
};

use crate::load::workload;
use crate::toy::{EVERY, Facts, Node, b_fails, fault, ms, set, setup, with};

#[test]
fn a_fault_that_hits_nothing_changes_no_hash() {
    let hashes = |plan| {
        let ran = with(plan, 500);
        (0..3).map(|node| ran.0.node_hash(NodeId(node))).collect::<Vec<_>>()
    };
    let quiet = hashes(Vec::new());
    let c = |failure| FaultKind::Resource { nodes: set(&[2]), failure };
    let idle = [
        c(Failure::TornWrites),
        c(Failure::LyingSyncs),
        c(Failure::DiskFull),
        c(Failure::LostWrites(Chance::ALWAYS)),
        c(Failure::MisdirectedWrites(Chance::ALWAYS)),
        c(Failure::BitRot { at_once: 3, every: Some(Law::Exponential { mean: Span::millis(5) }) }),
        c(Failure::QueueLimit(1)),
        c(Failure::PoolLimit { pool: Pool::Threads, slots: 0 }),
        c(Failure::PoolLeak { pool: Pool::Threads, chance: Chance::ALWAYS }),
        c(Failure::Credential(Credential::Valid)),
        FaultKind::Resource { nodes: NodeSet::default(), failure: Failure::ConfigPush(3) },
        FaultKind::Flapping {
            groups: vec![set(&[2]), set(&[0, 1])],
            one_way: false,
            on: Span::millis(7),
            off: Span::millis(5),
        },
        FaultKind::Messages {
            scope: Scope::Between { from: set(&[2]), to: set(&[0, 1]), both: true },
            kind: None,
            effect: Effect::Clog(9),
        },
    ];
    for (place, kind) in idle.into_iter().enumerate() {
        let plan = vec![fault("idle", 50, 400, kind.clone())];
        let ran = with(plan.clone(), 500);
        assert_eq!(ran.0.hits()[0].nonzero().count(), 0, "{place}: {kind:?} hit something");
        assert_eq!(hashes(plan), quiet, "{place}: {kind:?}");
    }
    let hit = vec![fault("seen", 50, 400, c(Failure::ConfigPush(3)))];
    assert_ne!(hashes(hit), quiet, "one that is seen does change a hash");
}

#[test]
fn a_clone_under_every_failure_has_the_same_future() {
    let leak = Leak { rate: 1000, free: 50, pressure: 25, factor: 3.0, restart: Law::Constant(EVERY) };
    let rot = Failure::BitRot { at_once: 1, every: Some(Law::Exponential { mean: Span::millis(5) }) };
    let plan: Arc<[Fault]> = vec![
        b_fails(5, 300, Failure::LyingSyncs),
        b_fails(15, 300, Failure::TornWrites),
        b_fails(20, 280, Failure::MemoryLeak(leak)),
        b_fails(25, 270, rot),
        b_fails(30, 200, Failure::LostWrites(Chance::new(0.5))),
        b_fails(35, 250, Failure::PoolLeak { pool: Pool::Threads, chance: Chance::new(0.5) }),
        fault("rush", 40, 300, FaultKind::Load { workload: 0, load: Load::Surge(4.0) }),
    ]
    .into();
    let mut setup = setup(Vec::new());
    setup.plan = plan;
    setup.nodes[1].config.threads = Some(9);
    setup.workloads = vec![workload(Law::Exponential { mean: Span::millis(10) })];
    let mut whole: World<Node, Facts> = World::new(setup, Facts::default());
    whole.run_until(ms(77));
    let mut copy = whole.clone();
    whole.run_until(ms(500));
    for until in [78, 140, 500] {
        copy.run_until(ms(until));
    }
    assert_eq!(whole.trace().hash(), copy.trace().hash());
    assert_eq!(whole.hits(), copy.hits());
}
