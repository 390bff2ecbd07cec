//! What nodes use up and live by: clocks, timers, disks and their own randomness.

use super::{Core, Tag};
use crate::disk::{Disk, DiskCost, DiskOp, Durable, Landing};
use crate::fact::NodeId;
use crate::failure::Failure;
use crate::fault::{FaultKind, Hit};
use crate::process::Process;
use crate::queue::Entry;
use crate::random::Stream;
use crate::time::{Span, Time};
use crate::timers::TimerId;

impl<P: Process> Core<P> {
    pub(crate) fn set_pace(&mut self, node: NodeId) {
        let slows = |kind: &FaultKind| {
            let leaks = matches!(kind, FaultKind::Resource { failure: Failure::MemoryLeak(_), .. });
            leaks || matches!(kind, FaultKind::Slow { .. })
        };
        self.hosts[node.index()].slow = self.covered(node, slows);
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
        let clock = &mut self.clocks[node.index()];
        clock.set(now, offset, drift);
        self.hosts[node.index()].drifts = clock.drifts();
    }

    #[inline]
    pub(crate) fn monotonic_clock(&self, node: NodeId, now: Time) -> Time {
        self.clocks[node.index()].monotonic(now)
    }

    pub(crate) fn wall_clock(&self, node: NodeId, now: Time) -> Time {
        self.clocks[node.index()].wall(now)
    }

    #[inline]
    pub(crate) fn stream(&mut self, node: NodeId) -> &mut Stream {
        let host = &mut self.hosts[node.index()];
        let (seed, name) = (self.seed, host.name);
        host.stream.get_or_insert_with(|| Box::new(Stream::new(seed, name)))
    }

    #[inline]
    pub(crate) fn set_timer(&mut self, me: NodeId, now: Time, after: Span, timer: P::Timer) -> TimerId {
        let host = &mut self.hosts[me.index()];
        let after = if host.drifts { self.clocks[me.index()].real(after) } else { after };
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
        let takes = self.disk_span(me, self.disk_cost(me).write);
        let landing = if self.hosts[me.index()].ailing { self.landing(me) } else { Some(Landing::Home) };
        let disk = self.disks[me.index()].get_or_insert_with(|| Box::new(Disk::new()));
        match landing {
            Some(landing) => disk.write(at, write, bytes, takes, landing),
            None => disk.refuse(at, takes),
        }
    }

    pub(crate) fn disk_sync(&mut self, me: NodeId, at: Time) -> DiskOp {
        let cost = self.disk_cost(me);
        let unsynced = self.disks[me.index()].as_ref().map_or(0, |disk| disk.unsynced_bytes());
        let takes = self.disk_span(me, cost.sync + Span(cost.per_kilobyte.0 * unsynced / 1000));
        let disk = self.disks[me.index()].get_or_insert_with(|| Box::new(Disk::new()));
        let (op, end) = disk.sync(at, takes);
        let extra = self.hosts[me.index()].incarnation;
        self.queue.push(Entry { at: end, target: me.0, slot: 0, tag: Tag::Disk as u32, extra });
        op
    }

    fn disk_cost(&self, node: NodeId) -> DiskCost {
        self.costs[self.hosts[node.index()].cost as usize].1
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

    /// Writes that a crash would take now.
    pub(crate) fn unsynced(&self, node: usize) -> u64 {
        self.disks[node].as_ref().map_or(0, |disk| disk.unsynced())
    }
}
