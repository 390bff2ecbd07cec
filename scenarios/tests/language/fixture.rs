//! A model to check files against, and short ways to read a file.

use std::io;
use std::path::Path;

use murphy_reports::MetricKind;
use murphy_scenarios::language::{Diagnostics, Document, Scenario, Set, parse};
use murphy_scenarios::{
    Dimension, Effect, KindInfo, MetricInfo, ModelInfo, OperationInfo, Param, ParamKind, ParamValue,
    PropertyInfo, PropertyKind,
};
use murphy_sim::Span;

/// The example of a partition.
pub(crate) const PARTITION: &str = include_str!("pbft-partition.toml");
/// The example of a retry storm.
pub(crate) const STORM: &str = include_str!("retry-storm.toml");

/// A small file that is right.
pub(crate) const SMALL: &str = r#"
name = "small"
duration = "60s"

[[node]]
name = "r"
count = 4
model = "pbft.replica"
params = { f = 1 }

[[node]]
name = "client"
count = 2
model = "pbft.client"

[[workload]]
name = "kv"
from = "client*"
arrivals = { dist = "poisson", rate = "200/s" }
deadline = "2s"
"#;

fn param(name: &'static str, kind: ParamKind, default: Option<ParamValue>) -> Param {
    Param { name, about: "a parameter", kind, default }
}

/// Kinds, operations, metrics and properties like those of PBFT.
pub(crate) fn models() -> Vec<ModelInfo> {
    let count = |min, max| ParamKind::Count { min, max };
    let replica = vec![
        param("f", count(0, 1000), None),
        param("view_timeout", ParamKind::Duration, Some(ParamValue::Duration(Span::millis(500)))),
        param("checkpoint_every", count(1, 1_000_000), Some(ParamValue::Count(128))),
        param("batch", ParamKind::Bytes, Some(ParamValue::Count(4096))),
        param("fast", ParamKind::Flag, Some(ParamValue::Flag(false))),
        param("order", ParamKind::Choice(&["fifo", "random"]), Some(ParamValue::Choice("fifo"))),
        param("skew", ParamKind::Number { min: 0.0, max: 2.0 }, Some(ParamValue::Number(0.1))),
        param("lossy", ParamKind::Probability, Some(ParamValue::Number(0.0))),
    ];
    let client = vec![param("retry_after", ParamKind::Duration, Some(ParamValue::Duration(Span::secs(1))))];
    let property = |name, kind| PropertyInfo { name, about: "a property", kind };
    vec![ModelInfo {
        name: "pbft",
        about: "a model",
        kinds: vec![
            KindInfo { name: "pbft.replica", about: "a replica", client: false, params: replica },
            KindInfo { name: "pbft.client", about: "a client", client: true, params: client },
        ],
        messages: vec!["request", "pre-prepare", "prepare", "commit", "reply"],
        operations: vec![
            OperationInfo { name: "put", effect: Effect::Write },
            OperationInfo { name: "get", effect: Effect::Read },
        ],
        metrics: vec![
            MetricInfo {
                name: "view_changes",
                about: "view changes",
                dimension: Dimension::One,
                kind: MetricKind::Counter,
            },
            MetricInfo {
                name: "commit_time",
                about: "time from proposal to commit",
                dimension: Dimension::Time,
                kind: MetricKind::Distribution,
            },
            MetricInfo {
                name: "log_size",
                about: "bytes of the log",
                dimension: Dimension::Bytes,
                kind: MetricKind::Gauge,
            },
        ],
        properties: vec![
            property("pbft.agreement", PropertyKind::Safety),
            property("pbft.progress", PropertyKind::Liveness),
            property("pbft.view_change", PropertyKind::Sometimes),
        ],
    }]
}

/// A model of services.
fn service_model() -> ModelInfo {
    let kind = |name, client| KindInfo { name, about: "a kind", client, params: Vec::new() };
    ModelInfo {
        name: "service",
        about: "a model",
        kinds: vec![kind("service.replica", false), kind("service.users", true)],
        operations: vec![OperationInfo { name: "call", effect: Effect::Other }],
        ..ModelInfo::default()
    }
}

fn no_files(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("rtt.csv") => Ok("from,to,rtt_ms\nparis,tokyo,240\ntokyo,paris,250\nparis,ohio,90\n".to_owned()),
        Some("bad.csv") => Ok("from,to,rtt_ms\nparis,tokyo,fast\nparis,ohio\n".to_owned()),
        Some("columns.csv") => Ok("a,b,ms\nparis,tokyo,1\n".to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    }
}

/// Reads a file with overrides.
pub(crate) fn document(text: &str, sets: &[&str]) -> Result<Document, Diagnostics> {
    let sets: Vec<Set> = sets.iter().map(|set| set.parse().expect("PATH=VALUE")).collect();
    let models: Vec<ModelInfo> = models().into_iter().chain([service_model()]).collect();
    parse(text, "test.toml", &no_files, &models, &sets)
}

/// The first point of a file that is right.
pub(crate) fn scenario(text: &str, sets: &[&str]) -> Scenario {
    let document = document(text, sets).unwrap_or_else(|wrong| panic!("{wrong}"));
    document.points()[0].resolve().unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The diagnostics of a file that is wrong.
pub(crate) fn mistakes(text: &str, sets: &[&str]) -> Diagnostics {
    match document(text, sets) {
        Ok(document) => panic!("the file is right:\n{}", document.render()),
        Err(wrong) => wrong,
    }
}
