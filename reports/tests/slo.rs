//! Objectives: alerts fire when the formulas say, at what was burnt by then, and are over when they say.

use murphy_reports::{Alert, AlertScheme, Course, Severity, SloBy, SloSpec, alerts};

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600;
const DAYS_30: u64 = 30 * 24 * HOUR;

fn spec(scheme: AlertScheme, strict: bool) -> SloSpec {
    SloSpec {
        name: "test".to_owned(),
        workload: None,
        by: SloBy::Requests,
        target: 0.999,
        window_ns: DAYS_30 * SECOND,
        latency_ns: None,
        scheme,
        strict,
        suppress: Vec::new(),
        detection_ns: None,
        recovery_ns: None,
    }
}

/// A thousand requests a second, of which `bad` fail between two instants; steps of a second.
fn course(seconds: u64, bad: u32, from: u64, to: u64) -> Course {
    let count = |second: u64| {
        let bad = if (from..to).contains(&second) { f64::from(bad) } else { 0.0 };
        (1000.0 - bad, bad)
    };
    Course::new(SECOND, (0..seconds).map(count).collect())
}

fn first(alerts: &[Alert]) -> (u64, &str) {
    let alert = alerts.first().expect("an alert");
    (alert.fired_ns / SECOND, alert.rule.as_str())
}

#[test]
fn alerts_fire_when_the_burnt_part_of_the_long_window_says() {
    // Limit x (1 - target) x window / share that fails; with > in place of >= never at equality.
    for (bad, at, rule, at_equality) in [
        (10, 12_960, "6x over", false),
        (6, 21_600, "6x over", true),
        (5, 51_840, "1x over", false),
        (1, 259_200, "1x over", true),
    ] {
        let course = course(3 * 24 * HOUR + 10, bad, 0, u64::MAX);
        let found = alerts(&course, &spec(AlertScheme::MultiWindow, false));
        let (fired, by) = first(&found);
        assert_eq!(fired, at, "{bad} of 1000 fail");
        assert!(by.starts_with(rule), "{bad} of 1000: {by}");
        let strict = alerts(&course, &spec(AlertScheme::MultiWindow, true));
        let same =
            strict.iter().any(|alert| alert.rule.starts_with(rule) && alert.fired_ns / SECOND <= at + 1);
        assert_eq!(same, !at_equality, "{bad} of 1000 with >");
    }
}

#[test]
fn an_alert_is_over_when_the_short_window_forgets() {
    // Everything fails for an hour; 14.4x over 1 h and 5 min: 4.928 min after the end, to the second.
    let end = 10 * HOUR + HOUR;
    let course = course(14 * HOUR, 1000, 10 * HOUR, end);
    let found = alerts(&course, &spec(AlertScheme::MultiWindow, false));
    let fast = found.iter().find(|alert| alert.rule.starts_with("14.4x")).expect("a page");
    assert_eq!(fast.severity, Severity::Page);
    // 14.4 x 0.001 of an hour of traffic: 51.84 s.
    assert_eq!(fast.fired_ns / SECOND, 10 * HOUR + 52);
    let over = fast.resolved_ns.expect("it ends") / SECOND - end;
    assert_eq!(over, 296, "4.928 min is 295.68 s");
    // Burnt by then: 2 % of the budget, exactly at the limit of the long window.
    assert!((fast.burnt - 0.02).abs() < 0.001, "{}", fast.burnt);
}

#[test]
fn a_limit_that_cannot_be_reached_never_alerts() {
    // At a target of 90 % nothing burns faster than 10 times.
    let loose = SloSpec { target: 0.9, ..spec(AlertScheme::MultiWindow, false) };
    let found = alerts(&course(5 * HOUR, 1000, HOUR, 4 * HOUR), &loose);
    assert!(found.iter().all(|alert| !alert.rule.starts_with("14.4x")), "{found:?}");
    let tight = alerts(&course(5 * HOUR, 1000, HOUR, 4 * HOUR), &spec(AlertScheme::MultiWindow, false));
    assert!(tight.iter().any(|alert| alert.rule.starts_with("14.4x")));
}

#[test]
fn exhaustion_pages_only_when_the_budget_ends_within_a_day() {
    let scheme = spec(AlertScheme::Exhaustion, false);
    // Three times too fast with the whole budget left: it lasts ten days, nobody is woken. A full budget
    // ends within a day only at thirty times.
    let slow = alerts(&course(10 * HOUR, 3, HOUR, 10 * HOUR), &scheme);
    assert!(slow.iter().all(|alert| alert.severity != Severity::Page), "{slow:?}");
    assert!(slow.iter().any(|alert| alert.severity == Severity::Escalate));
    let fast = alerts(&course(10 * HOUR, 31, HOUR, 10 * HOUR), &scheme);
    assert!(fast.iter().any(|alert| alert.severity == Severity::Page));
    // A little below the even rate is a ticket.
    let ticket = alerts(&course(10 * HOUR, 1, 9 * HOUR, 10 * HOUR), &scheme);
    assert!(
        !ticket.is_empty() && ticket.iter().all(|alert| alert.severity == Severity::Ticket),
        "{ticket:?}"
    );
}
