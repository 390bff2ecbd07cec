//! The fault that a generator makes: a `[[fault]]` without name and times, aimed when it is made.

use std::sync::Arc;

use murphy_sim::unit;

use super::diagnostic::Diagnostic;
use super::fault::{FaultPart, KINDS};
use super::fields::{Field, Fields, Table, Walk};
use super::names::Names;
use super::quantity;
use super::scenario::{FaultEffect, Scenario};
use super::value::{Data, Entry, Value};

/// What the components of a generator are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The fault names its own target.
    Itself,
    Node,
    Site,
    Zone,
    Region,
    /// A link is named by its two sites.
    Link,
}

/// A fault that is not aimed yet.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Its keys in canonical form; ranges stand as `{ low, high }`.
    value: Value,
    kind: &'static str,
    by: By,
    messages: Arc<[&'static str]>,
}

impl PartialEq for Template {
    fn eq(&self, other: &Template) -> bool {
        self.by == other.by && self.value.inline() == other.value.inline()
    }
}

/// A fault that is aimed.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) kind: &'static str,
    pub(crate) target: String,
    pub(crate) effect: FaultEffect,
    pub(crate) body: Arc<str>,
}

/// The keys that a kind of fault has of its own.
pub(crate) struct Body(pub(crate) Option<(&'static str, FaultPart)>);

impl Table for Body {
    const WHAT: &'static str = "the fault of a hazard";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> Body {
        Body(fields.tagged("kind", KINDS))
    }
}

/// The keys of a table as lines of TOML.
pub(crate) fn body(entries: &[Entry]) -> Arc<str> {
    let line = |entry: &Entry| format!("{} = {}\n", entry.key, entry.value.inline());
    entries.iter().map(line).collect::<String>().into()
}

impl Template {
    /// Reads the `fault` of a generator, and gives its canonical form.
    pub(crate) fn read(value: &Value, by: By, ranges: bool, walk: &mut Walk<'_>) -> (Template, Value) {
        if !matches!(value.data, Data::Table(_)) {
            walk.mismatch(value, "a fault such as { kind = \"crash\" }");
        }
        let kind = value.get("kind").and_then(Value::as_text).unwrap_or_default();
        let key = aim_key(by, kind);
        let aimed = key.and_then(|key| value.entries().iter().find(|entry| entry.key == key));
        if let Some(entry) = aimed {
            let title = format!("both the hazard and its fault are aimed: `{}`", entry.key);
            let wrong = Diagnostic::new(entry.key_at, title, "the hazard's targets are its components");
            walk.found.push(wrong.help(format!("leave out `{}`", entry.key)));
        }
        let low = aim(&with_ranges(value, &mut |low, _| low.clone(), ranges), key, &["x".to_owned()]);
        let (Body(part), canonical) = Body::read(&low, walk);
        if ranges && walk.found.is_empty() {
            let high = aim(&with_ranges(value, &mut |_, high| high.clone(), true), key, &["x".to_owned()]);
            _ = Body::read(&high, walk);
        }
        let mut canonical = without(canonical, key.filter(|_| aimed.is_none()));
        if ranges {
            restore_ranges(&mut canonical, value);
        }
        let kind = part.map_or("", |(kind, _)| kind);
        (Template { value: canonical.clone(), kind, by, messages: Arc::new([]) }, canonical)
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// Takes note of what the fault may name, and says what it names wrongly when aimed at `words`.
    pub(crate) fn bind(&mut self, at: super::diagnostic::At, words: &[String], names: &mut Names<'_>) {
        self.messages = names.messages.iter().copied().collect();
        if self.kind.is_empty() {
            return;
        }
        let before = names.found.len();
        _ = self.make(words, names);
        // The canonical form stands nowhere: its mistakes are the hazard's.
        for found in &mut names.found[before..] {
            found.at = at;
        }
    }

    /// The template with every range replaced by a value in it, one word a range.
    pub(crate) fn drawn(&self, word: &mut dyn FnMut() -> u64) -> Template {
        let value = with_ranges(&self.value, &mut |low, high| between(low, high, unit(word())), true);
        Template { value, ..self.clone() }
    }

    /// The fault, aimed at components; the template was checked before.
    pub(crate) fn aimed(&self, words: &[String], scenario: &Scenario) -> Option<Made> {
        let mut names = Names {
            miscounted: Vec::new(),
            sites: &scenario.sites,
            links: &scenario.links,
            groups: &scenario.groups,
            nodes: &scenario.nodes,
            messages: self.messages.to_vec(),
            workloads: scenario.workloads.iter().map(|workload| workload.name.clone()).collect(),
            crews: Vec::new(),
            found: Vec::new(),
        };
        self.make(words, &mut names)
    }

    fn make(&self, words: &[String], names: &mut Names<'_>) -> Option<Made> {
        let places = matches!(self.by, By::Site | By::Zone | By::Region) && self.kind != "site-down";
        let nodes = if places { nodes_on(self.by, words, names) } else { Vec::new() };
        let words = if places { &nodes } else { words };
        let low = with_ranges(&self.value, &mut |low, _| low.clone(), true);
        let value = aim(&low, aim_key(self.by, self.kind), words);
        let mut walk = Walk::new(&[]);
        let (Body(part), canonical) = Body::read(&value, &mut walk);
        let (kind, part) = part?;
        let (effect, target) = part(names);
        Some(Made { kind, target, effect, body: body(canonical.entries()) })
    }
}

/// The key of a fault that says what it is aimed at.
fn aim_key(by: By, kind: &str) -> Option<&'static str> {
    match (by, kind) {
        (By::Itself, _) => None,
        (By::Link, _) => Some("link"),
        (By::Site, "site-down") => Some("site"),
        (By::Zone, "site-down") => Some("zone"),
        (By::Region, "site-down") => Some("region"),
        (_, "partition") => Some("isolate"),
        _ => Some("target"),
    }
}

fn aim(value: &Value, key: Option<&'static str>, words: &[String]) -> Value {
    let mut aimed = value.clone();
    let (Some(key), Data::Table(entries)) = (key, &mut aimed.data) else { return aimed };
    entries.retain(|entry| entry.key != key);
    let text = |word: &String| Value::new(value.at, Data::Text(word.clone()));
    let what = match words {
        [one] if key != "link" => text(one),
        // The schema's stand-in for a link has two ends.
        [one] => Value::new(value.at, Data::Array(vec![text(one), text(one)])),
        _ => Value::new(value.at, Data::Array(words.iter().map(text).collect())),
    };
    entries.push(Entry { key: key.to_owned(), key_at: value.at, value: what });
    aimed
}

fn without(mut value: Value, key: Option<&str>) -> Value {
    if let (Data::Table(entries), Some(key)) = (&mut value.data, key) {
        entries.retain(|entry| entry.key != key);
    }
    value
}

/// Names of the nodes on sites, zones or regions.
fn nodes_on(by: By, words: &[String], names: &Names<'_>) -> Vec<String> {
    let inside = |site: usize| {
        let site = &names.sites[site];
        let key = match by {
            By::Zone => site.zone.as_ref(),
            By::Region => site.region.as_ref(),
            _ => Some(&site.name),
        };
        key.is_some_and(|key| words.contains(key))
    };
    names.nodes.iter().filter(|node| inside(node.site)).map(|node| node.name.clone()).collect()
}

/// The two ends of `{ low = …, high = … }`.
pub(crate) fn range(value: &Value) -> Option<(&Value, &Value)> {
    let ends = (value.get("low")?, value.get("high")?);
    (value.entries().len() == 2).then_some(ends)
}

fn with_ranges(value: &Value, pick: &mut dyn FnMut(&Value, &Value) -> Value, ranges: bool) -> Value {
    let mut picked = value.clone();
    if let (Data::Table(entries), true) = (&mut picked.data, ranges) {
        for entry in entries {
            if let Some((low, high)) = range(&entry.value) {
                entry.value = pick(low, high);
            }
        }
    }
    picked
}

fn restore_ranges(canonical: &mut Value, written: &Value) {
    let Data::Table(entries) = &mut canonical.data else { return };
    for entry in entries {
        if let Some(value) = written.get(&entry.key).filter(|value| range(value).is_some()) {
            entry.value = value.clone();
        }
    }
}

/// A number, a duration or a bandwidth that lies `share` of the way from one to another.
fn between(low: &Value, high: &Value, share: f64) -> Value {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    let data = match (&low.data, &high.data) {
        (Data::Integer(a), Data::Integer(b)) =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "between two integers that were read")]
            Data::Integer(mix(*a as f64, *b as f64 + 0.999_999) as i128)
        }
        (Data::Text(a), Data::Text(b)) => match (quantity::duration(a), quantity::duration(b)) {
            (Ok(a), Ok(b)) => {
                let span = murphy_sim::Span(1).scale(mix(a.0 as f64, b.0 as f64));
                Data::Text(quantity::duration_text(span.0))
            }
            _ => match (quantity::bandwidth(a), quantity::bandwidth(b)) {
                (Ok(a), Ok(b)) => Data::Text(format!("{}B/s", mix(a, b))),
                _ => low.data.clone(),
            },
        },
        _ => match (number(low), number(high)) {
            (Some(a), Some(b)) => Data::Float(mix(a, b)),
            _ => low.data.clone(),
        },
    };
    Value::new(low.at, data)
}

fn number(value: &Value) -> Option<f64> {
    match value.data {
        Data::Integer(number) => Some(number as f64),
        Data::Float(number) => Some(number),
        _ => None,
    }
}
