//! Disks that are slow, full, torn, rotten, or lie.

use murphy_sim::{Chance, Failure, FaultKind, Hit, Law, Span};

use crate::toy::{FULL, HEARD, SYNCED, b_crashes, b_fails, fault, run, set, setup, with};

#[test]
fn a_crash_while_writes_tear_keeps_a_prefix() {
    let run = |torn: bool| {
        let mut plan = vec![b_crashes(55, 60)];
        if torn {
            plan.push(b_fails(50, 60, Failure::TornWrites));
        }
        let mut setup = setup(plan);
        setup.nodes[1].config.sync = false;
        self::run(setup, 100)
    };
    let plain = run(false);
    assert_eq!((plain.hit(0, Hit::WritesLost), plain.restored()), (5, 0));
    let torn = run(true);
    assert_eq!(torn.hit(1, Hit::WritesTorn), 1);
    let whole = torn.restored();
    assert_eq!(torn.hit(0, Hit::WritesLost), 4 - whole, "a prefix is whole, one write is torn");
    assert_eq!(whole, 1, "by this seed");
}

#[test]
fn a_sync_that_lies_loses_at_the_next_crash_what_it_claimed() {
    let lie = |to| vec![b_fails(0, to, Failure::LyingSyncs), b_crashes(55, 60)];
    let lied = with(lie(54), 100);
    assert_eq!((lied.hit(0, Hit::SyncsLied), lied.hit(0, Hit::WritesLost)), (5, 5));
    assert_eq!((lied.restored(), lied.values(1, SYNCED).len()), (0, 9));
    // An honest sync after the lie flushes everything.
    let flushed = with(lie(40), 100);
    assert_eq!((flushed.hit(0, Hit::SyncsLied), flushed.hit(0, Hit::WritesLost)), (3, 0));
    assert_eq!(flushed.restored(), 5);
}

#[test]
fn a_full_disk_refuses_writes_and_says_so() {
    let ran = with(vec![b_fails(25, 45, Failure::DiskFull), b_crashes(55, 60)], 65);
    assert_eq!(ran.hit(0, Hit::WritesRefused), 2);
    assert_eq!((ran.values(1, FULL), ran.values(1, SYNCED)), (vec![3, 4], vec![1, 2, 5, 6]));
    assert_eq!(ran.restored(), 3);
    assert_eq!(with(vec![b_crashes(55, 60)], 65).restored(), 5);
}

#[test]
fn lost_and_misdirected_writes_are_acknowledged_and_gone() {
    let lost = with(vec![b_fails(25, 45, Failure::LostWrites(Chance::ALWAYS)), b_crashes(55, 60)], 65);
    assert_eq!((lost.hit(0, Hit::WritesLost), lost.values(1, SYNCED).len()), (2, 6));
    assert_eq!(lost.restored(), 3);
    let failure = Failure::MisdirectedWrites(Chance::ALWAYS);
    let astray = with(vec![b_fails(25, 45, failure), b_crashes(55, 60)], 65);
    assert_eq!((astray.hit(0, Hit::WritesMisdirected), astray.values(1, SYNCED).len()), (2, 6));
    assert!(astray.restored() < 3, "a misdirected write destroys another: {}", astray.restored());
    for failure in [Failure::LostWrites(Chance::NEVER), Failure::MisdirectedWrites(Chance::NEVER)] {
        let whole = with(vec![b_fails(25, 45, failure), b_crashes(55, 60)], 65);
        assert_eq!((whole.restored(), whole.0.hits()[0].nonzero().count()), (5, 0));
    }
    let half = with(vec![b_fails(0, 10_000, Failure::LostWrites(Chance::new(0.5)))], 10_000);
    // 999 writes: 499.5 +- 4 standard errors of 15.8.
    assert!((437..=562).contains(&half.hit(0, Hit::WritesLost)), "{}", half.hit(0, Hit::WritesLost));
}

#[test]
fn bits_rot_at_once_and_at_a_pace() {
    let rot = Failure::BitRot { at_once: 2, every: Some(Law::Constant(Span::millis(10))) };
    let ran = with(vec![b_fails(55, 100, rot), b_crashes(98, 99)], 120);
    assert_eq!(ran.hit(0, Hit::BlocksRotted), 6, "two at 55 ms, and at 65, 75, 85 and 95 ms");
    assert!(ran.restored() < 9, "{}", ran.restored());
    assert_eq!(with(vec![b_crashes(98, 99)], 120).restored(), 9);
    let early = with(vec![b_fails(5, 9, Failure::BitRot { at_once: 2, every: None })], 20);
    assert_eq!(early.hit(0, Hit::BlocksRotted), 0, "an empty disk has nothing that could rot");
}

#[test]
fn a_slow_disk_delays_syncs_and_nothing_else() {
    let slow = |cpu, disk| {
        let slow = FaultKind::Slow { nodes: set(&[1]), cpu, disk };
        with(vec![fault("slow", 25, 45, slow)], 65)
    };
    let ran = slow(1.0, 5.0);
    assert_eq!(ran.said(1, SYNCED), [(12, 1), (22, 2), (36, 3), (46, 4), (52, 5), (62, 6)]);
    assert_eq!(ran.said(1, HEARD), [(11, 1), (21, 2), (31, 3), (41, 4), (51, 5), (61, 6)]);
    assert_eq!(ran.hit(0, Hit::TimeSlowedNs), 8_000_000, "4 ms more for each of two syncs");
    let cpu = slow(5.0, 1.0);
    assert_eq!((cpu.said(1, SYNCED)[2], cpu.hit(0, Hit::TimeSlowedNs)), ((32, 3), 0));
}
