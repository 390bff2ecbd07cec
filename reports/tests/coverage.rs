//! Coverage of intervals where samples are not what a formula assumes, against published measurements
//! of an independent program (numpy, seed 2024): how often a nominal 95 % interval holds the truth.
//!
//! 4,000 repetitions with fixed seeds. Each row may differ by four standard errors of the difference of
//! two such measurements, a false alarm of 6e-5 a row and 4e-4 for all six, if the other program
//! repeated at least as often.

use murphy_reports::{batch_means, wilson};

const REPETITIONS: u32 = 4000;

/// `SplitMix64` (Steele, Lea & Flood 2014): enough for a test that must not depend on the engine.
struct Words(u64);

impl Words {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log1p(-self.unit())
    }

    /// Events of a Poisson process of rate one up to `length`, counted one by one.
    fn poisson(&mut self, length: f64) -> u32 {
        let (mut at, mut count) = (self.exponential(1.0), 0);
        while at < length {
            count += 1;
            at += self.exponential(1.0);
        }
        count
    }
}

fn check(row: &str, published: f64, mut covers: impl FnMut(&mut Words) -> bool) {
    let mut words = Words(2024);
    let covered = (0..REPETITIONS).filter(|_| covers(&mut words)).count() as f64 / f64::from(REPETITIONS);
    let bound = 4.0 * (published * (1.0 - published) * 2.0 / f64::from(REPETITIONS)).sqrt();
    assert!((covered - published).abs() < bound, "{row}: {covered} for {published} +- {bound:.3}");
}

/// Failed requests of a million when 1,000 fail on average, in outages of a mean length.
fn failures(words: &mut Words, mean: f64) -> u64 {
    let outages = words.poisson(1000.0 / mean);
    let length = |words: &mut Words| {
        // Geometric: the least whole number above an exponential one.
        let log = libm::log1p(-1.0 / mean);
        libm::floor(libm::log1p(-words.unit()) / log) + 1.0
    };
    let failed: f64 = (0..outages).map(|_| length(words)).sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
    let failed = failed as u64;
    failed
}

#[test]
fn requests_that_fail_together_are_not_independent() {
    for (mean, published) in [(10.0, 0.333), (100.0, 0.117), (1000.0, 0.029)] {
        check(&format!("Wilson, outages of {mean} requests"), published, |words| {
            let interval =
                wilson(failures(words, mean).min(1_000_000), 1_000_000, 0.95).expect("a proportion");
            interval.low <= 0.001 && 0.001 <= interval.high
        });
    }
    // Alone, requests are independent, and the interval is what it says.
    check("Wilson, independent", 0.954, |words| {
        let failed = u64::from(words.poisson(1000.0));
        let interval = wilson(failed, 1_000_000, 0.95).expect("a proportion");
        interval.low <= 0.001 && 0.001 <= interval.high
    });
}

#[test]
fn batch_means_of_few_outages_are_a_little_tight() {
    for (batches, outages, published) in [(10, 30.0, 0.918), (30, 100.0, 0.942)] {
        check(&format!("{batches} batches of {outages} outages"), published, |words| {
            let each = outages / f64::from(batches);
            let down = |words: &mut Words| {
                let count = words.poisson(each);
                (0..count).map(|_| words.exponential(1.0)).sum::<f64>()
            };
            let samples: Vec<f64> = (0..batches).map(|_| down(words)).collect();
            let interval = batch_means(&samples, samples.len(), 0.95).expect("enough batches");
            interval.low <= each && each <= interval.high
        });
    }
}
