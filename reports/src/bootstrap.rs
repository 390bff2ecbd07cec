//! Intervals by resampling runs, the same on every machine for the same records.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::estimate::{Estimate, Interval};
use crate::stats::{LEVEL, StatsError, mean, normal_probability, normal_quantile};

/// Resamples drawn for an interval.
pub const RESAMPLES: usize = 1_000;
/// The reports' own seed: it has nothing to do with the seeds of the runs.
const SEED: u64 = 0x6d75_7270_6879;

/// Draws resamples of `units` indices with replacement.
#[derive(Debug)]
pub struct Resampler {
    rng: ChaCha8Rng,
    units: usize,
}

impl Resampler {
    /// Resamples of `units` units. The same `stream` draws the same indices again.
    pub fn new(units: usize, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(stream);
        Self { rng, units }
    }

    /// Fills `weights` with how often each unit was drawn.
    pub fn draw(&mut self, weights: &mut Vec<u64>) {
        weights.clear();
        weights.resize(self.units, 0);
        for _ in 0..self.units {
            // Multiply and shift: one word an index, with a bias far below anything that is printed.
            let wide = u128::from(self.rng.next_u64()) * self.units as u128;
            weights[usize::try_from(wide >> 64).unwrap_or(0)] += 1;
        }
    }
}

/// Percentile interval from the statistic of many resamples; the statistics are sorted here.
///
/// # Errors
/// No statistic.
pub fn percentile_interval(mut statistics: Vec<f64>, level: f64) -> Result<Interval, StatsError> {
    if statistics.is_empty() {
        return Err(StatsError::TooFew { found: 0, needed: 1, method: "the bootstrap" });
    }
    statistics.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Ok(Interval {
        low: at_share(&statistics, tail),
        high: at_share(&statistics, 1.0 - tail),
        level,
        method: "bootstrap over runs".to_owned(),
    })
}

/// Bias-corrected and accelerated bootstrap interval for the mean of independent samples.
///
/// Source: Efron 1987. Equal samples give an interval without width.
///
/// # Errors
/// Fewer than two samples.
pub fn bootstrap_mean(samples: &[f64], stream: u64) -> Result<Interval, StatsError> {
    bootstrap_mean_at(samples, stream, LEVEL)
}

/// [`bootstrap_mean`] at a level of one's own, such as 0.99.
///
/// # Errors
/// Fewer than two samples.
pub fn bootstrap_mean_at(samples: &[f64], stream: u64, level: f64) -> Result<Interval, StatsError> {
    if samples.len() < 2 {
        return Err(StatsError::TooFew { found: samples.len(), needed: 2, method: "the bootstrap" });
    }
    let n = samples.len() as f64;
    let centre = mean(samples);
    let mut resampler = Resampler::new(samples.len(), stream);
    let mut weights = Vec::new();
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            resampler.draw(&mut weights);
            samples.iter().zip(&weights).map(|(value, &weight)| value * weight as f64).sum::<f64>() / n
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let below = means.iter().filter(|&&value| value < centre).count() as f64;
    let same = means.iter().filter(|&&value| value.total_cmp(&centre).is_eq()).count() as f64;
    let share = (below + same / 2.0) / RESAMPLES as f64;
    let cubes: f64 = samples.iter().map(|value| (value - centre) * (value - centre) * (value - centre)).sum();
    let squares: f64 = samples.iter().map(|value| (value - centre) * (value - centre)).sum();
    // For a mean the jackknife acceleration is a sixth of the skewness over the root of n.
    let acceleration = if squares > 0.0 { cubes / (6.0 * squares * squares.sqrt()) } else { 0.0 };
    let end = |probability: f64| {
        if share <= 0.0 || share >= 1.0 {
            return probability;
        }
        let bias = normal_quantile(share);
        let z = bias + normal_quantile(probability);
        normal_probability(bias + z / (1.0 - acceleration * z))
    };
    let tail = (1.0 - level) / 2.0;
    Ok(Interval {
        low: at_share(&means, end(tail)),
        high: at_share(&means, end(1.0 - tail)),
        level,
        method: "bootstrap over runs".to_owned(),
    })
}

/// Mean of `other[i] - base[i]` over paired runs, with a bootstrap interval.
///
/// Pairs are runs of one seed under two variants, so that what both share cancels.
///
/// # Errors
/// No pair.
///
/// # Panics
/// If the two have different lengths.
pub fn paired_difference(base: &[f64], other: &[f64]) -> Result<Estimate, StatsError> {
    assert_eq!(base.len(), other.len(), "every run of one variant has a partner");
    let differences: Vec<f64> = base.iter().zip(other).map(|(base, other)| other - base).collect();
    match differences.as_slice() {
        [] => Err(StatsError::TooFew { found: 0, needed: 1, method: "a paired difference" }),
        [only] => Ok(Estimate::from_one_run(*only)),
        _ => {
            let mut interval = bootstrap_mean(&differences, 1)?;
            "bootstrap over paired runs".clone_into(&mut interval.method);
            let runs = differences.len() as u64;
            Ok(Estimate { point: mean(&differences), interval: Some(interval), note: String::new(), runs })
        }
    }
}

/// The order statistic at a share of a sorted, non-empty list.
fn at_share(sorted: &[f64], share: f64) -> f64 {
    let rank = libm::floor(share * sorted.len() as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let index = rank.max(0.0) as usize;
    sorted[index.min(sorted.len() - 1)]
}
