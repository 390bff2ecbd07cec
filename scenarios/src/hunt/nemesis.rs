//! What a hunt injects where a scenario leaves that open: faults that the protocol claims to bear.

use std::fmt::Write as _;

use murphy_sim::{NodeId, Span, Stream, name_hash};

use super::search::Strategy;
use crate::build::law;
use crate::language::{Scenario, duration_text};
use crate::model::Tolerance;

/// Name of the generator; its faults are called `hunt.FAMILY.N`.
const NAME: &str = "hunt";

/// Families that strike nodes: name and fault.
const OF_NODES: [(&str, &str); 9] = [
    ("crash", "kind = \"crash\""),
    ("pause", "kind = \"pause\""),
    ("slow", "kind = \"slow\", factor = { low = 2.0, high = 200.0 }"),
    ("isolate", "kind = \"partition\""),
    ("flaky", "kind = \"omission\", probability = { low = 0.05, high = 1.0 }"),
    ("deaf", "kind = \"omission\", direction = \"receive\", probability = { low = 0.2, high = 1.0 }"),
    ("mute", "kind = \"omission\", direction = \"send\", probability = { low = 0.2, high = 1.0 }"),
    ("clog", "kind = \"clog\""),
    ("far", "kind = \"latency\", factor = { low = 2.0, high = 50.0 }"),
];

/// Families that strike every message.
const OF_MESSAGES: [(&str, &str); 3] = [
    ("loss", "kind = \"loss\", probability = { low = 0.01, high = 0.5 }"),
    ("duplicate", "kind = \"duplicate\", probability = { low = 0.01, high = 0.5 }"),
    (
        "reorder",
        "kind = \"reorder\", probability = { low = 0.01, high = 0.5 }, \
         delay = { dist = \"exponential\", mean = \"50ms\" }",
    ),
];

/// What liars do.
const LIES: [&str; 8] = ["equivocate", "conflict", "forge", "stale", "corrupt", "silence", "replay", "twins"];

/// The `[[hazard]]` of a run: a swarm, of which plain random search has every family at one strength.
pub(super) fn hazard(scenario: &Scenario, tolerance: &Tolerance, strategy: Strategy, seed: u64) -> String {
    let mut rng = Stream::new(seed, name_hash(NAME));
    let name = |node: &NodeId| format!("\"{}\"", scenario.nodes[node.index()].name);
    let nodes: Vec<String> = tolerance.nodes.iter().map(name).collect();
    let mut out = String::new();
    let plain = strategy == Strategy::Random;
    let off = if plain { "0.0" } else { "0.5" };
    _ = writeln!(out, "[[hazard]]\nname = \"{NAME}\"\nkind = \"swarm\"\noff = {off}");
    let (gap, lasts) = ranges(scenario.duration, plain);
    let mut family = |name: &str, target: &str, fault: &str| {
        _ = writeln!(
            out,
            "[[hazard.families]]\nname = \"{name}\"\ngap = {gap}\nlasts = {lasts}{target}\nfault = {{ {fault} }}"
        );
    };
    let target = format!("\ntarget = [{}]", nodes.join(", "));
    if !nodes.is_empty() {
        for (name, fault) in OF_NODES {
            family(name, &target, fault);
        }
    }
    if tolerance.at_once > 1 || nodes.len() > 3 {
        let pick = 2.max(tolerance.at_once).min(nodes.len().saturating_sub(1)).max(1);
        family("split", &format!("{target}\npick = {pick}"), "kind = \"partition\"");
    }
    for (name, fault) in OF_MESSAGES {
        family(name, "", fault);
    }
    // Half of the runs have liars: beside them many a bug of honest nodes has no chance.
    if tolerance.liars > 0 && rng.below(2) == 0 {
        let liars = chosen(&nodes, tolerance.liars, &mut rng);
        let target = format!("\ntarget = [{}]\npick = {}", liars.join(", "), liars.len());
        for lie in LIES {
            let fault =
                format!("kind = \"byzantine\", attack = \"{lie}\", chance = {{ low = 0.2, high = 1.0 }}");
            family(lie, &target, &fault);
        }
    }
    out
}

/// Mean gaps and lengths: in a swarm each run draws its own.
fn ranges(duration: Span, plain: bool) -> (String, String) {
    let part = |parts: u64| duration_text((duration.0 / parts).max(1_000_000));
    if plain {
        return (format!("\"{}\"", part(8)), format!("\"{}\"", part(40)));
    }
    let range = |low: u64, high: u64| format!("{{ low = \"{}\", high = \"{}\" }}", part(low), part(high));
    (range(100, 3), range(2000, 8))
}

/// So many of the names, each as likely, in their order.
fn chosen(names: &[String], count: usize, rng: &mut Stream) -> Vec<String> {
    let mut left = names.to_vec();
    while left.len() > count {
        let gone = usize::try_from(rng.below(left.len() as u64)).expect("an index");
        left.remove(gone);
    }
    left
}

/// Priorities of nodes as faults of latency: what goes to a node waits the longer, the lower its priority;
/// at a few instants a node falls behind all others.
///
/// After Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs",
/// ASPLOS 2010: random priorities and d - 1 random change points. Theirs order threads; here time passes,
/// so a priority is a delay, and the least unit of delay is drawn too.
pub(super) fn priorities(scenario: &Scenario, tolerance: &Tolerance, seed: u64) -> String {
    let mut rng = Stream::new(seed, name_hash("priorities"));
    let latency = law(&scenario.network.latency).sample(1 << 63).0.max(1000) as f64;
    let unit = latency * 0.2 * libm::pow(500.0, rng.unit());
    let mut ranks: Vec<(usize, u64)> = tolerance.nodes.iter().map(|node| (node.index(), 0)).collect();
    for (rank, place) in permutation(ranks.len(), &mut rng).into_iter().enumerate() {
        ranks[place].1 = rank as u64;
    }
    let mut changes: Vec<(u64, usize)> = Vec::new();
    for _ in 0..rng.below(5) {
        let at = rng.below(scenario.duration.0.max(1));
        changes.push((at, usize::try_from(rng.below(ranks.len().max(1) as u64)).expect("an index")));
    }
    changes.sort_unstable();
    let mut out = String::new();
    let mut since = vec![0; ranks.len()];
    let mut worst = ranks.len() as u64;
    let mut fault = |node: usize, rank: u64, from: u64, to: u64| {
        if rank > 0 && to > from {
            let name = &scenario.nodes[node].name;
            let add = duration_text(Span(1).scale(unit * rank as f64).0);
            _ = writeln!(
                out,
                "[[fault]]\nname = \"priority.{name}.{rank}\"\norigin = \"priority\"\nkind = \"latency\"\n\
                 at = \"{}\"\nfor = \"{}\"\nto = \"{name}\"\nadd = \"{add}\"",
                duration_text(from),
                duration_text(to - from)
            );
        }
    };
    for (at, place) in changes {
        if let Some((node, rank)) = ranks.get_mut(place) {
            fault(*node, *rank, since[place], at);
            (*rank, since[place]) = (worst, at);
            worst += 1;
        }
    }
    for (place, (node, rank)) in ranks.into_iter().enumerate() {
        fault(node, rank, since[place], scenario.duration.0);
    }
    out
}

fn permutation(n: usize, rng: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, usize::try_from(rng.below(i as u64 + 1)).expect("an index"));
    }
    order
}
