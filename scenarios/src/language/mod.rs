//! The scenario language: from a TOML file to what it means, with every mistake shown at once.

mod scenario;

pub use scenario::{
    ArrivalSpec, ClockSpec, CpuSpec, DiskSpec, FaultEffect, FaultSpec, GroupSpec, LawSpec, Limits, LinkSpec,
    NetworkSpec, NodeSpec, OpSpec, Place, ReorderSpec, Scenario, Scope, SiteSpec, Traffic, WorkloadSpec,
};
