//! Agreement: correct replicas decide one sequence of commands, and it takes them through one sequence of states.

use std::sync::Arc;

use murphy_sim::{Fact, Judge, NodeId, RequestId, Stamped};

use super::table::Table;
use super::{Finding, Names, OracleVerdict};

/// Judges that no two correct replicas differ about a slot of the log, nor one from itself.
///
/// - Two `Decide` at one slot have equal digests, also across views and restarts.
/// - The *n*-th `Execute` at a slot has the same request and the same state digest everywhere;
///   since the digest is of the whole state, this compares the whole history (a hash chain).
/// - A slot has the same number of commands everywhere. It is complete at a replica when that
///   replica executes at another slot without a restart or an installed state in between.
/// - `Install` and `Stable` at a slot have the state digest of its last command.
#[derive(Clone, Debug)]
pub struct Agreement {
    names: Names,
    slots: Table<Slot>,
    /// Commands of all slots, in order of discovery; each slot is a linked list of them.
    commands: Vec<Command>,
    cursors: Vec<Option<Cursor>>,
    finding: Finding,
    checked: u64,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    decided: Option<Decided>,
    first: Option<u32>,
    /// Its last command, once a replica went on to another slot.
    last: Option<u32>,
    checkpoint: Option<Checkpoint>,
}

#[derive(Clone, Copy, Debug)]
struct Decided {
    by: NodeId,
    view: u64,
    digest: u64,
}

#[derive(Clone, Copy, Debug)]
struct Checkpoint {
    by: NodeId,
    state: u64,
}

#[derive(Clone, Copy, Debug)]
struct Command {
    by: NodeId,
    request: RequestId,
    state: u64,
    next: Option<u32>,
}

/// Where a replica is in the log.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    slot: u64,
    command: u32,
    /// How many commands of the slot it has executed.
    count: u32,
}

impl Agreement {
    /// An oracle for the nodes with these names, in roster order.
    pub fn new(names: Arc<[String]>) -> Agreement {
        Agreement {
            cursors: vec![None; names.len()],
            names: Names(names),
            slots: Table::default(),
            commands: Vec::new(),
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

    /// How many facts were compared with an earlier one about the same place in the log.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    fn decide(&mut self, said: &Stamped, slot: u64, view: u64, digest: u64) {
        let entry = self.slots.entry(slot);
        let Some(known) = entry.decided else {
            entry.decided = Some(Decided { by: said.node, view, digest });
            return;
        };
        self.checked += 1;
        if known.digest != digest {
            let who = self.names.pair(known.by, said.node);
            self.finding.report(said, || {
                format!(
                    "{who} decided different values at slot {slot}: {:#x} in view {}, {digest:#x} in view {view}",
                    known.digest, known.view
                )
            });
        }
    }

    fn execute(&mut self, said: &Stamped, slot: u64, request: RequestId, state: u64) {
        let cursor = self.cursors[said.node.index()];
        if let Some(left) = cursor.filter(|cursor| cursor.slot != slot) {
            self.complete(said, left);
        }
        let (previous, count) = match cursor.filter(|cursor| cursor.slot == slot) {
            Some(cursor) => (Some(cursor.command), cursor.count + 1),
            None => (None, 1),
        };
        let entry = self.slots.entry(slot);
        let known = previous.map_or(entry.first, |at| self.commands[at as usize].next);
        let command = if let Some(known) = known {
            self.compare(said, known, (slot, count), (request, state));
            known
        } else {
            if let Some(last) = entry.last {
                let by = self.commands[last as usize].by;
                self.report_count(said, (by, count - 1), (said.node, count), slot);
            }
            self.append(slot, previous, Command { by: said.node, request, state, next: None })
        };
        self.cursors[said.node.index()] = Some(Cursor { slot, command, count });
    }

    fn compare(&mut self, said: &Stamped, known: u32, place: (u64, u32), found: (RequestId, u64)) {
        self.checked += 1;
        let known = self.commands[known as usize];
        let ((slot, count), (request, state)) = (place, found);
        if known.request != request {
            let who = self.names.pair(known.by, said.node);
            self.finding.report(said, || {
                format!(
                    "{who} executed different commands as number {count} of slot {slot}: {}, {}",
                    title(known.request),
                    title(request)
                )
            });
        } else if known.state != state {
            let who = self.names.pair(known.by, said.node);
            self.finding.report(said, || {
                format!(
                    "{who} reached different states by {}, number {count} of slot {slot}: {:#x}, {state:#x}",
                    title(request),
                    known.state
                )
            });
        }
    }

    fn append(&mut self, slot: u64, previous: Option<u32>, command: Command) -> u32 {
        let at = u32::try_from(self.commands.len()).expect("a run executes less than 2^32 commands");
        self.commands.push(command);
        match previous {
            Some(previous) => self.commands[previous as usize].next = Some(at),
            None => self.slots.entry(slot).first = Some(at),
        }
        at
    }

    /// The replica that says a fact has executed all commands of the slot that it leaves.
    fn complete(&mut self, said: &Stamped, left: Cursor) {
        let entry = self.slots.entry(left.slot);
        let state = self.commands[left.command as usize].state;
        match entry.last {
            None => {
                entry.last = Some(left.command);
                if let Some(checkpoint) = entry.checkpoint {
                    self.compare_checkpoint(said, checkpoint, Checkpoint { by: said.node, state }, left.slot);
                }
                // Another replica may already have executed more at this slot.
                if let Some(more) = self.commands[left.command as usize].next {
                    let by = self.commands[more as usize].by;
                    self.report_count(said, (by, left.count + 1), (said.node, left.count), left.slot);
                }
            }
            Some(last) if last != left.command => {
                let by = self.commands[last as usize].by;
                self.report_count(said, (by, left.count + 1), (said.node, left.count), left.slot);
            }
            Some(_) => self.checked += 1,
        }
    }

    /// One of the two executed `more` or fewer commands than the other.
    fn report_count(&mut self, said: &Stamped, a: (NodeId, u32), b: (NodeId, u32), slot: u64) {
        let who = self.names.pair(a.0, b.0);
        self.finding.report(said, || {
            let (few, many) = (a.1.min(b.1), a.1.max(b.1));
            format!("{who} executed different numbers of commands at slot {slot}: {few}, and {many} or more")
        });
    }

    fn checkpoint(&mut self, said: &Stamped, slot: u64, state: u64) {
        let found = Checkpoint { by: said.node, state };
        let entry = self.slots.entry(slot);
        let known = entry.checkpoint;
        if known.is_none() {
            entry.checkpoint = Some(found);
        }
        let executed = entry.last.map(|last| {
            let last = self.commands[last as usize];
            Checkpoint { by: last.by, state: last.state }
        });
        for known in known.into_iter().chain(executed) {
            self.compare_checkpoint(said, known, found, slot);
        }
    }

    fn compare_checkpoint(&mut self, said: &Stamped, known: Checkpoint, found: Checkpoint, slot: u64) {
        self.checked += 1;
        if known.state != found.state {
            let who = self.names.pair(known.by, found.by);
            self.finding.report(said, || {
                format!(
                    "{who} have different states after slot {slot}: {:#x}, {:#x}",
                    known.state, found.state
                )
            });
        }
    }
}

impl Judge for Agreement {
    fn observe(&mut self, said: &Stamped) {
        if !said.correct || self.violated() {
            return;
        }
        match said.fact {
            Fact::Decide { slot, view, digest } => self.decide(said, slot, view, digest),
            Fact::Execute { slot, request, state } => self.execute(said, slot, request, state),
            Fact::Stable { slot, state } => self.checkpoint(said, slot, state),
            Fact::Install { slot, state } => {
                self.cursors[said.node.index()] = None;
                self.checkpoint(said, slot, state);
            }
            Fact::Crash | Fact::Restart => self.cursors[said.node.index()] = None,
            _ => {}
        }
    }
}

fn title(request: RequestId) -> String {
    if request == RequestId::NONE { "a null request".into() } else { format!("request {}", request.0) }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, check_violated, names};
    use super::*;

    const ALL: &[u32] = &[0, 1, 2, 3];

    fn judged(story: &Story) -> Agreement {
        story.judge(Agreement::new(names()))
    }

    /// Two slots, the first with a batch of two, a checkpoint, and a replica that goes through it all again.
    fn healthy() -> Story {
        let null = RequestId::NONE.0;
        let mut story = Story::default();
        for replica in ALL {
            story = story.decide(*replica, 1, 0, 0xa).execute(&[*replica], 1, 1, 11).execute(
                &[*replica],
                1,
                2,
                12,
            );
            story = story.decide(*replica, 2, u64::from(*replica), 0xb).execute(&[*replica], 2, null, 13);
        }
        story
            .each(ALL, Fact::Stable { slot: 1, state: 12 })
            .each(&[3], Fact::Crash)
            .each(&[3], Fact::Restart)
            .execute(&[3], 1, 1, 11)
            .execute(&[3], 1, 2, 12)
            .execute(&[3], 2, null, 13)
            .each(&[2], Fact::Install { slot: 1, state: 12 })
            .execute(&[2], 2, null, 13)
            .each(&[3], Fact::Restart)
            .execute(&[3], 2, null, 13)
            .execute(ALL, 3, 4, 14)
    }

    #[test]
    fn equal_histories_agree() {
        let oracle = judged(&healthy());
        assert_eq!(oracle.verdict(), OracleVerdict::Held);
        // Decisions, commands, slots left, stable checkpoints.
        let normal = 6 + 9 + 3 + 7;
        // r3 after its first restart, r2 after its state transfer, r3 after its second restart.
        let again = 4 + 3 + 1;
        // Slot 3: three commands, and three replicas that left slot 2 as r0 did.
        assert_eq!(oracle.checked(), normal + again + 6);
    }

    #[test]
    fn two_replicas_or_one_decide_twice() {
        let story = Story::default().decide(1, 18, 0, 0xa).decide(2, 18, 1, 0xa).decide(3, 18, 2, 0xb);
        check_violated(
            judged(&story).verdict(),
            3,
            "r1 and r3 decided different values at slot 18: 0xa in view 0, 0xb in view 2",
        );
        let story = Story::default().decide(1, 18, 0, 0xa).each(&[1], Fact::Restart).decide(1, 18, 2, 0xb);
        check_violated(
            judged(&story).verdict(),
            3,
            "r1 itself decided different values at slot 18: 0xa in view 0, 0xb in view 2",
        );
    }

    #[test]
    fn a_liar_is_not_believed_and_the_first_violation_sticks() {
        let lie = Fact::Decide { slot: 18, view: 0, digest: 0xbad };
        let story = Story::default().lie(0, lie).decide(1, 18, 0, 0xa).decide(2, 18, 0, 0xa);
        assert_eq!(judged(&story).verdict(), OracleVerdict::Held);
        let story = story.decide(3, 18, 1, 0xb).decide(3, 19, 1, 0xa).decide(2, 19, 1, 0xc);
        check_violated(
            judged(&story).verdict(),
            4,
            "r1 and r3 decided different values at slot 18: 0xa in view 0, 0xb in view 1",
        );
    }

    #[test]
    fn execution_differs_in_command_state_or_number() {
        let story = Story::default().execute(&[0], 1, 1, 11).execute(&[0], 1, 2, 12);
        check_violated(
            judged(&story.clone().execute(&[1], 1, 1, 11).execute(&[1], 1, 3, 12)).verdict(),
            4,
            "r0 and r1 executed different commands as number 2 of slot 1: request 2, request 3",
        );
        check_violated(
            judged(&story.clone().execute(&[1], 1, 1, 99)).verdict(),
            3,
            "r0 and r1 reached different states by request 1, number 1 of slot 1: 0xb, 0x63",
        );
        let fewer = "r0 and r1 executed different numbers of commands at slot 1: 1, and 2 or more";
        check_violated(
            judged(&story.clone().execute(&[1], 1, 1, 11).execute(&[1], 2, 3, 13)).verdict(),
            4,
            fewer,
        );
        check_violated(
            judged(&story.clone().execute(&[0], 2, 3, 13).execute(&[1], 1, 1, 11).execute(&[1], 2, 3, 13))
                .verdict(),
            5,
            fewer,
        );
        check_violated(
            judged(&story.execute(&[0], 2, 3, 13).execute(&[1], 1, 1, 11).execute(&[1], 1, 2, 12).execute(
                &[1],
                1,
                4,
                14,
            ))
            .verdict(),
            6,
            "r0 and r1 executed different numbers of commands at slot 1: 2, and 3 or more",
        );
    }

    #[test]
    fn checkpoints_differ_from_each_other_or_from_execution() {
        let text = "r0 and r1 have different states after slot 1: 0xc, 0x63";
        let executed =
            Story::default().execute(&[0], 1, 1, 11).execute(&[0], 1, 2, 12).execute(&[0], 2, 3, 13);
        check_violated(judged(&executed.each(&[1], Fact::Install { slot: 1, state: 99 })).verdict(), 4, text);
        let stable = Story::default().each(&[0], Fact::Stable { slot: 1, state: 12 });
        check_violated(
            judged(&stable.clone().each(&[1], Fact::Install { slot: 1, state: 99 })).verdict(),
            2,
            text,
        );
        check_violated(judged(&stable.execute(&[1], 1, 1, 99).execute(&[1], 2, 2, 13)).verdict(), 3, text);
    }
}
