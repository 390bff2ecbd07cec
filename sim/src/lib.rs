//! Murphy's engine: time, randomness, queue, nodes, network, disks, clocks, faults, traces and facts.
//!
//! It knows no protocol, does no I/O, reads no clock and starts no thread: a run is a pure
//! function of what it is given and of one seed.

mod time;

pub use time::{Span, Time};
