//! A figure with its interval, or with the reason why it has none.

use serde::{Deserialize, Serialize};

/// What a report says instead of an interval when there is only one run.
pub const ONE_RUN: &str = "no interval from one run";
/// The method of a bound that rests on nothing having failed: one-sided.
pub const NO_OUTAGE: &str = "nothing failed, one-sided";

/// Two bounds and how sure they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Share of such intervals that hold the true value, such as 0.95.
    pub level: f64,
    /// How it was computed: `Student t over runs`, `bootstrap over runs`, …
    pub method: String,
}

/// A figure over runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub point: f64,
    /// Its interval; the unit of independence is the run.
    pub interval: Option<Interval>,
    /// Why there is no interval, or what to know about it; empty when there is nothing to say.
    pub note: String,
    /// Runs that had a sample.
    pub runs: u64,
}

impl Estimate {
    /// A figure from a single run.
    pub fn from_one_run(point: f64) -> Self {
        Self { point, interval: None, note: ONE_RUN.to_owned(), runs: 1 }
    }

    /// Whether only one end of the interval says something, because nothing failed.
    pub fn is_bound(&self) -> bool {
        self.interval.as_ref().is_some_and(|interval| interval.method == NO_OUTAGE)
    }

    /// One minus the figure: availability from unavailability and back.
    #[must_use]
    pub fn complement(mut self) -> Self {
        self.point = 1.0 - self.point;
        if let Some(interval) = &mut self.interval {
            (interval.low, interval.high) = (1.0 - interval.high, 1.0 - interval.low);
        }
        self
    }

    /// The figure times a positive constant, such as the seconds of a year.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.point *= factor;
        if let Some(interval) = &mut self.interval {
            interval.low *= factor;
            interval.high *= factor;
        }
        self
    }
}

/// How many nines an availability has: `-log10(1 - availability)`; infinite at 1.
///
/// 0.999 has 3 nines, 0.9995 has 3.3.
pub fn nines(availability: f64) -> f64 {
    let unavailability = 1.0 - availability;
    if unavailability <= 0.0 { f64::INFINITY } else { (-libm::log10(unavailability)).max(0.0) }
}
