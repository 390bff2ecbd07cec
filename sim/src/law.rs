//! Laws of random spans. Every sample takes exactly one word, through the inverse of the
//! distribution function, with `libm`'s functions: the same bits on every platform.

use std::sync::Arc;

use crate::logarithm::near_log;
use crate::random::unit;
use crate::time::Span;

/// A distribution of spans. Samples below zero become zero.
#[derive(Clone, Debug, PartialEq)]
pub enum Law {
    /// Always the same span.
    Constant(Span),
    /// Uniform between two spans.
    Uniform {
        /// Least span.
        low: Span,
        /// Greatest span.
        high: Span,
    },
    /// Exponential.
    Exponential {
        /// Mean.
        mean: Span,
    },
    /// Normal, cut off at zero.
    Normal {
        /// Mean before the cut.
        mean: Span,
        /// Standard deviation before the cut.
        sd: Span,
    },
    /// Lognormal.
    LogNormal {
        /// Median.
        median: Span,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Weibull.
    Weibull {
        /// Scale: the 63.2nd percentile.
        scale: Span,
        /// Shape; below one the hazard falls with age.
        shape: f64,
    },
    /// Pareto (type I).
    Pareto {
        /// Least span.
        low: Span,
        /// Tail index; the mean is infinite at one or below.
        shape: f64,
    },
    /// One of the given spans, each equally likely; sorted ascending, never empty.
    Empirical(Arc<[Span]>),
}

impl Law {
    /// The span that belongs to a uniform word.
    #[inline]
    pub fn sample(&self, word: u64) -> Span {
        match *self {
            Law::Constant(span) => span,
            Law::Exponential { mean } => exponential(mean, unit(word)),
            _ => self.sample_other(word),
        }
    }

    fn sample_other(&self, word: u64) -> Span {
        match *self {
            Law::Constant(_) | Law::Exponential { .. } => unreachable!("sampled inline"),
            Law::Uniform { low, high } => {
                let width = u128::from(high.0.saturating_sub(low.0)) + 1;
                Span(low.0 + ((u128::from(word) * width) >> 64) as u64)
            }
            Law::Normal { mean, sd } => {
                let at = mean.0 as f64 + sd.0 as f64 * normal_quantile(unit(word));
                Span(1).scale(at)
            }
            Law::LogNormal { median, sigma } => median.scale(libm::exp(sigma * normal_quantile(unit(word)))),
            Law::Weibull { scale, shape } => scale.scale(libm::pow(-libm::log(unit(word)), 1.0 / shape)),
            Law::Pareto { low, shape } => low.scale(libm::pow(unit(word), -1.0 / shape)),
            Law::Empirical(ref spans) => {
                assert!(!spans.is_empty(), "an empirical law has at least one span");
                #[expect(clippy::cast_possible_truncation, reason = "below the length")]
                let index = ((u128::from(word) * spans.len() as u128) >> 64) as usize;
                spans[index]
            }
        }
    }

    /// The median: what routes are chosen by.
    pub fn median(&self) -> Span {
        self.sample(1 << 63)
    }
}

/// `mean.scale(-libm::log(at))`, bit for bit, mostly without that logarithm.
///
/// Only the nearest nanosecond counts: a near logarithm gives the same one, unless the span lies so
/// close to half a nanosecond that its error, or that of `libm`, could matter.
#[inline]
fn exponential(mean: Span, at: f64) -> Span {
    // Of the mean: the errors of both logarithms (1e-15 and 7e-15) and of rounding, ten times over.
    const ERROR: f64 = 1e-13;
    // The unit of floats from here on is one: adding it rounds to the nearest whole number, whose
    // digits are then the low bits.
    const ROUND: f64 = 4_503_599_627_370_496.0;
    // A word gives at most 37 means: less than `ROUND`.
    if mean.0 >> 46 == 0 {
        let scale = mean.0.cast_signed() as f64;
        let span = scale * -near_log(at);
        let rounded = span + ROUND;
        if (span - (rounded - ROUND)).abs() < 0.5 - scale * ERROR {
            return Span(rounded.to_bits() - ROUND.to_bits());
        }
    }
    exactly_exponential(mean, at)
}

#[cold]
fn exactly_exponential(mean: Span, at: f64) -> Span {
    mean.scale(-libm::log(at))
}

/// Quantile of the standard normal law, to about 1e-16.
///
/// Source: Wichura 1988, algorithm AS 241 (PPND16), Applied Statistics 37(3).
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * horner(&A, r) / horner(&B, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let value = if r <= 5.0 {
        horner(&C, r - 1.6) / horner(&D, r - 1.6)
    } else {
        horner(&E, r - 5.0) / horner(&F, r - 5.0)
    };
    if q < 0.0 { -value } else { value }
}

/// Value of a polynomial with ascending coefficients.
fn horner(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Domain, Keyed};

    #[test]
    fn normal_quantiles_match_published_values() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.025, -1.959_963_984_540_054),
            (0.999, 3.090_232_306_167_813_6),
            (1e-9, -5.997_807_015_007_687),
            (0.9, 1.281_551_565_544_600_4),
        ] {
            assert!((normal_quantile(p) - z).abs() < 2e-14 * (1.0 + z.abs()), "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn sample_means_are_the_laws_means() {
        let ms = Span::millis;
        let laws: [(Law, f64, f64); 6] = [
            (Law::Uniform { low: ms(1), high: ms(3) }, 2e6, 1e6 / 3f64.sqrt()),
            (Law::Exponential { mean: ms(2) }, 2e6, 2e6),
            (Law::Normal { mean: ms(20), sd: ms(2) }, 20e6, 2e6),
            // Lognormal: mean = median exp(s^2/2), variance = mean^2 (exp(s^2) - 1).
            (
                Law::LogNormal { median: ms(2), sigma: 0.4 },
                2e6 * libm::exp(0.08),
                2e6 * libm::exp(0.08) * libm::sqrt(libm::expm1(0.16)),
            ),
            // Weibull, shape 2: mean = scale sqrt(pi)/2, variance = scale^2 (1 - pi/4).
            (
                Law::Weibull { scale: ms(2), shape: 2.0 },
                2e6 * 0.886_226_925_452_758,
                2e6 * libm::sqrt(1.0 - std::f64::consts::FRAC_PI_4),
            ),
            // Pareto, shape 3: mean = 1.5 low, variance = 0.75 low^2.
            (Law::Pareto { low: ms(2), shape: 3.0 }, 3e6, 2e6 * libm::sqrt(0.75)),
        ];
        let keyed = Keyed::new(3);
        let n = 200_000_u64;
        for (law, mean, sd) in laws {
            let sum: f64 =
                (0..n).map(|i| law.sample(keyed.word(Domain::Delay, keyed.base(1, i), 0)).0 as f64).sum();
            let z = (sum / n as f64 - mean) / (sd / libm::sqrt(n as f64));
            // Six laws at four standard errors: false alarm 4e-4.
            assert!(z.abs() < 4.0, "{law:?}: z = {z}");
        }
    }

    #[test]
    fn an_empirical_law_draws_each_span_equally_often() {
        let law = Law::Empirical([1, 5, 9].map(Span).into());
        let counts = (0..3000_u64).fold([0; 10], |mut counts, i| {
            counts[usize::try_from(law.sample(i << 53 | i << 42).0).unwrap()] += 1;
            counts
        });
        assert_eq!(counts[0] + counts[1] + counts[5] + counts[9], 3000);
        assert_eq!(law.median(), Span(5));
    }

    #[test]
    fn an_exponential_span_is_that_of_the_exact_logarithm() {
        let mut words: Vec<u64> = (0..64).flat_map(|n| [1 << n, (1 << n) - 1, u64::MAX - (1 << n)]).collect();
        let keyed = Keyed::new(8);
        words.extend((0..300_000).map(|n| keyed.word(Domain::Delay, keyed.base(2, n), 0)));
        for mean in [0, 1, 7, 1_000_000, 123_456_789, 1_000_000_000_000, u64::MAX / 50, u64::MAX] {
            for &word in &words {
                let exact = Span(mean).scale(-libm::log(unit(word)));
                assert_eq!(exponential(Span(mean), unit(word)), exact, "mean {mean}, word {word}");
            }
        }
    }

    #[test]
    fn extreme_words_stay_finite() {
        let law = Law::LogNormal { median: Span::secs(1), sigma: 3.0 };
        assert!(law.sample(0) < law.sample(u64::MAX));
        assert!(Law::Exponential { mean: Span::secs(1) }.sample(0) < Span::secs(60));
        assert_eq!(Law::Normal { mean: Span(0), sd: Span::secs(1) }.sample(0), Span::ZERO);
    }
}
