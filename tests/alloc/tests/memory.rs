//! What nodes and pending events hold.

use murphy_alloc_tests::{Config, Work, held, peak, world};
use murphy_sim::{CpuCost, Span, Stop, Time};

fn millis(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

#[test]
fn an_idle_node_holds_less_than_two_hundred_bytes() {
    let nodes = 100_000;
    let idle = |nodes| {
        let config = Config { work: Work::Idle, nodes, tokens: 0 };
        let (bytes, world) = held(|| {
            let mut world = world(config, CpuCost::default(), Vec::new());
            assert_eq!(world.run_until(millis(1000)), Stop::Reached);
            world
        });
        assert_eq!(world.trace().events(), u64::from(nodes), "every node has booted");
        bytes
    };
    let each = (idle(nodes) - idle(1)) as f64 / f64::from(nodes - 1);
    let config = size_of::<Config>() as f64;
    assert!(each - config < 200.0, "{each} bytes a node, {config} of them its configuration");
}

#[test]
fn a_pending_event_holds_at_most_sixty_four_bytes_beside_its_payload() {
    let config = |tokens| Config { work: Work::RandomWalk, nodes: 1000, tokens };
    let flying = |tokens| {
        let (bytes, world) = held(|| {
            let mut world = world(config(tokens), CpuCost::FREE, Vec::new());
            world.run_until(millis(20));
            world
        });
        assert_eq!(world.pending(), 1000 * tokens as usize);
        bytes
    };
    // The payload is counted in: one byte of it.
    let each = (flying(501) - flying(1)) as f64 / 500_000.0;
    assert!(each <= 64.0, "{each} bytes a pending event");
}

#[test]
fn a_hundred_thousand_gossiping_nodes_fit_in_a_gibibyte_and_do_not_grow() {
    let config = Config { work: Work::Gossip, nodes: 100_000, tokens: 0 };
    let (most, mut gossip) = peak(|| {
        let mut gossip = world(config, CpuCost::default(), Vec::new());
        gossip.run_until(millis(40));
        gossip
    });
    assert!(gossip.trace().events() > 900_000, "{}", gossip.trace().events());
    assert!(most < 1 << 30, "{most} bytes");
    let (more, stop) = held(|| gossip.run_until(millis(80)));
    assert_eq!(stop, Stop::Reached);
    // Memory is flat over time: a hundredth is what the peaks of queues may still add.
    assert!(more < most / 100, "{more} bytes more than {most} in the second half");
}
