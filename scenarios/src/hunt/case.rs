//! A concrete run as a tree of TOML, and what can be taken out of it.

use murphy_sim::Span;

use crate::hazard;
use crate::language::{Data, Entry, Scenario, Value, duration_text, parse_tree};

/// A scenario file with one concrete run, before it is read.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    tree: Value,
}

impl Case {
    /// The file of a scenario, which may have generators still.
    pub(crate) fn of(scenario: &Scenario) -> Case {
        Case { tree: parse_tree(scenario.render()) }
    }

    /// The concrete run of a scenario with a seed: generators become their plan, and expectations go.
    pub(crate) fn concrete(scenario: &Scenario, seed: u64) -> Case {
        let mut case = Case::of(scenario);
        case.set(&["seed"], Value::count(seed));
        case.set(&["warmup"], Value::text("0s"));
        case.drop_keys(&["hazard", "expect", "fault", "outcome"]);
        case.add(&hazard::expand(scenario, seed).render(), "fault");
        case
    }

    pub(crate) fn tree(&self) -> &Value {
        &self.tree
    }

    /// The file's text.
    pub(crate) fn render(&self) -> String {
        self.tree.document()
    }

    pub(crate) fn drop_keys(&mut self, keys: &[&str]) {
        if let Data::Table(entries) = &mut self.tree.data {
            entries.retain(|entry| !keys.contains(&entry.key.as_str()));
        }
    }

    /// Adds tables such as `[[hazard]]`.
    pub(crate) fn add(&mut self, text: &str, key: &'static str) {
        let more = parse_tree(text);
        let mut all = self.list(key);
        all.extend(more.get(key).map(Value::items).unwrap_or_default().iter().cloned());
        self.set_list(key, all);
    }

    pub(crate) fn get(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.tree, |value, key| value.get(key))
    }

    /// Sets a value by its path; tables on the way are made.
    pub(crate) fn set(&mut self, path: &[&str], value: Value) {
        set(&mut self.tree, path, value);
    }

    /// Elements of an array, or nothing.
    pub(crate) fn list(&self, key: &str) -> Vec<Value> {
        self.get(&[key]).map(Value::items).unwrap_or_default().to_vec()
    }

    /// Replaces an array of tables; an empty one goes.
    pub(crate) fn set_list(&mut self, key: &str, items: Vec<Value>) {
        if items.is_empty() {
            self.drop_keys(&[key]);
        } else {
            self.set(&[key], Value::array(items));
        }
    }

    pub(crate) fn faults(&self) -> Vec<Value> {
        self.list("fault")
    }

    pub(crate) fn with_faults(&self, faults: &[Value]) -> Case {
        let mut case = self.clone();
        case.set_list("fault", faults.to_vec());
        case
    }

    /// A list of texts of `[repro]`; `None` when the key is not there.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let items = self.get(&["repro", key])?.items();
        Some(items.iter().filter_map(Value::as_text).map(str::to_owned).collect())
    }

    pub(crate) fn with_texts(&self, key: &str, texts: &[String]) -> Case {
        let mut case = self.clone();
        case.set(&["repro", key], Value::array(texts.iter().map(Value::text).collect()));
        case
    }

    pub(crate) fn duration(&self) -> Option<Span> {
        crate::language::duration(self.get(&["duration"])?.as_text()?).ok()
    }

    pub(crate) fn set_duration(&mut self, duration: Span) {
        self.set(&["duration"], Value::text(duration_text(duration.0)));
    }
}

fn set(tree: &mut Value, path: &[&str], value: Value) {
    let ([key, rest @ ..], Data::Table(entries)) = (path, &mut tree.data) else { return };
    let place = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
        let value = Value::table(Vec::new());
        entries.push(Entry { key: (*key).to_owned(), key_at: tree.at, value });
        entries.len() - 1
    });
    if rest.is_empty() {
        entries[place].value = value;
    } else {
        set(&mut entries[place].value, rest, value);
    }
}

/// Text of a key of a table.
pub(crate) fn text<'v>(table: &'v Value, key: &str) -> &'v str {
    table.get(key).and_then(Value::as_text).unwrap_or_default()
}

/// A duration that a table holds.
pub(crate) fn span(table: &Value, key: &str) -> Option<Span> {
    crate::language::duration(table.get(key)?.as_text()?).ok()
}

/// The table with a key set.
pub(crate) fn with(table: &Value, key: &str, value: Value) -> Value {
    let mut table = table.clone();
    set(&mut table, &[key], value);
    table
}
