//! Each attack at f, over a sample of seeds; `models/examples/attacks.rs` runs a thousand of each.

use murphy_sim::Fact;

use crate::group::{check_safe, completed};
use crate::strategy::{END, HORIZON, STRATEGIES, Strategy, hits};

/// What a sample of runs did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) hits: u64,
    pub(crate) view_changes: usize,
    pub(crate) during: usize,
}

/// Runs seeds and asserts what holds at f: safety, and progress while it lasts and after it.
pub(crate) fn run(strategy: &Strategy, seeds: std::ops::RangeInclusive<u64>) -> Sum {
    let mut sum = Sum::default();
    for seed in seeds {
        let what = format!("{}, seed {seed}", strategy.name);
        let world = (strategy.case)(seed).run(HORIZON);
        check_safe(&world, &what);
        let hit = hits(&world, strategy.hit);
        // Nobody is cut off any more.
        let during = completed(&world, 4500) - completed(&world, END);
        let after = completed(&world, HORIZON - 2000);
        assert!(!strategy.live || during > 0, "{what}: no progress while it lasts");
        assert!(after > 100, "{what}: {after} of 200 requests in the last two seconds");
        sum.hits += hit;
        sum.during += during;
        let facts = world.judge().facts.iter();
        sum.view_changes += facts.filter(|(_, _, fact)| matches!(fact, Fact::ViewChange { .. })).count();
    }
    sum
}

fn check(name: &str) -> Sum {
    let strategy = STRATEGIES.iter().find(|strategy| strategy.name == name).expect("a strategy");
    let sum = run(strategy, 1..=20);
    assert!(sum.hits > 0, "{name} did nothing");
    sum
}

#[test]
fn two_stories() {
    assert!(check("equivocate").view_changes > 0);
    assert!(check("both-stories").view_changes > 0);
}

#[test]
fn twins() {
    check("twins");
}

#[test]
fn silence_and_omission() {
    assert!(check("silence").view_changes > 0);
    check("omission");
    check("deaf");
}

#[test]
fn delay() {
    check("delay");
}

#[test]
fn votes_for_something_else() {
    check("conflict");
}

#[test]
fn forged_certificates() {
    assert!(check("forge").view_changes > 0);
    assert!(check("forge-new-view").view_changes > 0);
}

#[test]
fn stale_messages() {
    check("stale");
    assert!(check("stale-view-change").view_changes > 0);
}

#[test]
fn corrupt_content() {
    check("corrupt");
    check("corrupt-state");
}

#[test]
fn replays() {
    check("replay");
}

#[test]
fn accomplices() {
    check("collusion");
}

#[test]
fn corrupt_authenticators() {
    assert!(check("authenticator").view_changes > 0);
}
