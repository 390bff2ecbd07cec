//! Runs of scenarios, and what they measured.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use murphy_models::replication::job::Job;
use murphy_models::replication::leaders::Leaders;
use murphy_models::replication::quorum::Quorum;
use murphy_models::replication::standby::Standby;
use murphy_reports::{Judgement, RunRecord};
use murphy_scenarios::language::Scenario;
use murphy_scenarios::{Model, Study, expect, model};
use murphy_sim::Keep;

fn models() -> Vec<Box<dyn Model>> {
    vec![model::<Job>(), model::<Leaders>(), model::<Quorum>(), model::<Standby>()]
}

fn open<'m>(text: &str, models: &'m [Box<dyn Model>]) -> (Study<'m>, &'m dyn Model) {
    let study = Study::open(text, "test.toml", &|path| std::fs::read_to_string(path), models, &[])
        .unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let kind = study.points()[0].nodes[0].kind;
    let owns = |model: &&'m dyn Model| model.info().kinds.iter().any(|known| known.name == kind);
    let model = models.iter().map(|model| &**model).find(owns).expect("one of the models");
    (study, model)
}

fn finish(model: &dyn Model, scenario: &Arc<Scenario>, seed: u64) -> (RunRecord, Vec<Judged>) {
    let record = model.prepare(scenario, seed, Keep::Nothing).finish(&AtomicBool::new(false));
    let record = record.expect("nobody stops the run");
    let judged = scenario.expectations.iter().map(|expectation| {
        let result = expect::evaluate(expectation, &record);
        let what = format!("{}: {}, wanted {}", result.text, result.observed, result.limit);
        Judged { line: expectation.place.line, what, passed: result.verdict == Judgement::Pass }
    });
    let judged = judged.collect();
    (record, judged)
}

/// What an expectation says of a run, and whether it passed.
#[derive(Debug)]
pub(crate) struct Judged {
    line: usize,
    what: String,
    passed: bool,
}

/// One run of the only point of a text.
pub(crate) fn run(text: &str, seed: u64) -> RunRecord {
    let models = models();
    let (study, model) = open(text, &models);
    finish(model, &study.points()[0], seed).0
}

/// Values of a metric, in seconds for times.
pub(crate) fn samples(record: &RunRecord, name: &str) -> Vec<f64> {
    let metric = record.metrics.iter().find(|metric| metric.name == name).expect("a metric of the model");
    let scale = if metric.unit == "ns" { 1e-9 } else { 1.0 };
    metric.samples.iter().map(|sample| sample.2 * scale).collect()
}

/// Sum of a metric.
pub(crate) fn total(record: &RunRecord, name: &str) -> f64 {
    samples(record, name).iter().sum()
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of a sample.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

/// Asserts that a mean is the one that theory says, within four standard errors: false alarm 6e-5.
pub(crate) fn assert_mean(what: &str, values: &[f64], expected: f64, deviation: f64) {
    let error = deviation / (values.len() as f64).sqrt();
    let z = (mean(values) - expected) / error;
    assert!(
        z.abs() < 4.0,
        "{what}: {} of {} values, expected {expected}, z = {z:.2}",
        mean(values),
        values.len()
    );
}

/// Asserts that a share of `n` trials is the probability that theory says, within four standard errors.
pub(crate) fn assert_share(what: &str, hits: usize, n: usize, probability: f64) {
    let error = (probability * (1.0 - probability) / n as f64).sqrt();
    let share = hits as f64 / n as f64;
    assert!((share - probability).abs() < 4.0 * error, "{what}: {hits} of {n}, expected {probability}");
}

/// A scenario of the library, such as `standby-failover.toml`.
pub(crate) fn library(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/replication");
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|wrong| panic!("{file}: {wrong}"))
}

/// A scenario of several arms: each arm holds what is expected of it on every seed of the file, and
/// whatever is expected of some arms only fails in another one.
pub(crate) fn assert_arms(file: &str) {
    let models = models();
    let text = library(file);
    let (study, model) = open(&text, &models);
    for job in study.jobs(&[]) {
        let scenario = &study.points()[job.point];
        for judged in finish(model, scenario, job.seed).1 {
            assert!(judged.passed, "{file} {:?}, seed {}: {}", scenario.point, job.seed, judged.what);
        }
    }
    // The same file with every expectation for every arm; lines stay where they are.
    let everywhere: Vec<&str> =
        text.lines().map(|line| if line.starts_with("when ") { "" } else { line }).collect();
    let (all, model) = open(&everywhere.join("\n"), &models);
    let seed = study.jobs(&[])[0].seed;
    let mut missing: Vec<usize> = Vec::new();
    let mut failed: Vec<usize> = Vec::new();
    for (own, scenario) in study.points().iter().zip(all.points()) {
        for judged in finish(model, scenario, seed).1 {
            let expected = own.expectations.iter().any(|own| own.place.line == judged.line);
            if !expected {
                missing.push(judged.line);
                failed.extend((!judged.passed).then_some(judged.line));
            }
        }
    }
    assert!(!missing.is_empty(), "{file} has no arms that differ");
    for line in missing {
        assert!(failed.contains(&line), "{file}:{line} holds in the other arms as well");
    }
}
