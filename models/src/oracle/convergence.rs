//! Convergence: once the faults are over, the replicas come to the same state.

use murphy_scenarios::{PropertyRecord, System, Verdict};
use murphy_sim::{Fact, Judge, NodeId, Span, Stamped, Time};

/// Judges that correct nodes which say `State` come to the same one.
///
/// Let the *heal* be the end of the last fault of the plan (the start of one that never ends; the start of
/// the run without any), and D the time that `converges(p, D)` allows, else the rest of the run. The
/// property holds when at some instant in the D after the heal all nodes that are up have said the same
/// state, and again at some instant in the last D of the run: with writes going on, they agree between
/// writes, or never again. A run that ends earlier than D after the heal without an agreement says nothing.
#[derive(Clone, Debug)]
pub struct Convergence {
    property: &'static str,
    names: std::sync::Arc<[String]>,
    states: Vec<Option<u64>>,
    heal: Time,
    end: Time,
    within: Span,
    agreeing: bool,
    /// When they last agreed, while they do not.
    last: Option<Time>,
    first_healed: Option<Time>,
    checked: u64,
    event: u64,
}

impl Convergence {
    /// An oracle for the nodes of a system, under the name of the property.
    pub fn new(system: &System, property: &'static str) -> Convergence {
        let scenario = &system.scenario;
        let over = |fault: &murphy_scenarios::language::FaultSpec| {
            fault.start.saturating_add(fault.duration.unwrap_or(Span::ZERO))
        };
        let heal = scenario.faults.iter().map(over).max().unwrap_or(Time::ZERO);
        let end = Time::ZERO.saturating_add(scenario.duration);
        let within = system.bound_of(property).filter(|bound| *bound < scenario.duration);
        let within = within.unwrap_or(end.since(heal));
        Convergence {
            property,
            names: system.names.clone(),
            states: vec![None; system.names.len()],
            heal,
            end,
            within,
            agreeing: false,
            last: None,
            first_healed: None,
            checked: 0,
            event: 0,
        }
    }

    /// From the heal to the first agreement after it.
    pub fn took(&self) -> Option<(Time, Span)> {
        let first = self.first_healed.or(self.agreeing.then_some(self.heal))?;
        Some((first, first.since(self.heal)))
    }

    /// The verdict.
    pub fn record(&self) -> PropertyRecord {
        let limit = self.heal.saturating_add(self.within);
        let verdict = match self.took() {
            _ if self.checked == 0 => Verdict::Held,
            Some((first, _)) if first > limit => self.violated(first, "agree only"),
            Some(_) if self.agreeing => Verdict::Held,
            Some(_) => {
                let last = self.last.unwrap_or(Time::ZERO);
                if self.end.since(last) <= self.within {
                    Verdict::Held
                } else {
                    self.violated(last, "do not agree")
                }
            }
            None if limit <= self.end => self.violated(limit, "do not agree"),
            None => {
                let message = format!("the run ends {} after the last fault", self.end.since(self.heal));
                Verdict::Unknown { message }
            }
        };
        PropertyRecord { name: self.property.to_owned(), verdict, checked: self.checked }
    }

    fn violated(&self, at: Time, what: &str) -> Verdict {
        let mut said =
            self.states.iter().zip(self.names.iter()).filter_map(|(state, name)| Some((name, (*state)?)));
        let first = said.next();
        let other = first.and_then(|(_, state)| said.find(|(_, other)| *other != state));
        let who = match (first, other) {
            (Some((a, _)), Some((b, _))) => format!("{a} and {b}"),
            _ => "the replicas".to_owned(),
        };
        let message = format!("{who} {what} {} after the last fault", at.since(self.heal));
        Verdict::Violated { at_ns: at.0, event: self.event, message }
    }

    fn look(&mut self, at: Time) {
        let mut states = self.states.iter().flatten();
        let first = states.next();
        let agreeing = first.is_some_and(|first| states.all(|state| state == first));
        if self.agreeing && !agreeing {
            self.last = Some(at);
            // They agreed up to now: also at the heal, if that was before.
            if at >= self.heal && self.first_healed.is_none() {
                self.first_healed = Some(self.heal);
            }
        }
        if agreeing && !self.agreeing && at >= self.heal && self.first_healed.is_none() {
            self.first_healed = Some(at);
        }
        self.agreeing = agreeing;
    }

    fn state(&mut self, node: NodeId, state: Option<u64>, said: &Stamped) {
        self.states[node.index()] = state;
        self.event = said.event;
        self.look(said.at);
    }
}

impl Judge for Convergence {
    fn observe(&mut self, said: &Stamped) {
        if !said.correct {
            return;
        }
        match said.fact {
            Fact::State { digest } => {
                self.checked += 1;
                self.state(said.node, Some(digest), said);
            }
            Fact::Crash => self.state(said.node, None, said),
            _ => {}
        }
    }
}
