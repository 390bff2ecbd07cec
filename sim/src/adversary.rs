//! Byzantine nodes: honest code behind an adversary that edits what leaves and what enters.
//!
//! A fault of the plan names the nodes and one [`Attack`]; several may overlap. All nodes of one
//! fault are accomplices: they share keys, notes and choices, so that the same recipients get the
//! same story from each of them. What an altered message says is up to its protocol
//! ([`Message::mutated`]); nothing is signed for anybody but an accomplice.

use std::collections::{BTreeMap, VecDeque};

use crate::fact::NodeId;
use crate::fault::{Fault, FaultKind, Hit, Hits, NodeSet};
use crate::hash::{fold, name_hash};
use crate::process::Message;
use crate::random::{Chance, Domain, Keyed};
use crate::time::Span;

/// What an adversary does to the messages of its nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Attack {
    /// What it does.
    pub deed: Deed,
    /// Only to these kinds of messages; to all of them if empty.
    pub kinds: Vec<u8>,
    /// Only to messages to these nodes (from them, for [`Deed::Deaf`]); to all if empty. For
    /// [`Mutation::Equivocate`] and [`Deed::Twins`] they are those who see the second story; if
    /// empty, a half of the recipients.
    pub peers: NodeSet,
    /// Chance that it does it, per message and recipient.
    pub chance: Chance,
}

impl Attack {
    /// An attack on every message.
    pub fn new(deed: Deed) -> Attack {
        Attack { deed, kinds: Vec::new(), peers: NodeSet::default(), chance: Chance::ALWAYS }
    }
}

/// One kind of misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Messages are not sent.
    Silence,
    /// Messages that arrive are ignored.
    Deaf,
    /// Messages are sent later by this much.
    Delay(Span),
    /// Messages say something else.
    Alter(Mutation),
    /// With each message an earlier one is sent again.
    Replay,
    /// Earlier messages are sent again and again, one to each recipient in every such span.
    Flood {
        /// Time between two of them; not zero.
        every: Span,
    },
    /// The node runs twice under one identity; each instance talks to its own share of the others.
    Twins,
}

/// How a message is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// Well-formed, and different from what others are told. With the attack's chance a recipient
    /// is told one story only; else those of the second story are told both.
    Equivocate,
    /// A vote for something else.
    Conflict,
    /// A claim with a certificate that proves nothing.
    Forge,
    /// A claim that was true long ago.
    Stale,
    /// Content or authenticator that correct nodes refuse.
    Corrupt,
}

/// The accomplices of one fault, in whose names a message may be altered.
///
/// Only the engine makes one, so code that signs for a node of an `Identity` forges nothing.
#[derive(Debug)]
pub struct Identity<'a> {
    nodes: &'a NodeSet,
    notes: &'a mut Notes,
}

impl Identity<'_> {
    /// Whether this node's key is at hand.
    pub fn has_key_of(&self, node: NodeId) -> bool {
        self.nodes.has(node)
    }

    /// Tells the accomplices that `other` is said to some instead of `original`.
    pub fn note(&mut self, original: u64, other: u64) {
        self.notes.note(original, other);
    }

    /// What accomplices say to some instead of this.
    pub fn other(&self, original: u64) -> Option<u64> {
        self.notes.others.get(&original).copied()
    }
}

/// What accomplices remember of each other's stories: the latest few thousand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    others: BTreeMap<u64, u64>,
    order: VecDeque<u64>,
}

const NOTES: usize = 4096;

impl Notes {
    fn note(&mut self, original: u64, other: u64) {
        if self.others.insert(original, other).is_none() {
            self.order.push_back(original);
        }
        if self.order.len() > NOTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.others.remove(&oldest);
        }
    }
}

/// Accomplices and what they agreed on.
#[derive(Clone, Debug, Default)]
struct Plot {
    notes: Notes,
    /// Nodes told the first and the second story, once they were spoken to together.
    sides: [NodeSet; 2],
    counts: [u32; 2],
}

/// Earlier messages that a node can send again.
const MEMORY: usize = 64;

/// All adversaries of a world.
#[derive(Clone, Debug)]
pub(crate) struct Adversary<M> {
    roster: usize,
    /// Fault and identity of each host beyond the roster.
    twins: Vec<(u32, NodeId)>,
    /// Active Byzantine faults by node, in plan order.
    on: Vec<Vec<u32>>,
    plots: BTreeMap<u32, Plot>,
    /// Nodes whose messages are remembered.
    remembered: NodeSet,
    memory: BTreeMap<NodeId, VecDeque<M>>,
    held: Vec<Option<Held<M>>>,
    free: Vec<u32>,
}

/// A message that is sent later.
#[derive(Clone, Debug)]
pub(crate) struct Held<M> {
    pub(crate) from: NodeId,
    pub(crate) incarnation: u32,
    pub(crate) to: NodeId,
    pub(crate) base: u64,
    pub(crate) message: M,
}

/// One message on its way out, as the adversary sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    /// Host that sends it.
    pub(crate) from: NodeId,
    /// Node that it is.
    pub(crate) identity: NodeId,
    pub(crate) to: NodeId,
    pub(crate) to_name: u64,
    pub(crate) base: u64,
}

/// What a world lends to its adversary for one message.
pub(crate) struct Scene<'a> {
    pub(crate) plan: &'a [Fault],
    pub(crate) keyed: &'a Keyed,
    pub(crate) hits: &'a mut [Hits],
}

/// What becomes of a message that a Byzantine node sends to one recipient.
#[derive(Debug)]
pub(crate) struct Edited<M> {
    /// What is said, in order, and how much later.
    pub(crate) letters: Vec<(M, Span)>,
}

fn attack(fault: &Fault) -> Option<(&NodeSet, &Attack)> {
    match &fault.kind {
        FaultKind::Byzantine { nodes, attack } => Some((nodes, attack)),
        _ => None,
    }
}

/// Twins that the plan asks for: fault and identity.
pub(crate) fn twins(plan: &[Fault]) -> Vec<(u32, NodeId)> {
    let mut twins = Vec::new();
    for (index, fault) in (0..).zip(plan) {
        if let Some((nodes, Attack { deed: Deed::Twins, .. })) = attack(fault) {
            twins.extend(nodes.iter().map(|node| (index, node)));
        }
    }
    twins
}

impl<M: Message> Adversary<M> {
    /// The adversaries of a plan, if it has any.
    pub(crate) fn new(plan: &[Fault], roster: usize) -> Option<Box<Adversary<M>>> {
        plan.iter().find_map(attack)?;
        let mut remembered = NodeSet::default();
        for (nodes, attack) in plan.iter().filter_map(attack) {
            if matches!(attack.deed, Deed::Replay | Deed::Flood { .. }) {
                nodes.iter().for_each(|node| remembered.insert(node));
            }
        }
        let twins = twins(plan);
        Some(Box::new(Adversary {
            roster,
            on: vec![Vec::new(); roster],
            twins,
            plots: BTreeMap::new(),
            remembered,
            memory: BTreeMap::new(),
            held: Vec::new(),
            free: Vec::new(),
        }))
    }

    /// The node that a host is.
    pub(crate) fn identity(&self, host: NodeId) -> NodeId {
        match host.index().checked_sub(self.roster) {
            Some(twin) => self.twins[twin].1,
            None => host,
        }
    }

    /// The host that is the second instance of a node in a fault.
    pub(crate) fn twin_of(&self, fault: u32, node: NodeId) -> Option<NodeId> {
        let place = self.twins.iter().position(|twin| *twin == (fault, node))?;
        u32::try_from(self.roster + place).ok().map(NodeId)
    }

    /// Takes note of the active faults; whether the node's messages are edited from now on.
    pub(crate) fn set_active(&mut self, plan: &[Fault], active: &[u32], node: NodeId) -> bool {
        let covers = |fault: &&u32| attack(&plan[**fault as usize]).is_some_and(|(nodes, _)| nodes.has(node));
        let on = &mut self.on[node.index()];
        on.clear();
        on.extend(active.iter().filter(covers));
        !on.is_empty() || self.remembered.has(node)
    }

    /// Whether messages of a node are looked at before any fault starts.
    pub(crate) fn remembers(&self, node: NodeId) -> bool {
        self.remembered.has(node)
    }

    /// Takes note of a message that may be sent again.
    pub(crate) fn remember(&mut self, identity: NodeId, message: &M) {
        if self.remembered.has(identity) {
            let memory = self.memory.entry(identity).or_default();
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back(message.clone());
        }
    }

    /// An earlier message of one of these kinds.
    fn recall(&self, identity: NodeId, kinds: &[u8], word: u64) -> Option<&M> {
        let fits = |message: &&M| of_kind(kinds, message.kind());
        let memory = self.memory.get(&identity)?.iter().filter(fits);
        let count = memory.clone().count() as u64;
        let place = if count == 0 { return None } else { crate::random::below(word, count) };
        memory.clone().nth(usize::try_from(place).ok()?)
    }

    /// Agrees on who of these recipients hears which story: halves that depend on names only.
    pub(crate) fn split(&mut self, scene: &Scene<'_>, sender: NodeId, recipients: &[(NodeId, u64)]) {
        let identity = self.identity(sender);
        for &fault in &self.on[identity.index()] {
            let Some((nodes, attack)) = attack(&scene.plan[fault as usize]) else { continue };
            let splits = matches!(attack.deed, Deed::Twins | Deed::Alter(Mutation::Equivocate));
            if !splits || !attack.peers.is_empty() || recipients.len() < 2 {
                continue;
            }
            let plot = self.plots.entry(fault).or_default();
            let known = |node: NodeId| nodes.has(node) || plot.sides.iter().any(|side| side.has(node));
            let key = |name: u64| keyed_side(scene, fault, name);
            let mut new: Vec<_> = recipients.iter().filter(|(node, _)| !known(*node)).collect();
            new.sort_by_key(|(_, name)| key(*name));
            for &(node, name) in new {
                let side = match plot.counts[0].cmp(&plot.counts[1]) {
                    std::cmp::Ordering::Less => 0,
                    std::cmp::Ordering::Greater => 1,
                    std::cmp::Ordering::Equal => usize::from(key(name) & 1 == 1),
                };
                plot.sides[side].insert(node);
                plot.counts[side] += 1;
            }
        }
    }

    /// Whether a node hears the second story.
    fn second(&self, scene: &Scene<'_>, fault: u32, peers: &NodeSet, node: NodeId, name: u64) -> bool {
        if !peers.is_empty() {
            return peers.has(node);
        }
        match self.plots.get(&fault) {
            Some(plot) if plot.sides[0].has(node) => false,
            Some(plot) if plot.sides[1].has(node) => true,
            // Somebody who was never spoken to together with others, such as a client.
            _ => keyed_side(scene, fault, name) & 1 == 1,
        }
    }

    /// What a message becomes for one recipient.
    pub(crate) fn edit(&mut self, scene: &mut Scene<'_>, out: &Outgoing, message: &M) -> Edited<M> {
        let mut letters = vec![(message.clone(), Span::ZERO)];
        let faults = std::mem::take(&mut self.on[out.identity.index()]);
        for &fault in &faults {
            let plan = scene.plan;
            let Some((nodes, attack)) = attack(&plan[fault as usize]) else { continue };
            // Accomplices do not fool each other; their twins talk among themselves.
            if nodes.has(out.to) && (attack.peers.is_empty() || attack.deed == Deed::Twins) {
                continue;
            }
            self.apply(scene, fault, nodes, attack, out, &mut letters);
        }
        self.on[out.identity.index()] = faults;
        Edited { letters }
    }

    fn apply(
        &mut self,
        scene: &mut Scene<'_>,
        fault: u32,
        nodes: &NodeSet,
        attack: &Attack,
        out: &Outgoing,
        letters: &mut Vec<(M, Span)>,
    ) {
        let index = fault as usize;
        let key = fold(out.base, name_hash(&scene.plan[index].name));
        let word = scene.keyed.word(Domain::Adversary, key, out.to_name);
        let chance = attack.chance.hits(word);
        let halves = matches!(attack.deed, Deed::Twins | Deed::Alter(Mutation::Equivocate));
        let peer = halves || attack.peers.is_empty() || attack.peers.has(out.to);
        let acts = |message: &M| peer && of_kind(&attack.kinds, message.kind());
        match attack.deed {
            Deed::Silence if chance => {
                let before = letters.len();
                letters.retain(|(letter, _)| !acts(letter));
                scene.hits[index].add(Hit::MessagesWithheld, (before - letters.len()) as u64);
            }
            Deed::Delay(by) if chance => {
                for (_, later) in letters.iter_mut().filter(|(letter, _)| acts(letter)) {
                    *later += by;
                    scene.hits[index].add(Hit::MessagesHeldBack, 1);
                    scene.hits[index].add(Hit::DelayAddedNs, by.0);
                }
            }
            Deed::Alter(Mutation::Equivocate) => {
                if self.second(scene, fault, &attack.peers, out.to, out.to_name) {
                    self.alter(scene, (fault, nodes), Mutation::Equivocate, acts, !chance, letters);
                }
            }
            Deed::Alter(how) if chance => self.alter(scene, (fault, nodes), how, acts, false, letters),
            Deed::Replay if chance && peer => {
                let which = scene.keyed.word(Domain::Adversary, fold(key, 1), out.to_name);
                if let Some(earlier) = self.recall(out.identity, &attack.kinds, which) {
                    letters.push((earlier.clone(), Span::ZERO));
                    scene.hits[index].add(Hit::MessagesReplayed, 1);
                }
            }
            Deed::Twins => {
                let second = self.second(scene, fault, &attack.peers, out.to, out.to_name);
                let is_second = out.from != out.identity;
                if second != is_second {
                    scene.hits[index].add(Hit::MessagesWithheld, letters.len() as u64);
                    letters.clear();
                } else if is_second {
                    scene.hits[index].add(Hit::MessagesFromTwin, letters.len() as u64);
                }
            }
            Deed::Silence
            | Deed::Deaf
            | Deed::Delay(_)
            | Deed::Alter(_)
            | Deed::Replay
            | Deed::Flood { .. } => {}
        }
    }

    /// Replaces letters by what the protocol makes of them; `both` keeps the original as well.
    fn alter(
        &mut self,
        scene: &mut Scene<'_>,
        (fault, nodes): (u32, &NodeSet),
        how: Mutation,
        acts: impl Fn(&M) -> bool,
        both: bool,
        letters: &mut Vec<(M, Span)>,
    ) {
        let plot = self.plots.entry(fault).or_default();
        let name = name_hash(&scene.plan[fault as usize].name);
        let mut identity = Identity { nodes, notes: &mut plot.notes };
        for i in 0..letters.len() {
            let (letter, wait) = &letters[i];
            if !acts(letter) {
                continue;
            }
            // The word belongs to what is said: accomplices and retransmissions say the same.
            let word = scene.keyed.word(Domain::Adversary, scene.keyed.base(name, letter.digest()), 0);
            if let Some(other) = letter.mutated(how, word, &mut identity) {
                scene.hits[fault as usize].add(Hit::MessagesAltered, 1);
                let wait = *wait;
                if both {
                    letters.push((other, wait));
                } else {
                    letters[i].0 = other;
                }
            }
        }
    }

    /// The host that a message to a Byzantine node goes to: one of two, if it has a twin.
    pub(crate) fn host_for(&self, scene: &Scene<'_>, (from, from_name): (NodeId, u64), to: NodeId) -> NodeId {
        let sender = self.identity(from);
        for &fault in &self.on[to.index()] {
            let Some((nodes, attack)) = attack(&scene.plan[fault as usize]) else { continue };
            let Some(twin) = self.twin_of(fault, to) else { continue };
            let second = if nodes.has(sender) {
                from != sender
            } else {
                self.second(scene, fault, &attack.peers, sender, from_name)
            };
            if second {
                return twin;
            }
        }
        to
    }

    /// Whether a node ignores a message that arrives; `base` tells one message from another.
    pub(crate) fn ignores(
        &self,
        scene: &mut Scene<'_>,
        node: NodeId,
        (from, kind): (NodeId, usize),
        base: u64,
    ) -> bool {
        let node = self.identity(node);
        let mut ignored = false;
        for &fault in &self.on[node.index()] {
            let Some((nodes, attack)) = attack(&scene.plan[fault as usize]) else { continue };
            let from_peer = if attack.peers.is_empty() { !nodes.has(from) } else { attack.peers.has(from) };
            if attack.deed != Deed::Deaf || !from_peer || !of_kind(&attack.kinds, kind) {
                continue;
            }
            let name = name_hash(&scene.plan[fault as usize].name);
            if attack.chance.hits(scene.keyed.word(Domain::Adversary, fold(base, name), 0)) {
                scene.hits[fault as usize].add(Hit::MessagesIgnored, 1);
                ignored = true;
            }
        }
        ignored
    }

    /// What a node floods others with now.
    pub(crate) fn flood(&self, scene: &Scene<'_>, fault: u32, node: NodeId, tick: u64) -> Option<M> {
        let (_, attack) = attack(&scene.plan[fault as usize])?;
        let key = scene.keyed.base(name_hash(&scene.plan[fault as usize].name), tick);
        self.recall(node, &attack.kinds, scene.keyed.word(Domain::Adversary, key, 0)).cloned()
    }

    /// Keeps a message until it is sent; the number to ask for it.
    pub(crate) fn hold(&mut self, held: Held<M>) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.held[slot as usize] = Some(held);
            return slot;
        }
        self.held.push(Some(held));
        u32::try_from(self.held.len() - 1).expect("fewer than 2^32 messages are held back")
    }

    /// Gives up a message that was kept.
    pub(crate) fn release(&mut self, slot: u32) -> Option<Held<M>> {
        let held = self.held.get_mut(slot as usize)?.take();
        self.free.extend(held.as_ref().map(|_| slot));
        held
    }
}

fn keyed_side(scene: &Scene<'_>, fault: u32, name: u64) -> u64 {
    let fault = name_hash(&scene.plan[fault as usize].name);
    scene.keyed.word(Domain::Adversary, scene.keyed.base(fault, u64::MAX), name)
}

fn of_kind(kinds: &[u8], kind: usize) -> bool {
    kinds.is_empty() || kinds.iter().any(|known| usize::from(*known) == kind)
}
