//! Services as scenarios: queues against closed forms, and policies against what they promise.

#[path = "service/fixture.rs"]
mod fixture;
#[path = "service/metastable.rs"]
mod metastable;
#[path = "service/phase.rs"]
mod phase;
#[path = "service/policies.rs"]
mod policies;
#[path = "service/queues.rs"]
mod queues;
#[path = "service/stall.rs"]
mod stall;
#[path = "service/workloads.rs"]
mod workloads;
