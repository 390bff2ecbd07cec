//! Objectives, error budgets and burn rates; requests against time.

use super::math::Share;

/// Seconds of a year of 365 days, in which down time a year is stated.
pub const YEAR: f64 = 31_536_000.0;

/// Number of nines: minus the decimal logarithm of the unavailability.
pub fn nines(unavailability: f64) -> f64 {
    -libm::log10(unavailability)
}

/// An alert: a burn rate over a long window, confirmed by a short one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurnAlert {
    /// Times the rate at which the budget lasts exactly the period.
    pub burn: f64,
    /// Long window.
    pub long: f64,
    /// Short window.
    pub short: f64,
}

impl BurnAlert {
    /// Share of the budget that is gone when the long window trips: burn × window / period.
    pub fn spent(&self, period: f64) -> f64 {
        self.burn * self.long / period
    }

    /// Time from the start of a constant error rate to the alert; none when it burns too slowly to fire.
    ///
    /// `burn × budget × window / error`, by ≥: at equality the alert fires when the window is full.
    pub fn fires_after(&self, slo: Share, error: f64) -> Option<f64> {
        let threshold = self.burn * slo.no;
        (error >= threshold * (1.0 - 4.0 * f64::EPSILON))
            .then(|| (threshold * self.long / error).min(self.long))
    }

    /// Time from the end of an outage with this error rate until a window no longer trips, when it was full.
    pub fn resets_after(&self, slo: Share, error: f64, window: f64) -> f64 {
        (window * (1.0 - self.burn * slo.no / error)).max(0.0)
    }
}

/// Burn rate: errors as a multiple of what the objective allows.
pub fn burn(slo: Share, error: f64) -> f64 {
    error / slo.no
}

/// The burn rate that spends a share of the budget in a window: share × period / window.
pub fn burn_to_spend(share: f64, window: f64, period: f64) -> f64 {
    share * period / window
}

/// Time until the rest of a budget is gone at a burn rate: rest × period / burn.
pub fn exhausted_after(rest: f64, burn: f64, period: f64) -> f64 {
    rest * period / burn
}

/// Availability by requests: each segment has a rate, a length, and how much of the length was down.
pub fn request_availability(segments: &[(f64, f64, f64)]) -> f64 {
    let total: f64 = segments.iter().map(|(rate, length, _)| rate * length).sum();
    let lost: f64 = segments.iter().map(|(rate, _, down)| rate * down).sum();
    1.0 - lost / total
}

/// Availability by requests that closed-loop clients see: a failing request holds its client for the time-out.
///
/// Each client sends one request per think time and answer; during the outage one per think time and time-out.
pub fn closed_loop(think: f64, service: f64, timeout: f64, outage: f64, window: f64) -> f64 {
    let good = (window - outage) / (think + service);
    let bad = outage / (think + timeout);
    good / (good + bad)
}

/// Down time in a window: the union of intervals (start, length), clipped to `0.0..window`.
pub fn down_time(intervals: &[(f64, f64)], window: f64) -> f64 {
    let mut sorted = intervals.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut covered, mut total) = (0.0_f64, 0.0);
    for (start, length) in sorted {
        let (from, to) = (start.max(covered), (start + length).min(window));
        total += (to - from).max(0.0);
        covered = covered.max(to);
    }
    total
}

/// What S0 prints: one minus the sum of the last ten recovery times over the window.
pub fn seed_availability(recoveries: &[f64], window: f64) -> f64 {
    let recent = &recoveries[recoveries.len().saturating_sub(10)..];
    ((window - recent.iter().sum::<f64>()) / window).max(0.0)
}
