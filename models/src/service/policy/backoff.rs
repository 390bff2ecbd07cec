//! Waits before retries.

use murphy_scenarios::language::{BackoffKind, BackoffSpec, Jitter};
use murphy_sim::{Span, unit};

/// The waits of one call, one after the other.
///
/// Sources: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015 (full, equal and
/// decorrelated jitter); Polly, `RetryHelper.cs`, `DecorrelatedJitterBackoffV2` (smooth). Additive and proportional jitter are added after the cap, so that a wait may
/// exceed it, as in the code they come from.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    spec: BackoffSpec,
    /// Wait before the next retry, before jitter; for a decorrelated one the last wait; for a smooth one
    /// where the curve was left.
    next: Span,
    retries: u32,
}

impl Backoff {
    /// The waits of a new call.
    pub fn new(spec: BackoffSpec) -> Backoff {
        let next = if spec.kind == BackoffKind::Smooth { Span::ZERO } else { spec.base };
        Backoff { spec, next, retries: 0 }
    }

    /// Wait before the next retry; a uniform word decides what is random.
    pub fn next(&mut self, word: u64) -> Span {
        let share = unit(word);
        let cap = self.spec.cap;
        self.retries += 1;
        match self.spec.kind {
            BackoffKind::None => Span::ZERO,
            BackoffKind::Fixed => self.jittered(self.spec.base, share),
            BackoffKind::Exponential => {
                let wait = self.next.min(cap);
                self.next = wait.scale(self.spec.factor);
                self.jittered(wait, share)
            }
            BackoffKind::Decorrelated => {
                let low = self.spec.base;
                let width = Span(self.next.scale(3.0).0.saturating_sub(low.0));
                self.next = low.saturating_add(width.scale(share)).min(cap);
                self.next
            }
            BackoffKind::Smooth => {
                let at = f64::from(self.retries - 1) + share;
                let curve = libm::exp2(at) * libm::tanh(libm::sqrt(4.0 * at)) / 1.4;
                let last = std::mem::replace(&mut self.next, self.spec.base.scale(curve));
                Span(self.next.0.saturating_sub(last.0)).min(cap)
            }
        }
    }

    fn jittered(&self, wait: Span, share: f64) -> Span {
        match self.spec.jitter {
            Jitter::None => wait,
            Jitter::Full => wait.scale(share),
            Jitter::Equal => wait.scale(0.5 + share / 2.0),
            Jitter::Additive => wait.scale(1.0 + share),
            Jitter::Proportional(of) => wait.scale(1.0 + of * (2.0 * share - 1.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::draw::{self, Purpose};
    use murphy_sim::fold;

    const HALF: u64 = 1 << 63;

    fn waits(kind: BackoffKind, jitter: Jitter, word: u64) -> Vec<u64> {
        let spec = BackoffSpec { kind, base: Span::millis(50), cap: Span::millis(300), factor: 2.0, jitter };
        let mut backoff = Backoff::new(spec);
        // To the nearest millisecond.
        (0..5).map(|_| (backoff.next(word).0 + 500_000) / 1_000_000).collect()
    }

    #[test]
    fn waits_grow_by_kind_and_spread_by_jitter() {
        let exponential = BackoffKind::Exponential;
        for (kind, jitter, word, expected) in [
            (BackoffKind::None, Jitter::None, HALF, [0, 0, 0, 0, 0]),
            (BackoffKind::Fixed, Jitter::None, HALF, [50, 50, 50, 50, 50]),
            (exponential, Jitter::None, HALF, [50, 100, 200, 300, 300]),
            (exponential, Jitter::Full, HALF, [25, 50, 100, 150, 150]),
            (exponential, Jitter::Full, u64::MAX, [50, 100, 200, 300, 300]),
            (exponential, Jitter::Equal, 0, [25, 50, 100, 150, 150]),
            (exponential, Jitter::Additive, u64::MAX, [100, 200, 400, 600, 600]),
            (exponential, Jitter::Proportional(0.1), 0, [45, 90, 180, 270, 270]),
            // From 50 to three times the last wait: at half, 100, 175, 287.5, then the cap.
            (BackoffKind::Decorrelated, Jitter::None, HALF, [100, 175, 288, 300, 300]),
        ] {
            assert_eq!(waits(kind, jitter, word), expected, "{kind:?}, {jitter:?}, {word}");
        }
    }

    /// Two million draws of the original.
    const POLLY: &str = include_str!("../../../tests/data/polly_decorrelated_v2.csv");
    const DRAWS: u64 = 200_000;

    #[test]
    fn smooth_waits_are_spread_as_those_of_the_original() {
        let second = Span::secs(1);
        let kind = BackoffKind::Smooth;
        let spec =
            BackoffSpec { kind, base: second, cap: Span::secs(1000), factor: 2.0, jitter: Jitter::None };
        let calls = (0..DRAWS).map(|call| {
            let mut backoff = Backoff::new(spec);
            let word = |retry| draw::word(draw::attempt(fold(2026, call), 0, retry), Purpose::Jitter);
            (0..5).map(|retry| backoff.next(word(retry)).0 as f64 / 1e9).collect()
        });
        let calls: Vec<Vec<f64>> = calls.collect();
        // Twenty figures; the family raises a false alarm once in a thousand: 4.06 standard errors, of
        // the table's draws and of these.
        let errors = 4.06 * libm::sqrt(1.0 + DRAWS as f64 / 2e6);
        for row in POLLY.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
            let figures: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [retry, mean, median, low, high, most] = figures[..] else { panic!("{row}") };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4")]
            let waits: Vec<f64> = calls.iter().map(|waits| waits[retry as usize]).collect();
            let n = DRAWS as f64;
            let ours = waits.iter().sum::<f64>() / n;
            let spread = waits.iter().map(|wait| (wait - ours) * (wait - ours)).sum::<f64>() / n;
            assert!((ours - mean).abs() < errors * libm::sqrt(spread / n) + 5e-6, "{row}: mean {ours}");
            for (bound, share) in [(median, 0.5), (low, 0.05), (high, 0.95)] {
                let below = waits.iter().filter(|&&wait| wait < bound).count() as f64 / n;
                let error = errors * libm::sqrt(share * (1.0 - share) / n);
                assert!((below - share).abs() < error + 1e-4, "{row}: {below} below {bound}");
            }
            let longest = waits.iter().copied().fold(0.0, f64::max);
            // The longest possible goes over two whole steps of the curve.
            let curve = |at: f64| libm::exp2(at) * libm::tanh(libm::sqrt(4.0 * at)) / 1.4;
            let bound = curve(retry + 1.0) - curve((retry - 1.0).max(0.0));
            assert!(longest < bound && most < bound && longest > 0.97 * most, "{row}: at most {longest}");
        }
    }
}
