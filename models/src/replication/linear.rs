//! `linearizable(WORKLOAD)` for stores of registers.

use murphy_scenarios::expect::{Check, Condition};
use murphy_scenarios::{Effect, PropertyRecord, System};
use murphy_sim::{Judge, Stamped};

use super::declare::verdict;
use crate::oracle::Linearizability;

/// The linearizability of a scenario's workloads, judged only when an expectation asks for it: the
/// history of a long run is large.
#[derive(Clone, Debug)]
pub struct Linear {
    workloads: Vec<String>,
    oracle: Option<Linearizability>,
}

impl Linear {
    /// For a store whose first operation writes a register and whose second one reads it.
    pub fn new(system: &System) -> Linear {
        let asked = system.scenario.expectations.iter().any(|expectation| {
            matches!(expectation.condition, Condition::Property { check: Check::Linearizable, .. })
        });
        let effects = vec![Effect::Write, Effect::Read];
        Linear {
            workloads: system.scenario.workloads.iter().map(|workload| workload.name.clone()).collect(),
            oracle: asked.then(|| Linearizability::new(system.names.clone(), effects)),
        }
    }

    /// One record a workload; all of them share the store, and the verdict.
    pub fn verdicts(&self) -> Vec<PropertyRecord> {
        let Some(oracle) = &self.oracle else { return Vec::new() };
        let record =
            |name: &String| verdict(&format!("linearizable({name})"), oracle.verdict(), oracle.checked());
        self.workloads.iter().map(record).collect()
    }
}

impl Judge for Linear {
    fn observe(&mut self, said: &Stamped) {
        if let Some(oracle) = &mut self.oracle {
            oracle.observe(said);
        }
    }
}
