//! `murphy test`: folders of scenarios, as continuous integration runs them.

use crate::support::{Desk, SMALL, library};

/// A scenario that fails: nobody answers within a nanosecond.
fn failing() -> String {
    let text = SMALL.replace("name     = \"small\"", "name     = \"late\"");
    text + "\n[[expect]]\nthat = \"max(latency) < 1us\"\n"
}

fn desk() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("all/deep")).expect("a folder");
    desk.write("all/a.toml", SMALL.as_bytes());
    desk.write("all/deep/b.toml", failing().as_bytes());
    desk
}

#[test]
fn a_failure_is_named_with_its_place_and_the_command_that_repeats_it() {
    let desk = desk();
    let done = desk.murphy(&["test", "all"]).exits(1);
    let done = done.shows("PASS").shows("FAIL").shows("1 passed, 1 failed. Report: runs/latest/report.html");
    let done = done.shows("all/deep/b.toml:").shows("murphy run all/deep/b.toml --seed 0");
    assert!(!done.out.contains("all/a.toml"), "what passed takes one line:\n{}", done.out);
    // The command that is shown fails in the same way.
    desk.murphy(&["run", "all/deep/b.toml", "--seed", "0"]).exits(1);
    assert!(desk.path("runs/latest/report.html").is_file());
}

#[test]
fn nothing_is_left_of_what_passed() {
    let desk = desk();
    desk.murphy(&["test", "all/a.toml"]).exits(0).shows("1 passed, 0 failed.");
    assert_eq!(desk.names("."), ["all"]);
}

#[test]
fn reports_are_the_same_bytes_each_time_and_on_any_number_of_threads() {
    let desk = desk();
    let reports = |threads: &str| {
        let words = ["test", "all", "--junit", "out/j.xml", "--summary-md", "s.md", "-j", threads];
        desk.murphy(&words).exits(1);
        (desk.read("out/j.xml"), desk.read("s.md"))
    };
    let (junit, markdown) = reports("1");
    assert_eq!((junit.clone(), markdown.clone()), reports("2"));
    for part in ["tests=\"5\"", "failures=\"1\"", "errors=\"0\"", "max(latency) &lt; 1us", "time=\"4.000\""] {
        assert!(junit.contains(part), "no {part} in\n{junit}");
    }
    for part in
        ["1 passed, 1 failed, 0 inconclusive", "| FAIL | late | 1 |", "murphy run all/deep/b.toml --seed 0"]
    {
        assert!(markdown.contains(part), "no {part} in\n{markdown}");
    }
}

#[test]
fn shards_are_all_scenarios_once() {
    let desk = desk();
    desk.murphy(&["test", "all", "--shard", "1/2"]).exits(0).shows("small").shows("1 passed, 0 failed.");
    desk.murphy(&["test", "all", "--shard", "2/2"]).exits(1).shows("late").shows("0 passed, 1 failed.");
    desk.murphy(&["test", "all", "--shard", "3/3"]).exits(4).says("no scenario is left");
    desk.murphy(&["test", "all", "--shard", "3/2"]).exits(2).says("1 <= I <= N");
}

#[test]
fn a_scenario_that_must_violate_passes_by_violating_only() {
    let desk = Desk::new();
    let outcome = |text: String| text.replace("schema   = 1", "schema   = 1\noutcome = \"violates\"");
    desk.write("wrong.toml", outcome(failing()).as_bytes());
    desk.murphy(&["test", "wrong.toml"]).exits(0).shows("violates");
    desk.write("right.toml", outcome(SMALL.to_owned()).as_bytes());
    desk.murphy(&["test", "right.toml"]).exits(1).shows("nothing was violated");
}

#[test]
fn nothing_runs_before_every_file_is_right() {
    let desk = desk();
    desk.write("all/c.toml", b"schema = 1\nname = 3\n");
    let done = desk.murphy(&["test", "all"]).exits(2).says("all/c.toml:2");
    assert!(done.out.is_empty(), "{}", done.out);
    desk.murphy(&["test", "nowhere"]).exits(2).says("cannot read nowhere");
    desk.murphy(&["test", "all/deep/empty"]).exits(2);
}

#[test]
fn a_scenario_that_takes_too_long_is_inconclusive() {
    let desk = Desk::with_scenario(&SMALL.replace("4s", "400s"));
    let done = desk.murphy(&["test", "scenario.toml", "--limit", "0"]).exits(5);
    done.shows("0 passed, 0 failed, 1 inconclusive").shows("given up after 0 s");
}

#[test]
fn a_violation_that_an_expectation_asks_for_fails_nothing() {
    let text = std::fs::read_to_string(library("violations/byzantine-beyond-f.toml")).expect("a scenario");
    let text = text.replace("outcome  = \"violates\"\n", "").replace("abort = true", "");
    let desk = Desk::new();
    desk.write("always.toml", text.as_bytes());
    desk.murphy(&["run", "always.toml"]).exits(1);
    let wanted = text.replace("always(pbft.agreement)", "violated(pbft.agreement)");
    desk.write("violated.toml", wanted.as_bytes());
    let done = desk.murphy(&["run", "violated.toml"]);
    // Other properties may break with it: they are asked for by nobody.
    assert!(!done.out.contains("pbft.agreement violated at"), "{}", done.out);
    // Within f nothing is violated, and that fails.
    desk.write("within.toml", wanted.replace("[\"r0\", \"r3\"]", "[\"r0\"]").as_bytes());
    desk.murphy(&["run", "within.toml"]).exits(1).shows("held, judged");
    desk.write(
        "wrong.toml",
        wanted.replace("violated(pbft.agreement)", "violated(pbft.agrement)").as_bytes(),
    );
    desk.murphy(&["run", "wrong.toml"]).exits(2).says("pbft.agreement");
}
