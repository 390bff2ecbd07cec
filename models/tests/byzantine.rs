//! PBFT under Byzantine faults: safe and live at f, broken and caught beyond f, planted bugs found.

#[path = "byzantine/attacks.rs"]
mod attacks;
#[path = "byzantine/beyond.rs"]
mod beyond;
#[path = "byzantine/bugs.rs"]
mod bugs;
#[path = "byzantine/figures.rs"]
mod figures;
#[allow(dead_code, reason = "shared with the tests of correct replicas, which need more of it")]
#[path = "pbft/group.rs"]
mod group;
#[path = "byzantine/scenarios.rs"]
mod scenarios;
#[path = "byzantine/strategy.rs"]
mod strategy;
