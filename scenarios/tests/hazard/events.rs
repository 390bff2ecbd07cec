//! Nemesis, swarm and injector.

use std::collections::BTreeMap;

use murphy_scenarios::hazard::Plan;
use murphy_scenarios::language::{FaultEffect, Scope};

use crate::fixture::{head, of, plan, poisson, scenario, span};

const ALPHA: f64 = 1e-6;

fn nemesis(at_most: u64) -> String {
    head(6, 3, "600s")
        + &format!(
            "[[hazard]]\nname = \"n\"\nkind = \"nemesis\"\nrate = \"720/h\"\nat_most = {at_most}\nquiet = \"60s\"\n\
             [[hazard.faults]]\nweight = 3.0\nlasts = {{ dist = \"exponential\", mean = \"20s\" }}\ntarget = \"u*\"\n\
             fault = {{ kind = \"crash\" }}\n\
             [[hazard.faults]]\nlasts = \"10s\"\ntarget = \"u*\"\npick = 2\nfault = {{ kind = \"partition\" }}\n\
             [[hazard.faults]]\nlasts = \"5s\"\nfault = {{ kind = \"cut\", link = [\"s0\", \"s1\"] }}\n"
        )
}

/// Most faults of a plan that are active at one instant.
fn most_at_once(plan: &Plan) -> i32 {
    let mut edges: Vec<(u64, i32)> = Vec::new();
    for fault in &plan.faults {
        let (start, end) = span(fault);
        edges.extend([(start, 1), (end, -1)]);
    }
    edges.sort_unstable();
    let (mut now, mut most) = (0, 0);
    for (_, step) in edges {
        now += step;
        most = most.max(now);
    }
    most
}

#[test]
fn a_nemesis_has_at_most_so_many_faults_at_once_and_a_quiet_tail() {
    let mut reached = 0;
    for seed in 0..200 {
        let limited = plan(&nemesis(2), seed);
        assert!(most_at_once(&limited) <= 2, "seed {seed}");
        reached += u32::from(most_at_once(&limited) == 2);
        let ends = limited.faults.iter().map(|fault| span(fault).1).max().unwrap_or(0);
        assert!(ends <= 540_000_000_000, "seed {seed}: a fault in the quiet tail, to {ends}");
    }
    assert!(reached > 190, "the limit binds: {reached} of 200");
    let free = plan(&nemesis(1000), 1);
    assert!(most_at_once(&free) > 2, "without the limit there are more: {}", most_at_once(&free));
}

#[test]
fn a_nemesis_strikes_at_its_rate_and_by_its_weights() {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut targets = [0_u64; 6];
    for seed in 0..40 {
        for fault in plan(&nemesis(100_000), seed).faults {
            *kinds.entry(fault.kind).or_default() += 1;
            if let FaultEffect::Crash { nodes, .. } = fault.effect {
                targets[nodes[0]] += 1;
            }
        }
    }
    // 0.2/s over 540 s, 40 seeds; weights 3, 1 and 1 thin it to Poisson counts.
    let all = 0.2 * 540.0 * 40.0;
    for (kind, share) in [("crash", 0.6), ("partition", 0.2), ("cut", 0.2)] {
        let interval = poisson(all * share, ALPHA);
        assert!(interval.contains(&kinds[kind]), "{kind}: {} not in {interval:?}", kinds[kind]);
    }
    let each = poisson(all * 0.6 / 6.0, ALPHA);
    assert!(targets.iter().all(|count| each.contains(count)), "{targets:?} not in {each:?}");
}

#[test]
fn another_node_changes_only_the_strikes_that_it_wins() {
    let six = plan(&nemesis(100_000), 7);
    let seven = plan(&nemesis(100_000).replace("count = 6", "count = 7"), 7);
    assert_eq!(six.faults.len(), seven.faults.len());
    let mut changed = 0;
    for (before, after) in six.faults.iter().zip(&seven.faults) {
        assert_eq!((&before.name, span(before), before.kind), (&after.name, span(after), after.kind));
        if before.kind == "crash" && before.target != after.target {
            assert_eq!(after.target, "u6", "{} moved from {}", after.name, before.target);
            changed += 1;
        }
    }
    assert!(changed > 0, "a seventh of the crashes goes to the new node");
}

const SWARM: &str = "[[hazard]]\nname = \"s\"\nkind = \"swarm\"\nquiet = \"60s\"\n\
    [[hazard.families]]\ngap = { low = \"5s\", high = \"50s\" }\nlasts = { low = \"1s\", high = \"10s\" }\ntarget = \"u*\"\n\
    fault = { kind = \"crash\" }\n\
    [[hazard.families]]\ngap = \"10s\"\nlasts = \"2s\"\ntarget = \"u*\"\n\
    fault = { kind = \"loss\", probability = { low = 0.1, high = 0.3 } }\n\
    [[hazard.families]]\nname = \"late\"\ngap = \"10s\"\nlasts = \"2s\"\n\
    fault = { kind = \"latency\", target = \"u*\", add = { low = \"10ms\", high = \"90ms\" } }\n";

#[test]
fn a_swarm_turns_each_family_off_in_half_of_the_runs() {
    let text = head(4, 2, "600s") + SWARM;
    let scenario = scenario(&text);
    let (mut on, mut pairs) = ([0_u32; 3], 0_u32);
    for seed in 0..400 {
        let plan = murphy_scenarios::hazard::expand(&scenario, seed);
        let has = ["s.crash.", "s.loss.", "s.late."].map(|prefix| !of(&plan, prefix).is_empty());
        for (count, has) in on.iter_mut().zip(has) {
            *count += u32::from(has);
        }
        pairs += u32::from(has[0] && has[1]);
        assert!(plan.faults.iter().all(|fault| span(fault).1 <= 540_000_000_000), "seed {seed}: quiet tail");
    }
    // Binomial(400, 0.5): sd 10, five of them: false alarm 6e-7 each; an on family has no fault with
    // probability exp(-10) at most. Pairs: Binomial(400, 0.25), sd 8.7.
    assert!(on.iter().all(|count| (150..=250).contains(count)), "{on:?}");
    assert!((56..=144).contains(&pairs), "families are off independently: {pairs}");
}

#[test]
fn a_swarm_draws_its_ranges_once_a_run() {
    let text = head(4, 2, "600s") + &SWARM.replace("quiet = \"60s\"", "off = 0.0");
    let mut seen = Vec::new();
    for seed in 0..50 {
        let plan = plan(&text, seed);
        let mut of_run = Vec::new();
        for fault in of(&plan, "s.loss.") {
            let FaultEffect::Loss { scope: Scope::Traffic(_), probability, .. } = fault.effect else {
                panic!("{:?}", fault.effect)
            };
            assert!((0.1..=0.3).contains(&probability), "{probability}");
            of_run.push(probability.to_bits());
        }
        of_run.dedup();
        assert_eq!(of_run.len(), 1, "one value a run, seed {seed}");
        seen.extend(of_run);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 50, "another value each run");
}

#[test]
fn the_injector_has_the_probabilities_of_its_source() {
    let keys = "[[hazard]]\nname = \"i\"\nkind = \"injector\"\nclient = \"u0\"\nserver = \"u1\"\n";
    let plan = plan(&(head(2, 1, "60s") + keys), 1);
    let text: Vec<String> =
        plan.faults.iter().map(|f| format!("{} {} {}", f.name, f.kind, f.target)).collect();
    assert_eq!(
        text,
        [
            "i.delay reorder u1 → u0",
            "i.error loss u0 → u1",
            "i.timeout loss u1 → u0",
            "i.corrupt corrupt u1 → u0"
        ]
    );
    let chance = |effect: &FaultEffect| match effect {
        FaultEffect::Reorder { reorder, .. } => reorder.probability,
        FaultEffect::Loss { probability, .. } | FaultEffect::Corrupt { probability, .. } => *probability,
        other => panic!("{other:?}"),
    };
    let chances: Vec<f64> = plan.faults.iter().map(|fault| chance(&fault.effect)).collect();
    assert!(chances.iter().zip([0.10, 0.05, 0.02, 0.01]).all(|(a, b)| (a - b).abs() < 1e-15), "{chances:?}");
}
