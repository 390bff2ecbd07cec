//! Checkpoints: mean completion and the best interval against Daly's formula.

use murphy_models::calc::durability::Checkpoints;

use crate::fixture::{assert_arms, assert_mean, deviation, mean, run, samples};

/// Jobs of `work` seconds on machines that fail after `mtbf` on average.
fn jobs(count: usize, work: f64, interval: f64, machine: &Checkpoints) -> String {
    let Checkpoints { cost, mtbf, restart } = *machine;
    format!(
        r#"
name     = "jobs"
duration = "{:.0}s"

[[node]]
name   = "w"
count  = {count}
model  = "job.worker"
params = {{ work = "{work:.6}s", interval = "{interval:.6}s", cost = "{cost}s", restart = "{restart}s" }}
cpu    = {{ receive = "0s", send = "0s", per_kilobyte = "0s", event = "0s" }}
disk   = {{ write = "0s", sync = "0s", per_kilobyte = "0s" }}

[[hazard]]
name   = "failures"
kind   = "renewal"
target = "w*"
up     = {{ dist = "exponential", mean = "{mtbf}s" }}
down   = "1ms"
fault  = {{ kind = "crash" }}
"#,
        work * 3.0
    )
}

#[test]
fn work_with_checkpoints_takes_as_long_as_daly_says() {
    for (cost, mtbf, restart) in [(60.0, 14_400.0, 120.0), (600.0, 7_200.0, 900.0)] {
        let machine = Checkpoints { cost, mtbf, restart };
        let interval = machine.optimal();
        let record = run(&jobs(64, 100.0 * interval, interval, &machine), 3);
        let completion = samples(&record, "completion");
        assert_eq!(completion.len(), 64, "every job ends");
        assert_mean("completion", &completion, machine.completion(100.0, interval), deviation(&completion));
    }
}

#[test]
fn the_best_interval_is_where_young_and_daly_put_it() {
    let machine = Checkpoints { cost: 600.0, mtbf: 7_200.0, restart: 900.0 };
    let (best, work) = (machine.optimal(), 360_000.0);
    // The same failures for every interval: each is paired with the best one.
    let at = |interval: f64| samples(&run(&jobs(96, work, interval, &machine), 5), "completion");
    let optimum = at(best);
    for factor in [0.33, 3.0] {
        let other = at(best * factor);
        let more: Vec<f64> = other.iter().zip(&optimum).map(|(other, best)| other - best).collect();
        let expected =
            machine.completion(work / best / factor, best * factor) - machine.completion(work / best, best);
        // A last interval that is not full makes the formula a little too long: under one of a hundred.
        assert!(
            mean(&more) > 4.0 * deviation(&more) / (more.len() as f64).sqrt(),
            "{factor}: {}",
            mean(&more)
        );
        assert!((mean(&more) / expected - 1.0).abs() < 0.25, "{factor}: {} of {expected}", mean(&more));
    }
    let young = at(machine.young());
    assert!((mean(&young) / mean(&optimum) - 1.0).abs() < 0.03, "Young's is within 0.4 %, plus noise");
}

#[test]
fn every_scenario_holds_in_its_arms_and_fails_in_the_others() {
    assert_arms("job-checkpoints.toml");
}
