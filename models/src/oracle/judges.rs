//! One safety property of a protocol's own, and linearizability of its workloads: all that most
//! protocols need for judges.

use std::sync::Arc;

use murphy_scenarios::{OperationInfo, Oracles, PropertyInfo, PropertyKind, PropertyRecord, System, Verdict};
use murphy_sim::{Judge, Stamped};

use super::Linearizability;

/// A safety property, judged from facts alone.
pub trait Property: Default + Clone {
    /// Full name, such as `register.once`.
    const NAME: &'static str;
    /// One sentence: what must hold.
    const ABOUT: &'static str;

    /// Looks at one fact: `None` when it says nothing about the property, an error with what is wrong when
    /// it breaks it. The name of the node is put in front of that.
    fn look(&mut self, said: &Stamped) -> Option<Result<(), String>>;

    /// How the model declares it.
    fn info() -> PropertyInfo {
        PropertyInfo { name: Self::NAME, about: Self::ABOUT, kind: PropertyKind::Safety }
    }
}

/// Judges of one [`Property`] and of linearizability. Nodes that lie are not believed, and the first
/// violation sticks.
#[derive(Clone, Debug)]
pub struct Judges<P> {
    names: Arc<[String]>,
    property: P,
    verdict: Verdict,
    checked: u64,
    linearizability: Linearizability,
    /// Names of the workloads' properties.
    workloads: Vec<String>,
    /// Whether a violation of the property, or of linearizability, ends the run.
    abort: (bool, bool),
}

impl<P: Property> Judges<P> {
    /// The judges of a system whose clients know these operations.
    pub fn new(system: &System, operations: &[OperationInfo]) -> Judges<P> {
        let workloads = system.scenario.workloads.iter();
        let workloads: Vec<String> = workloads.map(|one| format!("linearizable({})", one.name)).collect();
        let effects = operations.iter().map(|operation| operation.effect).collect();
        Judges {
            names: Arc::clone(&system.names),
            property: P::default(),
            verdict: Verdict::Held,
            checked: 0,
            linearizability: Linearizability::new(Arc::clone(&system.names), effects),
            abort: (system.aborts_on(P::NAME), workloads.iter().any(|name| system.aborts_on(name))),
            workloads,
        }
    }
}

impl<P: Property> Judge for Judges<P> {
    fn observe(&mut self, said: &Stamped) {
        self.linearizability.observe(said);
        let Some(seen) = self.property.look(said).filter(|_| said.correct) else { return };
        self.checked += 1;
        if let (Err(wrong), Verdict::Held) = (seen, &self.verdict) {
            let message = format!("{} {wrong}", self.names[said.node.index()]);
            self.verdict = Verdict::Violated { at_ns: said.at.0, event: said.event, message };
        }
    }

    fn wants_stop(&self) -> bool {
        (self.abort.0 && self.verdict != Verdict::Held) || (self.abort.1 && self.linearizability.violated())
    }
}

impl<P: Property> Oracles for Judges<P> {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let record =
            |name: &str, verdict, checked| PropertyRecord { name: name.to_owned(), verdict, checked };
        let mut records = vec![record(P::NAME, self.verdict.clone(), self.checked)];
        for name in &self.workloads {
            let linearizability = &self.linearizability;
            records.push(record(name, linearizability.verdict().into(), linearizability.checked()));
        }
        records
    }
}
