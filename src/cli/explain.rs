//! `murphy explain`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use murphy_reports::{Story, StoryFault, explain_page};
use murphy_scenarios::Model;
use murphy_scenarios::hunt;

use super::batch::{Stop, quoted, write_whole};
use super::replay::open_repro;
use super::shrink::seconds;
use super::{Failure, Format, Terminal, exit};

#[derive(Args)]
pub(super) struct ExplainArgs {
    /// Repro file
    file: PathBuf,
    /// Write the page here, instead of beside the file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn explain(
    models: &[Box<dyn Model>],
    args: &ExplainArgs,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let repro = open_repro(models, &args.file, terminal)?;
    let stop = Stop::on_signals();
    let shown = quoted(&args.file.display().to_string());
    let Some(mut story) = hunt::explain(&repro, &stop.flag) else {
        if stop.is_set() {
            return Ok(stop.code());
        }
        let program = &terminal.program;
        terminal.print(&format!(
            "  not reproduced by this build: there is nothing to explain\n  Look again: {program} replay {shown} --verify\n"
        ));
        return Ok(exit::PASS);
    };
    story.command = format!("{} replay {shown}", terminal.program);
    let page = args.out.clone().unwrap_or_else(|| page_beside(&args.file));
    write_whole(&page, &explain_page(&story))?;
    match terminal.format {
        Format::Text => terminal.print(&text(&story, &page, terminal, &shown)),
        Format::Json | Format::Csv => {
            let json = serde_json::to_string(&story).unwrap_or_default();
            terminal.print(&(json + "\n"));
        }
    }
    Ok(exit::PASS)
}

/// `x.repro.toml` is explained in `x.explain.html`.
fn page_beside(file: &Path) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".repro.toml").or(name.strip_suffix(".toml")).unwrap_or(&name);
    file.with_file_name(format!("{stem}.explain.html"))
}

fn text(story: &Story, page: &Path, terminal: &Terminal, file: &str) -> String {
    let mut out = String::new();
    _ = writeln!(out, "  FAIL {} at {}: {}", story.title, seconds(story.at_ns), story.message);
    let mut needed: Vec<&StoryFault> = story.faults.iter().filter(|fault| fault.needed).collect();
    needed.sort_by_key(|fault| fault.from_ns);
    if needed.is_empty() {
        _ = writeln!(out, "  Needed: no fault; the run fails as it is");
    } else {
        _ = writeln!(out, "  Needed, each alone: without any one of them the run passes");
    }
    for (number, fault) in needed.iter().enumerate() {
        let lasts = fault.to_ns.filter(|to| *to > fault.from_ns);
        let lasts = lasts.map_or_else(String::new, |to| format!(" for {}", seconds(to - fault.from_ns)));
        _ = writeln!(out, "    {}  {}  {}{lasts}", number + 1, seconds(fault.from_ns), fault.what);
    }
    let others = story.faults.len() - needed.len();
    if others > 0 {
        _ = writeln!(
            out,
            "  Not needed alone: {others} more; {} shrink {file} leaves them out if it can",
            terminal.program
        );
    }
    let jump = story.curve.windows(2).max_by_key(|pair| pair[1].hits.saturating_sub(pair[0].hits));
    if let Some([before, after]) = jump
        && after.hits > before.hits
    {
        _ = writeln!(
            out,
            "  Likely since {}: {} of {} futures from there break it, {} of {} from {}",
            seconds(after.at_ns),
            after.hits,
            after.runs,
            before.hits,
            before.runs,
            seconds(before.at_ns)
        );
    }
    let (slice, events) = (story.slice(), story.events.len());
    _ = writeln!(out, "  Causal slice: {slice} of {events} events ({}: space-time diagram)", page.display());
    _ = writeln!(out, "  Replay:  {} replay {file} --verify", terminal.program);
    out
}
