//! Oracles: what must hold of a replicated state machine, judged from facts alone.
//!
//! One oracle judges one property, so that shrinking a failure cannot slide from one bug to
//! another. An oracle believes correct nodes only, its first violation sticks, and its knowledge
//! is plain data, cloned with its world.
//!
//! Facts are read as follows. A *slot* is a place in the replicated log; a batch executes several
//! commands at one slot. A replica's *history* is what it executed since it started, on top of
//! what it last installed. After a restart it may execute again from any slot that its disk kept.

mod agreement;
mod consensus;
mod convergence;
mod durability;
mod integrity;
mod judges;
mod leadership;
mod linearizability;
mod log_matching;
mod monotonic;
mod progress;
mod seen;
#[cfg(test)]
mod story;
mod table;
mod validity;

use std::sync::Arc;

use murphy_scenarios::Verdict;
use murphy_sim::{NodeId, Stamped, Time};

pub use agreement::Agreement;
pub use consensus::{ConsensusOracles, PROPERTIES};
pub use convergence::Convergence;
pub use durability::Durability;
pub use integrity::Integrity;
pub use judges::{Judges, Property};
pub use leadership::Leadership;
pub use linearizability::Linearizability;
pub use log_matching::LogMatching;
pub use monotonic::MonotonicReads;
pub use progress::Progress;
pub use seen::Seen;
pub use validity::Validity;

/// What an oracle says about the run so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OracleVerdict {
    /// Nothing contradicts the property. Vacuous when the oracle checked nothing.
    Held,
    /// The property does not hold, whatever comes later.
    Violated {
        /// When the first violation became certain.
        at: Time,
        /// Number of the event during which it did.
        event: u64,
        /// One sentence that names who, what and where.
        message: String,
    },
    /// The oracle cannot tell.
    Unknown {
        /// One sentence that says why.
        message: String,
    },
}

impl From<OracleVerdict> for Verdict {
    fn from(verdict: OracleVerdict) -> Verdict {
        match verdict {
            OracleVerdict::Held => Verdict::Held,
            OracleVerdict::Violated { at, event, message } => {
                Verdict::Violated { at_ns: at.0, event, message }
            }
            OracleVerdict::Unknown { message } => Verdict::Unknown { message },
        }
    }
}

/// The first violation that an oracle found: later ones often only follow from it.
#[derive(Clone, Debug, Default)]
struct Finding(Option<(Time, u64, String)>);

impl Finding {
    fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps the violation that `said` proves, unless there was one before.
    fn report(&mut self, said: &Stamped, message: impl FnOnce() -> String) {
        if self.0.is_none() {
            self.0 = Some((said.at, said.event, message()));
        }
    }

    fn verdict(&self) -> OracleVerdict {
        match &self.0 {
            None => OracleVerdict::Held,
            Some((at, event, message)) => {
                OracleVerdict::Violated { at: *at, event: *event, message: message.clone() }
            }
        }
    }
}

/// Names of the nodes by place in the roster, for messages.
#[derive(Clone, Debug)]
struct Names(Arc<[String]>);

impl Names {
    fn of(&self, node: NodeId) -> &str {
        &self.0[node.index()]
    }

    /// `r1 and r3`, or `r1 itself` when both are one.
    fn pair(&self, a: NodeId, b: NodeId) -> String {
        if a == b { format!("{} itself", self.of(a)) } else { format!("{} and {}", self.of(a), self.of(b)) }
    }
}
