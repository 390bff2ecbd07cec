//! A figure with its interval, or with the reason why it has none.

use serde::{Deserialize, Serialize};

/// What a report says instead of an interval when there is only one run.
pub const ONE_RUN: &str = "no interval from one run";

/// Two bounds and how sure they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Share of such intervals that hold the true value, such as 0.95.
    pub level: f64,
    /// How it was computed: `Student t`, `bootstrap over runs`, …
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
}
