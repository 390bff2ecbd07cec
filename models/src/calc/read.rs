//! Arguments from text: the units of the scenario language, without its limits of whole nanoseconds.
//!
//! A calculator takes a mean time to data loss of a million years: durations are floats here.

use super::component::Shape;
use super::form::{Kind, Value};
use super::math::Share;

const DURATIONS: &[(&str, f64)] =
    &[("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0)];
const RATES: &[(&str, f64)] = &[("/s", 1.0), ("/min", 60.0), ("/h", 3600.0), ("/d", 86400.0)];

/// Reads a value of a kind; an error says what was found and what to write.
pub(super) fn value(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Count { min, max } => count(text, min, max).map(Value::Count),
        Kind::Number { min, max } => {
            let value = plain(text)?;
            if !(min..=max).contains(&value) {
                return Err(if max > 1e100 {
                    format!("must be at least {min}")
                } else {
                    format!("must be from {min} to {max}")
                });
            }
            Ok(Value::Number(value))
        }
        Kind::Share => share(text).map(Value::Share),
        Kind::Shares => list(text, share).map(Value::Shares),
        Kind::Numbers => list(text, |item| share(item).map(|share| share.yes)).map(Value::List),
        Kind::Duration => duration(text).map(Value::Number),
        Kind::Span => positive(duration(text)?).map(Value::Number),
        Kind::Durations => list(text, duration).map(Value::List),
        Kind::Rate => rate(text).map(Value::Number),
        Kind::Rates => list(text, rate).map(Value::List),
        Kind::Word(words) => {
            let word = words.iter().find(|word| **word == text);
            let close =
                || closest(text, words).map_or(String::new(), |close| format!("did you mean `{close}`? "));
            word.map(|word| Value::Word(word))
                .ok_or_else(|| format!("{}words: {}", close(), words.join(", ")))
        }
        Kind::Layout => layout(text).map(Value::Layout),
        Kind::Law => law(text).map(Value::Law),
    }
}

/// The name nearest to a misspelt one, if any is near.
pub(super) fn closest(found: &str, exist: &[&'static str]) -> Option<&'static str> {
    near(found, exist).first().copied()
}

/// The names near a misspelt one, the nearest first: at most three.
pub(super) fn near(found: &str, exist: &[&'static str]) -> Vec<&'static str> {
    let found: String = found.chars().take(64).collect::<String>().to_lowercase().replace('_', "-");
    let mut near: Vec<(usize, &'static str)> = exist
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&found, name), *name))
        .filter(|(distance, name)| *distance <= 1.max(name.len() / 3) && *distance < name.len())
        .collect();
    let parts = exist.iter().filter(|name| found.len() >= 3 && name.contains(found.as_str()));
    near.extend(parts.map(|name| (usize::MAX, *name)));
    near.sort_unstable();
    near.dedup_by_key(|(_, name)| *name);
    near.truncate(3);
    near.into_iter().map(|(_, name)| name).collect()
}

/// Splits `1.5e3ms` into number and unit.
fn split(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err("must not be negative".to_owned());
    }
    let mut end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let rest = &text[end..];
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['-', '+']));
        let digits = exponent[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            end += 1 + sign + digits;
        }
    }
    let (number, unit) = text.split_at(end);
    if !number.starts_with(|c: char| c.is_ascii_digit())
        || number.len() > 60
        || number.parse::<f64>().is_err()
    {
        return Err("not a number".to_owned());
    }
    Ok((number, unit.trim()))
}

fn plain(text: &str) -> Result<f64, String> {
    let (number, unit) = split(text)?;
    if !unit.is_empty() {
        return Err(format!("takes no unit: write {number}"));
    }
    finite(number)
}

fn finite(number: &str) -> Result<f64, String> {
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("not a number that fits a double".to_owned()),
    }
}

fn count(text: &str, min: u64, max: u64) -> Result<u64, String> {
    match text.trim().parse::<u64>() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        _ => Err(format!("must be a whole number from {min} to {max}")),
    }
}

fn positive(value: f64) -> Result<f64, String> {
    if value > 0.0 { Ok(value) } else { Err("must be above zero".to_owned()) }
}

fn unit(table: &[(&'static str, f64)], number: &str, unit: &str, usual: &str) -> Result<f64, String> {
    if let Some((_, factor)) = table.iter().find(|(name, _)| *name == unit) {
        return Ok(*factor);
    }
    if unit.is_empty() {
        return Err(format!("no unit: write {number}{usual}"));
    }
    let names: Vec<&'static str> = table.iter().map(|(name, _)| *name).collect();
    let written: [(&[&str], &'static str); 6] = [
        (&["sec", "secs", "second", "seconds"], "s"),
        (&["m", "mins", "minute", "minutes"], "min"),
        (&["hr", "hrs", "hour", "hours"], "h"),
        (&["day", "days"], "d"),
        (&["msec", "millis"], "ms"),
        (&["rps", "qps", "tps", "Hz", "/sec"], "/s"),
    ];
    let spelt = written.iter().find(|(words, _)| words.contains(&unit)).map(|(_, name)| *name);
    let close = spelt.filter(|name| names.contains(name)).or_else(|| closest(unit, &names));
    let close = close.map_or(String::new(), |close| format!("did you mean {number}{close}? "));
    Err(format!("unknown unit `{unit}`: {close}units: {}", names.join(", ")))
}

/// A duration in seconds.
fn duration(text: &str) -> Result<f64, String> {
    let (number, name) = split(text)?;
    let seconds = finite(number)? * unit(DURATIONS, number, name, "s")?;
    // Beyond these, quotients of two of them leave the range of a double.
    if seconds != 0.0 && !(1e-9..=1e15).contains(&seconds) {
        return Err("must be from 1ns to 1e15s (30 million years)".to_owned());
    }
    Ok(seconds)
}

/// A rate per second.
fn rate(text: &str) -> Result<f64, String> {
    let (number, name) = split(text)?;
    let rate = positive(finite(number)? / unit(RATES, number, name, "/s")?)?;
    // The same range as in a scenario.
    if !(1e-12..=1e12).contains(&rate) {
        return Err("must be from 1e-12 to 1e12 per second".to_owned());
    }
    Ok(rate)
}

/// A probability with its complement from the decimal digits: nothing is lost near one.
fn share(text: &str) -> Result<Share, String> {
    let (number, name) = split(text)?;
    let percent = match name {
        "" => 0,
        "%" => 2,
        _ => return Err(format!("unknown unit `{name}`: write a plain number such as 0.001, or 0.1%")),
    };
    let yes: f64 = if percent == 0 { finite(number)? } else { scaled(number, -percent)? };
    if yes > 1.0 {
        return Err("must be from 0 to 1, or 0% to 100%".to_owned());
    }
    Ok(Share { yes, no: complement(number, percent).unwrap_or(1.0 - yes) })
}

/// `number × 10^shift`, rounded once.
fn scaled(number: &str, shift: i32) -> Result<f64, String> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| "not a number".to_owned())?;
    finite(&format!("{mantissa}e{}", exponent.saturating_add(shift)))
}

/// One minus a decimal number divided by 10^`shift`, rounded once.
fn complement(number: &str, shift: i32) -> Option<f64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()? + shift - exponent.parse::<i32>().ok()?;
    let one = 10_u128.checked_pow(u32::try_from(places).ok()?)?;
    format!("{}e-{places}", one.checked_sub(digits)?).parse().ok()
}

fn list<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let items: Vec<&str> = text.split([',', ' ', '\n', '\t', '\r']).filter(|item| !item.is_empty()).collect();
    if items.is_empty() {
        return Err("the list is empty: write values with commas".to_owned());
    }
    let values = items.iter().enumerate().map(|(i, item)| {
        read(item).map_err(|why| format!("value {} of {}, `{item}`: {why}", i + 1, items.len()))
    });
    values.collect()
}

/// Regions with `/`, their zones with `+`, each the number of nodes.
fn layout(text: &str) -> Result<Vec<Vec<u64>>, String> {
    let zone = |nodes: &str| count(nodes, 1, 100).map_err(|why| format!("`{nodes}` {why}; write 3+2/2"));
    let regions: Result<Vec<Vec<u64>>, String> =
        text.split('/').map(|region| region.split('+').map(zone).collect()).collect();
    let regions = regions?;
    if regions.iter().flatten().sum::<u64>() > 1000 {
        return Err("more than 1000 nodes".to_owned());
    }
    Ok(regions)
}

/// A law by its name and shape.
fn law(text: &str) -> Result<Shape, String> {
    const NAMES: [&str; 6] = ["exp", "fixed", "uniform", "erlang", "weibull", "lognormal"];
    let (name, shape) = text.split_once(':').map_or((text, None), |(name, shape)| (name, Some(shape)));
    let number = |low: f64, high: f64| {
        let text = shape.ok_or_else(|| format!("{name} needs a shape: write {name}:2"))?;
        let value = plain(text)?;
        if (low..=high).contains(&value) {
            Ok(value)
        } else {
            Err(format!("its shape must be from {low} to {high}"))
        }
    };
    match (name, shape) {
        ("exp", None) => Ok(Shape::Exponential),
        ("fixed", None) => Ok(Shape::Fixed),
        ("uniform", None) => Ok(Shape::Uniform),
        ("erlang", Some(phases)) => count(phases, 1, 100).map(Shape::Erlang),
        ("erlang", None) => Err("erlang needs a number of phases: write erlang:2".to_owned()),
        ("weibull", _) => number(0.1, 100.0).map(Shape::Weibull),
        ("lognormal", _) => number(0.0, 5.0).map(Shape::Lognormal),
        ("exp" | "fixed" | "uniform", Some(_)) => Err(format!("{name} has no shape: write {name}")),
        _ => {
            let close =
                closest(name, &NAMES).map_or(String::new(), |close| format!("did you mean `{close}`? "));
            Err(format!("{close}laws: exp, fixed, uniform, erlang:K, weibull:SHAPE, lognormal:SIGMA"))
        }
    }
}
