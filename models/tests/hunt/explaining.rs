//! Why a run fails, where two runs part, and what viewers get.

use std::sync::atomic::AtomicBool;

use murphy_reports::{Story, explain_page, perfetto, shiviz};
use murphy_scenarios::hunt::{Parting, Strategy, Subject, diff, explain, shrink, tell};
use murphy_scenarios::language::Scenario;

use crate::fixture::{findings, hunted, models, study, text};

fn on() -> AtomicBool {
    AtomicBool::new(false)
}

/// The explanation of a quorum that is too small, before and after it is shrunk.
fn explained() -> (Story, Story) {
    let models = models();
    let study = study(&text("quorum-2f"), &models);
    let hunt = hunted(&study, Strategy::Swarm, 8);
    let repro = hunt.repro(&findings(&hunt)[0]).expect("the plan alone shows the same");
    let shrunk = shrink(&repro, &on(), &|_| ()).expect("it reproduces");
    let whole = tell(&repro.subject(), &on()).expect("it was not stopped");
    (whole, explain(&shrunk.repro, &on()).expect("it reproduces"))
}

#[test]
fn an_explanation_names_the_cause_and_what_led_to_the_violation() {
    let (whole, story) = explained();
    let needed: Vec<&str> =
        story.faults.iter().filter(|fault| fault.needed).map(|fault| fault.what.as_str()).collect();
    assert!(needed.len() == 1 && story.faults.len() == 1, "{needed:?} of {:?}", story.faults);
    // One event is the violation; the slice holds it, and leaves something out.
    let violating: Vec<_> = story.events.iter().filter(|event| event.violates).collect();
    assert!(violating.len() == 1 && violating[0].slice && !violating[0].facts.is_empty());
    let slice = story.slice();
    assert!(slice > 10 && slice < story.events.len(), "{slice} of {}", story.events.len());
    // Before the fault starts no future breaks it; at the end nearly all do.
    let (first, last) = (story.curve[0], story.curve[story.curve.len() - 1]);
    assert_eq!((first.at_ns, first.hits), (0, 0), "{:?}", story.curve);
    assert!(last.hits * 2 > last.runs, "{:?}", story.curve);
    for story in [&whole, &story] {
        check_order(story);
    }
}

/// Messages go forward in time and in vector clocks, and every delivery has its send.
fn check_order(story: &Story) {
    let clocks = story.vector_clocks();
    let mut received = 0;
    for message in &story.messages {
        let Some(to) = message.received else { continue };
        received += 1;
        let from = message.sent.expect("a message is sent during an event");
        assert!(story.events[from].at_ns <= story.events[to].at_ns, "{message:?}");
        assert_eq!((story.events[from].node, story.events[to].node), (message.from, message.to));
        assert!(!message.lost, "{message:?}");
        assert!(clocks[from].iter().zip(&clocks[to]).all(|(a, b)| a <= b), "{message:?}");
        assert!(clocks[from] != clocks[to]);
    }
    let deliveries = story.events.iter().filter(|event| event.kind == "message");
    let from_others = deliveries.filter(|event| {
        let own = format!(" from {}", story.nodes[event.node as usize]);
        !event.what.ends_with(&own)
    });
    // A message that arrives twice is received once.
    let from_others = from_others.count();
    assert!(
        received <= from_others && received + from_others / 5 > from_others,
        "{received} of {from_others}"
    );
    assert!(received > 20);
}

#[test]
fn the_page_loads_nothing_and_leaves_nothing_out() {
    let (_, story) = explained();
    let page = explain_page(&story);
    assert!(page.contains("default-src 'none'"));
    for outside in ["src=\"http", "href=\"http", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    for event in &story.events {
        assert!(page.contains(&format!("<td class=\"num\">{}</td>", event.number)), "event {}", event.number);
    }
    let nasty = Story { title: "</script><b>".to_owned(), ..story };
    assert_eq!(explain_page(&nasty).matches("</script>").count(), 2, "what a scenario says is escaped");
}

#[test]
fn viewers_get_every_event() {
    let (_, story) = explained();
    let json: serde_json::Value = serde_json::from_str(&perfetto(&story)).expect("JSON");
    let events = json["traceEvents"].as_array().expect("a list");
    let count =
        |ph: &str, cat: &str| events.iter().filter(|event| event["ph"] == ph && event["cat"] == cat).count();
    let of_nodes = events.iter().filter(|event| event["ph"] == "X" && event["pid"] == 1).count();
    assert_eq!(of_nodes, story.events.len());
    assert_eq!(count("X", "fault"), story.faults.len());
    assert!(count("s", "message") > 20 && count("s", "message") == count("f", "message"));
    // Two lines an event, after the expression and an empty line; each host's own clock counts its lines.
    let log = shiviz(&story);
    let lines: Vec<&str> = log.lines().skip(2).collect();
    assert_eq!(lines.len(), 2 * story.events.len());
    let mut own = vec![0_u64; story.nodes.len()];
    for (pair, event) in lines.chunks(2).zip(&story.events) {
        let (host, clock) = pair[0].split_once(' ').expect("host and clock");
        let clock: serde_json::Value = serde_json::from_str(clock).expect("a clock is JSON");
        own[event.node as usize] += 1;
        assert_eq!(host, story.nodes[event.node as usize]);
        assert_eq!(clock[host], own[event.node as usize]);
    }
}

#[test]
fn two_runs_part_at_the_first_event_that_a_fault_touches() {
    let models = models();
    let study = study(&text("none"), &models);
    let subject = |scenario: &Scenario| Subject { model: study.models()[0], scenario: scenario.clone() };
    let plain = subject(&study.points()[0]);
    assert!(matches!(diff(&plain, &plain, &on()), Some(Parting::Same { events }) if events > 20_000));
    let slow = text("none")
        + "[[fault]]\nname = \"slow\"\nkind = \"slow\"\nat = \"6s\"\nfor = \"1s\"\ntarget = \"r2\"\nfactor = 10.0\n";
    let other = crate::fixture::study(&slow, &models);
    let other = subject(&other.points()[0]);
    let Some(Parting::At { event, compared, first, second }) = diff(&plain, &other, &on()) else {
        panic!("the fault does something")
    };
    assert!(compared >= 3 && event > 10_000, "event {event} after {compared} comparisons");
    // The same as by looking at every event of both runs.
    let all = |subject: &Subject<'_>| tell(subject, &on()).expect("it was not stopped").events;
    let (a, b) = (all(&plain), all(&other));
    let place = a.iter().zip(&b).position(|(a, b)| a != b).expect("they part");
    assert_eq!(a[place].number.min(b[place].number), event);
    assert!(
        first.is_some_and(|text| text.starts_with("6.0"))
            && second.is_some_and(|text| text.starts_with("6.0"))
    );
}
