//! A replica: it changes its copy, sends it, and merges those of others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use murphy_sim::{DiskResult, Fact, NodeId, Operation, Outcome, RequestId, Span, Time};

use super::message::Cells;
use super::{Cell, Cx, Data, LeadersMessage, Timer, Write, metric, own};
use crate::replication::ranges::Ranges;
use crate::replication::{Call, GET};

/// Which replica takes the writes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The one that is asked.
    Any,
    /// Keys are dealt out to the replicas.
    Key,
    /// The first.
    First,
}

/// How a replica replicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the declared parameters say what they are")]
pub struct Options {
    pub data: Data,
    pub owner: Owner,
    /// Stamps never go back behind one that was seen: a hybrid logical clock.
    pub hybrid: bool,
    pub ship_every: Span,
    pub anti_entropy: Span,
    pub work: Span,
    /// A planted bug: counters merge by sum.
    pub by_sum: bool,
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    group: Arc<[NodeId]>,
    options: Options,
    cells: BTreeMap<u64, Arc<Cell>>,
    /// The greatest stamp that it has given or seen.
    latest: u64,
    /// Whom to answer, and which key to ship, when each sync on its way is over.
    syncs: VecDeque<Option<(NodeId, RequestId, u64)>>,
    /// Keys that changed since the last shipment, and when the first of them did.
    changed: BTreeSet<u64>,
    since: Time,
    /// Writes that another replica takes, and whom to answer.
    forwarded: BTreeMap<RequestId, NodeId>,
}

impl Replica {
    pub(super) fn boot(cx: &mut Cx<'_>, group: Arc<[NodeId]>, options: Options) -> Replica {
        let cells = cx.durable().cells().clone();
        if options.anti_entropy > Span::ZERO {
            let phase = Span(cx.rng().below(options.anti_entropy.0));
            cx.set_timer(phase, Timer::Compare);
        }
        cx.fact(Fact::State { digest: cx.durable().digests().digest() });
        Replica {
            group,
            options,
            cells,
            latest: 0,
            syncs: VecDeque::new(),
            changed: BTreeSet::new(),
            since: Time::ZERO,
            forwarded: BTreeMap::new(),
        }
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &LeadersMessage) {
        match message {
            LeadersMessage::Call(Call::Ask { request, operation }) => self.ask(cx, from, *request, operation),
            LeadersMessage::Call(call @ Call::Answer { request, .. }) => {
                if let Some(client) = self.forwarded.remove(request) {
                    cx.send(client, (*call).into());
                }
            }
            LeadersMessage::Call(Call::Refuse { .. }) => {}
            LeadersMessage::Merge { cells, since } => {
                let lag = cx.now().since(*since);
                cx.fact(Fact::Sample { metric: metric::LAG, value: lag.0 });
                self.merge(cx, cells);
            }
            LeadersMessage::Compare { digests } => Replica::compared(cx, from, digests),
            LeadersMessage::Differ { ranges, cells, back } => {
                if *back {
                    let own = cx.durable().of_ranges(*ranges).into();
                    cx.send(from, LeadersMessage::Differ { ranges: *ranges, cells: own, back: false });
                }
                cx.fact(Fact::Sample { metric: metric::EXCHANGED, value: cells.len() as u64 });
                self.merge(cx, cells);
            }
        }
    }

    fn owner(&self, cx: &Cx<'_>, key: u64) -> NodeId {
        match self.options.owner {
            Owner::Any => cx.id(),
            Owner::First => self.group[0],
            Owner::Key => self.group[usize::try_from(key % self.group.len() as u64).expect("a place")],
        }
    }

    fn ask(&mut self, cx: &mut Cx<'_>, from: NodeId, request: RequestId, operation: &Operation) {
        cx.work(self.options.work);
        let key = Cell::place(self.options.data, operation);
        if operation.kind == GET {
            let value = self.cells.get(&key).map_or(0, |cell| cell.read(operation));
            return cx.send(from, Call::Answer { request, outcome: Outcome::Ok, value }.into());
        }
        let owner = self.owner(cx, key);
        if owner != cx.id() {
            self.forwarded.insert(request, from);
            return cx.send(owner, Call::Ask { request, operation: *operation }.into());
        }
        let replica = cx.id().0;
        let mut clock = cx.clock().0;
        if self.options.hybrid {
            clock = clock.max(self.latest + 1);
        }
        self.latest = self.latest.max(clock);
        let empty = || Arc::new(Cell::new(self.options.data));
        let cell = self.cells.entry(key).or_insert_with(empty);
        let before = cell.read(operation);
        Arc::make_mut(cell).change(self.options.data, replica, clock, operation);
        if self.options.data == Data::Lww {
            let after = cell.read(operation);
            if after == before {
                // Its own clock is behind the stamp that is there: the new write is the one that goes.
                dropped(cx, operation.value, before);
            } else {
                cx.fact(Fact::Own { kind: own::REPLACED, a: before, b: after });
            }
        }
        self.tell(cx, key, Some(operation));
        self.keep(cx, key, Some((from, request)));
    }

    /// Writes a cell; after that its owner is answered, and it is shipped.
    fn keep(&mut self, cx: &mut Cx<'_>, key: u64, answer: Option<(NodeId, RequestId)>) {
        let cell = Arc::clone(&self.cells[&key]);
        cx.write(Write { key, cell }, 1000);
        cx.sync();
        self.syncs.push_back(answer.map(|(client, request)| (client, request, key)));
    }

    fn merge(&mut self, cx: &mut Cx<'_>, cells: &Cells) {
        let data = self.options.data;
        for (key, theirs) in cells.iter() {
            let cell = self.cells.entry(*key).or_insert_with(|| Arc::new(Cell::new(data)));
            self.latest = self.latest.max(theirs.stamp());
            let before = Arc::clone(cell);
            Arc::make_mut(cell).merge(theirs, self.options.by_sum);
            if *cell == before {
                continue;
            }
            if let (Data::Lww, Cell::Register(old), Cell::Register(new)) = (data, &*before, &**cell) {
                dropped(cx, old.value, new.value);
            }
            self.tell(cx, *key, None);
            self.keep(cx, *key, None);
        }
    }

    /// Says what a cell shows now, as far as an oracle asks.
    fn tell(&self, cx: &mut Cx<'_>, key: u64, operation: Option<&Operation>) {
        let fact = |kind, b| Fact::Own { kind, a: key, b };
        match &*self.cells[&key] {
            Cell::Register(own) if self.options.data == Data::LwwCounter => {
                cx.fact(fact(own::COUNT, own.value));
            }
            Cell::Counter(own) => cx.fact(fact(own::COUNT, own.value().cast_unsigned())),
            Cell::Multi(own) => {
                let siblings = own.values().count() as u64;
                if siblings > 1 || operation.is_some() {
                    cx.fact(fact(own::SIBLINGS, siblings));
                }
            }
            cell @ (Cell::Set(_) | Cell::TwoPhase(_)) => {
                for element in 0..super::cell::ELEMENTS {
                    let has = match cell {
                        Cell::Set(own) => own.has(element),
                        Cell::TwoPhase(own) => own.has(element),
                        _ => false,
                    };
                    cx.fact(fact(if has { own::HAS } else { own::HAS_NOT }, element));
                }
            }
            Cell::Register(_) | Cell::Map(_) => {}
        }
    }

    pub(super) fn on_disk(&mut self, cx: &mut Cx<'_>, result: DiskResult) {
        let Some(answer) = self.syncs.pop_front() else { return };
        cx.fact(Fact::State { digest: cx.durable().digests().digest() });
        let Some((client, request, key)) = answer.filter(|_| result == DiskResult::Synced) else { return };
        cx.send(client, Call::Answer { request, outcome: Outcome::Ok, value: 0 }.into());
        if self.changed.is_empty() {
            self.since = cx.now();
            cx.set_timer(self.options.ship_every, Timer::Ship);
        }
        self.changed.insert(key);
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        let others: Vec<NodeId> = self.group.iter().copied().filter(|node| *node != cx.id()).collect();
        if others.is_empty() {
            return;
        }
        match timer {
            Timer::Ship => {
                let changed = std::mem::take(&mut self.changed);
                let cells = cx.durable().cells();
                let cells = changed.into_iter().filter_map(|key| Some((key, Arc::clone(cells.get(&key)?))));
                let message = LeadersMessage::Merge { cells: cells.collect(), since: self.since };
                cx.broadcast(others, message);
            }
            Timer::Compare => {
                cx.set_timer(self.options.anti_entropy, Timer::Compare);
                let other = usize::try_from(cx.rng().below(others.len() as u64)).expect("a place");
                let digests = Arc::new(cx.durable().digests().clone());
                cx.send(others[other], LeadersMessage::Compare { digests });
            }
            Timer::Client(_) => {}
        }
    }

    fn compared(cx: &mut Cx<'_>, from: NodeId, theirs: &Ranges) {
        let ranges = cx.durable().digests().differing(theirs);
        if ranges != 0 {
            let cells = cx.durable().of_ranges(ranges).into();
            cx.send(from, LeadersMessage::Differ { ranges, cells, back: true });
        }
    }
}

/// Of two values of a register one goes.
fn dropped(cx: &mut Cx<'_>, loser: u64, winner: u64) {
    if loser != 0 && winner != 0 && loser != winner {
        cx.fact(Fact::Own { kind: own::DROPPED, a: loser, b: winner });
    }
}
