//! Everything of a world but the processes themselves: what a [`Context`](crate::Context) acts on.

use std::sync::Arc;

use super::arrivals::Askers;
use super::deceit::add_twins;
use super::failing::Failing;
use super::host::{Host, Inbox, Inboxes};
use super::payload::Payloads;
use super::scripted::{Lists, Watch};
use super::setup::{CpuCost, Limits, Setup, Workload};
use super::{Sent, Stop, Tag, id};
use crate::adversary::Adversary;
use crate::clock::Clock;
use crate::disk::{Disk, DiskCost, Durable};
use crate::fact::{Fact, NodeId, Request, Stamped};
use crate::fault::{Fault, Hits};
use crate::hash::{fold, name_hash};
use crate::network::Network;
use crate::process::{Message, Process};
use crate::queue::{Entry, Queue};
use crate::random::Keyed;
use crate::script::Script;
use crate::time::Time;
use crate::timers::{NO_IDLE_TIMERS, Timers};
use crate::topology::SiteId;
use crate::trace::{Event, Noted, Recorded, Trace};

/// The disk of a node that runs `P`.
type DiskOf<P> = Disk<<<P as Process>::Durable as Durable>::Write>;

#[derive(Clone)]
pub(crate) struct Core<P: Process> {
    pub(crate) now: Time,
    pub(crate) queue: Queue,
    pub(crate) hosts: Vec<Host>,
    /// What a sender needs of its recipient, apart from the hosts: those of many nodes stay in the cache.
    pub(super) names: Vec<u64>,
    pub(super) sites: Vec<SiteId>,
    /// Number of nodes; the hosts behind them are twins.
    pub(crate) roster: usize,
    pub(crate) adversary: Option<Box<Adversary<P::Message>>>,
    pub(crate) inboxes: Inboxes,
    pub(crate) configs: Arc<[P::Config]>,
    pub(crate) durables: Vec<P::Durable>,
    pub(crate) costs: Vec<(CpuCost, DiskCost)>,
    pub(crate) timers: Timers<P::Timer>,
    pub(crate) payloads: Payloads<P::Message>,
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
    pub(super) ordinals: Vec<u64>,
    pub(super) keyed: Keyed,
    pub(super) seed: u64,
    pub(super) disks: Vec<Option<Box<DiskOf<P>>>>,
    pub(super) failing: Failing<P::Durable>,
    pub(super) clocks: Vec<Clock>,
    pub(super) workloads: Arc<[Workload]>,
    /// Arrivals so far, by workload: those of an open one, or sessions.
    pub(super) arrivals: Vec<u64>,
    pub(super) askers: Askers,
    /// Single messages that are amended or recorded.
    pub(super) watch: Option<Box<Watch>>,
    /// Requests that come from lists.
    pub(super) lists: Option<Box<Lists>>,
    limits: Limits,
    steps: u64,
    /// The limits of events and bytes are looked at when so many steps are done.
    look: u64,
    at_once: u64,
}

/// Bytes are counted every so many steps.
const BYTES_STRIDE: u64 = 4096;

impl<P: Process> Core<P> {
    pub(crate) fn new(mut setup: Setup<P::Config>, script: Script) -> Core<P> {
        let roster = setup.nodes.len();
        let adversary = Adversary::new(&setup.plan, roster);
        add_twins(&mut setup);
        let n = setup.nodes.len();
        let kinds = P::Message::KINDS.len();
        let (hosts, costs) = hosts(&setup);
        let clocks =
            setup.nodes.iter().map(|node| Clock::new(node.clock_offset_ns, node.drift_ppb)).collect();
        let mut core = Core {
            now: Time::ZERO,
            queue: Queue::new(),
            names: hosts.iter().map(|host| host.name).collect(),
            sites: setup.nodes.iter().map(|node| node.site).collect(),
            hosts,
            roster,
            adversary,
            inboxes: Inboxes::new(),
            configs: setup.nodes.into_iter().map(|node| node.config).collect(),
            durables: vec![P::Durable::default(); n],
            costs,
            timers: Timers::new(),
            payloads: Payloads::new(),
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
            failing: Failing::new(),
            clocks,
            arrivals: vec![0; setup.workloads.len()],
            askers: Askers::default(),
            workloads: setup.workloads.into(),
            limits: setup.limits,
            watch: None,
            lists: None,
            steps: 0,
            look: 0,
            at_once: 0,
        };
        core.follow(script);
        core.note_byzantine();
        core.schedule_start();
        core
    }

    /// First entries of the queue: boots, then edges of faults, then the first arrivals.
    fn schedule_start(&mut self) {
        for node in 0..self.roster {
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
            self.schedule_arrivals(index);
            if let Some(probe) = self.workloads[index].probe {
                let slot = u32::try_from(index).expect("fewer than 2^16 workloads");
                self.push(Time::ZERO.saturating_add(probe.every), Tag::Probe, 0, slot);
            }
        }
    }

    #[inline]
    pub(super) fn push(&mut self, at: Time, tag: Tag, target: u32, slot: u32) {
        self.queue.push(Entry { at, target, slot, tag: tag as u32, extra: 0 });
    }

    /// Moves the clock to the next event, unless a limit ends the run there.
    #[inline]
    pub(crate) fn over_limit(&mut self, at: Time) -> Option<Stop> {
        assert!(self.now <= at, "event at {at} popped after {}", self.now);
        self.at_once = if at == self.now { self.at_once + 1 } else { 0 };
        self.now = at;
        self.steps += 1;
        if self.steps >= self.look || self.at_once > self.limits.at_once {
            return self.look_at_limits();
        }
        None
    }

    #[cold]
    fn look_at_limits(&mut self) -> Option<Stop> {
        let stride = self.steps / BYTES_STRIDE * BYTES_STRIDE;
        self.look = (stride + BYTES_STRIDE).min(self.limits.events.saturating_add(1));
        if self.steps > self.limits.events {
            return Some(Stop::Events);
        }
        if self.at_once > self.limits.at_once {
            return Some(Stop::ZeroTimeLoop);
        }
        if self.steps == stride && self.bytes() > self.limits.bytes {
            return Some(Stop::Bytes);
        }
        None
    }

    pub(crate) fn bytes(&self) -> u64 {
        let requests = self.requests.capacity() * size_of::<Request>();
        let tables = self.timers.bytes() + self.payloads.bytes() + self.inboxes.bytes() + requests;
        (self.queue.bytes() + tables) as u64
    }

    /// Folds an event of a node into the trace.
    #[inline]
    pub(crate) fn note(&mut self, noted: &Noted) {
        let host = &mut self.hosts[noted.node.index()];
        let word = self.trace.event(self.now, host.name, noted);
        host.hash = fold(host.hash, word);
    }

    /// Folds an event of a node into the trace that is no message.
    pub(crate) fn note_own(&mut self, node: usize, event: Event, digest: u64) {
        self.note(&Noted { node: id(node), from: id(node), event, kind: 0, digest });
    }

    #[inline]
    pub(crate) fn say(&mut self, node: NodeId, at: Time, fact: Fact) {
        // Nobody listens to a twin: what its node does is said once.
        if node.index() >= self.roster {
            return;
        }
        let about = match fact {
            Fact::Suspect { node } | Fact::Trust { node } => self.hosts[node.index()].name,
            _ => 0,
        };
        let host = &mut self.hosts[node.index()];
        let word = self.trace.fact(at, host.name, &fact, about);
        host.hash = fold(host.hash, word);
        let event = self.trace.events();
        self.said.push(Stamped { at, event, node, correct: host.correct, fact });
        if let Fact::Complete { request, outcome, .. } = fact
            && !self.askers.none_waits()
        {
            self.asker_has_result(at, node, request, outcome);
        }
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
}

/// The nodes as they are before anything has happened, and the distinct costs that they point to.
fn hosts<C>(setup: &Setup<C>) -> (Vec<Host>, Vec<(CpuCost, DiskCost)>) {
    let mut costs: Vec<(CpuCost, DiskCost)> = Vec::new();
    let mut hosts = Vec::with_capacity(setup.nodes.len());
    for node in &setup.nodes {
        assert!((node.site.0 as usize) < setup.topology.sites(), "{} sits on no site", node.name);
        let own = (node.cpu, node.disk);
        let cost = costs.iter().position(|cost| *cost == own).unwrap_or_else(|| {
            costs.push(own);
            costs.len() - 1
        });
        hosts.push(Host {
            name: name_hash(&node.name),
            hash: 0,
            free: Time::ZERO,
            stream: None,
            inbox: Inbox::EMPTY,
            incarnation: 0,
            idle_timers: NO_IDLE_TIMERS,
            cost: u16::try_from(cost).expect("fewer than 2^16 kinds of CPU and disk"),
            down: true,
            paused: false,
            waking: false,
            correct: true,
            slow: false,
            subverted: false,
            ailing: false,
            drifts: node.drift_ppb != 0,
        });
    }
    for node in &setup.byzantine {
        hosts[node.index()].correct = false;
    }
    (hosts, costs)
}
