//! Crashes, partitions and loss: nothing contradicts, and what can go on goes on.

use murphy_models::pbft::Options;
use murphy_sim::{Fact, NodeId, Span};

use crate::group::{Case, at, check_safe, check_together, completed, replica, sent};

#[test]
fn a_crashed_primary_is_replaced() {
    for n in [4, 5, 7] {
        let world = Case::new(n, 3).crash([0], 2000, u64::MAX).run(8000);
        check_safe(&world, "primary crash");
        assert_eq!(replica(&world, 1).view(), 1, "n = {n}");
        let first = world.judge().facts.iter().find(|(_, _, fact)| matches!(fact, Fact::ViewChange { .. }));
        let (detected, _, _) = first.expect("a detection");
        assert!(*detected > at(2000) && *detected < at(4000), "detected at {detected}");
        assert!(completed(&world, 5000) > 400, "n = {n}: {}", completed(&world, 5000));
    }
}

#[test]
fn a_partitioned_primary_catches_up() {
    let world =
        Case::new(4, 4).partition(&[&[0], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]], 10_000, 25_000).run(30_000);
    check_safe(&world, "partition");
    check_together(&world, 4, 5);
    assert_eq!(replica(&world, 0).view(), 1);
    let caught_up = world.judge().facts.iter().any(|(time, node, fact)| {
        *node == NodeId(0)
            && *time > at(25_000)
            && *time < at(27_000)
            && matches!(fact, Fact::CaughtUp { .. })
    });
    assert!(caught_up, "r0 never said that it caught up");
    assert!(completed(&world, 13_000) > 3000);
}

#[test]
fn a_partitioned_backup_catches_up() {
    for until in [4000, 15_000] {
        let world =
            Case::new(4, 5).partition(&[&[3], &[0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]], 2000, until).run(20_000);
        check_safe(&world, "partition");
        let (lagging, other) = (replica(&world, 3).executed(), replica(&world, 1).executed());
        // If it gave up on the view, it follows from checkpoint to checkpoint until the next view.
        let behind = if replica(&world, 3).active() { 5 } else { 2 * 128 };
        assert!(other - lagging <= behind, "{lagging} of {other}");
        assert!(completed(&world, 2000) > 3000);
    }
}

#[test]
fn f_crashes_are_survived_and_more_are_safe() {
    for (n, f) in [(4, 1), (7, 2), (10, 3)] {
        let live = Case::new(n, 6).crash(n - f..n, 1000, u64::MAX).run(4000);
        check_safe(&live, "f crashes");
        assert!(completed(&live, 1100) > 500);
        let stuck = Case::new(n, 6).crash(n - f - 1..n, 1000, 5000).run(5000);
        check_safe(&stuck, "f + 1 crashes");
        assert_eq!(completed(&stuck, 1100), 0, "n = {n}");
        let healed = Case::new(n, 6).crash(n - f - 1..n, 1000, 5000).run(12_000);
        check_safe(&healed, "after f + 1 crashes");
        assert!(completed(&healed, 9000) > 500, "n = {n}: {}", completed(&healed, 9000));
    }
}

#[test]
fn loss_duplication_and_reordering_for_a_minute() {
    for seed in 1..=50 {
        let mut case = Case::new(4, seed).lossy();
        case.gap = murphy_sim::Law::Exponential { mean: Span::millis(20) };
        let world = case.run(60_000);
        check_safe(&world, &format!("seed {seed}"));
        assert!(completed(&world, 0) > 2000, "seed {seed}: {}", completed(&world, 0));
        assert!(completed(&world, 55_000) > 100, "seed {seed}: {} at the end", completed(&world, 55_000));
    }
}

#[test]
fn storms_of_crashes_and_partitions_over_lossy_links() {
    for seed in 1..=30 {
        let case = storm(seed);
        let world = case.run(40_000);
        check_safe(&world, &format!("seed {seed}"));
        // A replica that gave up on a view alone takes no part until the next one (section 4.4): three
        // are left then, and each lost message between them costs a status interval.
        let together = (0..4).all(|node| replica(&world, node).active());
        let least = if together { 700 } else { 300 };
        assert!(
            completed(&world, 30_000) > least,
            "seed {seed}: {} after the storm",
            completed(&world, 30_000)
        );
    }
}

/// Overlapping crashes and partitions in the first twenty seconds, different for every seed.
pub(crate) fn storm(seed: u64) -> Case {
    let mut case = Case::new(4, seed).lossy();
    case.options = Options { checkpoint_every: 16, window: 32, ..case.options };
    case.gap = murphy_sim::Law::Exponential { mean: Span::millis(10) };
    case.client.retry_after = Span::millis(250);
    let mut word = seed;
    let mut draw = |below: u64| {
        word = murphy_sim::fold(word, 0x5eed);
        word % below
    };
    let mut start = 500;
    while start < 18_000 {
        let long = 200 + draw(2500);
        let victim = u32::try_from(draw(4)).unwrap();
        case = match draw(3) {
            0 => case.crash([victim], start, start + long),
            1 => {
                let others: Vec<u32> = (0..4).filter(|node| *node != victim).collect();
                case.partition(&[&[victim], &others], start, start + long)
            }
            _ => {
                let pair = (victim + 1) % 4;
                let others: Vec<u32> = (0..4).filter(|node| *node != victim && *node != pair).collect();
                case.partition(&[&[victim, pair], &others], start, start + long)
            }
        };
        start += 100 + draw(2000);
    }
    case
}

#[test]
fn a_lagging_replica_gets_the_state_that_was_garbage_collected() {
    let mut case = Case::new(4, 8).crash([3], 1000, 5000);
    case.options = Options { checkpoint_every: 16, window: 32, ..case.options };
    let world = case.run(7000);
    check_safe(&world, "state transfer");
    check_together(&world, 4, 5);
    assert!(sent(&world, "state") > 0);
    let installed = world.judge().facts.iter().find_map(|(_, node, fact)| match fact {
        Fact::Install { slot, .. } if *node == NodeId(3) => Some(*slot),
        _ => None,
    });
    assert!(installed.is_some_and(|slot| slot > 500), "{installed:?}");
}

#[test]
fn same_seed_same_trace_and_a_clone_has_the_same_future() {
    let case = storm(5);
    let whole = case.run(20_000);
    assert_eq!(whole.trace().hash(), case.run(20_000).trace().hash());
    let mut other = storm(5);
    other.seed = 6;
    assert_ne!(whole.trace().hash(), other.run(20_000).trace().hash());
    let mut first = case.run(9_000);
    let mut second = first.clone();
    first.run_until(at(20_000));
    second.run_until(at(20_000));
    assert_eq!(first.trace().hash(), whole.trace().hash());
    assert_eq!(second.trace().hash(), whole.trace().hash());
}
