//! What Murphy simulates out of the box.

pub mod calc;
pub mod component;
pub mod consensus;
pub mod detect;
pub mod faultlab;
pub mod oracle;
pub mod pbft;
pub mod raft;
pub mod replication;
pub mod service;
