//! Services as scenarios: queues against closed forms, and policies against what they promise.

#[path = "service/balancing.rs"]
mod balancing;
#[path = "service/caches.rs"]
mod caches;
#[path = "service/fixture.rs"]
mod fixture;
#[path = "service/fleet.rs"]
mod fleet;
#[path = "service/library.rs"]
mod library;
#[path = "service/metastable.rs"]
mod metastable;
#[path = "service/parts.rs"]
mod parts;
#[path = "service/phase.rs"]
mod phase;
#[path = "service/policies.rs"]
mod policies;
#[path = "service/queues.rs"]
mod queues;
#[path = "service/spreading.rs"]
mod spreading;
#[path = "service/stall.rs"]
mod stall;
#[path = "service/strategies.rs"]
mod strategies;
#[path = "service/workloads.rs"]
mod workloads;
