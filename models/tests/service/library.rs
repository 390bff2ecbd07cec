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

/// Expectations of a scenario that do not hold at any of its points, with one seed.
fn failed(name: &str, sets: &[&str], seed: u64) -> Vec<String> {
    let file = folder().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&file).expect("the file");
    let models: Vec<Box<dyn Model>> = vec![model::<Service>()];
    let sets: Vec<_> = sets.iter().map(|set| set.parse().expect("a path and a value")).collect();
    let study = Study::open(
        &text,
        &file.to_string_lossy(),
        &|_| Err(std::io::ErrorKind::NotFound.into()),
        &models,
        &sets,
    )
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
        let failed = failed(&name, &[], 77);
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[test]
fn the_opposite_setting_fails_the_same_expectation() {
    for (name, set, expected) in [
        ("double-charge", "policy.keyed.idempotency=false", "duplicates == 0"),
        ("double-charge", "service.payment.remember=1ms", "duplicates == 0"),
        ("nested-timeouts", "service.back.drop_expired=false", "availability >= 99% in 60s..150s"),
        ("rate-limit", "policy.token.rate_limit.burst=21", "attempts{node='gate0'} == 3019"),
        ("rate-limit", "policy.leaky.rate_limit.rate=51/s", "attempts{node='gate0'} == 3000"),
        ("fallback", "policy.stale.stale=5s", "answers_degraded > 1700 in 40s..60s"),
        ("hedge", "policy.hedged.hedge=1s", "p99(latency) < 130ms"),
        ("health-gate", "policy.breaker.health=30s", "answers_degraded < 120"),
        (
            "retry-classes",
            "policy.classes.retry_on=[\"503\", \"400\"]",
            "rate(attempts{node='shop0'}) < 1.12 * offered",
        ),
        ("priorities", "service.api.queue.order=fifo", "availability{workload='checkout'} >= 99%"),
        ("adaptive-breaker", "policy.corrected.breaker.history=100", "availability >= 90% in 70s..100s"),
        (
            "throttle",
            "policy.throttled.throttle.k=1000.0",
            "rate(attempts{node='shop0'}) < 250/s in during(surge)",
        ),
    ] {
        let failed = failed(name, &[set], 77);
        assert!(failed.iter().any(|one| one.contains(expected)), "{name} with {set}: {failed:#?}");
    }
}
