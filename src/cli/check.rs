//! `murphy check`.

use std::path::PathBuf;

use clap::Args;
use murphy_scenarios::Model;

use super::{Failure, Selection, Terminal, exit, open};

#[derive(Args)]
pub(super) struct CheckArgs {
    /// Scenario files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
}

/// Checks every file, and prints the plans of those that are right.
pub(super) fn check(models: &[Box<dyn Model>], args: &CheckArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let overrides = args.selection.overrides()?;
    let seeds = args.selection.seeds();
    let mut code = exit::PASS;
    for file in &args.files {
        match open(models, file, &overrides, terminal) {
            Ok(study) if study.jobs(&seeds).is_empty() => {
                Failure::Nothing(format!("{}: no point of the sweep is left", file.display()))
                    .print(terminal);
                code = code.max(exit::NOTHING);
            }
            Ok(study) => terminal.print(&study.document.plan(&seeds)),
            Err(failure) => {
                failure.print(terminal);
                code = if code == exit::PASS { failure.code() } else { code.min(failure.code()) };
            }
        }
    }
    Ok(code)
}
