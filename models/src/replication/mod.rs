//! Replication and recovery: several ways to keep data that outlives its machine, on one workload.
//!
//! | model | scheme |
//! | --- | --- |
//! | [`job`] | long work with checkpoints on machines that fail |
//! | [`leaders`] | active-active: last-write-wins, or data types that merge ([`crdt`]) |
//! | [`quorum`] | a quorum store: N copies, R to read, W to write, read repair, hints, anti-entropy |
//! | [`standby`] | active-passive: a primary, standbys that take over, leases and tokens that fence |
//!
//! All share one [`Client`] and one [`History`] of what clients saw, so that lost, stale and
//! conflicting operations mean the same everywhere.

mod call;
mod client;
pub mod crdt;
mod declare;
mod history;
pub mod job;
pub mod leaders;
mod linear;
pub mod quorum;
mod ranges;
pub mod standby;

pub use call::{Call, Calls};
pub use client::{Client, ClientOptions, ClientTimer, Targets};
pub use history::{History, Lost, Sample, Write};
pub use linear::Linear;

use murphy_scenarios::System;
use murphy_scenarios::language::NodeSpec;
use murphy_sim::NodeId;

/// Nodes of a kind, those on the node's own site first, else in roster order.
pub(crate) fn nearest(system: &System, node: &NodeSpec, kind: &str) -> Vec<NodeId> {
    let (mut near, far): (Vec<NodeId>, Vec<NodeId>) =
        system.of_kind(kind).into_iter().partition(|known| system.nodes[known.index()].site == node.site);
    near.extend(far);
    near
}

/// Operation that writes a key.
pub const PUT: u16 = 0;
/// Operation that reads a key.
pub const GET: u16 = 1;
