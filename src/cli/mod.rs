//! The command line: what was typed becomes what is meant, and the result an exit code.

mod batch;
mod calc;
mod check;
mod cluster;
mod compare;
mod corpus;
mod diff;
mod estimate;
mod explain;
mod export;
mod hunt;
mod list;
mod new;
mod replay;
mod run;
mod shrink;
mod submit;
mod test;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use murphy_scenarios::language::{Diagnostics, Seeds, Set, decode};
use murphy_scenarios::{Model, ModelInfo, Protocol, Study, model};

/// A command line for a set of models.
#[derive(Default)]
pub struct Cli {
    models: Vec<Box<dyn Model>>,
}

/// The command line, without models yet.
pub fn cli() -> Cli {
    Cli::default()
}

impl Cli {
    /// Adds a protocol.
    #[must_use]
    pub fn model<P: Protocol>(mut self) -> Cli {
        self.models.push(model::<P>());
        self
    }

    /// Runs the command that the program was started with.
    pub fn run(self) -> ExitCode {
        self.run_with(std::env::args_os())
    }

    /// Runs a command; the first argument is the program's name.
    pub fn run_with(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let program = program_name(&arguments);
        // Usage and help show the program's own name, which is not ours in a crate of somebody else.
        let parsed =
            Typed::command().name(program.clone()).bin_name(program.clone()).try_get_matches_from(arguments);
        let typed = match parsed.and_then(|matches| Typed::from_arg_matches(&matches)) {
            Ok(typed) => typed,
            Err(error) => {
                // Help and version are no errors: clap knows where each goes.
                _ = error.print();
                return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
            }
        };
        let terminal = Terminal::new(&typed.common, program);
        let done = match typed.command {
            Command::Run(args) => run::run(&self.models, &args, &terminal),
            Command::Test(args) => test::test(&self.models, &args, &terminal),
            Command::Hunt(args) => hunt::hunt(&self.models, &args, &terminal),
            Command::Shrink(args) => shrink::shrink(&self.models, &args, &terminal),
            Command::Replay(args) => replay::replay(&self.models, &args, &terminal),
            Command::Plan(args) => cluster::plan(&self.models, &args, &terminal),
            Command::Status(args) => cluster::status(&args, &terminal),
            Command::Submit(args) => submit::submit(&args, &terminal),
            Command::Merge(args) => cluster::merge(&self.models, &args, &terminal),
            Command::Explain(args) => explain::explain(&self.models, &args, &terminal),
            Command::Diff(args) => diff::diff(&self.models, &args, &terminal),
            Command::Export(args) => export::export(&self.models, &args, &terminal),
            Command::Check(args) => check::check(&self.models, &args, &terminal),
            Command::Compare(args) => compare::compare(&args, &terminal),
            Command::List(args) => list::list(&self.infos(), &args, &terminal),
            Command::Schema => list::schema(&self.infos(), &terminal),
            Command::Estimate(args) => estimate::estimate(&self.models, &args, &terminal),
            Command::Calc(args) => calc::calc(&args, &terminal),
            Command::New(args) => new::new(&self.models, &args, &terminal),
        };
        match done {
            Ok(code) => ExitCode::from(code),
            Err(failure) => {
                failure.print(&terminal);
                ExitCode::from(failure.code())
            }
        }
    }

    fn infos(&self) -> Vec<ModelInfo> {
        self.models.iter().map(|model| model.info().clone()).collect()
    }
}

/// The name to type, from the path that the program was started by.
fn program_name(arguments: &[OsString]) -> String {
    let stem = arguments.first().and_then(|path| Path::new(path).file_stem());
    stem.map_or_else(|| "murphy".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Exit codes of the interface.
mod exit {
    pub(super) const PASS: u8 = 0;
    pub(super) const FAIL: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const DRIFT: u8 = 3;
    pub(super) const NOTHING: u8 = 4;
    pub(super) const INCONCLUSIVE: u8 = 5;
    pub(super) const INTERRUPTED: u8 = 130;
    pub(super) const TERMINATED: u8 = 143;
}

/// A deterministic simulator for everything that can go wrong in a distributed system.
#[derive(Parser)]
#[command(name = "murphy", version, arg_required_else_help = true)]
struct Typed {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// Print nothing but errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print more, such as where the results went
    #[arg(short, long, global = true)]
    verbose: bool,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario: one run, or its whole sweep
    Run(run::RunArgs),
    /// Test a folder of scenarios: expectations and golden files
    Test(test::TestArgs),
    /// Cut a scenario's runs into shards, for a cluster
    Plan(cluster::PlanArgs),
    /// Hand a plan to Slurm, Kubernetes or Ray
    Submit(submit::SubmitArgs),
    /// Say which shards of a plan are done
    Status(cluster::StatusArgs),
    /// Join the shards of a plan to the results that one process would have written
    Merge(cluster::MergeArgs),
    /// Read scenarios, check them and print the plan; runs nothing
    Check(check::CheckArgs),
    /// Search seeds, fault plans and schedules for a violated property
    Hunt(hunt::HuntArgs),
    /// Make the run of a repro file as small as it gets
    Shrink(shrink::ShrinkArgs),
    /// Run a repro file again
    Replay(replay::ReplayArgs),
    /// Say why the run of a repro file fails: needed causes, causal slice, space-time diagram
    Explain(explain::ExplainArgs),
    /// Show the first event at which two runs differ
    Diff(diff::DiffArgs),
    /// Write a run for a viewer
    Export(export::ExportArgs),
    /// Compare the points of finished runs, paired by seed
    Compare(compare::CompareArgs),
    /// List models, faults, hazards, metrics, policies or scenarios
    List(list::ListArgs),
    /// Estimate a rare unavailability, as the scenario's [estimate] table says
    Estimate(estimate::EstimateArgs),
    /// Calculate a closed form: availability, queues, retries, checkpoints, burn rates, ROI
    Calc(calc::CalcArgs),
    /// Print the JSON Schema of the scenario file
    Schema,
    /// Write a new scenario file to start from
    New(new::NewArgs),
}

/// What selects and changes the runs of a scenario file.
#[derive(Args, Default)]
struct Selection {
    /// One seed, instead of the file's
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Several seeds: 1..=20, 1..21 or 1,2,3
    #[arg(long, value_name = "RANGE")]
    seeds: Option<Seeds>,
    /// Set a value by its path; axis names come first; a list makes an axis
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// End the run at this time instead of the file's duration
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Selection {
    /// What was typed before.
    fn of(seeds: Vec<u64>, sets: Vec<String>, until: Option<String>) -> Selection {
        let seeds = (!seeds.is_empty()).then_some(Seeds(seeds));
        Selection { seed: None, seeds, sets, until }
    }

    fn seeds(&self) -> Vec<u64> {
        match (self.seed, &self.seeds) {
            (Some(seed), _) => vec![seed],
            (None, Some(seeds)) => seeds.0.clone(),
            (None, None) => Vec::new(),
        }
    }

    fn overrides(&self) -> Result<Vec<Set>, Failure> {
        let until = self.until.iter().map(|until| format!("duration={until}"));
        self.sets.iter().cloned().chain(until).map(|set| set.parse().map_err(Failure::Usage)).collect()
    }
}

/// How much is printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loudness {
    Quiet,
    Normal,
    Verbose,
}

/// Where text goes and how it looks.
struct Terminal {
    /// The program's name, for commands to type next.
    program: String,
    loudness: Loudness,
    format: Format,
    /// Colours on standard output.
    out_color: bool,
    /// Colours on standard error.
    err_color: bool,
    /// Whether a progress bar can be seen.
    progress: bool,
}

impl Terminal {
    fn new(common: &Common, program: String) -> Terminal {
        // https://no-color.org: any value that is not empty.
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Terminal {
            program,
            loudness: match (common.quiet, common.verbose) {
                (true, _) => Loudness::Quiet,
                (false, false) => Loudness::Normal,
                (false, true) => Loudness::Verbose,
            },
            format: common.format,
            out_color: out && !plain,
            err_color: err && !plain,
            progress: err && !common.quiet,
        }
    }

    /// Prints a result. A closed pipe (`| head`) is no failure.
    fn print(&self, text: &str) {
        use std::io::Write as _;
        if self.loudness > Loudness::Quiet {
            _ = std::io::stdout().write_all(text.as_bytes());
        }
    }
}

/// Why a command could not do what was asked.
enum Failure {
    /// The scenario is wrong.
    Scenario(Diagnostics),
    /// The command's words are wrong.
    Usage(String),
    /// There is nothing to run.
    Nothing(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Failure::Scenario(diagnostics) if diagnostics.selects_nothing() => exit::NOTHING,
            Failure::Scenario(_) | Failure::Usage(_) => exit::USAGE,
            Failure::Nothing(_) => exit::NOTHING,
        }
    }

    fn print(&self, terminal: &Terminal) {
        match self {
            Failure::Scenario(diagnostics) => eprint!("{}", diagnostics.render(terminal.err_color)),
            Failure::Usage(text) | Failure::Nothing(text) => eprintln!("error: {text}"),
        }
    }
}

/// Reads a scenario file and checks it.
fn open<'m>(
    models: &'m [Box<dyn Model>],
    file: &Path,
    overrides: &[Set],
    terminal: &Terminal,
) -> Result<Study<'m>, Failure> {
    let shown = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| {
        let program = &terminal.program;
        let list = if file.is_dir() { shown.as_str() } else { "DIR" };
        Failure::Usage(format!(
            "cannot read {shown}: {error}\n  {program} list scenarios {list} shows the files of a folder, \
             {program} new NAME makes one"
        ))
    })?;
    let text = decode(bytes, &shown).map_err(Failure::Scenario)?;
    let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let read = |path: &Path| -> std::io::Result<String> { std::fs::read_to_string(base.join(path)) };
    Study::open(&text, &shown, &read, models, overrides).map_err(Failure::Scenario)
}

/// Every scenario file below a folder, sorted.
fn scenario_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // Beside scenarios a crate has its sources and its tests' data.
        let krate = folder.join("Cargo.toml").is_file();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let named =
                |names: &[&str]| names.iter().any(|name| path.file_name().is_some_and(|file| file == *name));
            // Results hold the scenarios they were made from; golden and repro files are no scenarios.
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let text = path.to_string_lossy();
            let other = text.ends_with(".golden.toml") || text.ends_with(".repro.toml");
            if hidden || other || (named(&["runs", "failures"]) && path.is_dir()) {
                continue;
            }
            if krate && named(&["Cargo.toml", "src", "tests", "target"]) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
