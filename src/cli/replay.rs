//! `murphy replay`.

use std::path::{Path, PathBuf};

use clap::Args;
use murphy_scenarios::Model;
use murphy_scenarios::hunt::{Replay, Repro, verify_repro};
use murphy_scenarios::language::decode;

use super::batch::{ENGINE, Stop};
use super::{Failure, Format, Terminal, exit};

#[derive(Args)]
pub(super) struct ReplayArgs {
    /// Repro file
    file: PathBuf,
    /// Run it twice and compare the traces bit for bit
    #[arg(long)]
    verify: bool,
}

pub(super) fn replay(
    models: &[Box<dyn Model>],
    args: &ReplayArgs,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let repro = open_repro(models, &args.file, terminal)?;
    let stop = Stop::on_signals();
    let Some(replay) = verify_repro(&repro, &build_id(), args.verify, &stop.flag) else {
        return Ok(stop.code());
    };
    match terminal.format {
        Format::Text => terminal.print(&text(&repro, &replay, args, terminal)),
        Format::Json | Format::Csv => terminal.print(&json(&repro, &replay)),
    }
    Ok(match replay {
        Replay::Reproduced { .. } => exit::FAIL,
        Replay::NotReproduced { .. } => exit::PASS,
        Replay::Drift { .. } => exit::DRIFT,
    })
}

fn text(repro: &Repro<'_>, replay: &Replay, args: &ReplayArgs, terminal: &Terminal) -> String {
    let (program, file) = (&terminal.program, args.file.display());
    let property = &repro.spec().property;
    let twice = if args.verify { ", twice" } else { "" };
    match replay {
        Replay::Reproduced { violation, trace_hash } => format!(
            "  reproduced{twice}: {property} at {}, event {}: {}\n  trace {trace_hash:016x}{}\n  Explain: {program} explain {file}\n",
            violation.at,
            violation.event,
            violation.message,
            same_trace(repro, *trace_hash),
        ),
        Replay::NotReproduced { instead, trace_hash } => {
            let instead = instead.as_ref().map_or_else(String::new, |other| {
                format!("\n  it violates {} instead: {}", other.fingerprint.property, other.message)
            });
            format!(
                "  not reproduced by this build: {property} holds, trace {trace_hash:016x}{}{instead}\n  Search again: \
                 {program} hunt {file} --budget 60s\n",
                same_trace(repro, *trace_hash),
            )
        }
        Replay::Drift { what } => {
            format!("  NONDETERMINISM: {what}\n  Look again: {program} replay {file} --verify\n")
        }
    }
}

fn same_trace(repro: &Repro<'_>, hash: u64) -> &'static str {
    if repro.spec().trace_hash == hash { ", as in the file" } else { ", another than in the file" }
}

fn json(repro: &Repro<'_>, replay: &Replay) -> String {
    let (verdict, rest) = match replay {
        Replay::Reproduced { violation, trace_hash } => (
            "reproduced",
            serde_json::json!({
                "at_ns": violation.at.0, "event": violation.event, "message": violation.message,
                "trace_hash": format!("{trace_hash:016x}"),
            }),
        ),
        Replay::NotReproduced { trace_hash, .. } => {
            ("not-reproduced", serde_json::json!({ "trace_hash": format!("{trace_hash:016x}") }))
        }
        Replay::Drift { what } => ("drift", serde_json::json!({ "what": what })),
    };
    let property = &repro.spec().property;
    serde_json::json!({ "schema": 1, "verdict": verdict, "property": property, "run": rest }).to_string()
        + "\n"
}

/// Reads a repro file and checks it.
pub(super) fn open_repro<'m>(
    models: &'m [Box<dyn Model>],
    file: &Path,
    terminal: &Terminal,
) -> Result<Repro<'m>, Failure> {
    let shown = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| {
        let program = &terminal.program;
        Failure::Usage(format!(
            "cannot read {shown}: {error}\n  {program} hunt SCENARIO writes repro files to failures/"
        ))
    })?;
    let text = decode(bytes, &shown).map_err(Failure::Scenario)?;
    Repro::open(&text, &shown, models).map_err(Failure::Scenario)
}

/// Id of this build: version, and a hash of the program itself. Two programs with one id are the same.
pub(super) fn build_id() -> String {
    let program = std::env::current_exe().and_then(std::fs::read);
    program.map_or_else(
        |_| ENGINE.to_owned(),
        |bytes| format!("{ENGINE} {}", &blake3::hash(&bytes).to_hex()[..12]),
    )
}
