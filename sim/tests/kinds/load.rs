//! Requests beside those of the workload.

use murphy_sim::{Fact, Failure, Fault, FaultKind, Hit, Law, Load, NodeId, Span, Workload};

use crate::toy::{ASKED, Ran, b_fails, fault, run, setup};

pub(crate) fn workload(gap: Law) -> Workload {
    let name = "load".to_owned();
    let operations = vec![(0, 1.0), (1, 1.0)];
    Workload {
        name,
        clients: vec![NodeId(1), NodeId(2)],
        arrivals: gap.into(),
        operations,
        keys: 100.into(),
        probe: None,
    }
}

/// (time, client, key, kind) of each request that was asked.
fn asked(ran: &Ran) -> Vec<(u64, u32, u64, u64)> {
    let asked = ran.0.judge().0.iter().filter_map(|said| match said.fact {
        Fact::Own { kind: ASKED, a, b } => Some((said.at.0, said.node.0, a, b)),
        _ => None,
    });
    asked.collect()
}

fn loaded(plan: Vec<Fault>, until: u64) -> Ran {
    let mut setup = setup(plan);
    setup.workloads = vec![workload(Law::Exponential { mean: Span::millis(10) })];
    run(setup, until)
}

#[test]
fn a_surge_and_a_herd_add_requests_and_move_no_other() {
    let base = asked(&loaded(Vec::new(), 10_000));
    let added = |load| {
        let ran = loaded(vec![fault("rush", 2000, 7000, FaultKind::Load { workload: 0, load })], 10_000);
        let mut asked = asked(&ran);
        let all = asked.len();
        for request in &base {
            let place =
                asked.iter().position(|other| other == request).expect("every request is still there");
            asked.remove(place);
        }
        assert_eq!(ran.hit(0, Hit::RequestsAdded), (all - base.len()) as u64);
        asked
    };
    let herd = added(Load::Herd(50));
    assert_eq!(herd.len(), 50);
    assert!(herd.iter().all(|(at, ..)| *at == 2_000_000_000));
    // 200 more a second over 5 s: 1000 +- 4 standard errors of 31.6.
    let surge = added(Load::Surge(3.0));
    assert!((873..=1127).contains(&surge.len()), "{}", surge.len());
    assert!(surge.iter().all(|(at, ..)| (2_000_000_000..7_000_000_000).contains(at)));
    assert!(added(Load::Surge(1.0)).is_empty());
}

#[test]
fn a_queue_limit_rejects_the_rest_of_a_herd() {
    let herd = fault("herd", 100, 101, FaultKind::Load { workload: 0, load: Load::Herd(10) });
    let limit = b_fails(0, 1000, Failure::QueueLimit(2));
    let run = |plan| {
        let mut setup = setup(plan);
        setup.nodes[1].cpu.event = Span::millis(1);
        let mut one = workload(Law::Constant(Span::secs(100)));
        one.clients = vec![NodeId(1)];
        setup.workloads = vec![one];
        self::run(setup, 150)
    };
    let ran = run(vec![herd.clone(), limit]);
    // The timer of 100 ms comes before the herd or after it, and is never refused.
    assert_eq!(ran.hit(1, Hit::RequestsRefused) + asked(&ran).len() as u64, 10);
    assert_eq!(asked(&ran).len(), 3, "one at once, two wait");
    assert_eq!(asked(&run(vec![herd])).len(), 10);
}
