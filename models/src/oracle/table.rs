//! A map from small numbers that stays small when a number is not.

use std::collections::BTreeMap;

/// Entries by slot or request: a vector where the numbers are dense, a tree for outliers, so that
/// a protocol that jumps to slot 2⁶⁰ is reported rather than allocated.
#[derive(Clone, Debug)]
pub(super) struct Table<T> {
    dense: Vec<T>,
    outliers: BTreeMap<u64, T>,
}

/// How far beyond its end the vector grows at once.
const REACH: usize = 1 << 16;

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { dense: Vec::new(), outliers: BTreeMap::new() }
    }
}

impl<T: Clone + Default> Table<T> {
    /// The entry of `number`, if it or a later one was ever touched.
    pub(super) fn get(&self, number: u64) -> Option<&T> {
        if !self.outliers.is_empty()
            && let Some(entry) = self.outliers.get(&number)
        {
            return Some(entry);
        }
        self.dense.get(usize::try_from(number).ok()?)
    }

    /// The entry of `number`, made by default when it is new.
    pub(super) fn entry(&mut self, number: u64) -> &mut T {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let near = place < self.dense.len().saturating_add(REACH);
        if !near || (!self.outliers.is_empty() && self.outliers.contains_key(&number)) {
            return self.outliers.entry(number).or_default();
        }
        if place >= self.dense.len() {
            self.dense.resize(place + 1, T::default());
        }
        &mut self.dense[place]
    }

    /// The entries of `from..to` that were touched, and perhaps some made by default between them.
    pub(super) fn range(&self, from: u64, to: u64) -> impl Iterator<Item = &T> {
        let end = usize::try_from(to).unwrap_or(usize::MAX).min(self.dense.len());
        let start = usize::try_from(from).unwrap_or(usize::MAX).min(end);
        self.dense[start..end].iter().chain(self.outliers.range(from..to.max(from)).map(|(_, entry)| entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_cost_no_memory_and_are_found_again() {
        let mut table = Table::<u64>::default();
        *table.entry(3) = 30;
        *table.entry(1 << 60) = 60;
        *table.entry(100_000) = 100;
        for number in [40_000, 80_000, 120_000] {
            *table.entry(number) += 1;
        }
        assert_eq!(*table.entry(100_000), 100);
        assert_eq!(table.get(1 << 60), Some(&60));
        assert_eq!(table.get(u64::MAX), None);
        assert!(table.dense.len() < 200_000, "{}", table.dense.len());
        assert_eq!(table.range(0, u64::MAX).sum::<u64>(), 193);
        assert_eq!(table.range(3, 4).sum::<u64>(), 30);
        assert_eq!(table.range(9, 4).sum::<u64>(), 0);
    }
}
