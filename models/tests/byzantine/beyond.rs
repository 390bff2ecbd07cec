//! More than f liars break agreement, and the oracle names it.

use murphy_models::oracle::OracleVerdict;
use murphy_sim::{Attack, Deed, Mutation};

use crate::group::{Case, violated};
use crate::strategy::{START, alter, base, lie};

/// Groups and liars that they do not tolerate, the first primary among them.
const BEYOND: [(u32, &[u32]); 3] = [(4, &[0, 3]), (7, &[0, 3, 5]), (3, &[0])];

const SEEDS: u64 = 50;

fn case(n: u32, liars: &[u32], attack: Attack, seed: u64) -> Case {
    let mut case = lie(base(n, seed), liars, attack, START, u64::MAX);
    case.stop_on = Some("agreement");
    case
}

/// How many of the seeds break agreement.
fn broken(n: u32, liars: &[u32], attack: &Attack) -> u64 {
    let breaks = |seed: &u64| {
        let world = case(n, liars, attack.clone(), *seed).run(3000);
        violated(&world).contains(&"agreement")
    };
    (1..=SEEDS).filter(breaks).count() as u64
}

/// Two stories and accomplices who vote for both: every seed breaks, so that the share is at least
/// 92.9 % (Clopper–Pearson, 95 %, 50 of 50: 0.025^(1/50)). An independent model, with random
/// schedules rather than a plot, broke in 26, 11 and 149 of 1,000.
#[test]
fn equivocation_with_accomplices() {
    for (n, liars) in BEYOND {
        assert_eq!(broken(n, liars, &alter(Mutation::Equivocate)), SEEDS, "n = {n}");
    }
}

#[test]
fn twins_with_twins() {
    for (n, liars) in BEYOND {
        assert_eq!(broken(n, liars, &Attack::new(Deed::Twins)), SEEDS, "n = {n}");
    }
}

/// The same liars without the one that is too many break nothing.
#[test]
fn one_liar_less() {
    for (n, liars) in [(4, &[0][..]), (7, &[0, 3])] {
        for attack in [alter(Mutation::Equivocate), Attack::new(Deed::Twins)] {
            assert_eq!(broken(n, liars, &attack), 0, "n = {n}: {:?}", attack.deed);
        }
    }
}

#[test]
fn the_oracle_names_the_slot_and_both_sides() {
    let world = case(4, &[0, 3], alter(Mutation::Equivocate), 1).run(3000);
    match world.judge().oracles.agreement.verdict() {
        OracleVerdict::Violated { message, .. } => {
            assert!(
                message.contains("slot") && message.contains("r1") && message.contains("r2"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
}
