//! Latency distributions: percentiles to three significant digits, small enough to keep for every run.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Latencies in nanoseconds, with percentiles to a relative error of 0.1 %.
///
/// Holds only the buckets that are in use, so that thousands of runs fit into memory; merging two
/// gives exactly what recording all their values into one would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Highest value equivalent to a bucket's values, and how many it holds; ascending.
    buckets: Vec<(u64, u64)>,
    count: u64,
    #[serde(with = "text")]
    sum_ns: u128,
    min_ns: u64,
    max_ns: u64,
}

/// A latency distribution in a few figures. Without samples there is a count of zero and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// Samples.
    pub count: u64,
    /// Mean.
    pub mean_ns: Option<f64>,
    /// Median.
    pub p50_ns: Option<u64>,
    /// 95th percentile.
    pub p95_ns: Option<u64>,
    /// 99th percentile.
    pub p99_ns: Option<u64>,
    /// 99.9th percentile.
    pub p999_ns: Option<u64>,
    /// Largest.
    pub max_ns: Option<u64>,
}

impl Latency {
    /// Collects latencies, in any order.
    ///
    /// # Panics
    /// Never: the histogram grows to any value.
    pub fn of(values: impl Iterator<Item = u64>) -> Self {
        let mut histogram = empty();
        let mut latency = Self { min_ns: u64::MAX, ..Self::default() };
        for value in values {
            histogram.record(value).expect("the histogram grows to any value");
            latency.count += 1;
            latency.sum_ns += u128::from(value);
            latency.min_ns = latency.min_ns.min(value);
            latency.max_ns = latency.max_ns.max(value);
        }
        if latency.count == 0 {
            return Self::default();
        }
        latency.buckets =
            histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect();
        latency
    }

    /// The figures that tables print.
    pub fn figures(&self) -> LatencyFigures {
        LatencyFigures {
            count: self.count,
            mean_ns: self.mean_ns(),
            p50_ns: self.quantile_ns(0.5),
            p95_ns: self.quantile_ns(0.95),
            p99_ns: self.quantile_ns(0.99),
            p999_ns: self.quantile_ns(0.999),
            max_ns: self.max_ns(),
        }
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean in nanoseconds, exact; `None` without samples.
    pub fn mean_ns(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ns as f64 / self.count as f64)
    }

    /// Smallest, exact; `None` without samples.
    pub fn min_ns(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min_ns)
    }

    /// Largest, exact; `None` without samples.
    pub fn max_ns(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max_ns)
    }

    /// The latency that a share of `quantile` (in `0.0..=1.0`) of the requests did not exceed.
    ///
    /// The nearest rank: the smallest recorded value whose rank is at least `quantile` times the
    /// count, up to 0.1 % too high and never above the maximum. `None` without samples, and after
    /// [`Latency::without_buckets`].
    pub fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        if self.buckets.is_empty() {
            return None;
        }
        let rank = rank(quantile, self.count);
        let mut seen = 0;
        for &(value, count) in &self.buckets {
            seen += count;
            if seen as f64 >= rank {
                return Some(value.clamp(self.min_ns, self.max_ns));
            }
        }
        Some(self.max_ns)
    }

    /// The same without its distribution: count, mean, smallest and largest stay, percentiles do not.
    #[must_use]
    pub fn without_buckets(&self) -> Self {
        Self { buckets: Vec::new(), ..*self }
    }

    /// How many were at or below a value, to the bucket that holds it.
    pub fn count_up_to(&self, value_ns: u64) -> u64 {
        self.buckets.iter().take_while(|&&(top, _)| top <= value_ns).map(|&(_, count)| count).sum()
    }

    /// Adds the latencies of another. Without the distribution of either, percentiles are unknown.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        let known = !self.buckets.is_empty() && !other.buckets.is_empty();
        self.buckets = if known { merge_buckets(&self.buckets, &other.buckets) } else { Vec::new() };
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }
}

/// Sums as decimal text: JSON has no numbers of this size.
mod text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(sum: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(sum)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Distributions side by side, to resample them without merging each time.
pub(crate) struct Pool {
    /// Bucket value, unit and count, ascending by value.
    entries: Vec<(u64, usize, u64)>,
    counts: Vec<u64>,
}

impl Pool {
    pub(crate) fn of(units: &[&Latency]) -> Self {
        let buckets = units.iter().enumerate().flat_map(|(unit, latency)| {
            latency.buckets.iter().map(move |&(value, count)| (value.min(latency.max_ns), unit, count))
        });
        let mut entries: Vec<_> = buckets.collect();
        entries.sort_unstable();
        Self { entries, counts: units.iter().map(|latency| latency.count).collect() }
    }

    /// Quantiles when unit `i` counts `weights[i]` times; the quantiles ascend and their values are not used.
    pub(crate) fn quantiles_ns(&self, weights: &[u64], quantiles: &[(f64, u64)]) -> Vec<u64> {
        let total: u64 = self.counts.iter().zip(weights).map(|(count, weight)| count * weight).sum();
        let mut wanted = quantiles.iter().map(|&(quantile, _)| rank(quantile, total)).peekable();
        let mut found = Vec::with_capacity(quantiles.len());
        let mut seen = 0;
        for &(value, unit, count) in &self.entries {
            seen += count * weights[unit];
            while wanted.next_if(|&rank| seen as f64 >= rank).is_some() {
                found.push(value);
            }
        }
        found
    }
}

/// The nearest rank of a quantile among `count` samples.
fn rank(quantile: f64, count: u64) -> f64 {
    // Rounding errors of the product must not move the rank: 0.95 * 20 is 19, not 19.000000000000004.
    libm::ceil(quantile.clamp(0.0, 1.0) * count as f64 - 1e-9).max(1.0)
}

fn empty() -> Histogram<u64> {
    Histogram::new(3).expect("three significant digits are allowed")
}

fn merge_buckets(left: &[(u64, u64)], right: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut a, mut b) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(&&x), Some(&&y)) = (a.peek(), b.peek()) {
        if x.0 <= y.0 {
            a.next();
        }
        if y.0 <= x.0 {
            b.next();
        }
        merged.push(match x.0.cmp(&y.0) {
            std::cmp::Ordering::Less => x,
            std::cmp::Ordering::Equal => (x.0, x.1 + y.1),
            std::cmp::Ordering::Greater => y,
        });
    }
    merged.extend(a);
    merged.extend(b);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let latency = Latency::of((1..=20).map(|value| value * 10));
        assert_eq!(latency.quantile_ns(0.95), Some(190));
        assert_eq!(latency.quantile_ns(0.951), Some(200));
        assert_eq!(latency.quantile_ns(0.5), Some(100));
        assert_eq!(latency.quantile_ns(0.0), Some(10));
        assert_eq!(latency.quantile_ns(1.0), Some(200));
        assert_eq!(latency.mean_ns(), Some(105.0));
        assert_eq!(latency.count_up_to(100), 10);
    }

    #[test]
    fn no_samples_is_not_zero() {
        let latency = Latency::of(std::iter::empty());
        assert_eq!(latency.quantile_ns(0.5), None);
        assert_eq!(latency.mean_ns(), None);
        assert_eq!(latency.max_ns(), None);
        assert_eq!(latency, Latency::default());
    }

    #[test]
    fn percentiles_do_not_come_from_half_of_the_samples() {
        let whole = Latency::of([1, 2, 3].into_iter());
        let mut merged = whole.clone();
        merged.merge(&whole.without_buckets());
        assert_eq!((merged.count(), merged.mean_ns(), merged.quantile_ns(0.5)), (6, Some(2.0), None));
    }

    proptest::proptest! {
        #[test]
        fn merging_is_recording_together(
            left in proptest::collection::vec(0u64..100_000_000_000, 0..200),
            right in proptest::collection::vec(0u64..100_000_000_000, 0..200),
        ) {
            let mut merged = Latency::of(left.iter().copied());
            merged.merge(&Latency::of(right.iter().copied()));
            let both = Latency::of(left.iter().chain(&right).copied());
            proptest::prop_assert_eq!(merged, both);
        }

        #[test]
        fn a_percentile_is_within_a_thousandth(mut values in proptest::collection::vec(0u64..100_000_000_000, 1..200)) {
            let latency = Latency::of(values.iter().copied());
            values.sort_unstable();
            let exact = values[(values.len() * 9).div_ceil(10) - 1];
            let shown = latency.quantile_ns(0.9).unwrap();
            proptest::prop_assert!(shown >= exact && shown as f64 <= exact as f64 * 1.001 + 1.0, "{} for {}", shown, exact);
        }
    }
}
