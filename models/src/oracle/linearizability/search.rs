//! Search for an order of the operations on one register, whatever they write.

use std::collections::BTreeSet;

/// One operation, with its call and return on one scale of distinct instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// When it was called.
    pub(super) call: u64,
    /// When it was complete; `None` when it may take effect later, or never.
    pub(super) complete: Option<u64>,
    /// Whether it writes `value`; otherwise it returned it.
    pub(super) write: bool,
    /// Value; a register holds zero at first.
    pub(super) value: u64,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Some order explains the history.
    Linearizable,
    /// None does.
    Not,
    /// The budget is spent.
    GaveUp,
}

/// Calls and returns in order of time, as a doubly linked list from which operations are lifted.
struct Timeline {
    /// Operation of each entry, and whether the entry is its return. Entry 0 is the head.
    entries: Vec<(usize, bool)>,
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Entries of an operation's call and return.
    places: Vec<(usize, usize)>,
}

const END: usize = usize::MAX;

impl Timeline {
    fn new(history: &[Operation]) -> Timeline {
        let mut instants = Vec::with_capacity(2 * history.len());
        for (index, operation) in history.iter().enumerate() {
            instants.push((operation.call, index, false));
            instants.push((operation.complete.unwrap_or(u64::MAX), index, true));
        }
        instants.sort_unstable();
        let mut places = vec![(0, 0); history.len()];
        let mut entries = vec![(END, true)];
        for (_, index, is_return) in instants {
            let place = if is_return { &mut places[index].1 } else { &mut places[index].0 };
            *place = entries.len();
            entries.push((index, is_return));
        }
        let length = entries.len();
        let next = (1..length).chain([END]).collect();
        let previous = [END].into_iter().chain(0..length - 1).collect();
        Timeline { entries, next, previous, places }
    }

    fn unlink(&mut self, place: usize) {
        let (before, after) = (self.previous[place], self.next[place]);
        self.next[before] = after;
        if after != END {
            self.previous[after] = before;
        }
    }

    fn relink(&mut self, place: usize) {
        let (before, after) = (self.previous[place], self.next[place]);
        self.next[before] = place;
        if after != END {
            self.previous[after] = place;
        }
    }

    fn lift(&mut self, operation: usize) {
        let (call, ret) = self.places[operation];
        self.unlink(call);
        self.unlink(ret);
    }

    /// Undoes the last [`Timeline::lift`].
    fn lower(&mut self, operation: usize) {
        let (call, ret) = self.places[operation];
        self.relink(ret);
        self.relink(call);
    }
}

/// Looks for an order of the operations that agrees with real time and with a register.
///
/// Wing and Gong's search with Lowe's memo of (operations done, value) pairs that led nowhere, as
/// in Porcupine. Each attempt to place an operation costs a word of `budget`, plus what the memo
/// would need to remember it.
pub(super) fn search(history: &[Operation], mut budget: u64) -> Answer {
    let mut timeline = Timeline::new(history);
    let mut left = history.iter().filter(|operation| operation.complete.is_some()).count();
    let mut done = vec![0_u64; history.len().div_ceil(64)];
    let mut seen = BTreeSet::new();
    let mut placed: Vec<(usize, u64)> = Vec::new();
    let mut value = 0;
    let mut place = timeline.next[0];
    while left > 0 {
        let (index, is_return) = timeline.entries[place];
        if is_return {
            // An operation has returned that was not placed: the last choice was wrong.
            let Some((wrong, old)) = placed.pop() else { return Answer::Not };
            value = old;
            done[wrong / 64] &= !(1 << (wrong % 64));
            left += usize::from(history[wrong].complete.is_some());
            timeline.lower(wrong);
            place = timeline.next[timeline.places[wrong].0];
            continue;
        }
        let operation = history[index];
        let possible = operation.write || operation.value == value;
        let cost = 1 + if possible { done.len() as u64 } else { 0 };
        let Some(rest) = budget.checked_sub(cost) else { return Answer::GaveUp };
        budget = rest;
        if possible {
            done[index / 64] |= 1 << (index % 64);
            if seen.insert((done.clone(), operation.value)) {
                placed.push((index, value));
                value = operation.value;
                left -= usize::from(operation.complete.is_some());
                timeline.lift(index);
                place = timeline.next[0];
                continue;
            }
            done[index / 64] &= !(1 << (index % 64));
        }
        place = timeline.next[place];
    }
    Answer::Linearizable
}
