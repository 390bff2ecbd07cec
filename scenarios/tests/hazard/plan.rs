//! Plans: they paste back, and what is not touched stays as it was.

use murphy_scenarios::language::FaultSpec;

use crate::fixture::{head, of, plan, scenario, span};

const ALL: &str = "[[fault]]\nname = \"odd\"\nkind = \"slow\"\ntarget = \"u1\"\nfactor = 3.0\nat = \"10s\"\nfor = \"100s\"\n\
    pattern = { on = { dist = \"exponential\", mean = \"2s\" }, off = \"5s\" }\ncause = \"fan\"\n\
    [[fault]]\nname = \"cut\"\nkind = \"cut\"\nlink = [\"s0\", \"s1\"]\nat = \"20s\"\n\
    [[hazard]]\nname = \"a\"\nkind = \"renewal\"\ntarget = \"u*\"\nmttf = \"60s\"\nmttr = \"5s\"\nbeta = 0.3\nshared = \"zone\"\n\
    fault = { kind = \"crash\", amnesia = true }\n\
    [[hazard]]\nname = \"b\"\nkind = \"nemesis\"\ngap = { dist = \"weibull\", scale = \"9s\", shape = 2.0 }\nat_most = 3\n\
    faults = [{ lasts = \"7s\", site = \"s*\", pick = 2, fault = { kind = \"latency\", add = { dist = \"pareto\", scale = \"1ms\", shape = 1.5 } } },\n\
              { lasts = \"3s\", link = [\"s0\", \"s1\"], fault = { kind = \"loss\", probability = \"2%\" } }]\n\
    [[hazard]]\nname = \"c\"\nkind = \"swarm\"\noff = 0.0\n\
    families = [{ gap = \"30s\", lasts = \"4s\", target = \"u*\", fault = { kind = \"clock\", offset = { low = \"1ms\", high = \"1s\" } } }]\n\
    [[hazard]]\nname = \"d\"\nkind = \"injector\"\nclient = \"u0\"\nserver = [\"u1\", \"u2\"]\nfrom = \"5s\"\nfor = \"9s\"\n\
    [[hazard]]\nname = \"e\"\nkind = \"trace\"\nfile = \"good.csv\"\nsystem = 1\ntarget = \"u*\"\nspeed = 60\nfault = { kind = \"pause\" }\n";

#[test]
fn a_plan_pastes_back_to_the_same_faults() {
    let text = head(6, 3, "200s") + ALL;
    let plan = plan(&text, 5);
    for hazard in ["odd.", "cut", "a.u0.", "a.common.z1.", "b.", "c.clock.", "d.delay", "e.u0."] {
        assert!(!of(&plan, hazard).is_empty(), "the plan has faults of {hazard}");
    }
    let pasted = scenario(&(head(6, 3, "200s") + &plan.render()));
    assert!(!pasted.generates());
    assert_eq!(pasted.faults.len(), plan.faults.len());
    for (fault, pasted) in plan.faults.iter().zip(&pasted.faults) {
        assert_eq!(fault, pasted);
    }
}

#[test]
fn the_frozen_scenario_expands_to_the_same_plan() {
    let first = scenario(&(head(6, 3, "200s") + ALL));
    let again = scenario(first.render());
    assert_eq!(first, again, "the frozen text means the same");
    let expand = murphy_scenarios::hazard::expand;
    assert_eq!(expand(&first, 9).faults, expand(&again, 9).faults);
    assert_ne!(expand(&first, 9).faults, expand(&first, 10).faults, "another seed, another plan");
}

fn only<'f>(faults: &'f [FaultSpec], keep: &dyn Fn(&FaultSpec) -> bool) -> Vec<&'f FaultSpec> {
    faults.iter().filter(|fault| keep(fault)).collect()
}

const UNITS: &str = "[[hazard]]\nname = \"a\"\nkind = \"renewal\"\ntarget = \"u*\"\nmttf = \"60s\"\nmttr = \"5s\"\nfault = { kind = \"crash\" }\n";

#[test]
fn a_node_or_a_hazard_more_leaves_the_rest_of_the_plan() {
    let before = plan(&(head(6, 3, "900s") + UNITS), 5);
    let node = plan(&(head(7, 3, "900s") + UNITS), 5);
    let old = only(&node.faults, &|fault| !fault.name.starts_with("a.u6."));
    assert!(old.len() < node.faults.len(), "the new node fails too");
    assert_eq!(only(&before.faults, &|_| true), old);
    let more = UNITS.replace("\"a\"", "\"z\"").replace("[[hazard]]", "\n[[hazard]]");
    let hazard = plan(&(head(6, 3, "900s") + &more + UNITS), 5);
    assert_eq!(only(&before.faults, &|_| true), only(&hazard.faults, &|fault| fault.origin == "a"));
    let times = |prefix: &str| of(&hazard, prefix).into_iter().map(span).collect::<Vec<_>>();
    assert_ne!(times("a.u0."), times("z.u0."), "and the two hazards do not draw alike");
}

#[test]
fn a_longer_run_starts_with_the_plan_of_a_shorter_one() {
    let (short, long) = (plan(&(head(3, 1, "900s") + UNITS), 5), plan(&(head(3, 1, "1800s") + UNITS), 5));
    let begun = only(&long.faults, &|fault| fault.start.0 < 900_000_000_000);
    assert_eq!(only(&short.faults, &|_| true), begun);
    assert!(long.faults.len() > short.faults.len());
}

#[test]
fn an_intermittent_fault_is_its_bursts() {
    let fault = "[[fault]]\nname = \"f\"\nkind = \"crash\"\ntarget = \"u0\"\nat = \"10s\"\nfor = \"11s\"\n\
                 pattern = { on = \"2s\", off = \"3s\" }\n";
    let plan = plan(&(head(1, 1, "60s") + fault), 1);
    let spans: Vec<(u64, u64)> =
        plan.faults.iter().map(span).map(|(a, b)| (a / 1_000_000_000, b / 1_000_000_000)).collect();
    assert_eq!(spans, [(10, 12), (15, 17), (20, 21)]);
    assert!(plan.faults.iter().all(|fault| fault.origin == "f"));
}

#[test]
fn a_plan_is_bounded() {
    let fast = UNITS.replace("60s", "1us").replace("5s", "1us");
    let plan = plan(&(head(2, 1, "900s") + &fast), 5);
    assert_eq!(plan.faults.len(), murphy_scenarios::hazard::MAX_FAULTS);
    assert!(plan.full && plan.notes.iter().any(|note| note.contains("plan is full")), "{:?}", plan.notes);
}

#[test]
fn a_nemesis_that_strikes_without_pause_ends() {
    let keys = "[[hazard]]\nname = \"n\"\nkind = \"nemesis\"\ngap = \"0s\"\n\
                faults = [{ lasts = \"900s\", target = \"u*\", fault = { kind = \"crash\" } }]\n";
    let plan = plan(&(head(2, 1, "900s") + keys), 5);
    assert!(plan.full, "it gave up");
    assert_eq!(plan.faults.len(), 1, "one at once");
}

#[test]
fn kinds_of_every_family_come_out_of_generators_and_paste_back() {
    for fault in [
        "kind = \"partition\"",
        "kind = \"slow\", factor = 3.0",
        "kind = \"omission\", direction = \"send\", probability = 0.5",
        "kind = \"disk-full\"",
        "kind = \"lying-sync\"",
        "kind = \"jitter\", by = { dist = \"exponential\", mean = \"5ms\" }",
        "kind = \"clog\"",
        "kind = \"clock\", jump = \"-5s\"",
        "kind = \"byzantine\", attack = \"silence\"",
        "kind = \"auth-outage\"",
    ] {
        let text = UNITS.replace("kind = \"crash\"", fault);
        let made = plan(&(head(3, 1, "900s") + &text), 2);
        assert!(!made.faults.is_empty(), "{fault}");
        let pasted = scenario(&(head(3, 1, "900s") + &made.render()));
        assert_eq!(pasted.faults, made.faults, "{fault}");
    }
}
