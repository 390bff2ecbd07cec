//! `murphy calc`: a closed form, with what it assumes.

use std::fmt::Write as _;

use clap::Args;
use murphy_models::calc::{self, Calculation, CrossCheck, Figure, Form, Unit};
use serde_json::json;

use super::{Failure, Format, Terminal, exit};

#[derive(Args)]
pub(super) struct CalcArgs {
    /// Calculator; `list` shows all, `list WORD` those that have to do with it
    name: String,
    /// Arguments as key=value, such as n=3 p=99.9% mttf=1000h; key=@FILE reads a list from a file
    #[arg(value_name = "KEY=VALUE")]
    arguments: Vec<String>,
    /// Simulate the same thing beside the formula
    #[arg(long)]
    cross_check: bool,
    /// Seed of the simulation
    #[arg(long, value_name = "N", default_value_t = 1, requires = "cross_check")]
    seed: u64,
}

pub(super) fn calc(args: &CalcArgs, terminal: &Terminal) -> Result<u8, Failure> {
    if args.name == "list" {
        return list(&args.arguments, terminal);
    }
    let usage = |text: String| {
        // A program built on the library has a name of its own.
        Failure::Usage(text.replace("murphy calc", &format!("{} calc", terminal.program)))
    };
    let form = calc::find(&args.name).map_err(|error| usage(error.to_string()))?;
    let arguments: Result<Vec<String>, Failure> =
        args.arguments.iter().map(|argument| contents(argument)).collect();
    let arguments = arguments?;
    let done = form.run(&arguments).map_err(|error| usage(error.to_string()))?;
    let check = if args.cross_check {
        let check =
            form.cross_check(&arguments, args.seed, None).map_err(|error| usage(error.to_string()))?;
        Some(check.ok_or_else(|| {
            let instead = format!("without --cross-check: {} calc {}", terminal.program, args.name);
            Failure::Usage(format!(
                "{} cannot be told as components that fail and are repaired\n  {instead}",
                args.name
            ))
        })?)
    } else {
        None
    };
    terminal.print(&match terminal.format {
        Format::Text => {
            text(&done) + &check.as_ref().map_or_else(String::new, |check| checked_text(&done, check))
        }
        Format::Json => json(&done, check.as_ref()),
        Format::Csv => csv(&done) + &check.as_ref().map_or_else(String::new, checked_csv),
    });
    Ok(exit::PASS)
}

/// `key=@FILE` as `key=` and what the file holds.
fn contents(argument: &str) -> Result<String, Failure> {
    let Some((key, file)) = argument.split_once("=@") else {
        return Ok(argument.to_owned());
    };
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| {
        Failure::Usage(format!(
            "{key}=@{file}: cannot read {file}: {error}\n  write the values instead: {key}=VALUE,VALUE"
        ))
    })?;
    Ok(format!("{key}={text}"))
}

fn list(words: &[String], terminal: &Terminal) -> Result<u8, Failure> {
    let about = |form: &Form, word: &str| {
        [form.name, form.about, form.source].iter().any(|text| text.to_lowercase().contains(word))
    };
    let wanted = |form: &&Form| words.iter().all(|word| about(form, &word.to_lowercase()));
    let forms: Vec<&Form> = calc::forms().filter(wanted).collect();
    if forms.is_empty() {
        let all = format!("{} calc list", terminal.program);
        return Err(Failure::Nothing(format!(
            "no calculator has to do with {}\n  try: {all}",
            words.join(" ")
        )));
    }
    terminal.print(&match terminal.format {
        Format::Text => forms.iter().fold(String::new(), |mut out, form| {
            _ = writeln!(out, "{:22} {}", form.name, form.about);
            _ = writeln!(out, "{:22}   {} calc {} {}", "", terminal.program, form.name, form.example);
            out
        }),
        Format::Json => {
            let items: Vec<_> = forms.iter().map(|form| described(form)).collect();
            json!({ "schema": 1, "calculators": items }).to_string() + "\n"
        }
        Format::Csv => forms.iter().fold("name,about,example\n".to_owned(), |mut out, form| {
            _ = writeln!(out, "{},{},{}", cell(form.name), cell(form.about), cell(form.example));
            out
        }),
    });
    Ok(exit::PASS)
}

fn described(form: &Form) -> serde_json::Value {
    let argument = |arg: &calc::Arg| json!({ "name": arg.name, "about": arg.describe() });
    json!({
        "name": form.name,
        "about": form.about,
        "arguments": form.args.iter().map(argument).collect::<Vec<_>>(),
        "assumptions": form.assumes,
        "source": form.source,
        "example": form.example,
    })
}

fn text(done: &Calculation) -> String {
    let width = done.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for figure in &done.figures {
        _ = writeln!(out, "{:width$}  {}", figure.name, shown(figure));
    }
    let mut lines = |title: &str, texts: &[&str]| {
        for (i, text) in texts.iter().enumerate() {
            _ = writeln!(out, "{:8} {text}", if i == 0 { title } else { "" });
        }
    };
    let given: Vec<String> =
        done.arguments.iter().map(|(key, value)| format!("{key}={}", one_line(value))).collect();
    lines("given", &[&given.join(" ")]);
    lines("assumes", done.form.assumes);
    lines("source", &[done.form.source]);
    lines("note", &done.notes.iter().map(String::as_str).collect::<Vec<_>>());
    out
}

/// A list from a file, in a line.
fn one_line(value: &str) -> String {
    let flat = value.split_whitespace().collect::<Vec<_>>().join(",");
    if flat.chars().count() <= 60 { flat } else { flat.chars().take(59).chain(['…']).collect() }
}

/// Nine significant digits, with a unit that people read.
fn shown(figure: &Figure) -> String {
    let value = figure.value;
    if figure.unit != Unit::Seconds {
        return [digits(value), figure.unit.sign().to_owned()].join(" ").trim_end().to_owned();
    }
    let units = [(3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "us")];
    let (factor, sign) = units.into_iter().find(|(least, _)| value >= *least).unwrap_or((1.0, "s"));
    format!("{} {sign}", digits(value / factor))
}

/// A number with nine significant digits, without zeros at the end.
fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let scientific = format!("{value:.8e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let trimmed = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    match exponent.parse::<i32>() {
        Ok(exponent @ -4..=14) => {
            let places = usize::try_from(8 - exponent).unwrap_or(0);
            trimmed(&format!("{value:.places$}"))
        }
        _ => format!("{}e{exponent}", trimmed(mantissa)),
    }
}

/// All digits of a number; a result that is not finite is a word.
fn number(value: f64) -> serde_json::Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

/// The simulated figures beside the formula's.
fn checked_text(done: &Calculation, check: &CrossCheck) -> String {
    let mut out = String::from("\nSimulated, 95 % intervals\n");
    let width = check.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
    for figure in &check.figures {
        let show = |value: f64| shown(&Figure { name: String::new(), value, unit: figure.unit });
        let (low, high) = figure.interval;
        let verdict = match done.figure(&figure.name) {
            Some(formula) if (low..=high).contains(&formula) => "formula inside",
            Some(_) => "FORMULA OUTSIDE: one interval of 20 is, by chance",
            None => "no formula",
        };
        _ = writeln!(
            out,
            "{:width$}  {} [{}, {}]  {verdict}",
            figure.name,
            show(figure.value),
            show(low),
            show(high)
        );
    }
    _ = writeln!(out, "{:8} {}; seed {}", "by", check.method, check.seed);
    out
}

fn checked_csv(check: &CrossCheck) -> String {
    check.figures.iter().fold(String::new(), |mut out, figure| {
        for (kind, value) in [
            ("simulated", figure.value),
            ("simulated low", figure.interval.0),
            ("simulated high", figure.interval.1),
        ] {
            _ = writeln!(out, "{kind},{},{value},{}", cell(&figure.name), figure.unit.sign());
        }
        out
    })
}

fn checked_json(check: &CrossCheck) -> serde_json::Value {
    let figures = check.figures.iter().map(|figure| {
        json!({
            "name": figure.name,
            "value": figure.value,
            "low": figure.interval.0,
            "high": figure.interval.1,
            "unit": figure.unit.sign(),
        })
    });
    json!({ "figures": figures.collect::<Vec<_>>(), "level": 0.95, "method": check.method, "seed": check.seed })
}

fn json(done: &Calculation, check: Option<&CrossCheck>) -> String {
    let figures = done.figures.iter();
    let figures = figures.map(
        |figure| json!({ "name": figure.name, "value": number(figure.value), "unit": figure.unit.sign() }),
    );
    let given: serde_json::Map<String, serde_json::Value> =
        done.arguments.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let mut all = json!({
        "schema": 1,
        "calculator": done.form.name,
        "given": given,
        "figures": figures.collect::<Vec<_>>(),
        "assumptions": done.form.assumes,
        "source": done.form.source,
        "notes": done.notes,
    });
    if let Some(check) = check {
        all["simulated"] = checked_json(check);
    }
    all.to_string() + "\n"
}

fn csv(done: &Calculation) -> String {
    let mut out = "kind,name,value,unit\n".to_owned();
    for figure in &done.figures {
        _ = writeln!(out, "figure,{},{},{}", cell(&figure.name), figure.value, figure.unit.sign());
    }
    for (kind, texts) in [
        ("assumption", done.form.assumes.iter().map(|text| (*text).to_owned()).collect()),
        ("source", vec![done.form.source.to_owned()]),
        ("note", done.notes.clone()),
    ] {
        for text in texts {
            _ = writeln!(out, "{kind},,{},", cell(&text));
        }
    }
    out
}

fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
