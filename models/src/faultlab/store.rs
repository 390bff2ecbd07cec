//! What a replica's disk keeps: a block a key, with a sum over it.

use std::collections::BTreeMap;

use murphy_sim::{Durable, Time, fold};

/// One write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// Key.
    pub key: u64,
    /// Value.
    pub value: u64,
    /// The writer's wall clock.
    pub stamp: u64,
    /// Replaces whatever is there: a repair.
    pub forced: bool,
}

/// What the disk has of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Value.
    pub value: u64,
    /// The writer's wall clock.
    pub stamp: u64,
    /// Sum over key, value and stamp as they were written.
    sum: u64,
}

/// The disk of a replica.
#[derive(Clone, Debug, Default)]
pub struct Store {
    blocks: BTreeMap<u64, Block>,
}

fn sum(key: u64, value: u64, stamp: u64) -> u64 {
    fold(fold(key, value), stamp)
}

impl Block {
    fn of(put: &Put) -> Block {
        Block { value: put.value, stamp: put.stamp, sum: sum(put.key, put.value, put.stamp) }
    }

    /// Whether the block is what was written for this key.
    pub fn is_sound(&self, key: u64) -> bool {
        self.sum == sum(key, self.value, self.stamp)
    }
}

impl Store {
    /// The block of a key.
    pub fn get(&self, key: u64) -> Option<Block> {
        self.blocks.get(&key).copied()
    }

    /// All blocks, by key.
    pub fn blocks(&self) -> impl Iterator<Item = (u64, Block)> + '_ {
        self.blocks.iter().map(|(&key, &block)| (key, block))
    }

    /// The block that a word picks, if there is any.
    fn pick(&mut self, word: u64) -> Option<&mut Block> {
        let place = word.checked_rem(self.blocks.len() as u64)?;
        self.blocks.values_mut().nth(usize::try_from(place).expect("an index"))
    }
}

impl Durable for Store {
    type Write = Put;

    fn apply(&mut self, put: &Put) {
        if put.forced || self.blocks.get(&put.key).is_none_or(|block| block.stamp <= put.stamp) {
            self.blocks.insert(put.key, Block::of(put));
        }
    }

    /// The sum of the new block is on the disk, and half of its value.
    fn apply_torn(&mut self, put: &Put, word: u64) {
        let torn = Block { value: put.value ^ (1 << (word % 32)), ..Block::of(put) };
        self.blocks.insert(put.key, torn);
    }

    /// The block stands where that of another key was.
    fn apply_misdirected(&mut self, put: &Put, word: u64) {
        if let Some(victim) = self.pick(word) {
            *victim = Block::of(put);
        }
    }

    fn rot(&mut self, word: u64, _at: Time) -> bool {
        let Some(block) = self.pick(word >> 8) else { return false };
        block.value ^= 1 << (32 + word % 32);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: u64, value: u64, stamp: u64) -> Put {
        Put { key, value, stamp, forced: false }
    }

    #[test]
    fn the_last_stamp_wins_and_a_repair_replaces_anything() {
        let mut store = Store::default();
        store.apply(&put(1, 10, 5));
        store.apply(&put(1, 11, 4));
        assert_eq!(store.get(1).unwrap().value, 10);
        store.apply(&Put { forced: true, ..put(1, 11, 4) });
        assert_eq!(store.get(1).unwrap().value, 11);
    }

    #[test]
    fn sums_find_every_kind_of_damage() {
        let fresh = || {
            let mut store = Store::default();
            store.apply(&put(1, 10, 5));
            store
        };
        let damages: [fn(&mut Store); 3] = [
            |store| assert!(store.rot(77, Time::ZERO)),
            |store| store.apply_torn(&put(1, 12, 6), 3),
            |store| store.apply_misdirected(&put(2, 12, 6), 0),
        ];
        for damage in damages {
            let mut store = fresh();
            assert!(store.get(1).unwrap().is_sound(1));
            damage(&mut store);
            assert!(!store.get(1).unwrap().is_sound(1));
            assert!(store.get(2).is_none(), "a misdirected write is not where it should be");
        }
        assert!(!Store::default().rot(1, Time::ZERO), "an empty disk has nothing that could rot");
    }
}
