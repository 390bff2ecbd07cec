//! From a violated property to its cause: hunt, replay, shrink, explain, diff, export, and the corpus.

use crate::support::{Desk, SMALL};

/// The small scenario with quorums that are one too small.
fn buggy() -> String {
    SMALL.replace("params = { f = 1 }", "params = { f = 1, bug = \"quorum-2f\" }").replace("\"4s\"", "\"8s\"")
}

/// A desk where a hunt has found the bug, and the path of its repro file.
fn hunted(words: &[&str]) -> (Desk, String) {
    let desk = Desk::with_scenario(&buggy());
    let mut all = vec!["hunt", "scenario.toml", "--seeds", "16"];
    all.extend(words);
    let done = desk.murphy(&all).exits(1).shows(" 16 seeds, ").shows("  FAIL pbft.agreement at ");
    let file = desk.names("failures").into_iter().find(|name| name.starts_with("pbft.agreement-"));
    let file = format!("failures/{}", file.expect("a repro file"));
    done.shows(&format!("  Replay:  murphy replay  {file}\n  Explain: murphy explain {file}\n"));
    (desk, file)
}

#[test]
fn four_commands_from_something_breaks_to_this_is_why() {
    let (desk, file) = hunted(&[]);
    let text = desk.read(&file);
    assert!(text.contains("expect = \"violates\"") && text.contains("trace_hash = \""), "{text}");
    desk.murphy(&["replay", &file, "--verify"]).exits(1).shows("reproduced, twice: pbft.agreement");
    let page = file.replace(".repro.toml", ".explain.html");
    let done = desk.murphy(&["explain", &file]).exits(0);
    let done = done.shows("  Needed, each alone: without any one of them the run passes\n    1  ");
    done.shows(&format!("events ({page}: space-time diagram)"));
    assert!(desk.read(&page).contains("default-src 'none'"));
    // It is as small as it gets.
    desk.murphy(&["shrink", &file])
        .exits(1)
        .shows("1 faults -> 1")
        .shows("no smaller plan by one step fails");
    desk.murphy(&["test", &file]).exits(0).shows("PASS").shows("pbft.agreement violates, expected violates");
    for (viewer, name) in [("perfetto", "perfetto.json"), ("shiviz", "shiviz.log"), ("csv", "events.csv")] {
        desk.murphy(&["export", &file, "--to", viewer]).exits(0).shows(name);
        assert!(desk.read(&file.replace("repro.toml", name)).len() > 1000);
    }
    desk.murphy(&["diff", &file, &file]).exits(0).shows("  the same ");
    desk.murphy(&["diff", "scenario.toml@1", "scenario.toml@2"])
        .exits(1)
        .shows("the first event that differs is number");
}

#[test]
fn a_mended_protocol_reproduces_no_more_and_another_trace_is_drift() {
    let (desk, file) = hunted(&["--no-shrink"]);
    let text = desk.read(&file);
    desk.write(
        "mended.repro.toml",
        text.replace("bug = \"quorum-2f\"", "bug = \"none\"")
            .replace("engine = \"", "engine = \"an older ")
            .as_bytes(),
    );
    desk.murphy(&["replay", "mended.repro.toml", "--verify"]).exits(0).shows("not reproduced by this build");
    desk.murphy(&["explain", "mended.repro.toml"]).exits(0).shows("not reproduced by this build");
    // A file that is kept because it broke once is expected to pass now.
    desk.murphy(&["test", "mended.repro.toml"])
        .exits(1)
        .shows("FAIL")
        .shows("murphy replay mended.repro.toml --verify");
    let kept = desk.read("mended.repro.toml").replace("expect = \"violates\"", "expect = \"passes\"");
    desk.write("kept.repro.toml", kept.as_bytes());
    desk.murphy(&["test", "kept.repro.toml"]).exits(0).shows("pbft.agreement passes, expected passes");
    let at = text.find("trace_hash = \"").expect("a hash") + "trace_hash = \"".len();
    let other = format!("{}0123456789abcdef{}", &text[..at], &text[at + 16..]);
    desk.write("drift.repro.toml", other.as_bytes());
    desk.murphy(&["replay", "drift.repro.toml"]).exits(3).shows("NONDETERMINISM");
}

#[test]
fn what_cannot_be_hunted_is_said_with_what_to_type() {
    let desk = Desk::with_scenario(SMALL);
    desk.murphy(&["hunt", "scenario.toml", "--seeds", "4"])
        .exits(0)
        .shows("no failure")
        .shows("  Longer:  murphy hunt scenario.toml --seeds 40");
    desk.murphy(&["hunt", "scenario.toml"]).exits(2).says("--budget");
    desk.murphy(&["hunt", "scenario.toml", "--budget", "soon"]).exits(2).says("write --budget 60s");
    desk.murphy(&["hunt", "scenario.toml", "--seeds", "4", "--strategy", "luck"]).exits(2).says("swarm");
    desk.murphy(&["replay", "scenario.toml"]).exits(2).says("the file has no [repro]");
    desk.murphy(&["replay", "nothing.repro.toml"]).exits(2).says("cannot read nothing.repro.toml");
    desk.murphy(&["export", "scenario.toml", "--to", "paper"]).exits(2).says("perfetto");
}
