//! Defaults of libraries: `like = "resilience4j"` gives the parts of a policy the defaults of that library.
//!
//! What a library has by default and always (its time-out, its retries and their back-off) a policy with
//! `like` has as well. A part that one adds (a breaker, a bulkhead) is there when the policy has it; `true`
//! stands for the library's own, and keys of its table that are not given are the library's.

use serde_json::Value as Json;

use super::super::super::diagnostic::{At, Diagnostic};
use super::super::super::fields::{Field, Walk};
use super::super::super::value::{Data, Entry, Value, parse_value};
use super::PolicyPart;

/// A library whose defaults are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    /// Its word in `like`.
    pub name: &'static str,
    /// What it is, and what of it is followed.
    pub about: &'static str,
    /// What every policy like it has, as TOML.
    pub always: &'static str,
    /// The parts that a policy may add, as TOML.
    pub parts: &'static str,
}

/// The libraries, read from their sources at the versions that are named.
const LIBRARIES: [Library; 9] = [
    Library {
        name: "resilience4j",
        about: "resilience4j 2.4 (Java): retry around breaker around rate limiter around time limiter around bulkhead",
        always: "{ retries = 2, backoff = { kind = \"fixed\", base = \"500ms\" }, timeout = \"1s\", cancel = true, \
                 stack = [\"overall\", \"retry\", \"health\", \"throttle\", \"breaker\", \"rate_limit\", \"timeout\", \"bulkhead\"] }",
        parts: "{ breaker = { kind = \"count\", size = 100, minimum = 100, failure_rate = 0.5, slow_rate = 1.0, \
                slow_after = \"60s\", open_for = \"60s\", half_open = 10 }, bulkhead = 25, \
                rate_limit = { kind = \"cycle\", limit = 50, period = \"500ns\", wait = \"5s\" } }",
    },
    Library {
        name: "polly",
        about: "Polly 8 (.NET); its breaker samples 30 s in whole seconds here, in tenths of the window there",
        always: "{ retries = 3, backoff = { kind = \"fixed\", base = \"2s\" } }",
        parts: "{ breaker = { kind = \"time\", size = 30, minimum = 100, failure_rate = 0.1, open_for = \"5s\", \
                half_open = 1 }, hedge = \"2s\", bulkhead = 1000 }",
    },
    Library {
        name: "hystrix",
        about: "Hystrix 1.5 (Java); its breaker judges at every call here, on snapshots every 500 ms there",
        always: "{ timeout = \"1s\" }",
        parts: "{ breaker = { kind = \"time\", size = 10, minimum = 20, failure_rate = 0.5, open_for = \"5s\", \
                half_open = 1 }, bulkhead = 10 }",
    },
    Library {
        name: "finagle",
        about: "Finagle (Scala): retry budget, its reserve for every client process",
        always: "{ retries = 25 }",
        parts: "{ budget = { kind = \"window\", ratio = 0.2, min_per_sec = 10, reserve = \"each\", ttl = \"10s\" } }",
    },
    Library {
        name: "grpc",
        about: "gRPC (proposal A6): at most five attempts, jitter of 20 %, throttling with the tokens of its example",
        always: "{ retries = 4, backoff = { kind = \"exponential\", base = \"100ms\", cap = \"1s\", factor = 2.0, \
                 jitter = \"proportional\", share = 0.2 }, retry_after = true, retry_on = [\"rejected\"] }",
        parts: "{ budget = { kind = \"throttling\", max_tokens = 10.0, token_ratio = 0.1 } }",
    },
    Library {
        name: "botocore",
        about: "botocore (Python): standard mode, and the rate limiter of its adaptive mode",
        always: "{ retries = 2, backoff = { kind = \"exponential\", base = \"1s\", cap = \"20s\", factor = 2.0, \
                 jitter = \"full\" } }",
        parts: "{ budget = { kind = \"quota\", quota = 500, cost = 5, timeout_cost = 10 }, \
                rate_limit = { kind = \"adaptive\", wait = \"1h\" } }",
    },
    Library {
        name: "envoy",
        about: "Envoy: one retry; retry budget by calls on their way. Its back-off grows by 2^n - 1, here by 2^(n-1)",
        always: "{ retries = 1, backoff = { kind = \"exponential\", base = \"25ms\", cap = \"250ms\", jitter = \"full\" } }",
        parts: "{ budget = { kind = \"concurrent\", percent = 0.2, least = 3 }, bulkhead = 1024 }",
    },
    Library {
        name: "sre",
        about: "Site Reliability Engineering, chapter 21: client-side throttling",
        always: "{ throttle = { k = 2.0, window = \"2min\" } }",
        parts: "{}",
    },
    Library {
        name: "netflix",
        about: "Netflix concurrency-limits (Java): limits that follow what calls take",
        always: "{}",
        parts: "{ limit = { kind = \"gradient2\", start = 20, most = 200 } }",
    },
];

/// The libraries whose defaults a policy can have.
pub fn libraries() -> &'static [Library] {
    &LIBRARIES
}

/// The keys of a policy, what each is for, and its default if it has one; tables with their own keys.
pub fn policy_keys() -> Vec<(String, String, Option<String>)> {
    let schema = PolicyPart::schema(&[]);
    let mut keys = Vec::new();
    gather(&schema, "", &mut keys);
    keys
}

fn gather(schema: &Json, prefix: &str, keys: &mut Vec<(String, String, Option<String>)>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    for (key, property) in properties {
        let mut about = property["description"].as_str().unwrap_or_default().to_owned();
        if let Some(words) = property["enum"].as_array() {
            let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
            about = format!("{about} ({})", words.join(" | "));
        }
        let default = property.get("default").map(|default| match default {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        });
        let name = format!("{prefix}{key}");
        keys.push((name.clone(), about, default));
        gather(property, &format!("{name}."), keys);
    }
}

/// The table of a policy with what the library that it names adds to it.
pub(super) fn complete(value: &Value, walk: &mut Walk<'_>) -> Value {
    let Some(like) = value.entries().iter().find(|entry| entry.key == "like") else { return value.clone() };
    let name = like.value.as_text().unwrap_or_default();
    let Some(library) = LIBRARIES.iter().find(|library| library.name == name) else {
        let names = LIBRARIES.map(|library| library.name);
        let title = format!("no library is called {}", like.value.found());
        let wrong = Diagnostic::new(like.value.at, title, "not a library whose defaults are known");
        walk.found.push(wrong.suggest(name, "libraries", &names));
        return value.clone();
    };
    let mut entries = value.entries().to_vec();
    for added in placed(library.always, value.at) {
        match entries.iter_mut().find(|entry| entry.key == added.key) {
            None => entries.push(added),
            Some(given) => merge(&mut given.value, &added.value),
        }
    }
    for part in placed(library.parts, value.at) {
        if let Some(given) = entries.iter_mut().find(|entry| entry.key == part.key) {
            merge(&mut given.value, &part.value);
        }
    }
    Value::new(value.at, Data::Table(entries))
}

/// Takes what is not given from the library: everything for `true`, missing keys of a table.
fn merge(given: &mut Value, library: &Value) {
    match (&mut given.data, &library.data) {
        (Data::Flag(true), Data::Table(_) | Data::Integer(_) | Data::Text(_)) => {
            given.data = library.data.clone();
        }
        (Data::Table(entries), Data::Table(added)) => {
            let kind = |entries: &[Entry]| {
                let kind = entries.iter().find(|entry| entry.key == "kind");
                kind.and_then(|entry| entry.value.as_text().map(str::to_owned))
            };
            // A table of another kind has other keys.
            if kind(entries).is_some_and(|given| Some(given) != kind(added)) {
                return;
            }
            for entry in added {
                if !entries.iter().any(|given| given.key == entry.key) {
                    entries.push(entry.clone());
                }
            }
        }
        _ => {}
    }
}

/// The entries of a table of ours, as if they stood where the policy stands.
fn placed(text: &str, at: At) -> Vec<Entry> {
    let mut table = parse_value(0, text, 0).expect("a table of ours is TOML");
    place(&mut table, at);
    table.entries().to_vec()
}

fn place(value: &mut Value, at: At) {
    value.at = at;
    match &mut value.data {
        Data::Table(entries) => entries.iter_mut().for_each(|entry| {
            entry.key_at = at;
            place(&mut entry.value, at);
        }),
        Data::Array(values) => values.iter_mut().for_each(|value| place(value, at)),
        _ => {}
    }
}
