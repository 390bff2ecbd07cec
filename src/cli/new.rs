//! `murphy new`: a scenario file that runs as it is, to start from.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use murphy_scenarios::Model;

use super::{Failure, Terminal, exit};

#[derive(Args)]
pub(super) struct NewArgs {
    /// Name of the scenario; the file is NAME.toml
    name: String,
}

/// The template; `NAME` is replaced.
const TEMPLATE: &str = include_str!("new.toml");

pub(super) fn new(_models: &[Box<dyn Model>], args: &NewArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if args.name.is_empty() || !args.name.chars().all(plain) {
        let text = format!("a name has letters, digits, - and _ only, found `{}`", args.name);
        return Err(Failure::Usage(text));
    }
    let file = PathBuf::from(format!("{}.toml", args.name));
    let text = TEMPLATE.replace("NAME", &args.name);
    let made = std::fs::File::create_new(&file).and_then(|mut made| made.write_all(text.as_bytes()));
    made.map_err(|error| Failure::Usage(format!("cannot make {}: {error}", file.display())))?;
    terminal.print(&format!("made {0}; next: {1} run {0}\n", file.display(), terminal.program));
    Ok(exit::PASS)
}
