//! Parameters, as the models of protocols declare them.

use murphy_scenarios::{Effect, KindInfo, OperationInfo, Param, ParamKind, ParamValue, Params};
use murphy_sim::Span;

use super::client::{Ask, Believe, ClientOptions};
use super::command::{OPERATIONS, SESSIONS};

pub(super) const EFFECTS: [Effect; 2] = [Effect::Write, Effect::Read];

/// The operations of a key-value store: `put` and `get`.
pub fn operations() -> Vec<OperationInfo> {
    OPERATIONS.iter().zip(EFFECTS).map(|(&name, effect)| OperationInfo { name, effect }).collect()
}

/// A parameter that is a whole number from `min` to `max`, with its default.
pub fn count(name: &'static str, about: &'static str, (min, max): (u64, u64), value: u64) -> Param {
    Param { name, about, kind: ParamKind::Count { min, max }, default: Some(ParamValue::Count(value)) }
}

/// A parameter that is a duration, with its default.
pub fn span(name: &'static str, about: &'static str, value: Span) -> Param {
    Param { name, about, kind: ParamKind::Duration, default: Some(ParamValue::Duration(value)) }
}

/// A parameter that is true or false, with its default.
pub fn flag(name: &'static str, about: &'static str, value: bool) -> Param {
    Param { name, about, kind: ParamKind::Flag, default: Some(ParamValue::Flag(value)) }
}

/// A parameter that is one of some words; the first is its default.
pub fn choice(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Param {
    let default = Some(ParamValue::Choice(words[0]));
    Param { name, about, kind: ParamKind::Choice(words), default }
}

/// The kind of node that sends requests, the same for every protocol.
pub fn client_kind(name: &'static str) -> KindInfo {
    let defaults = ClientOptions::default();
    let sessions = "requests that the client has on their way at once; to the replicas each is a client";
    KindInfo {
        name,
        about: "sends requests in several sessions, each one at a time",
        client: true,
        params: vec![
            span(
                "retry_after",
                "time after which a request is sent again, to all replicas",
                defaults.retry_after,
            ),
            flag(
                "backoff",
                "whether that time doubles from one retransmission to the next",
                defaults.backoff,
            ),
            count("sessions", sessions, (1, SESSIONS as u64), defaults.sessions as u64),
        ],
    }
}

/// What the parameters of a [`client_kind`] say.
///
/// # Panics
/// When they are those of another kind.
pub fn client_options(params: &Params, ask: Ask, believe: Believe) -> ClientOptions {
    ClientOptions {
        retry_after: params.duration("retry_after"),
        backoff: params.flag("backoff"),
        sessions: usize::try_from(params.count("sessions")).expect("a checked count is small"),
        ask,
        believe,
    }
}
