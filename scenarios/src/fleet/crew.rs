//! Crews: who repairs what, and in which order.

use std::collections::VecDeque;

use murphy_sim::{Law, Span, below, unit};

use super::clocks::NEVER;
use super::state::{Phase, Purpose, State};
use super::{Fleet, Order};

/// What a crew is at.
#[derive(Clone, Debug, Default)]
pub(super) struct Crewing {
    /// Repairs that go on.
    busy: usize,
    /// Components that wait, the longest first.
    waiting: VecDeque<usize>,
    /// Calls so far: ordinal of the crew's draws.
    calls: u64,
}

impl State<'_> {
    /// A component needs repair.
    pub(super) fn call(&mut self, line: usize) {
        let Some(crew) = self.fleet.lines[line].crew else { return self.repair(line, Span::ZERO) };
        let (spec, state) = (&self.fleet.crews[crew], &mut self.crews[crew]);
        match spec.order {
            Order::Fifo if state.busy < spec.size => {
                state.busy += 1;
                self.start(crew, line);
            }
            Order::Fifo => self.wait(crew, line),
            Order::Race => {
                let first = !self.calling(crew).contains(&self.fleet.lines[line].kind);
                self.wait(crew, line);
                if first {
                    self.race(crew);
                }
            }
        }
    }

    /// A repair has ended: the crew is free for another.
    pub(super) fn dismiss(&mut self, line: usize) {
        let Some(crew) = self.fleet.lines[line].crew else { return };
        self.crews[crew].busy -= 1;
        match self.fleet.crews[crew].order {
            Order::Fifo => {
                if let Some(next) = self.crews[crew].waiting.pop_front() {
                    self.crews[crew].busy += 1;
                    self.start(crew, next);
                }
            }
            Order::Race => self.race(crew),
        }
    }

    /// A race is decided: one of the kinds that call, each as likely.
    pub(super) fn answered(&mut self, crew: usize) {
        let kinds = self.calling(crew);
        let word = self.crew_word(crew);
        let kind = kinds[usize::try_from(below(word, kinds.len() as u64)).expect("few kinds")];
        let state = &mut self.crews[crew];
        let lines = &self.fleet.lines;
        let place = state.waiting.iter().position(|&line| lines[line].kind == kind);
        let line = state.waiting.remove(place.expect("the kind calls")).expect("in the queue");
        state.busy += 1;
        let clock = self.clock_of_crew(crew);
        self.clocks.set(clock, NEVER);
        self.repair(line, Span::ZERO);
    }

    fn wait(&mut self, crew: usize, line: usize) {
        self.lines[line].phase = Phase::Waiting;
        self.crews[crew].waiting.push_back(line);
    }

    /// Kinds of the components that wait, in the order in which they began to.
    fn calling(&self, crew: usize) -> Vec<usize> {
        let mut kinds = Vec::new();
        for &line in &self.crews[crew].waiting {
            let kind = self.fleet.lines[line].kind;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    /// Starts the race anew: exponential clocks have no memory.
    fn race(&mut self, crew: usize) {
        let kinds = self.calling(crew).len();
        let clock = self.clock_of_crew(crew);
        if kinds == 0 || self.crews[crew].busy > 0 {
            self.clocks.set(clock, NEVER);
            return;
        }
        let mean = self.fleet.crews[crew].start.scale(1.0 / kinds as f64);
        let word = self.crew_word(crew);
        self.clocks.set(clock, self.after(Law::Exponential { mean }.sample(word)));
    }

    /// A crew sets out for a component.
    fn start(&mut self, crew: usize, line: usize) {
        let mean = self.fleet.crews[crew].start;
        let delay =
            if mean == Span::ZERO { mean } else { Law::Exponential { mean }.sample(self.crew_word(crew)) };
        self.repair(line, delay);
    }

    fn repair(&mut self, line: usize, delay: Span) {
        let fleet: &Fleet = self.fleet;
        let law = fleet.lines[line].down.as_ref().expect("what is never repaired calls nobody");
        let word = self.line_word(line);
        let lasts = law.sample(word).max(Span(1));
        self.lines[line].phase = Phase::Repair;
        self.clocks.set(line, self.after(delay.saturating_add(lasts)));
    }

    fn crew_word(&mut self, crew: usize) -> u64 {
        let ordinal = self.crews[crew].calls;
        self.crews[crew].calls += 1;
        self.word(Purpose::Crew, crew as u64, ordinal)
    }

    /// Redraws a race, and repairs without a memory: what clones of a world must not share.
    pub(super) fn redraw_repairs(&mut self) {
        for line in 0..self.lines.len() {
            let spec = &self.fleet.lines[line];
            let exponential = matches!(spec.down, Some(Law::Exponential { .. }));
            // The way to the component and its repair are one clock, whose sum has a memory.
            let at_once = spec.crew.is_none_or(|crew| {
                self.fleet.crews[crew].order == Order::Race || self.fleet.crews[crew].start == Span::ZERO
            });
            if self.lines[line].phase == Phase::Repair && exponential && at_once {
                self.repair(line, Span::ZERO);
            }
        }
        for crew in 0..self.crews.len() {
            if self.fleet.crews[crew].order == Order::Race {
                self.race(crew);
            }
        }
    }

    /// A number in (0, 1) for a purpose.
    pub(super) fn chance(&mut self, purpose: Purpose, entity: u64, ordinal: u64) -> f64 {
        unit(self.word(purpose, entity, ordinal))
    }
}
