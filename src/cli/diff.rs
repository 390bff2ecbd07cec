//! `murphy diff`.

use std::path::Path;

use clap::Args;
use murphy_scenarios::Model;
use murphy_scenarios::hunt::{self, Parting, Subject};

use super::batch::Stop;
use super::{Failure, Format, Terminal, exit, open};

#[derive(Args)]
pub(super) struct DiffArgs {
    /// Scenario or repro file, with a seed if it is not the file's own: FILE or FILE@SEED
    first: String,
    /// The other one
    second: String,
}

pub(super) fn diff(models: &[Box<dyn Model>], args: &DiffArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let (first, second) = (subject(models, &args.first, terminal)?, subject(models, &args.second, terminal)?);
    let stop = Stop::on_signals();
    let Some(parting) = hunt::diff(&first, &second, &stop.flag) else { return Ok(stop.code()) };
    match terminal.format {
        Format::Text => terminal.print(&text(&parting, args, terminal)),
        Format::Json | Format::Csv => terminal.print(&json(&parting)),
    }
    Ok(if matches!(parting, Parting::Same { .. }) { exit::PASS } else { exit::FAIL })
}

fn text(parting: &Parting, args: &DiffArgs, terminal: &Terminal) -> String {
    match parting {
        Parting::Same { events } => format!("  the same {events} events\n"),
        Parting::At { event, compared, first, second } => {
            let side = |name: &str, event: &Option<String>| {
                let event = event.as_deref().unwrap_or("the run has ended");
                format!("    {name}: {event}\n")
            };
            let (a, b) = (side(&args.first, first), side(&args.second, second));
            let file = args.first.rsplit_once('@').map_or(args.first.as_str(), |(file, _)| file);
            format!(
                "  the first event that differs is number {event} (found by {compared} comparisons of prefix hashes)\n{a}{b}  \
                 Look:    {} export {file} --to csv\n",
                terminal.program
            )
        }
    }
}

fn json(parting: &Parting) -> String {
    let value = match parting {
        Parting::Same { events } => serde_json::json!({ "schema": 1, "same": true, "events": events }),
        Parting::At { event, first, second, .. } => serde_json::json!({
            "schema": 1, "same": false, "event": event, "first": first, "second": second,
        }),
    };
    value.to_string() + "\n"
}

/// A run by its file, and its seed if one is given.
pub(super) fn subject<'m>(
    models: &'m [Box<dyn Model>],
    word: &str,
    terminal: &Terminal,
) -> Result<Subject<'m>, Failure> {
    let seeded = word.rsplit_once('@').and_then(|(file, seed)| Some((file, seed.parse::<u64>().ok()?)));
    let (file, seed) = seeded.map_or((word, None), |(file, seed)| (file, Some(seed)));
    let study = open(models, Path::new(file), &[], terminal)?;
    let mut scenario = murphy_scenarios::language::Scenario::clone(&study.points()[0]);
    scenario.seed = seed.unwrap_or(scenario.seed);
    Ok(Subject { model: study.models()[0], scenario })
}
