//! The product from outside: what a user types, reads and finds in the folder of results.

mod bad;
mod cluster;
mod compare;
mod determinism;
mod discover;
mod example;
mod goldens;
mod hunt;
mod signals;
mod study;
mod suite;
mod support;
