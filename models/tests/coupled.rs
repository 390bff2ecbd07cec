//! Components that share crews and stand by, run through the engine from scenario files: the plan keeps
//! its rules, and the structures' availability is that of the closed forms.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use murphy_models::calc;
use murphy_models::component::Component;
use murphy_reports::RunRecord;
use murphy_scenarios::language::{Scenario, Set};
use murphy_scenarios::{Model, Study, hazard, model};
use murphy_sim::Keep;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/availability");

fn models() -> Vec<Box<dyn Model>> {
    vec![model::<Component>()]
}

fn scenario(file: &str, sets: &[&str]) -> Arc<Scenario> {
    let text =
        std::fs::read_to_string(Path::new(FOLDER).join(file)).expect("the scenario ships with the crate");
    let sets: Vec<Set> = sets.iter().map(|set| set.parse().expect("an override")).collect();
    let read = |path: &Path| std::fs::read_to_string(path);
    let models = models();
    let study = Study::open(&text, file, &read, &models, &sets).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(study.points().len(), 1, "the overrides choose one point");
    Arc::clone(&study.points()[0])
}

fn run(scenario: &Arc<Scenario>, seed: u64) -> RunRecord {
    let run = models()[0].prepare(scenario, seed, Keep::Nothing);
    run.finish(&AtomicBool::new(false)).expect("nobody stops it")
}

/// Share of a run that a structure was down, from its level.
fn down(run: &RunRecord, structure: &str) -> f64 {
    let gate = run.structures.iter().position(|name| name == structure).expect("a structure");
    let record = run.metrics.iter().find(|metric| metric.name == "structure_up").expect("measured");
    let mut levels: Vec<(u64, f64)> = record
        .samples
        .iter()
        .filter(|sample| sample.1 as usize == gate)
        .map(|sample| (sample.0, sample.2))
        .collect();
    levels.push((run.duration_ns, 0.0));
    let down = levels.windows(2).map(|pair| (1.0 - pair[0].1) * (pair[1].0 - pair[0].0) as f64).sum::<f64>();
    down / run.duration_ns as f64
}

/// Mean over seeds against a closed form, as a t statistic with 19 degrees of freedom.
fn t(scenario: &Arc<Scenario>, structure: &str, exact: f64) -> f64 {
    let found: Vec<f64> = (1..=20).map(|seed| down(&run(scenario, seed), structure)).collect();
    let mean = found.iter().sum::<f64>() / 20.0;
    let squares: f64 = found.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean - exact) / (squares / 19.0 / 20.0).sqrt()
}

fn exact(form: &str, arguments: &str) -> f64 {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    calc::run(form, &arguments).expect("arguments that work").figure("unavailability").expect("a figure")
}

#[test]
fn structures_are_as_available_as_the_closed_forms_say() {
    // Five checks at |t| < 5.5 with 19 degrees of freedom: false alarm 1.3e-4 together.
    for (file, sets, structure, form, arguments) in [
        ("shared-crew.toml", &["crews=1"][..], "majority", "repairman", "k=2 n=3 mttf=100s mttr=5s crews=1"),
        ("shared-crew.toml", &["crews=3"], "majority", "repairman", "k=2 n=3 mttf=100s mttr=5s"),
        (
            "standby.toml",
            &["dormancy=0.0"],
            "service",
            "active-standby",
            "mttf=1000s mttr=10s coverage=0.9 failover=500ms manual=5s dormancy=0 crews=1",
        ),
        (
            "standby.toml",
            &["dormancy=1.0"],
            "service",
            "active-standby",
            "mttf=1000s mttr=10s coverage=0.9 failover=500ms manual=5s dormancy=1 crews=1",
        ),
        (
            "shared-crew.toml",
            &["crews=3", "hazard.wear.beta=0.2"],
            "majority",
            "common-cause",
            "k=2 n=3 mttf=100s mttr=5s beta=0.2",
        ),
    ] {
        let t = t(&scenario(file, sets), structure, exact(form, arguments));
        assert!(t.abs() < 5.5, "{file} {sets:?}: t = {t}");
    }
    // The opposite arm: three crews are not one.
    let t = t(
        &scenario("shared-crew.toml", &["crews=3"]),
        "majority",
        exact("repairman", "k=2 n=3 mttf=100s mttr=5s crews=1"),
    );
    assert!(t.abs() > 20.0, "one crew would be mistaken for three: t = {t}");
}

#[test]
fn one_crew_repairs_one_at_a_time_and_in_the_order_of_the_failures() {
    let plan = hazard::expand(&scenario("shared-crew.toml", &["crews=1"]), 4);
    let ends: Vec<u64> =
        plan.faults.iter().map(|fault| fault.start.0 + fault.duration.expect("it ends").0).collect();
    assert!(ends.len() > 5000, "{} failures", ends.len());
    assert!(
        plan.faults.windows(2).all(|pair| pair[0].start <= pair[1].start),
        "in the order of their starts"
    );
    assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "first come, first served");
    // With crews enough somebody overtakes.
    let plan = hazard::expand(&scenario("shared-crew.toml", &["crews=3"]), 4);
    let ends: Vec<u64> =
        plan.faults.iter().map(|fault| fault.start.0 + fault.duration.expect("it ends").0).collect();
    assert!(ends.windows(2).any(|pair| pair[0] > pair[1]));
}

#[test]
fn with_crews_enough_the_plan_is_that_of_components_on_their_own() {
    // The same words for the same draws: a crew changes who waits, not what is drawn.
    let coupled = scenario("shared-crew.toml", &["crews=3"]);
    let text = std::fs::read_to_string(Path::new(FOLDER).join("shared-crew.toml")).expect("there");
    let text = text.replace("crew   = \"ops\"\n", "");
    let models = models();
    let alone = Study::open(
        &text,
        "alone.toml",
        &|path| std::fs::read_to_string(path),
        &models,
        &["crews=3".parse().unwrap()],
    )
    .unwrap_or_else(|wrong| panic!("{wrong}"));
    let key = |scenario: &Scenario| {
        let mut faults: Vec<(String, u64, u64)> = hazard::expand(scenario, 9)
            .faults
            .into_iter()
            .map(|fault| (fault.name, fault.start.0, fault.duration.expect("it ends").0))
            .collect();
        faults.sort();
        faults
    };
    assert_eq!(key(&coupled), key(&alone.points()[0]));
}

#[test]
fn redundancy_inside_one_domain_buys_nothing() {
    let answer = |spread: &str| {
        let text = std::fs::read_to_string(Path::new(FOLDER).join("zones.toml")).expect("there");
        let models = models();
        let sets = [format!("spread=[{spread}]").parse().expect("an override")];
        let read = |path: &Path| std::fs::read_to_string(path);
        let study =
            Study::open(&text, "zones.toml", &read, &models, &sets).unwrap_or_else(|wrong| panic!("{wrong}"));
        let found = study.estimate(study.jobs(&[7])[0], &AtomicBool::new(false));
        found.expect("components only").expect("nobody stops it").unavailability()
    };
    // Three checks at |z| < 4.5.
    for (spread, layout) in [("['a']", "5"), ("['a', 'b']", "3+2"), ("['a', 'b', 'c']", "2+2+1")] {
        let exact = exact("nested-domains", &format!("layout={layout} need=3 node=99.9% zone=99.99%"));
        let found = answer(spread);
        let z = libm::log(found.value / exact) / found.relative_error;
        assert!(z.abs() < 4.5, "{spread}: {:e} for {exact:e}, z = {z}", found.value);
    }
}
