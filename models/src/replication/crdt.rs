//! Conflict-free replicated data types: states that merge in any order, any number of times.
//!
//! Each replica changes its own copy and sends the state; `merge` is the least upper bound of two states,
//! hence commutative, associative and idempotent. Source: Shapiro et al. 2011, "A comprehensive study of
//! convergent and commutative replicated data types"; dots with a causal context: Bieniusa et al. 2012.

use std::collections::{BTreeMap, BTreeSet};

use murphy_sim::fold;

/// A replica, by its number.
pub type Replica = u32;

/// A state that merges.
pub trait Crdt: Clone + Default {
    /// Takes in everything that another copy knows.
    fn merge(&mut self, other: &Self);

    /// Digest: equal states have equal digests.
    fn digest(&self) -> u64;
}

fn digest_of(words: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    words.into_iter().fold(0, |sum, (a, b)| fold(fold(sum, a), b))
}

fn merge_counts(counts: &mut BTreeMap<Replica, u64>, other: &BTreeMap<Replica, u64>) {
    for (&replica, &theirs) in other {
        let own = counts.entry(replica).or_default();
        *own = (*own).max(theirs);
    }
}

/// A counter that grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GCounter {
    counts: BTreeMap<Replica, u64>,
}

impl GCounter {
    /// Adds to a replica's own count.
    pub fn add(&mut self, replica: Replica, count: u64) {
        let own = self.counts.entry(replica).or_default();
        *own = own.saturating_add(count);
    }

    /// Sum over all replicas.
    pub fn value(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The merge that a naive programmer writes: it counts again what it has seen before.
    pub(crate) fn merge_by_sum(&mut self, other: &GCounter) {
        for (&replica, &theirs) in &other.counts {
            self.add(replica, theirs);
        }
    }
}

impl Crdt for GCounter {
    fn merge(&mut self, other: &GCounter) {
        merge_counts(&mut self.counts, &other.counts);
    }

    fn digest(&self) -> u64 {
        digest_of(self.counts.iter().map(|(&replica, &count)| (u64::from(replica), count)))
    }
}

/// A counter that grows and falls: two that grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PnCounter {
    /// Increments.
    pub up: GCounter,
    /// Decrements.
    pub down: GCounter,
}

impl PnCounter {
    /// Increments minus decrements.
    pub fn value(&self) -> i64 {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        signed(self.up.value()) - signed(self.down.value())
    }
}

impl Crdt for PnCounter {
    fn merge(&mut self, other: &PnCounter) {
        self.up.merge(&other.up);
        self.down.merge(&other.down);
    }

    fn digest(&self) -> u64 {
        fold(self.up.digest(), self.down.digest())
    }
}

/// A register in which the last write wins, by the writer's clock; ties go to the greater replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LwwRegister {
    /// Clock and replica of the write.
    pub stamp: (u64, Replica),
    /// Value.
    pub value: u64,
}

impl Crdt for LwwRegister {
    fn merge(&mut self, other: &LwwRegister) {
        if self.stamp < other.stamp {
            *self = *other;
        }
    }

    fn digest(&self) -> u64 {
        digest_of([(self.stamp.0, u64::from(self.stamp.1)), (self.value, 0)])
    }
}

/// One change of one replica.
pub type Dot = (Replica, u64);

/// Values by the change that wrote each, and all changes that this copy has seen.
///
/// What one copy has and the other has not was either never seen by the other, or removed there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dots<V> {
    values: BTreeMap<Dot, V>,
    seen: BTreeMap<Replica, u64>,
}

impl<V> Default for Dots<V> {
    fn default() -> Dots<V> {
        Dots { values: BTreeMap::new(), seen: BTreeMap::new() }
    }
}

impl<V: Copy> Dots<V> {
    fn insert(&mut self, replica: Replica, value: V) {
        let count = self.seen.entry(replica).or_default();
        *count += 1;
        self.values.insert((replica, *count), value);
    }

    fn has_seen(&self, dot: Dot) -> bool {
        self.seen.get(&dot.0).is_some_and(|seen| *seen >= dot.1)
    }

    fn merge(&mut self, other: &Dots<V>) {
        self.values.retain(|dot, _| other.values.contains_key(dot) || !other.has_seen(*dot));
        for (dot, value) in &other.values {
            if !self.has_seen(*dot) {
                self.values.insert(*dot, *value);
            }
        }
        merge_counts(&mut self.seen, &other.seen);
    }

    fn digest(&self, of: impl Fn(&V) -> u64) -> u64 {
        let values = self.values.iter().map(|(dot, value)| (fold(u64::from(dot.0), dot.1), of(value)));
        let seen = self.seen.iter().map(|(&replica, &count)| (u64::from(replica), count));
        fold(digest_of(values), digest_of(seen))
    }
}

/// A register that keeps all values of concurrent writes, for the reader to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MvRegister(Dots<u64>);

impl MvRegister {
    /// Replaces every value that this copy knows.
    pub fn set(&mut self, replica: Replica, value: u64) {
        self.0.values.clear();
        self.0.insert(replica, value);
    }

    /// The values, one unless writes were concurrent.
    pub fn values(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.values.values().copied()
    }
}

impl Crdt for MvRegister {
    fn merge(&mut self, other: &MvRegister) {
        self.0.merge(&other.0);
    }

    fn digest(&self) -> u64 {
        self.0.digest(|value| *value)
    }
}

/// A set from which a remove takes what it has seen: a concurrent add wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrSet(Dots<u64>);

impl OrSet {
    /// Adds an element.
    pub fn add(&mut self, replica: Replica, element: u64) {
        self.remove(element);
        self.0.insert(replica, element);
    }

    /// Removes every add of an element that this copy has seen.
    pub fn remove(&mut self, element: u64) {
        self.0.values.retain(|_, known| *known != element);
    }

    /// Whether the set has an element.
    pub fn has(&self, element: u64) -> bool {
        self.0.values.values().any(|known| *known == element)
    }
}

impl Crdt for OrSet {
    fn merge(&mut self, other: &OrSet) {
        self.0.merge(&other.0);
    }

    fn digest(&self) -> u64 {
        self.0.digest(|value| *value)
    }
}

/// A set in which a remove is for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TwoPhaseSet {
    added: BTreeSet<u64>,
    removed: BTreeSet<u64>,
}

impl TwoPhaseSet {
    /// Adds an element, unless it was ever removed.
    pub fn add(&mut self, element: u64) {
        self.added.insert(element);
    }

    /// Removes an element for ever.
    pub fn remove(&mut self, element: u64) {
        self.removed.insert(element);
    }

    /// Whether the set has an element.
    pub fn has(&self, element: u64) -> bool {
        self.added.contains(&element) && !self.removed.contains(&element)
    }
}

impl Crdt for TwoPhaseSet {
    fn merge(&mut self, other: &TwoPhaseSet) {
        self.added.extend(&other.added);
        self.removed.extend(&other.removed);
    }

    fn digest(&self) -> u64 {
        fold(
            digest_of(self.added.iter().map(|&element| (element, 1))),
            digest_of(self.removed.iter().map(|&element| (element, 2))),
        )
    }
}

/// A map of registers from which a remove takes what it has seen: a concurrent put wins.
///
/// Each register belongs to the change that wrote it, and goes with it; one kept beside the keys would
/// make the outcome depend on the order of merges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrMap(Dots<(u64, LwwRegister)>);

impl OrMap {
    /// Writes a key, unless what is there has a later stamp.
    pub fn put(&mut self, replica: Replica, key: u64, mut register: LwwRegister) {
        if let Some(old) = self.get(key) {
            register.merge(&old);
        }
        self.remove(key);
        self.0.insert(replica, (key, register));
    }

    /// Removes every write of a key that this copy has seen.
    pub fn remove(&mut self, key: u64) {
        self.0.values.retain(|_, (known, _)| *known != key);
    }

    /// What a key holds: of concurrent writes the last one.
    pub fn get(&self, key: u64) -> Option<LwwRegister> {
        let writes = self.0.values.values().filter(|(known, _)| *known == key);
        writes.map(|(_, register)| *register).max_by_key(|register| register.stamp)
    }
}

impl Crdt for OrMap {
    fn merge(&mut self, other: &OrMap) {
        self.0.merge(&other.0);
    }

    fn digest(&self) -> u64 {
        self.0.digest(|(key, register)| fold(*key, register.digest()))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use proptest::prelude::*;

    /// One step: a replica changes its copy, or takes in another's.
    type Step = (Replica, Replica, u8, u64);

    /// Copies of three replicas after some steps; a third of the steps are merges.
    fn copies<T: Crdt>(steps: &[Step], change: fn(&mut T, Replica, u8, u64, u64)) -> [T; 3] {
        let mut copies: [T; 3] = std::array::from_fn(|_| T::default());
        for (time, &(replica, other, what, value)) in (0..).zip(steps) {
            let place = replica as usize;
            if what % 3 == 0 {
                let other = copies[other as usize].clone();
                copies[place].merge(&other);
            } else {
                change(&mut copies[place], replica, what, value, time);
            }
        }
        copies
    }

    fn merged<T: Crdt>(a: &T, b: &T) -> T {
        let mut sum = a.clone();
        sum.merge(b);
        sum
    }

    /// The laws of a semilattice, on reachable states, and that digests tell states apart.
    fn lawful<T: Crdt + PartialEq + Debug>(steps: &[Step], change: fn(&mut T, Replica, u8, u64, u64)) {
        let [a, b, c] = copies(steps, change);
        assert_eq!(merged(&a, &a), a, "idempotent");
        assert_eq!(merged(&a, &b), merged(&b, &a), "commutative");
        assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)), "associative");
        let all = merged(&merged(&a, &b), &c);
        assert_eq!(merged(&all, &b), all, "a merge keeps what was known");
        assert_eq!(a.digest() == b.digest(), a == b, "digests tell states apart");
    }

    proptest! {
        #[test]
        fn merges_obey_the_laws_of_a_semilattice(
            steps in prop::collection::vec((0_u32..3, 0_u32..3, any::<u8>(), 0_u64..4), 0..40),
        ) {
            lawful::<GCounter>(&steps, |counter, replica, _, value, _| counter.add(replica, value));
            lawful::<PnCounter>(&steps, |counter, replica, what, value, _| {
                if what % 2 == 0 { counter.up.add(replica, value) } else { counter.down.add(replica, value) }
            });
            // Clocks that are off: any stamp, but no replica uses one twice.
            lawful::<LwwRegister>(&steps, |register, replica, _, value, time| {
                register.merge(&LwwRegister { stamp: (value * 100 + time, replica), value: time });
            });
            lawful::<MvRegister>(&steps, |register, replica, _, value, _| register.set(replica, value));
            lawful::<OrSet>(&steps, |set, replica, what, value, _| {
                if what % 2 == 0 { set.add(replica, value) } else { set.remove(value) }
            });
            lawful::<TwoPhaseSet>(&steps, |set, _, what, value, _| {
                if what % 2 == 0 { set.add(value) } else { set.remove(value) }
            });
            lawful::<OrMap>(&steps, |map, replica, what, value, time| {
                if what % 4 == 0 {
                    map.remove(value);
                } else {
                    map.put(replica, value, LwwRegister { stamp: (time, replica), value: time + 1 });
                }
            });
        }
    }

    #[test]
    fn a_merge_by_sum_is_not_idempotent() {
        let mut counter = GCounter::default();
        counter.add(0, 3);
        let copy = counter.clone();
        counter.merge_by_sum(&copy);
        assert_eq!(counter.value(), 6);
    }

    #[test]
    fn concurrent_changes_mean_what_each_type_says() {
        let (mut a, mut b) = (OrSet::default(), OrSet::default());
        a.add(0, 7);
        b.merge(&a);
        b.remove(7);
        a.add(0, 7);
        a.merge(&b);
        assert!(a.has(7), "the remove has not seen the second add");

        let (mut a, mut b) = (MvRegister::default(), MvRegister::default());
        a.set(0, 1);
        b.set(1, 2);
        a.merge(&b);
        assert_eq!(a.values().collect::<Vec<_>>(), [1, 2], "both are kept");
        a.set(0, 3);
        b.merge(&a);
        assert_eq!(b.values().collect::<Vec<_>>(), [3], "until somebody who saw both writes");

        let mut set = TwoPhaseSet::default();
        set.add(7);
        set.remove(7);
        set.add(7);
        assert!(!set.has(7), "a remove is for ever");
    }
}
