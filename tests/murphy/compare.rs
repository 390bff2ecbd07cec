//! `murphy compare`: finished runs, paired by seed.

use crate::support::{Desk, library};

#[test]
fn finished_runs_are_compared_without_running_again() {
    let desk = Desk::new();
    let file = library("services/policies/adaptive-breaker.toml");
    let file = file.to_str().expect("a path in UTF-8");
    desk.murphy(&["run", file, "--out", "out", "--seeds", "1..=3", "-q"]).exits(0);
    let text = desk.murphy(&["compare", "out"]).exits(0).out;
    for words in ["policy against fixed  goodput  (3 paired seeds, bootstrap 95%)", "corrected", "better"] {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
    desk.murphy(&["compare", "out", "--base", "corrected"]).exits(0).shows("policy against corrected");
    desk.murphy(&["compare", "out", "--format", "csv"]).exits(0).shows("axis,metric,unit");
    desk.murphy(&["compare", "out", "--base", "none"]).exits(2).says("no axis has the value `none`");
    desk.murphy(&["compare", "nowhere"]).exits(2).says("run a sweep first");
    // What the scenario itself compares is on the page.
    assert!(desk.read("out/report.html").contains("Comparisons over paired seeds"));
}

#[test]
fn the_share_of_failing_seeds_is_drawn_over_two_axes() {
    let desk = Desk::new();
    let file = library("services/policies/phase-diagram.toml");
    let file = file.to_str().expect("a path in UTF-8");
    let few = ["--seeds", "1..=2", "--set", "spike=[1s,10s]", "--set", "load=[25/s,45/s]"];
    let mut words = vec!["run", file, "--out", "out", "-q"];
    words.extend(few);
    desk.murphy(&words).exits(0);
    let page = desk.read("out/report.html");
    assert!(page.contains("Seeds that fail: goodput &#62;= 50% * offered in 65s..77s"), "a phase diagram");
    assert!(page.contains("100 % (34 to 100)") && page.contains("0 % (0 to 66)"), "two seeds of each point");
}
