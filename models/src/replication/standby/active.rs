//! A primary: it serves, ships its log, and keeps its lease.

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_sim::{Fact, Law, NodeId, Outcome, RequestId, Span, Time};

use super::replica::{Covered, Heat, Lag, Replica, Role, Shipping};
use super::{Cx, Record, StandbyMessage, Timer, Write, metric, own};
use crate::replication::{Call, GET};

/// Time after which a record that no standby confirmed is sent again.
const RESEND: Span = Span::secs(1);
/// Time that a primary gives the one that asked for its place.
const YIELD: Span = Span::secs(1);
/// Records of one message.
const BATCH: usize = 256;

/// A write that is not acknowledged yet.
#[derive(Clone, Debug)]
struct Open {
    record: Record,
    waiting: Vec<(NodeId, RequestId)>,
    stored: bool,
}

/// A record that some standby may not have.
#[derive(Clone, Copy, Debug)]
struct Unconfirmed {
    record: Record,
    sent: Option<Time>,
}

/// What only a primary has.
#[derive(Clone, Debug)]
pub(super) struct Active {
    next: u64,
    since: Time,
    /// Starts as a standby with cold caches.
    cold: bool,
    open: BTreeMap<u64, Open>,
    /// Values on their way, and their record.
    by_value: BTreeMap<u64, u64>,
    unconfirmed: BTreeMap<u64, Unconfirmed>,
    /// Standbys that have the state, and the records that they have beyond it.
    joined: BTreeMap<NodeId, u64>,
    /// Records that wait for their batch or their turn, from the first to the last.
    queued: Option<(u64, u64)>,
    busy: bool,
    /// A semi-synchronous primary goes on alone.
    alone: bool,
    /// Standbys that catch up: acknowledgements wait for them, and with this record they are in sync.
    target: BTreeMap<NodeId, u64>,
    /// Places of the group that are to be in sync, and those that the arbiter takes for it.
    insync: u64,
    agreed: u64,
    /// Answers to what was asked before do not count.
    asked: Time,
    /// It stops for this one, until then.
    yielding: Option<(NodeId, Time)>,
}

/// The bit of a node's place in the group.
fn place(group: &[NodeId], node: NodeId) -> u64 {
    group.iter().position(|known| *known == node).map_or(0, |place| 1 << (place % 64))
}

impl Replica {
    /// Ready to serve.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_>) {
        let store = cx.durable();
        let (next, blocks, fresh) = (store.last + 1, store.blocks().clone(), store.last == 0);
        self.visible = blocks;
        let cold = self.options.heat != Heat::Hot && !fresh;
        self.role = Role::Active(Box::new(Active {
            next,
            since: cx.now(),
            cold,
            open: BTreeMap::new(),
            by_value: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            joined: BTreeMap::new(),
            queued: None,
            busy: false,
            // No standby is there yet.
            alone: true,
            target: BTreeMap::new(),
            insync: 0,
            agreed: 0,
            asked: Time::ZERO,
            yielding: None,
        }));
        cx.fact(Fact::Own { kind: own::SERVING, a: self.term, b: 0 });
        if self.options.ship_every > Span::ZERO {
            // Batches begin anywhere in their period.
            let phase = Span(cx.rng().below(self.options.ship_every.0));
            cx.set_timer(phase, Timer::Batch);
        }
        // Warm enough: within a tenth of normal speed.
        let excess = 10.0 * (self.options.cold_factor - 1.0);
        let cool = if cold && excess > 1.0 { libm::log(excess) } else { 0.0 };
        cx.set_timer(self.options.warm_up.scale(cool), Timer::Warm);
    }

    /// CPU time of a request: cold caches slow it down, less and less.
    fn work(&self, now: Time, active: &Active) -> Span {
        let warm = self.options.warm_up;
        if !active.cold || warm == Span::ZERO {
            return self.options.work;
        }
        let age = now.since(active.since).0 as f64 / warm.0 as f64;
        self.options.work.scale(1.0 + (self.options.cold_factor - 1.0) * libm::exp(-age))
    }

    pub(super) fn serve(&mut self, cx: &mut Cx<'_>, from: NodeId, call: Call) {
        let Call::Ask { request, operation } = call else { return };
        let to = self.primary.filter(|primary| *primary != cx.id());
        let fenced = self.fenced(cx);
        let (active, work) = match &self.role {
            Role::Active(active) if !fenced && active.yielding.is_none() => {
                (active, self.work(cx.now(), active))
            }
            _ => return cx.send(from, Call::Refuse { request, to }.into()),
        };
        cx.work(work);
        if operation.kind == GET {
            let value = self.visible.get(&operation.key).map_or(0, |block| block.1);
            return self.answer(cx, from, request, value);
        }
        let (value, next) = (operation.value, active.next);
        if let Some(seq) = active.by_value.get(&value).copied() {
            // Sent twice: answered with the first.
            let Role::Active(active) = &mut self.role else { return };
            if let Some(open) = active.open.get_mut(&seq) {
                open.waiting.push((from, request));
            }
        } else if cx.durable().has(value) {
            self.answer(cx, from, request, 0);
        } else {
            let record = Record { seq: next, key: operation.key, value, committed: cx.now() };
            let Role::Active(active) = &mut self.role else { return };
            active.next += 1;
            active.by_value.insert(value, next);
            active.open.insert(next, Open { record, waiting: vec![(from, request)], stored: false });
            self.write(cx, Write::Put(record), 1000, Covered::Own(record));
        }
    }

    fn answer(&mut self, cx: &mut Cx<'_>, to: NodeId, request: RequestId, value: u64) {
        cx.fact(Fact::Own { kind: own::ANSWERED, a: self.term, b: u64::from(request.0) });
        cx.send(to, Call::Answer { request, outcome: Outcome::Ok, value }.into());
    }

    /// The primary's own record is on its disk: it may leave, and perhaps it is committed.
    pub(super) fn stored_here(&mut self, cx: &mut Cx<'_>, record: &Record) {
        let options = self.options;
        let Role::Active(active) = &mut self.role else { return };
        let seq = record.seq;
        let Some(open) = active.open.get_mut(&seq) else { return };
        open.stored = true;
        open.record.committed = cx.now();
        active.unconfirmed.insert(seq, Unconfirmed { record: open.record, sent: None });
        let waits = options.ship_every > Span::ZERO || options.lag_law == Lag::Stream;
        if waits {
            let first = active.queued.map_or(seq, |(first, _)| first);
            active.queued = Some((first, seq));
        }
        if options.ship_every == Span::ZERO {
            if options.lag_law == Lag::Stream {
                self.stream(cx);
            } else {
                let lag = self.lag(cx);
                self.depart(cx, lag, seq, seq);
            }
        }
        self.commit(cx);
    }

    fn lag(&mut self, cx: &mut Cx<'_>) -> Span {
        let mean = self.options.lag;
        match self.options.lag_law {
            Lag::Constant => mean,
            Lag::Exponential | Lag::Stream => Law::Exponential { mean }.sample(cx.rng().word()),
        }
    }

    fn depart(&mut self, cx: &mut Cx<'_>, lag: Span, first: u64, last: u64) {
        if lag == Span::ZERO {
            self.leave(cx, first, last);
        } else {
            cx.set_timer(lag, Timer::Leave(first, last));
        }
    }

    /// The next record of a stream, if none is on its way.
    fn stream(&mut self, cx: &mut Cx<'_>) {
        let Role::Active(active) = &mut self.role else { return };
        let (false, Some((first, last))) = (active.busy, active.queued) else { return };
        active.busy = true;
        active.queued = (first < last).then_some((first + 1, last));
        let lag = self.lag(cx);
        self.depart(cx, lag, first, first);
    }

    /// Time for a batch.
    pub(super) fn batch(&mut self, cx: &mut Cx<'_>) {
        let Role::Active(active) = &mut self.role else { return };
        let queued = active.queued.take();
        cx.set_timer(self.options.ship_every, Timer::Batch);
        if let Some((first, last)) = queued {
            let lag = self.lag(cx);
            self.depart(cx, lag, first, last);
        }
    }

    /// Records leave the primary.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>, first: u64, last: u64) {
        let now = cx.monotonic();
        let Role::Active(active) = &mut self.role else { return };
        active.busy = false;
        let mut records = Vec::new();
        for (_, unconfirmed) in active.unconfirmed.range_mut(first..=last) {
            unconfirmed.sent = Some(now);
            records.push(unconfirmed.record);
        }
        for records in records.chunks(BATCH) {
            let message = StandbyMessage::Ship { term: self.term, records: records.into() };
            cx.broadcast(active.joined.keys().copied(), message);
        }
        if self.options.lag_law == Lag::Stream && self.options.ship_every == Span::ZERO {
            self.stream(cx);
        }
    }

    /// A standby has everything up to `prefix`.
    pub(super) fn stored_at(&mut self, cx: &mut Cx<'_>, from: NodeId, prefix: u64) {
        let Role::Active(active) = &mut self.role else { return };
        let Some(known) = active.joined.get_mut(&from) else { return };
        *known = (*known).max(prefix);
        let least = active.joined.values().copied().min().unwrap_or(0);
        active.unconfirmed = active.unconfirmed.split_off(&(least + 1));
        let target = *active.target.entry(from).or_insert(active.next - 1);
        let place = place(&self.group, from);
        if prefix >= target && active.insync & place == 0 {
            active.alone = false;
            active.insync |= place;
            self.ask_longer(cx);
        }
        self.commit(cx);
        self.try_yield(cx);
    }

    /// The arbiter knows who is in sync.
    pub(super) fn agreed(&mut self, cx: &mut Cx<'_>, sent: Time, insync: u64) {
        if let Role::Active(active) = &mut self.role
            && sent >= active.asked
        {
            active.agreed = insync;
            self.commit(cx);
        }
    }

    /// How far enough replicas have the log.
    fn replicated(&self, active: &Active) -> u64 {
        // Who was in sync is waited for until the arbiter knows that it is not any more.
        let needed = active.insync | active.agreed;
        let waited =
            |node: &NodeId| active.target.contains_key(node) || needed & place(&self.group, *node) != 0;
        match self.options.shipping {
            Shipping::Asynchronous => u64::MAX,
            Shipping::SemiSynchronous if active.alone => u64::MAX,
            Shipping::SemiSynchronous => active.joined.values().copied().max().unwrap_or(0),
            Shipping::Synchronous => {
                let standbys = active.joined.iter().filter(|(node, _)| waited(node));
                standbys.map(|(_, prefix)| *prefix).min().unwrap_or(u64::MAX)
            }
        }
    }

    /// Its lease is over: another one may serve by now.
    fn fenced(&self, cx: &Cx<'_>) -> bool {
        cx.monotonic() >= self.lease_until
    }

    fn commit(&mut self, cx: &mut Cx<'_>) {
        // An acknowledgement is a service, too.
        while !self.fenced(cx) {
            let Role::Active(active) = &self.role else { return };
            let Some((&seq, open)) = active.open.first_key_value() else { return };
            if !open.stored || seq > self.replicated(active) {
                return;
            }
            let Role::Active(active) = &mut self.role else { return };
            let (_, open) = active.open.pop_first().expect("just seen");
            active.by_value.remove(&open.record.value);
            let block = self.visible.entry(open.record.key).or_default();
            *block = (*block).max((seq, open.record.value));
            for (client, request) in open.waiting {
                self.answer(cx, client, request, 0);
            }
        }
    }

    /// A standby wants the state.
    pub(super) fn joins(&mut self, cx: &mut Cx<'_>, from: NodeId) {
        let Role::Active(active) = &mut self.role else { return };
        active.joined.insert(from, 0);
        active.target.remove(&from);
        let state = Arc::new(cx.durable().clone());
        cx.send(from, StandbyMessage::State { term: self.term, state });
        // Records that left before the standby was there will not come by themselves.
        for unconfirmed in active.unconfirmed.values_mut().filter(|record| record.sent.is_some()) {
            unconfirmed.sent = Some(Time::ZERO);
        }
    }

    /// Time to show life, and to look after what was not confirmed.
    pub(super) fn beat(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(self.options.heartbeat, Timer::Heartbeat);
        let peers = self.peers(cx);
        cx.broadcast(peers, StandbyMessage::Heartbeat { term: self.term });
        let now = cx.monotonic();
        let Role::Active(active) = &mut self.role else { return };
        active.yielding = active.yielding.filter(|(_, until)| now < *until);
        let late = active
            .unconfirmed
            .values_mut()
            .filter(|record| record.sent.is_some_and(|sent| now.since(sent) > RESEND));
        let records: Vec<Record> = late
            .take(BATCH)
            .map(|unconfirmed| {
                unconfirmed.sent = Some(now);
                unconfirmed.record
            })
            .collect();
        if !records.is_empty() {
            let message = StandbyMessage::Ship { term: self.term, records: records.into() };
            cx.broadcast(active.joined.keys().copied(), message);
        }
        self.lose_patience(cx);
    }

    /// Goes on without standbys that do not answer.
    fn lose_patience(&mut self, cx: &mut Cx<'_>) {
        let Role::Active(active) = &mut self.role else { return };
        let Some((&oldest, open)) = active.open.first_key_value() else { return };
        if cx.now().since(open.record.committed) <= self.options.patience {
            return;
        }
        let late = active.joined.iter().filter(|(_, prefix)| **prefix < oldest);
        let late: Vec<NodeId> = late.map(|(node, _)| *node).collect();
        let before = (active.alone, active.insync);
        active.alone = true;
        for node in &late {
            active.insync &= !place(&self.group, *node);
            active.target.remove(node);
        }
        if before == (active.alone, active.insync) {
            return self.commit(cx);
        }
        cx.fact(Fact::Sample { metric: metric::DEGRADED, value: 1 });
        active.agreed = if self.arbiter.is_some() { active.agreed | before.1 } else { active.insync };
        active.asked = cx.monotonic();
        self.commit(cx);
        self.ask_longer(cx);
    }

    pub(super) fn renew(&mut self, cx: &mut Cx<'_>) {
        self.ask_longer(cx);
        if self.arbiter.is_some() {
            cx.set_timer(Span(self.options.lease.0 / 4), Timer::Renew);
        }
    }

    fn ask_longer(&mut self, cx: &mut Cx<'_>) {
        let Some(arbiter) = self.arbiter else { return };
        let insync = match (&self.role, self.options.shipping) {
            (Role::Active(active), Shipping::Synchronous) => active.insync | place(&self.group, cx.id()),
            (_, Shipping::Synchronous) => place(&self.group, cx.id()),
            // Nobody waits for all of them: whoever asks first may follow.
            _ => u64::MAX,
        };
        cx.send(arbiter, StandbyMessage::Renew { term: self.term, sent: cx.monotonic(), insync });
    }

    /// The preferred primary is back and asks for its place.
    pub(super) fn handover(&mut self, cx: &mut Cx<'_>, to: NodeId) {
        let Role::Active(active) = &mut self.role else { return };
        active.yielding = Some((to, cx.monotonic().saturating_add(YIELD)));
        self.try_yield(cx);
    }

    /// Gives up its place once the other one has everything.
    fn try_yield(&mut self, cx: &mut Cx<'_>) {
        let Role::Active(active) = &self.role else { return };
        let Some((to, _)) = active.yielding else { return };
        let complete = active.joined.get(&to).is_some_and(|prefix| prefix + 1 == active.next);
        if !active.open.is_empty() || !complete {
            return;
        }
        cx.fact(Fact::Own { kind: own::YIELDED, a: self.term, b: 0 });
        if let Some(arbiter) = self.arbiter {
            cx.send(arbiter, StandbyMessage::Release { term: self.term });
        }
        cx.send(to, StandbyMessage::Yield { term: self.term });
        (self.role, self.primary, self.joined) = (Role::Passive, None, false);
        self.listen(cx);
    }
}
