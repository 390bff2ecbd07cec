//! Where two runs part: by bisection over the hashes of prefixes, then event by event.

use std::sync::atomic::AtomicBool;

use murphy_reports::Story;
use murphy_sim::{Event, Keep, Recorded};

use super::lab::Lab;
use super::story::story;
use super::words::Words;
use crate::language::Scenario;
use crate::model::{Model, Traced, Watched};

/// A run to compare or to tell: a scenario with its seed.
pub struct Subject<'m> {
    /// Its model.
    pub model: &'m dyn Model,
    /// The scenario; its own seed decides.
    pub scenario: Scenario,
}

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parting {
    /// They are the same to the last bit.
    Same {
        /// Events of each.
        events: u64,
    },
    /// An event of one is another in the other, or is not there.
    At {
        /// Number of the first event that differs.
        event: u64,
        /// How many hashes of prefixes were compared to find it.
        compared: u32,
        /// The event in the first run; `None` when that has ended.
        first: Option<String>,
        /// The event in the second run.
        second: Option<String>,
    },
}

/// Most events of a run that is recorded whole.
const MOST_EVENTS: u64 = 8_000_000;

/// Finds the first event at which two runs differ. Starts and ends of faults are no events of nodes: they
/// show by what they do.
///
/// `None` when `stop` became true.
pub fn diff(a: &Subject<'_>, b: &Subject<'_>, stop: &AtomicBool) -> Option<Parting> {
    let (first, second) = (run(a, Keep::Nothing, stop)?, run(b, Keep::Nothing, stop)?);
    let events = first.record.events;
    if first.events_hash == second.events_hash && events == second.record.events {
        return Some(Parting::Same { events });
    }
    let (from, compared) = last_common(&first, &second);
    let longest = events.max(second.record.events);
    // Only the end of long runs is recorded: the ring need not hold what is known to be the same.
    let keep = if longest <= MOST_EVENTS {
        Keep::All
    } else {
        Keep::Last(usize::try_from(MOST_EVENTS).unwrap_or(usize::MAX))
    };
    let (first, second) = (run(a, keep, stop)?, run(b, keep, stop)?);
    let of = |traced: &Traced| -> Vec<Recorded> {
        traced
            .events
            .iter()
            .filter(|event| event.number > from || event.event == Event::Fact && event.number >= from)
            .copied()
            .collect()
    };
    let (x, y) = (of(&first), of(&second));
    let names = |traced: &Traced| -> Vec<String> {
        traced.record.node_hashes.iter().map(|(name, _)| name.clone()).collect()
    };
    let one = Words { names: names(&first), info: a.model.info() };
    let other = Words { names: names(&second), info: b.model.info() };
    let same = |a: &Recorded, b: &Recorded| {
        let who = one.node(a.node) == other.node(b.node);
        who && (a.at, a.event, a.kind, a.digest) == (b.at, b.event, b.kind, b.digest)
    };
    let place = x.iter().zip(&y).position(|(a, b)| !same(a, b)).unwrap_or(x.len().min(y.len()));
    let (a, b) = (x.get(place), y.get(place));
    let text = |words: &Words<'_>, event: &Recorded| {
        format!("{} {}: {}", event.at, words.node(event.node), words.event(event).1)
    };
    Some(Parting::At {
        event: a.or(b).map_or(from, |event| event.number),
        compared,
        first: a.map(|event| text(&one, event)),
        second: b.map(|event| text(&other, event)),
    })
}

/// The number of events that both runs have in common by their prefix hashes, and how many were compared.
fn last_common(a: &Traced, b: &Traced) -> (u64, u32) {
    // Strides are powers of two times one number: the larger is a multiple of the smaller.
    let stride = a.prefixes.1.max(b.prefixes.1);
    let at = |(hashes, own): &(Vec<u64>, u64), n: u64| {
        hashes.get(usize::try_from(n * stride / own).ok()?.checked_sub(1)?).copied()
    };
    let most = |(hashes, own): &(Vec<u64>, u64)| hashes.len() as u64 * own / stride;
    let (mut low, mut high) = (0, most(&a.prefixes).min(most(&b.prefixes)) + 1);
    let mut compared = 0;
    while low + 1 < high {
        let middle = u64::midpoint(low, high);
        compared += 1;
        if at(&a.prefixes, middle) == at(&b.prefixes, middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low * stride, compared)
}

fn run(subject: &Subject<'_>, keep: Keep, stop: &AtomicBool) -> Option<Traced> {
    let scenario = std::sync::Arc::new(subject.scenario.clone());
    let watched = Watched { keep, ..Watched::default() };
    subject.model.prepare_watched(&scenario, scenario.seed, watched).traced(stop)
}

/// A run told event by event, for viewers. `None` when `stop` became true.
pub fn tell(subject: &Subject<'_>, stop: &AtomicBool) -> Option<Story> {
    let lab = Lab::new(subject.model);
    let stop_at: Vec<String> = subject.scenario.repro.iter().map(|repro| repro.property.clone()).collect();
    let traced = lab.trace(&subject.scenario, &stop_at, stop)?;
    Some(story(&traced, &subject.scenario, subject.model.info()))
}
