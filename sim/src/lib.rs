//! Murphy's engine: time, randomness, queue, nodes, network, disks, clocks, faults, traces and facts.
//!
//! It knows no protocol, does no I/O, reads no clock and starts no thread: a run is a pure
//! function of what it is given and of one seed.

mod fact;
mod hash;
mod law;
mod random;
mod time;

pub use fact::{Fact, Judge, NodeId, Operation, Outcome, Request, RequestId, Stamped};
pub use hash::{fold, name_hash};
pub use law::Law;
pub use random::{Chance, Domain, Keyed, Stream, below, unit};
pub use time::{Span, Time};
