//! Everything of a world but the processes themselves: what a [`Context`](crate::Context) acts on.

use std::collections::VecDeque;
use std::sync::Arc;

use super::setup::{CpuCost, Limits, Setup, Workload};
use super::{Sent, Stop, Tag, Work, id};
use crate::clock::Clock;
use crate::disk::{Disk, DiskCost, DiskOp, DiskResult, Durable};
use crate::fact::{Fact, NodeId, Operation, Outcome, Request, RequestId, Stamped};
use crate::fault::{Fault, FaultKind, Hit, Hits};
use crate::hash::{fold, name_hash};
use crate::network::{Flight, Network};
use crate::process::{Message, Process};
use crate::queue::{Entry, Queue};
use crate::random::{Domain, Keyed, Stream, below, unit};
use crate::time::{Span, Time};
use crate::timers::{NO_IDLE_TIMERS, TimerId, Timers};
use crate::topology::SiteId;
use crate::trace::{Event, Recorded, Trace};

/// What the engine keeps of one node: little, so that a hundred thousand idle ones fit.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: u64,
    pub(crate) hash: u64,
    /// When the CPU is done with what it was given.
    pub(crate) free: Time,
    pub(crate) inbox: VecDeque<Work>,
    site: SiteId,
    pub(crate) incarnation: u32,
    pub(crate) idle_timers: u32,
    /// Index into the distinct CPU costs.
    pub(crate) cost: u16,
    pub(crate) down: bool,
    pub(crate) paused: bool,
    /// An entry that will wake the CPU is in the queue.
    pub(crate) waking: bool,
    correct: bool,
    /// Some fault slows the CPU or the disk.
    slow: bool,
}

/// A message, stored once for all its recipients.
#[derive(Clone, Debug)]
pub(crate) struct Payload<M> {
    pub(crate) message: Option<M>,
    pub(crate) digest: u64,
    pub(crate) from: NodeId,
    pub(crate) bytes: u32,
    /// Deliveries that are still to come.
    copies: u32,
    pub(crate) kind: u8,
}

#[derive(Clone)]
pub(crate) struct Core<P: Process> {
    pub(crate) now: Time,
    pub(crate) queue: Queue,
    pub(crate) hosts: Vec<Host>,
    pub(crate) configs: Arc<[P::Config]>,
    pub(crate) durables: Vec<P::Durable>,
    pub(crate) costs: Vec<CpuCost>,
    pub(crate) timers: Timers<P::Timer>,
    pub(crate) payloads: Vec<Payload<P::Message>>,
    free_payloads: Vec<u32>,
    pub(crate) network: Network,
    pub(crate) trace: Trace,
    /// Facts said during this event.
    pub(crate) said: Vec<Stamped>,
    pub(crate) requests: Vec<Request>,
    pub(crate) plan: Arc<[Fault]>,
    /// Indices of the active faults, in plan order.
    pub(crate) active: Vec<u32>,
    pub(crate) hits: Vec<Hits>,
    pub(crate) sent: Vec<Sent>,
    /// Send operations so far, by node times kinds plus kind.
    ordinals: Vec<u64>,
    keyed: Keyed,
    seed: u64,
    disk_costs: Arc<[DiskCost]>,
    disks: Vec<Option<Box<Disk<<P::Durable as Durable>::Write>>>>,
    clocks: Vec<Clock>,
    streams: Vec<Option<Box<Stream>>>,
    workloads: Arc<[Workload]>,
    /// Arrivals and probes so far, by workload.
    arrivals: Vec<[u64; 2]>,
    limits: Limits,
    steps: u64,
    last: Time,
    at_once: u64,
}

impl<P: Process> Core<P> {
    pub(crate) fn new(setup: Setup<P::Config>) -> Core<P> {
        let n = setup.nodes.len();
        let kinds = P::Message::KINDS.len();
        let mut costs: Vec<CpuCost> = Vec::new();
        let mut hosts = Vec::with_capacity(n);
        for (i, node) in setup.nodes.iter().enumerate() {
            assert!((node.site.0 as usize) < setup.topology.sites(), "{} sits on no site", node.name);
            let cost = costs.iter().position(|cost| *cost == node.cpu).unwrap_or_else(|| {
                costs.push(node.cpu);
                costs.len() - 1
            });
            hosts.push(Host {
                name: name_hash(&node.name),
                hash: 0,
                free: Time::ZERO,
                inbox: VecDeque::new(),
                site: node.site,
                incarnation: 0,
                idle_timers: NO_IDLE_TIMERS,
                cost: u16::try_from(cost).expect("fewer than 2^16 kinds of CPU"),
                down: true,
                paused: false,
                waking: false,
                correct: !setup.byzantine.contains(&id(i)),
                slow: false,
            });
        }
        let clocks =
            setup.nodes.iter().map(|node| Clock::new(node.clock_offset_ns, node.drift_ppb)).collect();
        let mut core = Core {
            now: Time::ZERO,
            queue: Queue::new(),
            hosts,
            disk_costs: setup.nodes.iter().map(|node| node.disk).collect(),
            configs: setup.nodes.into_iter().map(|node| node.config).collect(),
            durables: vec![P::Durable::default(); n],
            costs,
            timers: Timers::new(),
            payloads: Vec::new(),
            free_payloads: Vec::new(),
            network: Network::new(Arc::new(setup.topology), n),
            trace: Trace::new(setup.keep),
            said: Vec::new(),
            requests: Vec::new(),
            hits: vec![Hits::default(); setup.plan.len()],
            plan: setup.plan,
            active: Vec::new(),
            sent: vec![Sent::default(); kinds],
            ordinals: vec![0; n * kinds],
            keyed: Keyed::new(setup.seed),
            seed: setup.seed,
            disks: (0..n).map(|_| None).collect(),
            clocks,
            streams: (0..n).map(|_| None).collect(),
            arrivals: vec![[0; 2]; setup.workloads.len()],
            workloads: setup.workloads.into(),
            limits: setup.limits,
            steps: 0,
            last: Time::ZERO,
            at_once: 0,
        };
        core.schedule_start();
        core
    }

    /// First entries of the queue: boots, then edges of faults, then the first arrivals.
    fn schedule_start(&mut self) {
        for node in 0..self.hosts.len() {
            self.push(Time::ZERO, Tag::Boot, id(node).0, 0);
        }
        let plan = Arc::clone(&self.plan);
        for (index, fault) in plan.iter().enumerate().filter(|(_, fault)| fault.ever()) {
            let index = u32::try_from(index).expect("fewer than 2^32 faults");
            self.push(fault.start, Tag::FaultStart, 0, index);
            if fault.end < Time::MAX {
                self.push(fault.end, Tag::FaultEnd, 0, index);
            }
        }
        for index in 0..self.workloads.len() {
            let slot = u32::try_from(index).expect("fewer than 2^16 workloads");
            let first = self.gap(index);
            self.push(Time::ZERO.saturating_add(first), Tag::Arrival, 0, slot);
            if let Some(probe) = self.workloads[index].probe {
                self.push(Time::ZERO.saturating_add(probe.every), Tag::Probe, 0, slot);
            }
        }
    }

    #[inline]
    fn push(&mut self, at: Time, tag: Tag, target: u32, slot: u32) {
        self.queue.push(Entry { at, target, slot, tag: tag as u32, extra: 0 });
    }

    /// Moves the clock to the next event, unless a limit ends the run there.
    #[inline]
    pub(crate) fn over_limit(&mut self, at: Time) -> Option<Stop> {
        assert!(self.now <= at, "event at {at} popped after {}", self.now);
        self.now = at;
        self.steps += 1;
        if self.steps > self.limits.events {
            return Some(Stop::Events);
        }
        if at > self.last {
            self.last = at;
            self.at_once = 0;
        } else {
            self.at_once += 1;
            if self.at_once > self.limits.at_once {
                return Some(Stop::ZeroTimeLoop);
            }
        }
        if self.steps.is_multiple_of(4096) && self.bytes() > self.limits.bytes {
            return Some(Stop::Bytes);
        }
        None
    }

    pub(crate) fn bytes(&self) -> u64 {
        let payloads = self.payloads.capacity() * size_of::<Payload<P::Message>>();
        let requests = self.requests.capacity() * size_of::<Request>();
        (self.queue.bytes() + self.timers.bytes() + payloads + requests) as u64
    }

    /// Folds an event of a node into the trace.
    #[inline]
    pub(crate) fn note(&mut self, node: usize, event: Event, kind: u8, digest: u64, from: NodeId) {
        let host = &mut self.hosts[node];
        let word = self.trace.event(self.now, host.name, event, kind, digest);
        host.hash = fold(host.hash, word);
        if self.trace.records() {
            let number = self.trace.events();
            let recorded = Recorded {
                at: self.now,
                number,
                node: id(node).0,
                from: from.0,
                event,
                kind,
                digest,
                fact: None,
            };
            self.trace.record(recorded);
        }
    }

    #[inline]
    pub(crate) fn say(&mut self, node: NodeId, at: Time, fact: Fact) {
        let about = match fact {
            Fact::Suspect { node } | Fact::Trust { node } => self.hosts[node.index()].name,
            _ => 0,
        };
        let host = &mut self.hosts[node.index()];
        let word = self.trace.fact(at, host.name, &fact, about);
        host.hash = fold(host.hash, word);
        let event = self.trace.events();
        self.said.push(Stamped { at, event, node, correct: host.correct, fact });
        if self.trace.records() {
            self.trace.record(Recorded {
                at,
                number: event,
                node: node.0,
                from: node.0,
                event: Event::Fact,
                kind: 0,
                digest: word,
                fact: Some(fact),
            });
        }
    }

    /// Sends one message to each of `to`; returns when the CPU is done with that.
    #[inline]
    pub(crate) fn send(
        &mut self,
        me: NodeId,
        mut done: Time,
        to: impl Iterator<Item = NodeId>,
        message: P::Message,
    ) -> Time {
        let kind = message.kind();
        let bytes = message.bytes();
        let digest = message.digest();
        let host = &self.hosts[me.index()];
        let (from_site, name) = (host.site, host.name);
        let cost = self.costs[host.cost as usize].send(bytes);
        let ordinal = &mut self.ordinals[me.index() * P::Message::KINDS.len() + kind];
        let base = self.keyed.base(name ^ kind as u64, *ordinal);
        *ordinal += 1;
        #[expect(clippy::cast_possible_truncation, reason = "protocols have fewer than 256 kinds")]
        let kind = kind as u8;
        let slot = self.store(Payload { message: Some(message), digest, from: me, bytes, copies: 0, kind });
        for to in to {
            if to == me {
                self.deliver(done, to, slot);
                continue;
            }
            done = done + self.slowed(me, cost);
            let sent = &mut self.sent[kind as usize];
            sent.count += 1;
            sent.bytes += u64::from(bytes);
            let recipient = &self.hosts[to.index()];
            let flight = Flight {
                from: me,
                to,
                from_site,
                to_site: recipient.site,
                to_name: recipient.name,
                kind,
                bytes,
                base,
                departs: done,
            };
            let fate = self.network.transmit(&self.keyed, &flight, &self.plan, &mut self.hits);
            if fate.corrupt.is_none() {
                for at in [fate.arrives, fate.again].into_iter().flatten() {
                    self.deliver(at, to, slot);
                }
            } else {
                self.deliver_corrupted(slot, to, &fate);
            }
        }
        if self.payloads[slot as usize].copies == 0 {
            self.free_payload(slot);
        }
        done
    }

    #[inline]
    fn deliver(&mut self, at: Time, to: NodeId, slot: u32) {
        self.payloads[slot as usize].copies += 1;
        self.push(at, Tag::Deliver, to.0, slot);
    }

    /// A message whose bits flipped: the recipient's checksum drops it, unless the model says that none catches it.
    fn deliver_corrupted(&mut self, slot: u32, to: NodeId, fate: &crate::network::Fate) {
        let payload = &self.payloads[slot as usize];
        let (from, kind) = (payload.from, payload.kind);
        let Some(at) = fate.arrives else { return };
        let corrupted = fate.corrupt.zip(payload.message.as_ref());
        let Some(message) = corrupted.and_then(|(word, message)| message.corrupted(word)) else { return };
        let (digest, bytes) = (message.digest(), message.bytes());
        let flipped = Payload { message: Some(message), digest, from, bytes, copies: 0, kind };
        let slot = self.store(flipped);
        self.deliver(at, to, slot);
    }

    #[inline]
    fn store(&mut self, payload: Payload<P::Message>) -> u32 {
        if let Some(slot) = self.free_payloads.pop() {
            self.payloads[slot as usize] = payload;
            return slot;
        }
        self.payloads.push(payload);
        u32::try_from(self.payloads.len() - 1).expect("fewer than 2^32 messages in flight")
    }

    /// Ends one delivery; the message goes back if others are still to come.
    #[inline]
    pub(crate) fn release_payload(&mut self, slot: u32, message: Option<P::Message>) {
        let payload = &mut self.payloads[slot as usize];
        payload.copies -= 1;
        if payload.copies == 0 {
            self.free_payload(slot);
        } else if message.is_some() {
            payload.message = message;
        }
    }

    #[inline]
    fn free_payload(&mut self, slot: u32) {
        self.payloads[slot as usize].message = None;
        self.free_payloads.push(slot);
    }

    /// Has the CPU look at its inbox when it is free.
    #[inline]
    pub(crate) fn wake_at_free(&mut self, node: usize) {
        let host = &mut self.hosts[node];
        if !host.waking && !host.inbox.is_empty() {
            host.waking = true;
            let at = host.free.max(self.now);
            self.push(at, Tag::Wake, id(node).0, 0);
        }
    }

    /// The time that work takes on this node's CPU, slow faults included.
    #[inline]
    pub(crate) fn slowed(&mut self, node: NodeId, span: Span) -> Span {
        if !self.hosts[node.index()].slow {
            return span;
        }
        let factor = self.factor(|kind| match kind {
            FaultKind::Slow { nodes, cpu, .. } if nodes.has(node) => Some(*cpu),
            _ => None,
        });
        let slowed = span.scale(factor);
        let more = slowed.0.saturating_sub(span.0);
        self.blame(node.index(), Hit::TimeSlowedNs, more, |kind| matches!(kind, FaultKind::Slow { .. }));
        slowed
    }

    /// Product of the factors of all active faults for which `of` gives one.
    fn factor(&self, of: impl Fn(&FaultKind) -> Option<f64>) -> f64 {
        self.active.iter().filter_map(|&i| of(&self.plan[i as usize].kind)).product()
    }

    /// Whether an active fault of this kind covers the node.
    pub(crate) fn covered(&self, node: NodeId, of: impl Fn(&FaultKind) -> bool) -> bool {
        self.active.iter().map(|&i| &self.plan[i as usize].kind).any(|kind| of(kind) && covers(kind, node))
    }

    /// Adds to a count of every active fault of this kind that covers the node.
    pub(crate) fn blame(&mut self, node: usize, hit: Hit, n: u64, of: impl Fn(&FaultKind) -> bool) {
        for &index in &self.active {
            let kind = &self.plan[index as usize].kind;
            if of(kind) && covers(kind, id(node)) {
                self.hits[index as usize].add(hit, n);
            }
        }
    }

    /// Adds the time that a fault lasted to its counts.
    pub(crate) fn count_time(&self, fault: &Fault, hits: &mut Hits) {
        let lasted = fault.lasted(self.now).0;
        match &fault.kind {
            FaultKind::Crash { nodes, .. } => hits.add(Hit::TimeDownNs, lasted * nodes.iter().count() as u64),
            FaultKind::Pause { nodes } => hits.add(Hit::TimePausedNs, lasted * nodes.iter().count() as u64),
            _ => {}
        }
    }

    pub(crate) fn set_pace(&mut self, node: NodeId) {
        self.hosts[node.index()].slow = self.covered(node, |kind| matches!(kind, FaultKind::Slow { .. }));
    }

    pub(crate) fn jump_clock(&mut self, node: NodeId, by_ns: i64) {
        self.clocks[node.index()].jump(by_ns);
    }

    /// Makes the node's clock fit the active faults.
    pub(crate) fn set_clock(&mut self, node: NodeId) {
        let (mut offset, mut drift) = (0_i64, 0_i64);
        for &index in &self.active {
            if let FaultKind::Clock { nodes, offset_ns, drift_ppb, .. } = &self.plan[index as usize].kind
                && nodes.has(node)
            {
                offset = offset.saturating_add(*offset_ns);
                drift = drift.saturating_add(*drift_ppb);
            }
        }
        let now = self.now;
        self.clocks[node.index()].set(now, offset, drift);
    }

    pub(crate) fn wall_clock(&self, node: NodeId, now: Time) -> Time {
        self.clocks[node.index()].wall(now)
    }

    pub(crate) fn stream(&mut self, node: NodeId) -> &mut Stream {
        let name = self.hosts[node.index()].name;
        let seed = self.seed;
        self.streams[node.index()].get_or_insert_with(|| Box::new(Stream::new(seed, name)))
    }

    #[inline]
    pub(crate) fn set_timer(&mut self, me: NodeId, now: Time, after: Span, timer: P::Timer) -> TimerId {
        let after = self.clocks[me.index()].real(after);
        let host = &mut self.hosts[me.index()];
        let deadline = now.saturating_add(after);
        let (id, entry) = self.timers.set(me.0, host.incarnation, &mut host.idle_timers, deadline, timer);
        if let Some(slot) = entry {
            self.push(deadline, Tag::Timer, me.0, slot);
        }
        id
    }

    #[inline]
    pub(crate) fn cancel_timer(&mut self, id: TimerId) {
        if let Some(node) = self.timers.owner(id) {
            self.timers.cancel(id, &mut self.hosts[node as usize].idle_timers);
        }
    }

    pub(crate) fn disk_write(
        &mut self,
        me: NodeId,
        at: Time,
        write: <P::Durable as Durable>::Write,
        bytes: u32,
    ) {
        let takes = self.disk_span(me, self.disk_costs[me.index()].write);
        self.disks[me.index()].get_or_insert_with(|| Box::new(Disk::new())).write(at, write, bytes, takes);
    }

    pub(crate) fn disk_sync(&mut self, me: NodeId, at: Time) -> DiskOp {
        let cost = self.disk_costs[me.index()];
        let unsynced = self.disks[me.index()].as_ref().map_or(0, |disk| disk.unsynced_bytes());
        let takes = self.disk_span(me, cost.sync + Span(cost.per_kilobyte.0 * unsynced / 1000));
        let disk = self.disks[me.index()].get_or_insert_with(|| Box::new(Disk::new()));
        let (op, end) = disk.sync(at, takes);
        let extra = self.hosts[me.index()].incarnation;
        self.queue.push(Entry { at: end, target: me.0, slot: 0, tag: Tag::Disk as u32, extra });
        op
    }

    fn disk_span(&mut self, node: NodeId, span: Span) -> Span {
        if !self.hosts[node.index()].slow {
            return span;
        }
        let factor = self.factor(|kind| match kind {
            FaultKind::Slow { nodes, disk, .. } if nodes.has(node) => Some(*disk),
            _ => None,
        });
        let slowed = span.scale(factor);
        let more = slowed.0.saturating_sub(span.0);
        self.blame(node.index(), Hit::TimeSlowedNs, more, |kind| matches!(kind, FaultKind::Slow { .. }));
        slowed
    }

    pub(crate) fn disk_complete(&mut self, node: usize) -> (DiskOp, DiskResult) {
        let disk = self.disks[node].as_mut().expect("a completed sync was issued");
        (disk.complete(&mut self.durables[node]), DiskResult::Synced)
    }

    /// Writes that a crash would take now.
    pub(crate) fn unsynced(&self, node: usize) -> u64 {
        self.disks[node].as_ref().map_or(0, |disk| disk.unsynced())
    }

    /// Takes a node down: its inbox, its timers and its unsynced writes are gone.
    pub(crate) fn crash(&mut self, node: usize, amnesia: bool) {
        let now = self.now;
        self.note(node, Event::Crash, 0, u64::from(amnesia), id(node));
        self.say(id(node), now, Fact::Crash);
        let host = &mut self.hosts[node];
        host.down = true;
        host.waking = false;
        host.incarnation += 1;
        while let Some(work) = self.hosts[node].inbox.pop_front() {
            self.lost_at_down(node, work.event, work.slot);
        }
        if let Some(disk) = &mut self.disks[node] {
            disk.crash(now);
        }
        if amnesia {
            self.durables[node] = P::Durable::default();
        }
    }

    /// Something arrives at a node that is down.
    pub(crate) fn lost_at_down(&mut self, node: usize, event: Event, slot: u32) {
        let crash = |kind: &FaultKind| matches!(kind, FaultKind::Crash { .. });
        match event {
            Event::Deliver => {
                self.release_payload(slot, None);
                self.blame(node, Hit::MessagesLostAtDown, 1, crash);
            }
            Event::Timer => {
                self.timers.take(slot);
            }
            Event::Request => {
                self.blame(node, Hit::RequestsLostAtDown, 1, crash);
                let (now, request) = (self.now, RequestId(slot));
                let gone = Fact::Complete { request, outcome: Outcome::ClientDown, value: 0 };
                self.say(id(node), now, gone);
            }
            _ => {}
        }
    }

    fn gap(&self, workload: usize) -> Span {
        let source = &self.workloads[workload];
        let base = self.keyed.base(name_hash(&source.name), self.arrivals[workload][0]);
        source.gap.sample(self.keyed.word(Domain::Arrival, base, 0))
    }

    /// Draws the request that arrives now, and schedules the arrival after it.
    pub(crate) fn next_request(&mut self, entry: Entry, probe: bool) -> (Request, NodeId) {
        let index = entry.slot as usize;
        let workloads = Arc::clone(&self.workloads);
        let source = &workloads[index];
        let id = RequestId(u32::try_from(self.requests.len()).expect("fewer than 2^32 requests"));
        let ordinal = self.arrivals[index][usize::from(probe)];
        self.arrivals[index][usize::from(probe)] += 1;
        let base = self.keyed.base(name_hash(&source.name), ordinal);
        let word = |part| self.keyed.word(Domain::Request, base, part);
        let (client, kind, key) = match source.probe {
            Some(asked) if probe => (asked.client, asked.operation, u64::MAX),
            _ => {
                let clients = source.clients.len() as u64;
                let client = usize::try_from(below(word(1), clients)).expect("an index");
                (source.clients[client], pick(&source.operations, unit(word(2))), below(word(3), source.keys))
            }
        };
        let next = match source.probe {
            Some(asked) if probe => asked.every,
            // Requests of one group arrive together.
            _ if !(ordinal + 1).is_multiple_of(source.together) => Span::ZERO,
            _ => self.gap(index),
        };
        let tag = if probe { Tag::Probe } else { Tag::Arrival };
        self.push(entry.at.saturating_add(next), tag, 0, entry.slot);
        let workload = u16::try_from(index).expect("fewer than 2^16 workloads");
        let operation = Operation { kind, key, value: u64::from(id.0) + 1 };
        let request = Request { id, workload, probe, operation };
        self.requests.push(request);
        (request, client)
    }
}

/// The kind that a number in (0, 1) picks by weight.
fn pick(operations: &[(u16, f64)], at: f64) -> u16 {
    let total: f64 = operations.iter().map(|(_, weight)| weight).sum();
    let mut left = at * total;
    for &(kind, weight) in operations {
        left -= weight;
        if left < 0.0 {
            return kind;
        }
    }
    operations.last().expect("a workload has operations").0
}

fn covers(kind: &FaultKind, node: NodeId) -> bool {
    match kind {
        FaultKind::Crash { nodes, .. }
        | FaultKind::Pause { nodes }
        | FaultKind::Slow { nodes, .. }
        | FaultKind::Clock { nodes, .. } => nodes.has(node),
        FaultKind::Partition { .. } | FaultKind::Messages { .. } | FaultKind::Cut { .. } => false,
    }
}
