//! Retry budgets.

use murphy_scenarios::language::BudgetSpec;
use murphy_sim::Time;

use super::window::WindowedAdder;

/// Tokens that a request brings to a window.
const DEPOSIT: i64 = 1000;

/// What one caller's retries to one callee may cost.
///
/// Sources, by kind:
/// - window: Twitter Finagle, `RetryBudget.scala` (`TokenRetryBudget` on a leaky bucket): every request
///   brings a token that lasts for a while, a retry takes `1 / ratio` tokens, and a reserve allows a few
///   retries without any request. There each client process has the whole of the reserve; a scenario may
///   say so (`reserve = "each"`), or let all replicas of the caller share it;
/// - tokens: Brooker, "Fixing retries with token buckets and circuit breakers" (2022), and the AWS SDKs;
/// - throttling: gRPC proposal A6;
/// - quota: botocore, `retries/standard.py`;
/// - concurrent: Envoy, `resource_manager_impl.h`;
/// - share: Brooker's circuit breaker for retries, of the same article.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Window { window: WindowedAdder, withdrawal: i64, reserve: i64 },
    Tokens { ratio: f64, capacity: f64, tokens: f64 },
    Throttling { most: f64, ratio: f64, tokens: f64 },
    Quota { quota: u64, cost: u64, timeout_cost: u64, tokens: u64 },
    Concurrent { share: f64, least: u64, active: u64, retrying: u64 },
    Share { most: f64, sent: u64, failed: u64 },
}

impl RetryBudget {
    /// The budget at the start, of one of so many callers.
    pub fn new(spec: &BudgetSpec, callers: usize) -> RetryBudget {
        let kind = match *spec {
            BudgetSpec::Window { ratio, min_per_sec, shared, ttl } => {
                #[expect(clippy::cast_possible_truncation, reason = "a checked ratio is small and positive")]
                let withdrawal = ((DEPOSIT as f64 / ratio) as i64).max(1);
                let ttl_ms = i64::try_from(ttl.0 / 1_000_000).unwrap_or(i64::MAX);
                let min = i64::try_from(min_per_sec).unwrap_or(i64::MAX);
                let total = min.saturating_mul(ttl_ms / 1000).saturating_mul(withdrawal);
                let among = if shared { i64::try_from(callers).unwrap_or(i64::MAX).max(1) } else { 1 };
                Kind::Window { window: WindowedAdder::new(ttl_ms), withdrawal, reserve: total / among }
            }
            BudgetSpec::Tokens { ratio, capacity } => Kind::Tokens { ratio, capacity, tokens: capacity },
            BudgetSpec::Throttling { max_tokens, token_ratio } => {
                Kind::Throttling { most: max_tokens, ratio: token_ratio, tokens: max_tokens }
            }
            BudgetSpec::Quota { quota, cost, timeout_cost } => {
                Kind::Quota { quota, cost, timeout_cost, tokens: quota }
            }
            BudgetSpec::Concurrent { share, least } => {
                Kind::Concurrent { share, least, active: 0, retrying: 0 }
            }
            BudgetSpec::Share { most } => Kind::Share { most, sent: 0, failed: 0 },
        };
        RetryBudget { kind }
    }

    /// A call begins.
    pub fn begin(&mut self, now: Time) {
        match &mut self.kind {
            Kind::Window { window, .. } => window.add(now, DEPOSIT),
            Kind::Tokens { ratio, capacity, tokens } => *tokens = (*tokens + *ratio).min(*capacity),
            Kind::Concurrent { active, .. } => *active += 1,
            Kind::Share { sent, .. } => *sent += 1,
            Kind::Throttling { .. } | Kind::Quota { .. } => {}
        }
    }

    /// An attempt ended well or not, or in a way that says nothing about the callee: the retry that was
    /// paid with `paid` or, without, the first attempt of its call.
    pub fn attempted(&mut self, ok: Option<bool>, paid: Option<u64>) {
        match &mut self.kind {
            Kind::Throttling { most, ratio, tokens } => match ok {
                Some(true) => *tokens = (*tokens + *ratio).min(*most),
                Some(false) => *tokens = (*tokens - 1.0).max(0.0),
                None => {}
            },
            // A success gives back what its retry cost; one at the first attempt brings one token.
            Kind::Quota { quota, tokens, .. } if ok == Some(true) => {
                *tokens = (*tokens + paid.unwrap_or(1)).min(*quota);
            }
            Kind::Share { failed, .. } if ok == Some(false) => *failed += 1,
            Kind::Concurrent { retrying, .. } if paid.is_some() => *retrying -= 1,
            _ => {}
        }
    }

    /// Whether a retry may be made, after a time-out or another failure; if so, what was paid.
    pub fn try_withdraw(&mut self, now: Time, timed_out: bool) -> Option<u64> {
        let (allowed, paid) = match &mut self.kind {
            Kind::Window { window, withdrawal, reserve } => {
                let allowed = window.sum(now).saturating_add(*reserve) >= *withdrawal;
                if allowed {
                    window.add(now, -*withdrawal);
                }
                (allowed, 0)
            }
            // Strictly more than one, as in the article's simulator.
            Kind::Tokens { tokens, .. } => {
                let allowed = *tokens > 1.0;
                *tokens -= if allowed { 1.0 } else { 0.0 };
                (allowed, 0)
            }
            Kind::Throttling { most, tokens, .. } => (*tokens > *most / 2.0, 0),
            Kind::Quota { cost, timeout_cost, tokens, .. } => {
                let cost = if timed_out { *timeout_cost } else { *cost };
                let allowed = *tokens >= cost;
                *tokens -= if allowed { cost } else { 0 };
                (allowed, cost)
            }
            Kind::Concurrent { share, least, active, retrying } => {
                let allowed = (*retrying as f64) < (*share * *active as f64).max(*least as f64);
                *retrying += u64::from(allowed);
                (allowed, 0)
            }
            Kind::Share { most, sent, failed } => {
                let allowed = *failed as f64 <= *most * *sent as f64;
                *sent += u64::from(allowed);
                (allowed, 0)
            }
        };
        allowed.then_some(paid)
    }

    /// A call is over.
    pub fn end(&mut self) {
        if let Kind::Concurrent { active, .. } = &mut self.kind {
            *active -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use murphy_sim::Span;

    fn window(ratio: f64, min_per_sec: u64, shared: bool) -> BudgetSpec {
        BudgetSpec::Window { ratio, min_per_sec, shared, ttl: Span::secs(10) }
    }

    fn allowed(budget: &mut RetryBudget, at_s: u64, wanted: usize) -> usize {
        let at = Time(at_s * 1_000_000_000);
        (0..wanted).filter(|_| budget.try_withdraw(at, false).is_some()).count()
    }

    fn begin(budget: &mut RetryBudget, calls: usize) {
        for _ in 0..calls {
            budget.begin(Time(0));
        }
    }

    #[test]
    fn a_share_of_the_requests_may_be_retried() {
        let mut budget = RetryBudget::new(&window(0.1, 0, true), 1);
        begin(&mut budget, 100);
        assert_eq!(allowed(&mut budget, 0, 100), 10);
        // Requests and retries leave the window together.
        assert_eq!(allowed(&mut budget, 20, 100), 0);
    }

    #[test]
    fn the_reserve_is_what_it_allows_in_the_time_that_a_request_counts() {
        let mut budget = RetryBudget::new(&window(0.1, 10, true), 1);
        assert_eq!(allowed(&mut budget, 0, 1000), 100);
        assert_eq!(allowed(&mut budget, 9, 1000), 0);
        assert_eq!(allowed(&mut budget, 10, 1000), 100);
    }

    #[test]
    fn callers_share_the_reserve_or_each_has_its_own() {
        for (shared, expected) in [(true, 25), (false, 100)] {
            let mut one_of_four = RetryBudget::new(&window(0.1, 10, shared), 4);
            assert_eq!(allowed(&mut one_of_four, 0, 1000), expected, "shared: {shared}");
        }
    }

    #[test]
    fn a_bucket_of_tokens_starts_full_and_keeps_its_last_one() {
        let mut budget = RetryBudget::new(&BudgetSpec::Tokens { ratio: 0.1, capacity: 5.0 }, 1);
        assert_eq!(allowed(&mut budget, 0, 100), 4);
        begin(&mut budget, 15);
        // One was left, and fifteen requests brought one and a half.
        assert_eq!(allowed(&mut budget, 0, 100), 2);
    }

    #[test]
    fn throttling_allows_retries_while_more_than_half_of_the_tokens_are_there() {
        let spec = BudgetSpec::Throttling { max_tokens: 10.0, token_ratio: 0.1 };
        let mut budget = RetryBudget::new(&spec, 1);
        let mut failures = 0;
        while budget.try_withdraw(Time(0), false).is_some() {
            budget.attempted(Some(false), None);
            failures += 1;
        }
        assert_eq!(failures, 5, "ten tokens, five failures: half, and no more than half");
        budget.attempted(Some(true), None);
        assert!(budget.try_withdraw(Time(0), false).is_some(), "a success brings a tenth");
    }

    #[test]
    fn a_quota_is_paid_by_kind_and_refunded_by_success() {
        let mut budget = RetryBudget::new(&BudgetSpec::Quota { quota: 500, cost: 5, timeout_cost: 10 }, 1);
        assert_eq!(allowed(&mut budget, 0, 1000), 100);
        budget.attempted(Some(true), Some(5));
        assert_eq!(budget.try_withdraw(Time(0), true), None, "a time-out costs ten");
        assert_eq!(budget.try_withdraw(Time(0), false), Some(5));
        for _ in 0..5 {
            budget.attempted(Some(true), None);
        }
        assert_eq!(allowed(&mut budget, 0, 10), 1, "five successes at once pay for one retry");
    }

    #[test]
    fn concurrent_retries_are_a_share_of_the_calls_on_their_way() {
        let mut budget = RetryBudget::new(&BudgetSpec::Concurrent { share: 0.2, least: 3 }, 1);
        begin(&mut budget, 10);
        assert_eq!(allowed(&mut budget, 0, 100), 3);
        begin(&mut budget, 90);
        assert_eq!(allowed(&mut budget, 0, 100), 17);
        budget.attempted(Some(false), Some(0));
        assert_eq!(allowed(&mut budget, 0, 100), 1);
    }

    #[test]
    fn a_share_of_failures_stops_retries_strictly_above_it() {
        let mut budget = RetryBudget::new(&BudgetSpec::Share { most: 0.1 }, 1);
        begin(&mut budget, 10);
        budget.attempted(Some(false), None);
        assert!(budget.try_withdraw(Time(0), false).is_some(), "1 of 10 is not above");
        budget.attempted(Some(false), Some(0));
        assert!(budget.try_withdraw(Time(0), false).is_none(), "2 of 11 is");
    }
}
