//! When the requests of a workload arrive, and what they ask about.

use std::sync::Arc;

use crate::law::Law;
use crate::random::{below, unit};
use crate::time::{Span, Time};

/// When the requests of a workload arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Open: groups of requests that arrive together, whatever becomes of them.
    Groups {
        /// Time between two groups, over all clients.
        gap: Law,
        /// Requests of a group; at least one.
        size: u64,
    },
    /// Open: independent arrivals at a rate that changes with time.
    Varying(Rate),
    /// Open: at these times, ascending.
    Trace(Arc<[Time]>),
    /// Closed: so many users, each of whom asks again when it has thought about its last result.
    Users {
        /// How many; at least one.
        users: u32,
        /// Time between a result and the user's next request, and before its first one.
        think: Law,
    },
    /// Sessions arrive independently; each makes its requests one after the other, and gives up when a
    /// request fails or takes too long.
    Sessions {
        /// Time between two sessions.
        gap: Law,
        /// Requests of a session that does not give up; at least one.
        requests: u32,
        /// Time between a result and the session's next request.
        think: Law,
        /// A result that takes longer ends the session.
        patience: Span,
    },
}

impl From<Law> for Arrivals {
    fn from(gap: Law) -> Arrivals {
        Arrivals::Groups { gap, size: 1 }
    }
}

impl Arrivals {
    /// Time from one arrival to the next at `faster` times the rate, single requests even if they come
    /// in groups; `None` when no rate can be scaled.
    ///
    /// Of users, and of sessions, it is the rate at which they would ask if results took no time.
    pub(crate) fn extra(&self, now: Time, word: u64, faster: f64) -> Option<Span> {
        let gap = match self {
            Arrivals::Groups { gap, size } => gap.sample(word).scale(1.0 / (faster * *size as f64)),
            Arrivals::Varying(rate) => rate.faster(faster).next(now, word)?,
            Arrivals::Trace(_) => return None,
            Arrivals::Users { users, think } => think.sample(word).scale(1.0 / (faster * f64::from(*users))),
            Arrivals::Sessions { gap, requests, .. } => {
                gap.sample(word).scale(1.0 / (faster * f64::from(*requests)))
            }
        };
        // A gap of nothing would let a surge stand still in time.
        Some(gap.max(Span(1)))
    }
}

/// A rate that changes with time.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// `mean (1 + swing sin(2 pi t / period))`: least at three quarters of a period.
    Wave {
        /// Requests per second.
        mean: f64,
        /// From 0 for a constant rate to 1 for one that touches zero.
        swing: f64,
        /// Length of a day.
        period: Span,
    },
    /// From each time on the rate that stands beside it, in requests per second; the first time is zero.
    Steps(Arc<[(Time, f64)]>),
}

impl Rate {
    fn faster(&self, by: f64) -> Rate {
        match self {
            Rate::Wave { mean, swing, period } => {
                Rate::Wave { mean: mean * by, swing: *swing, period: *period }
            }
            Rate::Steps(steps) => Rate::Steps(steps.iter().map(|&(at, rate)| (at, rate * by)).collect()),
        }
    }

    /// Time to the next arrival; `None` when there is none.
    ///
    /// The integral of the rate from one arrival to the next is exponential with mean one.
    pub(crate) fn next(&self, now: Time, word: u64) -> Option<Span> {
        let mass = -libm::log(unit(word));
        match self {
            Rate::Wave { mean, swing, period } => Some(next_of_wave(*mean, *swing, *period, now, mass)),
            Rate::Steps(steps) => next_of_steps(steps, now, mass),
        }
    }
}

/// Solves `mean (d + swing / w (cos(w t) - cos(w (t + d)))) = mass` for `d`, where `w = 2 pi / period`.
fn next_of_wave(mean: f64, swing: f64, period: Span, now: Time, mass: f64) -> Span {
    let period_s = period.0 as f64 / 1e9;
    let w = std::f64::consts::TAU / period_s;
    // Of the time only its place in the period matters; so the argument stays small.
    let start = (now.0 % period.0) as f64 / 1e9 * w;
    let (even, most) = (mass / mean, 2.0 * swing / w);
    let (mut low, mut high) = ((even - most).max(0.0), even + most);
    let mut at = even;
    for _ in 0..100 {
        let over = at + swing / w * (libm::cos(start) - libm::cos(start + w * at)) - even;
        if over > 0.0 {
            high = at;
        } else {
            low = at;
        }
        if high - low < 1e-10 {
            break;
        }
        // Newton's step, or half the interval when it leads out of it or hardly on.
        let slope = 1.0 + swing * libm::sin(start + w * at);
        let next = at - over / slope;
        at = if next > low && next < high { next } else { f64::midpoint(low, high) };
    }
    Span::from_secs_f64(at)
}

fn next_of_steps(steps: &[(Time, f64)], now: Time, mut mass: f64) -> Option<Span> {
    let mut index = steps.iter().rposition(|&(at, _)| at <= now)?;
    let mut from = now;
    loop {
        let rate = steps[index].1;
        let end = steps.get(index + 1).map_or(Time::MAX, |step| step.0);
        let there = (end - from).0 as f64 / 1e9 * rate;
        if mass <= there && rate > 0.0 {
            return Some((from - now) + Span::from_secs_f64(mass / rate));
        }
        index += 1;
        if index == steps.len() {
            return None;
        }
        mass -= there;
        from = end;
    }
}

/// How often each key is asked about.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    /// So many keys, all equally often; at least one.
    Even(u64),
    /// The share of the keys up to each, ascending to one.
    Shares(Arc<[f64]>),
}

impl From<u64> for Keys {
    fn from(keys: u64) -> Keys {
        Keys::Even(keys)
    }
}

impl Keys {
    /// Zipf's law over so many keys: key `k`, counted from one, is asked about in proportion to `k^-s`.
    pub fn zipf(keys: u64, s: f64) -> Keys {
        let mut sum = 0.0;
        let mut shares: Vec<f64> = (1..=keys)
            .map(|key| {
                sum += libm::pow(key as f64, -s);
                sum
            })
            .collect();
        for share in &mut shares {
            *share /= sum;
        }
        Keys::Shares(shares.into())
    }

    /// The key that belongs to a uniform word.
    pub(crate) fn pick(&self, word: u64) -> u64 {
        match self {
            Keys::Even(keys) => below(word, *keys),
            Keys::Shares(shares) => {
                let at = unit(word);
                let place = shares.partition_point(|&share| share < at);
                place.min(shares.len() - 1) as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::fold;

    /// Arrivals of a rate up to `end`, as seconds.
    fn arrivals(rate: &Rate, end: Time) -> Vec<f64> {
        let mut now = Time::ZERO;
        let mut times = Vec::new();
        for ordinal in 0.. {
            let Some(gap) = rate.next(now, fold(fold(5, ordinal), 9)) else { break };
            now = now.saturating_add(gap);
            if now > end {
                break;
            }
            times.push(now.0 as f64 / 1e9);
        }
        times
    }

    fn between(times: &[f64], from: f64, to: f64) -> f64 {
        times.iter().filter(|&&at| at >= from && at < to).count() as f64
    }

    #[test]
    fn a_wave_has_its_mean_and_its_swing() {
        let rate = Rate::Wave { mean: 100.0, swing: 0.8, period: Span::secs(100) };
        let times = arrivals(&rate, Time(1_000_000_000_000));
        // Poisson(100,000): sd 316. In the quarters round the crest and the trough of ten waves the mean
        // rates are 100 (1 +- 0.8 * 2 sqrt(2) / pi): 43,004 and 6,996, sd 207 and 84. Four of each.
        let quarter = |from: f64| {
            (0..10)
                .map(|day| {
                    between(&times, f64::from(day) * 100.0 + from, f64::from(day) * 100.0 + from + 25.0)
                })
                .sum::<f64>()
        };
        assert!((times.len() as f64 - 100_000.0).abs() < 1265.0, "{}", times.len());
        assert!((quarter(12.5) - 43_004.0).abs() < 830.0, "{}", quarter(12.5));
        assert!((quarter(62.5) - 6_996.0).abs() < 335.0, "{}", quarter(62.5));
    }

    #[test]
    fn steps_keep_each_rate_for_its_time_and_end_with_the_last() {
        let steps = [(Time::ZERO, 100.0), (Time(10_000_000_000), 0.0), (Time(20_000_000_000), 1000.0)];
        let times = arrivals(&Rate::Steps(steps.into()), Time(30_000_000_000));
        // Poisson(1,000) and Poisson(10,000): sd 32 and 100. Four of each.
        assert!((between(&times, 0.0, 10.0) - 1000.0).abs() < 127.0);
        assert!(between(&times, 10.0, 20.0) < 1.0);
        assert!((between(&times, 20.0, 30.0) - 10_000.0).abs() < 400.0);
        let ends = [(Time::ZERO, 100.0), (Time(10_000_000_000), 0.0)];
        assert!(arrivals(&Rate::Steps(ends.into()), Time::MAX).iter().all(|&at| at < 10.0));
    }

    #[test]
    fn zipf_gives_each_key_its_share() {
        let keys = Keys::zipf(1000, 1.3);
        let n = 200_000;
        let mut counts = [0_u64; 1000];
        for ordinal in 0..n {
            counts[usize::try_from(keys.pick(fold(fold(3, ordinal), 1))).expect("a key")] += 1;
        }
        let norm: f64 = (1..=1000).map(|key| libm::pow(f64::from(key), -1.3)).sum();
        for key in [1, 2, 5, 50] {
            let share = libm::pow(key as f64, -1.3) / norm;
            let sd = libm::sqrt(share * (1.0 - share) / n as f64);
            let seen = counts[key - 1] as f64 / n as f64;
            assert!((seen - share).abs() < 4.0 * sd, "key {key}: {seen}, expected {share}");
        }
    }
}
