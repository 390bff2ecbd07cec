//! Murphy's engine: time, randomness, queue, nodes, network, disks, clocks, faults, traces and facts.
//!
//! It knows no protocol, does no I/O, reads no clock and starts no thread: a run is a pure
//! function of what it is given and of one seed.

mod adversary;
mod arrivals;
mod clock;
mod disk;
mod fact;
mod failure;
mod fault;
mod hash;
mod law;
mod logarithm;
mod message;
mod network;
mod process;
mod queue;
mod random;
mod script;
mod time;
mod timers;
mod topology;
mod trace;
mod world;

pub use adversary::{Attack, Deed, Identity, Mutation};
pub use arrivals::{Arrivals, Keys, Rate};
pub use disk::{DiskCost, DiskOp, DiskResult, Durable};
pub use fact::{Fact, Judge, NodeId, Operation, Outcome, Request, RequestId, Stamped};
pub use failure::{Credential, Failure, Leak, Load, Pool};
pub use fault::{Effect, Fault, FaultKind, Hit, Hits, NodeSet, Scope};
pub use hash::{fold, name_hash};
pub use law::Law;
pub use message::Digest;
pub use network::NetworkCounts;
pub use process::{Context, Message, Process};
pub use random::{Chance, Domain, Keyed, Stream, below, unit};
pub use script::{Letter, LetterDeed, LetterId, Script, Scripted, Sending};
pub use time::{Span, Time};
pub use timers::TimerId;
pub use topology::{Channel, Site, SiteId, Topology};
pub use trace::{Event, Keep, PREFIX_STRIDE, Recorded, Trace};
pub use world::{CpuCost, Limits, NodeSetup, Probe, Sent, Setup, Stop, Workload, World};
