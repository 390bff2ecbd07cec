//! The scenarios of policies, run as a user does, and settings that must not pass them.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use murphy_models::service::Service;
use murphy_reports::Judgement;
use murphy_scenarios::expect::evaluate;
use murphy_scenarios::{Model, Study, model};
use murphy_sim::Keep;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/services/policies")
}

/// Expectations of a scenario that do not hold at any of its points, with one seed. One text of the file is
/// another one first.
fn failed(name: &str, [from, to]: [&str; 2], seed: u64) -> Vec<String> {
    let file = folder().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.contains(from), "{name} has no `{from}`");
    let text = text.replacen(from, to, 1);
    let models: Vec<Box<dyn Model>> = vec![model::<Service>()];
    let nowhere = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let study = Study::open(&text, &file.to_string_lossy(), &nowhere, &models, &[])
        .unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let mut failed = Vec::new();
    for point in study.points() {
        let run = models[0].prepare(point, seed, Keep::Nothing).finish(&AtomicBool::new(false));
        let run = run.expect("nobody stopped it");
        let judged = point.expectations.iter().map(|one| evaluate(one, &run));
        let bad = judged.filter(|result| result.verdict != Judgement::Pass);
        failed.extend(bad.map(|result| format!("{name}: {}: {}", result.text, result.observed)));
    }
    failed
}

#[test]
fn every_scenario_of_policies_passes_with_other_seeds_than_its_own() {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("the library")
        .map(|file| file.expect("a file").file_name().to_string_lossy().trim_end_matches(".toml").to_owned())
        .filter(|name| name != "phase-diagram")
        .collect();
    names.sort();
    assert!(names.len() >= 13, "{names:?}");
    for name in names {
        let failed = failed(&name, ["", ""], 77);
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[test]
fn the_opposite_setting_fails_the_same_expectation() {
    for (name, change, expected) in [
        ("double-charge", ["idempotency = true", "idempotency = false"], "duplicates == 0"),
        ("double-charge", ["\"1h\"", "\"1ms\""], "duplicates == 0"),
        ("nested-timeouts", ["\"propagation == true\"", "\"propagation == false\""], "availability >= 99%"),
        ("rate-limit", ["burst = 20 }", "burst = 21 }"], "attempts{node='gate0'} == 3019"),
        (
            "rate-limit",
            ["\"leaky\", rate = \"50/s\"", "\"leaky\", rate = \"51/s\""],
            "attempts{node='gate0'} == 3000",
        ),
        ("fallback", ["\"20s\"", "\"5s\""], "answers_degraded > 1700 in 40s..60s"),
        ("hedge", ["\"74ms\"", "\"1s\""], "p99(latency) < 130ms"),
        (
            "stack-order",
            ["[\"retry\", \"breaker\", \"timeout\"]", "[\"retry\", \"timeout\", \"breaker\"]"],
            "attempts{node='shop0'} < 100 in during(stock-hangs)",
        ),
        ("health-gate", ["failure_rate = 0.5", "failure_rate = 0.0"], "answers_degraded < 120"),
        (
            "retry-classes",
            ["\"failed\"]", "\"failed\", \"400\"]"],
            "rate(attempts{node='shop0'}) < 1.12 * offered",
        ),
        (
            "priorities",
            ["order = \"priority\"", "order = \"fifo\""],
            "availability{workload='checkout'} >= 99%",
        ),
        ("adaptive-breaker", ["history = 1000", "history = 100"], "availability >= 90% in 70s..100s"),
        ("throttle", ["k = 2.0", "k = 1000.0"], "rate(attempts{node='shop0'}) < 250/s in during(surge)"),
        (
            "sidecar",
            ["\"app_retries == 2 &&", "\"app_retries == 0 &&"],
            "rate(attempts{node='proxy0'}) > 8.1 * offered",
        ),
        (
            "connect",
            ["timeout = \"5s\", idle = \"1s\"", "timeout = \"25s\", idle = \"1s\""],
            "p50(latency) < 5.1s in during(stock-gone)",
        ),
    ] {
        let failed = failed(name, change, 77);
        assert!(failed.iter().any(|one| one.contains(expected)), "{name} with {change:?}: {failed:#?}");
    }
}
