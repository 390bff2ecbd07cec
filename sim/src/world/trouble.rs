//! What faults of the plan do to nodes, and what they are blamed for.

use super::{Core, id};
use crate::fact::{Fact, NodeId, Outcome, RequestId};
use crate::fault::{Fault, FaultKind, Hit, Hits};
use crate::process::Process;
use crate::time::Span;
use crate::trace::Event;

impl<P: Process> Core<P> {
    /// The time that work takes on this node's CPU, slow faults included.
    #[inline]
    pub(crate) fn slowed(&mut self, node: NodeId, span: Span) -> Span {
        if self.hosts[node.index()].slow { self.slowed_by_faults(node, span) } else { span }
    }

    #[cold]
    fn slowed_by_faults(&mut self, node: NodeId, span: Span) -> Span {
        let factor = self.factor(|kind| match kind {
            FaultKind::Slow { nodes, cpu, .. } if nodes.has(node) => Some(*cpu),
            _ => None,
        });
        let slowed = span.scale(factor);
        let more = slowed.0.saturating_sub(span.0);
        self.blame(node.index(), Hit::TimeSlowedNs, more, |kind| matches!(kind, FaultKind::Slow { .. }));
        self.slowed_by_paging(node, slowed)
    }

    /// Product of the factors of all active faults for which `of` gives one.
    pub(super) fn factor(&self, of: impl Fn(&FaultKind) -> Option<f64>) -> f64 {
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

    /// Takes a node down: its inbox, its timers and its unsynced writes are gone; how many writes.
    pub(crate) fn crash(&mut self, node: usize, amnesia: bool) -> u64 {
        let now = self.now;
        self.note_own(node, Event::Crash, u64::from(amnesia));
        self.say(id(node), now, Fact::Crash);
        let host = &mut self.hosts[node];
        host.down = true;
        host.waking = false;
        host.incarnation += 1;
        while let Some(work) = self.inboxes.pop(&mut self.hosts[node].inbox) {
            self.lost_at_down(node, work.event, work.slot);
        }
        self.end_leaks(node);
        self.failing.pools.clear(id(node).0);
        self.crash_disk(node);
        let lost = self.unsynced(node);
        if let Some(disk) = &mut self.disks[node] {
            disk.crash(now);
        }
        if amnesia {
            self.durables[node] = P::Durable::default();
        }
        lost
    }

    /// Something arrives at a node that is down.
    pub(crate) fn lost_at_down(&mut self, node: usize, event: Event, slot: u32) {
        let crash = |kind: &FaultKind| matches!(kind, FaultKind::Crash { .. });
        match event {
            Event::Deliver => {
                self.payloads.release(slot);
                self.blame(node, Hit::MessagesLostAtDown, 1, crash);
                self.blame_keepers(node, Hit::MessagesLostAtDown);
            }
            Event::Timer => {
                self.timers.take(slot);
            }
            Event::Request => {
                self.blame(node, Hit::RequestsLostAtDown, 1, crash);
                self.blame_keepers(node, Hit::RequestsLostAtDown);
                let (now, request) = (self.now, RequestId(slot));
                let gone = Fact::Complete { request, outcome: Outcome::ClientDown, value: 0 };
                self.say(id(node), now, gone);
            }
            _ => {}
        }
    }
}

fn covers(kind: &FaultKind, node: NodeId) -> bool {
    match kind {
        FaultKind::Crash { nodes, .. }
        | FaultKind::Pause { nodes }
        | FaultKind::Slow { nodes, .. }
        | FaultKind::Clock { nodes, .. }
        | FaultKind::Byzantine { nodes, .. }
        | FaultKind::Resource { nodes, .. } => nodes.has(node),
        FaultKind::Partition { .. }
        | FaultKind::Flapping { .. }
        | FaultKind::Messages { .. }
        | FaultKind::Cut { .. }
        | FaultKind::Load { .. } => false,
    }
}
