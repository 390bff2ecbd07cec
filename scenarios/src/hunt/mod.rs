//! From "something breaks" to "this is why": [`Hunt`] searches seeds, plans and schedules for a violated
//! property, [`shrink`] makes the finding small, [`Repro`] stores it, and [`verify_repro`] runs it again.
//!
//! A finding is a scenario file with a `[repro]` table: it is cut down as a tree of TOML, and every
//! candidate is read and checked like any other file. So what is written is what was run.

mod case;
mod ddmin;
mod diff;
mod explain;
mod fingerprint;
mod lab;
mod nemesis;
mod passes;
mod repro;
mod roster;
mod search;
mod shrink;
mod story;
mod words;

pub use diff::{Parting, Subject, diff, tell};
pub use explain::explain;
pub use fingerprint::Fingerprint;
pub use lab::Violation;
pub use repro::{Replay, Repro, verify_repro};
pub use search::{Finding, Hunt, HuntStats, Strategy};
pub use shrink::{Shrunk, Size, shrink};
