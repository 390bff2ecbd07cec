//! Client-side throttling.

use murphy_scenarios::language::ThrottleSpec;
use murphy_sim::{Time, unit};

use super::window::WindowedAdder;

/// Refuses calls with probability `max(0, (requests - k accepts) / (requests + 1))`.
///
/// Requests include those refused here, so that some always pass and recovery is seen.
/// Source: Beyer and others, Site Reliability Engineering (2016), chapter 21, equation 21-1.
#[derive(Clone, Debug)]
pub struct Throttle {
    k: f64,
    requests: WindowedAdder,
    accepts: WindowedAdder,
}

impl Throttle {
    /// Nothing was asked yet.
    pub fn new(spec: ThrottleSpec) -> Throttle {
        let ms = i64::try_from(spec.window.0 / 1_000_000).unwrap_or(i64::MAX);
        Throttle { k: spec.k, requests: WindowedAdder::new(ms), accepts: WindowedAdder::new(ms) }
    }

    /// Whether a call may pass; a uniform word decides.
    pub fn passes(&mut self, now: Time, word: u64) -> bool {
        let (requests, accepts) = (self.requests.sum(now) as f64, self.accepts.sum(now) as f64);
        self.requests.add(now, 1);
        unit(word) >= (requests - self.k * accepts) / (requests + 1.0)
    }

    /// The callee accepted a call.
    pub fn accepted(&mut self, now: Time) {
        self.accepts.add(now, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::draw::{Purpose, attempt, word};
    use murphy_sim::Span;

    /// Shares of calls sent and accepted over two minutes after the first, when the callee takes this
    /// share of what reaches it.
    fn settle(k: f64, capacity_per_s: u64, offered_per_s: u64) -> (f64, f64) {
        let mut throttle = Throttle::new(ThrottleSpec { k, window: Span::secs(30) });
        let (mut sent, mut accepted, mut taken) = (0u64, 0u64, (0, 0));
        let calls = 180 * offered_per_s;
        for call in 0..calls {
            let now = Time(call * 1_000_000_000 / offered_per_s);
            if !throttle.passes(now, word(attempt(call, 0, 0), Purpose::Balance)) {
                continue;
            }
            let second = now.0 / 1_000_000_000;
            taken = if taken.0 == second { (second, taken.1 + 1) } else { (second, 1) };
            let accepts = taken.1 <= capacity_per_s;
            if accepts {
                throttle.accepted(now);
            }
            if second >= 60 {
                sent += 1;
                accepted += u64::from(accepts);
            }
        }
        (sent as f64 / (120 * capacity_per_s) as f64, accepted as f64 / (120 * capacity_per_s) as f64)
    }

    #[test]
    fn the_callee_gets_k_times_what_it_takes() {
        // In balance, requests (1 - P) = k accepts: the callee is offered k times its capacity.
        for k in [1.1, 2.0] {
            let (sent, accepted) = settle(k, 20, 200);
            assert!((sent - k).abs() < 0.1, "{sent} times the capacity at k {k}");
            // Chance leaves some seconds short of calls: at k 1.1, 22 on average, 4.4 more or less.
            assert!(accepted > 0.9, "{accepted} of the capacity at k {k}");
        }
        // Without throttling it is all of what is offered.
        let (sent, _) = settle(1e9, 20, 200);
        assert!((sent - 10.0).abs() < 1e-9, "{sent}");
    }

    #[test]
    fn below_capacity_nothing_is_refused() {
        let (sent, accepted) = settle(2.0, 200, 100);
        assert!((sent - 0.5).abs() < 1e-9 && (accepted - 0.5).abs() < 1e-9, "{sent} {accepted}");
    }
}
