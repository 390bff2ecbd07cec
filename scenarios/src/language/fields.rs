//! The walk over declared fields. One declaration of a field yields its value, the mistakes in it,
//! its canonical text and its JSON Schema.

use serde_json::{Map, Value as Json, json};

use super::diagnostic::{At, Diagnostic};
pub(crate) use super::leaf::{
    Bandwidth, Bytes, Count, FaultName, Name, Number, Patterns, Positive, Probability, Rate, Signed,
    read_count, read_number,
};
use super::value::{Data, Entry, Value};
use crate::describe::ModelInfo;

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

    pub(super) fn mismatch(&mut self, value: &Value, expected: &str) {
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

    /// The canonical text so far.
    pub(crate) fn emitted(&self) -> &[Entry] {
        &self.canonical
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

    /// A key that must be there for one of several kinds of a table. The schema leaves it open.
    pub(crate) fn needed<T: Field>(&mut self, key: &'static str, about: &str) -> T {
        let read = self.required(key, about);
        if let Some(schema) = &mut self.schema {
            schema.required.retain(|required| *required != key);
        }
        read
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

    /// Reports keys of which just one may be there, unless just one is; with `required`, none is a
    /// mistake too.
    pub(crate) fn one_of(&mut self, keys: &[&'static str], required: bool) {
        if !self.live() {
            return;
        }
        let given: Vec<&str> = keys.iter().copied().filter(|key| self.has(key)).collect();
        let title = match given.len() {
            0 if required => format!("none of {} is given", ticked(keys)),
            0 | 1 => return,
            _ => format!("{} exclude one another", ticked(&given)),
        };
        self.error(Diagnostic::new(self.at, title, "give one of them"));
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

/// Keys as words of a sentence.
fn ticked(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    match keys.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => keys.concat(),
    }
}
