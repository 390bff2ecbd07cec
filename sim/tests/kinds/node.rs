//! Nodes that stop, wait, take longer, or read a wrong clock.

use murphy_sim::{Failure, FaultKind, Hit, Law, Span};

use crate::toy::{CLOCK, HEARD, RESTORED, Ran, SYNCED, b_crashes, b_fails, fault, run, set, setup, with};

#[test]
fn a_reboot_takes_a_drawn_time_and_ends_with_the_fault_at_the_latest() {
    let reboot = |down| Failure::Reboot { down, amnesia: false };
    let ran = with(vec![b_fails(55, 1000, reboot(Law::Constant(Span::millis(35))))], 200);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (90, 5)]);
    assert_eq!(ran.hit(0, Hit::TimeDownNs), 35_000_000);
    assert_eq!((ran.hit(0, Hit::NodesCrashed), ran.hit(0, Hit::NodesRestarted)), (1, 1));
    assert_eq!(ran.hit(0, Hit::MessagesLostAtDown), 3, "those of 60, 70 and 80 ms");
    let cut = with(vec![b_fails(55, 75, reboot(Law::Constant(Span::millis(35))))], 200);
    assert_eq!(cut.said(1, RESTORED), [(0, 0), (75, 5)]);
    let never = with(vec![b_fails(55, 1000, reboot(Law::Constant(Span::secs(5))))], 200);
    assert_eq!((never.restored(), never.hit(0, Hit::TimeDownNs)), (0, 145_000_000));
    let amnesia = Failure::Reboot { down: Law::Constant(Span::millis(35)), amnesia: true };
    assert_eq!(with(vec![b_fails(55, 1000, amnesia)], 200).restored(), 0);
}

#[test]
fn reboots_of_many_nodes_are_keyed_by_name() {
    let law = Law::Uniform { low: Span::millis(10), high: Span::millis(100) };
    let kind = |nodes: &[u32]| FaultKind::Resource {
        nodes: set(nodes),
        failure: Failure::Reboot { down: law.clone(), amnesia: false },
    };
    let both = with(vec![fault("failure", 50, 1000, kind(&[1, 2]))], 300);
    let back = |ran: &Ran, node| ran.said(node, RESTORED)[1].0;
    assert_ne!(back(&both, 1), back(&both, 2));
    let one = with(vec![fault("failure", 50, 1000, kind(&[2]))], 300);
    assert_eq!(back(&both, 2), back(&one, 2), "who else reboots changes nothing");
}

#[test]
fn a_node_boots_when_the_last_fault_lets_it() {
    let reboot = Failure::Reboot { down: Law::Constant(Span::millis(20)), amnesia: false };
    let ran = with(vec![b_fails(55, 1000, reboot.clone()), b_crashes(60, 90)], 200);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (90, 5)]);
    assert_eq!((ran.hit(0, Hit::NodesRestarted), ran.hit(1, Hit::NodesRestarted)), (0, 1));
    let ran = with(vec![b_crashes(50, 60), b_fails(55, 1000, reboot)], 200);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (75, 4)]);
}

#[test]
fn clocks_are_off_drift_and_jump_backwards() {
    let clock = |offset_ns, jump_ns, drift_ppb| {
        let kind = FaultKind::Clock { nodes: set(&[1]), offset_ns, jump_ns, drift_ppb };
        let ran = with(vec![fault("clock", 25, 45, kind)], 60);
        assert_eq!(ran.hit(0, Hit::ClocksShifted), 1);
        ran.values(1, CLOCK).iter().map(|at| at / 1000).collect::<Vec<_>>()
    };
    assert_eq!(clock(5_000_000, 0, 0), [10_000, 20_000, 35_000, 45_000, 50_000, 60_000]);
    assert_eq!(clock(0, -15_000_000, 0), [10_000, 20_000, 15_000, 25_000, 35_000, 45_000], "backwards");
    // Half as fast again for 20 ms: the clock is 10 ms ahead afterwards, and timers run out early.
    let drifted = clock(0, 0, 500_000_000);
    assert_eq!(drifted[..3], [10_000, 20_000, 32_500], "the timer of 30 ms was set before");
    assert!(drifted.len() > 6, "timers ran out early: {drifted:?}");
    let true_time = with(Vec::new(), 60).values(1, CLOCK);
    assert!(true_time.iter().zip(1..).all(|(at, tick)| *at == tick * 10_000_000), "{true_time:?}");
}

#[test]
fn a_site_that_goes_down_takes_its_nodes_together_and_no_other() {
    let down = |nodes: &[u32]| {
        let nodes = set(nodes);
        with(vec![fault("site", 55, 95, FaultKind::Crash { nodes, amnesia: false })], 125)
    };
    let both = down(&[1, 2]);
    assert_eq!((both.hit(0, Hit::NodesCrashed), both.hit(0, Hit::NodesRestarted)), (2, 2));
    assert_eq!(both.hit(0, Hit::TimeDownNs), 80_000_000, "two nodes for 40 ms");
    assert_eq!(both.hit(0, Hit::MessagesLostAtDown), 4);
    let boots = [0, 1, 2].map(|node| both.said(node, RESTORED).len());
    assert_eq!((boots, both.values(1, HEARD)), ([1, 2, 2], vec![1, 2, 3, 4, 5, 10, 11, 12]));
    let other = down(&[2]);
    assert_eq!((other.hit(0, Hit::TimeDownNs), other.hit(0, Hit::MessagesLostAtDown)), (40_000_000, 0));
    assert_eq!(other.values(1, HEARD).len(), 12);
}

#[test]
fn a_pause_loses_nothing_that_a_crash_would_lose() {
    let heard = |kind| {
        let ran = with(vec![fault("stop", 25, 55, kind)], 65);
        (ran.said(1, HEARD), ran.hit(0, Hit::EventsHeld), ran.hit(0, Hit::TimePausedNs))
    };
    let paused = heard(FaultKind::Pause { nodes: set(&[1]) });
    let late = vec![(11, 1), (21, 2), (55, 3), (55, 4), (55, 5), (61, 6)];
    assert_eq!(paused, (late, 4, 30_000_000), "three messages and its own timer wait");
    let crashed = heard(FaultKind::Crash { nodes: set(&[1]), amnesia: false });
    assert_eq!(crashed, (vec![(11, 1), (21, 2), (61, 6)], 0, 0));
    let other = heard(FaultKind::Pause { nodes: set(&[2]) });
    assert_eq!((other.0[2], other.1), ((31, 3), 1));
}

#[test]
fn a_slow_node_takes_longer_for_each_event() {
    let slow = |factor| {
        let slow = FaultKind::Slow { nodes: set(&[1]), cpu: factor, disk: factor };
        let mut setup = setup(vec![fault("slow", 25, 45, slow)]);
        setup.nodes[1].cpu.receive = Span::millis(1);
        let ran = run(setup, 65);
        (ran.said(1, SYNCED), ran.hit(0, Hit::TimeSlowedNs))
    };
    // A message takes 1 ms and its sync another; slowed, 3 ms each.
    let late = vec![(13, 1), (23, 2), (37, 3), (47, 4), (53, 5), (63, 6)];
    assert_eq!(slow(3.0), (late, 8_000_000));
    let in_time = vec![(13, 1), (23, 2), (33, 3), (43, 4), (53, 5), (63, 6)];
    assert_eq!(slow(1.0), (in_time, 0));
}
