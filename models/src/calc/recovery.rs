//! What a crash loses and how long it takes to notice: RPO, detection, election, failover.

use super::math::{normal, poisson_at_least, power};

/// Lost writes when a replica lags by a constant time: Poisson with mean rate × lag.
pub fn lost_at_least(rate: f64, lag: f64, count: u64) -> f64 {
    poisson_at_least(rate * lag, count)
}

/// Age of the oldest lost write at a quantile, when each write is replicated after an independent exponential time.
///
/// M/G/∞: d ln(w d / −ln q); zero when even that many writes are lost less often.
pub fn parallel_lag_quantile(rate: f64, lag: f64, quantile: f64) -> f64 {
    (lag * libm::log(rate * lag / -libm::log(quantile))).max(0.0)
}

/// Mean and standard deviation of lost writes when changes are shipped every `period`, and take `latency`.
pub fn periodic_loss(rate: f64, period: f64, latency: f64) -> (f64, f64) {
    let mean = rate * (latency + period / 2.0);
    (mean, libm::sqrt(mean + rate * rate * period * period / 12.0))
}

/// A stream of writes that one replica applies in order: M/M/1.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// Writes per unit of time.
    pub rate: f64,
    /// Writes per unit of time that the replica can apply; more than `rate`.
    pub apply: f64,
}

impl Stream {
    /// Mean number of writes not yet applied.
    pub fn mean_lost(&self) -> f64 {
        self.rate / (self.apply - self.rate)
    }

    /// Probability of at least `count` writes not yet applied.
    pub fn lost_at_least(&self, count: u64) -> f64 {
        power(self.rate / self.apply, count)
    }

    /// Probability that the oldest write not yet applied is older than `age`.
    pub fn older_than(&self, age: f64) -> f64 {
        self.rate / self.apply * libm::exp(-(self.apply - self.rate) * age)
    }

    /// The age that the oldest write not yet applied exceeds with this probability.
    pub fn age_exceeded(&self, probability: f64) -> f64 {
        (libm::log(self.rate / self.apply / probability) / (self.apply - self.rate)).max(0.0)
    }
}

/// Mean time from a crash to its detection: a heartbeat every `every`, suspected `timeout` after the last one.
pub fn detection(every: f64, timeout: f64) -> f64 {
    timeout - every / 2.0
}

/// Mean number of heartbeats until `misses` in a row are lost, each with probability `loss`.
///
/// (1 − q^k) / ((1 − q) q^k). Source: Feller, runs of successes.
pub fn heartbeats_to_suspicion(loss: f64, misses: u64) -> f64 {
    let run = power(loss, misses);
    (1.0 - run) / ((1.0 - loss) * run)
}

/// An election by random time-outs, as in Raft, after the leader of `nodes` nodes crashed.
#[derive(Clone, Copy, Debug)]
pub struct Election {
    /// Nodes, the crashed leader included.
    pub nodes: u64,
    /// Shortest time-out.
    pub shortest: f64,
    /// Longest time-out.
    pub longest: f64,
}

impl Election {
    /// Probability that no second node becomes a candidate within `window` of the first: (1 − d/W)^m.
    ///
    /// One minus it bounds a split vote from above.
    pub fn one_candidate(&self, window: f64) -> f64 {
        let width = self.longest - self.shortest;
        power((1.0 - window / width).max(0.0), self.nodes - 1)
    }

    /// Mean time from the crash to the first candidate, when the leader sent a heartbeat every `heartbeat`.
    pub fn first_candidate(&self, heartbeat: f64) -> f64 {
        // The least of m uniform time-outs, counted from the last heartbeat: half a period before the crash.
        self.shortest + (self.longest - self.shortest) / self.nodes as f64 - heartbeat / 2.0
    }
}

/// A failover in three steps: detection uniform, election constant, promotion lognormal.
#[derive(Clone, Copy, Debug)]
pub struct FailoverBudget {
    /// Shortest detection.
    pub detect_min: f64,
    /// Longest detection.
    pub detect_max: f64,
    /// Election.
    pub elect: f64,
    /// Median of the promotion.
    pub promote_median: f64,
    /// Standard deviation of the promotion's logarithm.
    pub promote_sigma: f64,
}

impl FailoverBudget {
    /// Mean of the whole failover: means add.
    pub fn mean(&self) -> f64 {
        let half = self.promote_sigma * self.promote_sigma / 2.0;
        f64::midpoint(self.detect_min, self.detect_max) + self.elect + self.promote_median * libm::exp(half)
    }

    /// Probability that the whole failover takes at most `time`.
    ///
    /// The integral of Φ(ln(y/m)/σ) is y Φ(z) − m e^(σ²/2) Φ(z − σ).
    pub fn within(&self, time: f64) -> f64 {
        let (m, s) = (self.promote_median, self.promote_sigma);
        let integral = |y: f64| {
            if y <= 0.0 {
                return 0.0;
            }
            let z = libm::log(y / m) / s;
            y * normal(z) - m * libm::exp(s * s / 2.0) * normal(z - s)
        };
        let promoted = |y: f64| if y <= 0.0 { 0.0 } else { normal(libm::log(y / m) / s) };
        let (late, early) = (time - self.elect - self.detect_min, time - self.elect - self.detect_max);
        if self.detect_max > self.detect_min {
            (integral(late) - integral(early)) / (self.detect_max - self.detect_min)
        } else {
            promoted(late)
        }
    }

    /// The time within which the failover ends with a probability: percentiles do not add.
    pub fn quantile(&self, probability: f64) -> f64 {
        let mut high = self.mean();
        while self.within(high) < probability && high < 1e12 * self.mean() {
            high *= 2.0;
        }
        super::math::root(0.0, high, |time| self.within(time) - probability)
    }
}
