//! Planted bugs: over one sample of fault plans each breaks its property, and the correct protocol none.

use murphy_models::pbft::{Bug, PbftMessage};
use murphy_sim::{Chance, Channel, Effect, FaultKind, Law, Message, Scope, Span};

use crate::faults::storm;
use crate::group::{Case, completed, set, violated};

/// Seeds of the sample.
const SAMPLE: std::ops::RangeInclusive<u64> = 1..=60;

fn check(bug: &str, property: &'static str) {
    let bug = Bug::from_name(bug).expect("a bug");
    let breaks = |seed| {
        let case = Case { stop_on: Some(property), ..storm(seed).with_bug(bug) };
        violated(&case.run(20_000)).contains(&property)
    };
    assert!(SAMPLE.into_iter().any(breaks), "{} never broke {property}", bug.name());
}

#[test]
fn the_correct_protocol_breaks_nothing() {
    for seed in SAMPLE {
        assert_eq!(violated(&storm(seed).run(20_000)), [""; 0], "seed {seed}");
    }
}

#[test]
fn each_planted_bug_breaks_its_property() {
    for (bug, property) in [
        ("view-change-drops-p", "agreement"),
        ("p-holds-previous-view", "agreement"),
        ("quorum-2f", "agreement"),
        ("amnesia", "agreement"),
        ("amnesia", "durability"),
        ("checkpoint-before-execution", "agreement"),
        ("no-client-dedup", "integrity"),
        ("reply-before-commit", "durability"),
        ("local-read", "linearizability"),
        ("invents-command", "validity"),
    ] {
        check(bug, property);
    }
}

/// Requests that are done after `since`, by the correct protocol and with the bug.
fn done(case: &Case, bug: &str, since: u64, until: u64) -> (usize, usize) {
    let bug = Bug::from_name(bug).expect("a bug");
    let buggy = case.clone().with_bug(bug).run(until);
    (completed(&case.run(until), since), completed(&buggy, since))
}

#[test]
fn a_view_change_that_is_sent_once_may_be_lost() {
    let kind = PbftMessage::KINDS.iter().position(|kind| *kind == "view-change");
    let lost = FaultKind::Messages {
        scope: Scope::Between { from: set(0..4), to: set(0..4), both: false },
        kind: kind.map(|kind| u8::try_from(kind).expect("few kinds")),
        effect: Effect::Drop(Chance::ALWAYS),
    };
    let case = Case::new(4, 1).crash([0], 1000, u64::MAX).fault(lost, 1000, 4000);
    let (correct, buggy) = done(&case, "view-change-sent-once", 1500, 10_000);
    assert!(correct > 500 && buggy == 0, "{correct}, {buggy}");
}

#[test]
fn a_time_out_that_does_not_grow_is_too_short_for_ever() {
    let mut case = Case::new(4, 1);
    case.channel = Channel::new(Law::Constant(Span::millis(20)));
    case.options.view_timeout = Span::millis(30);
    let (correct, buggy) = done(&case, "timeout-not-doubled", 0, 10_000);
    assert!(correct > 50 && buggy == 0, "{correct}, {buggy}");
}
