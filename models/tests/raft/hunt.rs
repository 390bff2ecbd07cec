//! Where each planted bug of Raft is hunted, and how many seeds that takes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use murphy_models::raft::Raft;
use murphy_scenarios::language::{Scenario, Set};
use murphy_scenarios::{Model, Study, Verdict, model};
use murphy_sim::Keep;

/// A planted bug, the scenario that finds it, and the property that it violates there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hunt {
    pub(crate) bug: &'static str,
    pub(crate) scenario: &'static str,
    pub(crate) property: &'static str,
    /// Seeds among which a test finds it; zero for one that takes too many for a test.
    pub(crate) sample: u64,
}

const fn hunt(bug: &'static str, scenario: &'static str, property: &'static str, sample: u64) -> Hunt {
    Hunt { bug, scenario, property, sample }
}

/// All planted bugs.
pub(crate) const HUNTS: [Hunt; 15] = [
    hunt("self-counted-twice", "raft-storm", "raft.one_leader", 40),
    hunt("vote-without-log-check", "raft-storm", "raft.agreement", 60),
    hunt("term-not-persisted", "raft-basic", "raft.one_leader", 60),
    hunt("ack-before-sync", "raft-storm", "raft.agreement", 500),
    hunt("keep-log-on-conflict", "raft-storm", "raft.log_matching", 60),
    hunt("half-quorum", "raft-members", "raft.agreement", 60),
    hunt("truncate-on-append", "raft-storm", "raft.agreement", 100),
    hunt("vote-last-term-only", "raft-storm", "raft.agreement", 60),
    hunt("vote-not-persisted", "raft-basic", "raft.one_leader", 0),
    hunt("commit-previous-term", "raft-basic", "raft.agreement", 0),
    hunt("local-read", "raft-storm", "linearizable(kv)", 40),
    hunt("members-before-commit", "raft-members", "raft.one_leader", 0),
    hunt("commit-beyond-new", "raft-basic", "raft.agreement", 60),
    hunt("lease-ignores-drift", "raft-lease", "linearizable(kv)", 200),
    hunt("no-check-quorum", "raft-hub", "raft.progress", 20),
];

/// A scenario at one point of its sweep, with a bug or without.
pub(crate) struct Ground {
    model: Box<dyn Model>,
    scenario: Arc<Scenario>,
}

impl Ground {
    /// The first point of the scenario of this name, with a bug.
    pub(crate) fn new(name: &str, bug: &str) -> Ground {
        Ground::points(name, bug).swap_remove(0)
    }

    /// All points of the scenario of this name, with a bug or `none`.
    pub(crate) fn points(name: &str, bug: &str) -> Vec<Ground> {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../scenarios/consensus")
            .join(format!("{name}.toml"));
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let set: Set = format!("node.r.params.bug={bug}").parse().expect("a path and a value");
        let models = [model::<Raft>()];
        let study = Study::open(&text, name, &|_| unreachable!("no other files"), &models, &[set]);
        let study = study.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
        let ground =
            |scenario: &Arc<Scenario>| Ground { model: model::<Raft>(), scenario: Arc::clone(scenario) };
        study.points().iter().map(ground).collect()
    }

    /// The properties that a seed violates.
    pub(crate) fn violated(&self, seed: u64) -> Vec<String> {
        let run = self.model.prepare(&self.scenario, seed, Keep::Nothing);
        let record = run.finish(&AtomicBool::new(false)).expect("nobody stops it");
        let bad = |verdict: &Verdict| matches!(verdict, Verdict::Violated { .. });
        record.properties.into_iter().filter(|it| bad(&it.verdict)).map(|it| it.name).collect()
    }

    /// How many seeds from `first` on it takes to violate a property; `None` when `most` do not.
    pub(crate) fn seeds_needed(&self, property: &str, first: u64, most: u64) -> Option<u64> {
        (0..most)
            .find(|seed| self.violated(first + seed).iter().any(|name| name == property))
            .map(|seed| seed + 1)
    }
}
