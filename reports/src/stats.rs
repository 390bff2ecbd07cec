//! Intervals in closed form: proportions, means, ratios, downtime, and what to say when nothing failed.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, Normal, StudentsT};
use statrs::function::beta::beta_reg;

use crate::estimate::Interval;

/// Confidence level of every interval in a report.
pub const LEVEL: f64 = 0.95;

/// Why an interval cannot be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StatsError {
    /// More successes than trials, or no trials.
    #[error(
        "{successes} successes in {trials} trials is not a proportion: give 1 trial or more, and at most as many successes"
    )]
    NotAProportion {
        /// Successes.
        successes: u64,
        /// Trials.
        trials: u64,
    },
    /// Fewer independent samples than the method needs.
    #[error("{method} needs {needed} or more independent samples, found {found}: run more seeds")]
    TooFew {
        /// Samples.
        found: usize,
        /// How many are needed.
        needed: usize,
        /// Name of the method.
        method: &'static str,
    },
    /// A level outside of 0 to 1, or an exposure, mean or value that is not positive and finite.
    #[error("{what} is {value}, but must be {range}")]
    OutOfRange {
        /// Which argument.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it must be, in words.
        range: &'static str,
    },
}

/// Wilson's score interval for `successes` in `trials` independent trials.
///
/// Never `0 ± 0`. Only for independent trials: requests that fail together in outages are not
/// (coverage falls from 95 % to 12 % with outages of about 100 requests). Source: Wilson 1927.
///
/// # Errors
/// [`StatsError::NotAProportion`], or a level outside of 0 to 1.
pub fn wilson(successes: u64, trials: u64, level: f64) -> Result<Interval, StatsError> {
    proportion(successes, trials, level)?;
    let (n, z) = (trials as f64, normal_quantile(0.5 + level / 2.0));
    let p = successes as f64 / n;
    let shrink = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes == trials { 1.0 } else { (centre + half).min(1.0) };
    Ok(interval(low, high, level, "Wilson"))
}

/// The exact interval for `successes` in `trials` independent trials: never covers less than `level`.
///
/// Source: Clopper & Pearson 1934.
///
/// # Errors
/// [`StatsError::NotAProportion`], or a level outside of 0 to 1.
pub fn clopper_pearson(successes: u64, trials: u64, level: f64) -> Result<Interval, StatsError> {
    proportion(successes, trials, level)?;
    let tail = (1.0 - level) / 2.0;
    let (x, n) = (successes as f64, trials as f64);
    let low = match successes {
        0 => 0.0,
        _ if successes == trials => libm::pow(tail, 1.0 / n),
        _ => beta_quantile(x, n - x + 1.0, tail),
    };
    let high = match successes {
        // 1 - tail^(1/n) without the cancellation.
        0 => -libm::expm1(libm::log(tail) / n),
        _ if successes == trials => 1.0,
        _ => beta_quantile(x + 1.0, n - x, 1.0 - tail),
    };
    Ok(interval(low, high, level, "Clopper-Pearson"))
}

/// Student's t interval for the mean of independent samples.
///
/// # Errors
/// Fewer than two samples, or a level outside of 0 to 1.
pub fn student_t(samples: &[f64], level: f64) -> Result<Interval, StatsError> {
    check_level(level)?;
    at_least(samples.len(), 2, "Student's t")?;
    let half = t_quantile(samples.len() - 1, level) * standard_error(samples);
    let centre = mean(samples);
    Ok(interval(centre - half, centre + half, level, "Student t over runs"))
}

/// Student's t interval for the mean of positive samples on a logarithmic scale.
///
/// `mean · exp(± t · se / mean)`: stays positive, and covers better than the plain one when a few
/// large samples dominate, as downtimes do.
///
/// # Errors
/// Fewer than two samples, a mean that is not positive, or a level outside of 0 to 1.
pub fn log_scale(samples: &[f64], level: f64) -> Result<Interval, StatsError> {
    check_level(level)?;
    at_least(samples.len(), 2, "a log-scale interval")?;
    let centre = positive("mean", mean(samples))?;
    let factor = libm::exp(t_quantile(samples.len() - 1, level) * standard_error(samples) / centre);
    Ok(interval(centre / factor, centre * factor, level, "log-scale t over runs"))
}

/// Interval for a ratio of sums, such as down time a repair, over independent runs.
///
/// `terms` holds one (numerator, denominator) pair a run. The variance is the usual linearisation of
/// a ratio estimator (Cochran 1977, ch. 6), on a logarithmic scale, with Student's t. Runs in which
/// both are zero do not count.
///
/// # Errors
/// Fewer than two runs, sums that are not positive, or a level outside of 0 to 1.
pub fn ratio(terms: &[(f64, f64)], level: f64) -> Result<Interval, StatsError> {
    sum_of_ratios(&[terms], level)
}

/// Interval for a sum of ratios of sums over the same runs, such as MTTF + MTTR.
///
/// Every part has one (numerator, denominator) pair a run, in the same order of runs.
///
/// # Errors
/// As [`ratio`].
///
/// # Panics
/// If the parts have different numbers of runs.
pub fn sum_of_ratios(parts: &[&[(f64, f64)]], level: f64) -> Result<Interval, StatsError> {
    check_level(level)?;
    let given = parts.first().map_or(0, |part| part.len());
    assert!(parts.iter().all(|part| part.len() == given), "every part has one pair a run");
    // A run in which nothing was counted says nothing: with it, one failure would look certain.
    let says_something =
        |run: &usize| parts.iter().any(|part| part[*run].0.abs() > 0.0 || part[*run].1.abs() > 0.0);
    let runs = (0..given).filter(says_something).count();
    at_least(runs, 2, "a ratio over runs")?;
    let mut total = 0.0;
    let mut influence = vec![0.0; given];
    for part in parts {
        let numerator: f64 = part.iter().map(|pair| pair.0).sum();
        let denominator = positive("sum of the denominators", part.iter().map(|pair| pair.1).sum())?;
        total += numerator / denominator;
        for (sum, pair) in influence.iter_mut().zip(part.iter()) {
            *sum += (pair.0 - numerator / denominator * pair.1) / denominator;
        }
    }
    let total = positive("ratio", total)?;
    let squares: f64 = influence.iter().map(|value| value * value).sum();
    let error = (squares * runs as f64 / (runs - 1) as f64).sqrt();
    let factor = libm::exp(t_quantile(runs - 1, level) * error / total);
    Ok(interval(total / factor, total * factor, level, "log-scale ratio over runs"))
}

/// Interval for the unavailability from `outages` complete cycles of one long run.
///
/// `down` and `up` are the total times, in any unit. With exponential up and down times the ratio of
/// the true to the measured down/up ratio has an F(2k, 2k) distribution for k cycles.
///
/// # Errors
/// No outage, times that are not positive, or a level outside of 0 to 1.
pub fn downtime_f(outages: u64, down: f64, up: f64, level: f64) -> Result<Interval, StatsError> {
    check_level(level)?;
    at_least(usize::try_from(outages).unwrap_or(usize::MAX), 1, "the F interval")?;
    let ratio = positive("down time", down)? / positive("up time", up)?;
    let freedom = 2.0 * outages as f64;
    let factor = quantile_of(&FisherSnedecor::new(freedom, freedom), 0.5 + level / 2.0);
    let (low, high) = (ratio / factor, ratio * factor);
    Ok(interval(low / (1.0 + low), high / (1.0 + high), level, "F(2k, 2k)"))
}

/// Two-sided interval for the rate of `events` independent events in an exposure of `time`.
///
/// With no event the lower bound is 0 and the upper one 3.69 / `time` at 95 %. Source: Garwood 1936.
///
/// # Errors
/// An exposure that is not positive, or a level outside of 0 to 1.
pub fn poisson_rate(events: u64, time: f64, level: f64) -> Result<Interval, StatsError> {
    check_level(level)?;
    let time = positive("time", time)?;
    let tail = (1.0 - level) / 2.0;
    let k = events as f64;
    let low = if events == 0 { 0.0 } else { quantile_of(&ChiSquared::new(2.0 * k), tail) / 2.0 };
    let high = match events {
        0 => -libm::log(tail),
        _ => quantile_of(&ChiSquared::new(2.0 * k + 2.0), 1.0 - tail) / 2.0,
    };
    Ok(interval(low / time, high / time, level, "Poisson"))
}

/// One-sided upper bound for a rate when nothing happened in `time`: 3.0 / `time` at 95 %.
///
/// # Errors
/// An exposure that is not positive, or a level outside of 0 to 1.
pub fn zero_events_bound(time: f64, level: f64) -> Result<f64, StatsError> {
    check_level(level)?;
    Ok(-libm::log1p(-level) / positive("time", time)?)
}

/// Student's t interval from one long run that is cut into `batches` equal parts.
///
/// The samples left over at the end are not used. Batches must be long against the time for which
/// the process remembers, or the interval is too tight.
///
/// # Errors
/// Fewer than two batches, fewer samples than batches, or a level outside of 0 to 1.
pub fn batch_means(samples: &[f64], batches: usize, level: f64) -> Result<Interval, StatsError> {
    at_least(batches, 2, "batch means")?;
    at_least(samples.len(), batches, "batch means")?;
    let means: Vec<f64> = samples.chunks_exact(samples.len() / batches).take(batches).map(mean).collect();
    let mut interval = student_t(&means, level)?;
    "batch means".clone_into(&mut interval.method);
    Ok(interval)
}

/// How many independent samples a relative half-width needs: `(z / half_width)² · cv²`.
///
/// `cv2` is the squared coefficient of variation of one sample; for the unavailability from outages
/// it is 1 + the squared one of the down times.
///
/// # Errors
/// A half-width or `cv2` that is not positive, or a level outside of 0 to 1.
pub fn samples_needed(half_width: f64, cv2: f64, level: f64) -> Result<u64, StatsError> {
    check_level(level)?;
    let z = normal_quantile(0.5 + level / 2.0) / positive("half-width", half_width)?;
    let needed = libm::ceil(z * z * positive("squared coefficient of variation", cv2)?);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
    Ok(needed as u64)
}

/// Arithmetic mean; `NaN` without samples.
pub fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// Quantile of the standard normal distribution, `probability` in `0.0..1.0`.
pub fn normal_quantile(probability: f64) -> f64 {
    quantile_of(&Normal::new(0.0, 1.0), probability)
}

/// Probability that a standard normal variable is at most `z`.
pub(crate) fn normal_probability(z: f64) -> f64 {
    Normal::new(0.0, 1.0).map_or(f64::NAN, |normal| normal.cdf(z))
}

/// Two-sided quantile of Student's t.
fn t_quantile(freedom: usize, level: f64) -> f64 {
    quantile_of(&StudentsT::new(0.0, 1.0, freedom as f64), 0.5 + level / 2.0)
}

fn quantile_of<D: ContinuousCDF<f64, f64>, E>(distribution: &Result<D, E>, probability: f64) -> f64 {
    distribution.as_ref().map_or(f64::NAN, |known| known.inverse_cdf(probability))
}

/// Quantile of the beta distribution by bisection: `statrs` stops its own search two digits early
/// when the quantile lies near 1e-6, which is where availability is measured.
fn beta_quantile(a: f64, b: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (f64::MIN_POSITIVE, 1.0);
    loop {
        // Halve the exponent first: quantiles as small as 1e-9 need all their digits.
        let middle = if high > 2.0 * low { low.sqrt() * high.sqrt() } else { low + (high - low) / 2.0 };
        if middle <= low || middle >= high {
            return middle;
        }
        if beta_reg(a, b, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

fn standard_error(samples: &[f64]) -> f64 {
    let centre = mean(samples);
    let squares: f64 = samples.iter().map(|value| (value - centre) * (value - centre)).sum();
    (squares / (samples.len() - 1) as f64 / samples.len() as f64).sqrt()
}

fn interval(low: f64, high: f64, level: f64, method: &str) -> Interval {
    Interval { low, high, level, method: method.to_owned() }
}

fn proportion(successes: u64, trials: u64, level: f64) -> Result<(), StatsError> {
    if trials == 0 || successes > trials {
        return Err(StatsError::NotAProportion { successes, trials });
    }
    check_level(level)
}

fn check_level(level: f64) -> Result<(), StatsError> {
    let inside = level > 0.0 && level < 1.0;
    inside.then_some(()).ok_or(StatsError::OutOfRange {
        what: "level",
        value: level,
        range: "between 0 and 1",
    })
}

fn at_least(found: usize, needed: usize, method: &'static str) -> Result<(), StatsError> {
    (found >= needed).then_some(()).ok_or(StatsError::TooFew { found, needed, method })
}

fn positive(what: &'static str, value: f64) -> Result<f64, StatsError> {
    let usable = value > 0.0 && value.is_finite();
    usable.then_some(value).ok_or(StatsError::OutOfRange { what, value, range: "positive and finite" })
}
