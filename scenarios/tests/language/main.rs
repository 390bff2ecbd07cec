//! The scenario language from outside: files in, scenarios or diagnostics out.

mod errors;
mod expectations;
mod fixture;
mod fuzz;
mod kinds;
mod meaning;
mod services;
mod sweeps;
