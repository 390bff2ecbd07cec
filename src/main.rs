//! The program with the models that come with it.

use std::process::ExitCode;

fn main() -> ExitCode {
    murphy::cli()
        .model::<murphy::models::pbft::Pbft>()
        .model::<murphy::models::raft::Raft>()
        .model::<murphy::models::detect::Members>()
        .model::<murphy::models::detect::Watch>()
        .model::<murphy::models::detect::Hierarchy>()
        .model::<murphy::models::detect::Upkeep>()
        .model::<murphy::models::component::Component>()
        .model::<murphy::models::faultlab::Lab>()
        .model::<murphy::models::replication::job::Job>()
        .model::<murphy::models::replication::leaders::Leaders>()
        .model::<murphy::models::replication::quorum::Quorum>()
        .model::<murphy::models::replication::standby::Standby>()
        .model::<murphy::models::service::Service>()
        .run()
}
