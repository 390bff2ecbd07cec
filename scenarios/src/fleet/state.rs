//! One world of a fleet, from event to event.

use murphy_sim::{Domain, Keyed, Span, fold, name_hash};

use super::clocks::{Clocks, NEVER};
use super::crew::Crewing;
use super::standby::Switching;
use super::structure::Levels;
use super::{Fleet, Standby};

/// One world of a fleet: plain data, so that a clone has the same future.
#[derive(Clone, Debug)]
pub struct State<'f> {
    pub(super) fleet: &'f Fleet,
    pub(super) now: u64,
    /// Components, common causes, standbys, crews.
    pub(super) clocks: Clocks,
    pub(super) lines: Vec<LineState>,
    pub(super) crews: Vec<Crewing>,
    pub(super) switching: Vec<Switching>,
    pub(super) levels: Levels,
    strikes: Vec<u64>,
    failed: usize,
    /// Whether components fail by their own clocks; otherwise only [`State::strike`] fails them.
    clocked: bool,
    keyed: Keyed,
    /// Sets worlds with the same seed apart.
    salt: u64,
}

/// One component.
#[derive(Clone, Debug)]
pub(super) struct LineState {
    pub(super) phase: Phase,
    /// Whether it is in use; only what stands by is not.
    pub(super) serves: bool,
    /// Life left in use, while its clock stands still.
    rest: u64,
    /// Start of its outage.
    since: u64,
    /// Ordinal of its next draw.
    draws: u64,
    /// The common cause that took it down.
    common: Option<usize>,
    standby: Option<usize>,
    /// Hashes of its kind and its name.
    keys: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Up,
    Waiting,
    Repair,
    Gone,
}

/// What a draw of the fleet, rather than of a component, is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Crew = 1,
    Coverage,
    Switch,
    Strike,
}

/// Something that takes components down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A component fails by itself.
    Line(usize),
    /// A common cause strikes.
    Common(usize),
}

/// What was out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A component.
    Line(usize),
    /// A standby, while it switched over.
    Switch(usize),
}

/// An outage that is over. Times are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What was out.
    pub what: What,
    /// Start.
    pub from: u64,
    /// End.
    pub to: u64,
    /// The common cause that began it, if one did.
    pub common: Option<usize>,
}

/// Sees outages begin and end.
pub trait Witness {
    /// An outage begins.
    fn began(&mut self, _what: What, _at: u64) {}
    /// An outage is over.
    fn ended(&mut self, _outage: Outage) {}
}

/// Sees nothing.
impl Witness for () {}

impl<'f> State<'f> {
    /// Everything up at time zero. Worlds of one seed differ by their `world` number; world 0 draws what
    /// a generator of the same names draws.
    pub fn new(fleet: &'f Fleet, keyed: &Keyed, world: u64) -> State<'f> {
        let mut state = State::still(fleet, keyed, world);
        state.release();
        state
    }

    /// The same, but nothing fails by itself.
    pub fn still(fleet: &'f Fleet, keyed: &Keyed, world: u64) -> State<'f> {
        let line = |(index, line): (usize, &super::Line)| {
            let member = |standby: &Standby| standby.members.contains(&index);
            let standby = fleet.standbys.iter().position(member);
            LineState {
                phase: Phase::Up,
                serves: standby.is_none(),
                rest: 0,
                since: 0,
                draws: 0,
                common: None,
                standby,
                keys: (name_hash(&fleet.kinds[line.kind]), line.key()),
            }
        };
        let count = fleet.lines.len() + fleet.commons.len() + fleet.standbys.len() + fleet.crews.len();
        let mut state = State {
            fleet,
            now: 0,
            clocks: Clocks::new(count),
            lines: fleet.lines.iter().enumerate().map(line).collect(),
            crews: vec![Crewing::default(); fleet.crews.len()],
            switching: vec![Switching::default(); fleet.standbys.len()],
            levels: fleet.structure.levels(),
            strikes: vec![0; fleet.commons.len()],
            failed: 0,
            clocked: false,
            keyed: keyed.clone(),
            salt: if world == 0 { 0 } else { fold(world, name_hash("world")) },
        };
        for group in 0..fleet.standbys.len() {
            state.muster(group);
        }
        state
    }

    /// From now on components fail by their own clocks, drawn afresh: right for exponential laws, and
    /// for everything at time zero.
    pub fn release(&mut self) {
        self.clocked = true;
        for line in 0..self.lines.len() {
            if self.lines[line].phase == Phase::Up {
                self.arm(line);
            }
        }
        for common in 0..self.strikes.len() {
            self.arm_common(common);
        }
    }

    /// Makes this world differ from its clones from now on: every residual time without a memory is
    /// drawn anew. Repair times with a memory stay as they were drawn, as part of the state.
    pub fn diverge(&mut self, world: u64) {
        self.salt = fold(world, name_hash("clone"));
        self.redraw_repairs();
        if self.clocked {
            self.release();
        }
    }

    /// Now, in nanoseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// What is up.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Whether a gate of the structure is up.
    #[inline]
    pub fn is_up(&self, gate: u32) -> bool {
        self.levels.is_up(&self.fleet.structure, gate)
    }

    /// Whether everything is up and nothing switches over.
    pub fn is_quiet(&self) -> bool {
        self.failed == 0 && self.settled()
    }

    /// Components that are down.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// Time of the next event by a clock; `None` when nothing will ever happen.
    #[inline]
    pub fn next_at(&self) -> Option<u64> {
        Some(self.clocks.next().1).filter(|at| *at != NEVER)
    }

    /// Goes to the next event, if there is one.
    #[inline]
    pub fn step(&mut self, witness: &mut impl Witness) -> bool {
        let (clock, at) = self.clocks.next();
        if at == NEVER {
            return false;
        }
        self.now = at;
        if clock < self.lines.len() {
            if self.lines[clock].phase == Phase::Up {
                self.fail(clock, None, witness);
            } else {
                self.repaired(clock, witness);
            }
        } else {
            self.step_other(clock - self.lines.len(), witness);
        }
        true
    }

    /// A fault at `at`, which no clock of this world has passed.
    ///
    /// # Panics
    /// When an event comes before.
    pub fn strike(&mut self, fault: Fault, at: u64, witness: &mut impl Witness) {
        assert!(self.now <= at && at <= self.clocks.next().1, "a fault at {at} comes too late or too early");
        self.now = at;
        match fault {
            Fault::Line(line) => self.fail(line, None, witness),
            Fault::Common(common) => self.strike_all(common, witness),
        }
    }

    /// Rate per nanosecond at which a fault happens now, if its laws are exponential; zero when it hits nothing.
    pub fn rate_of(&self, fault: Fault) -> f64 {
        match fault {
            Fault::Line(line) if self.lines[line].phase == Phase::Up => {
                let spec = &self.fleet.lines[line];
                super::rate(&spec.up, spec.stretch).unwrap_or(0.0) * self.pace(line)
            }
            Fault::Line(_) => 0.0,
            Fault::Common(common) => {
                let spec = &self.fleet.commons[common];
                let any = spec.members.iter().any(|&line| self.lines[line].phase == Phase::Up);
                if any { super::rate(&spec.up, spec.stretch).unwrap_or(0.0) } else { 0.0 }
            }
        }
    }

    /// Word for a purpose of an estimate, by ordinal.
    pub fn strike_word(&self, ordinal: u64) -> u64 {
        self.word(Purpose::Strike, 0, ordinal)
    }

    fn step_other(&mut self, clock: usize, witness: &mut impl Witness) {
        let (commons, standbys) = (self.strikes.len(), self.switching.len());
        if clock < commons {
            self.strike_all(clock, witness);
            self.arm_common(clock);
        } else if clock < commons + standbys {
            self.switched(clock - commons, witness);
        } else {
            self.answered(clock - commons - standbys);
        }
    }

    fn strike_all(&mut self, common: usize, witness: &mut impl Witness) {
        let fleet = self.fleet;
        for &line in &fleet.commons[common].members {
            if self.lines[line].phase == Phase::Up {
                self.fail(line, Some(common), witness);
            }
        }
    }

    fn fail(&mut self, line: usize, common: Option<usize>, witness: &mut impl Witness) {
        let spec = &self.fleet.lines[line];
        let state = &mut self.lines[line];
        state.since = self.now;
        state.common = common;
        state.phase = Phase::Gone;
        self.failed += 1;
        self.clocks.set(line, NEVER);
        witness.began(What::Line(line), self.now);
        for &leaf in &spec.leaves {
            self.levels.fail(&self.fleet.structure, leaf);
        }
        if spec.down.is_some() {
            self.call(line);
        }
        if let Some(group) = self.lines[line].standby {
            self.lost(group, line, witness);
        }
    }

    fn repaired(&mut self, line: usize, witness: &mut impl Witness) {
        let state = &mut self.lines[line];
        state.phase = Phase::Up;
        let outage = Outage { what: What::Line(line), from: state.since, to: self.now, common: state.common };
        self.failed -= 1;
        self.clocks.set(line, NEVER);
        for &leaf in &self.fleet.lines[line].leaves {
            self.levels.mend(&self.fleet.structure, leaf);
        }
        witness.ended(outage);
        self.dismiss(line);
        match self.lines[line].standby {
            Some(group) => self.regained(group, line, witness),
            None => self.arm(line),
        }
    }

    /// Draws a component's life.
    #[inline]
    pub(super) fn arm(&mut self, line: usize) {
        if !self.clocked {
            return;
        }
        let spec = &self.fleet.lines[line];
        let word = self.line_word(line);
        let lasts = spec.up.sample(word);
        // Without common causes the law's own bits, untouched by a division.
        let lasts = if spec.stretch > 1.0 { lasts.scale(spec.stretch) } else { lasts };
        self.age(line, lasts.0.max(1));
    }

    /// Life left, counted in use.
    pub(super) fn life_left(&self, line: usize) -> u64 {
        let (at, pace) = (self.clocks.at(line), self.pace(line));
        if at == NEVER || pace <= 0.0 {
            return self.lines[line].rest;
        }
        Span(at - self.now).scale(pace).0
    }

    /// Sets the clock of a component with so much life left.
    #[inline]
    pub(super) fn age(&mut self, line: usize, left: u64) {
        if !self.clocked {
            return;
        }
        if self.lines[line].serves {
            self.clocks.set(line, self.after(Span(left)));
            return;
        }
        let pace = self.pace(line);
        self.lines[line].rest = left;
        let at = if pace > 0.0 { self.after(Span(left).scale(1.0 / pace)) } else { NEVER };
        self.clocks.set(line, at);
    }

    /// How fast a component ages: 1 in use.
    fn pace(&self, line: usize) -> f64 {
        let state = &self.lines[line];
        match state.standby {
            Some(group) if !state.serves => self.fleet.standbys[group].dormancy,
            _ => 1.0,
        }
    }

    fn arm_common(&mut self, common: usize) {
        if !self.clocked {
            return;
        }
        let spec = &self.fleet.commons[common];
        let base = self.keyed.base(name_hash(&self.fleet.kinds[spec.kind]) ^ self.salt, self.strikes[common]);
        let word = self.keyed.word(Domain::Plan, base, name_hash(&spec.name));
        self.strikes[common] += 1;
        let gap = spec.up.sample(word).scale(spec.stretch).max(Span(1));
        self.clocks.set(self.lines.len() + common, self.after(gap));
    }

    /// The instant that lies `span` ahead; beyond 584 years, never.
    #[inline]
    pub(super) fn after(&self, span: Span) -> u64 {
        self.now.saturating_add(span.0)
    }

    #[inline]
    pub(super) fn line_word(&mut self, line: usize) -> u64 {
        let state = &mut self.lines[line];
        let base = self.keyed.base(state.keys.0 ^ self.salt, state.draws);
        state.draws += 1;
        self.keyed.word(Domain::Plan, base, state.keys.1)
    }

    pub(super) fn word(&self, purpose: Purpose, entity: u64, ordinal: u64) -> u64 {
        let base = self.keyed.base(fold(purpose as u64, entity) ^ self.salt, ordinal);
        self.keyed.word(Domain::Plan, base, name_hash("fleet"))
    }

    pub(super) fn clock_of_standby(&self, group: usize) -> usize {
        self.lines.len() + self.strikes.len() + group
    }

    pub(super) fn clock_of_crew(&self, crew: usize) -> usize {
        self.lines.len() + self.strikes.len() + self.switching.len() + crew
    }
}
