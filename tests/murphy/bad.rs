//! Mistakes of users: all of them at once, with their places, and nothing is written.

use crate::support::{Desk, Done, SMALL};

const TEN: &str = r#"name     = "ten mistakes"
duration = 500
warmpu   = "10s"

[network]
latency = { dist = "lognorml", median = "2ms", sigma = 0.4 }
drop    = 1.5

[[node]]
name   = "r"
count  = 4
model  = "pbft.replca"

[[node]]
name   = "client"
count  = 2
model  = "pbft.client"
params = { retry_afer = "1s" }

[[workload]]
name     = "kv"
from     = "clinet*"
arrivals = { dist = "poisson", rate = "200" }

[[fault]]
name   = "slow-node"
kind   = "slow"
target = "r9"
at     = "80sec"
factor = 10.0

[[expect]]
that = "p99(latencyy) < 400ms in steady"
"#;

/// Runs a file of these bytes, which must be refused: exit code 2, nothing printed as a result or written.
fn refused(bytes: &[u8], more: &[&str]) -> Done {
    let desk = Desk::new();
    desk.write("scenario.toml", bytes);
    let mut words = vec!["run", "scenario.toml"];
    words.extend(more);
    let done = desk.murphy(&words).exits(2);
    assert_eq!(done.out, "");
    assert_eq!(desk.names("."), ["scenario.toml"], "nothing is written");
    done
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let mut done = refused(TEN.as_bytes(), &[]);
    for (place, words) in [
        ("2:12", "500"),
        ("3:1", "`warmup`"),
        ("6:20", "`lognormal`"),
        ("7:11", "1.5"),
        ("12:10", "`pbft.replica`"),
        ("18:12", "`retry_after`"),
        ("22:12", "clinet*"),
        ("23:39", "200"),
        ("29:10", "80sec"),
        ("33:13", "`latency`"),
    ] {
        done = done.says(&format!("scenario.toml:{place}")).says(words);
    }
    assert!(done.err.contains("mistakes; nothing was run"), "{}", done.err);
}

#[test]
fn files_that_are_no_scenarios_are_refused() {
    refused(b"", &[]).says("`name`").says("`duration`");
    refused(b"\x7fELF\x02\x01\x00\xff\xfe\x80", &[]).says("not UTF-8");
    refused(b"[[[[[[[[[[\n====\n\"\"\"", &[]).says("scenario.toml:1:");
    refused("\u{feff}\u{0}\u{202e}".as_bytes(), &[]).says("scenario.toml:1:");
    refused("a.".repeat(20_000).as_bytes(), &[]).says("scenario.toml:1:");
    refused(format!("name = {}1{}", "[".repeat(5_000), "]".repeat(5_000)).as_bytes(), &[])
        .says("scenario.toml");
}

#[test]
fn a_file_that_is_not_there_is_named_with_what_to_type() {
    let desk = Desk::new();
    desk.murphy(&["run", "nope.toml"]).exits(2).says("cannot read nope.toml").says("murphy list scenarios");
    desk.murphy(&["run", "."]).exits(2).says("murphy list scenarios .");
    assert!(desk.names(".").is_empty());
}

#[test]
fn huge_numbers_are_out_of_range() {
    let set = |set: &str| refused(SMALL.as_bytes(), &["--set", set]);
    set("duration=99999999999999999999s").says("longer than 584 years");
    set("duration=-1s").says("--set:1:");
    set("node.r.count=99999999999").says("must be from 1 to 100000");
    set("network.drop=1e400").says("--set:1:");
    set("workload.kv.arrivals.rate=1e300/s").says("--set:1:");
    set("node.r.params.f=18446744073709551616").says("--set:1:");
    refused(SMALL.as_bytes(), &["--seed", "99999999999999999999"]).says("--seed");
    refused(SMALL.as_bytes(), &["--seeds", "1..=99999999999"]).says("more than 1000000 seeds");
    refused(SMALL.as_bytes(), &["-j", "99999"]).says("threads");
}

#[test]
fn wrong_words_on_the_command_line_are_usage() {
    refused(SMALL.as_bytes(), &["--frobnicate"]).says("--frobnicate");
    refused(SMALL.as_bytes(), &["--seed", "1", "--seeds", "1..=2"]).says("cannot be used with");
    refused(SMALL.as_bytes(), &["--seeds", "5..=1"]).says("the range has no seeds");
    refused(SMALL.as_bytes(), &["--set", "network"]).says("expected PATH=VALUE");
    refused(SMALL.as_bytes(), &["--set", "netwrk.drop=0"]).says("unknown key `netwrk`").says("network");
    refused(SMALL.as_bytes(), &["--until", "5"]).says("no unit");
    let desk = Desk::new();
    desk.murphy(&["frobnicate"]).exits(2).says("frobnicate");
    desk.murphy(&[]).exits(2).says("Usage: murphy");
}

#[test]
fn too_few_replicas_are_a_mistake_of_the_file() {
    refused(SMALL.as_bytes(), &["--set", "node.r.params.f=2"])
        .says("f = 2 needs at least 7 replicas, found 4");
}

#[test]
fn results_that_cannot_be_written_are_reported() {
    let desk = Desk::with_scenario(SMALL);
    desk.write("file", b"");
    desk.murphy(&["run", "scenario.toml", "--out", "file/out"]).exits(2).says("cannot write file/out");
}

#[test]
fn a_sweep_that_drops_every_point_selects_nothing() {
    let desk = Desk::new();
    let sweep = "\n[[sweep]]\naxis = \"loss\"\nset = [\"network.drop\"]\nvalues = [0.01, 0.02]\n";
    desk.write("scenario.toml", format!("{SMALL}{sweep}[design]\nwhere = \"loss > 0.5\"\n").as_bytes());
    for command in ["run", "check"] {
        let done = desk.murphy(&[command, "scenario.toml"]).exits(4);
        assert!(done.err.contains("no point is left"), "{}", done.err);
    }
    assert_eq!(desk.names("."), ["scenario.toml"], "nothing is written");
    desk.write("scenario.toml", format!("{SMALL}{sweep}[design]\nwhere = \"loss > 0.015\"\n").as_bytes());
    desk.murphy(&["check", "scenario.toml"]).exits(0);
}
