//! A thousand seeds of each Byzantine attack at f: safety in every run, progress while it lasts and after.
//!
//! `cargo run --release -p murphy-models --example attacks [SEEDS] [ATTACK…]`; a failure panics with the
//! attack and the seed. `docs/validation.md` keeps the last result.
#![allow(dead_code, reason = "shared with the tests, which need more of it")]

#[path = "../tests/byzantine/attacks.rs"]
mod attacks;
#[path = "../tests/pbft/group.rs"]
mod group;
#[path = "../tests/byzantine/strategy.rs"]
mod strategy;

use strategy::STRATEGIES;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seeds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1000);
    let named: Vec<&String> = words.iter().filter(|word| word.parse::<u64>().is_err()).collect();
    println!("| attack | seeds | counted at the adversary | view changes | requests done while it lasts |");
    println!("| --- | --- | --- | --- | --- |");
    for strategy in STRATEGIES {
        if named.is_empty() || named.iter().any(|name| *name == strategy.name) {
            let sum = attacks::run(&strategy, 1..=seeds);
            assert!(sum.hits > 0, "{} did nothing", strategy.name);
            println!(
                "| {} | {seeds} | {} | {} | {} |",
                strategy.name, sum.hits, sum.view_changes, sum.during
            );
        }
    }
}
