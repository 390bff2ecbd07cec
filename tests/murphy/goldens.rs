//! Golden files: a trace hash, and about 20 figures that show a reviewer what changed with it.
//!
//! They change through this command only: `MURPHY_ACCEPT=1 cargo test --release --test murphy goldens`.

use std::fmt::Write as _;

use murphy::reports::{Batch, hash_text, nine_digits, read_result_json};

use crate::support::{Desk, PARTITION, REGIONS, library, project};

const ACCEPT: &str = "MURPHY_ACCEPT=1 cargo test --release --test murphy goldens";

fn check(path: &str) {
    let desk = Desk::new();
    let file = library(path);
    desk.murphy(&["run", file.to_str().expect("a path in UTF-8"), "--out", "out"]);
    let batch = read_result_json(desk.results("out").text("result.json")).expect("a result");
    let found = golden(&batch);
    let golden = project("goldens").join(format!("{}.golden.toml", batch.info.scenario));
    if std::env::var_os("MURPHY_ACCEPT").is_some() {
        std::fs::write(&golden, found).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        expected == found,
        "{} is not what {path} gives now:\n{}\nif the change is meant: {ACCEPT}",
        golden.display(),
        difference(&expected, &found)
    );
}

/// The lines that differ.
fn difference(expected: &str, found: &str) -> String {
    let only = |a: &str, b: &str, sign: &str| {
        let lines = a.lines().filter(|line| !b.lines().any(|other| other == *line));
        lines.fold(String::new(), |text, line| text + sign + line + "\n")
    };
    only(expected, found, "- ") + &only(found, expected, "+ ")
}

/// The golden file of a batch of one run.
fn golden(batch: &Batch) -> String {
    let [run] = batch.runs.as_slice() else {
        panic!("a golden file holds one run, found {}", batch.runs.len())
    };
    let mut text = format!("# Changed by this command only: {ACCEPT}\n");
    let mut line = |key: &str, value: String| _ = writeln!(text, "{key} = {value}");
    let seconds = |nanos: Option<u64>| {
        nanos.map_or_else(|| "\"none\"".to_owned(), |nanos| nine_digits(nanos as f64 / 1e9))
    };
    let milliseconds = |nanos: Option<u64>| {
        nanos.map_or_else(|| "\"none\"".to_owned(), |nanos| nine_digits(nanos as f64 / 1e6))
    };

    line("scenario", format!("{:?}", run.scenario));
    line("seed", run.seed.to_string());
    line("trace_hash", format!("{:?}", hash_text(run.trace_hash)));
    line("exit_code", batch.exit_code().to_string());
    line("events", run.events.to_string());
    for sent in &run.messages {
        line(&format!("messages.{}", sent.kind), sent.count.to_string());
    }
    line("requests", run.requests.offered().to_string());
    line("requests_good", run.requests.good.to_string());
    line("probes", run.probes.to_string());
    line("probes_good", run.probes_good.to_string());
    line("steady_s", seconds(Some(run.steady_ns)));
    line("steady_down_s", seconds(run.steady_down_ns));
    line("incidents", run.incidents.len().to_string());
    line("latency_ms_p50", milliseconds(run.latency.p50_ns));
    line("latency_ms_p99", milliseconds(run.latency.p99_ns));
    for fault in &run.faults {
        for (hit, count) in &fault.fault.hits {
            line(&format!("fault.{}.{hit}", fault.fault.name), count.to_string());
        }
    }
    for property in &run.properties {
        line(&format!("checked.{:?}", property.name), property.checked.to_string());
    }
    text
}

#[test]
fn the_first_command() {
    check(PARTITION);
}

#[test]
fn seven_regions() {
    check(REGIONS);
}

#[test]
fn a_new_scenario() {
    let desk = Desk::new();
    desk.murphy(&["new", "crash-and-return"]).exits(0);
    check(desk.path("crash-and-return.toml").to_str().expect("a path in UTF-8"));
}

#[test]
fn golden_files_are_toml_and_belong_to_a_test() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(project("goldens")).expect("goldens/") {
        let path = entry.expect("an entry").path();
        let table: toml::Table = std::fs::read_to_string(&path).expect("a file").parse().expect("TOML");
        let name = table["scenario"].as_str().expect("a name").to_owned();
        assert_eq!(
            path.file_name().and_then(|name| name.to_str()),
            Some(format!("{name}.golden.toml").as_str())
        );
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["crash-and-return", "pbft-partition", "pbft-seven-regions"]);
}
