//! How figures are written: nine significant digits in files, a few in text.

/// A derived figure for a file: nine significant digits, plain decimal notation where that is short.
///
/// Trailing zeros are cut, so `0.5` is `0.5`. Very small and very large figures use an exponent.
/// Infinity is `inf`; a figure that does not exist (`NaN`) is empty.
pub fn nine_digits(value: f64) -> String {
    significant(value, 9)
}

/// A figure with `digits` significant digits, trailing zeros cut.
pub fn significant(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return String::new();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = digits.max(1);
    // The formatting of floats in `core` is exact and the same on every platform.
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-7..=15).contains(&exponent) {
        return format!("{}e{exponent}", cut_zeros(mantissa));
    }
    let shown = i32::try_from(digits).unwrap_or(i32::MAX).saturating_sub(1).saturating_sub(exponent);
    let rounded: f64 = scientific.parse().unwrap_or(value);
    cut_zeros(&format!("{rounded:.*}", usize::try_from(shown.max(0)).unwrap_or(0)))
}

/// A span of simulated time for a reader: `250 ms`, `3.40 s`, `2 min 05 s`, `1 d 03 h`.
pub fn span_text(ns: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let seconds = ns as f64 / 1e9;
    let whole = ns / SECOND;
    match ns {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} us", significant(ns as f64 / 1e3, 3)),
        1_000_000..SECOND => format!("{} ms", significant(ns as f64 / 1e6, 3)),
        _ if whole < 120 => format!("{seconds:.2} s"),
        _ if whole < 2 * 3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ if whole < 48 * 3_600 => format!("{} h {:02} min", whole / 3_600, whole / 60 % 60),
        _ => format!("{} d {:02} h", whole / 86_400, whole / 3_600 % 24),
    }
}

/// A whole number with a thin group mark: `18 233`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// An instant or span in seconds for a file, exact to the nanosecond: `41.203` for 41 203 000 000.
pub fn exact_seconds(ns: u64) -> String {
    cut_zeros(&format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000))
}

/// A trace hash as people see it: 16 hexadecimal digits.
pub fn hash_text(hash: u64) -> String {
    format!("{hash:016x}")
}

/// Appends formatted text without an intermediate string.
pub(crate) trait Put {
    fn put(&mut self, text: std::fmt::Arguments<'_>);
}

impl Put for String {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = std::fmt::Write::write_fmt(self, text);
    }
}

/// Hashes as 16 hexadecimal digits in JSON, whose readers know no 64-bit numbers.
pub(crate) mod hex {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(crate) fn serialize<S: Serializer>(hash: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hash_text(*hash))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map_err(|_| D::Error::custom(format!("a hash is 16 hexadecimal digits, found `{text}`")))
    }
}

fn cut_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_digits_are_stable() {
        let cases = [
            (0.0, "0"),
            (0.5, "0.5"),
            (1.0 / 3.0, "0.333333333"),
            (-2.0 / 3.0, "-0.666666667"),
            (999_999_999.9, "1000000000"),
            (123_456_789_012.0, "123456789000"),
            (9.999_999_999_9, "10"),
            (1e-9, "1e-9"),
            (1.234_567_891_23e-5, "0.0000123456789"),
            (1e300, "1e300"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, ""),
        ];
        for (value, expected) in cases {
            assert_eq!(nine_digits(value), expected, "{value:e}");
        }
    }

    #[test]
    fn spans_read_like_a_person_writes_them() {
        let cases = [
            (0, "0 s"),
            (17, "17 ns"),
            (1_500, "1.5 us"),
            (250_000_000, "250 ms"),
            (3_400_000_000, "3.40 s"),
            (125_000_000_000, "2 min 05 s"),
            (2 * 3_600_000_000_000, "2 h 00 min"),
            (3 * 86_400_000_000_000, "3 d 00 h"),
        ];
        for (ns, expected) in cases {
            assert_eq!(span_text(ns), expected);
        }
        assert_eq!(grouped(18_233), "18 233");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000_000), "1 000 000");
    }
}
