//! Hunting planted bugs: found, made small, replayed, and never turned into one another.

#[path = "hunt/corpus.rs"]
mod corpus;
#[path = "hunt/errors.rs"]
mod errors;
#[path = "hunt/explaining.rs"]
mod explaining;
#[path = "hunt/fixture.rs"]
mod fixture;
#[path = "hunt/known.rs"]
mod known;
#[path = "hunt/shrinking.rs"]
mod shrinking;
