//! What commands that run scenarios share: identity of a batch, threads, signals, wall time, whole files.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use murphy_reports::BatchInfo;
use murphy_scenarios::Study;
use murphy_scenarios::results::run_id;

use super::{Failure, Selection, exit};

/// Version of the engine: part of every result's identity.
pub(super) const ENGINE: &str = concat!("murphy ", env!("CARGO_PKG_VERSION"));

/// Most threads that can be asked for.
const MOST_THREADS: usize = 1024;

/// Threads for runs; 0 for one a core.
pub(super) fn pool(threads: usize) -> Result<rayon::ThreadPool, Failure> {
    if threads > MOST_THREADS {
        return Err(Failure::Usage(format!("-j {threads} is more than {MOST_THREADS} threads")));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Failure::Usage(format!("cannot start -j {threads} threads: {error}")))
}

/// Writes a file under a temporary name, and renames it: nobody sees half of it.
pub(super) fn write_whole(file: &Path, text: &str) -> Result<(), Failure> {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let temporary = file.with_file_name(format!(".{name}.{}", std::process::id()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), std::fs::create_dir_all);
    let written =
        made.and_then(|()| std::fs::write(&temporary, text)).and_then(|()| std::fs::rename(&temporary, file));
    written.map_err(|error| Failure::Usage(format!("cannot write {}: {error}", file.display())))
}

/// The resolved scenario with the seeds that the command line chose.
pub(super) fn frozen(study: &Study<'_>, selection: &Selection) -> String {
    let mut text = study.document.render();
    let seeds = selection.seeds();
    if !seeds.is_empty() {
        let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
        _ = write!(text, "\n# seeds of this run, from the command line: {}\n", list.join(", "));
    }
    text
}

/// What a batch is, and the command that repeats it.
pub(super) fn info(
    study: &Study<'_>,
    file: &Path,
    selection: &Selection,
    frozen: &str,
    program: &str,
) -> BatchInfo {
    let first = &study.points()[0];
    BatchInfo {
        scenario: first.name.clone(),
        about: first.about.clone(),
        file: file.display().to_string(),
        command: command(program, file, selection, first.seed, study),
        engine: ENGINE.to_owned(),
        run_id: run_id(frozen, ENGINE),
        resolved: frozen.to_owned(),
    }
}

/// The command that repeats this one: every seed is named, so that editing the file's does not matter.
fn command(program: &str, file: &Path, selection: &Selection, own_seed: u64, study: &Study<'_>) -> String {
    let mut words = vec![quoted(program), "run".to_owned(), quoted(&file.display().to_string())];
    for set in &selection.sets {
        words.extend(["--set".to_owned(), quoted(set)]);
    }
    if let Some(until) = &selection.until {
        words.extend(["--until".to_owned(), quoted(until)]);
    }
    match selection.seeds().as_slice() {
        [] if study.document.seeds().is_empty() => words.extend(["--seed".to_owned(), own_seed.to_string()]),
        [] => {}
        [seed] => words.extend(["--seed".to_owned(), seed.to_string()]),
        [first, .., last] if last - first + 1 == selection.seeds().len() as u64 => {
            words.extend(["--seeds".to_owned(), format!("{first}..={last}")]);
        }
        seeds => {
            let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
            words.extend(["--seeds".to_owned(), list.join(",")]);
        }
    }
    words.join(" ")
}

/// What rows of a batch belong to: this build, the scenario and its file's text, which places point into.
pub(super) fn identity(info: &BatchInfo, file: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    let program = std::env::current_exe().and_then(std::fs::read).unwrap_or_default();
    let text = std::fs::read(file).unwrap_or_default();
    for part in [program.as_slice(), info.resolved.as_bytes(), info.command.as_bytes(), &text] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().to_hex().to_string()
}

/// A word as a shell reads it back.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A scenario's name as a folder's.
pub(super) fn file_name(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(keep).take(100).collect();
    if name.trim_matches('.').is_empty() { "scenario".to_owned() } else { name }
}

/// What SIGINT and SIGTERM ask for.
pub(super) struct Stop {
    pub(super) flag: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Stop {
    /// From now on a signal sets the flag, and a second one ends the program at once.
    pub(super) fn on_signals() -> Stop {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let stop = Stop { flag: Arc::default(), terminated: Arc::default() };
        for (signal, code) in [(SIGINT, exit::INTERRUPTED), (SIGTERM, exit::TERMINATED)] {
            // Without handlers a signal ends the program as usual.
            _ = signal_hook::flag::register_conditional_shutdown(
                signal,
                i32::from(code),
                Arc::clone(&stop.flag),
            );
            _ = signal_hook::flag::register(signal, Arc::clone(&stop.flag));
        }
        _ = signal_hook::flag::register(SIGTERM, Arc::clone(&stop.terminated));
        stop
    }

    /// Whether a signal came.
    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    pub(super) fn code(&self) -> u8 {
        if self.terminated.load(Ordering::Relaxed) { exit::TERMINATED } else { exit::INTERRUPTED }
    }
}

#[expect(clippy::disallowed_methods, reason = "wall time goes into env.json only, never into a run")]
pub(super) fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// The only file that differs from host to host.
pub(super) fn env(started: std::time::SystemTime, threads: usize) -> String {
    let unix = started.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let wall = now().duration_since(started).unwrap_or_default();
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "schema": 1,
        "engine": ENGINE,
        "host": gethostname::gethostname().to_string_lossy(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "threads": threads,
        "started_unix_s": unix.as_secs(),
        "wall_s": wall.as_secs_f64(),
    }));
    text.unwrap_or_default() + "\n"
}
