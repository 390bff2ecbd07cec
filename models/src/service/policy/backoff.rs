//! Waits before retries.

use murphy_scenarios::language::{BackoffKind, BackoffSpec, Jitter};
use murphy_sim::{Span, unit};

/// The waits of one call, one after the other.
///
/// Sources: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015 (full, equal and
/// decorrelated jitter). Additive and proportional jitter are added after the cap, so that a wait may
/// exceed it, as in the code they come from.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    spec: BackoffSpec,
    /// Wait before the next retry, before jitter; for a decorrelated one the last wait.
    next: Span,
}

impl Backoff {
    /// The waits of a new call.
    pub fn new(spec: BackoffSpec) -> Backoff {
        Backoff { spec, next: spec.base }
    }

    /// Wait before the next retry; a uniform word decides what is random.
    pub fn next(&mut self, word: u64) -> Span {
        let share = unit(word);
        let cap = self.spec.cap;
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
}
