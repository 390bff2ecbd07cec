//! The walk over declared fields. One declaration of a field yields its value, the mistakes in it,
//! its canonical text and its JSON Schema.

use murphy_sim::Span;
use serde_json::{Map, Value as Json, json};

use super::diagnostic::{At, Diagnostic};
use super::quantity::{self, Wrong};
use super::value::{Data, Entry, Value};
use crate::describe::{Dimension, ModelInfo};

/// What a walk knows and finds.
pub(crate) struct Walk<'m> {
    pub(crate) models: &'m [ModelInfo],
    pub(crate) found: Vec<Diagnostic>,
    /// Tables and keys of a later version, in the file: names are not resolved then.
    pub(crate) unsupported: bool,
}

impl<'m> Walk<'m> {
    pub(crate) fn new(models: &'m [ModelInfo]) -> Walk<'m> {
        Walk { models, found: Vec::new(), unsupported: false }
    }

    fn mismatch(&mut self, value: &Value, expected: &str) {
        let title = format!("expected {expected}, found {}", value.found());
        self.found.push(Diagnostic::new(value.at, title, format!("this is {}", value.kind())));
    }
}

/// Something that a key may hold.
pub(crate) trait Field: Sized {
    /// The value and its canonical form; after a mistake, a placeholder.
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Self, Value);
    /// JSON Schema.
    fn schema(models: &[ModelInfo]) -> Json;
    /// Stands for a value that could not be read.
    fn placeholder() -> Self;
}

/// A table with declared keys.
pub(crate) trait Table: Sized {
    /// What it is called in errors, such as `[[fault]]`.
    const WHAT: &'static str;
    /// Declares and reads the keys.
    fn fields(fields: &mut Fields<'_, '_, '_>) -> Self;
}

/// One alternative of a table that a key such as `kind` selects.
pub(crate) struct Kind<T> {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) read: fn(&mut Fields<'_, '_, '_>) -> T,
}

/// A table while it is read, or, without a value, while its schema is gathered.
pub(crate) struct Fields<'v, 'w, 'm> {
    pub(crate) walk: &'w mut Walk<'m>,
    pub(crate) at: At,
    what: String,
    entries: &'v [Entry],
    known: Vec<&'static str>,
    /// Keys of a later version that the table has.
    later: Vec<&'static str>,
    canonical: Vec<Entry>,
    schema: Option<Schema>,
    /// The table's kind is unknown, so nobody can say which keys it may have.
    lenient: bool,
}

#[derive(Default)]
struct Schema {
    properties: Map<String, Json>,
    required: Vec<&'static str>,
    alternatives: Vec<Json>,
}

/// Keys, whether they are required, and what they say: for `murphy list`.
pub(crate) type KeyList = Vec<(String, bool, String)>;

impl<'v, 'w, 'm> Fields<'v, 'w, 'm> {
    fn open(what: &str, value: &'v Value, walk: &'w mut Walk<'m>) -> Self {
        let (at, entries) = (value.at, value.entries());
        Fields {
            walk,
            at,
            what: what.to_owned(),
            entries,
            known: Vec::new(),
            later: Vec::new(),
            canonical: Vec::new(),
            schema: None,
            lenient: false,
        }
    }

    fn declare(walk: &'w mut Walk<'m>) -> Fields<'static, 'w, 'm> {
        Fields {
            walk,
            at: At::NONE,
            what: String::new(),
            entries: &[],
            known: Vec::new(),
            later: Vec::new(),
            canonical: Vec::new(),
            schema: Some(Schema::default()),
            lenient: false,
        }
    }

    fn entry(&mut self, key: &'static str) -> Option<&'v Entry> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn record<T: Field>(&mut self, key: &'static str, about: &str, default: Option<&str>) {
        let models = self.walk.models;
        if let Some(schema) = &mut self.schema {
            let mut json = T::schema(models);
            if let Some(object) = json.as_object_mut() {
                object.insert("description".to_owned(), json!(about));
                if let Some(default) = default {
                    object.insert("default".to_owned(), literal(default).to_json());
                }
            }
            schema.properties.insert(key.to_owned(), json);
        }
    }

    fn take<T: Field>(&mut self, key: &'static str, value: &Value) -> T {
        let (read, canonical) = T::read(value, self.walk);
        self.emit(key, canonical);
        read
    }

    /// A key that holds one of a closed set of words.
    pub(crate) fn choice(
        &mut self,
        key: &'static str,
        about: &str,
        words: &'static [&'static str],
        default: &'static str,
    ) -> &'static str {
        let schema = json!({ "enum": words, "default": default });
        let Some(value) = self.raw(key, about, schema) else {
            self.emit(key, Value::text(default));
            return default;
        };
        let found = value.as_text().unwrap_or_default();
        if let Some(word) = words.iter().find(|word| **word == found) {
            self.emit(key, Value::text(*word));
            return word;
        }
        let title = format!("unknown {key} {}", value.found());
        let wrong = Diagnostic::new(value.at, title, "not one of the words").suggest(found, "words", words);
        self.walk.found.push(wrong);
        default
    }

    /// Adds a key to the canonical text.
    pub(crate) fn emit(&mut self, key: &str, value: Value) {
        self.canonical.push(Entry { key: key.to_owned(), key_at: At::NONE, value });
    }

    /// A key that must be there.
    pub(crate) fn required<T: Field>(&mut self, key: &'static str, about: &str) -> T {
        self.record::<T>(key, about, None);
        if let Some(schema) = &mut self.schema {
            schema.required.push(key);
            self.known.push(key);
            return T::placeholder();
        }
        if let Some(entry) = self.entry(key) {
            return self.take(key, &entry.value);
        }
        let mut missing =
            Diagnostic::new(self.at, format!("{} needs `{key}`: {about}", self.what), "in this table");
        missing.missing = true;
        self.walk.found.push(missing);
        T::placeholder()
    }

    /// A key that may be left out.
    pub(crate) fn optional<T: Field>(&mut self, key: &'static str, about: &str) -> Option<T> {
        self.record::<T>(key, about, None);
        self.entry(key).map(|entry| self.take(key, &entry.value))
    }

    /// A key with a default, written as TOML.
    pub(crate) fn default<T: Field>(&mut self, key: &'static str, about: &str, default: &str) -> T {
        self.record::<T>(key, about, Some(default));
        if let Some(entry) = self.entry(key) {
            return self.take(key, &entry.value);
        }
        if self.schema.is_some() {
            return T::placeholder();
        }
        let mut value = literal(default);
        value.at = self.at;
        self.take(key, &value)
    }

    /// A table whose keys all have defaults.
    pub(crate) fn section<T: Field>(&mut self, key: &'static str, about: &str) -> T {
        self.record::<T>(key, about, None);
        match self.entry(key) {
            Some(entry) => self.take(key, &entry.value),
            None if self.schema.is_some() => T::placeholder(),
            None => self.take(key, &Value::new(self.at, Data::Table(Vec::new()))),
        }
    }

    /// Tables of the same kind, such as `[[node]]`.
    pub(crate) fn list<T: Field>(&mut self, key: &'static str, about: &str) -> Vec<T> {
        self.optional(key, about).unwrap_or_default()
    }

    /// A key that another walk reads: its value, and its place in the canonical text.
    pub(crate) fn raw(&mut self, key: &'static str, about: &str, schema: Json) -> Option<&'v Value> {
        if let Some(gathered) = &mut self.schema {
            let mut schema = schema;
            schema["description"] = json!(about);
            gathered.properties.insert(key.to_owned(), schema);
        }
        self.entry(key).map(|entry| &entry.value)
    }

    /// A key of the format that this version does not know.
    pub(crate) fn unsupported(&mut self, key: &'static str, what: &str) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == key) {
            self.later.push(key);
            let title = format!("`{key}` is not supported by this version: {what}");
            self.walk.found.push(Diagnostic::new(entry.key_at, title, "not supported yet"));
            self.walk.unsupported = true;
        }
    }

    /// Reads the key that selects an alternative, then the alternative's own keys.
    pub(crate) fn tagged<T>(&mut self, tag: &'static str, kinds: &[Kind<T>]) -> Option<(&'static str, T)> {
        if self.schema.is_some() {
            self.declare_kinds(tag, kinds);
            return None;
        }
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        let Some(entry) = self.entry(tag) else {
            let title = format!("{} needs `{tag}`", self.what);
            let mut missing = Diagnostic::new(self.at, title, "in this table").suggest("", "kinds", &names);
            missing.missing = true;
            self.walk.found.push(missing);
            self.lenient = true;
            return None;
        };
        let chosen = entry.value.as_text().and_then(|text| kinds.iter().find(|kind| kind.name == text));
        let Some(kind) = chosen else {
            let found = entry.value.as_text().unwrap_or_default();
            let title = format!("unknown {tag} {}", entry.value.found());
            let wrong = Diagnostic::new(entry.value.at, title, format!("not a {tag}"));
            self.walk.found.push(wrong.suggest(found, "kinds", &names));
            self.lenient = true;
            return None;
        };
        self.what = format!("{} of {tag} `{}`", self.what, kind.name);
        self.emit(tag, Value::text(kind.name));
        Some((kind.name, (kind.read)(self)))
    }

    fn declare_kinds<T>(&mut self, tag: &'static str, kinds: &[Kind<T>]) {
        for kind in kinds {
            let mut fields = Fields::declare(self.walk);
            _ = (kind.read)(&mut fields);
            let mut schema = fields.schema.take().unwrap_or_default();
            schema.properties.insert(tag.to_owned(), json!({ "const": kind.name }));
            schema.required.push(tag);
            let mut object = schema.object();
            object["description"] = json!(kind.about);
            if let Some(gathered) = &mut self.schema {
                gathered.alternatives.push(object);
            }
        }
    }

    /// Reports a mistake.
    pub(crate) fn error(&mut self, found: Diagnostic) {
        self.walk.found.push(found);
    }

    /// Whether a key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Where the value of a key stands, or else the table.
    pub(crate) fn spot(&self, key: &str) -> At {
        self.entries.iter().find(|entry| entry.key == key).map_or(self.at, |entry| entry.value.at)
    }

    /// Whether a key is there and its value could be read.
    pub(crate) fn good(&self, key: &str) -> bool {
        let at = self.spot(key);
        self.has(key) && !self.walk.found.iter().any(|found| found.at == at)
    }

    /// A key that was read before the walk.
    pub(crate) fn known(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// Whether values are read, not the schema.
    pub(crate) fn live(&self) -> bool {
        self.schema.is_none()
    }

    fn close(self) -> Value {
        let declared = |key: &str| self.known.contains(&key) || self.later.contains(&key);
        let unknown = |entry: &&Entry| !self.lenient && !declared(&entry.key);
        for entry in self.entries.iter().filter(unknown) {
            let title = format!("unknown key `{}` in {}", entry.key, self.what);
            let wrong = Diagnostic::new(entry.key_at, title, "not a key of this table");
            self.walk.found.push(wrong.suggest(&entry.key, "keys", &self.known));
        }
        Value::new(At::NONE, Data::Table(self.canonical))
    }
}

impl Schema {
    fn object(self) -> Json {
        if self.alternatives.is_empty() {
            return json!({
                "type": "object",
                "properties": self.properties,
                "required": self.required,
                "additionalProperties": false,
            });
        }
        let merge = |mut kind: Json| {
            for (key, value) in &self.properties {
                kind["properties"][key] = value.clone();
            }
            if let Some(required) = kind["required"].as_array_mut() {
                required.extend(self.required.iter().map(|key| json!(key)));
            }
            kind
        };
        json!({ "oneOf": self.alternatives.into_iter().map(merge).collect::<Vec<_>>() })
    }
}

/// Keys that one alternative adds: name, whether required, and its description.
pub(crate) fn keys_of<T>(kind: &Kind<T>) -> KeyList {
    let mut walk = Walk::new(&[]);
    let mut fields = Fields::declare(&mut walk);
    _ = (kind.read)(&mut fields);
    let schema = fields.schema.take().unwrap_or_default();
    let about = |json: &Json| json["description"].as_str().unwrap_or_default().to_owned();
    let required = |key: &String| schema.required.contains(&key.as_str());
    schema.properties.iter().map(|(key, json)| (key.clone(), required(key), about(json))).collect()
}

/// A default of this crate's own declarations.
fn literal(text: &str) -> Value {
    super::value::parse_value(0, text, 0).expect("a declared default is TOML")
}

impl<T: Table> Field for T {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (T, Value) {
        if !matches!(value.data, Data::Table(_)) {
            walk.mismatch(value, &format!("a table ({})", T::WHAT));
            return (T::placeholder(), value.clone());
        }
        let mut fields = Fields::open(T::WHAT, value, walk);
        let read = T::fields(&mut fields);
        (read, fields.close())
    }

    fn schema(models: &[ModelInfo]) -> Json {
        let mut walk = Walk::new(models);
        let mut fields = Fields::declare(&mut walk);
        _ = T::fields(&mut fields);
        fields.schema.take().unwrap_or_default().object()
    }

    fn placeholder() -> T {
        T::fields(&mut Fields::declare(&mut Walk::new(&[])))
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Vec<T>, Value) {
        if !matches!(value.data, Data::Array(_)) {
            walk.mismatch(value, "a list");
        }
        let (read, canonical) = value.items().iter().map(|item| T::read(item, walk)).unzip();
        (read, Value::array(canonical))
    }

    fn schema(models: &[ModelInfo]) -> Json {
        json!({ "type": "array", "items": T::schema(models) })
    }

    fn placeholder() -> Vec<T> {
        Vec::new()
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Located<T> {
    pub(crate) at: At,
    pub(crate) value: T,
}

impl<T: Field> Field for Located<T> {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Located<T>, Value) {
        let (read, canonical) = T::read(value, walk);
        (Located { at: value.at, value: read }, canonical)
    }

    fn schema(models: &[ModelInfo]) -> Json {
        T::schema(models)
    }

    fn placeholder() -> Located<T> {
        Located { at: At::NONE, value: T::placeholder() }
    }
}

impl Field for String {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (String, Value) {
        if value.as_text().is_none() {
            walk.mismatch(value, "a string");
        }
        (value.as_text().unwrap_or_default().to_owned(), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string" })
    }

    fn placeholder() -> String {
        String::new()
    }
}

impl Field for bool {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (bool, Value) {
        if let Data::Flag(flag) = value.data {
            return (flag, value.clone());
        }
        walk.mismatch(value, "true or false");
        (false, value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "boolean" })
    }

    fn placeholder() -> bool {
        false
    }
}

/// A name that expectations and paths can spell: letters, digits, `-` and `_`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) String);

impl Field for Name {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Name, Value) {
        let (text, canonical) = String::read(value, walk);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let good = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.chars().all(plain)
            && text.len() <= 64
            && !text.ends_with('-');
        if value.as_text().is_some() && !good {
            let title = format!("{} is not a name", value.found());
            let wrong = Diagnostic::new(value.at, title, "not a name").help(
                "a name has 1 to 64 letters, digits, `-` and `_`, and neither starts nor ends with `-`",
            );
            walk.found.push(wrong);
        }
        (Name(text), canonical)
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$", "maxLength": 64 })
    }

    fn placeholder() -> Name {
        Name::default()
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<const MIN: u64, const MAX: u64>(pub(crate) u64);

impl<const MIN: u64, const MAX: u64> Field for Count<MIN, MAX> {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Self, Value) {
        (Count(read_count(value, MIN, MAX, walk)), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }

    fn placeholder() -> Self {
        Count(MIN)
    }
}

pub(crate) fn read_count(value: &Value, min: u64, max: u64, walk: &mut Walk<'_>) -> u64 {
    let Data::Integer(number) = value.data else {
        walk.mismatch(value, "a whole number");
        return min;
    };
    match u64::try_from(number) {
        Ok(count) if (min..=max).contains(&count) => count,
        _ => {
            let title = format!("{number} is out of range");
            walk.found.push(Diagnostic::new(value.at, title, format!("must be from {min} to {max}")));
            min
        }
    }
}

pub(crate) fn read_number(value: &Value, min: f64, max: f64, walk: &mut Walk<'_>) -> f64 {
    let number = match value.data {
        Data::Float(number) => number,
        Data::Integer(number) => number as f64,
        _ => {
            walk.mismatch(value, "a number");
            return min;
        }
    };
    if (min..=max).contains(&number) {
        return number;
    }
    let title = format!("{} is out of range", value.found());
    walk.found.push(Diagnostic::new(value.at, title, range_label(min, max)));
    min
}

fn range_label(min: f64, max: f64) -> String {
    if max >= f64::MAX { format!("must be at least {min}") } else { format!("must be from {min} to {max}") }
}

/// A plain number; the bounds are whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<const MIN: i64, const MAX: i64>(pub(crate) f64);

impl<const MIN: i64, const MAX: i64> Field for Number<MIN, MAX> {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Self, Value) {
        let number = read_number(value, MIN as f64, MAX as f64, walk);
        (Number(number), Value::number(number))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "number", "minimum": MIN, "maximum": MAX })
    }

    fn placeholder() -> Self {
        Number(MIN as f64)
    }
}

/// A number above zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positive(pub(crate) f64);

impl Field for Positive {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Self, Value) {
        let number = read_number(value, 0.0, 1e9, walk);
        if number <= 0.0 && walk.found.last().is_none_or(|found| found.at != value.at) {
            let title = format!("{} is out of range", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "must be greater than 0"));
        }
        (Positive(number), Value::number(number))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000_000 })
    }

    fn placeholder() -> Self {
        Positive(1.0)
    }
}

/// Reads a quantity with a unit from a string; a bare number is shown with its unit.
fn read_quantity<T>(
    value: &Value,
    dimension: Dimension,
    parse: fn(&str) -> Result<T, Wrong>,
    walk: &mut Walk<'_>,
) -> Option<T> {
    let wrong = match &value.data {
        Data::Text(text) => match parse(text) {
            Ok(quantity) => return Some(quantity),
            Err(wrong) => wrong,
        },
        Data::Integer(_) | Data::Float(_) => {
            Wrong { label: "no unit".to_owned(), help: Some(quantity::with_unit(&value.inline(), dimension)) }
        }
        _ => Wrong { label: format!("this is {}", value.kind()), help: None },
    };
    let title = format!("expected {}, found {}", quantity::expected(dimension), value.found());
    let mut found = Diagnostic::new(value.at, title, wrong.label);
    found.help.extend(wrong.help);
    walk.found.push(found);
    None
}

impl Field for Span {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Span, Value) {
        let span = read_quantity(value, Dimension::Time, quantity::duration, walk).unwrap_or_default();
        (span, Value::text(quantity::duration_text(span.0)))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|min|h|d)$", "examples": ["500ms"] })
    }

    fn placeholder() -> Span {
        Span::ZERO
    }
}

/// A duration that may be negative, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed(pub(crate) i64);

impl Field for Signed {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Signed, Value) {
        let nanos =
            read_quantity(value, Dimension::Time, quantity::signed_duration, walk).unwrap_or_default();
        (Signed(nanos), Value::text(quantity::signed_text(nanos)))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|min|h|d)$", "examples": ["-5ms"] })
    }

    fn placeholder() -> Signed {
        Signed(0)
    }
}

/// Something per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) f64);

impl Field for Rate {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Rate, Value) {
        let rate = read_quantity(value, Dimension::Rate, quantity::rate, walk).unwrap_or(1.0);
        (Rate(rate), Value::text(format!("{rate}/s")))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?/(s|min|h)$", "examples": ["200/s"] })
    }

    fn placeholder() -> Rate {
        Rate(1.0)
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(pub(crate) u64);

impl Field for Bytes {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Bytes, Value) {
        let bytes = read_quantity(value, Dimension::Bytes, quantity::bytes, walk).unwrap_or_default();
        (Bytes(bytes), Value::text(format!("{bytes}B")))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(B|[kMG]B|[KMG]iB)$", "examples": ["4kB"] })
    }

    fn placeholder() -> Bytes {
        Bytes(0)
    }
}

/// Bytes per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bandwidth(pub(crate) f64);

impl Field for Bandwidth {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Bandwidth, Value) {
        let rate = read_quantity(value, Dimension::Bandwidth, quantity::bandwidth, walk).unwrap_or(1.0);
        (Bandwidth(rate), Value::text(format!("{rate}B/s")))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(B|[kMG]B|[KMG]iB)/s$", "examples": ["10MB/s"] })
    }

    fn placeholder() -> Bandwidth {
        Bandwidth(1.0)
    }
}

/// A probability: `0.001` or `"0.1%"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probability(pub(crate) f64);

impl Field for Probability {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Probability, Value) {
        let number = match &value.data {
            Data::Text(text) => match quantity::share(text) {
                Ok(number) => number,
                Err(wrong) => {
                    let title =
                        format!("expected a probability such as 0.001 or \"0.1%\", found {}", value.found());
                    let mut found = Diagnostic::new(value.at, title, wrong.label);
                    found.help.extend(wrong.help);
                    walk.found.push(found);
                    0.0
                }
            },
            _ => read_number(value, 0.0, 1.0, walk),
        };
        if !(0.0..=1.0).contains(&number) {
            let title = format!("{} is not a probability", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "must be from 0 to 1, or 0% to 100%"));
        }
        (Probability(number), Value::number(number))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?%?$" },
        ] })
    }

    fn placeholder() -> Probability {
        Probability(0.0)
    }
}

/// One pattern or a list of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns(pub(crate) Vec<Located<String>>);

impl Field for Patterns {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Patterns, Value) {
        if let Data::Array(items) = &value.data {
            if items.is_empty() {
                walk.found.push(Diagnostic::new(value.at, "the list is empty", "names nothing"));
            }
            let (read, canonical) = Vec::read(value, walk);
            return (Patterns(read), canonical);
        }
        if value.as_text().is_none() {
            walk.mismatch(value, "a pattern such as \"client*\", or a list of patterns");
            return (Patterns::default(), value.clone());
        }
        let (read, canonical) = Located::read(value, walk);
        (Patterns(vec![read]), canonical)
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
    }

    fn placeholder() -> Patterns {
        Patterns::default()
    }
}

impl Value {
    /// The value as JSON, for defaults in the schema.
    pub(crate) fn to_json(&self) -> Json {
        match &self.data {
            Data::Text(text) | Data::Date(text) => json!(text),
            Data::Integer(number) => json!(i64::try_from(*number).unwrap_or(i64::MAX)),
            Data::Float(number) => json!(number),
            Data::Flag(flag) => json!(flag),
            Data::Array(items) => items.iter().map(Value::to_json).collect(),
            Data::Table(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Json::Object(pairs.collect())
            }
        }
    }
}
