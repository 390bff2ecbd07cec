//! Client-side rate limiting from throttled responses.

/// A sending rate that falls when responses are throttled and comes back on a cubic curve.
///
/// Source: botocore, `retries/throttling.py` (`CubicCalculator`), `retries/adaptive.py` (`RateClocker`,
/// `ClientRateLimiter`) and `retries/bucket.py`.
#[derive(Clone, Debug)]
pub struct AdaptiveRate {
    clocker: RateClocker,
    /// Rate at the last throttling, the time at which the curve is back at it, and when that was.
    peak: f64,
    zero_s: f64,
    failed_s: f64,
    throttled: bool,
    fill: f64,
}

impl AdaptiveRate {
    const SCALE: f64 = 0.4;
    const BETA: f64 = 0.7;
    /// Least rate, per second.
    const LEAST: f64 = 0.5;
    /// The rate is at most so many times the measured one.
    const MOST: f64 = 2.0;

    /// Before the first response.
    pub fn new() -> AdaptiveRate {
        AdaptiveRate {
            clocker: RateClocker { bucket_s: 0.0, count: 0.0, rate: 0.0 },
            peak: 0.0,
            zero_s: 0.0,
            failed_s: 0.0,
            throttled: false,
            fill: Self::LEAST,
        }
    }

    /// A response came, `now_s` seconds after the start; the rate from now on, per second.
    pub fn response(&mut self, now_s: f64, throttled: bool) -> f64 {
        let measured = self.clocker.record(now_s);
        let rate = if throttled {
            let used = if self.throttled { measured.min(self.fill) } else { measured };
            self.throttled = true;
            self.peak = used;
            self.zero_s = libm::pow(used * (1.0 - Self::BETA) / Self::SCALE, 1.0 / 3.0);
            self.failed_s = now_s;
            used * Self::BETA
        } else {
            let from_zero = now_s - self.failed_s - self.zero_s;
            Self::SCALE * from_zero * from_zero * from_zero + self.peak
        };
        self.fill = rate.min(Self::MOST * measured).max(Self::LEAST);
        self.fill
    }

    /// Responses per second, smoothed.
    pub fn measured(&self) -> f64 {
        self.clocker.rate
    }
}

impl Default for AdaptiveRate {
    fn default() -> AdaptiveRate {
        AdaptiveRate::new()
    }
}

/// Responses per second over half seconds, smoothed.
#[derive(Clone, Debug)]
struct RateClocker {
    bucket_s: f64,
    count: f64,
    rate: f64,
}

impl RateClocker {
    const SMOOTHING: f64 = 0.8;

    fn record(&mut self, now_s: f64) -> f64 {
        let bucket_s = libm::floor(now_s * 2.0) / 2.0;
        self.count += 1.0;
        if bucket_s > self.bucket_s {
            let rate = self.count / (bucket_s - self.bucket_s);
            self.rate = rate * Self::SMOOTHING + self.rate * (1.0 - Self::SMOOTHING);
            self.count = 0.0;
            self.bucket_s = bucket_s;
        }
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Responses given to the original.
    const GOLDEN: &str = include_str!("../../../tests/data/golden_botocore_adaptive.csv");

    #[test]
    fn the_rate_moves_as_the_original_did_response_by_response() {
        let mut rate = AdaptiveRate::new();
        let mut seen = 0;
        for row in GOLDEN.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
            let cells: Vec<&str> = row.split(',').collect();
            let [at_s, throttled, measured, fill, peak, zero_s] = cells[..] else { panic!("{row}") };
            let after = rate.response(at_s.parse().unwrap(), throttled == "1");
            let six = |value: f64| format!("{value:.6}");
            let found = [six(rate.measured()), six(after), six(rate.peak), six(rate.zero_s)];
            assert_eq!(found, [measured, fill, peak, zero_s].map(str::to_owned), "{row}");
            seen += 1;
        }
        assert_eq!(seen, 200, "every row of the table is checked");
    }
}
