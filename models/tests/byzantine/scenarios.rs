//! The scenario files of Byzantine faults, run as a user does.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use murphy_models::pbft::Pbft;
use murphy_reports::{Judgement, RunRecord, Verdict};
use murphy_scenarios::expect::evaluate;
use murphy_scenarios::{Model, Study, model};
use murphy_sim::Keep;

/// The record of a file's run with one seed, and the expectations that do not hold.
fn run(file: &Path, seed: u64) -> (RunRecord, Vec<String>) {
    let text = std::fs::read_to_string(file).expect("the file");
    let models: Vec<Box<dyn Model>> = vec![model::<Pbft>()];
    let read = |path: &Path| std::fs::read_to_string(path);
    let name = file.to_string_lossy();
    let study = Study::open(&text, &name, &read, &models, &[])
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)));
    let scenario = &study.points()[0];
    let run = models[0].prepare(scenario, seed, Keep::Nothing).finish(&AtomicBool::new(false));
    let record = run.expect("nobody stopped it");
    let judged = scenario.expectations.iter().map(|expectation| evaluate(expectation, &record));
    let failed = judged.filter(|result| result.verdict != Judgement::Pass);
    let failed = failed.map(|result| format!("{}: {}", result.text, result.observed)).collect();
    (record, failed)
}

fn library(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(folder)
}

#[test]
fn every_scenario_at_f_holds_and_every_fault_hits() {
    let files = std::fs::read_dir(library("faults")).expect("the library");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files
        .retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("byzantine-")));
    assert_eq!(files.len(), 14);
    for file in files {
        for seed in [1, 2] {
            let (record, failed) = run(&file, seed);
            assert!(failed.is_empty(), "{}, seed {seed}: {failed:#?}", file.display());
            for fault in &record.faults {
                assert!(!fault.hits.is_empty(), "{}: {} hit nothing", file.display(), fault.name);
            }
        }
    }
}

#[test]
fn beyond_f_the_violation_is_found_and_named() {
    for seed in 1..=5 {
        let (record, failed) = run(&library("violations/byzantine-beyond-f.toml"), seed);
        assert_eq!(failed.len(), 1, "{failed:?}");
        let agreement = record.properties.iter().find(|property| property.name == "pbft.agreement");
        let Verdict::Violated { message, .. } = &agreement.expect("a property").verdict else {
            panic!("seed {seed}: agreement holds");
        };
        assert!(message.contains("r1") && message.contains("r2"), "{message}");
    }
}
