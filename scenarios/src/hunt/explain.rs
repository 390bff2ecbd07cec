//! Why a repro fails: what it needs, what led to it, and when it became likely.

use std::sync::atomic::{AtomicBool, Ordering};

use murphy_reports::{Story, StoryChance};
use murphy_sim::{Span, Stream, Time, name_hash};

use super::case::{Case, span};
use super::lab::Outcome;
use super::repro::Repro;
use super::story::{ends, story};
use crate::language::{Value, duration_text};

/// Instants at which the chance of the bug is looked at.
const INSTANTS: u64 = 16;
/// Futures that are drawn from each.
const FUTURES: u32 = 12;
/// A future may last so many times as long as the run took.
const LONGER: u64 = 2;

/// Explains a repro: its run as a story, with the faults that it needs, the causal slice, and the chance of
/// the bug over time.
///
/// `None` when the run does not reproduce, or when `stop` became true.
pub fn explain(repro: &Repro<'_>, stop: &AtomicBool) -> Option<Story> {
    let traced = repro.lab.trace(repro.scenario(), &repro.stop_at(), stop)?;
    let outcome = Outcome::of(&traced.record);
    let violation = outcome.violation(&repro.fingerprint())?.clone();
    let mut story = story(&traced, repro.scenario(), repro.lab.model.info());
    story.title.clone_from(&violation.fingerprint.property);
    story.message.clone_from(&violation.message);
    story.at_ns = violation.at.0;
    let ends = ends(&traced, &mut story, violation.event, &violation.message);
    story.mark_slice(&ends);
    for (index, needed) in needed(repro, stop)?.into_iter().enumerate() {
        if let Some(fault) = story.faults.get_mut(index) {
            fault.needed = needed;
        }
    }
    story.curve = curve(repro, &story, stop)?;
    Some(story)
}

/// For each fault and each single message, whether the run passes without it alone.
fn needed(repro: &Repro<'_>, stop: &AtomicBool) -> Option<Vec<bool>> {
    let faults = repro.case.faults();
    let texts = repro.case.texts("messages").unwrap_or_default();
    let mut needed = Vec::new();
    for gone in 0..faults.len() {
        let mut rest = faults.clone();
        rest.remove(gone);
        needed.push(!fails(repro, &repro.case.with_faults(&rest), stop)?);
    }
    for gone in 0..texts.len() {
        let mut rest = texts.clone();
        rest.remove(gone);
        needed.push(!fails(repro, &repro.case.with_texts("messages", &rest), stop)?);
    }
    Some(needed)
}

/// Whether a case violates the same; `None` when it was stopped.
fn fails(repro: &Repro<'_>, case: &Case, stop: &AtomicBool) -> Option<bool> {
    let Some(scenario) = repro.lab.resolve(case) else { return Some(false) };
    let outcome = repro.lab.run(&scenario, &repro.stop_at(), stop)?;
    Some(outcome.violation(&repro.fingerprint()).is_some())
}

/// How often the bug still comes when the past is kept up to an instant, what the plan has after it is left
/// out, and the environment decides anew. Before the first cause it comes as seldom as without a plan, after
/// the last it is certain; in between the curve jumps where a cause lies.
fn curve(repro: &Repro<'_>, story: &Story, stop: &AtomicBool) -> Option<Vec<StoryChance>> {
    let end = story.at_ns.max(1);
    let mut instants: Vec<u64> = (0..INSTANTS).map(|step| end / INSTANTS * step).collect();
    instants.extend(story.faults.iter().map(|fault| fault.from_ns).filter(|at| *at < end));
    instants.extend(story.faults.iter().filter_map(|fault| fault.to_ns).filter(|at| *at < end));
    instants.sort_unstable();
    instants.dedup();
    let mut rng = Stream::new(1, name_hash("futures"));
    let mut curve = Vec::new();
    for at in instants {
        let mut chance = StoryChance { at_ns: at, hits: 0, runs: 0 };
        for _ in 0..FUTURES {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let case = future(repro, story, Time(at), rng.word() >> 1);
            chance.hits += u32::from(fails(repro, &case, stop)?);
            chance.runs += 1;
        }
        curve.push(chance);
    }
    Some(curve)
}

/// The repro with its past up to an instant, and another future.
fn future(repro: &Repro<'_>, story: &Story, at: Time, seed: u64) -> Case {
    let past = |fault: &Value| span(fault, "at").is_some_and(|start| start.0 <= at.0);
    let faults: Vec<Value> = repro.case.faults().into_iter().filter(past).collect();
    let plan = repro.scenario().faults.len();
    let mut case = repro.case.with_faults(&faults);
    if let Some(texts) = repro.case.texts("messages") {
        let sent = story.faults[plan.min(story.faults.len())..].iter().map(|fault| fault.from_ns <= at.0);
        let kept: Vec<String> =
            texts.into_iter().zip(sent).filter(|(_, sent)| *sent).map(|(text, _)| text).collect();
        case = case.with_texts("messages", &kept);
    }
    let before = repro.spec().reseeds.iter().filter(|(when, _)| *when < at);
    let mut reseeds: Vec<String> =
        before.map(|(when, seed)| format!("{} {seed}", duration_text(when.0))).collect();
    reseeds.push(format!("{} {seed}", duration_text(at.0)));
    case = case.with_texts("reseeds", &reseeds);
    case.set_duration(Span(story.at_ns.saturating_mul(LONGER).max(1)));
    case
}
