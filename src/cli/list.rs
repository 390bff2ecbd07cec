//! `murphy list` and `murphy schema`: what there is, from the declarations that the program uses.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use murphy_scenarios::expect::{SLOS, STANDARD, STRUCTURES};
use murphy_scenarios::language::{faults, hazards, libraries, policy_keys, schema as json_schema};
use murphy_scenarios::{Dimension, ModelInfo, Param, ParamKind, ParamValue};

use super::{Failure, Format, Terminal, exit, scenario_files};

#[derive(Args)]
pub(super) struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    what: What,
    /// Folder, for scenarios
    #[arg(default_value = "scenarios")]
    folder: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Models,
    Faults,
    Hazards,
    Metrics,
    Policies,
    Scenarios,
}

/// One line of a list: name and what it is, and lines below it.
struct Item {
    name: String,
    about: String,
    parts: Vec<Item>,
}

impl Item {
    fn new(name: impl Into<String>, about: impl Into<String>) -> Item {
        Item { name: name.into(), about: about.into(), parts: Vec::new() }
    }
}

pub(super) fn list(models: &[ModelInfo], args: &ListArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let items = match args.what {
        What::Models => models.iter().map(model).collect(),
        What::Faults => faults().iter().map(fault).collect(),
        What::Hazards => hazards().iter().map(fault).collect(),
        What::Metrics => metrics(models),
        What::Policies => policies(),
        What::Scenarios => scenarios(&args.folder, terminal)?,
    };
    terminal.print(&match terminal.format {
        Format::Text => text(&items),
        Format::Json => json(&items),
        Format::Csv => csv(&items),
    });
    Ok(exit::PASS)
}

pub(super) fn schema(models: &[ModelInfo], terminal: &Terminal) -> Result<u8, Failure> {
    let text = serde_json::to_string_pretty(&json_schema(models));
    terminal.print(&format!("{}\n", text.map_err(|error| Failure::Usage(error.to_string()))?));
    Ok(exit::PASS)
}

fn model(info: &ModelInfo) -> Item {
    let mut item = Item::new(info.name, info.about);
    for kind in &info.kinds {
        let mut part = Item::new(kind.name, kind.about);
        part.parts = kind.params.iter().map(param).collect();
        item.parts.push(part);
    }
    let properties = info.properties.iter().map(|property| Item::new(property.name, property.about));
    item.parts.extend(properties);
    let names = |names: Vec<&str>| names.join(", ");
    let operations = info.operations.iter().map(|operation| operation.name).collect();
    item.parts.push(Item::new("operations", names(operations)));
    item.parts.push(Item::new("messages", names(info.messages.clone())));
    item
}

fn param(param: &Param) -> Item {
    let kind = match &param.kind {
        ParamKind::Count { min, max } if *max == u64::MAX => format!("whole number from {min}"),
        ParamKind::Count { min, max } => format!("whole number {min} to {max}"),
        ParamKind::Duration => "duration".to_owned(),
        ParamKind::Number { min, max } => format!("number {min} to {max}"),
        ParamKind::Probability => "probability".to_owned(),
        ParamKind::Bytes => "size".to_owned(),
        ParamKind::Flag => "true or false".to_owned(),
        ParamKind::Choice(words) => words.join(" | "),
    };
    let default = match &param.default {
        None => "required".to_owned(),
        Some(ParamValue::Count(value)) => format!("default {value}"),
        Some(ParamValue::Duration(value)) => format!("default {value}"),
        Some(ParamValue::Number(value)) => format!("default {value}"),
        Some(ParamValue::Flag(value)) => format!("default {value}"),
        Some(ParamValue::Choice(value)) => format!("default {value}"),
    };
    Item::new(param.name, format!("{} ({kind}; {default})", param.about))
}

fn fault(info: &murphy_scenarios::language::FaultInfo) -> Item {
    let mut item = Item::new(info.name, info.about);
    let key = |(name, required, about): &(String, bool, String)| {
        Item::new(name.clone(), if *required { format!("{about} (required)") } else { about.clone() })
    };
    item.parts = info.keys.iter().map(key).collect();
    item
}

fn metrics(models: &[ModelInfo]) -> Vec<Item> {
    let standard = STANDARD.iter().map(|metric| {
        let labels =
            if metric.labels.is_empty() { String::new() } else { format!("; {}", metric.labels.join(", ")) };
        Item::new(metric.name, format!("{} ({}{labels})", metric.about, dimension(metric.dimension)))
    });
    let of_structures = STRUCTURES.iter().map(|(name, about, metric, _)| {
        Item::new(*name, format!("{about} ({}; structure)", dimension(*metric)))
    });
    let of_slos = SLOS.iter().map(|(name, about)| Item::new(*name, format!("{about} (plain number; slo)")));
    let own = models.iter().flat_map(|info| &info.metrics);
    let own = own.map(|metric| {
        Item::new(metric.name, format!("{} ({}; node)", metric.about, dimension(metric.dimension)))
    });
    standard.chain(of_structures).chain(of_slos).chain(own).collect()
}

/// Keys of a policy, and the libraries whose defaults it may have.
fn policies() -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (name, about, default) in policy_keys() {
        let default = default.map_or_else(String::new, |default| format!("; default {default}"));
        let item = |name: &str| Item::new(name, format!("{about}{default}"));
        match name.split_once('.') {
            Some((part, key)) => {
                if let Some(parent) = items.iter_mut().find(|item| item.name == part) {
                    parent.parts.push(item(key));
                }
            }
            None => items.push(item(&name)),
        }
    }
    items.extend(libraries().iter().map(|library| {
        let mut item = Item::new(format!("like = \"{}\"", library.name), library.about);
        for (what, toml) in [("always", library.always), ("parts", library.parts)] {
            if toml != "{}" {
                item.parts.push(Item::new(what, toml));
            }
        }
        item
    }));
    items
}

fn dimension(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::One => "plain number",
        Dimension::Time => "time",
        Dimension::Rate => "per second",
        Dimension::Bytes => "bytes",
        Dimension::Bandwidth => "bytes per second",
    }
}

/// Name and description of every file that looks like a scenario.
fn scenarios(folder: &std::path::Path, terminal: &Terminal) -> Result<Vec<Item>, Failure> {
    if !folder.is_dir() {
        return Err(Failure::Usage(format!(
            "there is no folder {}; name one: {} list scenarios DIR",
            folder.display(),
            terminal.program
        )));
    }
    let files = scenario_files(folder).into_iter();
    let item = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let value = |key: &str| {
            let line =
                text.lines().find(|line| line.split('=').next().is_some_and(|name| name.trim() == key))?;
            Some(line.split_once('=')?.1.trim().trim_matches('"').to_owned())
        };
        Item::new(file.display().to_string(), value("about").unwrap_or_default())
    };
    Ok(files.map(item).collect())
}

fn text(items: &[Item]) -> String {
    let mut out = String::new();
    for item in items {
        write_item(&mut out, item, 0);
    }
    out
}

fn write_item(out: &mut String, item: &Item, depth: usize) {
    let indent = "  ".repeat(depth);
    let width = 26_usize.saturating_sub(indent.len());
    _ = writeln!(out, "{indent}{:width$} {}", item.name, item.about);
    for part in &item.parts {
        write_item(out, part, depth + 1);
    }
}

fn json(items: &[Item]) -> String {
    fn value(item: &Item) -> serde_json::Value {
        let parts: Vec<_> = item.parts.iter().map(value).collect();
        serde_json::json!({ "name": item.name, "about": item.about, "parts": parts })
    }
    let items: Vec<_> = items.iter().map(value).collect();
    serde_json::json!({ "schema": 1, "items": items }).to_string() + "\n"
}

fn csv(items: &[Item]) -> String {
    fn rows(out: &mut String, prefix: &str, item: &Item) {
        let name = if prefix.is_empty() { item.name.clone() } else { format!("{prefix}/{}", item.name) };
        let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        _ = writeln!(out, "{},{}", cell(&name), cell(&item.about));
        for part in &item.parts {
            rows(out, &name, part);
        }
    }
    let mut out = "name,about\n".to_owned();
    for item in items {
        rows(&mut out, "", item);
    }
    out
}
