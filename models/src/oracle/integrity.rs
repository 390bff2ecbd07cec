//! Integrity: what is executed is executed once.

use std::sync::Arc;

use murphy_sim::{Fact, Judge, NodeId, RequestId, Stamped};

use super::table::Table;
use super::{Finding, Names, OracleVerdict};

/// Judges that no request is executed twice in a history.
///
/// - A request has one slot: all correct replicas that execute it do so at the same.
/// - Between two restarts or installed states a replica goes through the log once, forwards: it
///   executes no request twice at one slot, and returns to no earlier slot.
///
/// After a restart, or on top of an installed state, a replica may execute a slot again: that is
/// how it rebuilds its state. The null request may be executed any number of times.
#[derive(Clone, Debug)]
pub struct Integrity {
    names: Names,
    /// Where each request was executed first.
    first: Table<Option<(u64, NodeId)>>,
    replicas: Vec<Replica>,
    finding: Finding,
    checked: u64,
}

/// What a replica executed last since it started or installed a state.
#[derive(Clone, Debug, Default)]
struct Replica {
    slot: Option<u64>,
    batch: Vec<RequestId>,
}

impl Integrity {
    /// An oracle for the nodes with these names, in roster order.
    pub fn new(names: Arc<[String]>) -> Integrity {
        Integrity {
            replicas: vec![Replica::default(); names.len()],
            names: Names(names),
            first: Table::default(),
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

    /// How many executed commands were compared with what was executed before.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    fn execute(&mut self, said: &Stamped, slot: u64, request: RequestId) {
        self.checked += 1;
        let who = self.names.of(said.node);
        let replica = &mut self.replicas[said.node.index()];
        match replica.slot {
            Some(last) if slot < last => {
                self.finding.report(said, || {
                    format!("{who} executed slot {slot} after slot {last}, without a restart or a new state")
                });
            }
            Some(last) if slot == last => {}
            _ => replica.batch.clear(),
        }
        replica.slot = Some(slot);
        if request == RequestId::NONE {
            return;
        }
        if replica.batch.contains(&request) {
            self.finding
                .report(said, || format!("{who} executed request {} twice at slot {slot}", request.0));
        }
        replica.batch.push(request);
        let first = self.first.entry(u64::from(request.0));
        match *first {
            Some((known, by)) if known != slot => {
                let by = self.names.of(by);
                self.finding.report(said, || {
                    format!(
                        "request {} was executed twice: at slot {known} by {by}, at slot {slot} by {who}",
                        request.0
                    )
                });
            }
            Some(_) => {}
            None => *first = Some((slot, said.node)),
        }
    }
}

impl Judge for Integrity {
    fn observe(&mut self, said: &Stamped) {
        if !said.correct || self.violated() {
            return;
        }
        match said.fact {
            Fact::Execute { slot, request, .. } => self.execute(said, slot, request),
            Fact::Crash | Fact::Restart | Fact::Install { .. } => {
                let replica = &mut self.replicas[said.node.index()];
                replica.slot = None;
                replica.batch.clear();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, check_violated, names};
    use super::*;

    fn judged(story: &Story) -> Integrity {
        story.judge(Integrity::new(names()))
    }

    #[test]
    fn a_history_may_be_replayed_after_a_restart_or_an_installed_state() {
        let null = RequestId::NONE.0;
        let log = |story: Story| {
            story.execute(&[0, 1], 1, 1, 11).execute(&[0, 1], 1, 2, 12).execute(&[0, 1], 2, null, 13).execute(
                &[0, 1],
                2,
                null,
                13,
            )
        };
        let story = log(log(Story::default())
            .each(&[0], Fact::Restart)
            .each(&[1], Fact::Install { slot: 0, state: 0 }));
        let oracle = judged(&story);
        assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 16));
    }

    #[test]
    fn a_request_executed_twice_is_found() {
        let story = Story::default().execute(&[0], 1, 1, 11).execute(&[1], 1, 1, 11);
        check_violated(
            judged(&story.clone().execute(&[1], 2, 1, 12)).verdict(),
            3,
            "request 1 was executed twice: at slot 1 by r0, at slot 2 by r1",
        );
        check_violated(
            judged(&story.clone().execute(&[1], 1, 1, 12)).verdict(),
            3,
            "r1 executed request 1 twice at slot 1",
        );
        check_violated(
            judged(&story.execute(&[1], 2, 2, 12).execute(&[1], 1, 1, 11)).verdict(),
            4,
            "r1 executed slot 1 after slot 2, without a restart or a new state",
        );
        // A restart does not excuse a second slot.
        let story =
            Story::default().execute(&[0], 1, 1, 11).each(&[0], Fact::Restart).execute(&[0], 2, 1, 12);
        check_violated(
            judged(&story).verdict(),
            3,
            "request 1 was executed twice: at slot 1 by r0, at slot 2 by r0",
        );
    }
}
