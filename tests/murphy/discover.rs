//! `murphy list`, `check`, `schema`, `new`: what there is.

use std::path::Path;

use serde_json::Value;

use crate::support::{Desk, project};

#[test]
fn a_new_scenario_passes_as_it_is() {
    let desk = Desk::new();
    desk.murphy(&["new", "first"]).exits(0).shows("murphy run first.toml");
    desk.murphy(&["check", "first.toml"]).exits(0).shows("1 point x 1 seed = 1 run");
    desk.murphy(&["run", "first.toml", "--seeds", "1..=5"]).exits(0).shows("PASS  first");
    let before = desk.read("first.toml");
    desk.murphy(&["new", "first"]).exits(2).says("cannot make first.toml");
    assert_eq!(desk.read("first.toml"), before, "a file is never overwritten");
    desk.murphy(&["new", "../first"]).exits(2).says("letters, digits");
}

#[test]
fn check_prints_the_plan_and_runs_nothing() {
    let desk = Desk::new();
    let files = scenarios();
    let mut words = vec!["check"];
    words.extend(files.iter().map(|file| file.to_str().expect("a path in UTF-8")));
    desk.murphy(&words).exits(0).shows("pbft-partition").shows("pbft-seven-regions").shows("cut-primary");
    assert!(desk.names(".").is_empty());

    // One wrong file does not hide the plans of the others.
    desk.write("wrong.toml", b"name = 1\n");
    words.push("wrong.toml");
    desk.murphy(&words).exits(2).shows("pbft-partition").says("wrong.toml:1:8");
}

#[test]
fn lists_name_what_there_is_in_every_format() {
    let desk = Desk::new();
    let folder = project("scenarios");
    for (what, name) in [
        ("models", "pbft.replica"),
        ("faults", "partition"),
        ("metrics", "availability"),
        ("policies", "resilience4j"),
        ("scenarios", "pbft-partition.toml"),
    ] {
        let words = |format| {
            let mut words = vec!["list", what, "--format", format];
            if what == "scenarios" {
                words.push(folder.to_str().expect("a path in UTF-8"));
            }
            words
        };
        desk.murphy(&words("text")).exits(0).shows(name);
        let json = desk.murphy(&words("json")).exits(0).shows(name).out;
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["schema"], 1);
        let csv = desk.murphy(&words("csv")).exits(0).shows(name).out;
        assert!(
            csv::Reader::from_reader(csv.as_bytes()).records().all(|row| row.is_ok_and(|row| row.len() == 2))
        );
    }
    desk.murphy(&["list", "everything"]).exits(2).says("models");
    desk.murphy(&["list", "scenarios", "nowhere"]).exits(2).says("there is no folder nowhere");
}

#[test]
fn every_scenario_obeys_the_schema_and_mistakes_do_not() {
    let text = Desk::new().murphy(&["schema"]).exits(0).out;
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for file in scenarios() {
        let found: Vec<String> = validator.iter_errors(&json(&file)).map(|error| error.to_string()).collect();
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }

    let mut wrong = json(&project("scenarios/consensus/pbft-partition.toml"));
    wrong["warmpu"] = "10s".into();
    assert!(!validator.is_valid(&wrong), "an unknown key");
    let mut wrong = json(&project("scenarios/consensus/pbft-partition.toml"));
    wrong["fault"][0]["kind"] = "partitoin".into();
    assert!(!validator.is_valid(&wrong), "an unknown kind");
}

fn json(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let table: toml::Table = text.parse().expect("the file is TOML");
    serde_json::to_value(table).expect("scenarios have no dates")
}

/// Every file of the library, as the program lists them.
fn scenarios() -> Vec<std::path::PathBuf> {
    let desk = Desk::new();
    let folder = project("scenarios");
    let list =
        desk.murphy(&["list", "scenarios", folder.to_str().expect("UTF-8"), "--format", "json"]).exits(0);
    let list: Value = serde_json::from_str(&list.out).expect("JSON");
    let items = list["items"].as_array().expect("a list").iter();
    let files: Vec<_> = items.map(|item| item["name"].as_str().expect("a name").into()).collect();
    assert!(files.len() >= 2, "{files:?}");
    files
}
