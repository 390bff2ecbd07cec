//! A TOML value that knows where it stands, and its canonical text.

use std::fmt::Write as _;

use toml::de::{DeTable, DeValue};

use super::diagnostic::{At, Diagnostic};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) at: At,
    pub(crate) data: Data,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Text(String),
    Integer(i128),
    Float(f64),
    Flag(bool),
    Date(String),
    Array(Vec<Value>),
    Table(Vec<Entry>),
}

/// A key of a table, in file order.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: At,
    pub(crate) value: Value,
}

impl Value {
    pub(crate) fn new(at: At, data: Data) -> Value {
        Value { at, data }
    }

    pub(crate) fn text(text: impl Into<String>) -> Value {
        Value::new(At::NONE, Data::Text(text.into()))
    }

    pub(crate) fn number(number: f64) -> Value {
        Value::new(At::NONE, Data::Float(number))
    }

    pub(crate) fn count(count: u64) -> Value {
        Value::new(At::NONE, Data::Integer(i128::from(count)))
    }

    pub(crate) fn array(values: Vec<Value>) -> Value {
        Value::new(At::NONE, Data::Array(values))
    }

    pub(crate) fn table(entries: Vec<(&str, Value)>) -> Value {
        let entry = |(key, value): (&str, Value)| Entry { key: key.to_owned(), key_at: At::NONE, value };
        Value::new(At::NONE, Data::Table(entries.into_iter().map(entry).collect()))
    }

    /// What it is, in words that a user of TOML knows.
    pub(crate) fn kind(&self) -> &'static str {
        match self.data {
            Data::Text(_) => "a string",
            Data::Integer(_) => "a whole number",
            Data::Float(_) => "a number",
            Data::Flag(_) => "true or false",
            Data::Date(_) => "a date",
            Data::Array(_) => "a list",
            Data::Table(_) => "a table",
        }
    }

    /// What was found, for an error: scalars as they stand, the rest by kind.
    pub(crate) fn found(&self) -> String {
        match &self.data {
            Data::Array(_) | Data::Table(_) => self.kind().to_owned(),
            _ => {
                let text = self.inline();
                let short: String = text.chars().take(40).collect();
                if short.len() < text.len() { format!("{short}…") } else { short }
            }
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Data::Text(text) = &self.data { Some(text) } else { None }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        if let Data::Table(entries) = &self.data { entries } else { &[] }
    }

    pub(crate) fn items(&self) -> &[Value] {
        if let Data::Array(items) = &self.data { items } else { &[] }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Text of the value on one line.
    pub(crate) fn inline(&self) -> String {
        let mut out = String::new();
        self.write_inline(&mut out);
        out
    }

    fn write_inline(&self, out: &mut String) {
        match &self.data {
            Data::Text(text) => out.push_str(&quoted(text)),
            Data::Integer(number) => _ = write!(out, "{number}"),
            Data::Float(number) => _ = write!(out, "{number:?}"),
            Data::Flag(flag) => _ = write!(out, "{flag}"),
            Data::Date(text) => out.push_str(text),
            Data::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    item.write_inline(out);
                }
                out.push(']');
            }
            Data::Table(entries) if entries.is_empty() => out.push_str("{}"),
            Data::Table(entries) => {
                out.push_str("{ ");
                for (i, entry) in entries.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    _ = write!(out, "{} = ", key(&entry.key));
                    entry.value.write_inline(out);
                }
                out.push_str(" }");
            }
        }
    }

    /// Text of a whole document: plain keys, then tables, then arrays of tables; the rest inline.
    pub(crate) fn document(&self) -> String {
        let mut out = String::new();
        let (mut tables, mut arrays) = (String::new(), String::new());
        for entry in self.entries() {
            match &entry.value.data {
                Data::Table(entries) => section(&mut tables, &format!("[{}]", key(&entry.key)), entries),
                Data::Array(items) if !items.is_empty() && items.iter().all(Value::is_table) => {
                    for item in items {
                        section(&mut arrays, &format!("[[{}]]", key(&entry.key)), item.entries());
                    }
                }
                _ => _ = writeln!(out, "{} = {}", key(&entry.key), entry.value.inline()),
            }
        }
        out + &tables + &arrays
    }

    fn is_table(&self) -> bool {
        matches!(self.data, Data::Table(_))
    }
}

fn section(out: &mut String, header: &str, entries: &[Entry]) {
    _ = writeln!(out, "\n{header}");
    for entry in entries {
        let items = entry.value.items();
        if header == "[repro]" && items.len() > 1 {
            // Decisions: one a line, for people who compare them.
            _ = writeln!(out, "{} = [", key(&entry.key));
            for item in items {
                _ = writeln!(out, "  {},", item.inline());
            }
            out.push_str("]\n");
            continue;
        }
        _ = writeln!(out, "{} = {}", key(&entry.key), entry.value.inline());
    }
}

fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quoted(key) }
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => _ = write!(out, "\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Parses a text that this crate wrote.
pub(crate) fn parse_tree(text: &str) -> Value {
    parse_document(0, text).0
}

/// Parses a document as far as it can be parsed; the mistakes of its syntax come beside it.
pub(crate) fn parse_document(source: u32, text: &str) -> (Value, Vec<Diagnostic>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut out: Vec<_> = errors.iter().map(|error| syntax(source, text, error)).collect();
    let at = At::new(source, 0..0);
    let entries = convert_table(source, table.get_ref(), &mut out);
    (Value::new(at, Data::Table(entries)), out)
}

/// Parses one value, such as the right side of `--set`.
pub(crate) fn parse_value(source: u32, text: &str, offset: usize) -> Result<Value, Diagnostic> {
    let value = DeValue::parse(&text[offset..]).map_err(|error| {
        let mut found = syntax(source, text, &error);
        found.at = At::new(source, offset..text.len());
        found
    })?;
    let mut out = Vec::new();
    let mut value = convert(source, &value, &mut out);
    value.at = At::new(source, offset..text.len());
    out.pop().map_or(Ok(value), Err)
}

fn syntax(source: u32, text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(text.len()..text.len());
    Diagnostic::new(At::new(source, span), format!("not TOML: {}", error.message()), "here")
}

fn convert_table(source: u32, table: &DeTable<'_>, out: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_at: At::new(source, key.span()),
            value: convert(source, value, out),
        })
        .collect();
    // The crate sorts by name; mistakes and operations read better in the order of the file.
    entries.sort_by_key(|entry| entry.key_at.start());
    entries
}

fn convert(source: u32, value: &toml::Spanned<DeValue<'_>>, out: &mut Vec<Diagnostic>) -> Value {
    let at = At::new(source, value.span());
    let data = match value.get_ref() {
        DeValue::String(text) => Data::Text(text.to_string()),
        DeValue::Integer(number) => {
            Data::Integer(i128::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
                out.push(Diagnostic::new(at, "the number is too large", "too many digits"));
                0
            }))
        }
        DeValue::Float(number) => Data::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Data::Flag(*flag),
        DeValue::Datetime(date) => Data::Date(date.to_string()),
        DeValue::Array(items) => Data::Array(items.iter().map(|item| convert(source, item, out)).collect()),
        DeValue::Table(table) => Data::Table(convert_table(source, table, out)),
    };
    Value::new(at, data)
}
