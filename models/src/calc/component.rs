//! One component that fails and is repaired, with any laws: how sure a measured availability can be.

use super::chain::Chain;
use super::math::{poisson, poisson_at_least, size};

/// A law of times, by its shape; the mean is given beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Always the mean.
    Fixed,
    /// Exponential.
    Exponential,
    /// Uniform from zero to twice the mean.
    Uniform,
    /// Erlang: the sum of this many exponential phases.
    Erlang(u64),
    /// Weibull with this shape.
    Weibull(f64),
    /// Lognormal with this standard deviation of the logarithm.
    Lognormal(f64),
}

impl Shape {
    /// Variance divided by the squared mean.
    pub fn scv(self) -> f64 {
        match self {
            Shape::Fixed => 0.0,
            Shape::Exponential => 1.0,
            Shape::Uniform => 1.0 / 3.0,
            Shape::Erlang(phases) => 1.0 / phases as f64,
            Shape::Weibull(shape) => {
                let first = libm::tgamma(1.0 + 1.0 / shape);
                libm::tgamma(1.0 + 2.0 / shape) / (first * first) - 1.0
            }
            Shape::Lognormal(sigma) => libm::expm1(sigma * sigma),
        }
    }
}

/// Growth of the variance of the down time in a window, per unit of time, for a long window.
///
/// (u² Var D + d² Var U) / (u + d)³ with means u and d. Source: Takács 1957; Cox, Renewal Theory, 1962.
pub fn variance_rate(mttf: f64, up: Shape, mttr: f64, down: Shape) -> f64 {
    let cycle = mttf + mttr;
    let (u, d) = (mttf * mttf, mttr * mttr);
    (u * down.scv() * d + d * up.scv() * u) / (cycle * cycle * cycle)
}

/// The time that must be watched for an interval of ± `relative` of the unavailability, at normal quantile `z`.
pub fn horizon(mttf: f64, mttr: f64, variance_rate: f64, relative: f64, z: f64) -> f64 {
    let unavailability = mttr / (mttf + mttr);
    let half = relative * unavailability;
    z * z * variance_rate / (half * half)
}

/// Probability of being down at time `t`, new at time 0, with Erlang laws of `up` and `down` phases.
pub fn down_at(t: f64, mttf: f64, up: u64, mttr: f64, down: u64) -> f64 {
    let (ups, downs) = (size(up), size(down));
    let mut chain = Chain::new(ups + downs);
    for phase in 0..ups + downs {
        let rate = if phase < ups { up as f64 / mttf } else { down as f64 / mttr };
        chain.add(phase, (phase + 1) % (ups + downs), rate);
    }
    chain.at(t)[ups..].iter().sum()
}

/// Probability that a component, up at the start, is down for more than `allowed` in a window.
///
/// Exponential laws. Σ over n ≥ 1 of P(n failures in the up time) P(n repairs take longer). Source: Takács 1957.
pub fn downtime_exceeds(mttf: f64, mttr: f64, window: f64, allowed: f64) -> f64 {
    let failures = (window - allowed) / mttf;
    let repairs = allowed / mttr;
    let last = failures + 14.0 * libm::sqrt(failures) + 60.0;
    let (mut sum, mut n) = (0.0, 1_u64);
    while n as f64 <= last {
        // n repairs last longer than `allowed` when fewer than n of a Poisson stream end within it.
        let slow: f64 = if (n as f64) < repairs {
            (0..n).map(|i| poisson(repairs, i)).sum()
        } else {
            1.0 - poisson_at_least(repairs, n)
        };
        sum += poisson(failures, n) * slow;
        n += 1;
    }
    sum
}

/// What an arrival in an outage still waits on average, when outages are lognormal with `mu`, `sigma`: `E[X²] / 2E[X]`.
///
/// Longer than the operator's mean time to repair exp(μ + σ²/2) when σ² > ln 2: long outages are met more often.
pub fn lognormal_outage(mu: f64, sigma: f64) -> (f64, f64) {
    let mean = libm::exp(mu + sigma * sigma / 2.0);
    (mean, mean * libm::exp(sigma * sigma) / 2.0)
}
