//! Estimates from weighted episodes, in rounds until the answer is precise enough.

use murphy_sim::Keyed;
use rayon::prelude::*;

use super::episode::{Episode, Sampler};
use super::{Cause, Estimate, EstimateError, Figure, Method, Precision, Strata};
use crate::fleet::Fleet;

/// How to estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How episodes are sampled.
    pub method: Method,
    /// When to stop.
    pub precision: Precision,
    /// Selects everything random.
    pub seed: u64,
}

/// What an episode costs the target.
pub trait Meter: Sync {
    /// Whether it needs to know the outages of the episode.
    const RECORDS: bool;

    /// Nanoseconds down, and failures, of one episode; `None` when it was stopped.
    fn measure(&self, episode: &Episode) -> Option<(u64, u64)>;
}

/// The structure function itself.
pub struct Structural;

impl Meter for Structural {
    const RECORDS: bool = false;

    fn measure(&self, episode: &Episode) -> Option<(u64, u64)> {
        Some((episode.down, episode.failures))
    }
}

/// Episodes of the first round, of each kind of first fault.
const FIRST_ROUND: u64 = 500;
/// Episodes that measure the mean length, sampled as they come.
const LENGTHS: u64 = 4000;
/// Share of a round that is spread evenly, so that no kind is given up too early.
const EVEN: f64 = 0.2;
const NANOS: f64 = 1e9;

/// Sums over the episodes of one stratum.
#[derive(Clone, Debug, Default)]
struct Sums {
    count: u64,
    faults: u64,
    hits: u64,
    /// Weighted down time and its square; weighted failures; weighted hits.
    down: Moments,
    failures: Moments,
    hit: Moments,
}

#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(self, count: u64) -> f64 {
        self.sum / count as f64
    }

    /// Variance of one sample.
    fn variance(self, count: u64) -> f64 {
        let (n, mean) = (count as f64, self.mean(count));
        ((self.squares - n * mean * mean) / (n - 1.0)).max(0.0)
    }
}

/// Share of time that a gate of the fleet's structure is down, or that `meter` says is lost.
///
/// `None` when the meter stopped.
///
/// # Errors
/// When a law has a memory, something is never repaired, or nothing fails.
pub fn estimate<M: Meter>(
    fleet: &Fleet,
    target: u32,
    options: &Options,
    meter: &M,
) -> Result<Option<Estimate>, EstimateError> {
    let strata = Strata::of(fleet)?;
    let keyed = Keyed::new(options.seed);
    let sampler =
        Sampler { fleet, strata: &strata, target, method: options.method, keyed: &keyed, record: M::RECORDS };
    let lengths = Lengths::measure(&sampler);
    let mut rounds =
        Rounds { sampler, meter, sums: vec![Sums::default(); strata.list.len()], world: LENGTHS };
    let mut plan = vec![FIRST_ROUND; strata.list.len()];
    loop {
        if !rounds.run(&plan) {
            return Ok(None);
        }
        let found = answer(&strata, &rounds.sums, &lengths, &options.precision);
        if found.refused.is_none() || found.episodes >= options.precision.episodes {
            return Ok(Some(found));
        }
        let left = options.precision.episodes - found.episodes;
        plan = share_out((found.episodes / 2).max(1000).min(left.max(1)), &strata, &rounds.sums);
    }
}

/// Lengths of episodes as they come.
struct Lengths {
    length: f64,
    /// Mean of the time to the end or to the first failure of the target, whichever comes first.
    to_hit: f64,
}

impl Lengths {
    fn measure(sampler: &Sampler<'_>) -> Lengths {
        let crude = Sampler { method: Method::Crude, record: false, ..*sampler };
        let (mut length, mut to_hit) = (0.0, 0.0);
        // Their numbers precede those of the estimate.
        for world in 1..=LENGTHS {
            let episode = crude.episode(None, world);
            length += episode.length as f64 / NANOS;
            to_hit += episode.hit.unwrap_or(episode.length) as f64 / NANOS;
        }
        Lengths { length: length / LENGTHS as f64, to_hit: to_hit / LENGTHS as f64 }
    }
}

struct Rounds<'a, M> {
    sampler: Sampler<'a>,
    meter: &'a M,
    sums: Vec<Sums>,
    /// Number of the last episode.
    world: u64,
}

impl<M: Meter> Rounds<'_, M> {
    /// So many episodes of each stratum, folded in the order of their numbers.
    fn run(&mut self, plan: &[u64]) -> bool {
        for (stratum, count) in plan.iter().enumerate() {
            let from = self.world + 1;
            self.world += count;
            let worlds: Vec<u64> = (from..=self.world).collect();
            for chunk in worlds.chunks(4096) {
                let one = |world: &u64| {
                    let episode = self.sampler.episode(Some(stratum), *world);
                    let measured = self.meter.measure(&episode)?;
                    Some((episode.weight, measured, episode.hit.is_some(), episode.faults))
                };
                let done: Vec<_> = chunk.par_iter().map(one).collect();
                for one in done {
                    let Some((weight, (down, failures), hit, faults)) = one else { return false };
                    let sums = &mut self.sums[stratum];
                    sums.count += 1;
                    sums.faults += faults;
                    sums.hits += u64::from(down > 0);
                    sums.down.add(weight * down as f64 / NANOS);
                    sums.failures.add(weight * failures as f64);
                    sums.hit.add(if hit { weight } else { 0.0 });
                }
            }
        }
        true
    }
}

/// A round in proportion to what each stratum adds to the error (Neyman 1934), and a part of it evenly.
fn share_out(round: u64, strata: &Strata, sums: &[Sums]) -> Vec<u64> {
    let spread =
        |(stratum, sums): (&super::Stratum, &Sums)| stratum.rate * libm::sqrt(sums.down.variance(sums.count));
    let spreads: Vec<f64> = strata.list.iter().zip(sums).map(spread).collect();
    let total: f64 = spreads.iter().sum();
    let even = 1.0 / spreads.len() as f64;
    let part = |spread: &f64| {
        let share = if total > 0.0 { spread / total } else { even };
        let episodes = round as f64 * (EVEN * even + (1.0 - EVEN) * share);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a round")]
        let episodes = libm::ceil(episodes) as u64;
        episodes.max(1)
    };
    spreads.iter().map(part).collect()
}

/// Mean over the strata of one quantity, with its variance.
fn pooled(strata: &Strata, sums: &[Sums], of: impl Fn(&Sums) -> Moments) -> (f64, f64) {
    let (mut mean, mut variance) = (0.0, 0.0);
    for (stratum, sums) in strata.list.iter().zip(sums) {
        let share = stratum.rate / strata.total;
        let moments = of(sums);
        mean += share * moments.mean(sums.count);
        variance += share * share * moments.variance(sums.count) / sums.count as f64;
    }
    (mean, variance)
}

fn relative((mean, variance): (f64, f64), scale: f64) -> Figure {
    let error = if mean > 0.0 { libm::sqrt(variance) / mean } else { f64::INFINITY };
    Figure { value: mean * scale, relative_error: error }
}

fn answer(strata: &Strata, sums: &[Sums], lengths: &Lengths, precision: &Precision) -> Estimate {
    let idle = 1.0 / (strata.total * NANOS);
    let cycle = idle + lengths.length;
    let down = pooled(strata, sums, |sums| sums.down);
    let hit = relative(pooled(strata, sums, |sums| sums.hit), 1.0);
    let (mut total, mut squares) = (0.0, 0.0);
    let mut causes: Vec<Cause> = Vec::new();
    for (stratum, sums) in strata.list.iter().zip(sums) {
        let share = stratum.rate / strata.total;
        // What one episode adds to the mean.
        let each = share / sums.count as f64;
        total += each * sums.down.sum;
        squares += each * each * sums.down.squares;
        let error = share * libm::sqrt(sums.down.variance(sums.count) / sums.count as f64);
        causes.push(Cause {
            name: stratum.name.clone(),
            rate: stratum.rate * NANOS,
            share: if down.0 > 0.0 { share * sums.down.mean(sums.count) / down.0 } else { 0.0 },
            error: if down.0 > 0.0 { error / down.0 } else { 0.0 },
        });
    }
    let errors: f64 = causes.iter().map(|cause| cause.error * cause.error).sum();
    for cause in &mut causes {
        // Of x / (x + y): what x and y do to it, each with its own error.
        let (own, others) = (cause.error, errors - cause.error * cause.error);
        let rest = 1.0 - cause.share;
        cause.error = libm::sqrt((rest * rest * own * own + cause.share * cause.share * others).max(0.0));
    }
    let mut found = Estimate {
        unavailability: relative(down, 1.0 / cycle),
        frequency: relative(pooled(strata, sums, |sums| sums.failures), 1.0 / cycle),
        first_failure: Figure { value: (idle + lengths.to_hit) / hit.value, ..hit },
        causes,
        episodes: sums.iter().map(|sums| sums.count).sum(),
        faults: sums.iter().map(|sums| sums.faults).sum(),
        hits: sums.iter().map(|sums| sums.hits).sum(),
        effective: if squares > 0.0 { total * total / squares } else { 0.0 },
        length: lengths.length,
        cycle,
        refused: None,
    };
    found.refused = refusal(&found, precision);
    found
}

/// Why an estimate is no answer yet, and what it would take.
fn refusal(found: &Estimate, precision: &Precision) -> Option<String> {
    let episodes = found.episodes as f64;
    if found.hits == 0 {
        // Zero of n: at most 3.0 / n at 95 %, one-sided.
        return Some(format!(
            "no episode of {} took the target down: boost the injector, or allow more episodes",
            found.episodes
        ));
    }
    let half_width = found.unavailability.half_width(precision.level);
    let ratio = half_width / precision.half_width;
    let (what, factor) = if found.hits < precision.hits {
        (
            format!("{} episodes took the target down, {} are needed", found.hits, precision.hits),
            precision.hits as f64 / found.hits as f64,
        )
    } else if found.effective < precision.effective {
        (
            format!("the effective sample is {:.0}, {:.0} is needed", found.effective, precision.effective),
            precision.effective / found.effective,
        )
    } else if half_width > precision.half_width {
        (
            format!(
                "the interval is +-{:.1} %, +-{:.1} % is wanted",
                half_width * 100.0,
                precision.half_width * 100.0
            ),
            ratio * ratio,
        )
    } else {
        return None;
    };
    Some(format!("{what}: about {:.1e} episodes would do", episodes * factor.max(ratio * ratio)))
}
