//! How often something rare happens: unavailability by episodes.
//!
//! Between faults nothing can be down, so only *episodes* are simulated: from the first fault of a
//! system in which everything is up until everything is up again. The idle time between them is added
//! by its mean, 1/Λ. With `f` the kinds of first fault, at rates `λ_f` that sum to Λ, D the time down and
//! L the length of an episode, the unavailability is `Σ (λ_f/Λ) E[D | f] / (1/Λ + E[L])`; its terms say
//! what share each kind of first fault has. Times to failure must be exponential, so that a system in
//! which everything is up has no memory; repairs may follow any law.
//!
//! Rare episodes are made frequent by [`boost`](Method::Boost)ing the fault injector inside them
//! (importance sampling of the hazard rates, never of the protocol), with the likelihood ratio as the
//! weight of the episode. [`split`] is the cross-check that changes no rate.

mod boost;
mod episode;
mod split;
mod study;

use murphy_reports::normal_quantile;

use crate::fleet::Fleet;

pub use boost::{Meter, Options, Structural, estimate};
pub use episode::Episode;
pub use split::{Split, SplitOptions, split};
pub use study::{Answer, Found};

/// How episodes are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// As they come.
    Crude,
    /// With more faults: while the target is up, the expected number of further faults until the next
    /// repair ends is this factor.
    Boost(f64),
}

/// When to stop, and what an answer must have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Relative half-width of the interval.
    pub half_width: f64,
    /// Its level.
    pub level: f64,
    /// Least number of episodes that hit the target.
    pub hits: u64,
    /// Least effective sample size: (Σ v)² / Σ v² over the weighted down times.
    pub effective: f64,
    /// Most episodes.
    pub episodes: u64,
}

impl Default for Precision {
    /// ±10 % at 95 %, 30 hits, an effective sample of 300, and at most 1,000,000 episodes.
    fn default() -> Precision {
        Precision { half_width: 0.1, level: 0.95, hits: 30, effective: 300.0, episodes: 1_000_000 }
    }
}

/// A figure with an interval on a logarithmic scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The estimate.
    pub value: f64,
    /// Its standard error as a share of it.
    pub relative_error: f64,
}

impl Figure {
    /// `value · exp(± z · relative error)`.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let factor = libm::exp(normal_quantile(0.5 + level / 2.0) * self.relative_error);
        (self.value / factor, self.value * factor)
    }

    /// Half-width of the interval as a share of the estimate, on the far side.
    pub fn half_width(&self, level: f64) -> f64 {
        libm::expm1(normal_quantile(0.5 + level / 2.0) * self.relative_error)
    }
}

/// What an estimate found.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Share of time that the target is down.
    pub unavailability: Figure,
    /// Times that the target goes down, per second.
    pub frequency: Figure,
    /// Mean time in seconds from everything up to the target down.
    pub first_failure: Figure,
    /// Share of the unavailability by what failed first, in the order of the kinds; sums to one.
    pub causes: Vec<Cause>,
    /// Episodes simulated, without those that only measure the length.
    pub episodes: u64,
    /// Faults that they contained.
    pub faults: u64,
    /// Episodes in which the target went down.
    pub hits: u64,
    /// Effective sample size.
    pub effective: f64,
    /// Mean length of an episode in seconds, and mean time between their starts.
    pub length: f64,
    /// Mean time from the start of one episode to the start of the next, in seconds.
    pub cycle: f64,
    /// Why the figures are not to be used, and what it would take; `None` for an answer.
    pub refused: Option<String>,
}

/// The part of one kind of first fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// Its name.
    pub name: String,
    /// Episodes that it starts, per second.
    pub rate: f64,
    /// Share of the unavailability.
    pub share: f64,
    /// Standard error of the share.
    pub error: f64,
}

/// Why there can be no estimate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// A law has a memory.
    #[error(
        "{name} does not fail after an exponential time, so that a system in which everything is up has a \
         memory and episodes are not alike: write `mttf`, or measure long runs"
    )]
    Memory {
        /// The component.
        name: String,
    },
    /// Something is never repaired.
    #[error("{name} is never repaired, so that an episode with it does not end: give it `mttr` or `down`")]
    Permanent {
        /// The component.
        name: String,
    },
    /// The scenario does not say what to estimate.
    #[error("the scenario has no [estimate] table: write [estimate] with target = \"STRUCTURE\"")]
    Missing,
    /// Something else than component failures is in the plan.
    #[error("`{name}` is no hazard of kind \"renewal\": episodes consist of component failures only")]
    Other {
        /// The fault or hazard.
        name: String,
    },
    /// The model is not probed.
    #[error(
        "no workload has a probe, so that the model's own down time is unknown: give one `probe = \"100ms\"`"
    )]
    NoProbe,
    /// Nothing fails.
    #[error("nothing fails: give the scenario a [[hazard]] of kind \"renewal\"")]
    Nothing,
}

/// Kinds of first fault, with the faults of each and their rates per nanosecond.
pub(crate) struct Strata {
    pub(crate) list: Vec<Stratum>,
    /// Sum of all rates, per nanosecond.
    pub(crate) total: f64,
}

/// One kind of first fault.
pub(crate) struct Stratum {
    pub(crate) name: String,
    pub(crate) rate: f64,
    pub(crate) faults: Vec<(crate::fleet::Fault, f64)>,
}

impl Strata {
    /// Components of one kind are a stratum, and so are the common causes of one kind.
    pub(crate) fn of(fleet: &Fleet) -> Result<Strata, EstimateError> {
        use crate::fleet::Fault;
        let rates = fleet.rates().map_err(|name| EstimateError::Memory { name: name.to_owned() })?;
        if let Some(line) = fleet.lines().iter().find(|line| line.down.is_none()) {
            return Err(EstimateError::Permanent { name: line.name.clone() });
        }
        let mut list: Vec<Stratum> = Vec::new();
        for (common, suffix) in [(false, ""), (true, " (common cause)")] {
            for (kind, name) in fleet.kinds().iter().enumerate() {
                let faults: Vec<(Fault, f64)> = rates
                    .iter()
                    // A cold standby does not fail first, but it may fail later.
                    .filter(|(fault, _)| {
                        fleet.kind_of(*fault) == kind && matches!(fault, Fault::Common(_)) == common
                    })
                    .copied()
                    .collect();
                let rate: f64 = faults.iter().map(|(_, rate)| rate).sum();
                if rate > 0.0 {
                    list.push(Stratum { name: format!("{name}{suffix}"), rate, faults });
                }
            }
        }
        let total: f64 = list.iter().map(|stratum| stratum.rate).sum();
        if list.is_empty() { Err(EstimateError::Nothing) } else { Ok(Strata { list, total }) }
    }
}
