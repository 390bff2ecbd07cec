//! Retries: what they gain, what they cost, and when they keep a system down.

use super::math::{Share, power, root};

/// Probability that a call fails in all of `attempts` independent attempts.
pub fn all_fail(fails: f64, attempts: u64) -> f64 {
    power(fails, attempts)
}

/// Mean attempts per call when each fails with probability `fails`: (1 − p^n) / (1 − p).
pub fn attempts_per_call(fails: f64, attempts: u64) -> f64 {
    (0..attempts).map(|k| power(fails, k)).sum()
}

/// Probability that a call fails when attempts share an outage of probability `shared`: s + (1 − s) p^k.
///
/// `fails` is the failure probability of one attempt, the outage included.
pub fn all_fail_shared(fails: f64, shared: f64, attempts: u64) -> f64 {
    let alone = (fails - shared) / (1.0 - shared);
    shared + (1.0 - shared) * power(alone, attempts)
}

/// Probability that a call and its one retry after `delay` both fail, at a target that alternates up and down.
///
/// U (U + (1 − U) e^(−(λ+μ) D)): the outage that hit the first attempt is often still there.
pub fn fails_after_backoff(mttf: f64, mttr: f64, delay: f64) -> f64 {
    let target = Share::of(mttf, mttr);
    let stays = libm::exp(-(1.0 / mttf + 1.0 / mttr) * delay);
    target.no * (target.no + target.yes * stays)
}

/// Mean attempts at the leaf, and probability that the user's call fails, when every layer retries.
pub fn layers(fails: f64, attempts: u64, layers: u64) -> (f64, f64) {
    let (mut load, mut failing) = (1.0, fails);
    for _ in 0..layers {
        load *= attempts_per_call(failing, attempts);
        failing = power(failing, attempts);
    }
    (load, failing)
}

/// Amplification and success of retries from a token bucket: `ratio` tokens a first try, one a retry, long run.
pub fn budget(fails: f64, ratio: f64) -> (f64, f64) {
    let good = 1.0 - fails;
    let wanted = if good > 0.0 { fails / good } else { f64::INFINITY };
    (1.0 + ratio.min(wanted), (good * (1.0 + ratio)).min(1.0))
}

/// Failure probability above which a retry budget is used up: b / (1 + b).
pub fn budget_saturation(ratio: f64) -> f64 {
    ratio / (1.0 + ratio)
}

/// Failure probability above which the AWS standard retry quota drains: (1 − p) = c p² (1 + p).
///
/// Three attempts; a retry costs `cost`, the last one's cost comes back on success, and a first success pays in one.
/// Source: botocore, `retries/standard.py` and `retries/quota.py`.
pub fn quota_drains(cost: f64) -> f64 {
    root(0.0, 1.0, |p| cost * p * p * (1.0 + p) - (1.0 - p))
}

/// Loads at which clients of an M/M/1 that give up after `timeout`, without cancelling, and retry, stay.
///
/// le = λ Σ f^k for k < attempts, with f = exp(−(μ − le) T), and 1 from μ on. Mean field only: a single
/// server leaves the healthy point by chance. Lowest first; more than one means that overload can outlive its cause.
pub fn load_fixed_points(arrivals: f64, service: f64, timeout: f64, attempts: u64) -> Vec<f64> {
    let fails = |load: f64| if load >= service { 1.0 } else { libm::exp(-(service - load) * timeout) };
    let excess = |load: f64| arrivals * attempts_per_call(fails(load), attempts) - load;
    let (low, high) = (arrivals, arrivals * attempts as f64);
    let mut points = Vec::new();
    let steps = 20_000_u32;
    let at = |step: u32| low + (high.min(service) - low) * f64::from(step) / f64::from(steps);
    for step in 0..if low < service { steps } else { 0 } {
        let (left, right) = (at(step), at(step + 1));
        let (a, b) = (excess(left), excess(right));
        // At μ everything fails, and from there on the load is that of all attempts: `high`.
        if a >= 0.0 && b < 0.0 {
            points.push(root(left, right, |load| -excess(load)));
        } else if a < 0.0 && b >= 0.0 {
            points.push(root(left, right, excess));
        }
    }
    if high >= service {
        points.push(high);
    }
    points
}
