//! Limits on the calls that may be on their way: fixed, or from what their round trips take.

use murphy_scenarios::language::LimitSpec;
use murphy_sim::Span;

/// A limit that grows by one and shrinks by a share.
///
/// Source: Netflix concurrency-limits, `AIMDLimit.java`, with its defaults.
#[derive(Clone, Debug)]
pub struct AimdLimit {
    limit: u32,
    /// Least and greatest limit.
    range: (u32, u32),
    /// A round trip that takes longer counts as a drop.
    timeout_ns: u64,
}

impl AimdLimit {
    /// The limit at the start is the least.
    pub fn new(range: (u32, u32), timeout: Span) -> AimdLimit {
        AimdLimit { limit: range.0, range, timeout_ns: timeout.0 }
    }

    /// A call ended while `in_flight` were on their way; the limit after it.
    pub fn sample(&mut self, took_ns: u64, in_flight: u32, dropped: bool) -> u32 {
        if dropped || took_ns > self.timeout_ns {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
            let less = (f64::from(self.limit) * 0.9) as u32;
            self.limit = less;
        } else if in_flight * 2 >= self.limit {
            self.limit += 1;
        }
        self.limit = self.limit.clamp(self.range.0, self.range.1);
        self.limit
    }
}

/// A limit that follows the ratio of long-term to present round trips.
///
/// Source: Netflix concurrency-limits, `Gradient2Limit.java` and `ExpAvgMeasurement.java`, with their
/// defaults. It takes no notice of drops.
#[derive(Clone, Debug)]
pub struct Gradient2Limit {
    limit: f64,
    /// Least and greatest limit.
    range: (f64, f64),
    /// Long-term round trip in nanoseconds, and the samples of its warm-up.
    long_ns: f64,
    sum_ns: f64,
    count: u32,
}

impl Gradient2Limit {
    const QUEUE: f64 = 4.0;
    const SMOOTHING: f64 = 0.2;
    const TOLERANCE: f64 = 1.5;
    const LONG_WINDOW: f64 = 600.0;
    /// Samples that are averaged plainly.
    const WARM_UP: u32 = 10;

    /// The limit at the start is the least.
    pub fn new(range: (u32, u32)) -> Gradient2Limit {
        let range = (f64::from(range.0), f64::from(range.1));
        Gradient2Limit { limit: range.0, range, long_ns: 0.0, sum_ns: 0.0, count: 0 }
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
            self.limit = next.clamp(self.range.0, self.range.1);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within its range")]
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

/// A limit that keeps the queue that it causes between two bounds, from the shortest round trip.
///
/// Source: Netflix concurrency-limits, `VegasLimit.java`, with its defaults, after Brakmo and others, "TCP
/// Vegas", SIGCOMM 1994. The original probes for a new shortest round trip after `30 L` samples times a
/// random number from 0.5 to 1; here the number is 0.75.
#[derive(Clone, Debug)]
pub struct VegasLimit {
    limit: f64,
    most: f64,
    shortest_ns: u64,
    since_probe: u64,
}

impl VegasLimit {
    const PROBE: f64 = 0.75 * 30.0;

    /// The limit at the start, and the greatest.
    pub fn new(start: u32, most: u32) -> VegasLimit {
        VegasLimit { limit: f64::from(start), most: f64::from(most), shortest_ns: 0, since_probe: 0 }
    }

    /// A call ended while `in_flight` were on their way; the limit after it.
    pub fn sample(&mut self, took_ns: u64, in_flight: u32, dropped: bool) -> u32 {
        self.since_probe += 1;
        if Self::PROBE * self.limit <= self.since_probe as f64 {
            (self.since_probe, self.shortest_ns) = (0, took_ns);
        } else if self.shortest_ns == 0 || took_ns < self.shortest_ns {
            self.shortest_ns = took_ns;
        } else {
            self.limit = self.next(took_ns, in_flight, dropped).clamp(1.0, self.most);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within its range")]
        let whole = self.limit as u32;
        whole
    }

    fn next(&self, took_ns: u64, in_flight: u32, dropped: bool) -> f64 {
        // The logarithm of the original is a table of whole numbers, at least one.
        let log = libm::floor(libm::log10(self.limit)).max(1.0);
        let queue = libm::ceil(self.limit * (1.0 - self.shortest_ns as f64 / took_ns as f64));
        if dropped {
            self.limit - log
        } else if f64::from(in_flight) * 2.0 < self.limit {
            self.limit
        } else if queue <= log {
            self.limit + 6.0 * log
        } else if queue < 3.0 * log {
            self.limit + log
        } else if queue > 6.0 * log {
            self.limit - log
        } else {
            self.limit
        }
    }
}

/// A bulkhead: the attempts that may be on their way at once, fixed or found out.
#[derive(Clone, Debug)]
pub struct Limit {
    kind: Kind,
    size: u64,
    in_flight: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Fixed,
    Aimd(AimdLimit),
    Gradient(Gradient2Limit),
    Vegas(VegasLimit),
}

impl Limit {
    /// Nothing is on its way.
    pub fn new(spec: LimitSpec) -> Limit {
        let small = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
        let (kind, size) = match spec {
            LimitSpec::Fixed(most) => (Kind::Fixed, most),
            LimitSpec::Aimd { least, most, timeout } => {
                (Kind::Aimd(AimdLimit::new((small(least), small(most)), timeout)), least)
            }
            LimitSpec::Gradient { least, most } => {
                (Kind::Gradient(Gradient2Limit::new((small(least), small(most)))), least)
            }
            LimitSpec::Vegas { start, most } => {
                (Kind::Vegas(VegasLimit::new(small(start), small(most))), start)
            }
        };
        Limit { kind, size, in_flight: 0 }
    }

    /// Takes a slot, if one is free.
    pub fn acquire(&mut self) -> bool {
        let free = self.in_flight < self.size;
        self.in_flight += u64::from(free);
        free
    }

    /// Gives a slot back that says nothing about the callee.
    pub fn release(&mut self) {
        self.in_flight -= 1;
    }

    /// Gives a slot back after an attempt that took so long, and was dropped or not.
    pub fn sample(&mut self, took: Span, dropped: bool) {
        let in_flight = u32::try_from(self.in_flight).unwrap_or(u32::MAX);
        // An attempt takes time: the gradient divides by it.
        let took_ns = took.0.max(1);
        self.size = match &mut self.kind {
            Kind::Fixed => self.size,
            Kind::Aimd(limit) => u64::from(limit.sample(took_ns, in_flight, dropped)),
            Kind::Gradient(limit) => u64::from(limit.sample(took_ns, in_flight)),
            Kind::Vegas(limit) => u64::from(limit.sample(took_ns, in_flight, dropped)),
        };
        self.in_flight -= 1;
    }

    /// Slots that are free.
    pub fn idle(&self) -> u64 {
        self.size.saturating_sub(self.in_flight)
    }

    /// Attempts that may be on their way at once, now.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples given to the originals.
    const GOLDEN: &str = include_str!("../../../tests/data/golden_netflix_limits.csv");

    #[test]
    fn limits_move_as_the_originals_did_sample_by_sample() {
        let mut aimd = AimdLimit::new((20, 200), Span::secs(5));
        let mut gradient = Gradient2Limit::new((20, 200));
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

    /// Limits of a closed loop that keeps as many calls on their way as it may, to a server that takes
    /// `rate` a millisecond, 10 ms after they got through its queue.
    fn settled(limit: &mut VegasLimit, rate: u32) -> Vec<u32> {
        let mut now = 20;
        let after = (0..3000).map(|_| {
            let queue = f64::from(now) - f64::from(10 * rate);
            let took_ms = 10.0 + queue.max(0.0) / f64::from(rate);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds")]
            let nanoseconds = (took_ms * 1e6) as u64;
            now = limit.sample(nanoseconds, now, false);
            now
        });
        after.skip(200).collect()
    }

    #[test]
    fn vegas_keeps_a_small_queue_beyond_what_is_in_the_pipe() {
        // The pipe holds 10 ms times the rate; the queue stays within three to six times the logarithm,
        // except after a probe, which takes the queue for the pipe and adds some.
        for rate in [3, 8, 20] {
            let limits = settled(&mut VegasLimit::new(20, 1000), rate);
            let pipe = 10 * rate;
            let log = if pipe >= 100 { 2 } else { 1 };
            let mut sorted = limits.clone();
            sorted.sort_unstable();
            let median = sorted[sorted.len() / 2];
            assert!((pipe..=pipe + 14 * log).contains(&median), "{median} at {rate} a millisecond");
        }
    }

    #[test]
    fn vegas_shrinks_when_calls_are_dropped() {
        let mut limit = VegasLimit::new(50, 1000);
        limit.sample(1_000_000, 50, false);
        assert_eq!((0..10).map(|_| limit.sample(1_000_001, 50, true)).last(), Some(40));
    }

    #[test]
    fn a_bulkhead_gives_as_many_slots_as_it_has() {
        let mut bulkhead = Limit::new(LimitSpec::Fixed(2));
        assert_eq!([bulkhead.acquire(), bulkhead.acquire(), bulkhead.acquire()], [true, true, false]);
        bulkhead.sample(Span::ZERO, true);
        assert!(bulkhead.acquire() && bulkhead.idle() == 0);
    }
}
