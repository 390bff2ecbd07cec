//! What the disk keeps: a restart contradicts nothing, and acknowledged operations stay.

use murphy_models::pbft::Options;
use murphy_sim::Fact;

use crate::group::{Case, check_safe, check_together, completed, replica};

#[test]
fn every_replica_restarts_one_after_the_other() {
    for seed in 1..=10 {
        let mut case = Case::new(4, seed);
        for node in 0..4 {
            let start = 1000 + 2500 * u64::from(node);
            case = case.crash([node], start, start + 700);
        }
        let world = case.run(16_000);
        check_safe(&world, &format!("seed {seed}"));
        check_together(&world, 4, 5);
        assert!(completed(&world, 13_000) > 400, "seed {seed}: {}", completed(&world, 13_000));
    }
}

#[test]
fn all_crash_at_once_and_lose_nothing() {
    for seed in 1..=20 {
        for every in [8, 128] {
            let mut case = Case::new(4, seed).crash(0..4, 1500, 2000).crash(0..4, 3000, 3001);
            case.options = Options { checkpoint_every: every, window: 2 * every, ..case.options };
            let world = case.run(8000);
            check_safe(&world, &format!("seed {seed}"));
            check_together(&world, 4, 5);
            assert!(completed(&world, 6000) > 300, "seed {seed}: {}", completed(&world, 6000));
        }
    }
}

#[test]
fn a_restart_executes_again_what_the_disk_kept() {
    let world = Case::new(4, 2).crash([2], 1500, 1600).run(1600);
    let mut restarted = false;
    let mut again = 0;
    for (_, node, fact) in &world.judge().facts {
        restarted |= node.0 == 2 && matches!(fact, Fact::Restart);
        again += u64::from(restarted && node.0 == 2 && matches!(fact, Fact::Execute { .. }));
    }
    assert!(again > 0 && replica(&world, 2).executed() > 200, "{again} of {}", replica(&world, 2).executed());
}
