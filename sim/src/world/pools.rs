//! Pools of nodes: bounded numbers of slots, from which faults take some.

use std::collections::BTreeMap;

use super::Core;
use crate::fact::NodeId;
use crate::failure::{Failure, Pool};
use crate::fault::Hit;
use crate::process::Process;
use crate::random::Domain;

/// A pool of a node: its kind, and which of that kind.
pub(crate) type PoolName = (Pool, u32);

/// Slots that are not free, by node and pool. A map, because most nodes have no pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pools {
    taken: BTreeMap<(u32, PoolName), Taken>,
}

#[derive(Clone, Debug, Default)]
struct Taken {
    in_use: u64,
    /// Lost slots, by fault.
    leaked: BTreeMap<u32, u64>,
}

impl Taken {
    fn all(&self) -> u64 {
        self.in_use + self.leaked.values().sum::<u64>()
    }
}

impl Pools {
    /// A crash frees all slots of a node.
    pub(super) fn clear(&mut self, node: u32) {
        self.taken.retain(|(of, _), _| *of != node);
    }

    /// What leaked through a fault comes back.
    pub(super) fn mend(&mut self, fault: u32, node: u32) {
        for (_, taken) in self.taken.iter_mut().filter(|((of, _), _)| *of == node) {
            taken.leaked.remove(&fault);
        }
    }
}

impl<P: Process> Core<P> {
    pub(crate) fn acquire(&mut self, node: NodeId, pool: PoolName, slots: u64) -> bool {
        let taken = self.failing.pools.taken.entry((node.0, pool)).or_default();
        let free = taken.in_use < slots;
        let granted = free && (!self.hosts[node.index()].ailing || self.leaves_a_slot(node, pool, slots));
        if granted && let Some(taken) = self.failing.pools.taken.get_mut(&(node.0, pool)) {
            taken.in_use += 1;
        }
        granted
    }

    /// Whether the faults of the plan leave a slot of a pool that has one free; those that do not are
    /// blamed.
    #[cold]
    fn leaves_a_slot(&mut self, node: NodeId, pool: PoolName, slots: u64) -> bool {
        let taken = &self.failing.pools.taken[&(node.0, pool)];
        let limits = self.failures(node).filter_map(|(index, failure)| match failure {
            Failure::PoolLimit { pool: kind, slots } if *kind == pool.0 => Some((index, *slots)),
            _ => None,
        });
        let limits: Vec<(u32, u64)> = limits.filter(|(_, limit)| *limit < slots).collect();
        let most = limits.iter().map(|(_, limit)| *limit).min().unwrap_or(slots);
        if taken.all() < most {
            return true;
        }
        let leaks = taken.leaked.keys().copied();
        let blamed: Vec<u32> = limits.into_iter().map(|(index, _)| index).chain(leaks).collect();
        for index in blamed {
            self.hits[index as usize].add(Hit::SlotsRefused, 1);
        }
        false
    }

    pub(crate) fn release(&mut self, node: NodeId, pool: PoolName) {
        let taken = self.failing.pools.taken.entry((node.0, pool)).or_default();
        assert!(taken.in_use > 0, "a slot of {pool:?} was given back that nobody took");
        taken.in_use -= 1;
        if self.hosts[node.index()].ailing {
            self.leak_slot(node, pool);
        }
    }

    /// A slot that is given back may be lost.
    #[cold]
    fn leak_slot(&mut self, node: NodeId, pool: PoolName) {
        let leaks = self.failures(node).filter_map(|(index, failure)| match failure {
            Failure::PoolLeak { pool: kind, chance } if *kind == pool.0 => Some((index, *chance)),
            _ => None,
        });
        for (index, chance) in leaks.collect::<Vec<_>>() {
            let ordinal = self.failing.ordinal(index, node.0);
            if chance.hits(self.failure_word(Domain::Fault, index, node, ordinal)) {
                let taken = self.failing.pools.taken.entry((node.0, pool)).or_default();
                *taken.leaked.entry(index).or_insert(0) += 1;
                self.hits[index as usize].add(Hit::SlotsLeaked, 1);
                return;
            }
        }
    }
}
