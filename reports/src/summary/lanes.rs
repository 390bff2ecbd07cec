//! The faults of a run as lanes over its time axis.

use super::paint::Paint;
use super::{WIDTH, fitting, shortened};
use crate::number::{Put, grouped, span_text};
use crate::run::{FaultSummary, RunSummary};

/// Faults that get a lane before the rest is counted.
const LANES: usize = 12;
/// Columns of the time axis.
const AXIS: usize = 40;
/// Columns of the name.
const NAME: usize = 20;

/// One lane a fault: its name, a bar over the time axis, and what it hit. Outages have a lane of their own.
pub(super) fn section(run: &RunSummary, many: bool, ink: Paint) -> String {
    if run.faults.is_empty() {
        return format!("\n{}  none\n", ink.bold("Faults"));
    }
    let of = if many {
        format!("{}, of seed {}", run.faults.len(), run.seed)
    } else {
        run.faults.len().to_string()
    };
    let end = span_text(run.ended_ns);
    let width = (NAME + AXIS).saturating_sub(NAME + 1);
    let mut text = format!("\n{}  {of}\n", ink.bold("Faults"));
    text.put(format_args!("  {:NAME$} 0{end:>width$}\n", ""));
    if let Some(outages) = run.outages.as_ref().filter(|outages| !outages.is_empty()) {
        let bar = bar(outages.as_slice(), run.ended_ns);
        text.put(format_args!("  {:NAME$} {}  down\n", "service", ink.red(&bar)));
    }
    for summary in run.faults.iter().take(LANES) {
        text.push_str(&lane(summary, run.ended_ns, ink));
    }
    if run.faults.len() > LANES {
        let rest = &run.faults[LANES..];
        let idle = rest.iter().filter(|summary| summary.fault.hits.is_empty()).count();
        text.put(format_args!("  … and {} more in faults.csv, {idle} of which hit nothing\n", rest.len()));
    }
    text
}

fn lane(summary: &FaultSummary, ended_ns: u64, ink: Paint) -> String {
    let fault = &summary.fault;
    let bar = bar(&[(fault.start_ns, fault.end_ns.unwrap_or(ended_ns))], ended_ns);
    let hits: Vec<String> = fault.hits.iter().map(|(name, &count)| hit_text(name, count)).collect();
    let room = WIDTH - NAME - AXIS - 5;
    let hits = if hits.is_empty() { ink.yellow("hit nothing") } else { fitting(&hits, room) };
    let name = shortened(&fault.name, NAME);
    format!("  {name:NAME$} {bar}  {hits}\n")
}

/// `messages_cut` and 1204 as `messages cut 1 204`; counters of time as a span.
fn hit_text(name: &str, count: u64) -> String {
    match name.strip_suffix("_ns") {
        Some(what) => format!("{} {}", what.replace('_', " "), span_text(count)),
        None => format!("{} {}", name.replace('_', " "), grouped(count)),
    }
}

/// Which columns of the time axis a set of windows touches. The shortest window still shows.
fn bar(windows: &[(u64, u64)], ended_ns: u64) -> String {
    let column = |at: u64| u128::from(at) * AXIS as u128 / u128::from(ended_ns.max(1));
    let touched = |index: u128| {
        windows.iter().any(|&(start, end)| column(start) <= index && index <= column(end.max(start + 1) - 1))
    };
    (0..AXIS as u128).map(|index| if touched(index) { '█' } else { '·' }).collect()
}
