//! The folder of results: written whole, or not at all.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use murphy_reports::{Batch, RunSummary, files, manifest, page, windows_csv_header, windows_csv_rows};

use crate::runner::RunPlan;

/// Identity of a study: the same scenario and the same engine give the same folder.
pub fn run_id(frozen: &str, engine: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(engine.as_bytes());
    hasher.update(&[0]);
    hasher.update(frozen.as_bytes());
    hasher.finalize().to_hex()[..8].to_owned()
}

/// Collects a study's results in a hidden folder beside their final place, which [`Results::finish`] renames.
pub struct Results {
    temporary: PathBuf,
    folder: PathBuf,
    windows: BufWriter<File>,
    plans: Plans,
    error: Option<io::Error>,
}

/// Most runs of a study whose plans are written out.
pub const MAX_PLANS: usize = 1000;
/// Most bytes of all plans that are written out.
pub const MAX_PLAN_BYTES: usize = 64 << 20;

/// The plans written so far, and a line about every run's.
#[derive(Default)]
struct Plans {
    index: String,
    runs: usize,
    bytes: usize,
}

impl Results {
    /// Starts the results of a study in `folder`, with the frozen scenario.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn start(folder: &Path, frozen: &str) -> io::Result<Results> {
        let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let temporary = folder.with_file_name(format!(".{name}.{}", std::process::id()));
        fs::create_dir_all(&temporary)?;
        fs::write(temporary.join("scenario.toml"), frozen)?;
        let mut windows = BufWriter::new(File::create(temporary.join("windows.csv"))?);
        windows.write_all(windows_csv_header().as_bytes())?;
        Ok(Results { temporary, folder: folder.to_owned(), windows, plans: Plans::default(), error: None })
    }

    /// Writes what is too large to keep of one run. An error is kept for [`Results::finish`].
    pub fn add(&mut self, run: &RunSummary) {
        if self.error.is_none() {
            self.error = self.windows.write_all(windows_csv_rows(run).as_bytes()).err();
        }
    }

    /// Writes the plan that generators made for one run. The first [`MAX_PLANS`] plans of a study are
    /// written, and no more than [`MAX_PLAN_BYTES`]; `plans.csv` has a line about every run's, written or
    /// not: any plan can be had again by running its seed alone.
    pub fn add_plan(&mut self, plan: &RunPlan) {
        let text = plan.plan.render();
        let fits = self.plans.runs < MAX_PLANS && self.plans.bytes + text.len() <= MAX_PLAN_BYTES;
        let file = if fits { format!("{}/plan.toml", plan.folder) } else { String::new() };
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let (seed, faults) = (plan.seed, plan.plan.faults.len());
        _ = writeln!(self.plans.index, "\"{}\",{seed},{faults},{hash},\"{file}\"", plan.point);
        if fits && self.error.is_none() {
            self.plans.runs += 1;
            self.plans.bytes += text.len();
            let folder = self.temporary.join(&plan.folder);
            let written =
                fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("plan.toml"), text));
            self.error = written.err();
        }
    }

    /// Writes everything else and moves the folder to its place.
    ///
    /// # Errors
    /// When a file could not be written or the folder not be moved; nothing half-written stays.
    pub fn finish(mut self, batch: &Batch, env: &str) -> io::Result<PathBuf> {
        let done = self.write_all(batch, env);
        if done.is_err() {
            // The first error is the one to report.
            _ = fs::remove_dir_all(&self.temporary);
        }
        done
    }

    /// Drops what was collected.
    pub fn discard(self) {
        _ = fs::remove_dir_all(&self.temporary);
    }

    fn write_all(&mut self, batch: &Batch, env: &str) -> io::Result<PathBuf> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.windows.flush()?;
        for (name, bytes) in files(batch).into_iter().filter(|(name, _)| name != "windows.csv") {
            fs::write(self.temporary.join(name), bytes)?;
        }
        if !self.plans.index.is_empty() {
            let index = format!("point,seed,faults,blake3,file\n{}", self.plans.index);
            fs::write(self.temporary.join("plans.csv"), index)?;
        }
        fs::write(self.temporary.join("MANIFEST.b3"), self.manifest()?)?;
        // Not in the manifest: the host's, and what is identical per platform only.
        fs::write(self.temporary.join("env.json"), env)?;
        fs::write(self.temporary.join("report.html"), page(batch))?;
        replace(&self.temporary, &self.folder)?;
        Ok(self.folder.clone())
    }

    fn manifest(&self) -> io::Result<String> {
        let mut files = Vec::new();
        gather(&self.temporary, "", &mut files)?;
        Ok(manifest(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))))
    }
}

/// All files of a folder and those below it, by their path with `/`.
fn gather(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// Moves a finished folder to its place; an older one gives way.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        let old = from.with_extension("old");
        fs::rename(to, &old)?;
        fs::rename(from, to)?;
        return fs::remove_dir_all(old);
    }
    fs::rename(from, to)
}

/// Points `runs/latest` at the newest results; where links are not to be had, there is none.
pub fn point_latest(root: &Path, folder: &Path) {
    let target = folder.strip_prefix(root).unwrap_or(folder);
    let fresh = root.join(format!(".latest.{}", std::process::id()));
    _ = fs::remove_file(&fresh);
    if link(target, &fresh).is_ok() && fs::rename(&fresh, root.join("latest")).is_err() {
        _ = fs::remove_file(&fresh);
    }
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
