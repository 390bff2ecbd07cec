//! Resources of nodes while a fault makes them fail: what keeps them down, disks, memory, queues,
//! configurations and credentials. Pools have a file of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pools::Pools;
use super::{Core, Tag, World, id};
use crate::disk::{DiskOp, DiskResult, Durable, Landing};
use crate::fact::{Fact, Judge, NodeId, Outcome, RequestId};
use crate::failure::{Credential, Failure, Leak};
use crate::fault::{FaultKind, Hit, Hits, NodeSet};
use crate::hash::name_hash;
use crate::law::Law;
use crate::process::Process;
use crate::queue::Entry;
use crate::random::Domain;
use crate::time::{Span, Time};
use crate::trace::Event;

/// What the engine remembers of failing resources. Maps, because few nodes fail at a time.
#[derive(Clone, Debug)]
pub(crate) struct Failing<D> {
    /// Nodes that a fault keeps down until their time is over, by node and fault: since when.
    kept_down: BTreeMap<(u32, u32), Time>,
    /// Nodes whose memory leaks, by node and fault: since when.
    leaks: BTreeMap<(u32, u32), Time>,
    /// Nodes whose disk lied, and what their platters really keep.
    platters: BTreeMap<u32, Platter<D>>,
    pub(super) pools: Pools,
    /// Decisions so far, by fault and node.
    ordinals: BTreeMap<(u32, u32), u64>,
}

/// The platter under a cache that claims to be durable.
#[derive(Clone, Debug)]
struct Platter<D> {
    keeps: D,
    /// Writes that are in the cache only.
    missing: u64,
    /// The fault that lied first.
    fault: u32,
}

impl<D> Failing<D> {
    pub(super) fn new() -> Failing<D> {
        Failing {
            kept_down: BTreeMap::new(),
            leaks: BTreeMap::new(),
            platters: BTreeMap::new(),
            pools: Pools::default(),
            ordinals: BTreeMap::new(),
        }
    }

    /// Number of the next decision of a fault about a node.
    pub(super) fn next_ordinal(&self, fault: u32, node: u32) -> u64 {
        self.ordinals.get(&(fault, node)).copied().unwrap_or(0)
    }

    /// Takes the number of the next decision of a fault about a node.
    pub(super) fn ordinal(&mut self, fault: u32, node: u32) -> u64 {
        let next = self.ordinals.entry((fault, node)).or_insert(0);
        *next += 1;
        *next - 1
    }
}

impl<P: Process, J: Judge> World<P, J> {
    /// A resource of nodes starts to fail, or works again.
    pub(super) fn fail(&mut self, index: u32, nodes: &NodeSet, failure: &Failure, starts: bool) {
        for node in nodes.iter() {
            self.core.set_ailing(node);
            self.core.set_pace(node);
            match failure {
                Failure::Reboot { down, amnesia } if starts => self.stop(index, node, down, *amnesia),
                Failure::Reboot { .. } => self.let_boot(index, node),
                Failure::BitRot { at_once, every } if starts => {
                    for _ in 0..*at_once {
                        self.core.rot(index, node);
                    }
                    self.core.schedule_rot(index, node, every.as_ref());
                }
                Failure::MemoryLeak(_) if starts => self.core.start_leaks(node.index()),
                Failure::MemoryLeak(_) => self.core.end_leak(index, node),
                Failure::PoolLeak { .. } if !starts => self.core.failing.pools.mend(index, node.0),
                _ => {}
            }
        }
    }

    /// Takes a node down and lets it boot after a drawn time.
    fn stop(&mut self, index: u32, node: NodeId, down: &Law, amnesia: bool) {
        self.crash_by(index as usize, node, amnesia);
        let now = self.core.now;
        self.core.failing.kept_down.insert((node.0, index), now);
        let ordinal = self.core.failing.ordinal(index, node.0);
        let down = down.sample(self.core.failure_word(Domain::Fault, index, node, ordinal));
        self.core.schedule_tick(index, node, down);
    }

    /// A fault no longer keeps a node down; it boots unless another one does.
    fn let_boot(&mut self, index: u32, node: NodeId) {
        let Some(since) = self.core.failing.kept_down.remove(&(node.0, index)) else { return };
        let down = self.core.now.since(since).0;
        let hits = &mut self.core.hits[index as usize];
        hits.add(Hit::TimeDownNs, down);
        if self.core.hosts[node.index()].down && !self.core.is_kept_down(node) {
            self.core.hits[index as usize].add(Hit::NodesRestarted, 1);
            self.boot(node.index());
        }
    }

    /// A fault acts between its edges.
    #[cold]
    pub(super) fn tick(&mut self, entry: Entry) {
        let (index, node) = (entry.slot, NodeId(entry.target));
        let plan = Arc::clone(&self.core.plan);
        let active = self.core.active.binary_search(&index).is_ok();
        match &plan[index as usize].kind {
            FaultKind::Load { .. } if active => self.surge(index),
            FaultKind::Resource { failure: Failure::BitRot { every, .. }, .. } if active => {
                self.core.rot(index, node);
                self.core.schedule_rot(index, node, every.as_ref());
            }
            // What was meant for a life of the node that is over comes too late.
            FaultKind::Resource { failure, .. }
                if entry.extra == self.core.hosts[node.index()].incarnation =>
            {
                if self.core.failing.kept_down.contains_key(&(node.0, index)) {
                    self.let_boot(index, node);
                } else if let Failure::MemoryLeak(leak) = failure
                    && self.core.failing.leaks.contains_key(&(node.0, index))
                {
                    self.core.hits[index as usize].add(Hit::OomKills, 1);
                    self.stop(index, node, &leak.restart, false);
                }
            }
            _ => {}
        }
    }
}

impl<P: Process> Core<P> {
    /// Has a fault act on a node after `after`.
    pub(super) fn schedule_tick(&mut self, index: u32, node: NodeId, after: Span) {
        let at = self.now.saturating_add(after);
        let extra = self.hosts[node.index()].incarnation;
        self.queue.push(Entry { at, target: node.0, slot: index, tag: Tag::Tick as u32, extra });
    }

    /// The word of a fault's decision about a node.
    pub(super) fn failure_word(&self, domain: Domain, index: u32, node: NodeId, ordinal: u64) -> u64 {
        let base = self.keyed.base(self.hosts[node.index()].name, ordinal);
        self.keyed.word(domain, base, name_hash(&self.plan[index as usize].name))
    }

    /// Active failures of a node's resources, in plan order.
    pub(super) fn failures(&self, node: NodeId) -> impl Iterator<Item = (u32, &Failure)> + '_ {
        self.active.iter().filter_map(move |&index| match &self.plan[index as usize].kind {
            FaultKind::Resource { nodes, failure } if nodes.has(node) => Some((index, failure)),
            _ => None,
        })
    }

    /// Whether some fault keeps the node down.
    pub(super) fn is_kept_down(&self, node: NodeId) -> bool {
        self.covered(node, |kind| matches!(kind, FaultKind::Crash { .. }))
            || self.keepers(node.0).next().is_some()
    }

    /// Faults that keep a node down until its time is over.
    fn keepers(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.failing.kept_down.range((node, 0)..=(node, u32::MAX)).map(|(&(_, fault), _)| fault)
    }

    /// Counts something that was lost at a node because it is down.
    pub(super) fn blame_keepers(&mut self, node: usize, hit: Hit) {
        let range = (id(node).0, 0)..=(id(node).0, u32::MAX);
        for &(_, fault) in self.failing.kept_down.range(range).map(|(key, _)| key) {
            self.hits[fault as usize].add(hit, 1);
        }
    }

    /// Adds what still lasts: nodes that are kept down, and memory that leaks.
    pub(super) fn count_failing(&self, hits: &mut [Hits]) {
        for (&(_, fault), &since) in &self.failing.kept_down {
            hits[fault as usize].add(Hit::TimeDownNs, self.now.since(since).0);
        }
        for (&(_, fault), &since) in &self.failing.leaks {
            hits[fault as usize].add(Hit::BytesLeaked, self.leaked(fault, since));
        }
    }

    fn set_ailing(&mut self, node: NodeId) {
        let ails = |failure: &Failure| {
            !matches!(failure, Failure::Reboot { .. } | Failure::BitRot { .. } | Failure::MemoryLeak(_))
        };
        let ailing = self.failures(node).any(|(_, failure)| ails(failure));
        self.hosts[node.index()].ailing = ailing;
    }
}

/// Disks.
impl<P: Process> Core<P> {
    /// Where a write of this node lands; `None` when the disk takes none.
    #[cold]
    pub(super) fn landing(&mut self, node: NodeId) -> Option<Landing> {
        let plan = Arc::clone(&self.plan);
        for place in 0..self.active.len() {
            let index = self.active[place];
            let FaultKind::Resource { nodes, failure } = &plan[index as usize].kind else { continue };
            if !nodes.has(node) {
                continue;
            }
            match failure {
                Failure::DiskFull => {
                    self.hits[index as usize].add(Hit::WritesRefused, 1);
                    return None;
                }
                Failure::LostWrites(chance) | Failure::MisdirectedWrites(chance) => {
                    let ordinal = self.failing.ordinal(index, node.0);
                    if chance.hits(self.failure_word(Domain::Fault, index, node, ordinal)) {
                        let word = self.failure_word(Domain::Disk, index, node, ordinal);
                        return Some(match failure {
                            Failure::LostWrites(_) => Landing::Nowhere { fault: index },
                            _ => Landing::Elsewhere { fault: index, word },
                        });
                    }
                }
                _ => {}
            }
        }
        Some(Landing::Home)
    }

    /// Ends a node's oldest sync.
    pub(crate) fn disk_complete(&mut self, node: usize) -> (DiskOp, DiskResult) {
        let liar = if self.hosts[node].ailing {
            self.failures(id(node)).find(|(_, failure)| **failure == Failure::LyingSyncs)
        } else {
            None
        };
        let liar = liar.map(|(index, _)| index);
        let disk = self.disks[node].as_mut().expect("a completed sync was issued");
        let durable = &mut self.durables[node];
        if let Some(fault) = liar {
            self.hits[fault as usize].add(Hit::SyncsLied, 1);
            self.failing.platters.entry(id(node).0).or_insert_with(|| Platter {
                keeps: durable.clone(),
                missing: 0,
                fault,
            });
        } else if !self.failing.platters.is_empty() {
            // An honest sync flushes all that the drive held back.
            self.failing.platters.remove(&id(node).0);
        }
        let ended = disk.complete(durable, &mut self.hits);
        if let (Some(_), Some(platter)) = (liar, self.failing.platters.get_mut(&id(node).0)) {
            platter.missing += u64::from(ended.writes);
        }
        (ended.op, ended.result)
    }

    /// What a crash does to a disk that lied, or that tears.
    pub(super) fn crash_disk(&mut self, node: usize) {
        if let Some(platter) = self.failing.platters.remove(&id(node).0) {
            self.hits[platter.fault as usize].add(Hit::WritesLost, platter.missing);
            self.durables[node] = platter.keeps;
        }
        let tearing = self.failures(id(node)).find(|(_, failure)| **failure == Failure::TornWrites);
        let Some(index) = tearing.map(|(index, _)| index) else { return };
        let ordinal = self.failing.ordinal(index, id(node).0);
        let length = self.failure_word(Domain::Fault, index, id(node), ordinal);
        let word = self.failure_word(Domain::Disk, index, id(node), ordinal);
        if let Some(disk) = &mut self.disks[node]
            && disk.tear(&mut self.durables[node], length, word)
        {
            self.hits[index as usize].add(Hit::WritesTorn, 1);
        }
    }

    fn rot(&mut self, index: u32, node: NodeId) {
        let ordinal = self.failing.ordinal(index, node.0);
        let word = self.failure_word(Domain::Disk, index, node, ordinal);
        if self.durables[node.index()].rot(word, self.now) {
            self.hits[index as usize].add(Hit::BlocksRotted, 1);
        }
        if let Some(platter) = self.failing.platters.get_mut(&node.0) {
            platter.keeps.rot(word, self.now);
        }
    }

    fn schedule_rot(&mut self, index: u32, node: NodeId, every: Option<&Law>) {
        let Some(every) = every else { return };
        let ordinal = self.failing.next_ordinal(index, node.0);
        let after = every.sample(self.failure_word(Domain::Fault, index, node, ordinal));
        self.schedule_tick(index, node, after.max(Span(1)));
    }
}

/// Memory.
impl<P: Process> Core<P> {
    fn leak(&self, index: u32) -> &Leak {
        match &self.plan[index as usize].kind {
            FaultKind::Resource { failure: Failure::MemoryLeak(leak), .. } => leak,
            other => unreachable!("{other:?} leaks no memory"),
        }
    }

    fn leaked(&self, index: u32, since: Time) -> u64 {
        self.leak(index).bytes_after(self.now.since(since))
    }

    fn leaks_of(&self, node: u32) -> impl Iterator<Item = (u32, Time)> + '_ {
        self.failing.leaks.range((node, 0)..=(node, u32::MAX)).map(|(&(_, fault), &since)| (fault, since))
    }

    /// Memory of an up node starts to leak by every active fault by which it does not leak yet.
    pub(super) fn start_leaks(&mut self, node: usize) {
        if self.hosts[node].down {
            return;
        }
        let leaking: Vec<(u32, Span)> = self
            .failures(id(node))
            .filter_map(|(index, failure)| match failure {
                Failure::MemoryLeak(leak) => Some((index, leak.lasts())),
                _ => None,
            })
            .filter(|(index, _)| !self.failing.leaks.contains_key(&(id(node).0, *index)))
            .collect();
        for (index, lasts) in leaking {
            self.failing.leaks.insert((id(node).0, index), self.now);
            self.schedule_tick(index, id(node), lasts);
        }
    }

    fn end_leak(&mut self, index: u32, node: NodeId) {
        if let Some(since) = self.failing.leaks.remove(&(node.0, index)) {
            let bytes = self.leaked(index, since);
            self.hits[index as usize].add(Hit::BytesLeaked, bytes);
        }
    }

    /// A crash gives all memory back.
    pub(super) fn end_leaks(&mut self, node: usize) {
        let leaks: Vec<u32> = self.leaks_of(id(node).0).map(|(index, _)| index).collect();
        for index in leaks {
            self.end_leak(index, id(node));
        }
    }

    /// Bytes that leaked since the node started.
    pub(crate) fn memory_leaked(&self, node: NodeId) -> u64 {
        self.leaks_of(node.0).map(|(index, since)| self.leaked(index, since)).fold(0, u64::saturating_add)
    }

    /// The time that work takes when little memory is left.
    pub(super) fn slowed_by_paging(&mut self, node: NodeId, span: Span) -> Span {
        let paging: Vec<(u32, f64)> = self
            .leaks_of(node.0)
            .filter(|&(index, since)| self.leaked(index, since) >= self.leak(index).pressure)
            .map(|(index, _)| (index, self.leak(index).factor))
            .collect();
        let mut slowed = span;
        for (index, factor) in paging {
            let before = slowed;
            slowed = slowed.scale(factor);
            self.hits[index as usize].add(Hit::TimeSlowedNs, slowed.0.saturating_sub(before.0));
        }
        slowed
    }
}

/// Queues, configurations and credentials.
impl<P: Process> Core<P> {
    /// Whether a node's queue is full: then the message or request is gone.
    #[cold]
    pub(super) fn refuses(&mut self, node: usize, event: Event, slot: u32) -> bool {
        let limits = self.failures(id(node)).filter_map(|(index, failure)| match failure {
            Failure::QueueLimit(limit) => Some((*limit, index)),
            _ => None,
        });
        let Some((limit, index)) = limits.min() else { return false };
        if !matches!(event, Event::Deliver | Event::Request)
            || !self.inboxes.has_waiting(self.hosts[node].inbox, limit)
        {
            return false;
        }
        if event == Event::Deliver {
            self.payloads.release(slot);
            self.hits[index as usize].add(Hit::MessagesRefused, 1);
        } else {
            self.hits[index as usize].add(Hit::RequestsRefused, 1);
            let refused = Fact::Complete { request: RequestId(slot), outcome: Outcome::Rejected, value: 0 };
            self.say(id(node), self.now, refused);
        }
        true
    }

    /// Version of the configuration that a node runs with.
    pub(crate) fn config_version(&mut self, node: NodeId) -> u64 {
        if !self.hosts[node.index()].ailing {
            return 0;
        }
        let pushed = self.failures(node).filter_map(|(index, failure)| match failure {
            Failure::ConfigPush(version) => Some((index, *version)),
            _ => None,
        });
        // The last push of the plan wins.
        let Some((index, version)) = pushed.last() else { return 0 };
        self.hits[index as usize].add(Hit::ConfigsRead, 1);
        version
    }

    /// State of a node's credential.
    pub(crate) fn credential(&mut self, node: NodeId) -> Credential {
        if !self.hosts[node.index()].ailing {
            return Credential::Valid;
        }
        let bad = self.failures(node).filter_map(|(index, failure)| match failure {
            Failure::Credential(credential) => Some((*credential, index)),
            _ => None,
        });
        let Some((credential, index)) = bad.max() else { return Credential::Valid };
        if credential != Credential::Valid {
            self.hits[index as usize].add(Hit::CredentialsDenied, 1);
        }
        credential
    }
}
