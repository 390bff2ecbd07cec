//! Runs of small systems of services.

use std::sync::atomic::AtomicBool;

use murphy_models::service::Service;
use murphy_reports::{Outcome, RunRecord};
use murphy_scenarios::{Model, Study, model};
use murphy_sim::Keep;

/// Everything that is not the services takes no time.
const HEAD: &str = r#"
[cpu]
receive = "0s"
send = "0s"
per_kilobyte = "0s"
event = "0s"
"#;

/// One run of a scenario; `duration` and everything after it is `text`.
pub(crate) fn run(text: &str, seed: u64) -> RunRecord {
    run_in("\"0s\"", text, seed)
}

/// The same, over a network with this latency.
pub(crate) fn run_in(latency: &str, text: &str, seed: u64) -> RunRecord {
    let text = text.trim_start();
    let (top, tables) = text.split_once('\n').expect("a duration and tables");
    let text = format!("{top}\nname = \"test\"\n[network]\nlatency = {latency}\n{HEAD}{tables}");
    let models: Vec<Box<dyn Model>> = vec![model::<Service>()];
    let study = Study::open(&text, "test.toml", &|_| Err(std::io::ErrorKind::NotFound.into()), &models, &[])
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    let record = models[0].prepare(&study.points()[0], seed, Keep::Nothing).finish(&AtomicBool::new(false));
    record.expect("nobody stops the run")
}

/// Latencies in seconds of the requests with a reply that arrived from `from_s` on.
pub(crate) fn latencies(run: &RunRecord, from_s: f64) -> Vec<f64> {
    let arrived = run.requests.iter().filter(|request| request.arrived_ns as f64 >= from_s * 1e9);
    let replied = arrived.filter(|request| request.outcome == Outcome::Ok);
    replied.filter_map(|request| Some((request.done_ns? - request.arrived_ns) as f64 / 1e9)).collect()
}

/// Share of the requests that ended so.
pub(crate) fn share(run: &RunRecord, outcome: Outcome) -> f64 {
    run.requests.iter().filter(|request| request.outcome == outcome).count() as f64
        / run.requests.len() as f64
}

/// Total of a counter, at nodes whose name starts so.
pub(crate) fn total(run: &RunRecord, counter: &str, node: &str) -> u64 {
    let record = run.metrics.iter().find(|record| record.name == counter).expect("a metric of the model");
    let of = |id: u32| run.node_hashes[id as usize].0.starts_with(node);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let total =
        record.samples.iter().filter(|sample| of(sample.1)).map(|sample| sample.2).sum::<f64>() as u64;
    total
}
