//! Clocks of nodes: a wall clock that may be off, drift and jump, and a monotonic one that may drift.

use crate::time::{Span, Time};

/// The clocks of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// True time of the last change of drift, and what the monotonic clock showed then.
    anchor: Time,
    shown: Time,
    drift_ppb: i64,
    offset_ns: i64,
    /// Without any fault.
    own_drift_ppb: i64,
    own_offset_ns: i64,
}

const BILLION: i128 = 1_000_000_000;

impl Clock {
    pub(crate) fn new(offset_ns: i64, drift_ppb: i64) -> Clock {
        Clock {
            anchor: Time::ZERO,
            shown: Time::ZERO,
            drift_ppb,
            offset_ns,
            own_drift_ppb: drift_ppb,
            own_offset_ns: offset_ns,
        }
    }

    /// The wall clock jumps, and stays there.
    pub(crate) fn jump(&mut self, by_ns: i64) {
        self.own_offset_ns = self.own_offset_ns.saturating_add(by_ns);
    }

    /// From `now` on, faults add this offset and drift to the clock's own.
    pub(crate) fn set(&mut self, now: Time, offset_ns: i64, drift_ppb: i64) {
        self.shown = self.monotonic(now);
        self.anchor = now;
        self.drift_ppb = self.own_drift_ppb.saturating_add(drift_ppb);
        self.offset_ns = self.own_offset_ns.saturating_add(offset_ns);
    }

    fn rate(&self) -> i128 {
        // A clock that stands still would never let a timer run out.
        (BILLION + i128::from(self.drift_ppb)).max(1)
    }

    /// What the monotonic clock shows.
    #[inline]
    pub(crate) fn monotonic(&self, now: Time) -> Time {
        if self.drift_ppb == 0 {
            return Time(self.shown.0.saturating_add(now.since(self.anchor).0));
        }
        let passed = i128::from(now.since(self.anchor).0) * self.rate() / BILLION;
        Time(self.shown.0.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    /// What the wall clock shows; never before zero.
    pub(crate) fn wall(&self, now: Time) -> Time {
        Time(self.monotonic(now).0.saturating_add_signed(self.offset_ns))
    }

    /// Whether the monotonic clock does not run at the true rate.
    pub(crate) fn drifts(&self) -> bool {
        self.drift_ppb != 0
    }

    /// True time that passes while the monotonic clock counts `span`.
    #[inline]
    pub(crate) fn real(&self, span: Span) -> Span {
        if self.drift_ppb == 0 {
            return span;
        }
        Span(u64::try_from(i128::from(span.0) * BILLION / self.rate()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_shows_more_and_its_timers_run_out_early() {
        let clock = Clock::new(5, 1_000_000);
        assert_eq!(clock.wall(Time(1_000_000_000)), Time(1_001_000_005));
        assert_eq!(clock.real(Span(1_001_000_000)), Span(1_000_000_000));
    }

    #[test]
    fn a_change_of_drift_moves_no_time_and_a_jump_goes_backwards() {
        let mut clock = Clock::new(0, 0);
        clock.set(Time(1000), 0, 500_000_000);
        assert_eq!(clock.wall(Time(1000)), Time(1000));
        assert_eq!(clock.wall(Time(2000)), Time(2500));
        clock.set(Time(2000), -700, 0);
        assert_eq!(clock.wall(Time(2000)), Time(1800));
        clock.set(Time(2000), 0, 0);
        assert_eq!(clock.wall(Time(2100)), Time(2600));
    }

    #[test]
    fn a_clock_that_would_run_backwards_stands_almost_still() {
        let mut clock = Clock::new(0, 0);
        clock.set(Time(0), 0, i64::MIN);
        assert_eq!(clock.wall(Time(1000)), Time(0));
    }
}
