//! Adaptive limits on the calls that may be on their way, from what their round trips take.

/// A limit that grows by one and shrinks by a share.
///
/// Source: Netflix concurrency-limits, `AIMDLimit.java`, with its defaults.
#[derive(Clone, Debug)]
pub struct AimdLimit {
    limit: u32,
}

impl AimdLimit {
    /// Least and greatest limit.
    const RANGE: (u32, u32) = (20, 200);
    /// A round trip that takes longer counts as a drop.
    const TIMEOUT_NS: u64 = 5_000_000_000;

    /// The limit at the start.
    pub fn new() -> AimdLimit {
        AimdLimit { limit: Self::RANGE.0 }
    }

    /// A call ended while `in_flight` were on their way; the limit after it.
    pub fn sample(&mut self, took_ns: u64, in_flight: u32, dropped: bool) -> u32 {
        if dropped || took_ns > Self::TIMEOUT_NS {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
            let less = (f64::from(self.limit) * 0.9) as u32;
            self.limit = less;
        } else if in_flight * 2 >= self.limit {
            self.limit += 1;
        }
        self.limit = self.limit.clamp(Self::RANGE.0, Self::RANGE.1);
        self.limit
    }
}

impl Default for AimdLimit {
    fn default() -> AimdLimit {
        AimdLimit::new()
    }
}

/// A limit that follows the ratio of long-term to present round trips.
///
/// Source: Netflix concurrency-limits, `Gradient2Limit.java` and `ExpAvgMeasurement.java`, with their
/// defaults. It takes no notice of drops.
#[derive(Clone, Debug)]
pub struct Gradient2Limit {
    limit: f64,
    /// Long-term round trip in nanoseconds, and the samples of its warm-up.
    long_ns: f64,
    sum_ns: f64,
    count: u32,
}

impl Gradient2Limit {
    const RANGE: (f64, f64) = (20.0, 200.0);
    const QUEUE: f64 = 4.0;
    const SMOOTHING: f64 = 0.2;
    const TOLERANCE: f64 = 1.5;
    const LONG_WINDOW: f64 = 600.0;
    /// Samples that are averaged plainly.
    const WARM_UP: u32 = 10;

    /// The limit at the start.
    pub fn new() -> Gradient2Limit {
        Gradient2Limit { limit: Self::RANGE.0, long_ns: 0.0, sum_ns: 0.0, count: 0 }
    }

    /// A call ended while `in_flight` were on their way; the limit after it.
    pub fn sample(&mut self, took_ns: u64, in_flight: u32) -> u32 {
        let short_ns = took_ns as f64;
        let long_ns = self.long(short_ns);
        if long_ns / short_ns > 2.0 {
            self.long_ns *= 0.95;
        }
        if f64::from(in_flight) >= self.limit / 2.0 {
            let gradient = (Self::TOLERANCE * long_ns / short_ns).clamp(0.5, 1.0);
            let aim = self.limit * gradient + Self::QUEUE;
            let next = self.limit * (1.0 - Self::SMOOTHING) + aim * Self::SMOOTHING;
            self.limit = next.clamp(Self::RANGE.0, Self::RANGE.1);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 20 to 200")]
        let whole = self.limit as u32;
        whole
    }

    fn long(&mut self, short_ns: f64) -> f64 {
        if self.count < Self::WARM_UP {
            self.count += 1;
            self.sum_ns += short_ns;
            self.long_ns = self.sum_ns / f64::from(self.count);
        } else {
            let weight = 2.0 / (Self::LONG_WINDOW + 1.0);
            self.long_ns = self.long_ns * (1.0 - weight) + short_ns * weight;
        }
        self.long_ns
    }
}

impl Default for Gradient2Limit {
    fn default() -> Gradient2Limit {
        Gradient2Limit::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples given to the originals.
    const GOLDEN: &str = include_str!("../../../tests/data/golden_netflix_limits.csv");

    #[test]
    fn limits_move_as_the_originals_did_sample_by_sample() {
        let (mut aimd, mut gradient) = (AimdLimit::new(), Gradient2Limit::new());
        let mut seen = [0, 0];
        for row in GOLDEN.lines() {
            let cells: Vec<&str> = row.split(',').collect();
            let [name @ ("AIMDLimit" | "Gradient2Limit"), _, rtt_ms, in_flight, dropped, after] = cells[..]
            else {
                continue;
            };
            let took_ns = rtt_ms.parse::<u64>().unwrap() * 1_000_000;
            let in_flight = in_flight.parse().unwrap();
            let limit = if name == "AIMDLimit" {
                aimd.sample(took_ns, in_flight, dropped == "true")
            } else {
                gradient.sample(took_ns, in_flight)
            };
            assert_eq!(limit.to_string(), after, "{row}");
            seen[usize::from(name == "AIMDLimit")] += 1;
        }
        assert_eq!(seen, [95, 95], "every row of the table is checked");
    }
}
