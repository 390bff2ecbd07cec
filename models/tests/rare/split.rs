//! Fixed-effort splitting, and the traps that it must not fall into.

use murphy_scenarios::estimate::{SplitOptions, split};

use super::boost::{BENCHMARK, three_of_five, z};

fn options(effort: usize) -> SplitOptions {
    SplitOptions { effort, repetitions: 30, seed: 5, resample: true }
}

#[test]
fn splitting_agrees_with_the_chain() {
    // Two checks at |z| < 5 of Student's t with 29 degrees of freedom: false alarm 5e-5.
    for (mttf, exact, effort) in [(BENCHMARK[0].0, 1e-5, 1000), (BENCHMARK[1].0, 1e-7, 3000)] {
        let (fleet, target) = three_of_five(mttf);
        let found = split(&fleet, target, &options(effort)).expect("exponential");
        let z = z(found.unavailability.value, exact, found.unavailability.relative_error);
        assert!(z.abs() < 5.0, "{exact:e}: {:e}, z = {z}", found.unavailability.value);
        assert!(found.unavailability.relative_error < 0.15, "{:?}", found.unavailability);
    }
}

#[test]
fn clones_that_share_their_clocks_share_their_fate() {
    let (fleet, target) = three_of_five(BENCHMARK[1].0);
    let honest = split(&fleet, target, &options(1000)).expect("exponential");
    let cloned =
        split(&fleet, target, &SplitOptions { resample: false, ..options(1000) }).expect("exponential");
    assert_eq!(honest.zeros, 0);
    assert!(cloned.zeros > 15, "without new clocks {} of 30 repetitions never hit", cloned.zeros);
}
