//! `murphy export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use murphy_reports::{events_csv, perfetto, shiviz};
use murphy_scenarios::Model;
use murphy_scenarios::hunt;

use super::batch::{Stop, write_whole};
use super::diff::subject;
use super::{Failure, Terminal, exit};

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Folder of results, scenario or repro file; with a seed if it is not the file's own: DIR or DIR@SEED
    from: String,
    /// The viewer
    #[arg(long, value_enum)]
    to: Viewer,
    /// Write here, instead of beside the scenario
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Viewer {
    /// Trace-event JSON, for <https://ui.perfetto.dev>
    Perfetto,
    /// A log with vector clocks, for <https://bestchai.bitbucket.io/shiviz/>
    Shiviz,
    /// A row an event
    Csv,
}

/// Results hold hashes of a run, not its events: the run is done again, from the frozen scenario beside them.
pub(super) fn export(
    models: &[Box<dyn Model>],
    args: &ExportArgs,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let (place, seed) = match args.from.rsplit_once('@') {
        Some((place, seed)) if seed.parse::<u64>().is_ok() => (place, format!("@{seed}")),
        _ => (args.from.as_str(), String::new()),
    };
    let folder = PathBuf::from(place);
    let file = if folder.is_dir() { folder.join("scenario.toml") } else { folder.clone() };
    let subject = subject(models, &format!("{}{seed}", file.display()), terminal)?;
    let stop = Stop::on_signals();
    let Some(story) = hunt::tell(&subject, &stop.flag) else { return Ok(stop.code()) };
    let (text, name) = match args.to {
        Viewer::Perfetto => (perfetto(&story), "perfetto.json"),
        Viewer::Shiviz => (shiviz(&story), "shiviz.log"),
        Viewer::Csv => (events_csv(&story), "events.csv"),
    };
    let stem = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.strip_suffix(".repro.toml").or(stem.strip_suffix(".toml")).unwrap_or(&stem).to_owned();
    let name = if folder.is_dir() { name.to_owned() } else { format!("{stem}.{name}") };
    let out = args.out.clone().unwrap_or_else(|| file.with_file_name(name));
    write_whole(&out, &text)?;
    terminal.print(&format!(
        "  {} events, {} messages: {}\n",
        story.events.len(),
        story.messages.len(),
        out.display()
    ));
    Ok(exit::PASS)
}
