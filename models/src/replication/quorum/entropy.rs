//! Anti-entropy: two replicas compare digests of ranges, and exchange the ranges that differ.
//!
//! Source: Demers et al. 1987 (anti-entropy).

use std::sync::Arc;

use murphy_sim::{Fact, NodeId};

use super::replica::Replica;
use super::{Cx, QuorumMessage, Timer, Version, metric};
use crate::replication::ranges::Ranges;

impl Replica {
    /// Time to compare with another replica, drawn at random.
    pub(super) fn compare(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(self.options.anti_entropy, Timer::Compare);
        let others: Vec<NodeId> = self.group.iter().copied().filter(|node| *node != cx.id()).collect();
        if others.is_empty() {
            return;
        }
        let other = usize::try_from(cx.rng().below(others.len() as u64)).expect("a place");
        let digests = Arc::new(cx.durable().digests().clone());
        cx.send(others[other], QuorumMessage::Compare { digests });
    }

    pub(super) fn compared(cx: &mut Cx<'_>, from: NodeId, theirs: &Ranges) {
        let ranges = cx.durable().digests().differing(theirs);
        if ranges != 0 {
            let versions = cx.durable().of_ranges(ranges).into();
            cx.send(from, QuorumMessage::Differ { ranges, versions, back: true });
        }
    }

    pub(super) fn exchange(
        &mut self,
        cx: &mut Cx<'_>,
        from: NodeId,
        ranges: u64,
        versions: &[Version],
        back: bool,
    ) {
        if back {
            let own = cx.durable().of_ranges(ranges).into();
            cx.send(from, QuorumMessage::Differ { ranges, versions: own, back: false });
        }
        for version in versions {
            if cx.durable().get(version.key).stamp < version.stamp {
                cx.fact(Fact::Sample { metric: metric::EXCHANGED, value: 1 });
                self.keep(cx, *version, None);
            }
        }
    }
}
