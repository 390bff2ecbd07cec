//! A batch that many processes run: a folder with the plan, and a file for each shard that is done.
//!
//! `plan.json` says what is run, `source.toml` and `files/` hold the scenario and what it reads as they were,
//! and `shards/0007.rows` the rows of shard 7. Shards are fixed by the plan, their bytes depend on
//! nothing else, and a file appears whole or not at all, so that any launcher will do.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::rows::{Row, RowsError, read_shard, shard_bytes};

/// Version of a plan's folder.
pub const PLAN_SCHEMA: u32 = 1;
/// Most shards of a plan.
pub const MOST_SHARDS: usize = 100_000;

/// What is run, and how it is cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_SCHEMA`].
    pub schema: u32,
    /// Hash of the resolved scenario, the engine's version, the number of shards and the schema.
    pub plan_id: String,
    /// Version of the engine.
    pub engine: String,
    /// The scenario file, as the user named it.
    pub file: String,
    /// Overrides, as typed.
    pub sets: Vec<String>,
    /// The end of runs, as typed.
    pub until: Option<String>,
    /// Seeds from the command line; empty for the file's.
    pub seeds: Vec<u64>,
    /// Runs.
    pub jobs: usize,
    /// Shards.
    pub shards: usize,
    /// Wall time of one run as measured when planning, in seconds; for sizes only.
    pub run_s: f64,
}

/// Identity of a plan.
pub fn plan_id(frozen: &str, engine: &str, shards: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [frozen, engine, &shards.to_string(), &PLAN_SCHEMA.to_string()] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// How many shards: each takes about `target_s` seconds on one thread.
pub fn shard_count(jobs: usize, run_s: f64, target_s: f64) -> usize {
    let wanted = (jobs as f64 * run_s / target_s.max(1e-3)).ceil();
    // A saturating cast: nonsense becomes a bound.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped below")]
    let wanted = wanted as usize;
    wanted.clamp(1, jobs.clamp(1, MOST_SHARDS))
}

/// A plan's folder.
pub struct PlanFolder {
    folder: PathBuf,
    /// The plan.
    pub plan: Plan,
}

/// Why a plan's folder is no good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// It cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Where.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// `plan.json` is not one.
    #[error("{path} is not a plan: {why}")]
    NoPlan {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
    /// There is a shard of the same name with other bytes: two runs of the same shard differ.
    #[error("{kept} and {fresh} are the same shard with different bytes: keep both, and look for the cause")]
    Conflict {
        /// The file that was there.
        kept: String,
        /// The new one.
        fresh: String,
    },
}

/// What a shard's file is.
#[derive(Debug)]
pub enum ShardState {
    /// Whole, of this plan.
    Done(Vec<(usize, Row)>),
    /// There is none.
    Missing,
    /// There is one that is no good.
    Bad(RowsError),
}

impl PlanFolder {
    /// Writes a plan: `files` are those that the scenario reads, by their path as it spells them. A folder
    /// that holds the same plan already stays as it is.
    ///
    /// # Errors
    /// When the folder cannot be written or holds another plan.
    pub fn create(
        folder: &Path,
        plan: Plan,
        frozen: &str,
        source: &str,
        files: &BTreeMap<PathBuf, String>,
    ) -> Result<PlanFolder, PlanError> {
        if folder.join("plan.json").is_file() {
            let there = PlanFolder::open(folder)?;
            if there.plan.plan_id == plan.plan_id {
                return Ok(there);
            }
            let why = format!("it is of plan {}, not {}", there.plan.plan_id, plan.plan_id);
            return Err(PlanError::NoPlan { path: folder.join("plan.json").display().to_string(), why });
        }
        let made = PlanFolder { folder: folder.to_owned(), plan };
        made.write("scenario.toml", frozen.as_bytes())?;
        made.write("source.toml", source.as_bytes())?;
        let names: BTreeMap<String, String> = files
            .keys()
            .enumerate()
            .map(|(index, path)| (path.display().to_string(), format!("{index}")))
            .collect();
        for (path, text) in files {
            made.write(&format!("files/{}", names[&path.display().to_string()]), text.as_bytes())?;
        }
        made.write("files.json", to_json(&names).as_bytes())?;
        made.write("shards/.keep", b"")?;
        // Last: a folder with this file is whole.
        made.write("plan.json", to_json(&made.plan).as_bytes())?;
        Ok(made)
    }

    /// Opens a plan's folder.
    ///
    /// # Errors
    /// When it has no readable plan of this schema.
    pub fn open(folder: &Path) -> Result<PlanFolder, PlanError> {
        let path = folder.join("plan.json");
        let shown = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|error| PlanError::Io { path: shown.clone(), error })?;
        let none = |why: String| PlanError::NoPlan { path: shown.clone(), why };
        let plan: Plan = serde_json::from_str(&text).map_err(|error| none(error.to_string()))?;
        if plan.schema != PLAN_SCHEMA {
            return Err(none(format!("it has schema {}, and this build reads {PLAN_SCHEMA}", plan.schema)));
        }
        if plan.shards == 0 || plan.shards > plan.jobs.max(1) {
            return Err(none(format!("{} shards for {} runs", plan.shards, plan.jobs)));
        }
        Ok(PlanFolder { folder: folder.to_owned(), plan })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The scenario file as it was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn source(&self) -> io::Result<String> {
        fs::read_to_string(self.folder.join("source.toml"))
    }

    /// A file that the scenario reads, as it was.
    ///
    /// # Errors
    /// When the plan has no such file.
    pub fn read(&self, path: &Path) -> io::Result<String> {
        let names: BTreeMap<String, String> =
            serde_json::from_str(&fs::read_to_string(self.folder.join("files.json"))?)?;
        let name = names.get(&path.display().to_string()).filter(|name| name.parse::<u32>().is_ok());
        let name =
            name.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the plan has no such file"))?;
        fs::read_to_string(self.folder.join("files").join(name))
    }

    /// Indices of the jobs of a shard; shards count from 1.
    ///
    /// # Panics
    /// When there is no such shard.
    pub fn jobs(&self, shard: usize) -> Range<usize> {
        let Plan { jobs, shards, .. } = self.plan;
        assert!((1..=shards).contains(&shard), "shard {shard} of {shards}");
        (shard - 1) * jobs / shards..shard * jobs / shards
    }

    /// The shards of part `part` of `parts`: every shard is in one part, long ones beside short ones.
    pub fn part(&self, part: usize, parts: usize) -> Vec<usize> {
        let mut order: Vec<(blake3::Hash, usize)> = (1..=self.plan.shards)
            .map(|shard| (blake3::hash(format!("{} {shard}", self.plan.plan_id).as_bytes()), shard))
            .collect();
        order.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        let mut shards: Vec<usize> =
            order.into_iter().map(|(_, shard)| shard).skip(part - 1).step_by(parts).collect();
        shards.sort_unstable();
        shards
    }

    /// File of a shard.
    pub fn file(&self, shard: usize) -> PathBuf {
        self.folder.join("shards").join(format!("{shard:06}.rows"))
    }

    fn identity(&self, shard: usize) -> String {
        format!("{} {shard}/{}", self.plan.plan_id, self.plan.shards)
    }

    /// Reads and verifies a shard.
    pub fn state(&self, shard: usize) -> ShardState {
        let path = self.file(shard);
        if !path.exists() {
            return ShardState::Missing;
        }
        match read_shard(&path, &self.identity(shard)) {
            Ok(rows) if rows.iter().map(|row| row.0).eq(self.jobs(shard)) => ShardState::Done(rows),
            Ok(rows) => ShardState::Bad(RowsError::Corrupt { rows: rows.len() }),
            Err(error) => ShardState::Bad(error),
        }
    }

    /// Hands in a shard's rows, in the order of its jobs.
    ///
    /// # Errors
    /// When it cannot be written, or a whole shard with other bytes is there: then both are kept.
    pub fn hand_in(&self, shard: usize, rows: &[Row]) -> Result<(), PlanError> {
        let bytes = shard_bytes(&self.identity(shard), self.jobs(shard).zip(rows));
        let path = self.file(shard);
        if let Ok(there) = fs::read(&path) {
            if there == bytes {
                return Ok(());
            }
            if matches!(self.state(shard), ShardState::Done(_)) {
                let fresh =
                    format!("shards/{shard:06}.conflict-{}.rows", &blake3::hash(&bytes).to_hex()[..8]);
                self.write(&fresh, &bytes)?;
                let kept = path.display().to_string();
                return Err(PlanError::Conflict {
                    kept,
                    fresh: self.folder.join(fresh).display().to_string(),
                });
            }
        }
        self.write(&format!("shards/{shard:06}.rows"), &bytes)
    }

    /// Files in `shards/` that are of no shard of this plan: left behind by killed processes, or conflicts.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn strangers(&self) -> io::Result<Vec<PathBuf>> {
        let mut strangers = Vec::new();
        for entry in fs::read_dir(self.folder.join("shards"))? {
            let path = entry?.path();
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let shard = name.strip_suffix(".rows").and_then(|number| number.parse::<usize>().ok());
            let ours = shard
                .is_some_and(|shard| (1..=self.plan.shards).contains(&shard) && self.file(shard) == path);
            if !ours && name != ".keep" {
                strangers.push(path);
            }
        }
        strangers.sort();
        Ok(strangers)
    }

    /// Removes what killed processes left half-written.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn clean(&self) -> io::Result<usize> {
        let orphans: Vec<PathBuf> = self
            .strangers()?
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tmp-")))
            .collect();
        for orphan in &orphans {
            fs::remove_file(orphan)?;
        }
        Ok(orphans.len())
    }

    /// Writes a file whole: under a temporary name, to the disk, renamed, and the folder to the disk.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PlanError> {
        let path = self.folder.join(name);
        let fail = |error| PlanError::Io { path: path.display().to_string(), error };
        let parent = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent).map_err(fail)?;
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let temporary = parent.join(format!(".tmp-{}-{}-{file_name}", host.trim(), std::process::id()));
        let written = File::create(&temporary)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| File::open(parent)?.sync_all());
        written.map_err(|error| {
            _ = fs::remove_file(&temporary);
            fail(error)
        })
    }
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("plain data is JSON") + "\n"
}
