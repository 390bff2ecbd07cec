//! The program in an empty folder, and what it left there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The example of the first command.
pub(crate) const PARTITION: &str = "consensus/pbft-partition.toml";
/// Seven regions, on measured round-trip times.
pub(crate) const REGIONS: &str = "geo/pbft-seven-regions.toml";

/// A short scenario that passes: 4 replicas, 2 clients, 4 s.
pub(crate) const SMALL: &str = r#"schema   = 1
name     = "small"
duration = "4s"
warmup   = "1s"

[network]
latency = { dist = "lognormal", median = "2ms", sigma = 0.4 }
drop    = 0.001

[[node]]
name   = "r"
count  = 4
model  = "pbft.replica"
params = { f = 1 }

[[node]]
name  = "client"
count = 2
model = "pbft.client"

[[workload]]
name     = "kv"
from     = "client*"
ops      = { put = 0.5, get = 0.5 }
arrivals = { dist = "poisson", rate = "100/s" }
deadline = "2s"

[[expect]]
that = "always(pbft.agreement)"

[[expect]]
that = "linearizable(kv)"
"#;

/// Path of a file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Path of a scenario of the library.
pub(crate) fn library(path: &str) -> PathBuf {
    project("scenarios").join(path)
}

/// An empty folder in which commands run.
pub(crate) struct Desk {
    folder: TempDir,
    program: PathBuf,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk::with_program(PathBuf::from(env!("CARGO_BIN_EXE_murphy")))
    }

    pub(crate) fn with_program(program: PathBuf) -> Desk {
        Desk { folder: tempfile::tempdir().expect("a folder for temporary files"), program }
    }

    /// A desk with one file, `scenario.toml`.
    pub(crate) fn with_scenario(text: &str) -> Desk {
        let desk = Desk::new();
        desk.write("scenario.toml", text.as_bytes());
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("the folder can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names of everything in a folder, sorted; empty for a folder that is not there.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry.expect("the folder can be read"))).collect();
        names.sort();
        names
    }

    /// The command, which sees no terminal.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder.path()).args(words).env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn murphy(&self, words: &[&str]) -> Done {
        Done::new(&self.command(words).output().expect("the program can be started"))
    }

    /// Every file of a folder of results.
    pub(crate) fn results(&self, folder: &str) -> Results {
        let names = self.names(folder);
        let read = |name: &String| fs::read(self.path(folder).join(name)).expect("results can be read");
        Results(names.iter().map(|name| (name.clone(), read(name))).collect())
    }
}

/// A command that ended.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn new(output: &Output) -> Done {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
        Done { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Done {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Checks that a text was printed as a diagnostic.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Done {
        assert!(self.err.contains(text), "no `{text}` in\n{}", self.err);
        self
    }

    /// Checks that a text was printed as a result.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Done {
        assert!(self.out.contains(text), "no `{text}` in\n{}", self.out);
        self
    }
}

/// The files of one folder of results.
pub(crate) struct Results(pub(crate) BTreeMap<String, Vec<u8>>);

impl Results {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        let bytes = self.0.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", self.names()));
        std::str::from_utf8(bytes).expect("results are UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text("result.json")).expect("result.json is JSON")
    }

    pub(crate) fn trace_hash(&self) -> String {
        self.json()["trace_hash"].as_str().expect("the result has a trace hash").to_owned()
    }

    /// Rows of a CSV file, each as column and cell.
    pub(crate) fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_reader(self.text(name).as_bytes());
        reader.deserialize().map(|row| row.unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
    }

    /// Checks that the manifest lists the deterministic files, with their hashes.
    #[track_caller]
    pub(crate) fn verify_manifest(&self) {
        let listed: Vec<(&str, &str)> =
            self.text("MANIFEST.b3").lines().filter_map(|line| line.split_once("  ")).collect();
        let names: Vec<&str> = listed.iter().map(|(_, name)| *name).collect();
        let mut expected = self.names();
        expected.retain(|name| !["MANIFEST.b3", "env.json", "report.html"].contains(name));
        assert_eq!(names, expected);
        for (hash, name) in listed {
            assert_eq!(blake3::hash(&self.0[name]).to_hex().as_str(), hash, "{name}");
        }
    }
}
