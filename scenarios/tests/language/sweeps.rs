//! Overrides, axes, points and seeds.

use murphy_sim::Span;

use crate::fixture::{PARTITION, SMALL, document, mistakes, scenario};

const SWEEP: &str = r#"
[[sweep]]
axis = "timeout"
set = ["node.r.params.view_timeout"]
values = ["100ms", "1s"]

[[sweep]]
axis = "load"
set = ["workload.*.arrivals.rate"]
range = { from = "400/s", to = "1000/s", step = "200/s" }

[[sweep]]
axis = "label"
with = "timeout"
set = ["name"]
values = ["short", "long"]

[design]
seeds = "1..=20"
where = "!(timeout == 1s && load > 800/s)"

[[expect]]
that = "availability > 90%"
when = "label == 'long' || load <= 400/s"
over = "95% of seeds"
"#;

fn labels(text: &str, sets: &[&str]) -> Vec<String> {
    let document = document(text, sets).unwrap_or_else(|wrong| panic!("{wrong}"));
    document.points().iter().map(murphy_scenarios::language::Point::folder).collect()
}

#[test]
fn axes_multiply_move_in_lockstep_and_drop_points() {
    let text = format!("{SMALL}{SWEEP}");
    let points = labels(&text, &[]);
    assert_eq!(points.len(), 7);
    assert_eq!(points[0], "timeout=100ms,load=400%2Fs,label=short");
    assert_eq!(points[6], "timeout=1s,load=800%2Fs,label=long");
    let document = document(&text, &[]).expect("the sweep is right");
    assert_eq!(document.seeds(), (1..=20).collect::<Vec<u64>>());
    let s = document.points()[6].resolve().expect("the point is right");
    assert_eq!((s.name.as_str(), s.workloads[0].arrivals.rate()), ("long", Some(800.0)));
    assert_eq!(s.nodes[0].params.duration("view_timeout"), Span::secs(1));
    let expectations: Vec<usize> =
        document.points().iter().map(|point| point.resolve().expect("right").expectations.len()).collect();
    assert_eq!(expectations, [1, 0, 0, 0, 1, 1, 1]);
    insta::assert_snapshot!("sweep_plan", document.plan(&[]));
}

#[test]
fn every_point_freezes() {
    let text = format!("{SMALL}{SWEEP}");
    for point in document(&text, &[]).expect("the sweep is right").points() {
        let mut first = point.resolve().expect("the point is right");
        let second = scenario(first.render(), &[]);
        first.point.clear();
        assert_eq!(first, second, "{}", point.folder());
    }
    let whole = document(&text, &["seed=7"]).expect("right").render();
    assert_eq!(labels(&whole, &[]), labels(&text, &[]), "the frozen file has the same sweep");
}

#[test]
fn overrides_set_paths_axes_and_lists() {
    let text = format!("{SMALL}{SWEEP}");
    for (sets, expected) in [
        (
            &["load=700/s"][..],
            vec!["timeout=100ms,load=700%2Fs,label=short", "timeout=1s,load=700%2Fs,label=long"],
        ),
        (&["timeout=1s", "load=400/s"], vec!["timeout=1s,load=400%2Fs,label=long"]),
        (
            &["timeout=1000ms", "load=[400/s,800/s]"],
            vec!["timeout=1s,load=400%2Fs,label=long", "timeout=1s,load=800%2Fs,label=long"],
        ),
        (
            &["timeout=1s", "load=400/s", "network.drop=[0.1,0.2]"],
            vec![
                "timeout=1s,load=400%2Fs,label=long,network.drop=0.1",
                "timeout=1s,load=400%2Fs,label=long,network.drop=0.2",
            ],
        ),
    ] {
        assert_eq!(labels(&text, sets), expected, "{sets:?}");
    }
    let s = scenario(
        PARTITION,
        &["fault.cut-primary.for=5s", "workload.*.keys=7", "network.drop=1%", "name=other"],
    );
    assert_eq!(s.faults[0].duration, Some(Span::secs(5)));
    assert_eq!((s.workloads[0].keys, s.network.drop, s.name.as_str()), (7, 0.01, "other"));
}

#[test]
fn wrong_sweeps_are_mistakes() {
    for (change, sets, expected) in [
        (("[\"name\"]", "[\"nme.x.y.z\"]"), &[][..], "matches nothing"),
        (("with = \"timeout\"", "with = \"timeot\""), &[], "did you mean `timeout`"),
        (("\"short\", \"long\"", "\"short\""), &[], "has 1 values, but `timeout` has 2"),
        (("load > 800/s", "load > 800"), &[], "no value of `load` can be compared"),
        (("load > 800/s", "laod > 800/s"), &[], "did you mean `load`"),
        (("step = \"200/s\"", "step = \"0/s\""), &[], "gives no values"),
        (("step = \"200/s\"", "step = \"200ms\""), &[], "need one dimension"),
        (("\"100ms\", \"1s\"", "\"100ms\", 5"), &[], "write \"5ms\""),
        (("[\"name\"]", "[\"node.r.params.view_timeout\"]"), &[], "set the same value"),
        (("1..=20", "1..=99999999"), &[], "more than 1000000 seeds"),
        (("!(timeout == 1s && load > 800/s)", "load > 9000/s"), &[], "no point is left"),
        (("x", "x"), &["timeout=7s"], "has no value \"7s\""),
        (("x", "x"), &["node.r.params.view_timeout=7s"], "write --set timeout=VALUE"),
    ] {
        let text = format!("{SMALL}{SWEEP}").replace(change.0, change.1);
        let text = mistakes(&text, sets).render(false);
        assert!(text.contains(expected), "{change:?} {sets:?}\nmust say {expected:?}:\n{text}");
    }
}

#[test]
fn large_sweeps_and_rosters_are_read() {
    let text = SMALL.replace("count = 2", "count = 50000");
    assert_eq!(scenario(&text, &[]).workloads[0].from.len(), 50_000);
    let sweep = "[[sweep]]\naxis = \"a\"\nset = [\"seed\"]\nrange = { from = 1, to = 5000, step = 1 }\n";
    assert_eq!(labels(&format!("{SMALL}\n{sweep}"), &[]).len(), 5000);
    let text = mistakes(
        &format!("{SMALL}\n{sweep}{}", sweep.replace("\"a\"", "\"b\"").replace("seed", "warmup")),
        &[],
    );
    assert!(text.render(false).contains("more than 100000 points"));
}
