//! Typed paths: `workload.kv.arrivals.rate`. They set values of the parsed file before it is
//! checked, so a wrong value gets the same diagnostics as one in the file.

use super::diagnostic::{At, Diagnostic};
use super::names::glob;
use super::value::{Data, Entry, Value};

/// Where a path leads: a key (or an element's position) a step.
pub(crate) type Leaf = Vec<Step>;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Element(usize),
}

/// Every place that a path names. Only its last key, or a table without elements, may be missing.
pub(crate) fn resolve(root: &Value, path: &str, at: At) -> Result<Vec<Leaf>, Diagnostic> {
    let segments: Vec<&str> = path.split('.').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        let help = "write a path such as workload.kv.arrivals.rate";
        return Err(Diagnostic::new(at, format!("`{path}` is not a path"), "an empty step").help(help));
    }
    let mut here: Vec<(Leaf, &Value)> = vec![(Vec::new(), root)];
    for (depth, segment) in segments.iter().enumerate() {
        let last = depth + 1 == segments.len();
        let mut next = Vec::new();
        let mut created = Vec::new();
        for (leaf, value) in &here {
            match &value.data {
                Data::Table(_) => keys(leaf, value, segment, &mut next),
                Data::Array(_) => elements(leaf, value, segment, &mut next),
                _ => {}
            }
            // A key that the file left out may be set; the walk tells whether it exists.
            if next.is_empty() && matches!(value.data, Data::Table(_)) && creatable(root, depth, segment) {
                let rest = segments[depth..].iter().map(|segment| Step::Key((*segment).to_owned()));
                if last || segments.len() - depth <= 2 {
                    created.push(leaf.iter().cloned().chain(rest).collect::<Leaf>());
                }
            }
        }
        if next.is_empty() {
            return if created.is_empty() { Err(no_match(path, segment, &here, at)) } else { Ok(created) };
        }
        here = next;
    }
    Ok(here.into_iter().map(|(leaf, _)| leaf).collect())
}

/// Names of top-level arrays are never created: `workload.x` without any workload is a mistake.
fn creatable(_: &Value, depth: usize, segment: &str) -> bool {
    const ARRAYS: &[&str] =
        &["site", "link", "node", "service", "workload", "fault", "expect", "sweep", "policy"];
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    segment.chars().all(plain) && !(depth == 0 && ARRAYS.contains(&segment))
}

fn keys<'v>(leaf: &Leaf, value: &'v Value, segment: &str, next: &mut Vec<(Leaf, &'v Value)>) {
    for entry in value.entries().iter().filter(|entry| glob(segment, &entry.key)) {
        let mut leaf = leaf.clone();
        leaf.push(Step::Key(entry.key.clone()));
        next.push((leaf, &entry.value));
    }
}

fn elements<'v>(leaf: &Leaf, value: &'v Value, segment: &str, next: &mut Vec<(Leaf, &'v Value)>) {
    for (index, item) in value.items().iter().enumerate() {
        let named = item.get("name").and_then(Value::as_text).is_some_and(|name| glob(segment, name));
        if named || segment == "*" || segment.parse() == Ok(index) {
            let mut leaf = leaf.clone();
            leaf.push(Step::Element(index));
            next.push((leaf, item));
        }
    }
}

fn no_match(path: &str, segment: &str, here: &[(Leaf, &Value)], at: At) -> Diagnostic {
    let mut exist: Vec<String> = Vec::new();
    for (_, value) in here {
        exist.extend(value.entries().iter().map(|entry| entry.key.clone()));
        let names = value.items().iter().enumerate().map(|(index, item)| {
            item.get("name").and_then(Value::as_text).map_or(index.to_string(), str::to_owned)
        });
        exist.extend(names);
    }
    exist.sort();
    exist.dedup();
    let title = format!("the path `{path}` matches nothing");
    let wrong = Diagnostic::new(at, title, format!("no `{segment}` here"));
    wrong.suggest(segment, &format!("steps in place of `{segment}`"), &exist)
}

/// Sets what a leaf leads to, creating its last tables and key.
pub(crate) fn set(root: &mut Value, leaf: &[Step], to: &Value) {
    let Some((step, rest)) = leaf.split_first() else {
        *root = to.clone();
        return;
    };
    match (&mut root.data, step) {
        (Data::Array(items), Step::Element(index)) => {
            if let Some(item) = items.get_mut(*index) {
                set(item, rest, to);
            }
        }
        (Data::Table(entries), Step::Key(key)) => {
            let position = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
                let value = Value::new(to.at, Data::Table(Vec::new()));
                entries.push(Entry { key: key.clone(), key_at: to.at, value });
                entries.len() - 1
            });
            set(&mut entries[position].value, rest, to);
        }
        _ => {}
    }
}
