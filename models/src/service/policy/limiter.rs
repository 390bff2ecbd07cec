//! Rate limiters.

use murphy_scenarios::language::RateLimitSpec;
use murphy_sim::{Span, Time};

/// A rate limiter with fixed cycles: each brings `limit` permits, unused ones lapse, and a caller may
/// reserve one of a later cycle if that is near enough.
///
/// Source: resilience4j, `AtomicRateLimiter.java`.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    spec: RateLimitSpec,
    cycle: u64,
    permits: i64,
}

impl RateLimiter {
    /// A limiter whose first cycle starts at time zero, full.
    pub fn new(spec: RateLimitSpec) -> RateLimiter {
        RateLimiter { spec, cycle: 0, permits: i64::try_from(spec.limit).unwrap_or(i64::MAX) }
    }

    /// Reserves permits: how long the caller has to wait for them, or `None` if that is too long.
    pub fn reserve(&mut self, now: Time, permits: u64) -> Option<Span> {
        let wanted = i64::try_from(permits).unwrap_or(i64::MAX);
        let limit = i64::try_from(self.spec.limit).unwrap_or(i64::MAX);
        let cycle = now.0 / self.spec.period.0;
        let passed = i64::try_from(cycle - self.cycle).unwrap_or(i64::MAX);
        let current = limit.saturating_mul(passed).saturating_add(self.permits).min(limit);
        let wait = self.wait(now, cycle, current, wanted);
        let granted = wait <= self.spec.wait;
        self.cycle = cycle;
        self.permits = if granted { current.saturating_sub(wanted) } else { current };
        granted.then_some(wait)
    }

    /// Time until enough cycles have begun.
    fn wait(&self, now: Time, cycle: u64, current: i64, wanted: i64) -> Span {
        if current >= wanted {
            return Span::ZERO;
        }
        let limit = i64::try_from(self.spec.limit).unwrap_or(i64::MAX);
        let to_next = Span((cycle + 1) * self.spec.period.0 - now.0);
        let missing = wanted.saturating_sub(current).saturating_sub(limit);
        let cycles =
            if missing > 0 { u64::try_from(missing).unwrap_or(0).div_ceil(self.spec.limit) } else { 0 };
        to_next.saturating_add(self.spec.period.scale(cycles as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls on the original with a clock of their own; 5 permits in 100 ms, 150 ms of waiting.
    const GOLDEN: &str = include_str!("../../../tests/data/golden_r4j_ratelimiter.csv");

    #[test]
    fn the_limiter_answers_as_the_original_did_call_by_call() {
        let spec = RateLimitSpec { limit: 5, period: Span::millis(100), wait: Span::millis(150) };
        let mut limiter = RateLimiter::new(spec);
        let rows = GOLDEN.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        let mut seen = 0;
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let [at_ms, permits, expected] = cells[..] else { panic!("{row}") };
            let at = Time(at_ms.parse::<u64>().unwrap() * 1_000_000);
            let wait = limiter.reserve(at, permits.parse().unwrap());
            assert_eq!(wait.map_or("-1".to_owned(), |wait| wait.0.to_string()), expected, "{row}");
            seen += 1;
        }
        assert_eq!(seen, 23, "every row of the table is checked");
    }
}
