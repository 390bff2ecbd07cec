//! The plan of a run: explicit faults, and what the generators make of the seed.

use std::fmt::Write as _;
use std::sync::Arc;

use murphy_reports::Persistence;
use murphy_sim::{Domain, Keyed, Span, Time, name_hash};

use super::draw::Draws;
use super::spec::{Burst, Generator, HazardSpec};
use super::{MAX_FAULTS, coupled, events, renewal, trace};
use crate::language::{FaultSpec, Made, Place, Scenario, Template, duration_text, quoted};

/// Most draws of one generator.
const MAX_DRAWS: u64 = 5 * MAX_FAULTS as u64;

/// The faults of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Explicit faults in file order, then those of each generator in file order.
    pub faults: Vec<FaultSpec>,
    /// What a reader of the plan should know: records merged, strikes left out, families off.
    pub notes: Vec<String>,
    /// Whether generators stopped because the plan was full ([`MAX_FAULTS`](super::MAX_FAULTS)).
    pub full: bool,
}

/// The plan of a scenario with a seed.
pub fn expand(scenario: &Scenario, seed: u64) -> Plan {
    let keyed = Keyed::new(seed);
    let mut plan = Plan { faults: Vec::new(), notes: Vec::new(), full: false };
    for fault in &scenario.faults {
        explicit(fault, scenario, &keyed, &mut plan);
    }
    for hazard in &scenario.hazards {
        let end = Time::ZERO.saturating_add(scenario.duration);
        let mut writer = Writer {
            scenario,
            hazard,
            name: &hazard.name,
            keyed: &keyed,
            plan: &mut plan,
            from: Time::ZERO.saturating_add(hazard.from),
            until: hazard.until.map_or(end, |until| Time::ZERO.saturating_add(until).min(end)),
        };
        match &hazard.generator {
            // Together, below: they share crews.
            Generator::Renewal(spec) if spec.is_coupled() => {}
            Generator::Renewal(spec) => renewal::expand(spec, &mut writer),
            Generator::Nemesis(spec) => events::nemesis(spec, &mut writer),
            Generator::Swarm(spec) => events::swarm(spec, &mut writer),
            Generator::Injector(spec) => events::injector(spec, &mut writer),
            Generator::Trace(spec) => trace::expand(spec, &mut writer),
        }
    }
    coupled::expand(scenario, &keyed, &mut plan);
    if plan.full {
        plan.notes.push(format!("the plan is full: generators stop at {MAX_FAULTS} faults"));
    }
    plan
}

/// The scenario with its generators expanded; without any, the scenario itself.
pub(crate) fn expanded(scenario: &Arc<Scenario>, seed: u64) -> Arc<Scenario> {
    if !scenario.generates() {
        return Arc::clone(scenario);
    }
    let plan = expand(scenario, seed);
    Arc::new(Scenario { faults: plan.faults, hazards: Vec::new(), ..Scenario::clone(scenario) })
}

/// Where the generator stands that makes the plan of the scenario's own seed too long, if one does.
pub(crate) fn overfull(scenario: &Scenario) -> Option<&Place> {
    if !scenario.generates() {
        return None;
    }
    let plan = expand(scenario, scenario.seed);
    let last = plan.faults.last().filter(|_| plan.full)?;
    let hazard = scenario.hazards.iter().find(|hazard| hazard.name == last.origin);
    let fault = scenario.faults.iter().find(|fault| fault.name == last.origin);
    hazard.map(|hazard| &hazard.place).or(fault.map(|fault| &fault.place))
}

impl Scenario {
    /// Whether the plan depends on the seed: generators, or faults with a recurring pattern.
    pub fn generates(&self) -> bool {
        !self.hazards.is_empty() || self.faults.iter().any(|fault| fault.burst.is_some())
    }
}

/// An explicit fault; one with a pattern becomes its bursts.
fn explicit(fault: &FaultSpec, scenario: &Scenario, keyed: &Keyed, plan: &mut Plan) {
    let Some(burst) = &fault.burst else {
        plan.faults.push(fault.clone());
        return;
    };
    let end = Time::ZERO.saturating_add(scenario.duration);
    let until = fault.duration.map_or(end, |lasts| fault.start.saturating_add(lasts).min(end));
    let mut draws = Draws::new(keyed, &fault.name, "");
    let base = FaultSpec { burst: None, origin: fault.name.clone(), ..fault.clone() };
    bursts(&base, until, burst, &mut draws, plan);
}

/// On and off, from the start of the base fault to `until`.
fn bursts(base: &FaultSpec, until: Time, burst: &Burst, draws: &mut Draws, plan: &mut Plan) {
    let mut at = base.start;
    for ordinal in 0_u64.. {
        if at >= until || plan.is_full() {
            return;
        }
        let on = draws.span(&burst.on).max(Span(1)).min(until.since(at));
        plan.faults.push(FaultSpec {
            name: format!("{}.{ordinal}", base.name),
            start: at,
            duration: Some(on),
            persistence: Persistence::Intermittent,
            ..base.clone()
        });
        at = at.saturating_add(on).saturating_add(draws.span(&burst.off).max(Span(1)));
    }
}

impl Plan {
    pub(super) fn is_full(&mut self) -> bool {
        self.full |= self.faults.len() >= MAX_FAULTS;
        self.full
    }

    /// The plan as TOML: `[[fault]]` tables that a scenario can have in place of its generators.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for note in &self.notes {
            _ = writeln!(out, "# {note}");
        }
        for fault in &self.faults {
            _ = writeln!(out, "\n[[fault]]\nname = {}", quoted(&fault.name));
            _ = writeln!(out, "at = {}", quoted(&duration_text(fault.start.0)));
            if let Some(lasts) = fault.duration {
                _ = writeln!(out, "for = {}", quoted(&duration_text(lasts.0)));
            }
            if fault.persistence == Persistence::Intermittent {
                _ = writeln!(out, "persistence = \"intermittent\"");
            }
            for (key, text) in [("cause", &fault.cause), ("origin", &fault.origin)] {
                if !text.is_empty() {
                    _ = writeln!(out, "{key} = {}", quoted(text));
                }
            }
            out.push_str(&fault.body);
        }
        out
    }
}

/// Writes the faults of one generator into a plan.
pub(super) struct Writer<'w> {
    pub(super) scenario: &'w Scenario,
    pub(super) hazard: &'w HazardSpec,
    pub(super) name: &'w str,
    keyed: &'w Keyed,
    plan: &'w mut Plan,
    pub(super) from: Time,
    pub(super) until: Time,
}

/// One episode of a fault.
pub(super) struct Episode<'e> {
    pub(super) name: String,
    pub(super) start: Time,
    /// `None` for one that stays.
    pub(super) lasts: Option<Span>,
    pub(super) made: &'e Made,
    pub(super) burst: Option<(&'e Burst, Draws)>,
    /// Root cause, where it is not the generator's.
    pub(super) cause: Option<&'e str>,
}

impl Writer<'_> {
    pub(super) fn draws(&self, component: &str) -> Draws {
        Draws::new(self.keyed, self.name, component)
    }

    /// The word of one component in one choice.
    pub(super) fn rank(&self, event: u64, component: &str) -> u64 {
        self.keyed.word(Domain::Plan, self.keyed.base(name_hash(self.name), event), name_hash(component))
    }

    pub(super) fn aimed(&self, fault: &Template, words: &[String]) -> Option<Made> {
        fault.aimed(words, self.scenario)
    }

    pub(super) fn is_full(&mut self) -> bool {
        self.plan.is_full()
    }

    /// The same for a generator that may leave out what it draws: so many draws are too many as well.
    pub(super) fn is_full_at(&mut self, ordinal: u64) -> bool {
        self.plan.full |= ordinal >= MAX_DRAWS;
        self.plan.is_full()
    }

    pub(super) fn note(&mut self, text: &str) {
        self.plan.notes.push(format!("{}: {text}", self.name));
    }

    /// The end of the window, before a quiet tail of the run.
    pub(super) fn quiet(&self, tail: Span) -> Time {
        let end = self.scenario.duration.0.saturating_sub(tail.0);
        self.until.min(Time(end)).max(self.from)
    }

    pub(super) fn episode(&mut self, episode: Episode<'_>) {
        let made = episode.made;
        let persistence =
            if episode.lasts.is_some() { Persistence::Transient } else { Persistence::Permanent };
        let base = FaultSpec {
            name: episode.name,
            kind: made.kind,
            target: made.target.clone(),
            start: episode.start,
            duration: episode.lasts,
            persistence,
            burst: None,
            cause: episode.cause.unwrap_or(&self.hazard.cause).to_owned(),
            origin: self.name.to_owned(),
            effect: made.effect.clone(),
            place: self.hazard.place.clone(),
            body: Arc::clone(&made.body),
        };
        let Some((burst, mut draws)) = episode.burst else {
            self.plan.faults.push(base);
            return;
        };
        let end = Time::ZERO.saturating_add(self.scenario.duration);
        let until = episode.lasts.map_or(end, |lasts| base.start.saturating_add(lasts).min(end));
        bursts(&base, until, burst, &mut draws, self.plan);
    }
}
