//! How scenarios see the model.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{KindInfo, ModelInfo, Protocol, System};
use murphy_sim::Span;

use super::{Job, Options};
use crate::replication::declare::{counter, span, times};

impl Protocol for Job {
    type Process = Job;
    type Oracles = ();

    fn info() -> ModelInfo {
        ModelInfo {
            name: "job",
            about: "long work with checkpoints on machines that fail",
            kinds: vec![KindInfo {
                name: "job.worker",
                about: "works by itself, and begins again at its last checkpoint",
                client: false,
                params: vec![
                    span("work", "all of the work", Span::secs(3600)),
                    span("interval", "work between two checkpoints; \"0s\" for none", Span::secs(60)),
                    span("cost", "time that a checkpoint takes", Span::secs(1)),
                    span("restart", "time from the end of a failure until work goes on", Span::secs(10)),
                ],
            }],
            metrics: vec![
                times("completion", "when a job was done"),
                counter("checkpoints", "intervals that were saved"),
                counter("restarts", "failures before the job was done"),
            ],
            ..ModelInfo::default()
        }
    }

    fn configure(_: &System, node: &NodeSpec) -> Options {
        let of = |name| node.params.duration(name);
        Options { work: of("work"), interval: of("interval"), cost: of("cost"), restart: of("restart") }
    }

    fn oracles(_: &System) {}
}
