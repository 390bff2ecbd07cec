//! Simulated time: integer nanoseconds, checked, never a float and never the host's clock.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

/// An instant of simulated time, in nanoseconds since the start of the run (584 years fit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// A length of simulated time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

impl Time {
    /// The start of every run.
    pub const ZERO: Time = Time(0);
    /// Later than every event: "never".
    pub const MAX: Time = Time(u64::MAX);

    /// The span from `earlier` to `self`, zero when `earlier` is later.
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// `self + span`, clamped to [`Time::MAX`]: for "as late as possible", never for ordinary delays.
    #[must_use]
    pub const fn saturating_add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than every run: "for ever".
    pub const MAX: Span = Span(u64::MAX);

    /// A span of `n` nanoseconds.
    pub const fn nanos(n: u64) -> Span {
        Span(n)
    }

    /// A span of `n` microseconds.
    pub const fn micros(n: u64) -> Span {
        Span(n * 1_000)
    }

    /// A span of `n` milliseconds.
    pub const fn millis(n: u64) -> Span {
        Span(n * 1_000_000)
    }

    /// A span of `n` seconds.
    pub const fn secs(n: u64) -> Span {
        Span(n * 1_000_000_000)
    }

    /// The span in seconds, for reports and laws.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span nearest to `seconds`; negative and non-finite values become zero, huge ones [`Span::MAX`].
    pub fn from_secs_f64(seconds: f64) -> Span {
        // A float-to-integer cast saturates, and turns NaN into zero.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturation is what is documented"
        )]
        Span((seconds * 1e9 + 0.5) as u64)
    }

    /// The span times a non-negative factor, saturating.
    #[must_use]
    pub fn scale(self, factor: f64) -> Span {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturation is what is documented"
        )]
        Span((self.0 as f64 * factor + 0.5) as u64)
    }

    /// `self + other`, clamped to [`Span::MAX`].
    #[must_use]
    pub const fn saturating_add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.checked_add(span.0).expect("simulated time overflows 584 years"))
    }
}

impl Sub<Time> for Time {
    type Output = Span;
    fn sub(self, earlier: Time) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("the span between two times is not negative"))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.checked_add(other.0).expect("a span overflows 584 years"))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.checked_mul(times).expect("a span overflows 584 years"))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

impl fmt::Display for Span {
    /// The shortest unit that reads well: `1.500s`, `12.250ms`, `3.000us`, `17ns`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "0s"),
            n if n >= 1_000_000_000 => write!(f, "{}.{:03}s", n / 1_000_000_000, n / 1_000_000 % 1_000),
            n if n >= 1_000_000 => write!(f, "{}.{:03}ms", n / 1_000_000, n / 1_000 % 1_000),
            n if n >= 1_000 => write!(f, "{}.{:03}us", n / 1_000, n % 1_000),
            n => write!(f, "{n}ns"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_in_the_unit_that_reads_well() {
        for (span, text) in [
            (Span::ZERO, "0s"),
            (Span(17), "17ns"),
            (Span::micros(3), "3.000us"),
            (Span::millis(12) + Span::micros(250), "12.250ms"),
            (Span::millis(1500), "1.500s"),
        ] {
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn seconds_round_to_the_nearest_nanosecond_and_saturate() {
        assert_eq!(Span::from_secs_f64(0.25), Span::millis(250));
        assert_eq!(Span::from_secs_f64(-1.0), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_secs_f64(1e300), Span::MAX);
    }

    #[test]
    #[should_panic(expected = "overflows")]
    fn overflow_is_checked() {
        let _ = Time::MAX + Span(1);
    }
}
