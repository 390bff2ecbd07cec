//! Closed forms, to check the simulator and to use on their own: availability, queues, retries, money.
//!
//! Every formula is a small pure function in the module of its field. [`forms`] lists the calculators
//! of `murphy calc`: each names its arguments with units, states what it assumes and where it is from.
//! Times are in one unit, any; the calculators use seconds. Unavailability is returned rather than
//! availability, because it keeps its digits.
//!
//! S0 in notes is the pattern article whose formulas people copy. Where one is wrong, the calculator
//! prints S0's figure beside the right one and says why.

#![expect(clippy::similar_names, reason = "MTTF and MTTR are the field's names")]

pub mod structure;

pub mod chain;
pub mod component;
pub mod repair;
pub mod standby;

pub mod durability;
pub mod recovery;
pub mod slo;

pub mod queue;
pub mod service;

pub mod policy;
pub mod retry;

pub mod economy;
pub mod sample;

mod cross;
mod error;
mod form;
mod forms;
mod math;
mod read;
mod simulate;

pub use cross::{CrossCheck, Simulated};
pub use error::{CalcError, Mistake};
pub use form::{Arg, Calculation, Figure, Form, Kind, Need, Unit};
pub use forms::forms;
pub use math::Share;

/// The calculator of a name.
///
/// # Errors
/// When there is none: with the names that are near.
pub fn find(name: &str) -> Result<&'static Form, CalcError> {
    if let Some(form) = forms().find(|form| form.name == name) {
        return Ok(form);
    }
    let names: Vec<&'static str> = forms().map(|form| form.name).collect();
    Err(CalcError::UnknownForm { name: name.chars().take(40).collect(), close: read::near(name, &names) })
}

/// Calculates: `run("2-of-3", &["p=0.99"])`.
///
/// # Errors
/// When there is no such calculator, or with everything that is wrong with the arguments.
pub fn run<S: AsRef<str>>(name: &str, arguments: &[S]) -> Result<Calculation, CalcError> {
    find(name)?.run(arguments)
}
