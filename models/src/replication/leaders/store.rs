//! What the disk of a replica keeps: a cell a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_sim::Durable;

use super::Cell;
use crate::replication::ranges::Ranges;

/// One write: the cell of a key as it is now.
#[derive(Clone, Debug)]
pub struct Write {
    /// Key.
    pub key: u64,
    /// What it holds.
    pub cell: Arc<Cell>,
}

/// The disk of a replica.
#[derive(Clone, Debug, Default)]
pub struct Store {
    cells: BTreeMap<u64, Arc<Cell>>,
    digests: Ranges,
}

impl Store {
    pub(super) fn cells(&self) -> &BTreeMap<u64, Arc<Cell>> {
        &self.cells
    }

    pub(super) fn digests(&self) -> &Ranges {
        &self.digests
    }

    /// Keys with their cells in the ranges whose bits are set.
    pub(super) fn of_ranges(&self, ranges: u64) -> Vec<(u64, Arc<Cell>)> {
        let inside = self.cells.iter().filter(|(key, _)| Ranges::has(ranges, **key));
        inside.map(|(key, cell)| (*key, Arc::clone(cell))).collect()
    }
}

impl Durable for Store {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        if let Some(old) = self.cells.insert(write.key, Arc::clone(&write.cell)) {
            self.digests.toggle(write.key, old.digest());
        }
        self.digests.toggle(write.key, write.cell.digest());
    }
}
