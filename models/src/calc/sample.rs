//! Figures from measured samples: a time-out from latencies, the correlation of fault series.

use super::math::{size, whole};

/// The smallest value that at least a share `quantile` of the sample does not exceed: nearest rank.
///
/// None for an empty sample.
pub fn percentile(sample: &[f64], quantile: f64) -> Option<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    // 0.99 x 100 is 99.00000000000001 to a computer: a share below 1e-9 of a rank is no rank.
    let rank = size(whole(libm::ceil(sorted.len() as f64 * quantile - 1e-9).max(1.0)));
    sorted.get(rank - 1).copied()
}

/// What S0 takes for [`percentile`]: index ⌊n q⌋ counted from zero, one too high, and past the end at q = 1.
pub fn seed_percentile(sample: &[f64], quantile: f64) -> Option<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(size(whole(sorted.len() as f64 * quantile))).copied()
}

/// Share of a sample that a time-out cuts.
pub fn cut_share(sample: &[f64], timeout: f64) -> f64 {
    sample.iter().filter(|time| **time > timeout).count() as f64 / sample.len() as f64
}

/// Pearson correlation of the numbers of events of two series per window, from `start` to `end`.
///
/// The last window is whole, and an event at `end` is in it. None with fewer than two windows, or when
/// one series has the same number in every window: then there is nothing to correlate.
pub fn window_correlation(a: &[f64], b: &[f64], window: f64, start: f64, end: f64) -> Option<f64> {
    let windows = size(whole((end - start) / window)).saturating_add(1);
    if !(2..=10_000_000).contains(&windows) {
        return None;
    }
    let count = |series: &[f64]| {
        let mut counts = vec![0.0; windows];
        for time in series.iter().filter(|time| (start..=end).contains(*time)) {
            counts[size(whole((time - start) / window)).min(windows - 1)] += 1.0;
        }
        counts
    };
    pearson(&count(a), &count(b))
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
    let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
    (xx > 0.0 && yy > 0.0).then(|| (xy / libm::sqrt(xx * yy)).clamp(-1.0, 1.0))
}
