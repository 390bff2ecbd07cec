//! Raft against its papers: message counts and hops, soundness under faults, planted bugs.

#[path = "raft/bugs.rs"]
mod bugs;
#[path = "raft/formulas.rs"]
mod formulas;
#[path = "raft/hunt.rs"]
mod hunt;
