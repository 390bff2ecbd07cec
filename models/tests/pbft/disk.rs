//! Disks that rot, misdirect and tear: with sums a replica never serves what it did not write, and never
//! takes a lost promise for one that it did not make.

use murphy_models::pbft::{Bug, Options};
use murphy_sim::{Chance, Fact, Failure, FaultKind, Hit};

use crate::group::{Case, Run, check_safe, completed, replica, set, violated};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=15;

/// The disks of `nodes` fail, and their power at 2 s, for half a second. Rot comes just before: what was on
/// the disk for long lies below a checkpoint by then.
fn damaged(seed: u64, nodes: &[u32], failure: Failure, checksums: bool) -> Case {
    let mut case = Case::new(4, seed);
    case.options = Options { checksums, ..case.options };
    let nodes = nodes.iter().copied();
    let from = if matches!(failure, Failure::BitRot { .. }) { 1995 } else { 1000 };
    let failing = FaultKind::Resource { nodes: set(nodes.clone()), failure };
    case.fault(failing, from, 2400).crash(nodes, 2000, 2500)
}

/// Damaged blocks that the replicas found.
fn found(world: &Run) -> u64 {
    let samples = world.judge().facts.iter().map(|(_, _, fact)| match fact {
        Fact::Sample { value, .. } => *value,
        _ => 0,
    });
    samples.sum()
}

/// Of all seeds: hits of the disk fault, damaged blocks found, and runs in which agreement breaks. Every
/// run with sums is safe, and the replica catches up.
fn over_seeds(failure: &Failure, hit: Hit, checksums: bool) -> (u64, u64, u64) {
    let mut sums = (0, 0, 0);
    for seed in SEEDS {
        let world = damaged(seed, &[2], failure.clone(), checksums).run(8000);
        if checksums {
            check_safe(&world, &format!("{failure:?}, seed {seed}"));
            let behind = replica(&world, 0).executed().saturating_sub(replica(&world, 2).executed());
            assert!(behind <= 5, "{failure:?}, seed {seed}: {behind} slots behind");
            assert!(completed(&world, 4000) > 700, "seed {seed}: {}", completed(&world, 4000));
        }
        sums.0 += world.hits()[0].get(hit);
        sums.1 += found(&world);
        sums.2 += u64::from(violated(&world).contains(&"agreement"));
    }
    sums
}

#[test]
fn rot_is_found_with_sums_and_executed_without() {
    let rot = Failure::BitRot { at_once: 3, every: None };
    let (rotted, found, _) = over_seeds(&rot, Hit::BlocksRotted, true);
    assert_eq!(rotted, 15 * 3);
    // Two flips of one block are found once.
    assert!((30..=45).contains(&found), "{found} of {rotted} found");
    let (_, unseen, broken) = over_seeds(&rot, Hit::BlocksRotted, false);
    assert!(unseen == 0 && broken >= 10, "agreement broke in {broken} of 15 runs");
}

#[test]
fn a_disk_of_which_nothing_is_left_costs_a_vote_and_no_data() {
    // Both copies of the head are gone: the replica follows, and votes no more.
    let ruin = Failure::BitRot { at_once: 400, every: None };
    let (_, found, _) = over_seeds(&ruin, Hit::BlocksRotted, true);
    assert!(found > 15 * 15, "{found}");
}

#[test]
fn misdirected_writes_are_found_with_sums_and_executed_without() {
    let astray = Failure::MisdirectedWrites(Chance::new(0.02));
    let (hits, found, _) = over_seeds(&astray, Hit::WritesMisdirected, true);
    assert!(hits > 100 && found > 15, "{found} of {hits} found");
    let (_, unseen, broken) = over_seeds(&astray, Hit::WritesMisdirected, false);
    assert!(unseen == 0 && broken >= 3, "agreement broke in {broken} of 15 runs");
}

#[test]
fn a_torn_write_is_dropped_with_sums() {
    let (torn, found, broken) = over_seeds(&Failure::TornWrites, Hit::WritesTorn, true);
    assert!(torn > 0 && found == 0 && broken == 0, "{torn} torn: nothing was promised on them");
}

/// Three of four disks rot through and through, and the power of all replicas fails; the one with the good
/// disk comes back last. What the others had promised is gone: they must not go on as if it never was.
fn ruined(seed: u64, bug: Option<Bug>) -> Run {
    let rot = Failure::BitRot { at_once: 4000, every: None };
    let mut case = damaged(seed, &[1, 2, 3], rot, true).crash([0], 2000, 4000);
    case.options.bug = bug;
    case.run(8000)
}

#[test]
fn a_lost_promise_is_not_one_that_was_never_made() {
    let mut broken = 0;
    for seed in 1..=10 {
        let careful = ruined(seed, None);
        assert_eq!(violated(&careful), [""; 0], "seed {seed}");
        assert_eq!(completed(&careful, 2600), 0, "seed {seed}: three replicas of four are in doubt");
        broken += u64::from(!violated(&ruined(seed, Some(Bug::IgnoresDamage))).is_empty());
    }
    assert!(broken >= 5, "{broken} of 10");
}

#[test]
fn a_replica_in_doubt_votes_again_after_a_later_checkpoint() {
    let rot = Failure::BitRot { at_once: 3, every: None };
    // While r2 is in doubt, r3 is gone: two votes are no quorum. After a checkpoint r2 stands in for r3.
    let alone = |down_from: u64| {
        let mut case = damaged(4, &[2], rot.clone(), true);
        case.options = Options { checkpoint_every: 64, window: 128, ..case.options };
        let world = case.crash([3], down_from, 60_000).run(9000);
        check_safe(&world, &format!("r3 down from {down_from} ms"));
        completed(&world, 6000)
    };
    assert_eq!(alone(2200), 0, "nobody can make the checkpoint that would end the doubt");
    assert!(alone(5500) > 400, "{}", alone(5500));
}
