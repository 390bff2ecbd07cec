//! Messages that are lost, doubled, overtaken, damaged, delayed or held.

use murphy_sim::{Chance, Effect, Fact, FaultKind, Hit, Law, Scope, Span};

use crate::toy::{HEARD, Ran, fault, node, run, set, setup, with};

/// What happens to messages from `a` to `b`.
fn a_to_b(effect: Effect) -> FaultKind {
    let scope = Scope::Between { from: set(&[0]), to: set(&[1]), both: false };
    FaultKind::Messages { scope, kind: None, effect }
}

/// A thousand messages under a fault of them.
fn thousand(effect: Effect) -> Ran {
    with(vec![fault("share", 0, 20_000, a_to_b(effect))], 10_005)
}

/// Binomial(1000, 1/4): sd 13.7, and four of them.
const QUARTER: std::ops::RangeInclusive<u64> = 196..=304;

#[test]
fn a_loss_takes_its_share_and_a_smaller_one_a_part_of_that() {
    let heard = |share| {
        let ran = thousand(Effect::Drop(Chance::new(share)));
        let heard = ran.values(1, HEARD);
        assert_eq!(ran.hit(0, Hit::MessagesCut) + heard.len() as u64, 1000);
        heard
    };
    let (quarter, half) = (heard(0.25), heard(0.5));
    assert!(QUARTER.contains(&(1000 - quarter.len() as u64)), "{}", quarter.len());
    assert!(half.iter().all(|value| quarter.contains(value)), "what the smaller one takes, both take");
    assert_eq!(heard(0.0), (1..=1000).collect::<Vec<_>>());
    assert_eq!(heard(1.0), []);
    let exact = with(vec![fault("loss", 25, 45, a_to_b(Effect::Drop(Chance::ALWAYS)))], 65);
    assert_eq!((exact.values(1, HEARD), exact.hit(0, Hit::MessagesCut)), (vec![1, 2, 5, 6], 2));
}

#[test]
fn a_duplicate_arrives_twice() {
    let twice = with(vec![fault("twice", 25, 45, a_to_b(Effect::Duplicate(Chance::ALWAYS)))], 65);
    assert_eq!(twice.values(1, HEARD), [1, 2, 3, 3, 4, 4, 5, 6]);
    assert_eq!(twice.hit(0, Hit::MessagesDuplicated), 2);
    let never = with(vec![fault("twice", 25, 45, a_to_b(Effect::Duplicate(Chance::NEVER)))], 65);
    assert_eq!((never.values(1, HEARD).len(), never.hit(0, Hit::MessagesDuplicated)), (6, 0));
    let share = thousand(Effect::Duplicate(Chance::new(0.25)));
    let more = share.values(1, HEARD).len() as u64 - 1000;
    assert_eq!(share.hit(0, Hit::MessagesDuplicated), more);
    assert!(QUARTER.contains(&more), "{more}");
}

#[test]
fn a_message_that_is_held_back_is_overtaken() {
    let held = |chance| {
        let effect = Effect::HoldBack(chance, Law::Constant(Span::millis(25)));
        with(vec![fault("reorder", 25, 35, a_to_b(effect))], 65)
    };
    let overtaken = held(Chance::ALWAYS);
    assert_eq!(overtaken.said(1, HEARD), [(11, 1), (21, 2), (41, 4), (51, 5), (56, 3), (61, 6)]);
    assert_eq!(overtaken.hit(0, Hit::MessagesReordered), 1);
    assert_eq!(overtaken.hit(0, Hit::DelayAddedNs), 25_000_000);
    let in_order = held(Chance::NEVER);
    assert_eq!(in_order.values(1, HEARD), [1, 2, 3, 4, 5, 6]);
    assert_eq!(in_order.hit(0, Hit::MessagesReordered), 0);
    let effect = Effect::HoldBack(Chance::new(0.25), Law::Constant(Span::millis(15)));
    let share = thousand(effect).hit(0, Hit::MessagesReordered);
    assert!(QUARTER.contains(&share), "{share}");
}

#[test]
fn a_corrupted_message_is_dropped_by_its_sum_and_believed_without() {
    let run = |sealed, chance| {
        let mut setup = setup(vec![fault("flip", 25, 35, a_to_b(Effect::Corrupt(chance)))]);
        setup.nodes[0].config.sealed = sealed;
        self::run(setup, 55)
    };
    let caught = run(true, Chance::ALWAYS);
    assert_eq!((caught.values(1, HEARD), caught.hit(0, Hit::MessagesCorrupted)), (vec![1, 2, 4, 5], 1));
    let believed = run(false, Chance::ALWAYS);
    assert_eq!(believed.hit(0, Hit::MessagesCorrupted), 1);
    let heard = believed.values(1, HEARD);
    assert_eq!([&heard[..2], &heard[3..]].concat(), [1, 2, 4, 5]);
    assert_eq!((heard[2] ^ 3).count_ones(), 1, "one bit of the third is another: {}", heard[2]);
    for sealed in [true, false] {
        let whole = run(sealed, Chance::NEVER);
        assert_eq!((whole.values(1, HEARD), whole.hit(0, Hit::MessagesCorrupted)), (vec![1, 2, 3, 4, 5], 0));
    }
    let share = thousand(Effect::Corrupt(Chance::new(0.25))).hit(0, Hit::MessagesCorrupted);
    assert!(QUARTER.contains(&share), "{share}");
}

#[test]
fn latency_is_multiplied_and_then_added_to() {
    let late = |factor, add| {
        let add = Law::Constant(Span::millis(add));
        with(vec![fault("late", 25, 45, a_to_b(Effect::Delay { factor, add }))], 65)
    };
    let ran = late(3.0, 5);
    assert_eq!(ran.said(1, HEARD), [(11, 1), (21, 2), (38, 3), (48, 4), (51, 5), (61, 6)]);
    assert_eq!((ran.hit(0, Hit::MessagesDelayed), ran.hit(0, Hit::DelayAddedNs)), (2, 14_000_000));
    let none = late(1.0, 0);
    assert_eq!((none.hit(0, Hit::MessagesDelayed), none.said(1, HEARD)[2]), (0, (31, 3)));
}

#[test]
fn a_fault_of_messages_names_ends_and_kinds() {
    let cut = |kind| {
        let scope = Scope::Between { from: set(&[0]), to: set(&[1]), both: false };
        let kind = FaultKind::Messages { scope, kind, effect: Effect::Drop(Chance::ALWAYS) };
        with(vec![fault("loss", 0, 100, kind)], 55).hit(0, Hit::MessagesCut)
    };
    assert_eq!([None, Some(0), Some(1)].map(cut), [5, 5, 0], "the toy knows kind 0 only");
}

#[test]
fn a_clog_holds_messages_until_it_ends_and_keeps_their_order() {
    let clog = |limit| a_to_b(Effect::Clog(limit));
    let ran = with(vec![fault("clog", 25, 65, clog(3))], 75);
    assert_eq!((ran.hit(0, Hit::MessagesClogged), ran.hit(0, Hit::MessagesCut)), (3, 1));
    assert_eq!(ran.said(1, HEARD), [(11, 1), (21, 2), (65, 3), (65, 4), (65, 5), (71, 7)]);
    // They would have arrived at 31, 41 and 51 ms.
    assert_eq!(ran.hit(0, Hit::DelayAddedNs), 72_000_000);
    assert_eq!(with(vec![fault("clog", 25, 65, clog(9))], 75).values(1, HEARD), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_squeeze_makes_messages_wait_and_ends_with_the_fault() {
    // 100 bytes at 4 kB/s take 25 ms, and one comes every 10 ms.
    let ran = with(vec![fault("squeeze", 5, 75, a_to_b(Effect::Squeeze(4000)))], 90);
    assert_eq!(
        ran.said(1, HEARD),
        [(36, 1), (61, 2), (76, 3), (76, 4), (76, 5), (76, 6), (76, 7), (81, 8)],
        "the third would leave at 85 ms, and the fault ends at 75 ms"
    );
    // They wait 25, 40, 45, 35, 25, 15 and 5 ms.
    assert_eq!((ran.hit(0, Hit::MessagesDelayed), ran.hit(0, Hit::DelayAddedNs)), (7, 190_000_000));
    let wide = with(vec![fault("squeeze", 5, 75, a_to_b(Effect::Squeeze(1_000_000)))], 90);
    assert_eq!(wide.hit(0, Hit::DelayAddedNs), 700_000, "a tenth of a millisecond each");
    assert_eq!(wide.said(1, HEARD)[7], (81, 8));
}

#[test]
fn omission_has_directions_and_the_nth_message() {
    let lost = |from: &[u32], to: &[u32], both, effect| FaultKind::Messages {
        scope: Scope::Between { from: set(from), to: set(to), both },
        kind: None,
        effect,
    };
    let all = || Effect::Drop(Chance::ALWAYS);
    let heard = |kind| {
        let mut setup = setup(vec![fault("omission", 0, 100, kind)]);
        // `a` and `b` send to each other, and `c` to `a`.
        setup.nodes = vec![node("a", Some(1)), node("b", Some(0)), node("c", Some(0))];
        let ran = run(setup, 55);
        (ran.values(0, HEARD).len(), ran.values(1, HEARD).len(), ran.hit(0, Hit::MessagesCut))
    };
    let (everyone, a) = (&[0, 1, 2][..], &[0][..]);
    assert_eq!(heard(lost(a, everyone, false, all())), (10, 0, 5), "what a sends");
    assert_eq!(heard(lost(everyone, a, false, all())), (0, 5, 10), "what a receives");
    assert_eq!(heard(lost(a, everyone, true, all())), (0, 0, 15), "both");
    assert_eq!(heard(lost(&[2], a, false, all())), (5, 5, 5), "one way between two nodes");
    assert_eq!(heard(lost(everyone, a, false, Effect::DropNth(3))), (8, 5, 2), "the third of each sender");
    let third = with(vec![fault("omission", 0, 500, lost(a, everyone, false, Effect::DropNth(3)))], 100);
    assert_eq!(third.values(1, HEARD), [1, 2, 4, 5, 6, 7, 8, 9], "the third and no other");
}

#[test]
fn jitter_delays_each_message_by_a_draw_of_its_own() {
    let add = Law::Uniform { low: Span::ZERO, high: Span::millis(8) };
    let kind = a_to_b(Effect::Delay { factor: 1.0, add });
    let ran = with(vec![fault("jitter", 0, 10_000, kind)], 10_050);
    let sent = ran.hit(0, Hit::MessagesDelayed);
    assert_eq!(sent, 999);
    // Mean 4 ms +- 4 standard errors of 73 us.
    let mean = ran.hit(0, Hit::DelayAddedNs) / sent;
    assert!((3_707_000..=4_293_000).contains(&mean), "{mean}");
    let heard = ran.0.judge().0.iter().filter(|said| matches!(said.fact, Fact::Own { kind: HEARD, .. }));
    let mut waits: Vec<u64> = heard.map(|said| said.at.0 % 10_000_000).collect();
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 900, "{} of 999 draws differ", waits.len());
}
