//! The judges: an oracle of our own, and linearizability from the library.

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy::oracle::Linearizability;
use murphy::{Fact, Judge, NodeId, Oracles, PropertyRecord, Stamped, System, Verdict};

use crate::describe::EFFECTS;

/// A server stored version `b` of key `a`.
pub const STORED: u16 = 0;

#[derive(Clone)]
pub struct ChainOracles {
    forward: Forward,
    linearizability: Linearizability,
    workloads: Vec<String>,
    /// Whether a violation of `chain.forward`, or of linearizability, ends the run.
    abort: (bool, bool),
}

impl ChainOracles {
    pub fn new(system: &System) -> ChainOracles {
        let name = |workload: &str| format!("linearizable({workload})");
        let workloads: Vec<_> = system.scenario.workloads.iter().map(|one| name(&one.name)).collect();
        ChainOracles {
            forward: Forward::new(Arc::clone(&system.names)),
            linearizability: Linearizability::new(Arc::clone(&system.names), EFFECTS.to_vec()),
            abort: (system.aborts_on("chain.forward"), workloads.iter().any(|name| system.aborts_on(name))),
            workloads,
        }
    }
}

impl Judge for ChainOracles {
    fn observe(&mut self, said: &Stamped) {
        self.forward.observe(said);
        self.linearizability.observe(said);
    }

    fn wants_stop(&self) -> bool {
        (self.abort.0 && self.forward.verdict != Verdict::Held)
            || (self.abort.1 && self.linearizability.violated())
    }
}

impl Oracles for ChainOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let record =
            |name: &str, verdict, checked| PropertyRecord { name: name.to_owned(), verdict, checked };
        let mut records = vec![record("chain.forward", self.forward.verdict.clone(), self.forward.checked)];
        for name in &self.workloads {
            let linearizability = &self.linearizability;
            records.push(record(name, linearizability.verdict().into(), linearizability.checked()));
        }
        records
    }
}

/// Judges that no server replaces a version by an older one. It sees what servers say, and nothing else.
#[derive(Clone)]
struct Forward {
    names: Arc<[String]>,
    versions: BTreeMap<(NodeId, u64), u64>,
    verdict: Verdict,
    checked: u64,
}

impl Forward {
    fn new(names: Arc<[String]>) -> Forward {
        Forward { names, versions: BTreeMap::new(), verdict: Verdict::Held, checked: 0 }
    }
}

impl Judge for Forward {
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            // A server without a disk starts from nothing.
            Fact::Crash => self.versions.retain(|(node, _), _| *node != said.node),
            Fact::Own { kind: STORED, a: key, b: version } if said.correct => {
                self.checked += 1;
                let before = self.versions.insert((said.node, key), version).unwrap_or(0);
                if version <= before && self.verdict == Verdict::Held {
                    let node = &self.names[said.node.index()];
                    let message =
                        format!("{node} replaced version {before} of key {key} by version {version}");
                    self.verdict = Verdict::Violated { at_ns: said.at.0, event: said.event, message };
                }
            }
            _ => {}
        }
    }
}
