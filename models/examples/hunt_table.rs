//! How many seeds each way of searching needs to find each planted bug of PBFT, and how small what is found gets.
//!
//! `cargo run --release -p murphy-models --example hunt_table [SEEDS] [BUG…]`. Seeds are 1 to SEEDS
//! (64 without), the same for every way. Intervals are Clopper-Pearson, 95 %.
#![allow(dead_code, reason = "shared with the tests, which need more of it")]

#[path = "../tests/hunt/fixture.rs"]
mod fixture;
#[path = "../tests/hunt/known.rs"]
mod known;

use std::sync::atomic::AtomicBool;

use murphy_reports::{LEVEL, clopper_pearson};
use murphy_scenarios::hunt::{Hunt, Strategy, shrink};

use fixture::{models, study, text};
use known::{HAND, breaks};

/// Ways of searching, in the order of the columns.
const WAYS: [(&str, Strategy); 5] = [
    ("random", Strategy::Random),
    ("swarm", Strategy::Swarm),
    ("priorities", Strategy::Priorities),
    ("forks", Strategy::Forks),
    ("mix", Strategy::Mix),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seeds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(64);
    let named: Vec<&String> = words.iter().filter(|word| word.parse::<u64>().is_err()).collect();
    println!("Seeds to find one failure [95%], and million events to find one, of {seeds} seeds a cell");
    println!();
    println!("| bug | random | swarm | priorities | forks | mix | faults found -> shrunk | by hand | runs |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut ratios: Vec<f64> = Vec::new();
    for (bug, plan) in HAND {
        if named.is_empty() || named.iter().any(|name| *name == bug) {
            ratios.extend(row(bug, plan, seeds));
        }
    }
    ratios.sort_by(f64::total_cmp);
    if let Some(median) = ratios.get(ratios.len() / 2) {
        println!();
        println!("median of shrunk / by hand: {median:.2} over {} bugs", ratios.len());
    }
}

/// One row; the ratio of the shrunk plan's size to the one by hand.
fn row(bug: &str, plan: &str, seeds: u64) -> Option<f64> {
    let models = models();
    let study = study(&text(bug), &models);
    let stop = AtomicBool::new(false);
    print!("| {bug} |");
    let mut smallest: Option<(usize, usize, u64)> = None;
    for (_, way) in WAYS {
        let mut hunt = Hunt::new(&study, way, "table");
        hunt.step(seeds, &stop);
        let stats = hunt.stats();
        print!(" {} |", cell(stats.failing, stats.seeds, stats.events));
        if way != Strategy::Mix {
            continue;
        }
        for finding in hunt.findings() {
            let Some(repro) = hunt.repro(finding) else { continue };
            let Some(shrunk) = shrink(&repro, &stop, &|_| ()) else { continue };
            let found = (shrunk.after.faults, shrunk.before.faults, shrunk.runs);
            smallest = Some(smallest.map_or(found, |known| known.min(found)));
        }
    }
    let by_hand = plan.matches("[[fault]]").count();
    let hand = if by_hand > 0 && breaks(bug, plan) { by_hand.to_string() } else { "–".to_owned() };
    match smallest {
        Some((after, before, runs)) => println!(" {before} -> {after} | {hand} | {runs} |"),
        None => println!(" – | {hand} | – |"),
    }
    let (after, _, _) = smallest?;
    (hand != "–").then(|| after as f64 / by_hand as f64)
}

fn cell(hits: u64, seeds: u64, events: u64) -> String {
    let interval = clopper_pearson(hits, seeds, LEVEL).expect("a sample");
    let seeds_for = |share: f64| if share > 0.0 { format!("{:.1}", 1.0 / share) } else { "∞".to_owned() };
    if hits == 0 {
        return format!("> {} ", seeds_for(interval.high));
    }
    let share = hits as f64 / seeds as f64;
    let (low, high) = (seeds_for(interval.high), seeds_for(interval.low));
    format!("{} [{low}, {high}], {:.2}M", seeds_for(share), events as f64 / 1e6 / hits as f64)
}
