//! The phi-accrual failure detector: how surprising a silence is, given the heartbeats before it.
//!
//! Phi is minus the decimal logarithm of the probability that the next heartbeat comes even later.
//! Hayashibara, Défago, Yared & Katayama, SRDS 2004, take the intervals as normal. Two products are
//! spread widely, and differ: Akka takes a logistic approximation of that tail and adds a pause to
//! the mean; Cassandra takes the intervals as exponential.

use std::collections::VecDeque;

use murphy_sim::Span;

/// The law that a phi detector assumes for the intervals between heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Normal, with the exact tail: the paper.
    Normal,
    /// Logistic approximation of the normal tail: Akka's `PhiAccrualFailureDetector.scala`.
    Logistic,
    /// Exponential with the mean of the window: Cassandra's `gms/FailureDetector.java`.
    Exponential,
}

impl Tail {
    /// Phi after a silence of `silence`, all in one unit of time. `sd` does not matter to [`Tail::Exponential`].
    pub fn phi(self, silence: f64, mean: f64, sd: f64) -> f64 {
        match self {
            Tail::Normal => -libm::log10(normal_tail((silence - mean) / sd)),
            Tail::Logistic => logistic_phi((silence - mean) / sd),
            Tail::Exponential => silence / mean * std::f64::consts::LOG10_E,
        }
    }

    /// The silence at which phi reaches `threshold`: `mean + z·sd` for the laws with a spread.
    pub fn silence(self, threshold: f64, mean: f64, sd: f64) -> f64 {
        match self {
            Tail::Exponential => threshold * std::f64::consts::LN_10 * mean,
            Tail::Normal | Tail::Logistic => mean + self.quantile(threshold) * sd,
        }
    }

    /// Standard deviations above the mean at which phi reaches `threshold`; zero for [`Tail::Exponential`].
    pub fn quantile(self, threshold: f64) -> f64 {
        let phi: fn(f64) -> f64 = match self {
            Tail::Normal => |y| -libm::log10(normal_tail(y)),
            Tail::Logistic => logistic_phi,
            Tail::Exponential => return 0.0,
        };
        // Phi rises with y. Beyond 37 deviations the tail leaves the range of a double.
        let (mut low, mut high) = (-37.0, 37.0);
        loop {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                return high;
            }
            if phi(middle) < threshold {
                low = middle;
            } else {
                high = middle;
            }
        }
    }
}

/// Probability that a standard normal variable exceeds `y`.
fn normal_tail(y: f64) -> f64 {
    0.5 * libm::erfc(y * std::f64::consts::FRAC_1_SQRT_2)
}

/// Akka's approximation of the normal law's distribution function by a logistic one.
fn logistic_phi(y: f64) -> f64 {
    let e = libm::exp(-y * (1.5976 + 0.070_566 * y * y));
    if y > 0.0 { -libm::log10(e / (1.0 + e)) } else { -libm::log10(1.0 - 1.0 / (1.0 + e)) }
}

/// The last intervals between heartbeats. Its sums are whole numbers, so that they never drift.
#[derive(Clone, Debug)]
pub struct Intervals {
    size: usize,
    spans: VecDeque<u64>,
    sum: u128,
    squares: u128,
}

impl Intervals {
    /// Keeps the last `size` intervals.
    ///
    /// # Panics
    /// When `size` is zero.
    pub fn new(size: usize) -> Intervals {
        assert!(size > 0, "a window keeps at least one interval");
        Intervals { size, spans: VecDeque::new(), sum: 0, squares: 0 }
    }

    /// Takes note of an interval; the oldest one is forgotten when the window is full.
    pub fn push(&mut self, span: Span) {
        if self.spans.len() == self.size
            && let Some(old) = self.spans.pop_front()
        {
            self.sum -= u128::from(old);
            self.squares -= u128::from(old) * u128::from(old);
        }
        self.spans.push_back(span.0);
        self.sum += u128::from(span.0);
        self.squares += u128::from(span.0) * u128::from(span.0);
    }

    /// How many intervals the window holds.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the window holds none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Mean in nanoseconds; `None` when the window is empty.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.sum as f64 / self.len() as f64)
    }

    /// Standard deviation of the window in nanoseconds; zero when it is empty.
    pub fn sd(&self) -> f64 {
        let n = self.len() as u128;
        // n·Σx² − (Σx)² is exact; it is not negative.
        let spread = n * self.squares - self.sum * self.sum;
        libm::sqrt(spread as f64) / (n.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_knows_its_mean_and_spread_and_forgets_the_oldest() {
        let mut window = Intervals::new(4);
        assert_eq!((window.mean(), window.sd().to_bits()), (None, 0.0_f64.to_bits()));
        for ns in [1_000, 2, 4, 4, 6] {
            window.push(Span(ns));
        }
        // 2, 4, 4, 6: mean 4, variance 2.
        assert_eq!(window.mean().map(f64::to_bits), Some(4.0_f64.to_bits()));
        assert!((window.sd() - std::f64::consts::SQRT_2).abs() < 1e-15, "{}", window.sd());
    }

    #[test]
    fn the_quantile_is_where_phi_reaches_the_threshold() {
        for tail in [Tail::Normal, Tail::Logistic, Tail::Exponential] {
            for threshold in [0.5, 1.0, 3.0, 8.0, 16.0] {
                let silence = tail.silence(threshold, 1000.0, 80.0);
                let phi = tail.phi(silence, 1000.0, 80.0);
                assert!((phi - threshold).abs() < 1e-9 * threshold, "{tail:?} {threshold}: {phi}");
            }
        }
    }
}
