//! `murphy run`: exit codes, the folder of results, what is printed.

use crate::support::{Desk, Done, PARTITION, REGIONS, Results, SMALL, library};

const FILES: [&str; 9] = [
    "MANIFEST.b3",
    "env.json",
    "faults.csv",
    "incidents.csv",
    "report.html",
    "result.json",
    "scenario.toml",
    "summary.csv",
    "windows.csv",
];

/// Runs a scenario of the library, and hands over what was printed and what was written.
fn run(path: &str, more: &[&str]) -> (Done, Results) {
    let desk = Desk::new();
    let file = library(path);
    let mut words = vec!["run", file.to_str().expect("a path in UTF-8"), "--out", "out"];
    words.extend(more);
    let done = desk.murphy(&words);
    (done, desk.results("out"))
}

#[test]
fn beyond_f_the_run_exits_1_and_names_agreement() {
    let file = "violations/byzantine-beyond-f.toml";
    let (done, results) = run(file, &[]);
    let done = done.exits(1).shows("FAIL  byzantine-beyond-f").shows("pbft.agreement violated at");
    done.shows("r1 and r2 decided different values at slot").shows("messages altered");
    assert!(results.json().to_string().contains("decided different values"));
    // One liar less is one that the protocol tolerates.
    let (done, _) = run(file, &["--set", "fault.two-stories.target=r0"]);
    done.exits(0).shows("PASS  byzantine-beyond-f");
}

#[test]
fn the_first_command_passes_and_writes_every_file() {
    let (done, results) = run(PARTITION, &[]);
    let done = done.exits(0);
    assert_eq!(done.err, "");
    for words in
        ["PASS  pbft-partition  seed 42", "Expectations  6 passed", "Repeat  murphy run", "cut-primary"]
    {
        assert!(done.out.contains(words), "no `{words}` in\n{}", done.out);
    }
    assert_eq!(results.names(), FILES);
    results.verify_manifest();

    let result = results.json();
    assert_eq!(result["schema"], 1);
    assert_eq!(result["verdict"], "pass");
    assert_eq!(result["exit_code"], 0);
    assert!(done.out.contains(&results.trace_hash()));
}

#[test]
fn tables_have_their_columns_and_what_happened() {
    let (_, results) = run(PARTITION, &[]);
    let header = |name: &str| results.text(name).lines().next().unwrap_or_default().to_owned();
    assert_eq!(header("windows.csv"), "point,seed,t,metric,labels,value");
    assert!(header("faults.csv").starts_with("point,seed,fault,kind,target,"), "{}", header("faults.csv"));
    assert!(header("incidents.csv").starts_with("point,seed,"), "{}", header("incidents.csv"));
    assert!(header("summary.csv").starts_with("point,seed,scenario,end,"), "{}", header("summary.csv"));

    let summary = results.rows("summary.csv");
    assert_eq!(summary.len(), 1);
    assert_eq!(summary[0]["seed"], "42");
    assert_eq!(summary[0]["end"], "finished");
    assert_eq!(summary[0]["trace_hash"], results.trace_hash());
    assert_eq!(summary[0]["properties_violated"], "0");

    let faults = results.rows("faults.csv");
    let hits: Vec<_> = faults.iter().map(|row| (row["fault"].as_str(), row["hits"].as_str())).collect();
    assert_eq!(hits.len(), 2);
    assert!(hits[0].0 == "cut-primary" && hits[0].1.contains("messages_cut="), "{hits:?}");
    assert!(hits[1].0 == "slow-node" && hits[1].1.contains("time_slowed_ns="), "{hits:?}");
    let windows = results.rows("windows.csv");
    let seconds = windows.iter().filter(|row| row["metric"] == "goodput_per_s").count();
    assert_eq!(seconds, 120, "one row a second");
    assert!(!results.rows("incidents.csv").is_empty(), "the primary was cut off");
}

#[test]
fn the_report_needs_nothing_but_itself() {
    let (_, results) = run(PARTITION, &[]);
    let page = results.text("report.html");
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("default-src 'none'"), "a policy that forbids the network");
    assert!(page.contains("<svg"), "plots are inside");
    for loads in [
        "src=\"http",
        "src='http",
        "href=\"http",
        "url(http",
        "@import",
        "<link rel=\"stylesheet",
        "<iframe",
        "<img",
        "fetch(",
    ] {
        assert!(!page.contains(loads), "the page loads something: {loads}");
    }
    for fault in ["cut-primary", "slow-node"] {
        assert!(page.contains(fault), "{fault}");
    }
}

#[test]
fn traffic_takes_the_detour_when_a_cable_is_cut() {
    let (done, results) = run(REGIONS, &[]);
    done.exits(0);
    results.verify_manifest();
    let hits = |name: &str| {
        let faults = results.rows("faults.csv");
        let row = faults.iter().find(|row| row["fault"] == name).expect("the fault is in the plan");
        row["hits"].clone()
    };
    let cable = hits("cable");
    let rerouted = cable.split(';').find_map(|hit| hit.strip_prefix("messages_rerouted="));
    let rerouted: u64 = rerouted.and_then(|count| count.parse().ok()).expect("messages were rerouted");
    assert!(rerouted > 1000, "{rerouted}");
    assert!(hits("oregon").contains("nodes_crashed=1"), "{}", hits("oregon"));

    // By hand, from the table of round-trip times: 333 ms with the cable, 410 ms without.
    let median = |from: f64, to: f64| {
        let rows = results.rows("windows.csv");
        let number = |text: &String| text.parse::<f64>().expect("a number");
        let inside = |row: &&std::collections::BTreeMap<String, String>| {
            row["metric"] == "latency_ms_p50"
                && row["labels"].contains("asia")
                && (from..to).contains(&number(&row["t"]))
                && !row["value"].is_empty()
        };
        let mut values: Vec<f64> = rows.iter().filter(inside).map(|row| number(&row["value"])).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (before, detour) = (median(10.0, 29.0), median(31.0, 59.0));
    assert!((330.0..350.0).contains(&before), "{before} ms before the cut");
    assert!((400.0..430.0).contains(&detour), "{detour} ms on the detour");
}

#[test]
fn a_frozen_scenario_runs_to_the_same_trace() {
    let (_, first) = run(REGIONS, &["--until", "20s", "--seed", "3"]);
    let desk = Desk::with_scenario(first.text("scenario.toml"));
    desk.murphy(&["run", "scenario.toml", "--seed", "3", "--out", "again"]);
    assert_eq!(desk.results("again").trace_hash(), first.trace_hash());
}

#[test]
fn results_go_to_runs_and_latest_points_there() {
    let desk = Desk::with_scenario(SMALL);
    desk.murphy(&["run", "scenario.toml"]).exits(0);
    let folder = desk.names("runs/small");
    assert_eq!(folder.len(), 1, "{folder:?}");
    assert_eq!(desk.results("runs/latest").names(), FILES);

    // The same again gives the same folder, another seed another one.
    desk.murphy(&["run", "scenario.toml"]).exits(0);
    assert_eq!(desk.names("runs/small"), folder);
    desk.murphy(&["run", "scenario.toml", "--seed", "2"]).exits(0);
    assert_eq!(desk.names("runs/small").len(), 2);
    assert_eq!(desk.names("runs"), ["latest", "small"], "nothing is left over");
}

#[test]
fn the_printed_command_repeats_the_run() {
    let desk = Desk::with_scenario(SMALL);
    let done = desk.murphy(&["run", "scenario.toml", "--set", "network.drop=0.5%", "--seed", "9"]).exits(0);
    let first = desk.results("runs/latest").trace_hash();
    let line = done.out.lines().find_map(|line| line.strip_prefix("Repeat  murphy ")).expect("a command");
    let words: Vec<&str> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
    desk.murphy(&words).exits(0);
    assert_eq!(desk.results("runs/latest").trace_hash(), first);
}

#[test]
fn formats_parse_and_quiet_is_quiet() {
    let desk = Desk::with_scenario(SMALL);
    let json = desk.murphy(&["run", "scenario.toml", "--format", "json"]).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["schema"], 1);
    let csv = desk.murphy(&["run", "scenario.toml", "--format", "csv", "--seeds", "1..=3"]).exits(0).out;
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(csv.as_bytes()).records().map(|row| row.expect("CSV")).collect();
    assert_eq!(rows.len(), 3);
    let quiet = desk.murphy(&["run", "scenario.toml", "-q"]).exits(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
}

#[test]
fn no_colours_off_a_terminal() {
    let desk = Desk::with_scenario(SMALL);
    desk.write("wrong.toml", b"name = 3\n");
    for words in [&["run", "scenario.toml"][..], &["run", "wrong.toml"], &["list", "models"], &["--help"]] {
        let done = desk.murphy(words);
        assert!(!done.out.contains('\u{1b}') && !done.err.contains('\u{1b}'), "{words:?}");
        assert!(!done.out.is_empty() || !done.err.is_empty(), "{words:?}");
    }
}

#[test]
fn a_violated_property_fails_the_run_and_is_named() {
    let (done, results) =
        run(PARTITION, &["--set", "node.r.params.bug=reply-before-commit", "--until", "60s"]);
    done.exits(1).shows("pbft.durability violated at").shows("Repeat  murphy run");
    assert_eq!(results.rows("summary.csv")[0]["properties_violated"].parse(), Ok(2));
    assert_eq!(results.json()["exit_code"], 1);
    results.verify_manifest();

    let (done, _) = run(PARTITION, &["--set", "node.r.params.bug=local-read", "--until", "60s"]);
    done.exits(1).shows("linearizable(kv) violated at");
}

#[test]
fn a_limit_makes_the_run_inconclusive() {
    let (done, results) = run(PARTITION, &["--set", "limits.events=1000"]);
    done.exits(5).shows("INCONCLUSIVE").shows("stopped by the limit on events");
    assert_eq!(results.json()["exit_code"], 5);
}

#[test]
fn a_sweep_runs_every_point_with_every_seed() {
    let text = format!(
        "{SMALL}\n[[sweep]]\naxis = \"load\"\nset = [\"workload.kv.arrivals.rate\"]\nvalues = [\"50/s\", \"100/s\"]\n"
    );
    let desk = Desk::with_scenario(&text);
    desk.murphy(&["check", "scenario.toml", "--seeds", "1..=3"])
        .exits(0)
        .shows("2 points x 3 seeds = 6 runs");
    desk.murphy(&["run", "scenario.toml", "--seeds", "1..=3", "--out", "out"]).exits(0);
    let rows = desk.results("out").rows("summary.csv");
    let runs: Vec<_> = rows.iter().map(|row| (row["point"].as_str(), row["seed"].as_str())).collect();
    let points = ["load=50/s", "load=100/s"];
    let expected: Vec<_> =
        points.iter().flat_map(|&point| ["1", "2", "3"].map(|seed| (point, seed))).collect();
    assert_eq!(runs, expected);
}
