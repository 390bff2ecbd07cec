//! The draws of a generator.

use murphy_sim::{Domain, Keyed, Span, fold, name_hash, unit};

use crate::build::law;
use crate::language::LawSpec;

/// The draws of one component of one generator, in order.
#[derive(Clone, Debug)]
pub(super) struct Draws {
    keyed: Keyed,
    hazard: u64,
    component: u64,
    next: u64,
}

impl Draws {
    pub(super) fn new(keyed: &Keyed, hazard: &str, component: &str) -> Draws {
        Draws { keyed: keyed.clone(), hazard: name_hash(hazard), component: name_hash(component), next: 0 }
    }

    /// Draws of the same component for another purpose.
    pub(super) fn fork(&self, purpose: &str) -> Draws {
        Draws { component: fold(self.component, name_hash(purpose)), next: 0, ..self.clone() }
    }

    pub(super) fn word(&mut self) -> u64 {
        let word = self.keyed.word(Domain::Plan, self.keyed.base(self.hazard, self.next), self.component);
        self.next += 1;
        word
    }

    /// A number in (0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        unit(self.word())
    }

    pub(super) fn span(&mut self, spec: &LawSpec) -> Span {
        law(spec).sample(self.word())
    }
}
