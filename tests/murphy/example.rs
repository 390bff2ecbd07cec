//! The crate in `examples/register`, built and used as its author would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::support::{Desk, project};

/// Builds a copy of the example, once.
///
/// It takes the lock file of the project, so that nothing is downloaded, and a target folder inside the
/// project's own, so that the next build is short.
fn register() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let copy = tempfile::tempdir().expect("a folder for temporary files");
        let root = project("");
        let manifest = std::fs::read_to_string(project("examples/register/Cargo.toml")).expect("the example");
        let manifest = manifest.replace("path = \"../..\"", &format!("path = \"{}\"", root.display()));
        std::fs::create_dir(copy.path().join("src")).expect("a folder");
        std::fs::write(copy.path().join("Cargo.toml"), manifest).expect("a file");
        std::fs::copy(project("Cargo.lock"), copy.path().join("Cargo.lock")).expect("the lock file");
        for entry in std::fs::read_dir(project("examples/register/src")).expect("the example") {
            let entry = entry.expect("an entry");
            std::fs::copy(entry.path(), copy.path().join("src").join(entry.file_name())).expect("a source");
        }
        let target = Path::new(env!("CARGO_BIN_EXE_murphy"))
            .parent()
            .expect("target/PROFILE")
            .join("example-register");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--release", "--offline", "--quiet"]).current_dir(copy.path());
        build.env("CARGO_TARGET_DIR", &target).stdin(Stdio::null());
        let output = build.output().expect("cargo can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        target.join("release").join(format!("register{}", std::env::consts::EXE_SUFFIX))
    })
}

/// A desk with the example's program and its scenario.
fn desk() -> Desk {
    let desk = Desk::with_program(register().to_owned());
    desk.write(
        "register.toml",
        &std::fs::read(project("examples/register/register.toml")).expect("its scenario"),
    );
    desk
}

#[test]
fn a_protocol_of_ones_own_runs_with_everything() {
    let desk = desk();
    desk.murphy(&["check", "register.toml"]).exits(0).shows("1 register.server").shows("mean(attempts)");
    desk.murphy(&["list", "models"]).exits(0).shows("register.once").shows("retry_after");
    desk.murphy(&["list", "metrics"]).exits(0).shows("attempts").shows("availability");
    let schema = desk.murphy(&["schema"]).exits(0).out;
    assert!(
        schema.contains("\"register.server\"") && !schema.contains("\"pbft.replica\""),
        "its own model and no other"
    );

    let done = desk.murphy(&["run", "register.toml", "--out", "out"]).exits(0);
    let done = done
        .shows("PASS  register")
        .shows("mean(attempts) < 1.05")
        .shows("Repeat  register run register.toml");
    assert_eq!(done.err, "");
    let results = desk.results("out");
    results.verify_manifest();
    assert!(results.text("report.html").contains("cut-server"));
    assert_eq!(results.rows("summary.csv")[0]["properties_violated"], "0");
    assert!(results.rows("faults.csv")[0]["hits"].contains("messages_cut="));

    let result = results.json();
    let properties = result["runs"][0]["properties"].as_array().expect("verdicts");
    let checked = |name: &str| {
        let record = properties.iter().find(|record| record["name"] == name).expect("it was judged");
        record["checked"].as_u64().expect("a count")
    };
    assert!(checked("register.once") > 1000, "the oracle is not vacuous");
    assert!(checked("linearizable(kv)") > 1000);
    let metric = &result["runs"][0]["metrics"][0];
    assert_eq!(metric["name"], "attempts");
}

#[test]
fn its_own_oracle_finds_its_planted_bug_and_ends_the_run() {
    let desk = desk();
    let bug = "node.s.params.bug=true";
    let done = desk.murphy(&["run", "register.toml", "--set", bug, "--out", "out"]).exits(1);
    done.shows("register.once violated at").shows("s executed request").shows("aborted at");
    assert_eq!(desk.results("out").rows("summary.csv")[0]["properties_violated"], "1");
}

#[test]
fn its_mistakes_are_reported_like_ours() {
    let desk = desk();
    desk.write("wrong.toml", desk.read("register.toml").replace("retry_after", "retry_afer").as_bytes());
    desk.murphy(&["run", "wrong.toml"]).exits(2).says("wrong.toml:").says("`retry_after`");
    let alone =
        desk.read("register.toml").replace("register.server", "register.client").replace("\"s\"", "\"t\"");
    desk.write("alone.toml", alone.as_bytes());
    desk.murphy(&["check", "alone.toml"]).exits(2).says("the scenario has no register.server");
    let pbft = project("scenarios/consensus/pbft-partition.toml");
    desk.murphy(&["run", pbft.to_str().expect("UTF-8")]).exits(2).says("pbft.replica");
}

/// It is there to be read in one go.
#[test]
fn it_is_short() {
    let source = std::fs::read_to_string(project("examples/register/src/main.rs")).expect("the example");
    assert!(source.lines().count() <= 130, "{} lines", source.lines().count());
}
