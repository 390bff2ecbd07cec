//! Where candidates are tried: a tree is read, run, and judged.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use murphy_reports::{Over, RunRecord, Verdict};
use murphy_sim::{Keep, Time};

use super::case::Case;
use super::fingerprint::Fingerprint;
use crate::describe::PropertyKind;
use crate::expect::{Check, Condition, Expectation};
use crate::language::{Place, Resolver, Scenario};
use crate::model::{Model, Run, Traced, Watched};

/// A property that a run violated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What was violated.
    pub fingerprint: Fingerprint,
    /// When it became certain.
    pub at: Time,
    /// Number of the event during which it did.
    pub event: u64,
    /// The violation in words.
    pub message: String,
}

/// What became of a run.
pub(crate) struct Outcome {
    /// Every violation, the earliest first.
    pub(crate) violations: Vec<Violation>,
    pub(crate) trace_hash: u64,
    pub(crate) events: u64,
}

impl Outcome {
    pub(crate) fn of(record: &RunRecord) -> Outcome {
        Outcome { violations: violations(record), trace_hash: record.trace_hash, events: record.events }
    }

    pub(crate) fn violation(&self, fingerprint: &Fingerprint) -> Option<&Violation> {
        self.violations.iter().find(|violation| violation.fingerprint == *fingerprint)
    }
}

/// A model, and how files for it are read.
pub(crate) struct Lab<'m> {
    pub(crate) model: &'m dyn Model,
    resolver: Resolver,
}

impl<'m> Lab<'m> {
    pub(crate) fn new(model: &'m dyn Model) -> Lab<'m> {
        Lab { model, resolver: Resolver::new(std::slice::from_ref(model.info())) }
    }

    /// What a case means, if it is a right scenario of this model.
    pub(crate) fn resolve(&self, case: &Case) -> Option<Scenario> {
        let scenario = self.resolver.resolve(case.tree())?;
        (!scenario.nodes.is_empty() && self.model.check(&scenario).is_empty()).then_some(scenario)
    }

    /// A run that ends at the first violation of one of these properties.
    pub(crate) fn prepare(&self, scenario: &Scenario, stop_at: &[String], watched: Watched) -> Box<dyn Run> {
        self.model.prepare_watched(&aborting(scenario, stop_at), scenario.seed, watched)
    }

    pub(crate) fn run(&self, scenario: &Scenario, stop_at: &[String], stop: &AtomicBool) -> Option<Outcome> {
        let record = self.prepare(scenario, stop_at, Watched::default()).finish(stop)?;
        Some(Outcome::of(&record))
    }

    /// The same with every event and message.
    pub(crate) fn trace(&self, scenario: &Scenario, stop_at: &[String], stop: &AtomicBool) -> Option<Traced> {
        let watched = Watched { keep: Keep::All, sendings: true, states: false };
        self.prepare(scenario, stop_at, watched).traced(stop)
    }
}

/// The safety properties of a scenario: those of its model, then its workloads' linearizability.
pub(crate) fn safety(model: &dyn Model, scenario: &Scenario) -> Vec<String> {
    let declared = model.info().properties.iter().filter(|property| property.kind == PropertyKind::Safety);
    let workloads = scenario.workloads.iter().map(|workload| format!("linearizable({})", workload.name));
    declared.map(|property| property.name.to_owned()).chain(workloads).collect()
}

fn violations(record: &RunRecord) -> Vec<Violation> {
    let nodes: Vec<String> = record.node_hashes.iter().map(|(name, _)| name.clone()).collect();
    let mut found: Vec<Violation> = Vec::new();
    for property in &record.properties {
        let Verdict::Violated { at_ns, event, message } = &property.verdict else { continue };
        found.push(Violation {
            fingerprint: Fingerprint::new(&property.name, message, &nodes),
            at: Time(*at_ns),
            event: *event,
            message: message.clone(),
        });
    }
    found.sort_by_key(|violation| violation.event);
    found
}

/// The scenario with no expectation but that these properties hold; the first violation ends the run.
fn aborting(scenario: &Scenario, properties: &[String]) -> Arc<Scenario> {
    let expectation = |property: &String| {
        let workload = property.strip_prefix("linearizable(").and_then(|rest| rest.strip_suffix(')'));
        let (check, name) = match workload {
            Some(workload) => (Check::Linearizable, workload.to_owned()),
            None => (Check::Always, property.clone()),
        };
        Expectation {
            that: property.clone(),
            place: Place { file: "".into(), line: 1, column: 1 },
            abort: true,
            over: Over::EverySeed,
            condition: Condition::Property { check, name, kind: PropertyKind::Safety, within: None },
        }
    };
    let expectations = properties.iter().map(expectation).collect();
    Arc::new(Scenario { expectations, figures: Vec::new(), ..scenario.clone() })
}
