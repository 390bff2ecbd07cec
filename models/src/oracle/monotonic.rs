//! Monotonic reads: what a client has seen it does not unsee.

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_scenarios::Effect;
use murphy_sim::{Fact, Judge, NodeId, Outcome, Request, RequestId, Stamped};

use super::table::Table;
use super::{Finding, Names, OracleVerdict};

/// Judges that a correct client's reads of one key never go back: a read that it starts after
/// another one ended returns no older value (Terry et al. 1994).
///
/// Values are as old as their writes, in the order in which correct replicas executed them first;
/// zero is older than all. It rests on writes of different values, which the engine promises. A value
/// that no correct replica had executed is for other oracles.
#[derive(Clone, Debug)]
pub struct MonotonicReads {
    names: Names,
    effects: Vec<Effect>,
    /// Age of what each request wrote, counted from one in order of execution; zero before.
    ages: Table<u64>,
    executed: u64,
    /// The request that writes a value.
    writers: Table<Option<RequestId>>,
    reads: Table<Option<Read>>,
    /// Youngest value that each client has read of each key.
    seen: BTreeMap<(NodeId, u64), u64>,
    finding: Finding,
    checked: u64,
}

/// A read that is not complete.
#[derive(Clone, Copy, Debug)]
struct Read {
    key: u64,
    /// Age that its value must have.
    least: u64,
}

impl MonotonicReads {
    /// An oracle for the nodes with these names, in roster order, and the operations with these effects.
    pub fn new(names: Arc<[String]>, effects: Vec<Effect>) -> MonotonicReads {
        MonotonicReads {
            names: Names(names),
            effects,
            ages: Table::default(),
            executed: 0,
            writers: Table::default(),
            reads: Table::default(),
            seen: BTreeMap::new(),
            finding: Finding::default(),
            checked: 0,
        }
    }

    /// What the facts so far say.
    pub fn verdict(&self) -> OracleVerdict {
        self.finding.verdict()
    }

    /// Whether it is violated.
    pub fn violated(&self) -> bool {
        self.finding.is_some()
    }

    /// How many reads were compared with an earlier one of the same client and key.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    fn arrive(&mut self, said: &Stamped, request: &Request) {
        let operation = request.operation;
        match self.effects.get(usize::from(operation.kind)) {
            Some(Effect::Write) => *self.writers.entry(operation.value) = Some(request.id),
            Some(Effect::Read) => {
                let least = self.least(said.node, operation.key);
                *self.reads.entry(u64::from(request.id.0)) = Some(Read { key: operation.key, least });
            }
            Some(Effect::Other) | None => {}
        }
    }

    fn least(&self, client: NodeId, key: u64) -> u64 {
        self.seen.get(&(client, key)).copied().unwrap_or(0)
    }

    fn complete(&mut self, said: &Stamped, request: RequestId, value: u64) {
        let Some(read) = self.reads.get(u64::from(request.0)).copied().flatten() else { return };
        let age = match self.writers.get(value).copied().flatten() {
            _ if value == 0 => 0,
            Some(writer) => match self.ages.get(u64::from(writer.0)) {
                Some(&age) if age > 0 => age,
                _ => return,
            },
            None => return,
        };
        self.checked += u64::from(read.least > 0);
        if age < read.least {
            let who = self.names.of(said.node);
            self.finding.report(said, || {
                format!(
                    "{who} read an older value of key {} by request {} than it had read before",
                    read.key, request.0
                )
            });
        }
        let seen = self.seen.entry((said.node, read.key)).or_insert(0);
        *seen = (*seen).max(age);
    }
}

impl Judge for MonotonicReads {
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            Fact::Arrive(request) => self.arrive(said, &request),
            _ if !said.correct => {}
            Fact::Execute { request, .. } if request != RequestId::NONE => {
                let age = self.ages.entry(u64::from(request.0));
                if *age == 0 {
                    self.executed += 1;
                    *age = self.executed;
                }
            }
            // A read that waited for a session starts here.
            Fact::Invoke { request } => {
                let Some(read) = self.reads.get(u64::from(request.0)).copied().flatten() else { return };
                let least = self.least(said.node, read.key);
                *self.reads.entry(u64::from(request.0)) = Some(Read { least, ..read });
            }
            Fact::Complete { request, outcome: Outcome::Ok, value } => self.complete(said, request, value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{CLIENT, GET, Story, check_violated, effects, names};
    use super::*;

    /// Requests 1 and 2 write the values 101 and 102; request 3 reads the second.
    fn story() -> Story {
        Story::default()
            .put(1)
            .put(2)
            .execute(&[0, 1], 1, 1, 11)
            .execute(&[0, 1], 2, 2, 12)
            .invoke(CLIENT, 3, GET, 5, 0)
            .complete(CLIENT, 3, 102)
    }

    fn judged(story: &Story) -> MonotonicReads {
        story.judge(MonotonicReads::new(names(), effects()))
    }

    #[test]
    fn a_client_does_not_go_back() {
        let text = "c0 read an older value of key 5 by request 4 than it had read before";
        check_violated(
            judged(&story().invoke(CLIENT, 4, GET, 5, 0).complete(CLIENT, 4, 101)).verdict(),
            14,
            text,
        );
        check_violated(
            judged(&story().invoke(CLIENT, 4, GET, 5, 0).complete(CLIENT, 4, 0)).verdict(),
            14,
            text,
        );
    }

    #[test]
    fn other_clients_keys_and_overlapping_reads_may() {
        let story = story()
            .invoke(CLIENT, 4, GET, 5, 0)
            .complete(CLIENT, 4, 102)
            .invoke(CLIENT + 1, 5, GET, 5, 0)
            .complete(CLIENT + 1, 5, 101)
            .invoke(CLIENT, 6, GET, 9, 0)
            .complete(CLIENT, 6, 0);
        let oracle = judged(&story);
        assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 1));
        let overlap = Story::default()
            .put(1)
            .execute(&[0], 1, 1, 11)
            .invoke(CLIENT, 2, GET, 5, 0)
            .invoke(CLIENT, 3, GET, 5, 0)
            .complete(CLIENT, 3, 101)
            .complete(CLIENT, 2, 0);
        assert_eq!(judged(&overlap).verdict(), OracleVerdict::Held);
    }
}
