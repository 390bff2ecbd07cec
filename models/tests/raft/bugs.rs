//! Planted bugs: each is found within a fixed sample on which the correct protocol breaks nothing.

use crate::hunt::{Ground, HUNTS};

#[test]
fn the_correct_protocol_breaks_nothing() {
    let mut scenarios: Vec<&str> = HUNTS.iter().map(|hunt| hunt.scenario).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    for scenario in scenarios {
        for ground in Ground::points(scenario, "none") {
            for seed in 1..=100 {
                let violated = ground.violated(seed);
                assert!(violated.is_empty(), "{scenario}, seed {seed}: {violated:?}");
            }
        }
    }
}

#[test]
fn each_planted_bug_breaks_its_property() {
    for hunt in HUNTS.iter().filter(|hunt| hunt.sample > 0) {
        let needed = Ground::new(hunt.scenario, hunt.bug).seeds_needed(hunt.property, 1, hunt.sample);
        assert!(needed.is_some(), "{} never broke {} in {}", hunt.bug, hunt.property, hunt.scenario);
    }
}

#[test]
fn every_bug_that_a_scenario_may_plant_is_hunted() {
    let hunted: Vec<&str> = HUNTS.iter().map(|hunt| hunt.bug).collect();
    assert_eq!(murphy_models::raft::Bug::names().collect::<Vec<_>>(), hunted);
}
