//! Axes: the range of values they span and the ticks on them.

use super::format::{Unit, trimmed};

/// How values become distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences, equal distances. Starts at zero, except for shares, which end at one.
    Linear,
    /// Equal factors, equal distances. Values that are not positive have no place and leave a gap.
    Log,
}

/// One axis of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// What is measured.
    pub unit: Unit,
    /// Linear or log.
    pub scale: Scale,
    /// First and last value; `None` fits the axis to the data.
    pub range: Option<(f64, f64)>,
}

/// An axis that knows its range: `low < high`, both finite, log10 of the values on a log scale.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fitted {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
    unit: Unit,
}

/// A tick: where (in the axis's own numbers) and what it says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

impl Axis {
    /// An axis of time from 0 to `end` seconds.
    pub fn time(end: f64) -> Self {
        Axis { unit: Unit::Seconds, scale: Scale::Linear, range: Some((0.0, end)) }
    }

    /// A linear axis that fits its data.
    pub fn linear(unit: Unit) -> Self {
        Axis { unit, scale: Scale::Linear, range: None }
    }

    /// A log axis that fits its data.
    pub fn log(unit: Unit) -> Self {
        Axis { unit, scale: Scale::Log, range: None }
    }

    /// Finds the range. Nothing to show, one value, and all zeros give a range too.
    pub(super) fn fit(self, values: impl Iterator<Item = f64>) -> Fitted {
        let log = self.scale == Scale::Log;
        let usable = values.filter(|value| value.is_finite() && (!log || *value > 0.0));
        let data = usable.fold(None, |span: Option<(f64, f64)>, value| match span {
            None => Some((value, value)),
            Some((low, high)) => Some((low.min(value), high.max(value))),
        });
        let given = self
            .range
            .filter(|(low, high)| low.is_finite() && high.is_finite() && low < high && (!log || *low > 0.0));
        let (low, high) = match (given, data, log) {
            (Some((low, high)), _, false) => (low, high),
            (Some((low, high)), _, true) => (libm::log10(low), libm::log10(high)),
            (None, None, false) => (0.0, 1.0),
            (None, None, true) => (-3.0, 0.0),
            (None, Some((low, high)), true) => decades(low, high),
            (None, Some((low, high)), false) if self.unit == Unit::Ratio => shares(low, high),
            (None, Some((low, high)), false) => from_zero(low, high),
        };
        Fitted { low, high, log, unit: self.unit }
    }
}

/// Whole decades round the data, at least one.
fn decades(low: f64, high: f64) -> (f64, f64) {
    let first = (libm::log10(low) + 1e-9).floor();
    let last = (libm::log10(high) - 1e-9).ceil();
    if last > first { (first, last) } else { (first - 1.0, first + 1.0) }
}

/// Up to one; down to a round share below the data, or to zero when that is near or all are one.
fn shares(low: f64, high: f64) -> (f64, f64) {
    let top = if high > 1.0 { from_zero(0.0, high).1 } else { 1.0 };
    if !(0.5..1.0).contains(&low) || top > 1.0 {
        return (low.min(0.0), top);
    }
    let step = nice_step((1.0 - low) / 3.0);
    ((1.0 - ((1.0 - low) / step - 1e-9).ceil() * step).max(0.0), top)
}

fn from_zero(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = (low.min(0.0), high.max(0.0));
    if low >= high {
        return (0.0, 1.0);
    }
    let step = nice_step((high - low) / 4.0);
    ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step)
}

/// The least of 1, 2, 5 times a power of ten that is not below `wish`.
fn nice_step(wish: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(wish).floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= wish * 0.999_999);
    factor.unwrap_or(10.0) * power
}

/// Steps of a time axis in seconds, from a second on; below, powers of ten times 1, 2, 5.
const TIME_STEPS: [f64; 22] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1800.0,
    3600.0,
    7200.0,
    10800.0,
    21600.0,
    43200.0,
    86400.0,
    172_800.0,
    604_800.0,
    2_592_000.0,
];

impl Fitted {
    /// Where a value lies on the axis; `None` when it has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        Some(if self.log { libm::log10(value) } else { value })
    }

    /// About `most` ticks or fewer, the ends included where they are round.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let most = most.max(2);
        if self.log { self.log_ticks(most) } else { self.linear_ticks(most) }
    }

    fn linear_ticks(&self, most: usize) -> Vec<Tick> {
        let wish = (self.high - self.low) / most as f64;
        let step = if self.unit == Unit::Seconds && wish > 0.5 {
            TIME_STEPS.into_iter().find(|step| *step >= wish * 0.999_999).unwrap_or_else(|| nice_step(wish))
        } else {
            nice_step(wish)
        };
        let first = (self.low / step - 1e-9).ceil();
        let mut ticks = Vec::new();
        for index in 0..=2 * most {
            let at = (first + index as f64) * step;
            if at > self.high + step * 1e-9 {
                break;
            }
            ticks.push(Tick { at, label: self.label(at, step) });
        }
        ticks
    }

    fn log_ticks(&self, most: usize) -> Vec<Tick> {
        let span = self.high - self.low;
        let factors: &[f64] = if span <= 1.01 && most >= 4 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let stride = (span / most as f64).ceil().max(1.0);
        let mut ticks = Vec::new();
        let mut decade = (self.low - 1e-9).ceil();
        if self.low < decade - 1e-9 {
            decade -= 1.0;
        }
        while decade <= self.high + 1e-9 {
            for factor in factors {
                let at = decade + libm::log10(*factor);
                if at >= self.low - 1e-9 && at <= self.high + 1e-9 {
                    ticks.push(Tick { at, label: self.unit.show(factor * libm::pow(10.0, decade)) });
                }
            }
            decade += stride;
        }
        ticks
    }

    /// A tick's text: as many digits as tell neighbours apart.
    fn label(&self, at: f64, step: f64) -> String {
        match self.unit {
            Unit::Seconds => time_label(at, step),
            Unit::Ratio => {
                let decimals = decimals(step * 100.0);
                format!("{} %", trimmed(&format!("{:.decimals$}", at * 100.0)))
            }
            unit => unit.show(at),
        }
    }
}

fn time_label(at: f64, step: f64) -> String {
    let (scale, unit) = match step {
        s if s >= 86400.0 => (86400.0, "d"),
        s if s >= 3600.0 => (3600.0, "h"),
        s if s >= 60.0 => (60.0, "min"),
        s if s >= 0.1 => (1.0, "s"),
        s if s >= 1e-4 => (1e-3, "ms"),
        s if s >= 1e-7 => (1e-6, "µs"),
        _ => (1e-9, "ns"),
    };
    let decimals = decimals(step / scale);
    format!("{} {unit}", trimmed(&format!("{:.decimals$}", at / scale)))
}

/// Digits after the point that a multiple of `step` needs.
fn decimals(step: f64) -> usize {
    (0..9)
        .find(|&digits| {
            let scaled = step * libm::pow(10.0, f64::from(digits));
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .map_or(9, |digits| usize::try_from(digits).unwrap_or(9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis, values: &[f64], most: usize) -> Vec<String> {
        axis.fit(values.iter().copied()).ticks(most).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_say_their_unit() {
        assert_eq!(
            labels(Axis::time(120.0), &[], 6),
            ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s"]
        );
        assert_eq!(labels(Axis::time(7200.0), &[], 5), ["0 min", "30 min", "60 min", "90 min", "120 min"]);
        assert_eq!(labels(Axis::time(0.3), &[], 4), ["0 s", "0.1 s", "0.2 s", "0.3 s"]);
        assert_eq!(labels(Axis::log(Unit::Seconds), &[0.02, 1.7], 5), ["10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(labels(Axis::log(Unit::Seconds), &[0.02, 0.03], 5), ["10 ms", "20 ms", "50 ms", "100 ms"]);
        assert_eq!(
            labels(Axis::linear(Unit::Ratio), &[0.65, 1.0], 4),
            ["60 %", "70 %", "80 %", "90 %", "100 %"]
        );
        assert_eq!(labels(Axis::linear(Unit::Ratio), &[0.9993, 1.0], 3), ["99.9 %", "99.95 %", "100 %"]);
        assert_eq!(
            labels(Axis::linear(Unit::PerSecond), &[3.0, 212.0], 4),
            ["0/s", "100/s", "200/s", "300/s"]
        );
    }

    #[test]
    fn data_without_a_span_still_has_an_axis() {
        let kinds = [Axis::linear(Unit::Count), Axis::log(Unit::Seconds), Axis::linear(Unit::Ratio)];
        for axis in kinds {
            for values in [&[][..], &[0.0], &[0.0, 0.0], &[5.0], &[5.0, 5.0], &[f64::NAN], &[1.0], &[-2.0]] {
                let fitted = axis.fit(values.iter().copied());
                assert!(fitted.low < fitted.high, "{axis:?} {values:?} {fitted:?}");
                assert!(fitted.ticks(5).len() >= 2, "{axis:?} {values:?} {:?}", fitted.ticks(5));
            }
        }
    }

    #[test]
    fn what_is_not_positive_has_no_place_on_a_log_axis() {
        let fitted = Axis::log(Unit::Seconds).fit([0.0, 0.5].into_iter());
        assert_eq!(fitted.place(0.0), None);
        assert_eq!(fitted.place(0.1), Some(-1.0));
    }
}
