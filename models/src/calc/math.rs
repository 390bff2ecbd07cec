//! The few functions that the closed forms share. Sums have positive terms only: nothing cancels.

/// A probability with its complement, both to full precision: `1 - 0.9999999` keeps no seven digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The probability.
    pub yes: f64,
    /// One minus the probability.
    pub no: f64,
}

impl Share {
    /// A probability in `0.0..=1.0` whose complement is as good as a subtraction makes it.
    pub fn new(yes: f64) -> Share {
        Share { yes, no: 1.0 - yes }
    }

    /// The share `a / (a + b)`: the availability of a component that is up for `a` and down for `b`.
    pub fn of(a: f64, b: f64) -> Share {
        Share { yes: a / (a + b), no: b / (a + b) }
    }
}

/// A count as an index. Counts here are of components and states: thousands.
///
/// # Panics
/// When the count is beyond the address space.
pub(crate) fn size(count: u64) -> usize {
    usize::try_from(count).expect("a count of things in memory")
}

/// The whole part of a number that is known to be small; zero below zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as stated")]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

/// `x` to a whole power.
pub(crate) fn power(x: f64, n: u64) -> f64 {
    let (mut result, mut square, mut left) = (1.0, x, n);
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    result
}

/// Number of ways to choose `k` of `n`.
pub(crate) fn choose(n: u64, k: u64) -> f64 {
    if k > n {
        return 0.0;
    }
    (1..=k.min(n - k)).fold(1.0, |ways, i| ways * (n + 1 - i) as f64 / i as f64)
}

/// Probability that of `n` independent trials a number in `counts` succeeds. Good up to n = 1000.
pub(crate) fn binomial(n: u64, p: Share, counts: std::ops::RangeInclusive<u64>) -> f64 {
    counts.map(|k| choose(n, k) * power(p.yes, k) * power(p.no, n.saturating_sub(k))).sum()
}

/// Probability of exactly `k` events of a Poisson law.
pub(crate) fn poisson(mean: f64, k: u64) -> f64 {
    if mean <= 0.0 {
        return if k == 0 { 1.0 } else { 0.0 };
    }
    let k = k as f64;
    libm::exp(k * libm::log(mean) - mean - libm::lgamma(k + 1.0))
}

/// Probability of at least `k` events of a Poisson law.
pub(crate) fn poisson_at_least(mean: f64, k: u64) -> f64 {
    if (k as f64) <= mean {
        return 1.0 - (0..k).map(|i| poisson(mean, i)).sum::<f64>();
    }
    let (mut term, mut sum, mut i) = (poisson(mean, k), 0.0, k);
    while term > sum * 1e-18 {
        sum += term;
        i += 1;
        term *= mean / i as f64;
    }
    sum
}

/// Distribution function of the standard normal law.
pub(crate) fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// 1 + 1/2 + … + 1/n, from `from` to `to`.
pub(crate) fn harmonic(from: u64, to: u64) -> f64 {
    (from..=to).rev().map(|i| 1.0 / i as f64).sum()
}

/// Where a rising function crosses zero, to the last bit.
pub(crate) fn root(mut low: f64, mut high: f64, rising: impl Fn(f64) -> f64) -> f64 {
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return high;
        }
        if rising(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}
