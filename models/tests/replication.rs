//! Replication and recovery: closed forms, planted bugs, and every scenario with its opposite.

#[path = "replication/fixture.rs"]
mod fixture;
#[path = "replication/job.rs"]
mod job;
#[path = "replication/leaders.rs"]
mod leaders;
#[path = "replication/quorum.rs"]
mod quorum;
#[path = "replication/standby.rs"]
mod standby;
