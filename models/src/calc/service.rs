//! Queues with other laws, and the latency of requests that fan out, hedge or wait for a quorum.

use super::math::{harmonic, power, root};

/// Mean wait of M/G/1, first come first served: `λ E[S²] / 2(1 − ρ)`.
///
/// `scv` is the variance of the service over its squared mean. Source: Pollaczek 1930, Khinchine 1932.
pub fn mg1_wait(arrivals: f64, mean: f64, scv: f64) -> f64 {
    arrivals * mean * mean * (1.0 + scv) / (2.0 * (1.0 - arrivals * mean))
}

/// Mean time in M/G/1 with processor sharing, whatever the law: `E[S] / (1 − ρ)`.
pub fn mg1_sharing(arrivals: f64, mean: f64) -> f64 {
    mean / (1.0 - arrivals * mean)
}

/// Mean and scv of a mixture of exponential laws; `parts` holds (probability, mean).
pub fn mixture(parts: &[(f64, f64)]) -> (f64, f64) {
    let mean: f64 = parts.iter().map(|(share, mean)| share * mean).sum();
    let second: f64 = parts.iter().map(|(share, mean)| 2.0 * share * mean * mean).sum();
    (mean, second / (mean * mean) - 1.0)
}

/// The σ of D/M/1, the probability that an arrival waits: σ = e^(−μ(1 − σ)T).
pub fn dm1_sigma(interarrival: f64, service: f64) -> f64 {
    let work = service * interarrival;
    // 1 is a root too; with work > 1 the other is below 1/work, where the slope is below 1.
    root(0.0, 1.0 / work, |sigma| sigma - libm::exp(-work * (1.0 - sigma)))
}

/// Mean waits of M/M/1 with two classes, the first served first, without pre-emption: (high, low).
///
/// Source: Cobham 1954.
pub fn priority_waits(high: f64, low: f64, service: f64) -> (f64, f64) {
    let (first, all) = (high / service, (high + low) / service);
    let rest = all / service;
    (rest / (1.0 - first), rest / ((1.0 - first) * (1.0 - all)))
}

/// A request that is sent again when it took longer than a quantile of its exponential service; the first answer wins.
#[derive(Clone, Copy, Debug)]
pub struct Hedge {
    /// Mean service time.
    pub mean: f64,
    /// Share of requests that are answered before the second is sent.
    pub quantile: f64,
}

impl Hedge {
    /// Time after which the second request is sent.
    pub fn delay(&self) -> f64 {
        -self.mean * libm::log1p(-self.quantile)
    }

    /// Mean latency; without queueing, the second request is independent of the first.
    pub fn mean_latency(&self) -> f64 {
        self.mean * (self.quantile + (1.0 - self.quantile) / 2.0)
    }

    /// Latency at a quantile.
    pub fn latency(&self, quantile: f64) -> f64 {
        let alone = -self.mean * libm::log1p(-quantile);
        if alone <= self.delay() { alone } else { f64::midpoint(alone, self.delay()) }
    }
}

/// Probability that at least one of `n` calls is slow.
pub fn any_slow(slow: f64, n: u64) -> f64 {
    -libm::expm1(n as f64 * libm::log1p(-slow))
}

/// Mean time until `k` of `n` exponential answers of mean 1 are there: 1/(n−k+1) + … + 1/n.
pub fn kth_of_n(k: u64, n: u64) -> f64 {
    harmonic(n - k + 1, n)
}

/// Requests in a server whose latency grows with them: latency = base + slope N, so N = λ base / (1 − λ slope).
///
/// Infinite when λ slope reaches 1.
pub fn in_flight(arrivals: f64, base: f64, slope: f64) -> f64 {
    let left = 1.0 - arrivals * slope;
    if left > 0.0 { arrivals * base / left } else { f64::INFINITY }
}

/// Time that the backlog of a stall takes to drain: D λ / (μ − λ).
pub fn drain(arrivals: f64, service: f64, stall: f64) -> f64 {
    stall * arrivals / (service - arrivals)
}

/// Exponential back-off before retry `n` from 0: base × 2^n, at most `cap`.
pub fn backoff(base: f64, cap: f64, n: u64) -> f64 {
    (base * power(2.0, n)).min(cap)
}
