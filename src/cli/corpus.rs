//! The regression corpus: repro files, which `murphy test` runs before everything else.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use murphy_reports::{CheckResult, Judgement, SuiteCase};
use murphy_scenarios::Model;
use murphy_scenarios::hunt::{Replay, Repro, verify_repro};

use super::batch::quoted;
use super::replay::{build_id, open_repro};
use super::{Failure, Terminal};

/// A repro file of the corpus.
pub(super) struct Kept<'m> {
    file: PathBuf,
    repro: Repro<'m>,
}

/// Whether a file is a repro file, by its name.
pub(super) fn is_repro(file: &Path) -> bool {
    file.to_string_lossy().ends_with(".repro.toml")
}

/// The repro files among these paths and below them, read and checked.
pub(super) fn kept<'m>(
    models: &'m [Box<dyn Model>],
    paths: &[PathBuf],
    terminal: &Terminal,
) -> Result<Vec<Kept<'m>>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() { folders.push(path.clone()) } else { files.push(path.clone()) }
    }
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            // What a hunt wrote on the way is no corpus: move there what is to stay.
            let skipped = ["runs", "failures", "target"].iter().any(|name| entry.file_name() == *name);
            match path.is_dir() {
                true if !hidden && !skipped => folders.push(path),
                false if !hidden => files.push(path),
                _ => {}
            }
        }
    }
    files.retain(|file| is_repro(file));
    files.sort();
    files.dedup();
    let open = |file: PathBuf| open_repro(models, &file, terminal).map(|repro| Kept { file, repro });
    files.into_iter().map(open).collect()
}

/// Replays one, twice; whether it does what it is expected to. `None` when `stop` became true.
pub(super) fn replayed(kept: &Kept<'_>, stop: &AtomicBool, terminal: &Terminal) -> Option<SuiteCase> {
    let Kept { file, repro } = kept;
    let spec = repro.spec();
    let replay = verify_repro(repro, &build_id(), true, stop)?;
    let expected = if spec.violates { "violates" } else { "passes" };
    let (found, detail) = match &replay {
        Replay::Reproduced { violation, .. } => ("violates", violation.message.clone()),
        Replay::NotReproduced { .. } => ("passes", format!("{} holds on this build", spec.property)),
        Replay::Drift { what } => ("drifts", what.clone()),
    };
    let verdict = if found == expected { Judgement::Pass } else { Judgement::Fail };
    let failed = verdict == Judgement::Fail;
    let shown = file.display().to_string();
    let command = format!("{} replay {} --verify", quoted(&terminal.program), quoted(&shown));
    let check = CheckResult {
        name: format!("expect = \"{expected}\""),
        place: shown.clone(),
        verdict,
        detail: if failed { vec![format!("it {found}: {detail}")] } else { Vec::new() },
        command: if failed { command } else { String::new() },
    };
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Some(SuiteCase {
        name: name.trim_end_matches(".repro.toml").to_owned(),
        file: shown,
        simulated_ns: 2 * repro.scenario().duration.0,
        runs: 2,
        verdict,
        note: format!("{} {found}, expected {expected}", spec.property),
        checks: vec![check],
    })
}
