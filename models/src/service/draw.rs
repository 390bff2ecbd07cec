//! Randomness by purpose: all that happens to a request derives from its luck.
//!
//! The luck of a request is drawn from its user's stream and handed on with every call, mixed with
//! what is called and which attempt it is. So the same request takes the same work, and waits the same
//! share of a back-off, under every policy and at every replica: policies are compared on the same draws.

use murphy_sim::fold;

/// What a word is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Purpose {
    /// Time of the work.
    Work = 1,
    /// The replica that is chosen, and the second of two.
    Balance,
    /// Jitter of a back-off.
    Jitter,
    /// Whether client-side throttling lets a call pass.
    Throttle,
    /// Whether the work of a request fails.
    Failure,
    /// Whether a version fails a request.
    Version,
    /// Time that a start takes.
    Start,
    /// How much earlier an entry of a cache expires, and when what it stands for changes.
    Expiry,
    /// Whether an answer has only its first half.
    Partial,
}

/// A word for a purpose.
#[inline]
pub(crate) fn word(luck: u64, purpose: Purpose) -> u64 {
    // Two rounds: one alone leaves the low bits of neighbours correlated.
    fold(fold(luck ^ 0x9e37_79b9_7f4a_7c15, purpose as u64), luck)
}

/// Luck of an attempt of a call that a request with this luck makes.
#[inline]
pub(crate) fn attempt(luck: u64, call: usize, attempt: u32) -> u64 {
    fold(fold(luck, 1 + call as u64), 1 + u64::from(attempt))
}

#[cfg(test)]
mod tests {
    use super::*;
    use murphy_sim::unit;

    fn share(request: u64, purpose: Purpose) -> f64 {
        let number = u32::try_from(request % 4).expect("below four");
        unit(word(attempt(fold(77, request / 4), 0, number), purpose)) - 0.5
    }

    #[test]
    fn words_of_neighbouring_requests_and_attempts_are_uniform_and_uncorrelated() {
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|request| share(request, Purpose::Work)).collect();
        let other: Vec<f64> = (0..n).map(|request| share(request, Purpose::Jitter)).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let next: f64 = draws.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let across: f64 = draws.iter().zip(&other).map(|(a, b)| a * b).sum();
        // Uniform draws: standard errors 1/sqrt(12 n) and sqrt(n)/12; three tests at four of them: 2e-4.
        assert!(mean.abs() < 4.0 / libm::sqrt(12.0 * n as f64), "mean {mean}");
        assert!(next.abs() < 4.0 * libm::sqrt(n as f64) / 12.0, "neighbours {next}");
        assert!(across.abs() < 4.0 * libm::sqrt(n as f64) / 12.0, "purposes {across}");
    }
}
