//! Batches in shards, and batches that were killed: the results are those of one undisturbed process.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Desk, PARTITION, REGIONS, SMALL, library};

/// Twelve runs of three points.
fn sweep() -> String {
    let axis = "\n[[sweep]]\naxis = \"load\"\nset = [\"workload.kv.arrivals.rate\"]\nvalues = [\"50/s\", \"100/s\", \"150/s\"]\n";
    let compare = "\n[[compare]]\naxis = \"load\"\nbase = \"50/s\"\nmetric = \"goodput\"\n";
    format!("{SMALL}{axis}\n[design]\nseeds = \"1..=4\"\n{compare}")
}

/// Every file of two folders of results is the same, but for the host's.
#[track_caller]
fn same(desk: &Desk, one: &str, other: &str) {
    let (one, other) = (desk.results(one), desk.results(other));
    assert_eq!(one.names(), other.names());
    for (name, bytes) in &one.0 {
        assert!(name == "env.json" || *bytes == other.0[name], "{name} differs");
    }
    one.verify_manifest();
}

/// A plan of five shards, all of them done, beside the results of one process.
fn done() -> Desk {
    let desk = Desk::with_scenario(&sweep());
    desk.murphy(&["run", "scenario.toml", "--out", "whole"]).exits(0);
    desk.murphy(&["plan", "scenario.toml", "--out", "plan", "--shards", "5"]).exits(0).shows("12 runs");
    desk.murphy(&["run", "--plan", "plan", "--part", "2/2"]).exits(0);
    desk.murphy(&["run", "--plan", "plan", "--part", "1/2", "-j", "2"]).exits(0);
    desk
}

fn shard(desk: &Desk, number: usize) -> PathBuf {
    desk.path(&format!("plan/shards/{number:06}.rows"))
}

#[test]
fn shards_in_any_order_give_the_bytes_of_one_process() {
    let desk = done();
    desk.murphy(&["status", "plan"]).exits(0).shows("5 of 5 shards are done, 12 of 12 runs");
    desk.murphy(&["merge", "plan", "--out", "merged"]).exits(0).shows("PASS");
    same(&desk, "whole", "merged");
}

#[test]
fn shards_from_folders_of_several_hosts_come_together() {
    let desk = Desk::with_scenario(&sweep());
    desk.murphy(&["run", "scenario.toml", "--seeds", "7..=9", "--until", "3s", "--out", "whole"]).exits(0);
    for (number, folder) in [("1/3", "a"), ("2/3", "b"), ("3/3", "a")] {
        let words =
            ["run", "scenario.toml", "--seeds", "7..=9", "--until", "3s", "--shard", number, "--out", folder];
        desk.murphy(&words).exits(0).shows("merge");
    }
    desk.murphy(&["merge", "a"]).exits(2).says("shards 2 are missing").says("status a --missing");
    desk.murphy(&["merge", "b", "a", "--out", "merged"]).exits(0);
    same(&desk, "whole", "merged");
    desk.murphy(&["run", "scenario.toml", "--seeds", "7..=8", "--shard", "1/3", "--out", "c"]).exits(0);
    desk.murphy(&["merge", "a", "b", "c"]).exits(2).says("c is of plan");
}

#[test]
fn a_scenario_that_reads_files_travels_with_them() {
    let desk = Desk::new();
    let file = library(REGIONS);
    let file = file.to_str().expect("a path in UTF-8");
    desk.murphy(&["run", file, "--seeds", "1..=2", "--until", "60s", "--out", "whole"]);
    desk.murphy(&["plan", file, "--seeds", "1..=2", "--until", "60s", "--out", "plan", "--shards", "2"])
        .exits(0);
    desk.murphy(&["run", "--plan", "plan"]).exits(0);
    desk.murphy(&["merge", "plan", "--out", "merged"]);
    same(&desk, "whole", "merged");
}

#[test]
fn what_is_wrong_with_a_shard_is_named() {
    let desk = done();
    let whole = fs::read(shard(&desk, 2)).expect("a shard");
    let merge = |text: &str| {
        desk.murphy(&["merge", "plan", "--out", "merged"]).exits(2).says(text);
        assert!(!desk.path("merged").exists(), "nothing is half-merged");
    };
    fs::remove_file(shard(&desk, 2)).expect("it was there");
    merge("shards 2 are missing");
    desk.murphy(&["status", "plan", "--missing"]).exits(0).shows("2\n");

    for cut in [whole.len() - 1, whole.len() / 2, 100] {
        fs::write(shard(&desk, 2), &whole[..cut]).expect("it can be written");
        merge("000002.rows: truncated after");
    }
    fs::write(shard(&desk, 2), "no rows").expect("it can be written");
    merge("000002.rows: not a file of rows");

    let mut corrupt = whole.clone();
    corrupt[whole.len() / 2] ^= 1;
    fs::write(shard(&desk, 2), &corrupt).expect("it can be written");
    merge("000002.rows: corrupt after");

    fs::copy(shard(&desk, 3), shard(&desk, 2)).expect("a copy");
    merge("000002.rows: it belongs to");

    fs::write(shard(&desk, 2), &whole).expect("it can be written");
    fs::write(shard(&desk, 6), &whole).expect("it can be written");
    merge("000006.rows is no shard of this plan");
    fs::remove_file(shard(&desk, 6)).expect("it was there");

    // What a killed process left behind is no obstacle, and is cleaned.
    fs::write(desk.path("plan/shards/.tmp-host-1-000002.rows"), "half").expect("it can be written");
    desk.murphy(&["merge", "plan", "--out", "merged"]).exits(0);
    assert!(!desk.path("plan/shards/.tmp-host-1-000002.rows").exists());
    same(&desk, "whole", "merged");
}

#[test]
fn what_is_handed_to_a_scheduler_covers_what_is_missing_and_no_more() {
    let desk = done();
    let submit = |words: &[&str]| {
        desk.murphy(&[&["submit", "plan", "--dry-run", "--parts", "4", "--engine"], words].concat())
    };
    submit(&["slurm", "--missing"]).exits(4).says("all shards are done; next: murphy merge plan");
    fs::remove_file(shard(&desk, 4)).expect("it was there");
    // The one part of four that has shard 4.
    let slurm = submit(&["slurm", "--missing"]).exits(0).out;
    let array = slurm.lines().find_map(|line| line.strip_prefix("#SBATCH --array=")).expect("an array");
    desk.murphy(&["run", "--plan", "plan", "--part", &format!("{array}/4")]).exits(0).says("shard 4:");
    fs::remove_file(shard(&desk, 4)).expect("it is there again");
    assert!(submit(&["slurm"]).exits(0).out.contains("#SBATCH --array=1-4"));

    submit(&["k8s", "--missing"]).exits(0);
    let job: serde_json::Value =
        serde_json::from_str(&desk.read("plan/kubernetes_job.json")).expect("the manifest is JSON");
    assert_eq!(job["spec"]["completions"], 1);
    let script = job["spec"]["template"]["spec"]["containers"][0]["command"][2].as_str().expect("a script");
    // Run as the container would, up to the command itself.
    let shown = script.replace("exec murphy", "echo murphy");
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", &shown]).env("JOB_COMPLETION_INDEX", "0").output().expect("a shell");
    let words = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(words.trim(), format!("murphy run --plan /plan --part {array}/4 -j 1"));

    let ray = submit(&["ray", "--missing"]).exits(0).out;
    assert!(ray.contains(&format!("for number in [{array}]")), "{ray}");
}

/// Rewrites a whole shard as one of other rows: what a build or machine that is not deterministic would do.
fn another(desk: &Desk, number: usize) {
    let other = Desk::with_scenario(&sweep().replace("0.001", "0.002"));
    other.murphy(&["plan", "scenario.toml", "--out", "plan", "--shards", "5"]).exits(0);
    // The same identity, other rows.
    let id = |desk: &Desk| {
        let plan: serde_json::Value = serde_json::from_str(&desk.read("plan/plan.json")).expect("JSON");
        plan["plan_id"].as_str().expect("an id").to_owned()
    };
    let shard = format!("{number}/5");
    other.murphy(&["run", "--plan", "plan", "--shard", &shard]).exits(0);
    let mut bytes = fs::read(self::shard(&other, number)).expect("a shard");
    let (from, to) = (id(&other), id(desk));
    let at = bytes.windows(64).position(|window| window == from.as_bytes()).expect("the id");
    bytes[at..at + 64].copy_from_slice(to.as_bytes());
    let end = bytes.len() - 32;
    let hash = blake3::hash(&bytes[..end]);
    bytes[end..].copy_from_slice(hash.as_bytes());
    fs::write(self::shard(desk, number), bytes).expect("it can be written");
}

#[test]
fn two_runs_of_a_shard_that_differ_are_both_kept() {
    let desk = done();
    let copy = |from: &Path, to: &str| {
        fs::create_dir_all(desk.path(to).join("shards")).expect("a folder");
        for name in ["plan.json", "source.toml", "files.json", "scenario.toml"] {
            fs::copy(desk.path("plan").join(name), desk.path(to).join(name)).expect("a copy");
        }
        fs::copy(from, desk.path(to).join("shards/000003.rows")).expect("a copy");
    };
    copy(&shard(&desk, 3), "twin");
    // A duplicate with the same bytes is no harm.
    desk.murphy(&["merge", "plan", "twin", "--out", "merged"]).exits(0);
    another(&desk, 3);
    desk.murphy(&["merge", "plan", "twin", "--out", "m2"])
        .exits(2)
        .says("the same shard with different bytes");
}

#[test]
fn a_worker_s_exit_codes_tell_a_scheduler_what_to_do() {
    let desk = done();
    let work = |words: &[&str]| desk.murphy(&[&["run", "--plan"], words].concat());
    work(&["plan", "--shards", "1,4-5"]).exits(0).says("shard 4 is done");
    work(&["plan", "--shards", "5-6"]).exits(64).says("names no shards of 1 to 5");
    work(&["plan", "--shard", "1/4"]).exits(64).says("the plan has 5 shards, not 4");
    work(&["nowhere"]).exits(74);
    desk.write(
        "plan/plan.json",
        desk.read("plan/plan.json").replace("\"sets\": []", "\"sets\": [\"seed=5\"]").as_bytes(),
    );
    work(&["plan"]).exits(78).says("and this build");
    desk.write("plan/plan.json", b"{}");
    work(&["plan"]).exits(78).says("is not a plan");
}

#[cfg(unix)]
mod killed {
    use super::*;
    use std::process::{Child, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    fn start(desk: &Desk, words: &[&str]) -> Child {
        desk.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "another process works meanwhile; nothing depends on how long"
    )]
    fn pause() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }

    fn size(path: &Path) -> u64 {
        fs::metadata(path).map_or(0, |file| file.len())
    }

    #[test]
    fn a_batch_killed_at_many_moments_ends_with_the_same_bytes() {
        const WORDS: [&str; 8] = ["run", "scenario.toml", "--seeds", "1..=60", "-j", "2", "--out", "out"];
        let desk = Desk::with_scenario(&SMALL.replace("4s", "2s"));
        let undisturbed = [&WORDS[..7], &["whole"]].concat();
        desk.murphy(&undisturbed).exits(0);
        let journal = desk.path(".out.rows");
        let mut kills = 0;
        let mut before = 0;
        loop {
            let mut child = start(&desk, &[&WORDS[..], &["--resume"]].concat());
            // Killed in the middle of whatever it does once the journal has grown a little.
            let wanted = before + 20_000 + 1_777 * kills;
            let ended = loop {
                if child.try_wait().expect("it can be asked").is_some() {
                    break true;
                }
                if size(&journal) >= wanted {
                    break false;
                }
                pause();
            };
            if ended {
                break;
            }
            child.kill().expect("the process is ours");
            child.wait().expect("it ends");
            let now = size(&journal);
            assert!(now >= before, "rows that were done stay: {before} bytes, then {now}");
            before = now;
            kills += 1;
            assert!(kills < 1000, "it never ends");
        }
        assert!(kills >= 3, "it was killed {kills} times only");
        assert!(!journal.exists());
        same(&desk, "whole", "out");
    }

    #[test]
    fn a_worker_that_is_asked_to_stop_says_retry() {
        let desk = Desk::new();
        let file = library(PARTITION);
        let file = file.to_str().expect("a path in UTF-8");
        desk.murphy(&["plan", file, "--seeds", "1..=400", "--shards", "2", "--out", "plan"]).exits(0);
        let mut child = start(&desk, &["run", "--plan", "plan"]);
        for _ in 0..100 {
            pause();
        }
        let pid = Pid::from_raw(child.id().cast_signed()).expect("the process has an id");
        kill_process(pid, Signal::TERM).expect("the process is ours");
        let code = child.wait().expect("it ends").code();
        // Before its handlers are there a signal ends it as any process.
        assert!(code == Some(75) || code.is_none(), "{code:?}");
        desk.murphy(&["status", "plan"]).exits(0).shows("0 of 2 shards are done");
    }
}
