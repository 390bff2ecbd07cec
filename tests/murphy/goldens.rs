//! Golden files: a trace hash, and about 20 figures that show a reviewer what changed with it.
//!
//! They change through `murphy test FILE --accept` only, run in the project's folder.

use crate::support::{Desk, PARTITION, REGIONS, SMALL, library, project};

#[track_caller]
fn check(path: &str) {
    let (file, goldens) = (library(path), project("goldens"));
    let words = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
    let done = Desk::new().murphy(&["test", &words(&file), "--goldens", &words(&goldens)]);
    done.exits(0).shows("golden same");
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

#[test]
fn a_changed_golden_fails_and_says_what_changed_and_from_which_event() {
    let desk = Desk::with_scenario(SMALL);
    desk.murphy(&["test", "scenario.toml"]).exits(0).shows("2 expectations\n");
    desk.murphy(&["test", "scenario.toml", "--accept"]).exits(0).shows("golden accepted");
    let golden = desk.read("goldens/small.golden.toml");
    // A later event is the first that differs: the crash of a replica in the middle of the run.
    let crash = "\n[[fault]]\nname = \"c\"\nkind = \"crash\"\ntarget = \"r3\"\nat = \"2s\"\nfor = \"1s\"\n";
    desk.write("scenario.toml", format!("{SMALL}{crash}").as_bytes());
    let done = desk.murphy(&["test", "scenario.toml"]).exits(1);
    let done = done.shows("golden differs").shows("fault.\"c\".nodes_crashed: none -> 1");
    let done = done.shows("murphy test scenario.toml --accept");
    let line = done.out.lines().find(|line| line.contains("the first different event")).expect("a place");
    let numbers: Vec<u64> =
        line.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [first, last] = numbers[..] else { panic!("two numbers in `{line}`") };
    let events: u64 = golden
        .lines()
        .find_map(|line| line.strip_prefix("events = "))
        .and_then(|n| n.parse().ok())
        .expect("events");
    // Half of the run is the same.
    assert!(first > events / 4 && last > first && last < events * 3 / 4, "{line}, {events} events");
    desk.murphy(&["test", "scenario.toml", "--accept"]).exits(0).shows("golden accepted");
    desk.murphy(&["test", "."]).exits(0).shows("golden same");
}
