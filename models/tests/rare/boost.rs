//! Boosted episodes.

use murphy_models::calc::repair::Repairable;
use murphy_scenarios::estimate::{Estimate, Method, Options, Precision, Structural, estimate};
use murphy_scenarios::fleet::{Alike, Fleet};
use murphy_sim::{Law, Span};

const HOUR: f64 = 3600.0;
/// 3-of-5 with own crews and MTTR 1 h: MTTF in hours, and the unavailability that it gives.
pub(super) const BENCHMARK: [(f64, f64); 3] =
    [(98.496_966_202_050_22, 1e-5), (462.658_235_479_084_46, 1e-7), (2_152.934_550_712_358_4, 1e-9)];

pub(super) fn three_of_five(mttf_h: f64) -> (Fleet, u32) {
    Alike::exponential(3, 5, mttf_h * HOUR, HOUR).fleet()
}

fn run(fleet: &Fleet, target: u32, method: Method, precision: Precision, seed: u64) -> Estimate {
    let options = Options { method, precision, seed };
    estimate(fleet, target, &options, &Structural).expect("exponential").expect("nobody stops it")
}

pub(super) fn z(found: f64, exact: f64, relative_error: f64) -> f64 {
    (found - exact) / (exact * relative_error)
}

#[test]
fn three_of_five_down_to_1e_9_within_its_interval_and_cost() {
    // Three checks of 6e-5.
    for (mttf, exact) in BENCHMARK {
        let (fleet, target) = three_of_five(mttf);
        let found = run(&fleet, target, Method::Boost(1.5), Precision::default(), 1);
        assert_eq!(found.refused, None);
        let figure = found.unavailability;
        let z = z(figure.value, exact, figure.relative_error);
        assert!(z.abs() < 4.0, "{exact:e}: {:e}, z = {z}", figure.value);
        assert!(figure.half_width(0.95) <= 0.1);
        // About 2e4 episodes at any U: no more than twice that.
        assert!(found.episodes < 40_000, "{exact:e} took {} episodes", found.episodes);
        // The other figures of the chain.
        let chain =
            Repairable { needed: 3, spares: 2, dormancy: 1.0, mttf: mttf * HOUR, mttr: HOUR, crews: 5 }
                .solve();
        let frequency =
            super::boost::z(found.frequency.value, chain.frequency, found.frequency.relative_error);
        let first = super::boost::z(
            found.first_failure.value,
            chain.first_failure,
            found.first_failure.relative_error,
        );
        assert!(frequency.abs() < 4.0 && first.abs() < 4.0, "{exact:e}: z = {frequency}, {first}");
    }
}

#[test]
fn without_a_boost_the_same_effort_is_refused_and_says_what_it_would_take() {
    let (fleet, target) = three_of_five(BENCHMARK[2].0);
    let precision = Precision { episodes: 40_000, ..Precision::default() };
    let found = run(&fleet, target, Method::Crude, precision, 1);
    let why = found.refused.expect("no answer from 40,000 episodes at 1e-9");
    assert!(why.contains("episodes"), "{why}");
    assert!(found.hits < 30);
}

#[test]
fn the_interval_covers_what_it_says() {
    // 200 repetitions of a 95 % interval cover 190 times on average; 178 or fewer happen with
    // probability 6e-4 when the coverage is .95, and it must not be much too wide either: all 200
    // happen with 3.5e-5.
    let (mttf, exact) = BENCHMARK[1];
    let (fleet, target) = three_of_five(mttf);
    let precision = Precision { half_width: 0.25, ..Precision::default() };
    let covered = (0..200)
        .filter(|seed| {
            let found = run(&fleet, target, Method::Boost(1.5), precision, 1000 + seed);
            let (low, high) = found.unavailability.interval(0.95);
            low <= exact && exact <= high
        })
        .count();
    assert!((179..200).contains(&covered), "{covered} of 200");
}

#[test]
fn repairs_of_any_law() {
    // Deterministic repairs, own crews: components are independent, so that only means matter.
    let fixed = |law: Law| {
        let alike = Alike { down: law, ..Alike::exponential(3, 5, BENCHMARK[1].0 * HOUR, HOUR) };
        let (fleet, target) = alike.fleet();
        let found = run(&fleet, target, Method::Boost(1.5), Precision::default(), 3);
        assert_eq!(found.refused, None);
        z(found.unavailability.value, 1e-7, found.unavailability.relative_error)
    };
    // Lognormal with mean 1 h and sigma 1: median exp(-1/2) h.
    let median = Span::from_secs_f64(HOUR * libm::exp(-0.5));
    let laws = [Law::Constant(Span::from_secs_f64(HOUR)), Law::LogNormal { median, sigma: 1.0 }];
    for law in laws {
        let z = fixed(law.clone());
        assert!(z.abs() < 4.0, "{law:?}: z = {z}");
    }
}

#[test]
fn a_wrong_weight_would_be_seen() {
    // The sampled frequency of hits is far from the weighted one: an estimator that forgot the weight
    // would be wrong by orders of magnitude, so the tests above can fail.
    let (fleet, target) = three_of_five(BENCHMARK[2].0);
    let found = run(&fleet, target, Method::Boost(1.5), Precision::default(), 1);
    let unweighted = found.hits as f64 / found.episodes as f64 / found.cycle;
    assert!(unweighted > 1e3 * found.frequency.value, "{unweighted:e} against {:e}", found.frequency.value);
}
