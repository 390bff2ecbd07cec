//! Replication and recovery: several ways to keep data that outlives its machine, on one workload.
//!
//! | model | scheme |
//! | --- | --- |
//! | [`standby`] | active-passive: a primary, standbys that take over, leases and tokens that fence |
//!
//! All share one [`Client`] and one [`History`] of what clients saw, so that lost, stale and
//! conflicting operations mean the same everywhere.

mod call;
mod client;
mod declare;
mod history;
mod linear;
pub mod standby;

pub use call::{Call, Calls};
pub use client::{Client, ClientOptions, ClientTimer, Targets};
pub use history::{History, Lost, Sample, Write};
pub use linear::Linear;

/// Operation that writes a key.
pub const PUT: u16 = 0;
/// Operation that reads a key.
pub const GET: u16 = 1;
