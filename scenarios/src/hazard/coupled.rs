//! Generators whose components depend on one another: shared crews and standbys.
//!
//! What a fleet does depends on its own faults only, never on the protocol that runs on it, so its
//! outages are drawn before the run like every generator's, and stored in the plan.

use std::sync::Arc;

use murphy_reports::Persistence;
use murphy_sim::{Keyed, Span, Time};

use super::plan::Plan;
use super::spec::{Generator, HazardSpec, Renewal};
use super::{Component, MAX_FAULTS};
use crate::build::law;
use crate::fleet::{CommonCause, Fleet, Line, Outage, Standby, State, What, Witness};
use crate::language::{FaultEffect, FaultSpec, LawSpec, Made, Scenario};
use crate::structure::structure;

/// A fleet, and where its components and standbys come from.
pub(crate) struct Members {
    pub(crate) fleet: Fleet,
    lines: Vec<Source>,
    switches: Vec<Source>,
}

/// The generator of a component, and the fault that the component's outage is.
pub(super) struct Source {
    hazard: usize,
    name: String,
    made: Option<Made>,
}

/// The components of the generators that `include` chooses, over the scenario's structures.
pub(crate) fn members(scenario: &Scenario, include: impl Fn(&Renewal) -> bool) -> Members {
    let mut fleet = Fleet::new(structure(scenario));
    for spec in &scenario.crews {
        fleet.crew(spec.crew.clone());
    }
    let mut members = Members { fleet, lines: Vec::new(), switches: Vec::new() };
    for (index, hazard) in scenario.hazards.iter().enumerate() {
        match &hazard.generator {
            Generator::Renewal(renewal) if include(renewal) && renewal.is_coupled() => {
                members.coupled(scenario, index, hazard, renewal);
            }
            Generator::Renewal(renewal) if include(renewal) => {
                members.separate(scenario, index, hazard, renewal);
            }
            _ => {}
        }
    }
    members
}

impl Members {
    fn coupled(&mut self, scenario: &Scenario, index: usize, hazard: &HazardSpec, renewal: &Renewal) {
        let kind = self.fleet.kind(&hazard.name);
        let beta = renewal.common.as_ref().map_or(0.0, |common| common.beta);
        let first = self.lines.len();
        for component in renewal.components.list.iter() {
            self.line(scenario, index, renewal, component, kind, 1.0 / (1.0 - beta));
        }
        for group in renewal.common.iter().filter(|_| beta > 0.0).flat_map(|common| &common.groups) {
            self.fleet.common(CommonCause {
                name: format!("common.{}", group.name),
                kind,
                up: law(&renewal.up),
                stretch: 1.0 / beta,
                members: group.members.iter().map(|member| first + member).collect(),
            });
        }
        let Some(aside) = &renewal.standby else { return };
        let made = aside.down.as_ref().and_then(|(fault, words)| fault.aimed(words, scenario));
        let spans = |spec: &Option<LawSpec>| spec.as_ref().map(law);
        self.fleet.standby(Standby {
            name: hazard.name.clone(),
            members: (first..self.lines.len()).collect(),
            needed: aside.active,
            dormancy: aside.dormancy,
            coverage: aside.coverage,
            failover: spans(&aside.failover),
            manual: spans(&aside.manual),
            leaves: leaves(made.as_ref()),
        });
        self.switches.push(Source { hazard: index, name: "switch".to_owned(), made });
    }

    /// Components on their own; what they have in common fails and is repaired as one more of them.
    fn separate(&mut self, scenario: &Scenario, index: usize, hazard: &HazardSpec, renewal: &Renewal) {
        let kind = self.fleet.kind(&hazard.name);
        let beta = renewal.common.as_ref().map_or(0.0, |common| common.beta);
        let list = &renewal.components.list;
        for component in list.iter().filter(|_| beta < 1.0) {
            self.line(scenario, index, renewal, component, kind, 1.0 / (1.0 - beta));
        }
        let groups = renewal.common.iter().filter(|_| beta > 0.0).flat_map(|common| &common.groups);
        let together =
            if beta > 0.0 { self.fleet.kind(&format!("{} (common cause)", hazard.name)) } else { kind };
        for group in groups {
            let words = group.members.iter().flat_map(|&member| list[member].words.iter().cloned()).collect();
            let all = Component { name: format!("common.{}", group.name), words };
            self.line(scenario, index, renewal, &all, together, 1.0 / beta);
        }
    }

    fn line(
        &mut self,
        scenario: &Scenario,
        hazard: usize,
        renewal: &Renewal,
        component: &Component,
        kind: usize,
        stretch: f64,
    ) {
        let made = renewal.fault.aimed(&component.words, scenario);
        self.fleet.line(Line {
            name: component.name.clone(),
            kind,
            up: law(&renewal.up),
            stretch,
            down: renewal.down.as_ref().map(law),
            crew: renewal.crew,
            leaves: leaves(made.as_ref()),
        });
        self.lines.push(Source { hazard, name: component.name.clone(), made });
    }

    /// The fault that an outage is, with a number among those of its component.
    pub(crate) fn fault(&self, scenario: &Scenario, outage: &Outage, ordinal: u64) -> Option<FaultSpec> {
        let source = match outage.what {
            What::Line(line) => &self.lines[line],
            What::Switch(standby) => &self.switches[standby],
        };
        let made = source.made.as_ref()?;
        let hazard = &scenario.hazards[source.hazard];
        let cause = match outage.common {
            Some(_) if hazard.cause.is_empty() => "common cause",
            _ => &hazard.cause,
        };
        Some(FaultSpec {
            name: format!("{}.{}.{ordinal}", hazard.name, source.name),
            kind: made.kind,
            target: made.target.clone(),
            start: Time(outage.from),
            duration: Some(Span(outage.to - outage.from)),
            persistence: Persistence::Transient,
            burst: None,
            cause: cause.to_owned(),
            origin: hazard.name.clone(),
            effect: made.effect.clone(),
            place: hazard.place.clone(),
            body: Arc::clone(&made.body),
        })
    }
}

/// Leaves that a fault takes down: the nodes that it crashes.
fn leaves(made: Option<&Made>) -> Vec<u32> {
    match made.map(|made| &made.effect) {
        Some(FaultEffect::Crash { nodes, .. } | FaultEffect::SiteDown { nodes, .. }) => {
            nodes.iter().map(|&node| u32::try_from(node).expect("few nodes")).collect()
        }
        _ => Vec::new(),
    }
}

/// Outages in the order of their starts.
#[derive(Default)]
struct Log {
    outages: Vec<Outage>,
    /// By component and by standby: its outage that goes on.
    open: Vec<Option<usize>>,
    lines: usize,
}

impl Log {
    fn place(&self, what: What) -> usize {
        match what {
            What::Line(line) => line,
            What::Switch(standby) => self.lines + standby,
        }
    }
}

impl Witness for Log {
    fn began(&mut self, what: What, at: u64) {
        let place = self.place(what);
        self.open[place] = Some(self.outages.len());
        self.outages.push(Outage { what, from: at, to: u64::MAX, common: None });
    }

    fn ended(&mut self, outage: Outage) {
        let place = self.place(outage.what);
        if let Some(index) = self.open[place].take() {
            self.outages[index] = outage;
        }
    }
}

/// Adds the outages of all coupled generators of a scenario to its plan.
pub(super) fn expand(scenario: &Scenario, keyed: &Keyed, plan: &mut Plan) {
    let coupled = |hazard: &HazardSpec| matches!(&hazard.generator, Generator::Renewal(renewal) if renewal.is_coupled());
    if !scenario.hazards.iter().any(coupled) {
        return;
    }
    let members = members(scenario, Renewal::is_coupled);
    let mut log = Log {
        outages: Vec::new(),
        open: vec![None; members.lines.len() + members.switches.len()],
        lines: members.lines.len(),
    };
    let room = MAX_FAULTS.saturating_sub(plan.faults.len());
    let mut state = State::new(&members.fleet, keyed, 0);
    while state.next_at().is_some_and(|at| at < scenario.duration.0) && log.outages.len() < room {
        state.step(&mut log);
    }
    plan.full |= log.outages.len() >= room;
    // Outages that outlast the run: their ends are known once their repairs are drawn.
    let count = log.outages.len();
    let still_open = |log: &Log| log.open.iter().flatten().any(|&index| index < count);
    while still_open(&log) && state.step(&mut log) {}
    let mut ordinals = vec![0; log.open.len()];
    for outage in &log.outages[..count] {
        let place = log.place(outage.what);
        plan.faults.extend(members.fault(scenario, outage, ordinals[place]));
        ordinals[place] += 1;
    }
}
