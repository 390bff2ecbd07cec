//! A logarithm that is near enough to decide most roundings, and the same on every platform.

/// Table entries: the first seven bits of the mantissa pick one.
const ENTRIES: usize = 128;

/// For each stretch of mantissas the reciprocal of its middle, and the logarithm of the middle.
static TABLE: [(f64, f64); ENTRIES] = table();

/// The natural logarithm of a positive, normal number: within 2e-15, and the 1e-16th part of its value.
///
/// Additions and multiplications only, which IEEE 754 fixes to the bit.
#[inline]
pub(crate) fn near_log(x: f64) -> f64 {
    let bits = x.to_bits();
    let (reciprocal, middle) = TABLE[(bits >> 45) as usize % ENTRIES];
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    let exponent = f64::from((bits >> 52) as i32 - 1023);
    // At most 1/256: the seventh term of the series is below 1e-17.
    let r = mantissa * reciprocal - 1.0;
    let square = r * r;
    let series = r + square * ((r * (1.0 / 3.0) - 0.5) + square * ((r * 0.2 - 0.25) - square * (1.0 / 6.0)));
    exponent * std::f64::consts::LN_2 + middle + series
}

const fn table() -> [(f64, f64); ENTRIES] {
    let mut table = [(0.0, 0.0); ENTRIES];
    let mut i = 0;
    while i < ENTRIES {
        let middle = 1.0 + (2 * i + 1) as f64 / (2 * ENTRIES) as f64;
        let reciprocal = 1.0 / middle;
        table[i] = (reciprocal, log_by_series(1.0 / reciprocal));
        i += 1;
    }
    table
}

/// `ln x = 2 artanh z` with `z = (x - 1) / (x + 1)`, for `x` from one to two: `z` is at most a third.
const fn log_by_series(x: f64) -> f64 {
    let z = (x - 1.0) / (x + 1.0);
    let mut sum = 0.0;
    let mut n = 39;
    while n > 0 {
        sum = sum * z * z + 1.0 / n as f64;
        n -= 2;
    }
    2.0 * z * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Stream, unit};

    #[test]
    fn it_is_near_the_logarithm() {
        let mut rng = Stream::new(1, 0);
        let edges = (0..=1022).map(|n| f64::from_bits(n << 52 | 1 << 51 | n));
        let drawn: Vec<f64> = (0..200_000).map(|_| unit(rng.word())).collect();
        for x in edges.skip(1).chain(drawn) {
            let exact = libm::log(x);
            let error = (near_log(x) - exact).abs();
            assert!(error < 2e-15 + 4e-16 * exact.abs(), "log {x:e}: off by {error:e}");
        }
    }
}
