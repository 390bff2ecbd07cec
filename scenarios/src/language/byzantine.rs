//! The fault kind `byzantine`: nodes that lie, and how.

use murphy_sim::{Deed, Mutation, Span};

use super::diagnostic::Diagnostic;
use super::fault::FaultPart;
use super::fields::{Fields, Located, Patterns, Probability, Rate};
use super::names::words;
use super::scenario::FaultEffect;

/// What `attack = "…"` may say.
const ATTACKS: &[&str] = &[
    "equivocate",
    "conflict",
    "forge",
    "stale",
    "corrupt",
    "silence",
    "deaf",
    "delay",
    "replay",
    "flood",
    "twins",
];

pub(super) fn byzantine(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target: Patterns = fields.required("target", "the nodes that lie, all with one strategy");
    let about = "equivocate (two stories), conflict (votes for something else), forge, stale, corrupt, \
                 silence, deaf, delay, replay, flood or twins (two instances under one identity)";
    let attack = fields.choice("attack", about, ATTACKS, ATTACKS[0]);
    let kinds: Option<Located<Vec<Located<String>>>> =
        fields.optional("kinds", "only these kinds of messages, such as [\"prepare\", \"commit\"]");
    let to: Option<Patterns> =
        fields.optional("to", "only messages to these nodes; those who are told the second story");
    let by: Option<Span> = fields.optional("by", "how much later, for `delay`, such as \"450ms\"");
    let rate: Option<Rate> =
        fields.optional("rate", "messages to each recipient, for `flood`, such as \"1000/s\"");
    let chance: Probability = fields.default("chance", "chance per message and recipient", "1.0");
    needed(fields, attack, ("delay", "by", by.is_some()));
    needed(fields, attack, ("flood", "rate", rate.is_some()));
    let deed = deed(attack, by, rate.map(|rate| rate.0));
    Box::new(move |names| {
        let nodes = names.nodes(&target);
        let kinds = kinds.map(|kinds| kinds.value).unwrap_or_default();
        let kinds = kinds.iter().filter_map(|kind| names.message(Some(kind))).collect();
        let peers = to.map(|to| names.nodes(&to)).unwrap_or_default();
        let text = format!("{} ({attack})", words(&target));
        (FaultEffect::Byzantine { nodes, deed, kinds, peers, chance: chance.0 }, text)
    })
}

/// A key that one attack needs, and no other has.
fn needed(fields: &mut Fields<'_, '_, '_>, attack: &str, (of, key, given): (&str, &str, bool)) {
    if !fields.live() || (attack == of) == given {
        return;
    }
    let (title, label) = if given {
        (format!("`{key}` belongs to attack = \"{of}\", found \"{attack}\""), format!("leave `{key}` out"))
    } else {
        (format!("attack = \"{of}\" needs `{key}`"), format!("`{key}` is missing"))
    };
    fields.error(Diagnostic::new(fields.at, title, label));
}

fn deed(attack: &str, by: Option<Span>, rate: Option<f64>) -> Deed {
    match attack {
        "conflict" => Deed::Alter(Mutation::Conflict),
        "forge" => Deed::Alter(Mutation::Forge),
        "stale" => Deed::Alter(Mutation::Stale),
        "corrupt" => Deed::Alter(Mutation::Corrupt),
        "silence" => Deed::Silence,
        "deaf" => Deed::Deaf,
        "delay" => Deed::Delay(by.unwrap_or_default()),
        "replay" => Deed::Replay,
        "flood" => {
            let every = Span::from_secs_f64(1.0 / rate.unwrap_or(1.0));
            Deed::Flood { every: every.max(Span(1)) }
        }
        "twins" => Deed::Twins,
        _ => Deed::Alter(Mutation::Equivocate),
    }
}
