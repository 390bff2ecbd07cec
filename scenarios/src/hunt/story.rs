//! From a recorded run to a story: which send each delivery belongs to, and what was said.

use std::collections::BTreeMap;

use murphy_reports::{Story, StoryEvent, StoryFault, StoryMessage};
use murphy_sim::{Event, Fact, LetterId, Recorded, Sending, Time};

use super::words::Words;
use crate::describe::ModelInfo;
use crate::language::{FaultEffect, FaultSpec, Scenario};
use crate::model::Traced;

/// The story of a run. Nothing is marked in it.
pub(super) fn story(traced: &Traced, scenario: &Scenario, info: &ModelInfo) -> Story {
    let names: Vec<String> = traced.record.node_hashes.iter().map(|(name, _)| name.clone()).collect();
    let words = Words { names, info };
    let mut story = Story {
        title: scenario.name.clone(),
        seed: scenario.seed,
        trace_hash: format!("{:016x}", traced.record.trace_hash),
        nodes: words.names.clone(),
        ..Story::default()
    };
    let mut deliveries = Vec::new();
    for event in &traced.events {
        tell(event, &words, &mut story, &mut deliveries);
    }
    messages(&traced.sendings, &deliveries, &words, &mut story);
    let end = traced.record.events;
    story.faults = faults(scenario, traced, &words);
    debug_assert!(story.events.iter().all(|event| event.number <= end));
    story
}

/// One recorded event, or a fact that belongs to the event before it.
fn tell(event: &Recorded, words: &Words<'_>, story: &mut Story, deliveries: &mut Vec<(usize, Recorded)>) {
    let (kind, what) = words.event(event);
    let last = story.events.last_mut();
    if let (Event::Fact, Some(last)) = (event.event, last)
        && last.number == event.number
        && last.node == event.node
    {
        last.facts.push(what);
        return;
    }
    if event.event == Event::Deliver {
        deliveries.push((story.events.len(), *event));
    }
    let facts = if event.event == Event::Fact { vec![what.clone()] } else { Vec::new() };
    story.events.push(StoryEvent {
        at_ns: event.at.0,
        number: event.number,
        node: event.node,
        kind: kind.to_owned(),
        what,
        facts,
        slice: false,
        violates: false,
    });
}

/// Content on its way: sender, recipient, kind and digest.
type Content = (u32, u32, u8, u64);

/// Matches every delivery with the earliest send of the same content that can have arrived by then.
fn messages(sendings: &[Sending], deliveries: &[(usize, Recorded)], words: &Words<'_>, story: &mut Story) {
    // When it arrives, and which send it was.
    let mut on_way: BTreeMap<Content, Vec<(Time, usize)>> = BTreeMap::new();
    let mut by_number: BTreeMap<(u64, u32), usize> = BTreeMap::new();
    for (index, event) in story.events.iter().enumerate() {
        by_number.entry((event.number, event.node)).or_insert(index);
    }
    for (index, sending) in sendings.iter().enumerate() {
        let LetterId { from, to, kind, number } = sending.id;
        for at in [sending.arrives, sending.again].into_iter().flatten() {
            on_way.entry((from.0, to.0, kind, sending.digest)).or_default().push((at, index));
        }
        story.messages.push(StoryMessage {
            what: format!("{} #{number}", words.message(kind)),
            from: from.0,
            to: to.0,
            sent_ns: sending.departs.0,
            sent: by_number.get(&(sending.event, from.0)).copied(),
            received: None,
            lost: sending.arrives.is_none(),
        });
    }
    for (index, event) in deliveries {
        let key = (event.from, event.node, event.kind, event.digest);
        let Some(waiting) = on_way.get_mut(&key) else { continue };
        let earliest =
            waiting.iter().enumerate().filter(|(_, (at, _))| *at <= event.at).min_by_key(|(_, way)| **way);
        let Some((place, (_, sending))) = earliest.map(|(place, way)| (place, *way)) else { continue };
        waiting.remove(place);
        story.messages[sending].received.get_or_insert(*index);
    }
}

/// Faults of the plan, then single messages.
fn faults(scenario: &Scenario, traced: &Traced, words: &Words<'_>) -> Vec<StoryFault> {
    let mut faults: Vec<StoryFault> = scenario
        .faults
        .iter()
        .map(|fault| StoryFault {
            what: format!("{} {}", fault.kind, fault.target),
            from_ns: fault.start.0,
            to_ns: fault.duration.map(|lasts| fault.start.saturating_add(lasts).0),
            nodes: struck(fault),
            needed: false,
        })
        .collect();
    let messages = scenario.repro.as_ref().map(|repro| &repro.messages);
    for message in messages.into_iter().flatten() {
        let sent = traced.sendings.iter().find(|sending| {
            let LetterId { from, to, kind, number } = sending.id;
            let same = words.node(from.0) == message.from && words.node(to.0) == message.to;
            same && words.message(kind) == message.kind && number == message.number
        });
        let at = sent.map_or(0, |sending| sending.departs.0);
        faults.push(StoryFault {
            what: message.text(),
            from_ns: at,
            to_ns: Some(at),
            ..StoryFault::default()
        });
    }
    faults
}

/// The nodes that a fault strikes, where it strikes nodes.
fn struck(fault: &FaultSpec) -> Vec<u32> {
    let nodes: Vec<usize> = match &fault.effect {
        FaultEffect::Crash { nodes, .. }
        | FaultEffect::Pause { nodes }
        | FaultEffect::Slow { nodes, .. }
        | FaultEffect::Resource { nodes, .. }
        | FaultEffect::SiteDown { nodes, .. }
        | FaultEffect::DiskSlow { nodes, .. }
        | FaultEffect::Clock { nodes, .. }
        | FaultEffect::Byzantine { nodes, .. } => nodes.clone(),
        // The first group is the one that is cut off.
        FaultEffect::Partition { groups, .. } | FaultEffect::Flapping { groups, .. } => {
            groups.first().cloned().unwrap_or_default()
        }
        _ => Vec::new(),
    };
    nodes.into_iter().filter_map(|node| u32::try_from(node).ok()).collect()
}

/// The events that a violation is made of: the one that proved it, and the last one before it at every other
/// node that it names which spoke of the same place in the log.
pub(super) fn ends(traced: &Traced, story: &mut Story, number: u64, message: &str) -> Vec<usize> {
    let proving = traced.events.iter().rev().find(|event| event.number == number && event.fact.is_some());
    let Some(proving) = proving else { return Vec::new() };
    let at = |event: &Recorded, story: &Story| {
        story.events.iter().rposition(|told| told.number == event.number && told.node == event.node)
    };
    let mut ends = Vec::new();
    if let Some(index) = at(proving, story) {
        story.events[index].violates = true;
        ends.push(index);
    }
    let place = proving.fact.as_ref().and_then(slot);
    let named = |name: &String| {
        message.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).any(|word| word == name)
    };
    for (node, _) in (0_u32..).zip(&story.nodes.clone()).filter(|(_, name)| named(name)) {
        let theirs = traced.events.iter().rev().filter(|event| event.node == node && event.number < number);
        let same =
            theirs.clone().find(|event| place.is_some() && event.fact.as_ref().and_then(slot) == place);
        if let Some(index) = same.or_else(|| theirs.clone().next()).and_then(|event| at(event, story)) {
            ends.push(index);
        }
    }
    ends
}

/// The place in the log that a fact speaks of.
fn slot(fact: &Fact) -> Option<u64> {
    match *fact {
        Fact::Decide { slot, .. }
        | Fact::Execute { slot, .. }
        | Fact::Install { slot, .. }
        | Fact::Stable { slot, .. } => Some(slot),
        _ => None,
    }
}
