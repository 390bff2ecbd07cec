//! What files mean.

use murphy_reports::Over;
use murphy_scenarios::expect::{Check, Condition};
use murphy_scenarios::language::{ArrivalSpec, FaultEffect, LawSpec, Scope, faults, schema};
use murphy_sim::{Span, Time};

use crate::fixture::{PARTITION, SMALL, document, models, scenario};

#[test]
fn the_example_means_what_it_says() {
    let s = scenario(PARTITION, &[]);
    assert_eq!((s.name.as_str(), s.seed), ("pbft-partition", 42));
    assert_eq!((s.duration, s.warmup), (Span::secs(120), Span::secs(10)));
    assert_eq!(s.network.latency, LawSpec::Lognormal { median: Span::millis(2), sigma: 0.4 });
    assert_eq!((s.network.drop, s.network.duplicate), (0.001, 0.0005));
    let names: Vec<&str> = s.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names[..5], ["r0", "r1", "r2", "r3", "client0"]);
    assert_eq!(names.len(), 12);
    assert_eq!(s.nodes[0].params.duration("view_timeout"), Span::millis(500));
    assert_eq!(s.nodes[0].params.count("f"), 1);
    assert_eq!(s.nodes[0].params.count("batch"), 4096, "a default of the model");
    assert_eq!(s.workloads[0].from, (4..12).collect::<Vec<_>>());
    assert_eq!(s.workloads[0].arrivals, ArrivalSpec::Poisson { rate: 200.0 });
    assert_eq!(s.workloads[0].probe, Some(Span::millis(100)));
    let groups = vec![vec![0], vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]];
    assert_eq!(s.faults[0].effect, FaultEffect::Partition { groups, one_way: false });
    assert_eq!((s.faults[0].start, s.faults[0].duration), (Time(40_000_000_000), Some(Span::secs(15))));
    assert_eq!(s.faults[0].target, "r0 | r1, r2, r3, client*");
    assert_eq!(s.faults[1].effect, FaultEffect::Slow { nodes: vec![2], factor: 10.0 });
    assert_eq!(s.expectations.len(), 6);
    assert!(s.expectations[0].abort && s.expectations[0].over == Over::EverySeed);
    assert_eq!(s.expectations[0].place.to_string(), "test.toml:48:9");
    assert!(matches!(&s.expectations[1].condition,
        Condition::Property { check: Check::Linearizable, name, .. } if name == "kv"));
}

#[test]
fn a_frozen_scenario_reads_back_as_itself() {
    for text in [PARTITION, SMALL] {
        let first = scenario(text, &[]);
        let second = scenario(first.render(), &[]);
        assert_eq!(first, second);
        assert_eq!(first.render(), second.render());
    }
}

#[test]
fn how_a_value_is_written_does_not_change_the_frozen_text() {
    let other = SMALL.replace("\"60s\"", "\"1min\"").replace("\"2s\"", "\"2000ms\"");
    assert_ne!(other, SMALL);
    assert_eq!(scenario(&other, &[]).render(), scenario(SMALL, &[]).render());
}

#[test]
fn the_frozen_text_and_the_plan_read_well() {
    insta::assert_snapshot!("frozen", scenario(PARTITION, &[]).render());
    let text = document(PARTITION, &[]).expect("the example is right").plan(&[]);
    insta::assert_snapshot!("plan", text);
}

const SITES: &str = r#"
name = "sites"
duration = "60s"

[network]
latency = "500us"
rtt_csv = "rtt.csv"
rtt_sigma = 0.05

[[site]]
name = "paris"
zone = "eu-a"
region = "eu"

[[site]]
name = "tokyo"
region = "asia"
latency = "100us"

[[site]]
name = "ohio"

[[link]]
between = ["ohio", "tokyo"]
latency = "70ms"
drop = "0.1%"

[[node]]
name = "r"
count = 4
model = "pbft.replica"
params = { f = 1 }
sites = ["paris", "tokyo", "ohio"]
cpu = { receive = "20us" }
clock = { offset = "-5ms", drift_ppm = 20 }

[[node]]
name = "lone"
model = "pbft.client"
site = "eu"
"#;

#[test]
fn sites_links_and_the_table_of_round_trips() {
    let s = scenario(SITES, &[]);
    assert_eq!(s.nodes.iter().map(|node| node.site).collect::<Vec<_>>(), [0, 1, 2, 0, 0]);
    assert_eq!(s.nodes[4].name, "lone", "no count, no index");
    let between: Vec<_> = s.links.iter().map(|link| link.between).collect();
    assert_eq!(between, [(2, 1), (0, 1), (0, 2)]);
    assert_eq!(s.links[0].path.latency, LawSpec::Constant(Span::millis(70)));
    assert_eq!(s.links[0].path.drop.to_bits(), 0.001_f64.to_bits());
    let median = Span::micros(122_500);
    assert_eq!(
        s.links[1].path.latency,
        LawSpec::Lognormal { median, sigma: 0.05 },
        "half of (240 + 250) / 2"
    );
    assert_eq!(s.sites[1].latency, LawSpec::Constant(Span::micros(100)));
    assert_eq!(s.sites[2].latency, LawSpec::Constant(Span::micros(500)));
    assert_eq!(s.nodes[0].cpu.receive, Span::micros(20));
    assert_eq!(s.nodes[0].cpu.send, s.nodes[4].cpu.send, "the rest comes from [cpu]");
    assert_eq!((s.nodes[0].clock.offset_ns, s.nodes[0].clock.drift_ppm), (-5_000_000, 20.0));
    assert_eq!(scenario(s.render(), &[]), s, "the frozen text needs no other file");
}

fn fault(text: &str) -> FaultEffect {
    let file = format!("{SITES}\n[[fault]]\nname = \"x\"\nat = \"1s\"\nfor = \"2s\"\n{text}\n");
    let s = scenario(&file, &[]);
    assert_eq!(scenario(s.render(), &[]), s, "{text} reads back");
    s.faults[0].effect.clone()
}

#[test]
fn every_kind_of_fault_resolves() {
    let all: Vec<usize> = (0..5).collect();
    assert_eq!(
        fault("kind = \"crash\"\ntarget = \"r*\"\namnesia = true"),
        FaultEffect::Crash { nodes: vec![0, 1, 2, 3], amnesia: true }
    );
    assert_eq!(fault("kind = \"pause\"\ntarget = \"eu\""), FaultEffect::Pause { nodes: vec![0, 3, 4] });
    assert_eq!(
        fault("kind = \"partition\"\nisolate = \"r1\"\none_way = true"),
        FaultEffect::Partition { groups: vec![vec![1], vec![0, 2, 3, 4]], one_way: true }
    );
    assert_eq!(fault("kind = \"cut\"\nlink = [\"tokyo\", \"ohio\"]"), FaultEffect::Cut { link: 0 });
    assert_eq!(
        fault("kind = \"site-down\"\nregion = \"eu\""),
        FaultEffect::SiteDown { sites: vec![0], nodes: vec![0, 3, 4] }
    );
    let FaultEffect::Loss { scope: Scope::Link(1), probability, .. } =
        fault("kind = \"loss\"\nlink = [\"tokyo\", \"paris\"]\nprobability = \"10%\"")
    else {
        panic!("a loss on the second link")
    };
    assert_eq!(probability.to_bits(), 0.1_f64.to_bits());
    let FaultEffect::Omission { traffic, nth, .. } =
        fault("kind = \"omission\"\ntarget = \"r0\"\ndirection = \"send\"\nmessage = \"prepare\"\nnth = 3")
    else {
        panic!("an omission")
    };
    assert_eq!((traffic.from, traffic.to, traffic.both), (vec![0], all.clone(), false));
    assert_eq!((traffic.message, nth), (Some("prepare"), Some(3)));
    let FaultEffect::Latency { scope: Scope::Traffic(traffic), factor, .. } =
        fault("kind = \"latency\"\ntarget = \"r0\"\nfactor = 3")
    else {
        panic!("a latency fault")
    };
    assert_eq!((traffic.from, traffic.to, traffic.both, factor), (vec![0], all, true, 3.0));
    for text in [
        "kind = \"disk-slow\"\ntarget = \"r0\"\nfactor = 2",
        "kind = \"clock\"\ntarget = \"r0\"\njump = \"-3s\"",
        "kind = \"bandwidth\"\nfrom = \"r0\"\nlimit = \"1MB/s\"",
        "kind = \"reorder\"\nto = \"r0\"\nprobability = 0.5\ndelay = { dist = \"uniform\", low = \"1ms\", high = \"2ms\" }",
        "kind = \"corrupt\"\nprobability = 0.5",
        "kind = \"duplicate\"\nfrom = \"r0\"\nto = \"r1\"\nprobability = 0.5",
    ] {
        fault(text);
    }
}

#[test]
fn laws_may_be_given_by_mean_and_variation() {
    for (law, expected) in [
        ("\"5ms\"", LawSpec::Constant(Span::millis(5))),
        ("{ dist = \"exponential\", mean = \"5ms\" }", LawSpec::Exponential { mean: Span::millis(5) }),
        (
            "{ dist = \"normal\", mean = \"10ms\", cv = 0.2 }",
            LawSpec::Normal { mean: Span::millis(10), sigma: Span::millis(2) },
        ),
        (
            "{ dist = \"weibull\", mean = \"10ms\", shape = 1 }",
            LawSpec::Weibull { scale: Span::millis(10), shape: 1.0 },
        ),
        (
            "{ dist = \"pareto\", scale = \"1ms\", shape = 1.5 }",
            LawSpec::Pareto { scale: Span::millis(1), shape: 1.5 },
        ),
        (
            "{ dist = \"empirical\", values = [\"1ms\", \"3ms\"] }",
            LawSpec::Empirical { values: [Span::millis(1), Span::millis(3)].into() },
        ),
    ] {
        let s = scenario(&format!("{SMALL}\n[network]\nlatency = {law}\n"), &[]);
        assert_eq!(s.network.latency, expected, "{law}");
    }
    let text = format!("{SMALL}\n[network]\nlatency = {{ dist = \"lognormal\", mean = \"10ms\", cv = 1 }}\n");
    let LawSpec::Lognormal { median, sigma } = scenario(&text, &[]).network.latency else {
        panic!("lognormal")
    };
    // With cv = 1: sigma = sqrt(ln 2), median = mean / sqrt(2).
    assert!((sigma - 0.832_554_611_157_697_8).abs() < 1e-12, "{sigma}");
    assert_eq!(median, Span::nanos(7_071_068));
}

#[test]
fn every_kind_of_fault_and_every_table_is_in_the_schema() {
    let schema = schema(&models());
    let kinds = schema["properties"]["fault"]["items"]["oneOf"].as_array().expect("alternatives");
    let named: Vec<&str> =
        kinds.iter().map(|kind| kind["properties"]["kind"]["const"].as_str().expect("a name")).collect();
    assert_eq!(named, faults().iter().map(|fault| fault.name).collect::<Vec<_>>());
    for key in ["name", "duration", "network", "node", "workload", "expect", "sweep", "design", "limits"] {
        assert!(schema["properties"][key]["description"].is_string(), "{key} is in the schema");
    }
    assert_eq!(schema["required"], serde_json::json!(["name", "duration"]));
    let crash = &faults()[0];
    assert_eq!(
        crash.keys.iter().map(|(key, ..)| key.as_str()).collect::<Vec<_>>(),
        ["amnesia", "restart", "target"]
    );
}
