//! Rate limiters.

use std::collections::BTreeMap;

use murphy_scenarios::language::{RateLimitKind, RateLimitSpec};
use murphy_sim::{Span, Time};

use super::AdaptiveRate;

/// A rate limiter: a caller may have to wait for its permit, if that is not too long.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    spec: RateLimitSpec,
    one: Counter,
    by_key: BTreeMap<u64, Counter>,
}

impl RateLimiter {
    /// A limiter that was not used yet.
    pub fn new(spec: RateLimitSpec) -> RateLimiter {
        RateLimiter { spec, one: Counter::new(spec.kind), by_key: BTreeMap::new() }
    }

    /// Reserves a permit for a key: how long the caller has to wait for it, or `None` if that is too long.
    pub fn reserve(&mut self, now: Time, key: u64) -> Option<Span> {
        self.reserve_many(now, key, 1)
    }

    fn reserve_many(&mut self, now: Time, key: u64, permits: u64) -> Option<Span> {
        let RateLimitSpec { kind, wait, per_key } = self.spec;
        let counter = if per_key {
            self.by_key.entry(key).or_insert_with(|| Counter::new(kind))
        } else {
            &mut self.one
        };
        match counter {
            Counter::Cycle(cycle) => cycle.reserve(now, permits, wait),
            Counter::Bucket(bucket) => bucket.reserve(now, permits, wait),
            Counter::Adaptive(bucket) => bucket.reserve(now, permits, wait),
        }
    }

    /// An attempt was answered; whether the callee throttled it sets an adaptive rate.
    pub fn answered(&mut self, now: Time, throttled: bool) {
        if let Counter::Adaptive(bucket) = &mut self.one {
            bucket.answered(now, throttled);
        }
    }
}

#[derive(Clone, Debug)]
enum Counter {
    Cycle(Cycle),
    Bucket(Bucket),
    Adaptive(Box<Paced>),
}

impl Counter {
    fn new(kind: RateLimitKind) -> Counter {
        match kind {
            RateLimitKind::Cycle { limit, period } => Counter::Cycle(Cycle::new(limit, period)),
            RateLimitKind::Token { rate, burst } => Counter::Bucket(Bucket::new(rate, burst)),
            RateLimitKind::Leaky { rate } => Counter::Bucket(Bucket::new(rate, 1)),
            RateLimitKind::Adaptive => Counter::Adaptive(Box::new(Paced::new())),
        }
    }
}

/// Fixed cycles: each brings `limit` permits, unused ones lapse, and a caller may reserve one of a later
/// cycle. The first cycle starts at time zero, full.
///
/// Source: resilience4j, `AtomicRateLimiter.java`.
#[derive(Clone, Debug)]
struct Cycle {
    limit: u64,
    period: Span,
    at: u64,
    permits: i64,
}

impl Cycle {
    fn new(limit: u64, period: Span) -> Cycle {
        Cycle { limit, period, at: 0, permits: i64::try_from(limit).unwrap_or(i64::MAX) }
    }

    fn reserve(&mut self, now: Time, permits: u64, longest: Span) -> Option<Span> {
        let wanted = i64::try_from(permits).unwrap_or(i64::MAX);
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let cycle = now.0 / self.period.0;
        let passed = i64::try_from(cycle - self.at).unwrap_or(i64::MAX);
        let current = limit.saturating_mul(passed).saturating_add(self.permits).min(limit);
        let wait = self.wait(now, cycle, current, wanted);
        let granted = wait <= longest;
        self.at = cycle;
        self.permits = if granted { current.saturating_sub(wanted) } else { current };
        granted.then_some(wait)
    }

    /// Time until enough cycles have begun.
    fn wait(&self, now: Time, cycle: u64, current: i64, wanted: i64) -> Span {
        if current >= wanted {
            return Span::ZERO;
        }
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let to_next = Span((cycle + 1) * self.period.0 - now.0);
        let missing = wanted.saturating_sub(current).saturating_sub(limit);
        let cycles = if missing > 0 { u64::try_from(missing).unwrap_or(0).div_ceil(self.limit) } else { 0 };
        to_next.saturating_add(self.period.scale(cycles as f64))
    }
}

/// Femtoseconds in a nanosecond: rates that do not divide a second keep their long-run value.
const FEMTO: u128 = 1_000_000;

/// A bucket of tokens that fills evenly; with a burst of one, a queue that leaks evenly.
///
/// Source: the generic cell rate algorithm in its virtual-scheduling form, ITU-T I.371, annex A.
#[derive(Clone, Debug)]
struct Bucket {
    /// Time between two tokens, in femtoseconds.
    gap: u128,
    /// How far ahead of its even pace the bucket may be.
    slack: u128,
    /// When the next call would come at an even pace.
    next: u128,
}

impl Bucket {
    fn new(rate: f64, burst: u64) -> Bucket {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive rate")]
        let gap = (1e15 / rate) as u128;
        Bucket { gap, slack: gap * u128::from(burst - 1), next: 0 }
    }

    fn reserve(&mut self, now: Time, permits: u64, longest: Span) -> Option<Span> {
        let now = u128::from(now.0) * FEMTO;
        let last = self.next.max(now) + self.gap * u128::from(permits - 1);
        let wait = last.saturating_sub(self.slack).saturating_sub(now).div_ceil(FEMTO);
        let wait = Span(u64::try_from(wait).unwrap_or(u64::MAX));
        let granted = wait <= longest;
        if granted {
            self.next = last + self.gap;
        }
        granted.then_some(wait)
    }
}

/// A bucket that fills at a rate found out from throttled answers; before the first of them, no limit.
///
/// Source: botocore, `retries/bucket.py` and `retries/adaptive.py`.
#[derive(Clone, Debug)]
struct Paced {
    rate: AdaptiveRate,
    /// Tokens a second; `None` before the first throttled answer.
    fill: Option<f64>,
    tokens: f64,
    at: Time,
}

impl Paced {
    fn new() -> Paced {
        Paced { rate: AdaptiveRate::new(), fill: None, tokens: 0.0, at: Time(0) }
    }

    fn reserve(&mut self, now: Time, permits: u64, longest: Span) -> Option<Span> {
        let Some(fill) = self.fill else { return Some(Span::ZERO) };
        self.refill(now, fill);
        let missing = permits as f64 - self.tokens;
        let wait = Span::ZERO.saturating_add(Span::secs(1).scale((missing / fill).max(0.0)));
        let granted = wait <= longest;
        if granted {
            self.tokens -= permits as f64;
        }
        granted.then_some(wait)
    }

    fn refill(&mut self, now: Time, fill: f64) {
        let seconds = now.since(self.at).0 as f64 / 1e9;
        // The bucket holds what a second brings, and at least one token.
        self.tokens = (self.tokens + seconds * fill).min(fill.max(1.0));
        self.at = now;
    }

    fn answered(&mut self, now: Time, throttled: bool) {
        let rate = self.rate.response(now.0 as f64 / 1e9, throttled);
        if let Some(fill) = self.fill {
            self.refill(now, fill);
        }
        if throttled || self.fill.is_some() {
            self.at = now;
            self.fill = Some(rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls on the original with a clock of their own; 5 permits in 100 ms, 150 ms of waiting.
    const GOLDEN: &str = include_str!("../../../tests/data/golden_r4j_ratelimiter.csv");

    fn limiter(kind: RateLimitKind, wait: Span, per_key: bool) -> RateLimiter {
        RateLimiter::new(RateLimitSpec { kind, wait, per_key })
    }

    #[test]
    fn the_limiter_answers_as_the_original_did_call_by_call() {
        let kind = RateLimitKind::Cycle { limit: 5, period: Span::millis(100) };
        let mut limiter = limiter(kind, Span::millis(150), false);
        let rows = GOLDEN.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        let mut seen = 0;
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let [at_ms, permits, expected] = cells[..] else { panic!("{row}") };
            let at = Time(at_ms.parse::<u64>().unwrap() * 1_000_000);
            let wait = limiter.reserve_many(at, 0, permits.parse().unwrap());
            assert_eq!(wait.map_or("-1".to_owned(), |wait| wait.0.to_string()), expected, "{row}");
            seen += 1;
        }
        assert_eq!(seen, 23, "every row of the table is checked");
    }

    /// Calls that pass of one every `every`, from zero on for ten seconds.
    fn passed(limiter: &mut RateLimiter, every: Span, key: u64) -> usize {
        let calls = (0..10_000_000_000 / every.0).map(|call| Time(call * every.0));
        calls.filter(|&at| limiter.reserve(at, key).is_some()).count()
    }

    #[test]
    fn a_token_bucket_lets_exactly_its_burst_and_its_rate_through() {
        for (rate, burst) in [(3.0, 1), (3.0, 7), (50.0, 20), (0.7, 4)] {
            let mut limiter = limiter(RateLimitKind::Token { rate, burst }, Span::ZERO, false);
            let at_once = (0..100).filter(|_| limiter.reserve(Time(0), 0).is_some()).count();
            assert_eq!(at_once as u64, burst, "{rate}/s, {burst}");
            // Over 10 s less a millisecond come as many more as the rate brings, whole ones.
            let more = passed(&mut limiter, Span::millis(1), 0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
            let brought = (rate * 9.999) as usize;
            assert_eq!(more, brought, "{rate}/s, {burst}");
        }
    }

    #[test]
    fn a_leaky_bucket_spaces_calls_evenly_and_holds_what_may_wait() {
        let mut limiter = limiter(RateLimitKind::Leaky { rate: 10.0 }, Span::millis(450), false);
        let waits: Vec<Option<u64>> =
            (0..7).map(|_| limiter.reserve(Time(0), 0).map(|wait| wait.0 / 1_000_000)).collect();
        assert_eq!(waits, [Some(0), Some(100), Some(200), Some(300), Some(400), None, None]);
    }

    #[test]
    fn keys_have_limits_of_their_own_or_share_one() {
        for (per_key, expected) in [(true, 2), (false, 0)] {
            let mut limiter = limiter(RateLimitKind::Token { rate: 1.0, burst: 2 }, Span::ZERO, per_key);
            let pass = |limiter: &mut RateLimiter, key| {
                (0..5).filter(|_| limiter.reserve(Time(0), key).is_some()).count()
            };
            assert_eq!(pass(&mut limiter, 1), 2);
            assert_eq!(pass(&mut limiter, 2), expected, "per key: {per_key}");
        }
    }

    #[test]
    fn an_adaptive_rate_settles_near_what_the_callee_takes() {
        // The callee takes ten a second and throttles the rest; a call wants to pass every 10 ms.
        let mut limiter = limiter(RateLimitKind::Adaptive, Span::ZERO, false);
        let (mut sent, mut second) = (0, (0, 0));
        for ms in (0..60_000).step_by(10) {
            let now = Time(ms * 1_000_000);
            if limiter.reserve(now, 0).is_some() {
                second = if second.0 == ms / 1000 { (second.0, second.1 + 1) } else { (ms / 1000, 1) };
                limiter.answered(now, second.1 > 10);
                sent += u64::from(ms >= 20_000);
            }
        }
        // Without it, 100 a second are sent.
        assert!((200..=600).contains(&sent), "{sent} in 40 s");
    }
}
