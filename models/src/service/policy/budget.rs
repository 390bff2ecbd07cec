//! Retry budgets.

use murphy_scenarios::language::BudgetSpec;
use murphy_sim::Time;

/// Tokens that a request brings.
const DEPOSIT: i64 = 1000;
/// Slices of the window.
const SLICES: usize = 10;

/// A retry budget: every request brings a token that lasts for a while, and a retry takes `1 / ratio`
/// tokens. A reserve allows a few retries a second without any request.
///
/// The reserve is a total over all replicas of the caller, as every rate of a scenario is: a caller with
/// more replicas may not retry more. (In the original each client has the whole of it.)
///
/// Source: Twitter Finagle, `RetryBudget.scala` (`TokenRetryBudget` on a leaky bucket) and
/// `WindowedAdder.scala` of Twitter util.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    window: WindowedAdder,
    withdrawal: i64,
    reserve: i64,
}

impl RetryBudget {
    /// A budget without requests, of one of so many callers that share the reserve evenly.
    pub fn new(spec: &BudgetSpec, callers: usize) -> RetryBudget {
        #[expect(clippy::cast_possible_truncation, reason = "a checked ratio is small and positive")]
        let withdrawal = ((DEPOSIT as f64 / spec.ratio) as i64).max(1);
        let ttl_ms = i64::try_from(spec.ttl.0 / 1_000_000).unwrap_or(i64::MAX);
        let min = i64::try_from(spec.min_per_sec).unwrap_or(i64::MAX);
        let total = min.saturating_mul(ttl_ms / 1000).saturating_mul(withdrawal);
        let reserve = total / i64::try_from(callers).unwrap_or(i64::MAX).max(1);
        RetryBudget { window: WindowedAdder::new(ttl_ms), withdrawal, reserve }
    }

    /// A request, not a retry, is made.
    pub fn deposit(&mut self, now: Time) {
        self.window.add(now, DEPOSIT);
    }

    /// Whether a retry may be made; if so, it is paid.
    pub fn try_withdraw(&mut self, now: Time) -> bool {
        let allowed = self.balance(now) >= self.withdrawal;
        if allowed {
            self.window.add(now, -self.withdrawal);
        }
        allowed
    }

    fn balance(&mut self, now: Time) -> i64 {
        self.window.sum(now).saturating_add(self.reserve)
    }
}

/// A sum over a sliding window, in slices.
#[derive(Clone, Debug)]
struct WindowedAdder {
    slice_ms: u64,
    current: i64,
    past: [i64; SLICES - 1],
    next: usize,
    since_ms: u64,
}

impl WindowedAdder {
    fn new(range_ms: i64) -> WindowedAdder {
        let slice_ms = (range_ms.unsigned_abs() / SLICES as u64).max(1);
        WindowedAdder { slice_ms, current: 0, past: [0; SLICES - 1], next: 0, since_ms: 0 }
    }

    fn add(&mut self, now: Time, amount: i64) {
        self.turn(now);
        self.current = self.current.saturating_add(amount);
    }

    fn sum(&mut self, now: Time) -> i64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use murphy_sim::Span;

    fn budget(ratio: f64, min_per_sec: u64) -> RetryBudget {
        RetryBudget::new(&BudgetSpec { ratio, min_per_sec, ttl: Span::secs(10) }, 1)
    }

    fn allowed(budget: &mut RetryBudget, at: Time, wanted: usize) -> usize {
        (0..wanted).filter(|_| budget.try_withdraw(at)).count()
    }

    #[test]
    fn a_share_of_the_requests_may_be_retried() {
        let mut budget = budget(0.1, 0);
        for _ in 0..100 {
            budget.deposit(Time(0));
        }
        assert_eq!(allowed(&mut budget, Time(0), 100), 10);
        // Requests and retries leave the window together.
        assert_eq!(allowed(&mut budget, Time(20_000_000_000), 100), 0);
    }

    #[test]
    fn the_reserve_is_what_it_allows_in_the_time_that_a_request_counts() {
        let mut budget = budget(0.1, 10);
        assert_eq!(allowed(&mut budget, Time(0), 1000), 100);
        assert_eq!(allowed(&mut budget, Time(9_000_000_000), 1000), 0);
        assert_eq!(allowed(&mut budget, Time(10_000_000_000), 1000), 100);
    }

    #[test]
    fn callers_share_the_reserve() {
        let spec = BudgetSpec { ratio: 0.1, min_per_sec: 10, ttl: Span::secs(10) };
        assert_eq!(allowed(&mut RetryBudget::new(&spec, 4), Time(0), 1000), 25);
    }
}
