//! Numbers as people read them.

use serde::Serialize;

use crate::number::grouped;

/// What a value is, which decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A span of time or a point in time, in seconds.
    Seconds,
    /// A share, in `0.0..=1.0`.
    Ratio,
    /// Events a second.
    PerSecond,
    /// A plain number.
    Count,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// The value with its unit, to three significant digits.
    ///
    /// A share below 1 never reads `100 %`: it gets as many digits as show the difference.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Seconds => seconds(value),
            Unit::Ratio => percent(value),
            Unit::PerSecond => format!("{}/s", plain(value)),
            Unit::Count => plain(value),
            Unit::Bytes => bytes(value),
        }
    }
}

/// A whole number in groups of three digits, with spaces that do not break a line.
pub(crate) fn whole(value: u64) -> String {
    grouped(value).replace(' ', "\u{202f}")
}

fn seconds(value: f64) -> String {
    let size = value.abs();
    let (scaled, unit) = match size {
        s if !s.is_finite() => return if value.is_nan() { "–".to_owned() } else { "∞".to_owned() },
        0.0 => return "0 s".to_owned(),
        s if s < 0.999_5e-6 => (value * 1e9, "ns"),
        s if s < 0.999_5e-3 => (value * 1e6, "µs"),
        s if s < 0.999_5 => (value * 1e3, "ms"),
        s if s < 600.0 => (value, "s"),
        s if s < 2.0 * 3600.0 => (value / 60.0, "min"),
        s if s < 3.0 * 86400.0 => (value / 3600.0, "h"),
        _ => (value / 86400.0, "d"),
    };
    format!("{} {unit}", significant(scaled))
}

fn percent(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let mut decimals = 2;
    let mut text = format!("{:.decimals$}", value * 100.0);
    while value < 1.0 && text.starts_with("100") && decimals < 9 {
        decimals += 1;
        text = format!("{:.decimals$}", value * 100.0);
    }
    // One more digit than the first that is not a nine.
    if value < 1.0 && decimals > 2 {
        text = format!("{:.*}", decimals + 1, value * 100.0);
    }
    format!("{} %", trimmed(&text))
}

fn plain(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.abs() < 1000.0 {
        return significant(value);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and not negative")]
    let rounded = value.abs().round() as u64;
    format!("{sign}{}", whole(rounded))
}

fn bytes(value: f64) -> String {
    let steps = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    for (size, unit) in steps {
        if value.abs() >= size {
            return format!("{} {unit}", significant(value / size));
        }
    }
    format!("{} B", significant(value))
}

/// Three significant digits, without trailing zeros after the point.
fn significant(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        s if s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.9995 => 2,
        s if s >= 0.01 => 3,
        _ => 5,
    };
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

/// Without trailing zeros after the point, and without the point when nothing follows.
pub(super) fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_well() {
        assert_eq!(Unit::Seconds.show(0.0198), "19.8 ms");
        assert_eq!(Unit::Seconds.show(1.714), "1.71 s");
        assert_eq!(Unit::Seconds.show(0.0), "0 s");
        assert_eq!(Unit::Seconds.show(0.999_9), "1 s");
        assert_eq!(Unit::Seconds.show(7200.0), "2 h");
        assert_eq!(Unit::Seconds.show(f64::INFINITY), "∞");
        assert_eq!(Unit::Ratio.show(0.946), "94.6 %");
        assert_eq!(Unit::Ratio.show(1.0), "100 %");
        assert_eq!(Unit::Ratio.show(0.999_993_4), "99.9993 %");
        assert_eq!(Unit::PerSecond.show(412.0), "412/s");
        assert_eq!(Unit::Count.show(18_233.0), "18\u{202f}233");
        assert_eq!(Unit::Bytes.show(1_250_000.0), "1.25 MB");
    }
}
