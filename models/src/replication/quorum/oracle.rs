//! What is judged: which reads miss writes, and whether the replicas come to the same state.

use murphy_scenarios::{MetricRecord, Oracles, PropertyRecord, System};
use murphy_sim::{Judge, Stamped};

use super::protocol::CONVERGED;
use crate::oracle::Convergence;
use crate::replication::declare::{convergence_time, saw};
use crate::replication::{History, Linear, Lost};

/// The judges of the model.
#[derive(Clone, Debug)]
pub struct QuorumOracles {
    history: History,
    linear: Linear,
    convergence: Convergence,
}

impl QuorumOracles {
    pub(super) fn new(system: &System) -> QuorumOracles {
        QuorumOracles {
            history: History::default(),
            linear: Linear::new(system),
            convergence: Convergence::new(system, CONVERGED),
        }
    }
}

impl Judge for QuorumOracles {
    fn observe(&mut self, said: &Stamped) {
        self.history.observe(said);
        self.linear.observe(said);
        self.convergence.observe(said);
    }
}

impl Oracles for QuorumOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        std::iter::once(self.convergence.record()).chain(self.linear.verdicts()).collect()
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        let mut records = saw(&self.history, &Lost::default());
        records.push(convergence_time(&self.convergence));
        records
    }
}
