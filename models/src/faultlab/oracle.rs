//! What is judged: whether reads see acknowledged writes, and only what was written.

use std::collections::BTreeMap;

use murphy_scenarios::{MetricKind, MetricRecord, Oracles, PropertyRecord, Verdict};
use murphy_sim::{Fact, Judge, NodeId, Operation, Outcome, RequestId, Stamped, Time};

use super::PUT;

/// A write, as its client saw it.
#[derive(Clone, Copy, Debug)]
struct Written {
    value: u64,
    invoked: Time,
    /// When it was acknowledged.
    done: Option<Time>,
}

/// Reads that did not see what they should.
///
/// A read is *stale* when another write was acknowledged before the read began, and began after the
/// write that the read returned was acknowledged. It is *corrupt* when nobody wrote what it returned.
#[derive(Clone, Debug, Default)]
pub struct Freshness {
    operations: Vec<Operation>,
    invoked: BTreeMap<RequestId, Time>,
    writes: BTreeMap<u64, Vec<Written>>,
    reads: u64,
    stale: Vec<(Time, NodeId, u64)>,
    corrupt: Vec<(Time, NodeId, u64)>,
}

impl Freshness {
    /// Reads that were judged.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// How many reads were stale.
    pub fn stale(&self) -> usize {
        self.stale.len()
    }

    /// How many reads were corrupt.
    pub fn corrupt(&self) -> usize {
        self.corrupt.len()
    }

    fn complete(&mut self, said: &Stamped, request: RequestId, outcome: Outcome, value: u64) {
        let Some(&operation) = self.operations.get(request.index()) else { return };
        let Some(invoked) = self.invoked.remove(&request) else { return };
        let writes = self.writes.entry(operation.key).or_default();
        if outcome != Outcome::Ok {
            return;
        }
        if operation.kind == PUT {
            if let Some(write) = writes.iter_mut().find(|write| write.value == operation.value) {
                write.done = Some(said.at);
            }
            return;
        }
        self.reads += 1;
        let seen = writes.iter().find(|write| write.value == value);
        if value != 0 && seen.is_none() {
            self.corrupt.push((said.at, said.node, value));
            return;
        }
        // A key without any write reads as zero, which was there before all writes.
        let since = match seen {
            Some(write) => write.done,
            None => Some(Time::ZERO),
        };
        let replaced = |write: &Written| {
            let acknowledged = write.done.is_some_and(|done| done < invoked);
            acknowledged && since.is_some_and(|since| since <= write.invoked) && write.value != value
        };
        if writes.iter().any(replaced) {
            self.stale.push((said.at, said.node, value));
        }
    }
}

impl Judge for Freshness {
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            Fact::Arrive(request) => self.operations.push(request.operation),
            Fact::Invoke { request } => {
                self.invoked.insert(request, said.at);
                if let Some(operation) = self.operations.get(request.index()).filter(|op| op.kind == PUT) {
                    let written = Written { value: operation.value, invoked: said.at, done: None };
                    self.writes.entry(operation.key).or_default().push(written);
                }
            }
            Fact::Complete { request, outcome, value } => self.complete(said, request, outcome, value),
            _ => {}
        }
    }
}

/// The judges of the laboratory.
#[derive(Clone, Debug, Default)]
pub struct LabOracles {
    freshness: Freshness,
    suspicions: u64,
}

impl Judge for LabOracles {
    fn observe(&mut self, said: &Stamped) {
        self.freshness.observe(said);
        self.suspicions += u64::from(matches!(said.fact, Fact::Suspect { .. }));
    }
}

impl Oracles for LabOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let Freshness { stale, corrupt, .. } = &self.freshness;
        let seen = |name: &str, checked: u64| PropertyRecord {
            name: name.to_owned(),
            verdict: Verdict::Held,
            checked,
        };
        vec![
            seen("lab.stale_read", stale.len() as u64),
            seen("lab.corrupt_read", corrupt.len() as u64),
            seen("lab.suspicion", self.suspicions),
        ]
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        let counter = |name: &str, reads: &[(Time, NodeId, u64)]| MetricRecord {
            name: name.to_owned(),
            unit: "1".to_owned(),
            kind: MetricKind::Counter,
            samples: reads.iter().map(|(at, node, _)| (at.0, node.0, 1.0)).collect(),
        };
        vec![counter("stale_reads", &self.freshness.stale), counter("corrupt_reads", &self.freshness.corrupt)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use murphy_sim::Request;

    use crate::faultlab::GET;

    /// (kind, value that a put writes or a get returns, begin, end); all on one key.
    fn judged(story: &[(u16, u64, u64, u64)]) -> (usize, usize) {
        let mut facts = Vec::new();
        for (place, &(kind, value, begin, end)) in story.iter().enumerate() {
            let id = RequestId(u32::try_from(place).unwrap());
            let operation = Operation { kind, key: 1, value: if kind == PUT { value } else { 1000 } };
            let request = Request { id, workload: 0, probe: false, operation };
            facts.push((0, Fact::Arrive(request)));
            facts.push((begin, Fact::Invoke { request: id }));
            facts.push((end, Fact::Complete { request: id, outcome: Outcome::Ok, value }));
        }
        facts.sort_by_key(|(at, _)| *at);
        let mut judge = Freshness::default();
        for (at, fact) in facts {
            judge.observe(&Stamped { at: Time(at), event: 0, node: NodeId(0), correct: true, fact });
        }
        (judge.stale(), judge.corrupt())
    }

    #[test]
    fn stale_and_corrupt_reads_are_told_from_those_that_may_be() {
        assert_eq!(judged(&[(PUT, 7, 1, 2), (GET, 7, 3, 4)]), (0, 0));
        assert_eq!(judged(&[(PUT, 7, 1, 2), (PUT, 8, 3, 4), (GET, 7, 5, 6)]), (1, 0));
        assert_eq!(judged(&[(PUT, 7, 1, 2), (GET, 0, 3, 4)]), (1, 0), "an acknowledged write is gone");
        assert_eq!(judged(&[(PUT, 7, 1, 2), (GET, 9, 3, 4)]), (0, 1));
        assert_eq!(judged(&[(PUT, 7, 1, 4), (PUT, 8, 2, 3), (GET, 7, 5, 6)]), (0, 0), "they overlapped");
        assert_eq!(judged(&[(PUT, 7, 1, 2), (PUT, 8, 3, 6), (GET, 7, 4, 5)]), (0, 0), "not acknowledged yet");
        assert_eq!(judged(&[(GET, 0, 1, 2), (PUT, 7, 3, 4)]), (0, 0));
    }
}
