//! Repro files: one concrete run, what it violates, and whether it still does.

use std::sync::atomic::AtomicBool;

use super::case::Case;
use super::diff::Subject;
use super::fingerprint::Fingerprint;
use super::lab::{Lab, Outcome, Violation};
use super::shrink::Size;
use crate::language::{Diagnostics, ReproSpec, Scenario, Value, duration_text};
use crate::model::Model;
use crate::runner::Study;

/// A repro file that was read, checked and matched with its model.
pub struct Repro<'m> {
    pub(super) lab: Lab<'m>,
    pub(super) case: Case,
    scenario: Scenario,
}

/// What became of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The run violates what the file says.
    Reproduced {
        /// The violation as it was seen now.
        violation: Violation,
        /// Hash of the trace.
        trace_hash: u64,
    },
    /// It does not, on this build.
    NotReproduced {
        /// What the run violates instead.
        instead: Option<Violation>,
        /// Hash of the trace.
        trace_hash: u64,
    },
    /// Two runs of this build differ, or this build made the file and does something else now.
    Drift {
        /// What differs, and where first.
        what: String,
    },
}

impl<'m> Repro<'m> {
    /// Reads a repro file.
    ///
    /// # Errors
    /// All mistakes of the file, and a file without `[repro]`.
    pub fn open(text: &str, file: &str, models: &'m [Box<dyn Model>]) -> Result<Repro<'m>, Diagnostics> {
        let unread = |_: &std::path::Path| Err(std::io::Error::other("a repro file names no other files"));
        let study = Study::open(text, file, &unread, models, &[])?;
        let scenario = Scenario::clone(&study.points()[0]);
        let place = |scenario: &Scenario| scenario.groups[0].place.clone();
        if scenario.repro.is_none() {
            let help = "a hunt writes repro files: failures/PROPERTY-FINGERPRINT.repro.toml";
            let message = "the file has no [repro]: it is a scenario, not one concrete run";
            return Err(study.document.diagnose(&place(&scenario), message, Some(help)));
        }
        if study.points().len() > 1 || scenario.generates() {
            let message = "a repro file has one point, and faults instead of generators";
            return Err(study.document.diagnose(&place(&scenario), message, None));
        }
        Ok(Repro { lab: Lab::new(study.models()[0]), case: Case::of(&scenario), scenario })
    }

    /// The repro of a case that was seen to violate something; `None` when a second run says otherwise.
    pub(super) fn make(
        lab: Lab<'m>,
        mut case: Case,
        violation: &Violation,
        engine: &str,
    ) -> Option<Repro<'m>> {
        let Violation { fingerprint, at, event, message } = violation;
        let texts = [
            ("expect", "violates"),
            ("property", fingerprint.property.as_str()),
            ("subject", fingerprint.subject.as_str()),
            ("message", message.as_str()),
            ("at", &duration_text(at.0)),
            ("engine", engine),
            ("trace_hash", "0000000000000000"),
        ];
        for (key, text) in texts {
            case.set(&["repro", key], Value::text(text));
        }
        case.set(&["repro", "event"], Value::count(*event));
        let scenario = lab.resolve(&case)?;
        let outcome =
            lab.run(&scenario, std::slice::from_ref(&fingerprint.property), &AtomicBool::new(false))?;
        outcome.violation(fingerprint).filter(|again| *again == violation)?;
        case.set(&["repro", "trace_hash"], Value::text(format!("{:016x}", outcome.trace_hash)));
        let scenario = lab.resolve(&case)?;
        // The one layout: reading the file and writing it again changes nothing.
        Some(Repro { lab, case: Case::of(&scenario), scenario })
    }

    /// The file's text.
    pub fn render(&self) -> String {
        self.case.render()
    }

    /// What the file says about its run.
    ///
    /// # Panics
    /// Never: a repro has it.
    pub fn spec(&self) -> &ReproSpec {
        self.scenario.repro.as_deref().expect("a repro has [repro]")
    }

    /// The run as a scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What the run violates.
    pub fn fingerprint(&self) -> Fingerprint {
        let ReproSpec { property, subject, .. } = self.spec().clone();
        Fingerprint { property, subject }
    }

    /// The run, to be compared with another or told.
    pub fn subject(&self) -> Subject<'m> {
        Subject { model: self.lab.model, scenario: self.scenario.clone() }
    }

    /// How large the run is.
    pub fn size(&self) -> Size {
        Size::of(&self.scenario)
    }

    pub(super) fn stop_at(&self) -> Vec<String> {
        vec![self.spec().property.clone()]
    }

    fn outcome(&self, stop: &AtomicBool) -> Option<Outcome> {
        self.lab.run(&self.scenario, &self.stop_at(), stop)
    }
}

/// Runs a repro file again: once, or twice to see whether two runs of this build agree. `engine` is the id
/// of this build; a file that it made must give the same trace.
///
/// `None` when `stop` became true.
pub fn verify_repro(repro: &Repro<'_>, engine: &str, twice: bool, stop: &AtomicBool) -> Option<Replay> {
    let outcome = repro.outcome(stop)?;
    if twice {
        let again = repro.outcome(stop)?;
        if again.trace_hash != outcome.trace_hash || again.events != outcome.events {
            return Some(Replay::Drift { what: first_difference(repro, stop)? });
        }
    }
    let spec = repro.spec();
    if spec.engine == engine && spec.trace_hash != outcome.trace_hash {
        let what = format!(
            "this build ({engine}) made the file with trace {:016x}, and gives {:016x} now",
            spec.trace_hash, outcome.trace_hash
        );
        return Some(Replay::Drift { what });
    }
    let trace_hash = outcome.trace_hash;
    Some(match outcome.violation(&repro.fingerprint()) {
        Some(violation) => Replay::Reproduced { violation: violation.clone(), trace_hash },
        None => Replay::NotReproduced { instead: outcome.violations.into_iter().next(), trace_hash },
    })
}

/// Where two runs of one build part.
fn first_difference(repro: &Repro<'_>, stop: &AtomicBool) -> Option<String> {
    let first = repro.lab.trace(&repro.scenario, &repro.stop_at(), stop)?;
    let second = repro.lab.trace(&repro.scenario, &repro.stop_at(), stop)?;
    let differs = first.events.iter().zip(&second.events).find(|(a, b)| a != b);
    Some(match differs {
        Some((a, b)) => {
            format!("two runs of this build part at event {}: {a:?} in one, {b:?} in the other", a.number)
        }
        None => "two runs of this build differ, but their recorded events do not".to_owned(),
    })
}
