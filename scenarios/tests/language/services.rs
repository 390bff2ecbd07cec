//! `[[service]]`, `[policy.NAME]`, workloads from outside, and `[[compare]]`.

use murphy_scenarios::language::{
    BackoffKind, Balancer, BreakerWindow, BudgetSpec, Claim, Jitter, Margin, QueueOrder, SERVICE_REPLICA,
    SERVICE_USERS,
};
use murphy_sim::Span;

use crate::fixture::{STORM, document, mistakes, scenario};

#[test]
fn services_become_replicas_and_the_outside_becomes_a_node() {
    let storm = scenario(STORM, &[]);
    let names: Vec<&str> = storm.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names[..4], ["frontend0", "frontend1", "frontend2", "frontend3"]);
    assert_eq!(names[8..], ["db0", "db1", "outside(users)"]);
    assert!(storm.nodes[..10].iter().all(|node| node.kind == SERVICE_REPLICA && !node.client));
    assert!(storm.nodes[10].kind == SERVICE_USERS && storm.nodes[10].client);
    assert_eq!((storm.workloads[0].to, storm.workloads[0].from.as_slice()), (Some(0), &[10][..]));
    assert_eq!(storm.services[0].calls[0].to, 1);
    assert_eq!(storm.services[1].calls[0].policy, Some(0));
    assert_eq!(storm.services[2].concurrency, 6);
    assert_eq!(
        (storm.services[2].balancer, storm.services[2].queue.order),
        (Balancer::PowerOfTwo, QueueOrder::Fifo)
    );
    let budget = &storm.policies[2];
    assert_eq!(
        (budget.name.as_str(), budget.timeout, budget.retries),
        ("budget", Some(Span::millis(250)), 3)
    );
    assert_eq!((budget.backoff.kind, budget.backoff.jitter), (BackoffKind::Exponential, Jitter::Full));
    assert_eq!(
        budget.budget,
        Some(BudgetSpec::Window { ratio: 0.1, min_per_sec: 10, shared: true, ttl: Span::secs(10) })
    );
    let slow = &storm.faults[0];
    assert!(
        format!("{:?}", slow.effect).contains("nodes: [8, 9]"),
        "a service's name is its replicas: {slow:?}"
    );
}

#[test]
fn the_frozen_file_means_the_same() {
    let storm = scenario(STORM, &[]);
    let again = scenario(storm.render(), &[]);
    assert_eq!((again.services, again.policies), (storm.services, storm.policies));
}

#[test]
fn breakers_have_the_defaults_of_the_library_they_follow() {
    let text = STORM.replace("[policy.naive]", "[policy.naive]\nbreaker = {}");
    let breaker = scenario(&text, &[]).policies[0].breaker.expect("a breaker");
    assert_eq!(
        (breaker.window, breaker.minimum, breaker.half_open),
        (BreakerWindow::Count(100), 100, Some(10))
    );
    assert_eq!((breaker.slow_after, breaker.open_for), (Span::secs(60), Span::secs(60)));
    assert!((breaker.failure_rate - 0.5).abs() < 1e-12 && (breaker.slow_rate - 1.0).abs() < 1e-12);
}

#[test]
fn points_are_compared_that_differ_in_the_axis_only() {
    let storm = document(STORM, &[]).expect("the example is right");
    let [Some(spec)] = storm.compares() else { panic!("one comparison: {:?}", storm.compares()) };
    let [group] = spec.groups.as_slice() else { panic!("one load: {:?}", spec.groups) };
    assert_eq!(group.point, [("load".to_owned(), "800/s".to_owned())]);
    let arms: Vec<&str> = group.arms.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!((arms.as_slice(), group.base), (&["naive", "expo", "budget"][..], 0));
    let Some(Claim { left, right, margin: Margin::Share(share), confidence, .. }) = &spec.claim else {
        panic!("a claim: {:?}", spec.claim)
    };
    assert_eq!((left.as_str(), right.as_str()), ("budget", "naive"));
    assert!((share - 0.1).abs() < 1e-12 && (confidence - 0.95).abs() < 1e-12);
    // What the command line leaves out is not compared, and that is no mistake.
    let narrow = document(STORM, &["policy=budget"]).expect("an axis may be narrowed");
    assert_eq!(narrow.compares(), &[None]);
}

#[test]
fn each_mistake_has_its_message() {
    for (from, to, expected) in [
        ("to = \"cart\"", "to = \"crat\"", "no service is called `crat`"),
        ("\"expo\", \"budget\"]", "\"expo\", \"bugdet\"]", "no policy is called `bugdet`"),
        ("to = \"db\"", "to = \"frontend\"", "`frontend` calls itself, directly or through others"),
        (
            "from     = \"outside\"",
            "from     = \"db0\"",
            "services are asked from \"outside\", not from \"db0\"",
        ),
        ("timeout = \"250ms\"", "timeout = \"0s\"", "no call can be answered in no time"),
        ("kind = \"none\"", "kind = \"nnoe\"", "unknown kind \"nnoe\""),
        ("base   = \"naive\"", "base   = \"nave\"", "the axis `policy` has no value \"nave\""),
        ("axis   = \"policy\"\nbase", "axis   = \"polcy\"\nbase", "no axis is called `polcy`"),
        ("budget >= naive + 10% at 95% confidence", "budget is better", "expected a claim"),
        ("budget >= naive + 10% at", "budgt >= naive + 10% at", "the axis has no value `budgt`"),
        ("metric = \"goodput", "metric = \"godput", "godput"),
        (
            "when   = \"load == 800/s\"",
            "when   = \"load == 900/s\"",
            "no two points of the sweep can be compared",
        ),
    ] {
        assert!(STORM.contains(from), "{from}");
        let wrong = mistakes(&STORM.replacen(from, to, 1), &[]).render(false);
        assert!(wrong.contains(expected), "{expected} is not in\n{wrong}");
    }
}
