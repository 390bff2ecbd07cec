//! Failure detectors against closed forms, published values and each other.

#[path = "detect/bench.rs"]
mod bench;
#[path = "detect/excuses.rs"]
mod excuses;
#[path = "detect/hierarchy.rs"]
mod hierarchy;
#[path = "detect/members.rs"]
mod members;
#[path = "detect/phi.rs"]
mod phi;
#[path = "detect/upkeep.rs"]
mod upkeep;
#[path = "detect/watch.rs"]
mod watch;
