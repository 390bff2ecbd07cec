//! What the disk of a replica keeps: a version a key, hints for others, and digests of ranges.

use std::collections::BTreeMap;

use murphy_sim::{Durable, NodeId, Time, fold};

use crate::replication::ranges::Ranges;

/// A value of a key, and when it was written by the coordinator's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Key.
    pub key: u64,
    /// Value; zero for a key that was never written.
    pub value: u64,
    /// The coordinator's wall clock, and its number to break ties.
    pub stamp: (u64, u32),
    /// When the coordinator began; for the measure of lag alone.
    pub begun: Time,
}

impl Version {
    /// Digest of what matters.
    pub fn digest(&self) -> u64 {
        fold(fold(self.key, self.value), fold(self.stamp.0, u64::from(self.stamp.1)))
    }
}

/// One write.
#[derive(Clone, Copy, Debug)]
pub enum Write {
    /// A version.
    Put(Version),
    /// A version that this node has missed.
    Hint(NodeId, Version),
    /// It has it, or a newer one.
    Done(NodeId, Version),
}

/// The disk of a replica.
#[derive(Clone, Debug, Default)]
pub struct Store {
    versions: BTreeMap<u64, Version>,
    hints: BTreeMap<(NodeId, u64), Version>,
    digests: Ranges,
}

impl Store {
    /// The version of a key.
    pub fn get(&self, key: u64) -> Version {
        self.versions.get(&key).copied().unwrap_or(Version { key, ..Version::default() })
    }

    /// Versions of the keys in the ranges whose bits are set.
    pub(super) fn of_ranges(&self, ranges: u64) -> Vec<Version> {
        self.versions.values().filter(|version| Ranges::has(ranges, version.key)).copied().collect()
    }

    pub(super) fn hints(&self) -> impl Iterator<Item = (NodeId, Version)> + '_ {
        self.hints.iter().map(|((node, _), version)| (*node, *version))
    }

    pub(super) fn digests(&self) -> &Ranges {
        &self.digests
    }

    /// Digest of everything: equal stores have equal digests.
    pub fn digest(&self) -> u64 {
        self.digests.digest()
    }
}

impl Durable for Store {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Put(version) => {
                let old = self.get(version.key);
                if old.stamp < version.stamp {
                    if old.value != 0 {
                        self.digests.toggle(version.key, old.digest());
                    }
                    self.digests.toggle(version.key, version.digest());
                    self.versions.insert(version.key, *version);
                }
            }
            Write::Hint(node, version) => {
                let hint = self.hints.entry((*node, version.key)).or_insert(*version);
                if hint.stamp < version.stamp {
                    *hint = *version;
                }
            }
            Write::Done(node, version) => {
                let place = (*node, version.key);
                if self.hints.get(&place).is_some_and(|hint| hint.stamp <= version.stamp) {
                    self.hints.remove(&place);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(key: u64, value: u64, clock: u64) -> Version {
        Version { key, value, stamp: (clock, 0), begun: Time::ZERO }
    }

    proptest! {
        #[test]
        fn the_same_versions_in_any_order_make_the_same_store(
            mut writes in prop::collection::vec((0_u64..5, 1_u64..100, 0_u64..1000), 1..40),
            word in any::<u64>(),
        ) {
            writes.sort_by_key(|write| write.2);
            writes.dedup_by_key(|write| write.2);
            let filled = |writes: &[(u64, u64, u64)]| {
                let mut store = Store::default();
                for &(key, value, clock) in writes {
                    store.apply(&Write::Put(version(key, value, clock)));
                }
                store
            };
            let forward = filled(&writes);
            writes.sort_by_key(|write| fold(write.2, word));
            let shuffled = filled(&writes);
            prop_assert_eq!(forward.digest(), shuffled.digest());
            prop_assert_eq!(forward.of_ranges(u64::MAX), shuffled.of_ranges(u64::MAX));
        }
    }

    #[test]
    fn a_hint_goes_when_the_other_has_that_version_or_a_newer_one() {
        let mut store = Store::default();
        store.apply(&Write::Hint(NodeId(1), version(7, 1, 10)));
        store.apply(&Write::Hint(NodeId(1), version(7, 2, 20)));
        store.apply(&Write::Done(NodeId(1), version(7, 1, 10)));
        assert_eq!(store.hints().count(), 1, "the newer one is still missing there");
        store.apply(&Write::Done(NodeId(1), version(7, 2, 20)));
        assert_eq!(store.hints().count(), 0);
    }
}
