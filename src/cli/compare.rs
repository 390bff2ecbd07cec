//! `murphy compare`: finished runs, paired by seed.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use murphy_reports::{ComparisonSummary, compare_csv, pairings, read_result_json};

use super::{Failure, Format, Terminal, exit};

#[derive(Args)]
pub(super) struct CompareArgs {
    /// Folder of results
    #[arg(default_value = "runs/latest")]
    folder: PathBuf,
    /// Value of the axis that the others are compared with
    #[arg(long, value_name = "VALUE")]
    base: Option<String>,
    /// Axis of the sweep
    #[arg(long, value_name = "NAME")]
    axis: Option<String>,
}

pub(super) fn compare(args: &CompareArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let file = args.folder.join("result.json");
    let text = std::fs::read_to_string(&file).map_err(|error| {
        let again =
            format!("run a sweep first: {} run FILE --set PATH=[A,B] --seeds 1..=20", terminal.program);
        Failure::Usage(format!("cannot read {}: {error}; {again}", file.display()))
    })?;
    let batch = read_result_json(&text).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut comparisons = pairings(&batch, args.axis.as_deref(), args.base.as_deref()).map_err(|error| {
        let next = format!("{} compare {} --axis NAME --base VALUE", terminal.program, args.folder.display());
        match error {
            murphy_reports::PairingError::OnePoint => Failure::Nothing(format!(
                "{error}; run a sweep: {} run FILE --set PATH=[A,B]",
                terminal.program
            )),
            _ => Failure::Usage(format!("{error}; {next}")),
        }
    })?;
    // What the scenario itself compares was judged where it ran: it stands first.
    comparisons.splice(0..0, batch.comparisons.clone());
    terminal.print(&match terminal.format {
        Format::Text => lines(&comparisons),
        Format::Csv => compare_csv(&comparisons),
        Format::Json => {
            let json = serde_json::json!({ "schema": 1, "comparisons": comparisons });
            format!("{json}\n")
        }
    });
    Ok(exit::PASS)
}

fn lines(comparisons: &[ComparisonSummary]) -> String {
    let mut text = String::new();
    let mut title = String::new();
    for one in comparisons {
        let head = format!(
            "{} against {}  {}  ({} paired seeds, bootstrap 95%)",
            one.axis,
            one.base,
            one.metric,
            one.pairs()
        );
        if head != title {
            _ = writeln!(text, "{}{head}", if title.is_empty() { "" } else { "\n" });
            title = head;
        }
        for line in one.lines() {
            _ = writeln!(text, "  {line}");
        }
        if let Some(claim) = &one.claim {
            _ = writeln!(text, "  {:<12}  {}", claim.verdict.word(), claim.text);
        }
    }
    text
}
