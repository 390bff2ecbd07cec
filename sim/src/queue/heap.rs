//! The oracle: a 4-ary heap on (time, sequence number) keys, too simple to be wrong.

use super::Entry;

/// Pending events in a 4-ary heap; the same order as the wheel's, from an explicit sequence number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap {
    nodes: Vec<(u128, Entry)>,
    pushed: u64,
}

impl Heap {
    /// Adds an entry behind those of the same time.
    pub(crate) fn push(&mut self, entry: Entry) {
        let key = (u128::from(entry.at.0) << 64) | u128::from(self.pushed);
        self.pushed += 1;
        let mut hole = self.nodes.len();
        self.nodes.push((key, entry));
        while hole > 0 && key < self.nodes[(hole - 1) / 4].0 {
            self.nodes[hole] = self.nodes[(hole - 1) / 4];
            hole = (hole - 1) / 4;
        }
        self.nodes[hole] = (key, entry);
    }

    /// Takes the earliest entry, the first pushed among equals.
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let moved = self.nodes.pop()?;
        let Some(&(_, first)) = self.nodes.first() else { return Some(moved.1) };
        let mut hole = 0;
        loop {
            let children = 4 * hole + 1..self.nodes.len().min(4 * hole + 5);
            let Some(child) = children.min_by_key(|&index| self.nodes[index].0) else { break };
            if moved.0 < self.nodes[child].0 {
                break;
            }
            self.nodes[hole] = self.nodes[child];
            hole = child;
        }
        self.nodes[hole] = moved;
        Some(first)
    }

    /// The earliest entry, without taking it.
    pub(crate) fn peek(&self) -> Option<Entry> {
        self.nodes.first().map(|&(_, entry)| entry)
    }

    /// How many entries are pending.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
}
