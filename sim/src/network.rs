//! The network at work: what becomes of one message on its way. Nothing here is generic.

mod letters;

use std::sync::Arc;

use crate::fact::NodeId;
use crate::fault::{Effect, Fault, FaultKind, Hit, Hits, NodeSet, Scope};
use crate::hash::{fold, name_hash};
use crate::law::Law;
use crate::random::{Chance, Domain, Keyed};
use crate::time::{Span, Time};
use crate::topology::{Channel, Route, SiteId, Topology};
pub(crate) use letters::{amend, lateness};

/// What became of messages, faults of the plan apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkCounts {
    /// Lost by the channel's own chance.
    pub lost: u64,
    /// Duplicated by the channel's own chance.
    pub duplicated: u64,
    /// Held back by the channel's own chance.
    pub reordered: u64,
    /// Corrupted by the channel's own chance.
    pub corrupted: u64,
    /// Dropped because the queue for bandwidth was full.
    pub overflowed: u64,
    /// Dropped because no path was left.
    pub unreachable: u64,
}

/// One message on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) from_site: SiteId,
    pub(crate) to_site: SiteId,
    /// Name hash of the recipient.
    pub(crate) to_name: u64,
    pub(crate) kind: u8,
    pub(crate) bytes: u32,
    /// Key of the send operation: sender's name, kind and ordinal.
    pub(crate) base: u64,
    pub(crate) departs: Time,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// When it arrives; `None` if it does not.
    pub(crate) arrives: Option<Time>,
    /// When a second copy arrives.
    pub(crate) again: Option<Time>,
    /// The word that says how its bits flipped.
    pub(crate) corrupt: Option<u64>,
}

/// A fault that acts on messages, while it is active.
#[derive(Clone, Debug)]
struct Active {
    fault: usize,
    name: u64,
    end: Time,
    /// For [`Effect::DropNth`] the matching messages of each sender, for [`Effect::Squeeze`] when
    /// each sender's share is free, for [`Effect::Clog`] the messages that are held.
    per_sender: Vec<u64>,
}

/// Routes, queues and active faults of the network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    topology: Arc<Topology>,
    sites: usize,
    /// By source times sites plus destination.
    paths: Vec<Path>,
    /// The same, of the paths where latency is all that messages meet now: its law.
    quick: Vec<Option<Law>>,
    cut: Vec<bool>,
    lanes: Lanes,
    /// Active faults that can act on a message.
    active: Vec<Active>,
    /// Active faults that cut links.
    cutters: Vec<usize>,
    /// Every message is looked at: none takes the quick way.
    watched: bool,
}

/// How messages get from one site to another now.
#[derive(Clone, Debug)]
struct Path {
    route: Route,
    /// The route is another than without faults.
    detour: bool,
    /// The latency, when that is all that messages meet without faults.
    latency: Option<Law>,
}

/// What messages use up on their way, and what became of them.
#[derive(Clone, Debug)]
struct Lanes {
    /// When each link is free, by direction.
    links: Vec<[Time; 2]>,
    /// When each node's own interface is free.
    interfaces: Vec<Time>,
    counts: NetworkCounts,
}

impl Network {
    pub(crate) fn new(topology: Arc<Topology>, nodes: usize) -> Network {
        let links = topology.links();
        let mut network = Network {
            sites: topology.sites(),
            topology,
            paths: Vec::new(),
            quick: Vec::new(),
            cut: vec![false; links],
            lanes: Lanes {
                links: vec![[Time::ZERO; 2]; links],
                interfaces: vec![Time::ZERO; nodes],
                counts: NetworkCounts::default(),
            },
            active: Vec::new(),
            cutters: Vec::new(),
            watched: false,
        };
        network.reroute();
        network.quicken();
        network
    }

    pub(crate) fn counts(&self) -> &NetworkCounts {
        &self.lanes.counts
    }

    /// Takes note that the set of active faults is now `active` (indices in plan order).
    pub(crate) fn set_active(&mut self, plan: &[Fault], active: &[u32]) {
        let was = std::mem::take(&mut self.active);
        let mut cut = vec![false; self.topology.links()];
        self.cutters.clear();
        for &index in active {
            let fault = index as usize;
            match &plan[fault].kind {
                kind @ (FaultKind::Partition { .. }
                | FaultKind::Flapping { .. }
                | FaultKind::Messages { .. }) => {
                    if !can_match(kind) {
                        continue;
                    }
                    let kept = was.iter().find(|old| old.fault == fault).cloned();
                    self.active.push(kept.unwrap_or_else(|| Active {
                        fault,
                        name: name_hash(&plan[fault].name),
                        end: plan[fault].end,
                        per_sender: Vec::new(),
                    }));
                }
                FaultKind::Cut { links } => {
                    self.cutters.push(fault);
                    for &link in links {
                        cut[link as usize] = true;
                    }
                }
                FaultKind::Crash { .. }
                | FaultKind::Pause { .. }
                | FaultKind::Slow { .. }
                | FaultKind::Clock { .. }
                | FaultKind::Byzantine { .. }
                | FaultKind::Resource { .. }
                | FaultKind::Load { .. } => {}
            }
        }
        if cut != self.cut {
            self.cut = cut;
            self.reroute();
        }
        self.quicken();
    }

    fn reroute(&mut self) {
        let sites = u32::try_from(self.topology.sites()).expect("fewer than 2^32 sites");
        let whole = vec![false; self.cut.len()];
        self.paths.clear();
        for from in (0..sites).map(SiteId) {
            for to in (0..sites).map(SiteId) {
                let route = self.topology.route(from, to, &self.cut);
                let detour = self.cut != whole && route != self.topology.route(from, to, &whole);
                let channel = match &route {
                    Route::Inside => Some(&self.topology.site(from).inside),
                    Route::Links(hops) if hops.len() == 1 => Some(self.topology.channel(hops[0].link)),
                    Route::Links(_) | Route::Cut => None,
                };
                let quiet = channel.filter(|channel| !detour && is_quiet(channel));
                let latency = quiet.map(|channel| channel.latency.clone());
                self.paths.push(Path { route, detour, latency });
            }
        }
    }

    /// Decides for every path whether latency is all that messages meet now.
    pub(super) fn quicken(&mut self) {
        let quiet = self.active.is_empty() && !self.watched;
        self.quick = self.paths.iter().map(|path| path.latency.clone().filter(|_| quiet)).collect();
    }

    /// The law of latency between two sites, when nothing else can happen to a message now.
    #[inline]
    pub(crate) fn quick(&self, from: SiteId, to: SiteId) -> Option<&Law> {
        self.quick[from.0 as usize * self.sites + to.0 as usize].as_ref()
    }

    /// Decides what becomes of a message, and charges what it uses.
    pub(crate) fn transmit(
        &mut self,
        keyed: &Keyed,
        flight: &Flight,
        plan: &[Fault],
        hits: &mut [Hits],
    ) -> Fate {
        let index = flight.from_site.0 as usize * self.sites + flight.to_site.0 as usize;
        let Path { route, detour, .. } = &self.paths[index];
        let fate = self.lanes.along(keyed, flight, &self.topology, route);
        if *detour {
            let hit = if *route == Route::Cut { Hit::MessagesCut } else { Hit::MessagesRerouted };
            for &fault in &self.cutters {
                hits[fault].add(hit, 1);
            }
        }
        if self.active.is_empty() {
            return fate;
        }
        under_faults(&mut self.active, self.lanes.interfaces.len(), keyed, flight, route, plan, hits, fate)
    }
}

impl Lanes {
    #[inline]
    fn along(&mut self, keyed: &Keyed, flight: &Flight, topology: &Topology, route: &Route) -> Fate {
        let mut fate = Fate { arrives: Some(flight.departs), again: None, corrupt: None };
        match route {
            Route::Inside => {
                let inside = &topology.site(flight.from_site).inside;
                let departs = match inside.bandwidth {
                    None => Some(flight.departs),
                    Some(rate) => {
                        let free = &mut self.interfaces[flight.from.index()];
                        queue_for(free, flight.departs, flight.bytes, rate, inside.queue)
                    }
                };
                self.cross(keyed, flight, inside, flight.base, departs, &mut fate);
            }
            Route::Links(hops) => {
                for (i, hop) in hops.iter().enumerate() {
                    let Some(at) = fate.arrives else { break };
                    let channel = topology.channel(hop.link);
                    let departs = match channel.bandwidth {
                        None => Some(at),
                        Some(rate) => {
                            let free = &mut self.links[hop.link as usize][usize::from(hop.forward)];
                            queue_for(free, at, flight.bytes, rate, channel.queue)
                        }
                    };
                    let base = if i == 0 { flight.base } else { fold(flight.base, i as u64) };
                    self.cross(keyed, flight, channel, base, departs, &mut fate);
                }
            }
            Route::Cut => {
                self.counts.unreachable += 1;
                fate.arrives = None;
            }
        }
        fate
    }

    /// Crosses one channel; `departs` is `None` when its queue was full.
    #[inline]
    fn cross(
        &mut self,
        keyed: &Keyed,
        flight: &Flight,
        channel: &Channel,
        base: u64,
        departs: Option<Time>,
        fate: &mut Fate,
    ) {
        let word = |domain| keyed.word(domain, base, flight.to_name);
        let Some(departs) = departs else {
            self.counts.overflowed += 1;
            fate.arrives = None;
            return;
        };
        if !channel.drop.is_never() && channel.drop.hits(word(Domain::Loss)) {
            self.counts.lost += 1;
            fate.arrives = None;
            return;
        }
        let mut latency = channel.latency.sample(word(Domain::Delay));
        if let Some(jitter) = &channel.jitter {
            latency += jitter.sample(word(Domain::Jitter));
        }
        if !channel.reorder.is_never() && channel.reorder.hits(word(Domain::Reorder)) {
            self.counts.reordered += 1;
            let held = keyed.word(Domain::Reorder, fold(base, 1), flight.to_name);
            latency += channel.reorder_by.sample(held);
        }
        if !channel.corrupt.is_never() {
            let corrupt = word(Domain::Corrupt);
            if channel.corrupt.hits(corrupt) {
                self.counts.corrupted += 1;
                fate.corrupt = Some(corrupt);
            }
        }
        if !channel.duplicate.is_never() && channel.duplicate.hits(word(Domain::Duplicate)) {
            self.counts.duplicated += 1;
            fate.again = Some(departs + channel.latency.sample(word(Domain::DuplicateDelay)));
        } else if let Some(again) = fate.again {
            // A copy made on an earlier hop takes the rest of the way too.
            fate.again = Some(again.saturating_add(latency));
        }
        fate.arrives = Some(departs + latency);
    }
}

/// Whether a channel does nothing to a message but take time.
fn is_quiet(channel: &Channel) -> bool {
    let Channel { jitter, drop, duplicate, reorder, corrupt, bandwidth, .. } = channel;
    let never = [drop, duplicate, reorder, corrupt].into_iter().all(|chance| chance.is_never());
    never && jitter.is_none() && bandwidth.is_none()
}

/// Whether a fault can act on any message at all.
fn can_match(kind: &FaultKind) -> bool {
    match kind {
        FaultKind::Partition { groups, .. } | FaultKind::Flapping { groups, .. } => {
            groups.iter().filter(|group| !group.is_empty()).count() > 1
        }
        FaultKind::Messages { scope: Scope::Between { from, to, .. }, .. } => {
            !from.is_empty() && !to.is_empty()
        }
        FaultKind::Messages { scope: Scope::Link(_), .. } => true,
        _ => false,
    }
}

/// Applies every active fault of the plan that matches, in plan order.
#[expect(clippy::too_many_arguments, reason = "one call, of the parts of two structs")]
fn under_faults(
    active: &mut [Active],
    nodes: usize,
    keyed: &Keyed,
    flight: &Flight,
    route: &Route,
    plan: &[Fault],
    hits: &mut [Hits],
    mut fate: Fate,
) -> Fate {
    let mut cut = false;
    for active in active {
        let hits = &mut hits[active.fault];
        match &plan[active.fault].kind {
            FaultKind::Partition { groups, one_way } => {
                if separated(groups, *one_way, flight.from, flight.to) {
                    hits.add(Hit::MessagesCut, 1);
                    cut = true;
                }
            }
            FaultKind::Flapping { groups, one_way, on, off } => {
                let phase = flight.departs.since(plan[active.fault].start).0 % (on.0 + off.0);
                if phase < on.0 && separated(groups, *one_way, flight.from, flight.to) {
                    hits.add(Hit::MessagesCut, 1);
                    cut = true;
                }
            }
            FaultKind::Messages { scope, kind, effect } => {
                if kind.is_none_or(|kind| kind == flight.kind) && on_way(scope, flight, route) {
                    cut |= apply(effect, active, nodes, keyed, flight, hits, &mut fate);
                }
            }
            other => unreachable!("{other:?} does not act on messages"),
        }
    }
    if cut { Fate::default() } else { fate }
}

/// Applies one effect to a message; returns whether that is cut.
fn apply(
    effect: &Effect,
    active: &mut Active,
    nodes: usize,
    keyed: &Keyed,
    flight: &Flight,
    hits: &mut Hits,
    fate: &mut Fate,
) -> bool {
    let own = active.name;
    let word = |domain| keyed.word(domain, fold(flight.base, own), flight.to_name);
    let hits_word = |chance: &Chance| {
        let word = keyed.word(Domain::Fault, fold(flight.base, chance.drawn_by(own)), flight.to_name);
        chance.hits(word)
    };
    match effect {
        Effect::Drop(chance) if hits_word(chance) => {
            hits.add(Hit::MessagesCut, 1);
            return true;
        }
        Effect::DropNth(n) => {
            active.per_sender.resize(nodes, 0);
            let seen = &mut active.per_sender[flight.from.index()];
            *seen += 1;
            if *seen == *n {
                hits.add(Hit::MessagesCut, 1);
                return true;
            }
        }
        Effect::Delay { factor, add } => {
            if let Some(at) = fate.arrives {
                let more = at.since(flight.departs).scale((factor - 1.0).max(0.0));
                delay(fate, hits, Hit::MessagesDelayed, more.saturating_add(add.sample(word(Domain::Fault))));
            }
        }
        Effect::Duplicate(chance) if hits_word(chance) => {
            if let (Some(at), None) = (fate.arrives, fate.again) {
                hits.add(Hit::MessagesDuplicated, 1);
                fate.again = Some(at);
            }
        }
        Effect::HoldBack(chance, law) if hits_word(chance) => {
            delay(fate, hits, Hit::MessagesReordered, law.sample(word(Domain::Reorder)));
        }
        Effect::Corrupt(chance) if hits_word(chance) => {
            hits.add(Hit::MessagesCorrupted, 1);
            // Which bits flip is not what decided whether any do.
            fate.corrupt = Some(word(Domain::Corrupt));
        }
        Effect::Squeeze(rate) => {
            active.per_sender.resize(nodes, 0);
            let mut free = Time(active.per_sender[flight.from.index()]);
            let departs = queue_for(&mut free, flight.departs, flight.bytes, *rate, u64::MAX)
                .expect("the queue has no end");
            active.per_sender[flight.from.index()] = free.0;
            // What still waits when the fault ends leaves then.
            let departs = departs.min(active.end.max(flight.departs));
            delay(fate, hits, Hit::MessagesDelayed, departs.since(flight.departs));
        }
        Effect::Clog(limit) => return !hold(active, nodes, flight, hits, fate, *limit),
        Effect::Drop(_) | Effect::Duplicate(_) | Effect::HoldBack(..) | Effect::Corrupt(_) => {}
    }
    false
}

/// Holds a message until the fault ends; whether there was room. What arrives at one instant keeps
/// the order in which it was sent.
fn hold(
    active: &mut Active,
    nodes: usize,
    flight: &Flight,
    hits: &mut Hits,
    fate: &mut Fate,
    limit: u64,
) -> bool {
    let Some(at) = fate.arrives.filter(|at| *at < active.end) else { return true };
    active.per_sender.resize(nodes, 0);
    let held = &mut active.per_sender[flight.from.index()];
    if *held >= limit || active.end == Time::MAX {
        hits.add(Hit::MessagesCut, 1);
        return false;
    }
    *held += 1;
    hits.add(Hit::MessagesClogged, 1);
    hits.add(Hit::DelayAddedNs, active.end.since(at).0);
    fate.arrives = Some(active.end);
    fate.again = fate.again.map(|again| again.max(active.end));
    true
}

fn delay(fate: &mut Fate, hits: &mut Hits, hit: Hit, by: Span) {
    let Some(at) = fate.arrives else { return };
    if by == Span::ZERO {
        return;
    }
    // Faults that multiply latencies may overlap: what takes for ever arrives after the end of time.
    fate.arrives = Some(at.saturating_add(by));
    fate.again = fate.again.map(|again| again.saturating_add(by));
    hits.add(hit, 1);
    hits.add(Hit::DelayAddedNs, by.0);
}

/// Whether a message takes the way that a fault acts on.
fn on_way(scope: &Scope, flight: &Flight, route: &Route) -> bool {
    match scope {
        Scope::Between { from, to, both } => {
            from.has(flight.from) && to.has(flight.to) || *both && to.has(flight.from) && from.has(flight.to)
        }
        Scope::Link(link) => match route {
            Route::Links(hops) => hops.iter().any(|hop| hop.link == *link),
            Route::Inside | Route::Cut => false,
        },
    }
}

/// Whether a partition cuts a message: the two ends are in different groups (one way: the sender's
/// group is the earlier one).
fn separated(groups: &[NodeSet], one_way: bool, from: NodeId, to: NodeId) -> bool {
    let group = |node| groups.iter().position(|group| group.has(node));
    match (group(from), group(to)) {
        (Some(a), Some(b)) => {
            let apart = if one_way { a < b } else { a != b };
            apart && !groups.iter().any(|group| group.has(from) && group.has(to))
        }
        _ => false,
    }
}

/// Waits until the channel is free, and occupies it for the bytes; returns when the last byte has
/// left, or `None` when the bytes that wait already fill the queue.
fn queue_for(free: &mut Time, at: Time, bytes: u32, rate: u64, queue: u64) -> Option<Time> {
    let waiting = free.since(at);
    let waiting_bytes = u128::from(waiting.0) * u128::from(rate) / 1_000_000_000;
    if waiting_bytes > u128::from(queue) {
        return None;
    }
    let takes = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
    *free = (*free).max(at) + Span(u64::try_from(takes).unwrap_or(u64::MAX));
    Some(*free)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Law;
    use crate::random::Chance;

    fn flight(base: u64, departs: Time) -> Flight {
        Flight {
            from: NodeId(0),
            to: NodeId(1),
            from_site: SiteId(0),
            to_site: SiteId(0),
            to_name: 7,
            kind: 0,
            bytes: 1000,
            base,
            departs,
        }
    }

    fn one_site(channel: Channel) -> Network {
        Network::new(Arc::new(Topology::single("here", channel)), 2)
    }

    fn nodes(of: &[u32]) -> NodeSet {
        of.iter().map(|&n| NodeId(n)).collect()
    }

    fn ab() -> Scope {
        Scope::Between { from: nodes(&[0]), to: nodes(&[1]), both: false }
    }

    #[test]
    fn bandwidth_spaces_messages_and_a_full_queue_drops() {
        let mut channel = Channel::new(Law::Constant(Span::millis(1)));
        channel.bandwidth = Some(1_000_000);
        channel.queue = 2_000;
        let mut network = one_site(channel);
        let keyed = Keyed::new(0);
        let arrivals: Vec<_> =
            (0..5).map(|_| network.transmit(&keyed, &flight(1, Time(0)), &[], &mut []).arrives).collect();
        let ms = |n: u64| Some(Time(n * 1_000_000));
        assert_eq!(arrivals, [ms(2), ms(3), ms(4), None, None]);
        assert_eq!(network.counts().overflowed, 2);
    }

    #[test]
    fn a_bridge_node_in_both_groups_reaches_both() {
        let groups = [nodes(&[0, 1, 2]), nodes(&[2, 3])];
        for (from, to, cut) in [(0, 1, false), (0, 3, true), (2, 3, false), (3, 2, false), (0, 9, false)] {
            assert_eq!(separated(&groups, false, NodeId(from), NodeId(to)), cut, "{from} to {to}");
        }
        let two = [nodes(&[0]), nodes(&[1])];
        assert!(separated(&two, true, NodeId(0), NodeId(1)));
        assert!(!separated(&two, true, NodeId(1), NodeId(0)));
    }

    #[test]
    fn a_fault_counts_what_it_hits_and_changes_no_other_decision() {
        let law = Law::Exponential { mean: Span::millis(1) };
        let keyed = Keyed::new(4);
        let fault = |name: &str, effect| Fault {
            name: name.to_owned(),
            start: Time(0),
            end: Time::MAX,
            kind: FaultKind::Messages { scope: ab(), kind: None, effect },
        };
        let plan = [
            fault("late", Effect::Delay { factor: 1.0, add: Law::Constant(Span::millis(5)) }),
            fault("lossy", Effect::Drop(Chance::new(0.25))),
        ];
        let mut quiet = one_site(Channel::new(law.clone()));
        let mut faulty = one_site(Channel::new(law));
        faulty.set_active(&plan, &[0, 1]);
        let mut hits = vec![Hits::default(); 2];
        let mut kept = 0;
        for n in 0..4000 {
            let flight = flight(keyed.base(3, n), Time(n));
            let unharmed = quiet.transmit(&keyed, &flight, &[], &mut []).arrives.unwrap();
            if let Some(at) = faulty.transmit(&keyed, &flight, &plan, &mut hits).arrives {
                kept += 1;
                assert_eq!(at, unharmed + Span::millis(5));
            }
        }
        let cut = hits[1].get(Hit::MessagesCut);
        assert_eq!(cut + kept, 4000);
        // Binomial(4000, 0.25): sd 27.4; four of them.
        assert!(cut.abs_diff(1000) < 110, "{cut}");
        assert_eq!(hits[0].get(Hit::MessagesDelayed), 4000);
    }

    #[test]
    fn only_the_nth_message_of_a_sender_is_lost() {
        let plan = [Fault {
            name: "third".to_owned(),
            start: Time(0),
            end: Time::MAX,
            kind: FaultKind::Messages { scope: ab(), kind: None, effect: Effect::DropNth(3) },
        }];
        let mut network = one_site(Channel::new(Law::Constant(Span(1))));
        network.set_active(&plan, &[0]);
        let mut hits = [Hits::default()];
        let keyed = Keyed::new(0);
        let arrived: Vec<bool> = (0..5)
            .map(|n| network.transmit(&keyed, &flight(n, Time(n)), &plan, &mut hits).arrives.is_some())
            .collect();
        assert_eq!(arrived, [true, true, false, true, true]);
    }
}
