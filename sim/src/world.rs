//! The world: nodes, their CPUs, disks and clocks, the network between them, and the event loop.

mod arrivals;
mod core;
mod deceit;
mod edges;
mod failing;
mod host;
mod load;
mod payload;
mod pools;
mod resources;
mod scripted;
mod sending;
mod setup;
mod trouble;

use crate::disk::DiskResult;
use crate::fact::{Fact, Judge, NodeId};
use crate::fault::{FaultKind, Hit, Hits};
use crate::hash::fold;
use crate::network::NetworkCounts;
use crate::process::{Context, Message as _, Process};
use crate::queue::Entry;
use crate::script::Script;
use crate::time::Time;
use crate::timers::Due;
use crate::trace::{Event, Noted, Trace};

pub(crate) use self::core::Core;
use self::host::{Host, Work};
use self::payload::Payload;
pub use self::setup::{CpuCost, Limits, NodeSetup, Probe, Setup, Workload};

/// Why [`World::run_until`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The time asked for is reached.
    Reached,
    /// A judge wants to stop.
    Judge,
    /// More events than [`Limits::events`].
    Events,
    /// More memory than [`Limits::bytes`].
    Bytes,
    /// More events at one instant than [`Limits::at_once`].
    ZeroTimeLoop,
}

/// Messages handed to the network, one for each recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A simulated system at one instant. It is plain data: a clone has the same future.
#[derive(Clone)]
pub struct World<P: Process, J: Judge> {
    core: Core<P>,
    /// `None` while a node is down.
    nodes: Vec<Option<P>>,
    judge: J,
}

/// Queue tags: the classes of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Tag {
    Boot,
    Deliver,
    Timer,
    Disk,
    Wake,
    Arrival,
    Probe,
    FaultStart,
    FaultEnd,
    Adversary,
    Tick,
}

const TAGS: [Tag; 11] = [
    Tag::Boot,
    Tag::Deliver,
    Tag::Timer,
    Tag::Disk,
    Tag::Wake,
    Tag::Arrival,
    Tag::Probe,
    Tag::FaultStart,
    Tag::FaultEnd,
    Tag::Adversary,
    Tag::Tick,
];

impl<P: Process, J: Judge> World<P, J> {
    /// Builds a world at time zero; nothing has happened yet.
    ///
    /// # Panics
    /// When the setup names a node, site, link or operation that does not exist.
    pub fn new(setup: Setup<P::Config>, judge: J) -> World<P, J> {
        World::scripted(setup, judge, Script::default())
    }

    /// The same with a script: some decisions are taken from lists.
    ///
    /// # Panics
    /// When the setup or the script names a node, site, link or operation that does not exist.
    pub fn scripted(setup: Setup<P::Config>, judge: J, script: Script) -> World<P, J> {
        let core = Core::new(setup, script);
        let nodes = core.hosts.iter().map(|_| None).collect();
        World { core, nodes, judge }
    }

    /// Handles every event up to and including `end`.
    pub fn run_until(&mut self, end: Time) -> Stop {
        while let Some(entry) = self.core.queue.pop_until(end) {
            if self.core.queue.is_renewed() {
                self.prepare();
            }
            if let Some(stop) = self.core.over_limit(entry.at) {
                return stop;
            }
            self.step(entry);
            if !self.core.said.is_empty() {
                for said in &self.core.said {
                    self.judge.observe(said);
                }
                self.core.said.clear();
                if self.judge.wants_stop() {
                    return Stop::Judge;
                }
            }
        }
        self.core.now = self.core.now.max(end);
        Stop::Reached
    }

    /// The current time.
    pub fn now(&self) -> Time {
        self.core.now
    }

    /// The judge.
    pub fn judge(&self) -> &J {
        &self.judge
    }

    /// The judge, to ask it for its verdicts at the end.
    pub fn into_judge(self) -> J {
        self.judge
    }

    /// The trace and its hash.
    pub fn trace(&self) -> &Trace {
        &self.core.trace
    }

    /// Hash of what happened at one node.
    ///
    /// # Panics
    /// When the node does not exist.
    pub fn node_hash(&self, node: NodeId) -> u64 {
        self.core.hosts[node.index()].hash
    }

    /// State of a node for tests of its own model; `None` while it is down. Judges never see it.
    pub fn process(&self, node: NodeId) -> Option<&P> {
        self.nodes.get(node.index())?.as_ref()
    }

    /// Messages handed to the network so far, by kind.
    pub fn sent(&self) -> &[Sent] {
        &self.core.sent
    }

    /// What became of messages, faults of the plan apart.
    pub fn network_counts(&self) -> &NetworkCounts {
        self.core.network.counts()
    }

    /// What each fault of the plan has hit so far; time in a fault that still lasts is counted up to now.
    pub fn hits(&self) -> Vec<Hits> {
        let mut hits = self.core.hits.clone();
        for &index in &self.core.active {
            let fault = &self.core.plan[index as usize];
            self.core.count_time(fault, &mut hits[index as usize]);
        }
        self.core.count_failing(&mut hits);
        hits
    }

    /// Events that are still to come.
    pub fn pending(&self) -> usize {
        self.core.queue.len()
    }

    /// Memory that the world's queues and tables hold, in bytes.
    pub fn bytes(&self) -> u64 {
        self.core.bytes()
    }

    /// Fetches what the next events need into the cache: with many events pending it is not there, and
    /// the waits overlap.
    fn prepare(&self) {
        for entry in self.core.queue.front() {
            let node = entry.target as usize;
            let host = self.core.hosts.get(node).map_or(0, Host::touch);
            let is_up = self.nodes.get(node).is_some_and(Option::is_some);
            std::hint::black_box((host, is_up, self.core.payloads.touch(entry.slot)));
        }
    }

    /// The loop's body: every branch of an event.
    #[inline]
    fn step(&mut self, entry: Entry) {
        let node = entry.target as usize;
        // Most events by far are deliveries.
        if entry.tag == Tag::Deliver as u32 {
            if self.core.hosts[node].is_ready(self.core.now) {
                self.handle_message(node, entry.slot);
            } else {
                self.hold(node, Event::Deliver, entry.slot);
            }
            return;
        }
        match TAGS[entry.tag as usize] {
            Tag::Timer => self.timer(entry),
            Tag::Wake => self.wake(node),
            Tag::Disk => {
                if self.core.hosts[node].incarnation == entry.extra {
                    self.arrive(node, Event::Disk, entry.slot);
                }
            }
            Tag::Arrival => self.arrival(entry, false),
            Tag::Probe => self.arrival(entry, true),
            Tag::Boot => self.boot(node),
            Tag::FaultStart => self.fault_edge(entry.slot, true),
            Tag::FaultEnd => self.fault_edge(entry.slot, false),
            Tag::Adversary => self.core.act(entry),
            Tag::Tick => self.tick(entry),
            Tag::Deliver => unreachable!("deliveries are handled above"),
        }
    }

    /// An entry of a timer comes up.
    fn timer(&mut self, entry: Entry) {
        let node = self.core.timers.node(entry.slot) as usize;
        let host = &mut self.core.hosts[node];
        match self.core.timers.due(entry.slot, entry.at, host.incarnation, &mut host.idle_timers) {
            Due::Nothing => {}
            Due::Later(at) => self.core.queue.push(Entry { at, ..entry }),
            Due::Fire => self.arrive(node, Event::Timer, entry.slot),
        }
    }

    /// Something arrives at a node: it is handled now, or waits for the CPU.
    fn arrive(&mut self, node: usize, event: Event, slot: u32) {
        if self.core.hosts[node].is_ready(self.core.now) {
            self.handle(node, event, slot);
        } else {
            self.hold(node, event, slot);
        }
    }

    /// Something arrives at a node that is down, paused or busy.
    fn hold(&mut self, node: usize, event: Event, slot: u32) {
        let host = &mut self.core.hosts[node];
        if host.down {
            self.core.lost_at_down(node, event, slot);
            return;
        }
        if host.ailing && self.core.refuses(node, event, slot) {
            return;
        }
        let host = &mut self.core.hosts[node];
        self.core.inboxes.push(&mut host.inbox, Work { event, slot });
        if host.paused {
            self.core.blame(node, Hit::EventsHeld, 1, |kind| matches!(kind, FaultKind::Pause { .. }));
        } else {
            self.core.wake_at_free(node);
        }
    }

    /// The CPU may have become free: it takes what waits, in order.
    fn wake(&mut self, node: usize) {
        self.core.hosts[node].waking = false;
        loop {
            let host = &mut self.core.hosts[node];
            if host.down || host.paused || host.inbox.is_empty() {
                return;
            }
            if host.free > self.core.now {
                self.core.wake_at_free(node);
                return;
            }
            if let Some(Work { event, slot }) = self.core.inboxes.pop(&mut host.inbox) {
                self.handle(node, event, slot);
            }
        }
    }

    /// A node handles one event; its CPU is busy until the cost of all it did is paid.
    fn handle(&mut self, node: usize, event: Event, slot: u32) {
        match event {
            Event::Deliver => self.handle_message(node, slot),
            Event::Timer => {
                let Some(timer) = self.core.timers.take(slot) else { return };
                self.with(node, event, 0, |process, cx| process.on_timer(cx, timer));
            }
            Event::Disk => {
                let (op, result) = self.core.disk_complete(node);
                let digest = if result == DiskResult::Synced { op.0 } else { fold(op.0, result as u64) };
                self.with(node, event, digest, |process, cx| process.on_disk(cx, op, result));
            }
            Event::Request => {
                let request = self.core.requests[slot as usize];
                self.with(node, event, u64::from(slot), |process, cx| process.on_request(cx, request));
            }
            other => unreachable!("{other:?} does not wait for a CPU"),
        }
    }

    #[inline]
    fn handle_message(&mut self, node: usize, slot: u32) {
        let (core, me) = (&mut self.core, id(node));
        let payload = core.payloads.take(slot);
        let Payload { digest, from, bytes, kind, .. } = payload;
        let host = &mut core.hosts[node];
        let mut cost = core.costs[host.cost as usize].0.receive(bytes, payload.message.signatures());
        let at = core.now;
        let noted = Noted { node: me, from, event: Event::Deliver, kind, digest };
        host.hash = fold(host.hash, core.trace.event(at, host.name, &noted));
        let subverted = host.subverted;
        if host.slow {
            cost = core.slowed(me, cost);
        }
        let mut done = at + cost;
        if !(subverted && core.ignores(node, from, kind, digest)) {
            let process = self.nodes[node].as_mut().expect("an up node has a process");
            let mut cx = Context { core, me, now: at, done };
            process.on_message(&mut cx, from, &payload.message);
            done = cx.done;
        }
        let core = &mut self.core;
        core.hosts[node].free = done;
        core.payloads.put_back(slot, payload);
    }

    /// Runs one handler of a node and charges its CPU.
    #[inline]
    fn with(
        &mut self,
        node: usize,
        event: Event,
        digest: u64,
        act: impl FnOnce(&mut P, &mut Context<'_, P>),
    ) {
        let core = &mut self.core;
        let at = core.now;
        let done = at + core.slowed(id(node), core.costs[core.hosts[node].cost as usize].0.event);
        core.note_own(node, event, digest);
        let process = self.nodes[node].as_mut().expect("an up node has a process");
        let mut cx = Context { core, me: id(node), now: at, done };
        act(process, &mut cx);
        let done = cx.done;
        core.hosts[node].free = done;
    }

    fn boot(&mut self, node: usize) {
        let core = &mut self.core;
        let now = core.now;
        core.note_own(node, Event::Boot, u64::from(core.hosts[node].incarnation));
        if core.hosts[node].incarnation > 0 {
            core.say(id(node), now, Fact::Restart);
        }
        let host = &mut core.hosts[node];
        host.down = false;
        host.free = now;
        let mut cx = Context { core, me: id(node), now, done: now };
        let process = P::boot(&mut cx);
        let done = cx.done;
        self.nodes[node] = Some(process);
        self.core.start_leaks(node);
        self.core.hosts[node].free = done;
    }

    /// Takes an up node down; how many unsynced writes that took.
    fn crash(&mut self, node: usize, amnesia: bool) -> u64 {
        if self.core.hosts[node].down {
            return 0;
        }
        self.nodes[node] = None;
        self.core.crash(node, amnesia)
    }

    /// A request of a workload arrives, and the next one is drawn.
    fn arrival(&mut self, entry: Entry, probe: bool) {
        let (request, client) = self.core.next_request(entry, probe);
        let node = client.index();
        self.core.say(client, entry.at, Fact::Arrive(request));
        self.arrive(node, Event::Request, request.id.0);
    }
}

#[inline]
pub(crate) fn id(node: usize) -> NodeId {
    NodeId(u32::try_from(node).expect("fewer than 2^32 nodes"))
}
