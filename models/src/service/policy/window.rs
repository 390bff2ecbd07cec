//! Sums over the last while.

use murphy_sim::Time;

/// Slices of the window.
const SLICES: usize = 10;

/// A sum over a sliding window, in slices.
///
/// Source: `WindowedAdder.scala` of Twitter util.
#[derive(Clone, Debug)]
pub(crate) struct WindowedAdder {
    slice_ms: u64,
    current: i64,
    past: [i64; SLICES - 1],
    next: usize,
    since_ms: u64,
}

impl WindowedAdder {
    pub(crate) fn new(range_ms: i64) -> WindowedAdder {
        let slice_ms = (range_ms.unsigned_abs() / SLICES as u64).max(1);
        WindowedAdder { slice_ms, current: 0, past: [0; SLICES - 1], next: 0, since_ms: 0 }
    }

    pub(crate) fn add(&mut self, now: Time, amount: i64) {
        self.turn(now);
        self.current = self.current.saturating_add(amount);
    }

    pub(crate) fn sum(&mut self, now: Time) -> i64 {
        self.turn(now);
        self.past.iter().fold(self.current, |sum, &slice| sum.saturating_add(slice))
    }

    fn turn(&mut self, now: Time) {
        let now_ms = now.0 / 1_000_000;
        let slices = (now_ms - self.since_ms) / self.slice_ms;
        if slices == 0 {
            return;
        }
        self.past[self.next] = std::mem::take(&mut self.current);
        self.next = (self.next + 1) % self.past.len();
        for _ in 0..(slices - 1).min(self.past.len() as u64) {
            self.past[self.next] = 0;
            self.next = (self.next + 1) % self.past.len();
        }
        // As in the original, the next slice starts with what turned it.
        self.since_ms = now_ms;
    }
}
