//! What all protocols of a replicated key-value store have in common: commands and sessions, the
//! store, the client, the parameters of clients, the judges of their properties and their measures.
//!
//! A protocol says [`Fact`](murphy_sim::Fact)s with the same meaning: `Decide` once for each slot that a
//! replica learns is decided, `Execute` for each command, `Install` and `Stable` for snapshots, `View` and
//! `Leader` when a view or term starts, `ViewChange` when a replica gives up on a leader, and the
//! facts of [`own`]. So one scenario judges and compares several: see `scenarios/consensus/compare-protocols.toml`.

mod client;
mod command;
mod group;
mod judge;
mod params;
mod signed;
mod store;

pub use client::{Ask, Believe, Client, ClientOptions, Service};
pub use command::{Command, GET, OPERATIONS, PUT, Reply, SESSIONS, SessionId};
pub use group::Group;
pub use judge::{FIRST_OWN_METRIC, ReplicationOracles, Sometimes, metrics, own};
pub use params::{choice, client_kind, client_options, count, flag, operations, span};
pub use signed::{Signed, Signers};
pub use store::{Session, Snapshot, Store};

/// Names and meanings of the properties that [`ReplicationOracles`] judges, for a protocol with this name.
///
/// The last one is a liveness property: `eventually(progress, BOUND)`; the others are safety properties.
macro_rules! properties {
    ($model:literal) => {
        [
            (
                concat!($model, ".agreement"),
                "no two correct replicas decide or execute different commands at one slot",
            ),
            (concat!($model, ".validity"), "every executed command was issued by a client"),
            (concat!($model, ".integrity"), "no command is executed twice"),
            (concat!($model, ".durability"), "an acknowledged write is never lost"),
            (concat!($model, ".one_leader"), "no view or term has two leaders"),
            (concat!($model, ".log_matching"), "logs with the same entry are the same up to it"),
            (concat!($model, ".monotonic_reads"), "no client reads an older value after a newer one"),
            (
                concat!($model, ".progress"),
                "what is asked after the last change of the plan is answered within the bound",
            ),
        ]
    };
}
pub(crate) use properties;
