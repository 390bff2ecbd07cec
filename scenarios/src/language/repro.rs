//! `[repro]`: what makes of a scenario the one run that breaks a property, and what it breaks.

use murphy_sim::{LetterDeed, Span, Time};
use serde_json::{Value as Json, json};

use super::diagnostic::Diagnostic;
use super::fields::{Count, Field, Fields, Located, Table, Walk};
use super::names::Names;
use super::quantity;
use super::scenario::WorkloadSpec;
use super::tables::MAX_SEED;
use super::value::Value;
use crate::describe::ModelInfo;

/// A concrete run and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct ReproSpec {
    /// Whether the run is expected to violate the property, or to pass.
    pub violates: bool,
    /// The property: `pbft.agreement`, or `linearizable(WORKLOAD)`.
    pub property: String,
    /// What the violation is about: its message without numbers and names.
    pub subject: String,
    /// The violation in words.
    pub message: String,
    /// When it became certain.
    pub at: Time,
    /// Number of the event during which it did.
    pub event: u64,
    /// Hash of the trace up to there.
    pub trace_hash: u64,
    /// Engine that made the file.
    pub engine: String,
    /// The requests of each workload; `None` leaves them to the arrival laws.
    pub requests: Option<Vec<Vec<RequestSpec>>>,
    /// What happens to single messages.
    pub messages: Vec<MessageSpec>,
    /// Instants from which the environment decides by another seed.
    pub reseeds: Vec<(Time, u64)>,
}

/// One request of a concrete workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSpec {
    /// When it arrives.
    pub at: Time,
    /// Operation, such as `put`.
    pub op: &'static str,
    /// Key.
    pub key: u64,
    /// Client: an index into [`Scenario::nodes`](super::Scenario::nodes).
    pub client: usize,
}

/// What happens to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSpec {
    /// Name of the sender.
    pub from: String,
    /// Name of the recipient.
    pub to: String,
    /// Message kind, such as `prepare`.
    pub kind: &'static str,
    /// Which send of that kind by the sender, from one; a broadcast counts once.
    pub number: u64,
    /// What happens to it.
    pub deed: LetterDeed,
}

impl MessageSpec {
    /// As a repro file writes it: `drop r0->r1 prepare #17`.
    pub fn text(&self) -> String {
        let MessageSpec { from, to, kind, number, deed } = self;
        let which = format!("{from}->{to} {kind} #{number}");
        match deed {
            LetterDeed::Drop => format!("drop {which}"),
            LetterDeed::Late(by) => format!("late {which} {}", quantity::duration_text(by.0)),
            LetterDeed::Again(after) => format!("again {which} {}", quantity::duration_text(after.0)),
            LetterDeed::Corrupt(word) => format!("corrupt {which} {word}"),
        }
    }
}

impl RequestSpec {
    /// As a repro file writes it: `1.2s put 17 client0 kv`.
    pub fn text(&self, client: &str, workload: &str) -> String {
        format!("{} {} {} {client} {workload}", quantity::duration_text(self.at.0), self.op, self.key)
    }
}

/// `[repro]`, before names are known.
pub(crate) struct ReproTable {
    spec: ReproSpec,
    property: Located<String>,
    requests: Option<Vec<Located<String>>>,
    messages: Vec<Located<String>>,
}

/// A 64-bit hash in hexadecimal.
struct Hash(u64);

impl Field for Hash {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Hash, Value) {
        let found = value.as_text().unwrap_or_default();
        let hash = u64::from_str_radix(found, 16).ok().filter(|_| found.len() == 16);
        if hash.is_none() {
            let title = format!("expected a hash of 16 hexadecimal digits, found {}", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "not a hash"));
        }
        (Hash(hash.unwrap_or_default()), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string", "pattern": "^[0-9a-fA-F]{16}$" })
    }

    fn placeholder() -> Hash {
        Hash(0)
    }
}

/// `12.5s 91277`: from when on, and the seed.
struct Reseed(Time, u64);

impl Field for Reseed {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Reseed, Value) {
        let words = value.as_text().and_then(|text| text.split_once(' '));
        let read = words.and_then(|(at, seed)| {
            let seed: u64 = seed.parse().ok().filter(|seed| *seed <= MAX_SEED)?;
            Some(Reseed(Time(quantity::duration(at).ok()?.0), seed))
        });
        if read.is_none() {
            let title =
                format!("expected a time and a seed such as \"12.5s 91277\", found {}", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "not a time and a seed"));
        }
        (read.unwrap_or(Reseed(Time::ZERO, 0)), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "string" })
    }

    fn placeholder() -> Reseed {
        Reseed(Time::ZERO, 0)
    }
}

impl Table for ReproTable {
    const WHAT: &'static str = "[repro]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ReproTable {
        let expect =
            fields.choice("expect", "what the run does to the property", &["violates", "passes"], "violates");
        let property: Located<String> =
            fields.required("property", "the property, such as \"pbft.agreement\" or \"linearizable(kv)\"");
        let subject = fields.required("subject", "what the violation is about, without names and numbers");
        let message = fields.default("message", "the violation in words", "\"\"");
        let at: Span = fields.default("at", "when the violation became certain", "\"0s\"");
        let event: Count<0, MAX_SEED> = fields.default("event", "number of the event that violated it", "0");
        let hash: Hash = fields.required("trace_hash", "hash of the trace");
        let engine = fields.default("engine", "the engine that made the file", "\"\"");
        let requests = fields.optional(
            "requests",
            "the requests, such as \"1.2s put 17 client0 kv\"; without, the arrival laws make them",
        );
        let messages =
            fields.list("messages", "what happens to single messages, such as \"drop r0->r1 prepare #17\"");
        let reseeds: Vec<Reseed> = fields
            .list("reseeds", "from when on the environment decides by another seed, such as \"12.5s 91277\"");
        if let Some(wrong) = reseeds.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            let title =
                format!("reseeds go back in time: {} comes later", quantity::duration_text(wrong[0].0.0));
            fields.error(Diagnostic::new(fields.spot("reseeds"), title, "must be in order of time"));
        }
        ReproTable {
            spec: ReproSpec {
                violates: expect == "violates",
                property: property.value.clone(),
                subject,
                message,
                at: Time(at.0),
                event: event.0,
                trace_hash: hash.0,
                engine,
                requests: None,
                messages: Vec::new(),
                reseeds: reseeds.into_iter().map(|Reseed(at, seed)| (at, seed)).collect(),
            },
            property,
            requests,
            messages,
        }
    }
}

impl ReproTable {
    pub(crate) fn resolve(
        self,
        workloads: &[WorkloadSpec],
        models: &[&ModelInfo],
        names: &mut Names<'_>,
    ) -> ReproSpec {
        let ReproTable { mut spec, property, requests, messages } = self;
        let mut known: Vec<String> = models
            .iter()
            .flat_map(|model| &model.properties)
            .filter(|property| property.kind != crate::describe::PropertyKind::Sometimes)
            .map(|property| property.name.to_owned())
            .collect();
        known.extend(workloads.iter().map(|workload| format!("linearizable({})", workload.name)));
        if !known.contains(&property.value) {
            let title = format!("unknown property \"{}\"", property.value);
            let wrong = Diagnostic::new(property.at, title, "no property of this name");
            names.found.push(wrong.suggest(&property.value, "properties", &known));
        }
        if let Some(requests) = requests {
            let mut lists = vec![Vec::new(); workloads.len()];
            for text in requests {
                if let Some((workload, request)) = request(&text, workloads, models, names) {
                    lists[workload].push(request);
                }
            }
            for list in &mut lists {
                list.sort_by_key(|request: &RequestSpec| request.at);
            }
            spec.requests = Some(lists);
        }
        spec.messages = messages.iter().filter_map(|text| message(text, names)).collect();
        spec
    }
}

fn request(
    text: &Located<String>,
    workloads: &[WorkloadSpec],
    models: &[&ModelInfo],
    names: &mut Names<'_>,
) -> Option<(usize, RequestSpec)> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let operation = |name: &str| {
        let mut known = models.iter().flat_map(|model| &model.operations);
        known.find(|operation| operation.name == name).map(|operation| operation.name)
    };
    let read = || {
        let &[at, op, key, client, workload] = words.as_slice() else { return Err("") };
        let at = quantity::duration(at).map_err(|_| at)?;
        let op = operation(op).ok_or(op)?;
        let key = key.parse().map_err(|_| key)?;
        let client = names.nodes.iter().position(|node| node.name == client && node.client).ok_or(client)?;
        let workload = workloads.iter().position(|spec| spec.name == workload).ok_or(workload)?;
        Ok((workload, RequestSpec { at: Time(at.0), op, key, client }))
    };
    let found = read();
    if let Err(word) = found {
        wrong(text, word, "a request such as \"1.2s put 17 client0 kv\"", names);
    }
    found.ok()
}

fn message(text: &Located<String>, names: &mut Names<'_>) -> Option<MessageSpec> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let exists = |name: &str| {
        let probe = name.strip_prefix("probe(").and_then(|rest| rest.strip_suffix(')'));
        names.nodes.iter().any(|node| node.name == name)
            || probe.is_some_and(|workload| names.workloads.iter().any(|known| known == workload))
    };
    let read = || {
        let (&[deed, way, kind, number], rest) = words.split_first_chunk::<4>().ok_or("")?;
        let (from, to) = way.split_once("->").ok_or(way)?;
        let end = [from, to].into_iter().find(|end| !exists(end));
        if let Some(end) = end {
            return Err(end);
        }
        let kind = names.messages.iter().find(|known| **known == kind).copied().ok_or(kind)?;
        let number = number.strip_prefix('#').and_then(|number| number.parse().ok()).ok_or(number)?;
        let span = |word: &'_ str| quantity::duration(word).ok();
        let deed = match (deed, rest) {
            ("drop", []) => Some(LetterDeed::Drop),
            ("late", [by]) => span(by).map(LetterDeed::Late),
            ("again", [after]) => span(after).map(LetterDeed::Again),
            ("corrupt", [word]) => word.parse().ok().map(LetterDeed::Corrupt),
            _ => None,
        };
        let deed = deed.ok_or(words[0])?;
        Ok(MessageSpec { from: from.to_owned(), to: to.to_owned(), kind, number, deed })
    };
    let found = read();
    if let Err(word) = found {
        let expected = "a message such as \"drop r0->r1 prepare #17\" (or late, again, corrupt)";
        wrong(text, word, expected, names);
    }
    found.ok()
}

fn wrong(text: &Located<String>, word: &str, expected: &str, names: &mut Names<'_>) {
    let title = format!("expected {expected}, found \"{}\"", text.value);
    let label =
        if word.is_empty() { "not enough words".to_owned() } else { format!("`{word}` does not fit") };
    names.found.push(Diagnostic::new(text.at, title, label));
}
