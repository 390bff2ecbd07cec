//! How many seeds each planted bug of Raft takes: the median over twenty starts, as a table.
//!
//! `cargo run --release -p murphy-models --example raft_bugs [BUG…]` hunts; `… sound SEEDS` runs the
//! correct protocol over as many seeds of every point of every scenario instead, and panics at a
//! violation; `… rates [BUG…]` counts the violations of each property in a thousand seeds.
//! `docs/validation.md` keeps the last result.
#![allow(dead_code, reason = "shared with the tests, which need more of it")]

#[path = "../tests/raft/hunt.rs"]
mod hunt;

use std::collections::BTreeMap;

use hunt::{Ground, HUNTS};

/// Hunts that each median is of.
const STARTS: u64 = 20;
/// Distance between the first seeds of two hunts, and most seeds of one.
const STRIDE: u64 = 1_000_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "sound") {
        let seeds = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(1000);
        return sound(seeds, &words[2.min(words.len())..]);
    }
    if words.first().is_some_and(|word| word == "rates") {
        return rates(&words[1..]);
    }
    println!("| bug | scenario | property | seeds needed, median | quarter to three quarters | most |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for hunt in HUNTS.iter().filter(|hunt| words.is_empty() || words.iter().any(|word| word == hunt.bug)) {
        let ground = Ground::new(hunt.scenario, hunt.bug);
        let needed = |start: u64| ground.seeds_needed(hunt.property, 1 + start * STRIDE, STRIDE);
        let mut needed: Vec<u64> = (1..=STARTS).map(|start| needed(start).unwrap_or(STRIDE)).collect();
        needed.sort_unstable();
        let half = needed.len() / 2;
        println!(
            "| {} | {} | {} | {} | {} to {} | {} |",
            hunt.bug,
            hunt.scenario,
            hunt.property,
            (needed[half - 1] + needed[half]) as f64 / 2.0,
            needed[half / 2],
            needed[half + half / 2],
            needed[needed.len() - 1]
        );
    }
}

/// The correct protocol violates nothing.
fn sound(seeds: u64, named: &[String]) {
    let mut scenarios: Vec<&str> = HUNTS.iter().map(|hunt| hunt.scenario).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    for scenario in scenarios.into_iter().filter(|name| named.is_empty() || named.iter().any(|it| it == name))
    {
        for ground in Ground::points(scenario, "none") {
            for seed in 1..=seeds {
                let violated = ground.violated(seed);
                assert!(violated.is_empty(), "{scenario}, seed {seed}: {violated:?}");
            }
        }
        println!("{scenario}: {seeds} seeds, nothing violated");
    }
}

/// Of how many of a thousand seeds each property is violated.
fn rates(bugs: &[String]) {
    for hunt in HUNTS.iter().filter(|hunt| bugs.is_empty() || bugs.iter().any(|word| word == hunt.bug)) {
        let ground = Ground::new(hunt.scenario, hunt.bug);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for seed in 1..=1000 {
            for name in ground.violated(seed) {
                *counts.entry(name).or_default() += 1;
            }
        }
        println!("{} in {}: {counts:?}", hunt.bug, hunt.scenario);
    }
}
