//! Generators of faults: what they expand to, and that it is what the words say.

mod errors;
mod events;
mod fixture;
mod plan;
mod renewal;
mod trace;
