//! PBFT against its paper: message counts, latencies, faults, durable state, planted bugs.

#[path = "pbft/bugs.rs"]
mod bugs;
#[path = "pbft/disk.rs"]
mod disk;
#[path = "pbft/durable.rs"]
mod durable;
#[path = "pbft/faults.rs"]
mod faults;
#[path = "pbft/formulas.rs"]
mod formulas;
#[path = "pbft/group.rs"]
mod group;
