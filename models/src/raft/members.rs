//! Who votes.

use super::bug::Bug;
use super::options::Options;

/// A set of replicas, one bit a place.
pub(super) type Places = u64;

/// The voting members of a group: one set, or two while a joint change is under way (Ongaro 2014, section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Members {
    /// The members, or those that a joint change leads to.
    pub new: u64,
    /// Those that a joint change leaves; zero without one.
    pub old: u64,
}

impl Members {
    /// The first `count` places of a group.
    pub(super) fn first(count: usize) -> Members {
        let new = if count >= 64 { u64::MAX } else { (1 << count) - 1 };
        Members { new, old: 0 }
    }

    /// All that vote.
    #[inline]
    pub(super) fn all(self) -> Places {
        self.new | self.old
    }

    #[inline]
    pub(super) fn has(self, place: usize) -> bool {
        self.all() >> place & 1 == 1
    }

    /// Whether a joint change is under way.
    #[inline]
    pub(super) fn is_joint(self) -> bool {
        self.old != 0
    }
}

/// The places in a set.
pub(super) fn places(set: Places) -> impl Iterator<Item = usize> {
    let mut rest = set;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let place = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            place
        })
    })
}

/// How many of `n` make a quorum: a majority.
fn quorum(n: usize, options: &Options) -> usize {
    if options.has(Bug::HalfQuorum) { n.div_ceil(2) } else { n / 2 + 1 }
}

/// Whether the replicas of `votes`, of which `me` is one, are a quorum of each set of the members.
pub(super) fn has_quorum(members: Members, votes: Places, me: usize, options: &Options) -> bool {
    let enough = |set: Places| {
        let mut count = (set & votes).count_ones() as usize;
        if options.has(Bug::SelfCountedTwice) && set & votes >> me & 1 == 1 {
            count += 1;
        }
        count >= quorum(set.count_ones() as usize, options)
    };
    enough(members.new) && (!members.is_joint() || enough(members.old))
}

/// The greatest value that a quorum of each set has reached; `of` says how far a place is.
pub(super) fn quorum_reached<T: Ord + Copy + Default>(
    members: Members,
    me: usize,
    options: &Options,
    of: impl Fn(usize) -> T,
) -> T {
    let reached = |set: Places| {
        let mut values = [T::default(); 65];
        let mut count = 0;
        for place in places(set) {
            values[count] = of(place);
            count += 1;
        }
        let n = count;
        if options.has(Bug::SelfCountedTwice) && set >> me & 1 == 1 {
            values[count] = of(me);
            count += 1;
        }
        let values = &mut values[..count];
        values.sort_unstable_by(|a, b| b.cmp(a));
        values.get(quorum(n, options) - 1).copied().unwrap_or_default()
    };
    if members.is_joint() { reached(members.new).min(reached(members.old)) } else { reached(members.new) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(members: Members, values: &[u64]) -> u64 {
        quorum_reached(members, 0, &Options::default(), |place| values[place])
    }

    #[test]
    fn a_quorum_is_a_majority_of_each_set() {
        let options = Options::default();
        for n in 1..=64_usize {
            let members = Members::first(n);
            assert_eq!(places(members.all()).count(), n);
            for votes in 0..=n {
                let set = Members::first(votes).new & members.new;
                assert_eq!(has_quorum(members, if votes == 0 { 0 } else { set }, 0, &options), 2 * votes > n);
            }
        }
        // Two of the new three alone are not enough while the old three still count.
        let joint = Members { new: 0b11_1000, old: 0b111 };
        assert!(!has_quorum(joint, 0b01_1000, 3, &options));
        assert!(!has_quorum(joint, 0b01_1001, 3, &options));
        assert!(has_quorum(joint, 0b01_1011, 3, &options));
    }

    #[test]
    fn what_a_quorum_has_reached() {
        assert_eq!(reached(Members::first(3), &[9, 4, 7]), 7);
        assert_eq!(reached(Members::first(4), &[9, 4, 7, 8]), 7);
        assert_eq!(reached(Members::first(5), &[9, 4, 7, 8, 1]), 7);
        assert_eq!(reached(Members { new: 0b11_1000, old: 0b111 }, &[9, 8, 1, 2, 3, 4]), 3);
    }
}
