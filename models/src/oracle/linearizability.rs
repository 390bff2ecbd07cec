//! Linearizability: clients see one store, in which every operation takes effect between its call and its reply.

mod register;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_scenarios::Effect;
use murphy_sim::{Fact, Judge, NodeId, Outcome, Request, RequestId, Stamped, Time};

use self::register::{INITIAL, Register};
use self::search::{Answer, Operation, search};
use super::table::Table;
use super::{Finding, Names, OracleVerdict};

/// Judges that the reads and writes of correct clients are those of one key-value store.
///
/// A key is a register that reads as zero until it is written; keys are judged one by one, since
/// linearizability is local (Herlihy & Wing 1990). An operation may take effect from its `Invoke`
/// (from its `Arrive` if its client never says so) until it completes as `Ok`. With any other
/// outcome, or none, a write may take effect at any time after its call, or never, and a read says
/// nothing. The order of facts is the order of time.
///
/// The check is online and exact: a violation is reported at the first completion after which no
/// order of the operations exists. It rests on writes of different values, which the engine
/// promises. A key to which a value, or zero, is written twice is searched by
/// [`Linearizability::verdict`] instead, which may give up: then the verdict is `Unknown`.
#[derive(Clone, Debug)]
pub struct Linearizability {
    names: Names,
    effects: Vec<Effect>,
    entries: Table<Option<Entry>>,
    registers: Vec<Register>,
    by_key: BTreeMap<u64, u32>,
    /// Who writes a value to a register.
    writers: BTreeMap<(u32, u64), RequestId>,
    ambiguous: bool,
    /// Instants of calls and completions; zero is before the run.
    clock: u64,
    /// A client that is not correct has requests of its own.
    untrusted: bool,
    unexplained: Option<String>,
    finding: Finding,
    checked: u64,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
struct Entry {
    client: NodeId,
    register: u32,
    write: bool,
    invoked: bool,
    /// It completed, in whatever way.
    ended: bool,
    /// What it writes, or returned.
    value: u64,
    call: u64,
    called_at: Time,
    /// When it completed as `Ok`, with time and event.
    complete: Option<(u64, Time, u64)>,
    /// For a write: place of its value in the register, once seen.
    cluster: Option<u32>,
}

/// Effort that one search may spend, per key and prefix: words of its memo, 16 MiB.
const SEARCH_BUDGET: u64 = 1 << 21;

impl Linearizability {
    /// An oracle for the nodes with these names, in roster order, and the operations with these effects.
    pub fn new(names: Arc<[String]>, effects: Vec<Effect>) -> Linearizability {
        Linearizability {
            names: Names(names),
            effects,
            entries: Table::default(),
            registers: Vec::new(),
            by_key: BTreeMap::new(),
            writers: BTreeMap::new(),
            ambiguous: false,
            clock: 0,
            untrusted: false,
            unexplained: None,
            finding: Finding::default(),
            checked: 0,
        }
    }

    /// What the facts so far say.
    pub fn verdict(&self) -> OracleVerdict {
        if self.violated() {
            return self.finding.verdict();
        }
        if let Some(verdict) = self.ambiguous.then(|| self.search_ambiguous()).flatten() {
            return verdict;
        }
        self.unexplained.clone().map_or(OracleVerdict::Held, |message| OracleVerdict::Unknown { message })
    }

    /// Whether it is violated, as far as was checked during the run.
    pub fn violated(&self) -> bool {
        self.finding.is_some()
    }

    /// How many complete reads and writes were judged.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    fn arrive(&mut self, said: &Stamped, request: &Request) {
        let write = match self.effects.get(usize::from(request.operation.kind)) {
            Some(Effect::Write) => true,
            Some(Effect::Read) => false,
            Some(Effect::Other) | None => return,
        };
        let key = request.operation.key;
        let next = u32::try_from(self.registers.len()).expect("a run has less than 2^32 requests");
        let register = *self.by_key.entry(key).or_insert(next);
        if register == next {
            self.registers.push(Register::new(key));
        }
        self.untrusted |= !said.correct;
        self.clock += 1;
        let value = if write { request.operation.value } else { 0 };
        let entry = Entry {
            client: said.node,
            register,
            write,
            invoked: false,
            ended: false,
            value,
            call: self.clock,
            called_at: said.at,
            complete: None,
            cluster: None,
        };
        let known = self.entries.entry(u64::from(request.id.0)).replace(entry);
        assert!(known.is_none(), "request {} arrived twice", request.id.0);
        if write && (self.writers.insert((register, value), request.id).is_some() || value == 0) {
            self.registers[register as usize].ambiguous = true;
            self.ambiguous = true;
        }
    }

    fn invoke(&mut self, said: &Stamped, request: RequestId) {
        let Some(entry) = self.entries.entry(u64::from(request.0)) else { return };
        if entry.invoked || entry.ended {
            return;
        }
        self.clock += 1;
        entry.invoked = true;
        entry.call = self.clock;
        entry.called_at = said.at;
        let register = &self.registers[entry.register as usize];
        if let Some(cluster) = entry.cluster
            && !register.ambiguous
        {
            let value = entry.value;
            let reader =
                register.cluster(cluster).first.map(|reader| self.describe(reader)).unwrap_or_default();
            let who = self.names.of(said.node);
            self.finding.report(said, || {
                format!("{reader} before {who} invoked request {}, which writes {value:#x}", request.0)
            });
        }
    }

    fn complete(&mut self, said: &Stamped, request: RequestId, outcome: Outcome, value: u64) {
        let Some(entry) = self.entries.entry(u64::from(request.0)) else { return };
        if entry.ended {
            return;
        }
        entry.ended = true;
        if outcome != Outcome::Ok {
            return;
        }
        self.clock += 1;
        self.checked += 1;
        entry.complete = Some((self.clock, said.at, said.event));
        if !entry.write {
            entry.value = value;
        }
        let entry = *entry;
        if self.registers[entry.register as usize].ambiguous {
            return;
        }
        if entry.write {
            self.complete_write(request, &entry);
        } else {
            self.complete_read(said, request, &entry);
        }
    }

    /// A value that was read before keeps its cluster, whose zone covers this write already.
    fn complete_write(&mut self, request: RequestId, entry: &Entry) {
        if entry.cluster.is_none() {
            let register = &mut self.registers[entry.register as usize];
            let cluster = register.settle(self.clock, request, (entry.call, request));
            self.entry_mut(request).cluster = Some(cluster);
        }
    }

    fn complete_read(&mut self, said: &Stamped, request: RequestId, entry: &Entry) {
        let cluster = if entry.value == 0 {
            INITIAL
        } else if let Some(&writer) = self.writers.get(&(entry.register, entry.value)) {
            let writer_entry = *self.entry_mut(writer);
            writer_entry.cluster.unwrap_or_else(|| {
                let register = &mut self.registers[entry.register as usize];
                let cluster = register.settle(self.clock, request, (writer_entry.call, writer));
                self.entry_mut(writer).cluster = Some(cluster);
                cluster
            })
        } else {
            return self.report_unwritten(said, request);
        };
        let register = &mut self.registers[entry.register as usize];
        if let Some(other) = register.extend(cluster, (entry.call, request)) {
            self.report_conflict(said, request, cluster, other);
        }
    }

    fn entry_mut(&mut self, request: RequestId) -> &mut Entry {
        self.entries
            .entry(u64::from(request.0))
            .as_mut()
            .expect("only operations of the history are looked up")
    }

    fn report_unwritten(&mut self, said: &Stamped, read: RequestId) {
        let text = self.describe(read);
        let key = self.key_of(read);
        if self.untrusted {
            // A client that is not correct may have written anything.
            self.unexplained
                .get_or_insert_with(|| format!("{text} at key {key}, which no correct client had written"));
        } else {
            self.finding.report(said, || format!("{text} at key {key}, which nobody had written"));
        }
    }

    fn report_conflict(&mut self, said: &Stamped, read: RequestId, own: u32, other: u32) {
        let register = &self.registers[self.entry(read).register as usize];
        let (own, other) = (register.cluster(own), register.cluster(other));
        let mut given = vec![];
        for request in [own.first, other.first, other.last].into_iter().flatten() {
            if request != read && !given.contains(&request) {
                given.push(request);
            }
        }
        let given: Vec<_> = given.into_iter().map(|request| self.describe(request)).collect();
        let (read, key, given) = (self.describe(read), register.key, given.join(" and "));
        self.finding.report(said, || {
            format!("no order of the operations on key {key} explains that {read} when {given}")
        });
    }

    fn entry(&self, request: RequestId) -> &Entry {
        let entry = self.entries.get(u64::from(request.0)).and_then(Option::as_ref);
        entry.expect("only operations of the history are looked up")
    }

    fn key_of(&self, request: RequestId) -> u64 {
        self.registers[self.entry(request).register as usize].key
    }

    /// `c0 read 0x7 (request 31, 1.200s to 1.300s)`.
    fn describe(&self, request: RequestId) -> String {
        let entry = self.entry(request);
        let verb = if entry.write { "wrote" } else { "read" };
        let value = if entry.value == 0 { "nothing".into() } else { format!("{:#x}", entry.value) };
        let until = entry.complete.map_or("no reply".into(), |complete| format!("to {}", complete.1));
        let (client, called_at) = (self.names.of(entry.client), entry.called_at);
        format!("{client} {verb} {value} (request {}, {called_at} {until})", request.0)
    }

    /// Searches the keys to which a value was written twice, for the earliest violation.
    fn search_ambiguous(&self) -> Option<OracleVerdict> {
        let ambiguous = (0_u32..).zip(&self.registers).filter(|(_, register)| register.ambiguous);
        let mut unknown = None;
        let mut earliest: Option<(u64, OracleVerdict)> = None;
        for (index, register) in ambiguous {
            match self.search_register(index) {
                Ok(None) => {}
                Ok(Some(violation)) => {
                    if earliest.as_ref().is_none_or(|known| violation.0 < known.0) {
                        earliest = Some(violation);
                    }
                }
                Err(operations) => {
                    unknown = Some(OracleVerdict::Unknown {
                        message: format!(
                            "the search for an order of {operations} operations on key {} gave up: its writes write a value twice",
                            register.key
                        ),
                    });
                }
            }
        }
        earliest.map(|(_, verdict)| verdict).or(unknown)
    }

    /// The first completion after which no order of the operations on a register exists.
    ///
    /// # Errors
    /// The number of operations, when the search gave up.
    fn search_register(&self, register: u32) -> Result<Option<(u64, OracleVerdict)>, usize> {
        let entries = self.entries.range(0, u64::MAX).flatten();
        let entries: Vec<Entry> = entries.filter(|entry| entry.register == register).copied().collect();
        let mut completions: Vec<_> = entries.iter().filter_map(|entry| entry.complete).collect();
        completions.sort_unstable();
        let explained = |count: usize| {
            let until = completions[..count].last().map_or(0, |complete| complete.0);
            let history = prefix(&entries, until);
            match search(&history, SEARCH_BUDGET) {
                Answer::Linearizable => Ok(true),
                Answer::Not => Ok(false),
                Answer::GaveUp => Err(entries.len()),
            }
        };
        if explained(completions.len())? {
            return Ok(None);
        }
        // A prefix of a linearizable history is linearizable.
        let (mut good, mut bad) = (0, completions.len());
        while bad - good > 1 {
            let middle = usize::midpoint(good, bad);
            if explained(middle)? { good = middle } else { bad = middle }
        }
        let (instant, at, event) = completions[bad - 1];
        let key = self.registers[register as usize].key;
        let message =
            format!("no order of the operations on key {key} explains the first {bad} that completed");
        Ok(Some((instant, OracleVerdict::Violated { at, event, message })))
    }
}

/// The operations as they were known at an instant.
fn prefix(entries: &[Entry], until: u64) -> Vec<Operation> {
    let known = entries.iter().filter(|entry| entry.call <= until).map(|entry| Operation {
        call: entry.call,
        complete: entry.complete.map(|complete| complete.0).filter(|&complete| complete <= until),
        write: entry.write,
        value: entry.value,
    });
    known.filter(|operation| operation.write || operation.complete.is_some()).collect()
}

impl Judge for Linearizability {
    fn observe(&mut self, said: &Stamped) {
        if self.violated() {
            return;
        }
        match said.fact {
            // The engine says this one, also of clients that are not correct.
            Fact::Arrive(request) => self.arrive(said, &request),
            _ if !said.correct => {}
            Fact::Invoke { request } => self.invoke(said, request),
            Fact::Complete { request, outcome, value } => self.complete(said, request, outcome, value),
            _ => {}
        }
    }
}
