//! What attacks cost: published formulas and stated degradations.

use murphy_models::consensus::ClientOptions;
use murphy_sim::{Attack, Deed, Fact, Hit, Span};

use crate::group::{Case, check_safe, completed, latencies, replica};
use crate::strategy::{STRATEGIES, base, hits, kinds, lie};

fn view_changes(case: &Case, ms: u64) -> usize {
    let world = case.run(ms);
    world.judge().facts.iter().filter(|(_, _, fact)| matches!(fact, Fact::ViewChange { .. })).count()
}

fn strategy(name: &str, seed: u64) -> Case {
    let strategy = STRATEGIES.iter().find(|strategy| strategy.name == name).expect("a strategy");
    (strategy.case)(seed)
}

/// Tc + (k + 5)d + 2^(k-1) T: primaries that say nothing are as good as crashed ones.
#[test]
fn silent_primaries() {
    for (k, expected) in [(0, 5), (1, 156), (2, 257), (3, 458)] {
        let mut case = Case::ideal(10, Span::millis(1), Span::secs(10));
        let retry_after = Span::millis(50);
        case.client = ClientOptions { retry_after, ..ClientOptions::default() };
        case.options.view_timeout = Span::millis(100);
        let liars: Vec<u32> = (0..k).collect();
        let world = lie(case, &liars, Attack::new(Deed::Silence), 1, u64::MAX).run(19_000);
        assert_eq!(latencies(&world), [Span::millis(expected)], "{k} silent primaries");
        assert_eq!(replica(&world, 9).view(), u64::from(k));
        assert_eq!(hits(&world, Hit::MessagesWithheld) > 0, k > 0);
    }
}

/// With one batch on its way at a time, a primary that holds each back by 0.8 T orders one batch in
/// that time, and keeps its office.
#[test]
fn a_delaying_primary_costs_throughput_and_no_view_change() {
    for seed in 1..=5 {
        let mut honest = base(4, seed);
        honest.clients = 32;
        honest.options.pipeline = 1;
        honest.options.batch_max = 8;
        honest.client.retry_after = Span::secs(5);
        let delay = Attack { kinds: kinds(&["pre-prepare"]), ..Attack::new(Deed::Delay(Span::millis(240))) };
        let slow = lie(honest.clone(), &[0], delay, 1000, u64::MAX);
        let (fast, delayed) = (honest.run(9000), slow.run(9000));
        check_safe(&delayed, "a delaying primary");
        assert_eq!(view_changes(&slow, 9000), 0, "seed {seed}");
        // At most eight requests in 240 ms, against a hundred a second.
        let (before, after) = (completed(&fast, 1000), completed(&delayed, 1000));
        assert!(before > 700 && after < 8 * 8000 / 240 + 8, "seed {seed}: {before} became {after}");
        assert!(after > 150, "seed {seed}: {after}");
        assert!(hits(&delayed, Hit::MessagesHeldBack) > 50);
    }
}

/// The flooded replicas' CPUs have no time left for requests.
#[test]
fn a_flood_without_isolation_stops_everything_while_it_lasts() {
    for seed in 1..=3 {
        let case = strategy("flood", seed);
        let mut honest = case.clone();
        honest.plan.clear();
        let (quiet, flooded) = (honest.run(4000), case.run(4000));
        check_safe(&flooded, "a flood");
        let during = |world| completed(world, 530) - completed(world, 850);
        let (before, after) = (during(&quiet), during(&flooded));
        assert!(before >= 20 && after * 4 < before, "seed {seed}: {before} became {after}");
        assert!(hits(&flooded, Hit::MessagesFlooded) == 600_000);
        assert!(completed(&flooded, 3000) > 50, "seed {seed}: it never recovered");
    }
}

/// Requests that only some can authenticate make views change again and again.
#[test]
fn a_corrupt_authenticator_churns_views() {
    for seed in 1..=5 {
        let case = strategy("authenticator", seed);
        let mut honest = case.clone();
        honest.plan.clear();
        let (quiet, churned) = (honest.run(4500), case.run(4500));
        check_safe(&churned, "a corrupt authenticator");
        assert_eq!(view_changes(&honest, 4500), 0);
        let (changes, before, after) =
            (view_changes(&case, 4500), completed(&quiet, 1000), completed(&churned, 1000));
        assert!(
            changes >= 10 && after * 4 < before * 3,
            "seed {seed}: {changes} changes, {before} became {after}"
        );
    }
}
