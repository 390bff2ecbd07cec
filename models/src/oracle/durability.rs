//! Durability: what a client was told is done stays done.

use std::sync::Arc;

use murphy_scenarios::Effect;
use murphy_sim::{Fact, Judge, NodeId, Outcome, Request, RequestId, Stamped};

use super::table::Table;
use super::{Finding, Names, OracleVerdict};

/// Judges that an acknowledged write is in the history of correct replicas, for ever.
///
/// A write is *acknowledged* when its correct client completes it as `Ok`. Its *home* is the slot
/// at which a correct replica executed it first.
///
/// - When a write is acknowledged, it has a home: somebody correct had executed it. A reply that
///   is sent before execution breaks this.
/// - No correct replica passes the home of an acknowledged write without having the write. A
///   replica passes a slot when it executes at a later one. Replies that f + 1 replicas sent
///   before the slot was decided break this, and so does amnesia: a group that lost its disks
///   and fills slot 1 again passes the homes of what it had acknowledged.
///
/// What a replica *has* is what it executed since it first started and what its installed state
/// covers. A replica that executes a slot again after a restart has forgotten that slot and all
/// later ones, until it executes or installs them again. It need not say what its disk kept: a
/// replica that goes on where it stopped has kept everything.
///
/// The rule is about presence alone. An installed state is taken to hold every write whose home
/// it covers, and two commands at one slot are no matter here: agreement judges digests.
#[derive(Clone, Debug)]
pub struct Durability {
    names: Names,
    effects: Vec<Effect>,
    /// Writes by request.
    writes: Table<Option<Write>>,
    /// Last write with its home at a slot; the others hang on it.
    homes: Table<Option<RequestId>>,
    replicas: Vec<Replica>,
    finding: Finding,
    checked: u64,
}

#[derive(Clone, Copy, Debug)]
struct Write {
    client: NodeId,
    acknowledged: bool,
    home: Option<Home>,
}

#[derive(Clone, Copy, Debug)]
struct Home {
    slot: u64,
    by: NodeId,
    /// Another write with the same home.
    next: Option<RequestId>,
}

/// What one replica has.
#[derive(Clone, Debug, Default)]
struct Replica {
    /// Last slot executed or installed.
    reached: Option<u64>,
    /// Every write with its home here or before is in the state.
    base: Option<u64>,
    /// Writes executed since, one bit a request.
    executed: Vec<u64>,
    /// Restarted, and has executed nothing since.
    restarted: bool,
}

impl Replica {
    fn has(&self, request: RequestId, home: u64) -> bool {
        let word = self.executed.get(request.index() / 64).copied().unwrap_or(0);
        self.base.is_some_and(|base| home <= base) || word >> (request.index() % 64) & 1 == 1
    }

    fn add(&mut self, request: RequestId) {
        let word = request.index() / 64;
        if word >= self.executed.len() {
            self.executed.resize(word + 1, 0);
        }
        self.executed[word] |= 1 << (request.index() % 64);
    }

    fn forget(&mut self, request: RequestId) {
        if let Some(word) = self.executed.get_mut(request.index() / 64) {
            *word &= !(1 << (request.index() % 64));
        }
    }

    fn install(&mut self, slot: u64) {
        self.reached = Some(slot);
        self.base = Some(slot);
        self.executed.fill(0);
        self.restarted = false;
    }
}

impl Durability {
    /// An oracle for the nodes with these names, in roster order, and the operations with these effects.
    pub fn new(names: Arc<[String]>, effects: Vec<Effect>) -> Durability {
        Durability {
            replicas: vec![Replica::default(); names.len()],
            names: Names(names),
            effects,
            writes: Table::default(),
            homes: Table::default(),
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

    /// How often an acknowledged write was looked for: at its acknowledgement, and whenever a replica passed its home.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    fn arrive(&mut self, said: &Stamped, request: &Request) {
        if self.effects.get(usize::from(request.operation.kind)) == Some(&Effect::Write) {
            let write = Write { client: said.node, acknowledged: false, home: None };
            self.writes.entry(u64::from(request.id.0)).get_or_insert(write);
        }
    }

    fn write(&self, request: RequestId) -> Option<Write> {
        self.writes.get(u64::from(request.0)).copied().flatten()
    }

    fn acknowledge(&mut self, said: &Stamped, request: RequestId) {
        let Some(write) = self.writes.entry(u64::from(request.0)) else { return };
        if write.acknowledged {
            return;
        }
        write.acknowledged = true;
        self.checked += 1;
        let write = *write;
        let Some(home) = write.home else {
            let client = self.names.of(said.node);
            self.finding.report(said, || {
                format!(
                    "{client} was told that request {} is done, but no correct replica had executed it",
                    request.0
                )
            });
            return;
        };
        let lacking = self.replicas.iter().position(|replica| {
            let passed = replica.reached.is_some_and(|reached| reached > home.slot);
            passed && !replica.has(request, home.slot)
        });
        if let Some(lacking) = lacking {
            let slot = self.replicas[lacking].reached.expect("it passed the home");
            let lacking = u32::try_from(lacking).expect("a node's place fits a u32");
            self.report(said, NodeId(lacking), slot, (request, write, home));
        }
    }

    fn execute(&mut self, said: &Stamped, slot: u64, request: RequestId) {
        let replica = &self.replicas[said.node.index()];
        match replica.reached {
            Some(reached) if slot < reached || (slot == reached && replica.restarted) => {
                self.rewind(said.node, slot, reached);
            }
            Some(reached) if slot == reached => {}
            reached => self.pass(said, reached.unwrap_or(0), slot),
        }
        let replica = &mut self.replicas[said.node.index()];
        replica.reached = Some(slot);
        replica.restarted = false;
        // Whatever is no write that arrived is for other oracles.
        let Some(write) = self.writes.entry(u64::from(request.0)) else { return };
        replica.add(request);
        if write.home.is_none() {
            let last = self.homes.entry(slot);
            write.home = Some(Home { slot, by: said.node, next: *last });
            *last = Some(request);
        }
    }

    /// The replica leaves the slots `from..to` behind.
    fn pass(&mut self, said: &Stamped, from: u64, to: u64) {
        let replica = &self.replicas[said.node.index()];
        let mut missing = None;
        let mut checked = 0;
        for &last in self.homes.range(from, to) {
            let mut next = last;
            while let Some(request) = next {
                let write = self.write(request).expect("a request with a home is a write");
                let home = write.home.expect("the list holds writes with a home");
                next = home.next;
                if write.acknowledged {
                    checked += 1;
                    if missing.is_none() && !replica.has(request, home.slot) {
                        missing = Some((request, write, home));
                    }
                }
            }
        }
        self.checked += checked;
        if let Some(missing) = missing {
            self.report(said, said.node, to, missing);
        }
    }

    /// The replica executes again from `slot`, after it had got to `reached`.
    fn rewind(&mut self, node: NodeId, slot: u64, reached: u64) {
        let replica = &mut self.replicas[node.index()];
        replica.base = replica.base.and_then(|base| Some(base.min(slot.checked_sub(1)?)));
        for &last in self.homes.range(slot, reached.saturating_add(1)) {
            let mut next = last;
            while let Some(request) = next {
                replica.forget(request);
                let write = self.writes.get(u64::from(request.0)).copied().flatten();
                next = write.and_then(|write| write.home?.next);
            }
        }
    }

    fn report(&mut self, said: &Stamped, lacking: NodeId, at: u64, lost: (RequestId, Write, Home)) {
        let (request, write, home) = lost;
        let (lacking, client, by) =
            (self.names.of(lacking), self.names.of(write.client), self.names.of(home.by));
        self.finding.report(said, || {
            format!(
                "{lacking} executed slot {at} without request {}, which {client} was told is done and {by} executed at slot {}",
                request.0, home.slot
            )
        });
    }
}

impl Judge for Durability {
    fn observe(&mut self, said: &Stamped) {
        if self.violated() {
            return;
        }
        match said.fact {
            // The engine says this one, also of clients that are not correct.
            Fact::Arrive(request) => self.arrive(said, &request),
            _ if !said.correct => {}
            Fact::Complete { request, outcome: Outcome::Ok, .. } => self.acknowledge(said, request),
            Fact::Execute { slot, request, .. } => self.execute(said, slot, request),
            Fact::Install { slot, .. } => self.replicas[said.node.index()].install(slot),
            Fact::Restart => self.replicas[said.node.index()].restarted = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{CLIENT, GET, Story, check_violated, effects, names};
    use super::*;

    fn judged(story: &Story) -> Durability {
        story.judge(Durability::new(names(), effects()))
    }

    /// Events 1 to 7: requests 1 and 2 executed by `r0` and `r1` at slots 1 and 2; request 1 acknowledged.
    fn acknowledged() -> Story {
        Story::default().put(1).execute(&[0, 1], 1, 1, 11).complete(CLIENT, 1, 0).put(2).execute(
            &[0, 1],
            2,
            2,
            12,
        )
    }

    #[test]
    fn acknowledged_writes_stay() {
        let story = acknowledged()
            .complete(CLIENT, 2, 0)
            .put(3)
            // r2 was slow, r3 gets a snapshot, r0 and r1 rebuild their state.
            .execute(&[2], 1, 1, 11)
            .execute(&[2], 2, 2, 12)
            .each(&[3], Fact::Install { slot: 2, state: 12 })
            .each(&[0, 1], Fact::Restart)
            .execute(&[0], 1, 1, 11)
            .execute(&[0], 2, 2, 12)
            .execute(&[1], 2, 2, 12)
            .execute(&[0, 1, 2, 3], 3, 3, 13);
        let oracle = judged(&story);
        assert_eq!(oracle.verdict(), OracleVerdict::Held);
        // Two acknowledgements; r0, r1, r2 pass request 1, r0 once more; all four pass request 2.
        assert_eq!(oracle.checked(), 2 + 4 + 4);
    }

    #[test]
    fn reads_and_unacknowledged_writes_may_vanish() {
        let story = Story::default()
            .put(1)
            .execute(&[0], 1, 1, 11)
            .execute(&[1], 2, 2, 12)
            .invoke(CLIENT, 3, GET, 5, 0)
            .complete(CLIENT, 3, 0)
            .say(CLIENT, Fact::Complete { request: RequestId(1), outcome: Outcome::Timeout, value: 0 });
        let oracle = judged(&story);
        assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 0));
    }

    #[test]
    fn a_reply_before_execution() {
        let story = Story::default().put(1).complete(CLIENT, 1, 0).execute(&[0, 1, 2, 3], 1, 1, 11);
        check_violated(
            judged(&story).verdict(),
            3,
            "c0 was told that request 1 is done, but no correct replica had executed it",
        );
        // What a liar executed does not count, nor what a lying client was told.
        let lie = Fact::Execute { slot: 1, request: RequestId(1), state: 11 };
        let story = Story::default().put(1).lie(0, lie);
        check_violated(
            judged(&story.clone().complete(CLIENT, 1, 0)).verdict(),
            4,
            "c0 was told that request 1 is done, but no correct replica had executed it",
        );
        let lie = Fact::Complete { request: RequestId(1), outcome: Outcome::Ok, value: 0 };
        assert_eq!(judged(&story.lie(CLIENT, lie)).verdict(), OracleVerdict::Held);
    }

    #[test]
    fn a_reply_before_the_slot_was_decided() {
        // r0 executed on its own; the others fill the slot with something else, before or after the reply.
        let after = Story::default()
            .put(1)
            .put(2)
            .execute(&[0], 1, 1, 11)
            .complete(CLIENT, 1, 0)
            .execute(&[1, 2, 3], 1, 2, 12)
            .execute(&[1, 2, 3], 2, RequestId::NONE.0, 13);
        let text = |who, slot| {
            format!(
                "{who} executed slot {slot} without request 1, which c0 was told is done and r0 executed at slot 1"
            )
        };
        check_violated(judged(&after).verdict(), 10, &text("r1", 2));
        let before = Story::default()
            .put(1)
            .put(2)
            .execute(&[0], 1, 1, 11)
            .execute(&[2], 1, 2, 12)
            .execute(&[2], 2, RequestId::NONE.0, 13)
            .complete(CLIENT, 1, 0);
        check_violated(judged(&before).verdict(), 8, &text("r2", 2));
        let restarted = Story::default()
            .put(1)
            .execute(&[0], 1, 1, 11)
            .execute(&[2], 2, RequestId::NONE.0, 13)
            .each(&[2], Fact::Restart)
            .complete(CLIENT, 1, 0);
        check_violated(judged(&restarted).verdict(), 6, &text("r2", 2));
    }

    #[test]
    fn amnesia_of_the_whole_group() {
        let story = acknowledged()
            .each(&[0, 1, 2, 3], Fact::Restart)
            .put(3)
            .execute(&[0, 1, 2, 3], 1, 3, 21)
            .put(4)
            .execute(&[0, 1, 2, 3], 2, 4, 22);
        check_violated(
            judged(&story).verdict(),
            22,
            "r0 executed slot 2 without request 1, which c0 was told is done and r0 executed at slot 1",
        );
    }

    #[test]
    fn skipping_a_slot_or_falling_back_to_an_older_state() {
        let text =
            "r2 executed slot 2 without request 1, which c0 was told is done and r0 executed at slot 1";
        check_violated(judged(&acknowledged().execute(&[2], 2, 2, 12)).verdict(), 10, text);
        let story = acknowledged()
            .execute(&[2], 1, 1, 11)
            .each(&[2], Fact::Install { slot: 0, state: 0 })
            .execute(&[2], 2, 2, 12);
        check_violated(judged(&story).verdict(), 12, text);
        // A state that covered the write, and a restart from before it.
        let story = acknowledged()
            .each(&[2], Fact::Install { slot: 1, state: 11 })
            .each(&[2], Fact::Restart)
            .execute(&[2], 1, 2, 12)
            .execute(&[2], 2, 2, 12);
        check_violated(judged(&story).verdict(), 13, text);
        // A restart that goes on beyond what the replica had.
        let story = acknowledged().each(&[2], Fact::Restart).execute(&[2], 2, 2, 12);
        check_violated(judged(&story).verdict(), 11, text);
    }
}
