//! The estimate that a scenario asks for.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use murphy_reports::{Service, measured};
use murphy_sim::{Keep, Span, Time, fold};

use super::{
    Episode, Estimate, EstimateError, Figure, Meter, Method, Options, Split, SplitOptions, Structural,
    estimate, split,
};
use crate::hazard::{Generator, Members, members};
use crate::language::{EstimateMethod, EstimateSpec, FaultSpec, Scenario};
use crate::model::Model;
use crate::runner::{Job, Study};

/// What a scenario's estimate found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The structure that had to fail.
    pub target: String,
    /// What was asked for.
    pub spec: EstimateSpec,
    /// What came out.
    pub found: Found,
}

impl Answer {
    /// Share of time that the target is down.
    pub fn unavailability(&self) -> Figure {
        match &self.found {
            Found::Episodes(found) => found.unavailability,
            Found::Split(found) => found.unavailability,
        }
    }
}

/// By which way.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// From episodes.
    Episodes(Estimate),
    /// By splitting.
    Split(Split),
}

/// Repetitions of a split.
const REPETITIONS: usize = 30;

impl Study<'_> {
    /// The estimate of one point with one seed; `None` when `stop` became true before.
    ///
    /// # Errors
    /// When the scenario asks for none, or for one that episodes cannot give.
    pub fn estimate(&self, job: Job, stop: &AtomicBool) -> Result<Option<Answer>, EstimateError> {
        let scenario = &self.points()[job.point];
        let spec = scenario.estimate.as_ref().ok_or(EstimateError::Missing)?;
        only_components(scenario)?;
        let members = members(scenario, |_| true);
        let target = u32::try_from(spec.target).unwrap_or(u32::MAX);
        let method = match spec.method {
            EstimateMethod::Crude => Method::Crude,
            EstimateMethod::Boost(factor) => Method::Boost(factor),
            EstimateMethod::Split(effort) => {
                let options =
                    SplitOptions { effort, repetitions: REPETITIONS, seed: job.seed, resample: true };
                let found = split(&members.fleet, target, &options)?;
                return Ok(Some(answer(scenario, spec, Found::Split(found))));
            }
        };
        let options = Options { method, precision: spec.precision, seed: job.seed };
        let found = if spec.by_probes {
            if scenario.workloads.iter().all(|workload| workload.probe.is_none()) {
                return Err(EstimateError::NoProbe);
            }
            let probes =
                Probed { model: self.model(job.point), scenario, members: &members, seed: job.seed, stop };
            estimate(&members.fleet, target, &options, &probes)?
        } else {
            estimate(&members.fleet, target, &options, &Structural)?
        };
        Ok(found.map(|found| answer(scenario, spec, Found::Episodes(found))))
    }
}

fn answer(scenario: &Scenario, spec: &EstimateSpec, found: Found) -> Answer {
    Answer { target: scenario.structures[spec.target].name.clone(), spec: spec.clone(), found }
}

fn only_components(scenario: &Scenario) -> Result<(), EstimateError> {
    let other = |name: &str| Err(EstimateError::Other { name: name.to_owned() });
    if let Some(fault) = scenario.faults.first() {
        return other(&fault.name);
    }
    for hazard in &scenario.hazards {
        match &hazard.generator {
            Generator::Renewal(renewal) if renewal.burst.is_none() => {}
            _ => return other(&hazard.name),
        }
    }
    Ok(())
}

/// Runs the model through every episode: its probes say what was down.
struct Probed<'a> {
    model: &'a dyn Model,
    scenario: &'a Arc<Scenario>,
    members: &'a Members,
    seed: u64,
    stop: &'a AtomicBool,
}

impl Meter for Probed<'_> {
    const RECORDS: bool = true;

    fn measure(&self, episode: &Episode) -> Option<(u64, u64)> {
        let warmup = self.scenario.warmup;
        let settle = self.scenario.estimate.as_ref().map_or(Span::ZERO, |spec| spec.settle);
        let shifted = |(ordinal, outage)| {
            let fault = self.members.fault(self.scenario, outage, ordinal)?;
            let start = Time(fault.start.0.saturating_add(warmup.0));
            Some(FaultSpec { name: format!("{}.{ordinal}", fault.name), start, ..fault })
        };
        let faults = (0_u64..).zip(&episode.outages).filter_map(shifted).collect();
        let duration = warmup.saturating_add(Span(episode.length)).saturating_add(settle);
        let scenario = Scenario {
            faults,
            hazards: Vec::new(),
            expectations: Vec::new(),
            duration,
            ..Scenario::clone(self.scenario)
        };
        let seed = fold(self.seed, episode.world);
        let run = self.model.prepare(&Arc::new(scenario), seed, Keep::Nothing).finish(self.stop)?;
        let service = Service::of(&run);
        let down = service.down_ns(&measured(&run)).unwrap_or(0);
        let outages = service.outages().map_or(0, |down| down.as_slice().len());
        Some((down, outages as u64))
    }
}
