//! Numbers with units: durations, rates, sizes, bandwidths, shares; read and written.

use murphy_sim::Span;

use crate::describe::Dimension;

const DURATIONS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];
const RATES: &[(&str, u64)] = &[("/s", 1), ("/min", 60), ("/h", 3600)];
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Why a text is not the quantity it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) label: String,
    pub(crate) help: Option<String>,
}

fn wrong(label: impl Into<String>) -> Wrong {
    Wrong { label: label.into(), help: None }
}

/// What a dimension is called in errors, with an example.
pub(crate) fn expected(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::One => "a number",
        Dimension::Time => "a duration such as \"500ms\"",
        Dimension::Rate => "a rate such as \"200/s\"",
        Dimension::Bytes => "a size such as \"4kB\"",
        Dimension::Bandwidth => "a bandwidth such as \"10MB/s\"",
    }
}

/// What to write for a bare number.
pub(crate) fn with_unit(number: &str, dimension: Dimension) -> String {
    let unit = match dimension {
        Dimension::One => "",
        Dimension::Time => "ms",
        Dimension::Rate => "/s",
        Dimension::Bytes => "B",
        Dimension::Bandwidth => "B/s",
    };
    format!("write \"{number}{unit}\"")
}

/// Splits `-1.5ms` into sign, number and unit.
fn split(text: &str) -> Result<(bool, &str, &str), Wrong> {
    let text = text.trim();
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || number.matches('.').count() > 1 || number.starts_with('.') || number.ends_with('.') {
        return Err(wrong("not a number with a unit"));
    }
    if number.len() > 60 {
        return Err(wrong("the number has too many digits"));
    }
    Ok((negative, number, unit.trim_start()))
}

fn units(dimension: Dimension) -> Vec<String> {
    let names = |table: &[(&str, u64)]| table.iter().map(|(unit, _)| (*unit).to_owned()).collect();
    match dimension {
        Dimension::One => vec!["%".to_owned()],
        Dimension::Time => names(DURATIONS),
        Dimension::Rate => names(RATES),
        Dimension::Bytes => names(SIZES),
        Dimension::Bandwidth => SIZES.iter().map(|(unit, _)| format!("{unit}/s")).collect(),
    }
}

fn unit_of(
    table: &[(&str, u64)],
    number: &str,
    unit: &str,
    suffix: &str,
    dimension: Dimension,
) -> Result<u64, Wrong> {
    let bare = unit.strip_suffix(suffix);
    if let Some((_, factor)) = table.iter().find(|(name, _)| Some(*name) == bare) {
        return Ok(*factor);
    }
    let help = Some(with_unit(number, dimension));
    if unit.is_empty() {
        return Err(Wrong { label: "no unit".to_owned(), help });
    }
    let known = units(dimension);
    let help = match spelt_out(unit).or_else(|| super::diagnostic::closest(unit, &known)) {
        Some(close) => format!("did you mean \"{number}{close}\"? units: {}", known.join(", ")),
        None => format!("units: {}", known.join(", ")),
    };
    Err(Wrong { label: format!("unknown unit `{unit}`"), help: Some(help) })
}

/// The unit that people write out or shorten in another way.
fn spelt_out(unit: &str) -> Option<&'static str> {
    let words: [(&str, &[&str]); 7] = [
        ("us", &["µs", "μs", "usec", "micros"]),
        ("ms", &["msec", "msecs", "millis"]),
        ("s", &["sec", "secs", "second", "seconds"]),
        ("min", &["m", "mins", "minute", "minutes"]),
        ("h", &["hr", "hrs", "hour", "hours"]),
        ("d", &["day", "days"]),
        ("/s", &["rps", "qps", "tps", "Hz", "hz", "/sec"]),
    ];
    words.into_iter().find(|(_, words)| words.contains(&unit)).map(|(unit, _)| unit)
}

/// A whole number of base units, rounded to the nearest one.
fn exact(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole: u128 = whole.parse().ok()?;
    let fraction: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let factor = u128::from(factor);
    let total = whole.checked_mul(factor)?.checked_add((fraction * factor + scale / 2) / scale)?;
    u64::try_from(total).ok()
}

/// Nanoseconds of a duration that may be negative.
pub(crate) fn signed_duration(text: &str) -> Result<i64, Wrong> {
    let (negative, number, unit) = split(text)?;
    let factor = unit_of(DURATIONS, number, unit, "", Dimension::Time)?;
    let nanos = exact(number, factor).and_then(|nanos| i64::try_from(nanos).ok());
    let nanos = nanos.ok_or_else(|| wrong("longer than 292 years"))?;
    Ok(if negative { -nanos } else { nanos })
}

/// A duration, at most 584 years.
pub(crate) fn duration(text: &str) -> Result<Span, Wrong> {
    let (negative, number, unit) = split(text)?;
    let factor = unit_of(DURATIONS, number, unit, "", Dimension::Time)?;
    if negative {
        return Err(wrong("must not be negative"));
    }
    exact(number, factor).map(Span).ok_or_else(|| wrong("longer than 584 years"))
}

/// A duration as scenarios write it, such as `1.5s` or `10m`.
pub fn parse_duration(text: &str) -> Option<Span> {
    duration(text).ok()
}

/// A size in bytes.
pub(crate) fn bytes(text: &str) -> Result<u64, Wrong> {
    let (negative, number, unit) = split(text)?;
    let factor = unit_of(SIZES, number, unit, "", Dimension::Bytes)?;
    if negative {
        return Err(wrong("must not be negative"));
    }
    exact(number, factor).ok_or_else(|| wrong("too large"))
}

fn scaled(text: &str, dimension: Dimension) -> Result<f64, Wrong> {
    let (negative, number, unit) = split(text)?;
    let value: f64 = number.parse().map_err(|_| wrong("not a number with a unit"))?;
    let value = if dimension == Dimension::Rate {
        value / unit_of(RATES, number, unit, "", dimension)? as f64
    } else {
        value * unit_of(SIZES, number, unit, "/s", dimension)? as f64
    };
    if negative || !(1e-12..=1e12).contains(&value) {
        return Err(wrong("must be from 1e-12 to 1e12 per second"));
    }
    Ok(value)
}

/// A rate per second.
pub(crate) fn rate(text: &str) -> Result<f64, Wrong> {
    scaled(text, Dimension::Rate)
}

/// A bandwidth in bytes per second.
pub(crate) fn bandwidth(text: &str) -> Result<f64, Wrong> {
    scaled(text, Dimension::Bandwidth)
}

/// A share such as `0.1%`.
pub(crate) fn share(text: &str) -> Result<f64, Wrong> {
    let (negative, number, unit) = split(text)?;
    // The exponent keeps the share the nearest float: 99.9 / 100 is not 0.999.
    let exponent = if unit == "%" { "e-2" } else { "" };
    let value: f64 = format!("{number}{exponent}").parse().map_err(|_| wrong("not a number"))?;
    match unit {
        "%" | "" => Ok(if negative { -value } else { value }),
        _ => Err(Wrong {
            label: format!("unknown unit `{unit}`"),
            help: Some("write a plain number such as 0.001, or \"0.1%\"".to_owned()),
        }),
    }
}

/// Any quantity, as expectations and conditions write them: durations in seconds, the rest per second.
pub(crate) fn any(text: &str) -> Result<(f64, Dimension), Wrong> {
    let (_, number, unit) = split(text)?;
    let has = |table: &[(&str, u64)], unit: &str| table.iter().any(|(name, _)| *name == unit);
    if unit.is_empty() || unit == "%" {
        return share(text).map(|value| (value, Dimension::One));
    }
    if has(DURATIONS, unit) {
        return signed_duration(text).map(|nanos| (nanos as f64 / 1e9, Dimension::Time));
    }
    if has(RATES, unit) {
        let number: f64 = number.parse().map_err(|_| wrong("not a number"))?;
        let factor = unit_of(RATES, "", unit, "", Dimension::Rate)?;
        return Ok((number / factor as f64, Dimension::Rate));
    }
    if has(SIZES, unit) {
        return bytes(text).map(|value| (value as f64, Dimension::Bytes));
    }
    if unit.strip_suffix("/s").is_some_and(|size| has(SIZES, size)) {
        return bandwidth(text).map(|value| (value, Dimension::Bandwidth));
    }
    let all: Vec<String> =
        [Dimension::Time, Dimension::Rate, Dimension::Bytes, Dimension::Bandwidth, Dimension::One]
            .into_iter()
            .flat_map(units)
            .collect();
    let close = super::diagnostic::closest(unit, &all);
    let help = close.map_or(String::new(), |close| format!("did you mean `{number}{close}`? "));
    Err(Wrong {
        label: format!("unknown unit `{unit}`"),
        help: Some(format!("{help}units: {}", all.join(", "))),
    })
}

/// The shortest exact text of a duration, such as `1500ms`.
pub(crate) fn duration_text(nanos: u64) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];
    let unit = units.into_iter().find(|(_, factor)| nanos.is_multiple_of(*factor));
    unit.map_or(format!("{nanos}ns"), |(unit, factor)| format!("{}{unit}", nanos / factor))
}

/// The exact text of a duration that may be negative.
pub(crate) fn signed_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{}", duration_text(nanos.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (text, nanos) in [
            ("1ns", 1),
            ("1.5s", 1_500_000_000),
            ("500ms", 500_000_000),
            ("0.1us", 100),
            ("2min", 120_000_000_000),
            ("1d", 86_400_000_000_000),
            ("3 h", 10_800_000_000_000),
        ] {
            assert_eq!(duration(text), Ok(Span(nanos)), "{text}");
            assert_eq!(duration(&duration_text(nanos)), Ok(Span(nanos)), "{text} written and read");
        }
    }

    #[test]
    fn wrong_quantities_say_why() {
        for (text, label) in [
            ("500", "no unit"),
            ("500sm", "unknown unit `sm`"),
            ("-1s", "must not be negative"),
            ("99999999999999999999d", "longer than 584 years"),
            ("", "not a number with a unit"),
            ("1.2.3s", "not a number with a unit"),
            ("s", "not a number with a unit"),
        ] {
            assert_eq!(duration(text).expect_err(text).label, label, "{text}");
        }
    }

    #[test]
    fn shares_rates_and_sizes() {
        assert_eq!(share("0.1%"), Ok(0.001));
        assert_eq!(rate("120/min"), Ok(2.0));
        assert_eq!(bytes("4KiB"), Ok(4096));
        assert_eq!(bandwidth("10MB/s"), Ok(1e7));
        assert_eq!(any("99.9%"), Ok((0.999, Dimension::One)));
        assert_eq!(any("2s"), Ok((2.0, Dimension::Time)));
        assert!(rate("1e400/s").is_err(), "an exponent is no unit");
    }
}
