//! `murphy shrink`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use murphy_scenarios::Model;
use murphy_scenarios::hunt::{self, Repro, Shrunk};

use super::batch::{Stop, quoted, write_whole};
use super::replay::open_repro;
use super::{Failure, Terminal, exit};

#[derive(Args)]
pub(super) struct ShrinkArgs {
    /// Repro file; the smaller run takes its place
    file: PathBuf,
    /// Write the smaller run here instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn shrink(
    models: &[Box<dyn Model>],
    args: &ShrinkArgs,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let repro = open_repro(models, &args.file, terminal)?;
    let stop = Stop::on_signals();
    let Some(shrunk) = with_spinner(terminal, &repro, &stop) else {
        if stop.is_set() {
            return Ok(stop.code());
        }
        let (program, file) = (&terminal.program, args.file.display());
        terminal.print(&format!(
            "  not reproduced by this build: there is nothing to shrink\n  Look again: {program} replay {file} --verify\n"
        ));
        return Ok(exit::PASS);
    };
    let out = args.out.clone().unwrap_or_else(|| args.file.clone());
    write_whole(&out, &shrunk.repro.render())?;
    let folder = out.parent().map(Path::to_path_buf).unwrap_or_default();
    let slipped = write_slipped(&shrunk, &folder)?;
    terminal.print(&(summary(&shrunk) + &slipped + &next(&out, terminal)));
    Ok(if stop.is_set() { stop.code() } else { exit::FAIL })
}

/// Shrinks with the number of runs on a terminal.
pub(super) fn with_spinner<'m>(terminal: &Terminal, repro: &Repro<'m>, stop: &Stop) -> Option<Shrunk<'m>> {
    let target = if terminal.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} shrinking: {pos} runs, {per_sec}") {
        bar.set_style(style);
    }
    let shrunk = hunt::shrink(repro, &stop.flag, &|runs| bar.set_position(runs));
    bar.finish_and_clear();
    shrunk
}

/// `shrunk 46 faults -> 3, 120s -> 41.3s, 8 clients -> 1 (212 runs); no smaller plan by one step fails`.
pub(super) fn summary(shrunk: &Shrunk<'_>) -> String {
    let (before, after) = (shrunk.before, shrunk.after);
    let mut parts = vec![
        format!("{} faults -> {}", before.faults, after.faults),
        format!("{} -> {}", seconds(before.duration.0), seconds(after.duration.0)),
        format!("{} clients -> {}", before.clients, after.clients),
    ];
    if before.nodes != after.nodes {
        parts.push(format!("{} nodes -> {}", before.nodes, after.nodes));
    }
    if let Some(requests) = after.requests {
        parts.push(format!("{requests} requests left"));
    }
    let end = if shrunk.minimal {
        "no smaller plan by one step fails"
    } else {
        "ended early: a smaller plan may fail too"
    };
    format!("  shrunk {} ({} runs); {end}\n", parts.join(", "), shrunk.runs)
}

pub(super) fn write_slipped(shrunk: &Shrunk<'_>, folder: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for other in &shrunk.slipped {
        let path = folder.join(other.fingerprint().file_name());
        if path.exists() {
            continue;
        }
        write_whole(&path, &other.render())?;
        _ = writeln!(text, "  on the way, another failure: {} ({})", other.spec().property, path.display());
    }
    Ok(text)
}

pub(super) fn next(file: &Path, terminal: &Terminal) -> String {
    let (program, file) = (&terminal.program, quoted(&file.display().to_string()));
    format!("  Replay:  {program} replay  {file}\n  Explain: {program} explain {file}\n")
}

/// Seconds with milliseconds, as long as they matter.
pub(super) fn seconds(nanos: u64) -> String {
    if nanos < 1_000_000_000 {
        return format!("{:.1}ms", nanos as f64 / 1e6);
    }
    if nanos.is_multiple_of(1_000_000_000) {
        format!("{}s", nanos / 1_000_000_000)
    } else {
        format!("{:.3}s", nanos as f64 / 1e9)
    }
}
