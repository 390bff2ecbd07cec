//! A table whose places are used again: nothing is allocated once it has grown.

/// Rows at places that stay the same while they are in use.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    rows: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
        Slab { rows: Vec::new(), free: Vec::new() }
    }

    /// Takes a row in, and says at which place.
    pub(crate) fn insert(&mut self, row: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.rows[slot as usize] = Some(row);
            return slot;
        }
        let slot = u32::try_from(self.rows.len()).expect("fewer than 2^32 rows");
        self.rows.push(Some(row));
        slot
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.rows.get_mut(slot as usize)?.as_mut()
    }

    /// Place of the first row for which this holds.
    pub(crate) fn position(&self, holds: impl Fn(&T) -> bool) -> Option<u32> {
        let found = self.rows.iter().position(|row| row.as_ref().is_some_and(&holds))?;
        u32::try_from(found).ok()
    }

    /// Takes all rows out, in the order of their places.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        self.free.clear();
        self.rows.drain(..).flatten().collect()
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let row = self.rows.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn places_are_used_again() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.insert('c'), a);
        assert_eq!(slab.get_mut(a), Some(&mut 'c'));
        assert_eq!(slab.get_mut(b), Some(&mut 'b'));
        assert_eq!(slab.get_mut(7), None);
        assert_eq!(slab.drain(), ['c', 'b']);
        assert_eq!(slab.insert('d'), 0);
    }
}
