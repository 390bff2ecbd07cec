//! Words for the page: figures with their intervals, what a fault hit, who and when.

use std::collections::BTreeMap;

use crate::estimate::{self, Estimate};
use crate::plot::{Unit, whole};
use crate::service::Elapsed;

/// A point in simulated time.
pub(super) fn instant(ns: u64) -> String {
    format!("{:.3} s", ns as f64 / 1e9)
}

/// A span of simulated time.
pub(super) fn span(ns: u64) -> String {
    Unit::Seconds.show(ns as f64 / 1e9)
}

/// Axis values of a point of a sweep: `policy = budget, load = 800/s`.
pub(super) fn point(point: &[(String, String)]) -> String {
    let pairs: Vec<String> = point.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    pairs.join(", ")
}

/// What a fault did, counter by counter; plainly `hit nothing` when it did nothing.
pub(super) fn hits(hits: &BTreeMap<String, u64>) -> String {
    let counted: Vec<String> =
        hits.iter().filter(|(_, count)| **count > 0).map(|(name, &count)| hit(name, count)).collect();
    if counted.is_empty() { "hit nothing".to_owned() } else { counted.join(", ") }
}

/// One counter in words: `messages_cut` and 1204 is `1 204 messages cut`.
fn hit(name: &str, count: u64) -> String {
    if let Some(what) = name.strip_suffix("_ns") {
        return format!("{} {}", span(count), what.replace('_', " "));
    }
    if let Some(what) = name.strip_suffix("_bytes") {
        return format!("{} {}", Unit::Bytes.show(count as f64), what.replace('_', " "));
    }
    format!("{} {}", whole(count), name.replace('_', " "))
}

/// How long something took, or why that is not known.
pub(super) fn elapsed(elapsed: Option<Elapsed>) -> String {
    match elapsed {
        Some(Elapsed::After { ns }) => span(ns),
        Some(Elapsed::Never) => "never".to_owned(),
        Some(Elapsed::TooShort) => "run too short".to_owned(),
        None => "–".to_owned(),
    }
}

/// Nines of an availability: 0.999 is `3 nines`.
pub(super) fn nines(availability: f64) -> String {
    let nines = estimate::nines(availability);
    if nines.is_infinite() {
        "nothing failed".to_owned()
    } else {
        format!("{} nines", Unit::Count.show(nines))
    }
}

/// The interval of an availability in nines, or why there is none.
pub(super) fn nines_interval(estimate: &Estimate) -> String {
    match &estimate.interval {
        Some(interval) => {
            let bound = |value: f64| match estimate::nines(value) {
                nines if nines.is_infinite() => "∞".to_owned(),
                nines => Unit::Count.show(nines),
            };
            let level = level(interval.level);
            if estimate.is_bound() {
                return format!("{level}: at least {} nines", bound(interval.low));
            }
            format!("{level}: {} to {} nines", bound(interval.low), bound(interval.high))
        }
        None => estimate.note.clone(),
    }
}

/// The interval of a figure, or why there is none.
pub(super) fn interval(estimate: &Estimate, show: impl Fn(f64) -> String) -> String {
    match &estimate.interval {
        Some(interval) if estimate.is_bound() => {
            format!("{}: at most {}", level(interval.level), show(interval.high))
        }
        Some(interval) => {
            format!("{}: {} to {}", level(interval.level), show(interval.low), show(interval.high))
        }
        None => estimate.note.clone(),
    }
}

fn level(level: f64) -> String {
    Unit::Ratio.show(level)
}

/// Numbers as ranges where they follow one another: `1–20` or `7, 12, 91277`; at most `most` parts.
pub(super) fn some_of(numbers: &[u64], most: usize) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match parts.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(number) => last.1 = number,
            _ => parts.push((number, number)),
        }
    }
    let text = |&(first, last): &(u64, u64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    let shown: Vec<String> = parts.iter().take(most).map(text).collect();
    let rest = if parts.len() > most { ", …" } else { "" };
    format!("{}{rest}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_well() {
        assert_eq!(hits(&BTreeMap::new()), "hit nothing");
        let cut =
            BTreeMap::from([("messages_cut".to_owned(), 1204), ("time_slowed_ns".to_owned(), 1_500_000_000)]);
        assert_eq!(hits(&cut), "1\u{202f}204 messages cut, 1.5 s time slowed");
        assert_eq!(nines(0.999), "3 nines");
        assert_eq!(nines(1.0), "nothing failed");
        assert_eq!(some_of(&[1, 2, 3, 4, 9, 11, 12], 8), "1–4, 9, 11, 12");
        assert_eq!(some_of(&[1, 3, 5], 2), "1, 3, …");
    }
}
