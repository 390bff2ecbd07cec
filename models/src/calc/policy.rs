//! Steady states of protection policies, as their libraries define them.

use super::math::{Share, binomial, whole};

/// Probability that a breaker trips on one full window of `calls` independent calls: P(Bin(n, p) ≥ k).
pub fn false_trip(calls: u64, trip_at: u64, fails: Share) -> f64 {
    binomial(calls, fails, trip_at..=calls)
}

/// Probability that a half-open breaker closes: fewer than `threshold` of the permitted calls fail.
pub fn half_open_closes(permitted: u64, threshold: f64, fails: Share) -> f64 {
    let limit = threshold * permitted as f64;
    let most = (0..=permitted).rfind(|failed| (*failed as f64) < limit);
    most.map_or(0.0, |most| binomial(permitted, fails, 0..=most))
}

/// The client throttle of the Google SRE book under overload.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Share of calls rejected at the client: max(0, 1 − K C / λ).
    pub local: f64,
    /// Calls per unit of time that reach the backend.
    pub sent: f64,
    /// Calls per unit of time that the backend rejects.
    pub rejected: f64,
}

/// Steady state when `offered` calls meet a backend that accepts `capacity`; rejecting is free.
///
/// Source: Beyer et al. 2016, "Handling Overload".
pub fn throttle(k: f64, offered: f64, capacity: f64) -> Throttle {
    let sent = offered.min(k * capacity);
    Throttle { local: (1.0 - sent / offered).max(0.0), sent, rejected: (sent - capacity).max(0.0) }
}

/// Share of calls that Envoy's admission control rejects: min(most, max(0, 1 − success/threshold)^(1/aggression)).
///
/// For many requests. Source: Envoy, admission control filter.
pub fn admission(success: f64, threshold: f64, aggression: f64, most: f64) -> f64 {
    libm::pow((1.0 - success / threshold).max(0.0), 1.0 / aggression).min(most)
}

/// Failures in a row from a full gRPC retry throttle until retries stop: tokens at or below half.
///
/// Source: gRPC proposal A6.
pub fn grpc_failures_to_stop(max_tokens: u64) -> u64 {
    max_tokens - max_tokens / 2
}

/// Replicas that the Kubernetes autoscaler wants: ceil(current × metric / target), unless within the tolerance.
pub fn autoscale(current: u64, metric: f64, target: f64, tolerance: f64) -> u64 {
    let ratio = metric / target;
    if (ratio - 1.0).abs() <= tolerance {
        return current;
    }
    let wanted = libm::ceil(current as f64 * ratio);
    whole(wanted)
}

/// SWIM: mean protocol periods until some member probes a failed one, 1 / (1 − (1 − 1/(n−1))^(n−1)).
pub fn swim_periods(members: u64) -> f64 {
    let others = (members - 1) as f64;
    -1.0 / libm::expm1(others * libm::log1p(-1.0 / others))
}

/// memberlist: shortest suspicion time, multiplier × max(1, log10 n) × probe interval.
pub fn swim_suspicion(members: u64, multiplier: f64, interval: f64) -> f64 {
    multiplier * libm::log10(members as f64).max(1.0) * interval
}

/// Time until an exponential average of successes, all 1 before, falls below a threshold in a full outage.
pub fn average_falls(window: f64, threshold: f64) -> f64 {
    -window * libm::log(threshold)
}
