//! One register with unique writes, judged online in logarithmic time an operation.

use murphy_sim::RequestId;

/// All operations that wrote or returned one value: a write and its reads, of which those count that are complete.
///
/// The order of clusters in a register is that of `settled`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cluster {
    /// When the first of them was complete: from then on the value was in place.
    settled: u64,
    /// When the latest of them was called: until then the value was in place.
    called: u64,
    /// The one that was complete first; `None` is the initial value.
    pub(super) first: Option<RequestId>,
    /// The one that was called last.
    pub(super) last: Option<RequestId>,
}

impl Cluster {
    /// Whether the value held the register over an interval, `settled..called`.
    ///
    /// Otherwise the zone is backward: the value may have been in place for an instant only,
    /// anywhere in `called..settled`.
    fn is_forward(&self) -> bool {
        self.settled < self.called
    }
}

/// The zones of a register.
///
/// Gibbons and Korach (1997, "Testing Shared Memories"): a history of a register whose writes
/// write different values is linearizable exactly when no read is complete before the write of its
/// value is called, no two forward zones overlap, and no forward zone contains a backward one.
/// A pending read says nothing; a pending write counts once its value was read.
///
/// The check is online. Zones only grow: `settled` never changes, as operations are complete in
/// order of time, and `called` only rises. So it suffices to check the zone that an operation
/// changed, and a violation is found at the first completion after which no order exists.
#[derive(Clone, Debug)]
pub(super) struct Register {
    pub(super) key: u64,
    /// A value was written twice: zones do not apply.
    pub(super) ambiguous: bool,
    clusters: Vec<Cluster>,
    /// Which of them are forward, in order.
    forward: Vec<u32>,
}

/// The cluster of the initial value: as if a write of zero had been complete before the run.
pub(super) const INITIAL: u32 = 0;

impl Register {
    pub(super) fn new(key: u64) -> Register {
        let initial = Cluster { settled: 0, called: 0, first: None, last: None };
        Register { key, ambiguous: false, clusters: vec![initial], forward: Vec::new() }
    }

    pub(super) fn cluster(&self, index: u32) -> &Cluster {
        &self.clusters[index as usize]
    }

    /// A value that was not seen before is in place since `now`; `called` is the latest call of what shows it.
    pub(super) fn settle(&mut self, now: u64, first: RequestId, called: (u64, RequestId)) -> u32 {
        let index = u32::try_from(self.clusters.len()).expect("a run has less than 2^32 requests");
        let (called, last) = called;
        self.clusters.push(Cluster { settled: now, called, first: Some(first), last: Some(last) });
        index
    }

    /// One more operation with the value of a cluster is complete. Returns a cluster that contradicts it.
    pub(super) fn extend(&mut self, index: u32, called: (u64, RequestId)) -> Option<u32> {
        let cluster = &mut self.clusters[index as usize];
        let before = cluster.called;
        if called.0 <= before {
            return None;
        }
        cluster.called = called.0;
        cluster.last = Some(called.1);
        let cluster = *cluster;
        if !cluster.is_forward() {
            return self.surrounding(&cluster);
        }
        let place = self.forward.partition_point(|&other| other < index);
        if self.forward.get(place) != Some(&index) {
            self.forward.insert(place, index);
        }
        self.overlapping(place, &cluster).or_else(|| self.inside(&cluster, before))
    }

    /// A forward zone that contains this backward one.
    fn surrounding(&self, cluster: &Cluster) -> Option<u32> {
        let after = self.forward.partition_point(|&other| self.cluster(other).settled < cluster.called);
        let candidate = self.forward[..after].last()?;
        (self.cluster(*candidate).called > cluster.settled).then_some(*candidate)
    }

    /// A forward zone that overlaps this one; the others do not overlap each other.
    fn overlapping(&self, place: usize, cluster: &Cluster) -> Option<u32> {
        let before = self.forward[..place].last().filter(|&&o| self.cluster(o).called > cluster.settled);
        let after = self.forward.get(place + 1).filter(|&&o| self.cluster(o).settled < cluster.called);
        before.or(after).copied()
    }

    /// A backward zone inside this forward one, which reached to `before` when it was last checked.
    ///
    /// Forward zones do not overlap, so all of these scans together visit a cluster once.
    fn inside(&self, cluster: &Cluster, before: u64) -> Option<u32> {
        let from = cluster.settled.max(before);
        let start = self.clusters.partition_point(|other| other.settled <= from);
        let candidates = self.clusters[start..].iter().take_while(|other| other.settled < cluster.called);
        let found =
            candidates.clone().position(|other| !other.is_forward() && other.called > cluster.settled)?;
        Some(u32::try_from(start + found).expect("a run has less than 2^32 requests"))
    }
}
