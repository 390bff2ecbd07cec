//! Where the adversary of Byzantine nodes meets messages, deliveries and the edges of its faults.

use std::sync::Arc;

use super::{Core, Tag, World, id};
use crate::adversary::{Attack, Deed, Edited, Held, Outgoing, Scene, twins};
use crate::fact::{Judge, NodeId};
use crate::fault::{FaultKind, Hit, NodeSet};
use crate::hash::name_hash;
use crate::process::Process;
use crate::queue::Entry;
use crate::random::Domain;
use crate::time::Time;
use crate::world::setup::Setup;

/// Adds a host for every twin of the plan behind the roster.
pub(super) fn add_twins<C: Clone>(setup: &mut Setup<C>) {
    for (fault, node) in twins(&setup.plan) {
        let mut twin = setup.nodes[node.index()].clone();
        twin.name = format!("{} twin {}", twin.name, setup.plan[fault as usize].name);
        setup.nodes.push(twin);
    }
}

impl<P: Process> Core<P> {
    /// The node that a host is: itself, unless it is a twin.
    #[inline]
    pub(crate) fn identity(&self, host: NodeId) -> NodeId {
        if host.index() < self.roster { host } else { self.identity_of_twin(host) }
    }

    #[cold]
    fn identity_of_twin(&self, twin: NodeId) -> NodeId {
        self.adversary.as_ref().map_or(twin, |adversary| adversary.identity(twin))
    }

    /// Marks the nodes of Byzantine faults: no oracle believes them, and some messages are remembered
    /// before a fault starts.
    pub(super) fn note_byzantine(&mut self) {
        let Some(adversary) = &self.adversary else { return };
        for fault in self.plan.iter().filter(|fault| fault.ever()) {
            if let FaultKind::Byzantine { nodes, .. } = &fault.kind {
                for node in nodes.iter() {
                    let host = &mut self.hosts[node.index()];
                    host.correct = false;
                    host.subverted = adversary.remembers(node);
                }
            }
        }
    }

    /// Sends what the adversary makes of a message to each of its recipients.
    #[cold]
    pub(super) fn send_edited(
        &mut self,
        me: NodeId,
        mut done: Time,
        to: &mut dyn Iterator<Item = NodeId>,
        message: &P::Message,
        base: u64,
    ) -> Time {
        let identity = self.identity(me);
        let plan = Arc::clone(&self.plan);
        let recipients: Vec<(NodeId, u64)> = to.map(|to| (to, self.hosts[to.index()].name)).collect();
        let Some(adversary) = &mut self.adversary else { return done };
        let mut scene = Scene { plan: &plan, keyed: &self.keyed, hits: &mut self.hits };
        adversary.split(&scene, me, &recipients);
        adversary.remember(identity, message);
        let mut letters = Vec::new();
        for (to, to_name) in recipients {
            if to == identity {
                letters.push((me, Edited { letters: vec![(message.clone(), crate::time::Span::ZERO)] }));
                continue;
            }
            let outgoing = Outgoing { from: me, identity, to, to_name, base };
            letters.push((to, adversary.edit(&mut scene, &outgoing, message)));
        }
        for (to, Edited { letters }) in letters {
            for (letter, later) in letters {
                if later.0 == 0 {
                    done = self.hand_over(me, done, std::iter::once(to), letter, base);
                    continue;
                }
                let incarnation = self.hosts[me.index()].incarnation;
                let held = Held { from: me, incarnation, to, base, message: letter };
                if let Some(adversary) = &mut self.adversary {
                    let slot = adversary.hold(held);
                    let (target, tag) = (me.0, Tag::Adversary as u32);
                    self.queue.push(Entry { at: done + later, target, slot, tag, extra: HELD });
                }
            }
        }
        done
    }

    /// The host that a message to a node goes to.
    #[inline]
    pub(super) fn host_for(&mut self, from: NodeId, to: NodeId) -> NodeId {
        if self.adversary.is_some() && self.hosts[to.index()].subverted {
            self.host_of_liar(from, to)
        } else {
            to
        }
    }

    #[cold]
    fn host_of_liar(&mut self, from: NodeId, to: NodeId) -> NodeId {
        let sender = (from, self.hosts[self.identity(from).index()].name);
        let scene = Scene { plan: &self.plan, keyed: &self.keyed, hits: &mut self.hits };
        self.adversary.as_ref().map_or(to, |adversary| adversary.host_for(&scene, sender, to))
    }

    /// Whether a Byzantine node ignores a message that it is about to handle.
    #[cold]
    pub(super) fn ignores(&mut self, node: usize, from: NodeId, kind: u8, digest: u64) -> bool {
        let base = self.keyed.base(self.hosts[from.index()].name, digest ^ self.now.0);
        let mut scene = Scene { plan: &self.plan, keyed: &self.keyed, hits: &mut self.hits };
        let message = (from, usize::from(kind));
        self.adversary.as_ref().is_some_and(|own| own.ignores(&mut scene, id(node), message, base))
    }

    /// A held message leaves, or a flood goes on.
    #[cold]
    pub(super) fn act(&mut self, entry: Entry) {
        if entry.extra == HELD {
            let held = self.adversary.as_mut().and_then(|adversary| adversary.release(entry.slot));
            let Some(Held { from, incarnation, to, base, message }) = held else { return };
            let host = &self.hosts[from.index()];
            if !host.down && host.incarnation == incarnation {
                self.hand_over(from, self.now, std::iter::once(to), message, base);
            }
            return;
        }
        self.flood(entry);
    }

    fn flood(&mut self, entry: Entry) {
        let Entry { target, slot: fault, extra: tick, at, .. } = entry;
        let node = NodeId(target);
        let plan = Arc::clone(&self.plan);
        let FaultKind::Byzantine { nodes, attack } = &plan[fault as usize].kind else { return };
        let Deed::Flood { every } = attack.deed else { return };
        if !self.active.contains(&fault) {
            return;
        }
        let next = if tick == u32::MAX - 1 { 0 } else { tick + 1 };
        let at = at.saturating_add(every);
        self.queue.push(Entry { at, extra: next, ..entry });
        let scene = Scene { plan: &plan, keyed: &self.keyed, hits: &mut self.hits };
        let message = self.adversary.as_ref().and_then(|own| own.flood(&scene, fault, node, u64::from(tick)));
        let Some(message) = message.filter(|_| !self.hosts[target as usize].down) else { return };
        let all = || (0..self.roster).map(id).filter(|to| !nodes.has(*to)).collect();
        let peers: Vec<NodeId> = if attack.peers.is_empty() { all() } else { attack.peers.iter().collect() };
        let name = name_hash(&plan[fault as usize].name) ^ self.hosts[target as usize].name;
        let base = self.keyed.base(name, u64::from(tick));
        for to in peers.into_iter().filter(|to| *to != node) {
            let word = self.keyed.word(Domain::Adversary, base, self.hosts[to.index()].name);
            if attack.chance.hits(word) {
                self.hits[fault as usize].add(Hit::MessagesFlooded, 1);
                self.hand_over(node, self.now, std::iter::once(to), message.clone(), base);
            }
        }
    }
}

/// Marks the queue entry of a held message; other numbers count the ticks of a flood.
const HELD: u32 = u32::MAX;

impl<P: Process, J: Judge> World<P, J> {
    /// A Byzantine fault starts or ends.
    pub(super) fn subvert(&mut self, fault: u32, nodes: &NodeSet, attack: &Attack, starts: bool) {
        for node in nodes.iter() {
            let core = &mut self.core;
            let (plan, active) = (&core.plan, &core.active);
            let edits = core.adversary.as_mut().is_some_and(|own| own.set_active(plan, active, node));
            core.hosts[node.index()].subverted = edits;
            let twin = core.adversary.as_ref().and_then(|own| own.twin_of(fault, node));
            match (attack.deed, twin) {
                (Deed::Twins, Some(twin)) if starts => self.summon(node, twin),
                (Deed::Twins, Some(twin)) => self.dismiss(twin.index()),
                (Deed::Flood { .. }, _) if starts => core.push(core.now, Tag::Adversary, node.0, fault),
                _ => {}
            }
        }
    }

    /// A twin starts, from a copy of the disk.
    fn summon(&mut self, node: NodeId, twin: NodeId) {
        let core = &mut self.core;
        core.durables[twin.index()] = core.durables[node.index()].clone();
        core.hosts[twin.index()].subverted = true;
        self.boot(twin.index());
    }

    /// A twin is gone, and nobody is told: the node itself goes on.
    fn dismiss(&mut self, twin: usize) {
        self.nodes[twin] = None;
        let host = &mut self.core.hosts[twin];
        host.down = true;
        host.waking = false;
        host.incarnation += 1;
        while let Some(work) = self.core.inboxes.pop(&mut self.core.hosts[twin].inbox) {
            self.core.lost_at_down(twin, work.event, work.slot);
        }
    }
}
