//! Circuit breakers.

use murphy_scenarios::language::{BreakerSpec, BreakerWindow};
use murphy_sim::{Span, Time};

/// A circuit breaker: closed it counts, open it refuses, half open it tries.
///
/// Windows of calls and of seconds follow resilience4j (`CircuitBreakerStateMachine.java`,
/// `CircuitBreakerMetrics.java`): rates open it at the threshold or above; a call is slow when it takes
/// strictly longer; an open breaker lets the first call through strictly after its time; half open has a
/// window and as many permits as that; results that come while it is open are counted and change
/// nothing. A consecutive one counts failures in a row, and its half-open permits are given back.
///
/// An adaptive one opens above twice the failures of its history, and at least 0.2, while these are below
/// 0.1; above that at one and a half times them, and at most 0.8. When its history is no longer than its
/// window, that threshold is always above what it judges, and it opens at 0.8 or not at all.
#[derive(Clone, Debug)]
pub struct Breaker {
    spec: BreakerSpec,
    state: State,
    window: Window,
    /// Failures among more calls than the window has, for a threshold that follows them.
    history: Option<History>,
    refused: u64,
}

/// State of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass and are counted.
    Closed,
    /// A few calls pass, to see.
    HalfOpen,
    /// No call passes.
    Open,
}

/// How a call ended, to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Well.
    Success,
    /// Not well.
    Failure,
    /// In a way that says nothing about the callee.
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    /// Permits that are left.
    HalfOpen(u64),
    /// Until when.
    Open(Time),
}

impl Breaker {
    /// A closed breaker.
    pub fn new(spec: BreakerSpec) -> Breaker {
        let window = Window::closed(&spec);
        let history = match spec.window {
            BreakerWindow::Adaptive { history, .. } => Some(History::new(history)),
            _ => None,
        };
        Breaker { spec, state: State::Closed, window, history, refused: 0 }
    }

    /// Whether a call may pass.
    pub fn acquire(&mut self, now: Time) -> bool {
        if let State::Open(until) = self.state
            && now > until
        {
            self.state = State::HalfOpen(self.spec.half_open.unwrap_or(u64::MAX));
            self.window = Window::half_open(&self.spec);
            self.refused = 0;
        }
        let passes = match &mut self.state {
            State::Closed => true,
            State::HalfOpen(left) if *left > 0 => {
                *left -= 1;
                true
            }
            State::HalfOpen(_) | State::Open(_) => false,
        };
        self.refused += u64::from(!passes);
        passes
    }

    /// A call that had passed ended after `took`.
    pub fn record(&mut self, now: Time, took: Span, how: Recorded) {
        let consecutive = matches!(self.spec.window, BreakerWindow::Consecutive { .. });
        if let State::HalfOpen(left) = &mut self.state
            && (how == Recorded::Ignored || consecutive)
        {
            *left = left.saturating_add(1).min(self.spec.half_open.unwrap_or(u64::MAX));
        }
        if how == Recorded::Ignored {
            return;
        }
        let (failed, slow) = (how == Recorded::Failure, took > self.spec.slow_after);
        self.window.record(now, failed, slow);
        if let Some(history) = &mut self.history {
            history.record(failed);
        }
        let threshold = self.history.as_ref().map_or(self.spec.failure_rate, History::threshold);
        match (self.state, self.window.judge(&self.spec, threshold)) {
            (State::Closed | State::HalfOpen(_), Some(true)) => {
                self.state = State::Open(now.saturating_add(self.spec.open_for));
            }
            (State::HalfOpen(_), Some(false)) => {
                self.state = State::Closed;
                self.window = Window::closed(&self.spec);
                self.refused = 0;
            }
            _ => {}
        }
    }

    /// Whether it judges by results; if not, a call is a success when it starts.
    pub fn awaits(&self) -> bool {
        self.spec.awaits
    }

    /// Its state; an open one stays open until a call comes after its time.
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::HalfOpen(_) => BreakerState::HalfOpen,
            State::Open(_) => BreakerState::Open,
        }
    }

    /// Calls, failed calls and slow calls in the window.
    pub fn counts(&mut self, now: Time) -> (u64, u64, u64) {
        self.window.forget(now);
        let Tally { calls, failed, slow } = self.window.total;
        (calls, failed, slow)
    }

    /// Shares of failed and of slow calls in percent; `None` before there are enough of them.
    pub fn rates(&mut self, now: Time) -> Option<(f32, f32)> {
        self.window.forget(now);
        self.window.rates()
    }

    /// Calls refused since the window began.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

/// The last calls in a ring: whether each failed.
#[derive(Clone, Debug)]
struct History {
    ring: Vec<bool>,
    size: usize,
    next: usize,
    failed: u64,
}

impl History {
    fn new(size: u64) -> History {
        History { ring: Vec::new(), size: count(size), next: 0, failed: 0 }
    }

    fn record(&mut self, failed: bool) {
        self.failed += u64::from(failed);
        if self.ring.len() < self.size {
            self.ring.push(failed);
        } else {
            self.failed -= u64::from(std::mem::replace(&mut self.ring[self.next], failed));
            self.next = (self.next + 1) % self.size;
        }
    }

    fn threshold(&self) -> f64 {
        let share = self.failed as f64 / self.ring.len().max(1) as f64;
        if share < 0.1 { (2.0 * share).max(0.2) } else { (1.5 * share).min(0.8) }
    }
}

/// Calls that were counted.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    calls: u64,
    failed: u64,
    slow: u64,
}

impl Tally {
    fn add(&mut self, failed: bool, slow: bool) {
        self.calls += 1;
        self.failed += u64::from(failed);
        self.slow += u64::from(slow);
    }

    fn take(&mut self, other: Tally) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }
}

/// What a breaker remembers.
#[derive(Clone, Debug)]
struct Window {
    total: Tally,
    minimum: u64,
    parts: Parts,
}

#[derive(Clone, Debug)]
enum Parts {
    /// The last calls in a ring: whether each failed and was slow.
    Calls { ring: Vec<(bool, bool)>, size: usize, next: usize },
    /// The last seconds in a ring, and the second that is the newest.
    Seconds { ring: Vec<Tally>, newest: u64 },
    /// Failures or successes in a row.
    Row { failures: u64, successes: u64, half_open: bool },
}

impl Window {
    fn closed(spec: &BreakerSpec) -> Window {
        let total = Tally::default();
        match spec.window {
            BreakerWindow::Count(size) | BreakerWindow::Adaptive { size, .. } => {
                Window::of_calls(size, spec.minimum.min(size))
            }
            BreakerWindow::Seconds(seconds) => {
                let ring = vec![Tally::default(); count(seconds)];
                Window { total, minimum: spec.minimum, parts: Parts::Seconds { ring, newest: 0 } }
            }
            BreakerWindow::Consecutive { .. } => Window {
                total,
                minimum: 0,
                parts: Parts::Row { failures: 0, successes: 0, half_open: false },
            },
        }
    }

    fn half_open(spec: &BreakerSpec) -> Window {
        if let BreakerWindow::Consecutive { .. } = spec.window {
            let parts = Parts::Row { failures: 0, successes: 0, half_open: true };
            return Window { total: Tally::default(), minimum: 0, parts };
        }
        let size = spec.half_open.unwrap_or(spec.minimum);
        Window::of_calls(size, spec.minimum.min(size))
    }

    fn of_calls(size: u64, minimum: u64) -> Window {
        let parts = Parts::Calls { ring: Vec::with_capacity(count(size)), size: count(size), next: 0 };
        Window { total: Tally::default(), minimum, parts }
    }

    fn record(&mut self, now: Time, was_failed: bool, was_slow: bool) {
        self.forget(now);
        match &mut self.parts {
            Parts::Calls { ring, size, next } => {
                if ring.len() < *size {
                    ring.push((was_failed, was_slow));
                } else {
                    let (failed, slow) = std::mem::replace(&mut ring[*next], (was_failed, was_slow));
                    self.total.take(Tally { calls: 1, failed: u64::from(failed), slow: u64::from(slow) });
                    *next = (*next + 1) % *size;
                }
            }
            Parts::Seconds { ring, newest } => {
                let place = count(*newest) % ring.len();
                ring[place].add(was_failed, was_slow);
            }
            Parts::Row { failures, successes, .. } => {
                (*failures, *successes) = if was_failed { (*failures + 1, 0) } else { (0, *successes + 1) };
            }
        }
        self.total.add(was_failed, was_slow);
    }

    /// Drops the seconds that are over.
    fn forget(&mut self, now: Time) {
        let Parts::Seconds { ring, newest } = &mut self.parts else { return };
        let second = now.0 / 1_000_000_000;
        let passed = second.saturating_sub(*newest);
        for step in 1..=passed.min(ring.len() as u64) {
            let place = count(*newest + step) % ring.len();
            self.total.take(std::mem::take(&mut ring[place]));
        }
        *newest = second.max(*newest);
        // After a long silence every second was dropped, and any place may be the newest's.
    }

    fn rates(&self) -> Option<(f32, f32)> {
        let Tally { calls, failed, slow } = self.total;
        // In the precision of the original, so that a rate meets its threshold when it does there.
        let percent = |part: u64| part as f32 * 100.0 / calls as f32;
        (calls > 0 && calls >= self.minimum).then(|| (percent(failed), percent(slow)))
    }

    /// Whether it should be open; `None` before there is enough to judge by.
    fn judge(&self, spec: &BreakerSpec, failure_rate: f64) -> Option<bool> {
        if let (
            Parts::Row { failures, successes, half_open },
            BreakerWindow::Consecutive { failures: most, successes: needed },
        ) = (&self.parts, spec.window)
        {
            return match (*half_open, *failures > 0) {
                (true, true) => Some(true),
                (true, false) => (*successes >= needed).then_some(false),
                (false, _) => Some(*failures >= most),
            };
        }
        let (failed, slow) = self.rates()?;
        #[expect(clippy::cast_possible_truncation, reason = "the precision of the original")]
        let threshold = |share: f64| (share * 100.0) as f32;
        Some(failed >= threshold(failure_rate) || slow >= threshold(spec.slow_rate))
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).expect("a checked window is small")
}

#[cfg(test)]
mod tests {
    use super::BreakerState::{Closed, HalfOpen, Open};
    use super::Recorded::{Failure, Success};
    use super::*;

    /// Calls on the original with a clock of their own.
    const GOLDEN: &str = include_str!("../../../tests/data/golden_r4j_circuitbreaker.csv");

    fn defaults() -> BreakerSpec {
        BreakerSpec {
            window: BreakerWindow::Count(100),
            minimum: 100,
            failure_rate: 0.5,
            slow_rate: 1.0,
            slow_after: Span::secs(60),
            open_for: Span::secs(60),
            half_open: Some(10),
            awaits: true,
        }
    }

    fn of_scenario(name: &str) -> BreakerSpec {
        let second = Span::secs(1);
        match name {
            "defaults_cold_100pct_errors" | "defaults_full_success_then_errors" => defaults(),
            "count10_min2_ho5_min_applies_in_halfopen" => BreakerSpec {
                window: BreakerWindow::Count(10),
                minimum: 2,
                half_open: Some(5),
                open_for: second,
                ..defaults()
            },
            "time3s_min4_thr50" => BreakerSpec {
                window: BreakerWindow::Seconds(3),
                minimum: 4,
                open_for: Span::secs(10),
                ..defaults()
            },
            other => panic!("no settings are known for {other}"),
        }
    }

    fn word(state: BreakerState) -> &'static str {
        match state {
            BreakerState::Closed => "CLOSED",
            BreakerState::HalfOpen => "HALF_OPEN",
            BreakerState::Open => "OPEN",
        }
    }

    #[test]
    fn the_breaker_decides_as_the_original_did_call_by_call() {
        let mut scenario = String::new();
        let mut breaker = Breaker::new(defaults());
        let mut seen = 0;
        for row in GOLDEN.lines().filter(|line| !line.starts_with(['#', 's']) || line.starts_with("slow")) {
            let cells: Vec<&str> = row.split(',').collect();
            let [
                name,
                _,
                at_ms,
                op,
                before,
                permitted,
                acquired,
                after,
                rate,
                slow,
                buffered,
                failed,
                refused,
            ] = cells[..]
            else {
                panic!("{row}")
            };
            if name != scenario {
                name.clone_into(&mut scenario);
                breaker = Breaker::new(of_scenario(name));
            }
            let now = Time(at_ms.parse::<u64>().unwrap() * 1_000_000);
            assert_eq!(word(breaker.state()), before, "before {row}");
            let passed = breaker.acquire(now);
            assert_eq!(passed.to_string(), permitted, "{row}");
            assert_eq!(word(breaker.state()), acquired, "after acquiring in {row}");
            if passed {
                let how = match op {
                    "S" => Recorded::Success,
                    "E" => Recorded::Failure,
                    "I" => Recorded::Ignored,
                    other => panic!("{other} in {row}"),
                };
                breaker.record(now, Span::millis(10), how);
            }
            assert_eq!(word(breaker.state()), after, "after {row}");
            let (counted, failures, _) = breaker.counts(now);
            assert_eq!(
                [counted, failures, breaker.refused()].map(|n| n.to_string()),
                [buffered, failed, refused],
                "{row}"
            );
            let rates = breaker.rates(now).map_or(("-1.0000".into(), "-1.0000".into()), |(a, b)| {
                (format!("{a:.4}"), format!("{b:.4}"))
            });
            assert_eq!(rates, (rate.to_owned(), slow.to_owned()), "{row}");
            seen += 1;
        }
        assert_eq!(seen, 292, "every row of the table is checked");
    }

    #[test]
    fn slow_calls_open_it_strictly_above_their_time() {
        let spec = BreakerSpec {
            window: BreakerWindow::Count(2),
            minimum: 2,
            slow_after: Span::millis(100),
            ..defaults()
        };
        for (took, expected) in [(100, BreakerState::Closed), (101, BreakerState::Open)] {
            let mut breaker = Breaker::new(spec);
            for _ in 0..2 {
                assert!(breaker.acquire(Time(0)));
                breaker.record(Time(0), Span::millis(took), Recorded::Success);
            }
            assert_eq!(breaker.state(), expected, "{took} ms");
        }
    }

    #[test]
    fn a_consecutive_one_needs_failures_in_a_row_and_then_successes() {
        let window = BreakerWindow::Consecutive { failures: 3, successes: 2 };
        let mut breaker = Breaker::new(BreakerSpec { window, half_open: Some(1), ..defaults() });
        let mut call = |at_s: u64, how: Recorded| {
            let now = Time(at_s * 1_000_000_000);
            let passed = breaker.acquire(now);
            if passed {
                breaker.record(now, Span::ZERO, how);
            }
            (passed, breaker.state())
        };
        for (at_s, how, expected) in [
            (0, Failure, (true, Closed)),
            (0, Failure, (true, Closed)),
            (0, Success, (true, Closed)),
            (0, Failure, (true, Closed)),
            (0, Failure, (true, Closed)),
            (0, Failure, (true, Open)),
            (60, Success, (false, Open)),
            (61, Success, (true, HalfOpen)),
            (61, Success, (true, Closed)),
            (62, Failure, (true, Closed)),
            (62, Failure, (true, Closed)),
            (62, Failure, (true, Open)),
            (200, Success, (true, HalfOpen)),
            (200, Failure, (true, Open)),
        ] {
            assert_eq!(call(at_s, how), expected, "at {at_s} s, {how:?}");
        }
    }

    #[test]
    fn half_open_permits_run_out_and_ignored_calls_give_theirs_back() {
        let mut breaker = Breaker::new(BreakerSpec {
            window: BreakerWindow::Count(1),
            minimum: 1,
            half_open: Some(2),
            ..defaults()
        });
        breaker.acquire(Time(0));
        breaker.record(Time(0), Span::ZERO, Recorded::Failure);
        let later = Time(61_000_000_000);
        assert!(breaker.acquire(later) && breaker.acquire(later) && !breaker.acquire(later));
        breaker.record(later, Span::ZERO, Recorded::Ignored);
        assert!(breaker.acquire(later) && !breaker.acquire(later));
    }
}
