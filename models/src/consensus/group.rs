//! Who the replicas are, how many may fail, and how many make a quorum.

use std::sync::Arc;

use murphy_sim::NodeId;

use super::command::{SESSIONS, SessionId};

/// The replicas of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    replicas: Box<[NodeId]>,
    /// Place in the group by node, `u32::MAX` for others.
    places: Box<[u32]>,
    /// How many replicas come before each node in the roster.
    before: Box<[u32]>,
    f: usize,
}

impl Group {
    /// A group that tolerates `f` faulty replicas, by default ⌊(n − 1)/3⌋.
    ///
    /// # Panics
    /// When the group is empty, names a node twice, or `f` is not below n.
    pub fn new(replicas: &[NodeId], f: Option<usize>) -> Arc<Group> {
        assert!(!replicas.is_empty(), "a group has at least one replica");
        let f = f.unwrap_or((replicas.len() - 1) / 3);
        assert!(f < replicas.len(), "of {} replicas not {f} may fail", replicas.len());
        let last = replicas.iter().map(|node| node.index()).max().unwrap_or(0);
        let mut places = vec![u32::MAX; last + 1].into_boxed_slice();
        for (place, node) in replicas.iter().enumerate() {
            assert!(places[node.index()] == u32::MAX, "node {} is twice in its group", node.0);
            places[node.index()] = u32::try_from(place).expect("fewer than 2^32 replicas");
        }
        let mut count = 0;
        let before = places.iter().map(|&place| {
            let before = count;
            count += u32::from(place != u32::MAX);
            before
        });
        let before = before.collect();
        Arc::new(Group { replicas: replicas.into(), places, before, f })
    }

    /// The session `k` of a client: sessions are numbered without gaps over the nodes that are no replicas.
    ///
    /// # Panics
    /// When `k` is not below [`SESSIONS`].
    pub fn session(&self, client: NodeId, k: usize) -> SessionId {
        assert!(k < SESSIONS, "session {k} of {SESSIONS}");
        let before = self.before.get(client.index()).map_or(self.n(), |&before| before as usize);
        SessionId::at((client.index() - before) * SESSIONS + k)
    }

    /// Number of replicas.
    #[inline]
    pub fn n(&self) -> usize {
        self.replicas.len()
    }

    /// Number of faulty replicas that it tolerates.
    #[inline]
    pub fn f(&self) -> usize {
        self.f
    }

    /// ⌈(n + f + 1)/2⌉: two quorums share a correct replica. It is 2f + 1 when n = 3f + 1.
    pub fn quorum(&self) -> usize {
        (self.n() + self.f + 1).div_ceil(2)
    }

    /// ⌊n/2⌋ + 1: two majorities share a replica.
    #[inline]
    pub fn majority(&self) -> usize {
        self.n() / 2 + 1
    }

    /// The replicas.
    pub fn replicas(&self) -> &[NodeId] {
        &self.replicas
    }

    /// Place of a node in the group, if it is a replica.
    #[inline]
    pub fn place(&self, node: NodeId) -> Option<usize> {
        self.places.get(node.index()).filter(|place| **place != u32::MAX).map(|place| *place as usize)
    }

    /// Place of the primary of a view: v mod n (Castro & Liskov 1999, section 4).
    #[inline]
    pub fn primary_place(&self, view: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "below the number of replicas")]
        let place = (view % self.n() as u64) as usize;
        place
    }

    /// The primary of a view.
    #[inline]
    pub fn primary(&self, view: u64) -> NodeId {
        self.replicas[self.primary_place(view)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorums_share_a_correct_replica_and_leave_out_the_faulty() {
        for n in 1..=200 {
            let group = Group::new(&(0..n).map(NodeId).collect::<Vec<_>>(), None);
            let (n, f, quorum) = (group.n(), group.f(), group.quorum());
            assert!(2 * quorum - n > f, "n = {n}: quorums of {quorum} meet in too few");
            assert!(quorum <= n - f, "n = {n}: quorums of {quorum} need a faulty one");
            if n == 3 * f + 1 {
                assert_eq!(quorum, 2 * f + 1);
            }
        }
        let five = Group::new(&[0, 1, 2, 3, 4].map(NodeId), None);
        assert_eq!((five.f(), five.quorum()), (1, 4));
    }

    #[test]
    fn places_follow_the_order_of_the_group() {
        let group = Group::new(&[5, 3, 8].map(NodeId), None);
        assert_eq!(
            [5, 3, 8, 4, 99].map(|node| group.place(NodeId(node))),
            [Some(0), Some(1), Some(2), None, None]
        );
        assert_eq!(group.primary(4), NodeId(3));
    }
}
