//! Components that fail and are repaired, where one's fate depends on the others': crews that repair
//! several of them, standbys that age more slowly than the active ones and take time to take over,
//! causes in common.
//!
//! A [`Fleet`] says what there is; a [`State`] is one world of it, which steps from event to event.
//! Nothing here depends on what the components do, so a fleet can be run before a protocol and its
//! outages handed to it as a plan; or alone, many million events a second, to measure availability.
//! All draws are keyed by names and ordinals, as every generator's are.

mod alike;
mod clocks;
mod crew;
mod standby;
mod state;
mod structure;

use murphy_sim::{Law, Span, name_hash};

pub use alike::{Alike, Aside};
pub use state::{Fault, Outage, State, What, Witness};
pub(crate) use structure::FAR;
pub use structure::{Gate, Input, Levels, Structure};

/// What may fail, who repairs it, and which of it must be up.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    lines: Vec<Line>,
    crews: Vec<Crew>,
    commons: Vec<CommonCause>,
    standbys: Vec<Standby>,
    kinds: Vec<String>,
    structure: Structure,
}

/// One component: it fails after a law, and is repaired after another.
#[derive(Clone, Debug)]
pub struct Line {
    /// Name; with the kind's name it keys the component's draws.
    pub name: String,
    /// Its kind: components of a kind are alike. See [`Fleet::kind`].
    pub kind: usize,
    /// Time to failure, in use.
    pub up: Law,
    /// Every time to failure is multiplied by this.
    pub stretch: f64,
    /// Time of a repair; `None` for what stays failed.
    pub down: Option<Law>,
    /// Who repairs it; `None` for a crew of its own.
    pub crew: Option<usize>,
    /// Leaves of the structure that are down while it is.
    pub leaves: Vec<u32>,
}

/// Repairs that can go on at once.
#[derive(Clone, Debug)]
pub struct Crew {
    /// Their number.
    pub size: usize,
    /// Who is next.
    pub order: Order,
    /// Mean of the exponential time from a free crew's call to the start of the repair; zero for at once.
    pub start: Span,
}

/// Which of the waiting components a crew takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that has waited longest.
    Fifo,
    /// Each kind that waits calls by itself, and the first to be answered is served: with `k` kinds
    /// the mean time to a start is `start / k`.
    Race,
}

/// A cause that takes down all of its members that are up; each is then repaired by itself.
#[derive(Clone, Debug)]
pub struct CommonCause {
    /// Name; it keys the draws.
    pub name: String,
    /// Its kind, for attribution.
    pub kind: usize,
    /// Time from one strike to the next.
    pub up: Law,
    /// Every such time is multiplied by this.
    pub stretch: f64,
    /// Components.
    pub members: Vec<usize>,
}

/// Components of which some are in use and the others stand by.
#[derive(Clone, Debug)]
pub struct Standby {
    /// Name; it keys the draws.
    pub name: String,
    /// Components, in the order in which they are preferred.
    pub members: Vec<usize>,
    /// How many are in use.
    pub needed: usize,
    /// Ageing of one that stands by, as a share of that of one in use: 0 cold, 1 hot.
    pub dormancy: f64,
    /// Probability that a failure is noticed and switched over by itself.
    pub coverage: f64,
    /// Time of such a switch-over; `None` for none.
    pub failover: Option<Law>,
    /// Time until people switch over what was not covered; `None` for none.
    pub manual: Option<Law>,
    /// Leaves that are down during a switch-over.
    pub leaves: Vec<u32>,
}

impl Fleet {
    /// Nothing, over a structure.
    pub fn new(structure: Structure) -> Fleet {
        Fleet { structure, ..Fleet::default() }
    }

    /// Adds a kind of component and returns its number.
    pub fn kind(&mut self, name: &str) -> usize {
        self.kinds.push(name.to_owned());
        self.kinds.len() - 1
    }

    /// Adds a crew and returns its number.
    ///
    /// # Panics
    /// When it is empty, or a race has more than one place.
    pub fn crew(&mut self, crew: Crew) -> usize {
        assert!(crew.size > 0, "a crew of nobody repairs nothing");
        assert!(crew.order == Order::Fifo || crew.size == 1, "a race is for one place");
        self.crews.push(crew);
        self.crews.len() - 1
    }

    /// Adds a component and returns its number.
    ///
    /// # Panics
    /// When its kind, crew or a leaf does not exist.
    pub fn line(&mut self, line: Line) -> usize {
        assert!(line.kind < self.kinds.len(), "{} has no kind", line.name);
        assert!(line.crew.is_none_or(|crew| crew < self.crews.len()), "{} has no crew", line.name);
        self.known(&line.leaves);
        self.lines.push(line);
        self.lines.len() - 1
    }

    /// Adds a common cause.
    ///
    /// # Panics
    /// When a member does not exist.
    pub fn common(&mut self, common: CommonCause) {
        assert!(common.members.iter().all(|&line| line < self.lines.len()), "{} has no members", common.name);
        self.commons.push(common);
    }

    /// Adds a standby.
    ///
    /// # Panics
    /// When it needs more than its members, or a member stands by elsewhere.
    pub fn standby(&mut self, standby: Standby) {
        assert!(
            (1..=standby.members.len()).contains(&standby.needed),
            "{} has too few members",
            standby.name
        );
        let taken = |line: &usize| self.standbys.iter().any(|other| other.members.contains(line));
        assert!(!standby.members.iter().any(taken), "a member of {} stands by elsewhere", standby.name);
        self.known(&standby.leaves);
        self.standbys.push(standby);
    }

    /// What must be up.
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// The components.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The common causes.
    pub fn commons(&self) -> &[CommonCause] {
        &self.commons
    }

    /// The standbys.
    pub fn standbys(&self) -> &[Standby] {
        &self.standbys
    }

    /// Names of the kinds.
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// Failure rate per nanosecond of each kind of first fault, from everything up: for every component
    /// and every common cause. `Err` names what has no rate, because its law has a memory.
    ///
    /// # Errors
    /// The first component or common cause whose time to failure is not exponential.
    pub fn rates(&self) -> Result<Vec<(Fault, f64)>, &str> {
        let mut rates = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let rate = rate(&line.up, line.stretch).ok_or(line.name.as_str())?;
            let share = match self.standing_by(index) {
                Some(standby) if !standby.members[..standby.needed].contains(&index) => standby.dormancy,
                _ => 1.0,
            };
            rates.push((Fault::Line(index), rate * share));
        }
        for (index, common) in self.commons.iter().enumerate() {
            rates.push((Fault::Common(index), rate(&common.up, common.stretch).ok_or(common.name.as_str())?));
        }
        Ok(rates)
    }

    /// The kind of a fault.
    pub fn kind_of(&self, fault: Fault) -> usize {
        match fault {
            Fault::Line(line) => self.lines[line].kind,
            Fault::Common(common) => self.commons[common].kind,
        }
    }

    /// Leaves that no component takes down.
    pub(crate) fn immune(&self) -> Vec<bool> {
        let mut immune = vec![true; self.structure.leaves()];
        for leaf in self.lines.iter().flat_map(|line| &line.leaves) {
            immune[*leaf as usize] = false;
        }
        immune
    }

    fn standing_by(&self, line: usize) -> Option<&Standby> {
        self.standbys.iter().find(|standby| standby.members.contains(&line))
    }

    fn known(&self, leaves: &[u32]) {
        let leaf = leaves.iter().find(|leaf| **leaf as usize >= self.structure.leaves());
        assert!(leaf.is_none(), "the structure has no leaf {leaf:?}");
    }
}

impl Line {
    /// Key of the component's draws among those of its kind.
    fn key(&self) -> u64 {
        name_hash(&self.name)
    }
}

/// Rate per nanosecond of an exponential law; `None` for laws with a memory.
fn rate(law: &Law, stretch: f64) -> Option<f64> {
    match law {
        Law::Exponential { mean } if mean.0 > 0 => Some(1.0 / (mean.0 as f64 * stretch)),
        _ => None,
    }
}
