//! Components that fail and are repaired: crews, spares, common causes, the time to the first failure.

use super::chain::Chain;
use super::math::{harmonic, root, size};

/// Components of one kind with exponential times to failure and of repair, in one unit of time.
#[derive(Clone, Copy, Debug)]
pub struct Repairable {
    /// Components that are needed.
    pub needed: u64,
    /// Components beyond them.
    pub spares: u64,
    /// Failure rate of a spare as a share of that of one in use: 0 cold, 1 hot.
    pub dormancy: f64,
    /// Mean time to failure of one in use.
    pub mttf: f64,
    /// Mean time of one repair.
    pub mttr: f64,
    /// Repairs that can go on at once.
    pub crews: u64,
}

/// What a repairable system's chain says.
#[derive(Clone, Copy, Debug)]
pub struct Repaired {
    /// Share of time that fewer than the needed components are up.
    pub unavailability: f64,
    /// Failures of the system per unit of time.
    pub frequency: f64,
    /// Mean time that one failure lasts.
    pub mean_down: f64,
    /// Mean time to the first failure, from all components up.
    pub first_failure: f64,
}

impl Repairable {
    /// The machine repairman M/M/c//N. A failed system goes on ageing: components that are up can still fail.
    ///
    /// Source: Trivedi & Bobbio 2017.
    pub fn solve(&self) -> Repaired {
        let n = self.needed + self.spares;
        let mut chain = Chain::new(size(n) + 1);
        for failed in 0..n {
            let up = n - failed;
            let active = up.min(self.needed);
            let ageing = active as f64 + self.dormancy * (up - active) as f64;
            chain.add(size(failed), size(failed) + 1, ageing / self.mttf);
            let repairs = (failed + 1).min(self.crews);
            chain.add(size(failed) + 1, size(failed), repairs as f64 / self.mttr);
        }
        let down = |failed: usize| failed > size(self.spares);
        let (unavailability, frequency) = (chain.share(down), chain.frequency(down));
        let mean_down = unavailability / frequency;
        Repaired { unavailability, frequency, mean_down, first_failure: chain.time_to(down) }
    }
}

/// Mean time to failure of `k`-of-`n` without repair: the harmonic sum MTTF (1/k + … + 1/n).
pub fn mttf_without_repair(k: u64, n: u64, mttf: f64) -> f64 {
    mttf * harmonic(k, n)
}

/// Unavailability of `k`-of-`n` when a share `beta` of each component's failures takes all components down.
///
/// Own crew each. A component fails alone at (1 − β)λ, and all fail together at βλ.
/// Source: the beta factor model, Fleming 1975.
pub fn common_cause(k: u64, n: u64, mttf: f64, mttr: f64, beta: f64) -> f64 {
    let mut chain = Chain::new(size(n) + 1);
    for failed in 0..n {
        let alone = (n - failed) as f64 * (1.0 - beta) / mttf;
        chain.add(size(failed), size(failed) + 1, alone);
        chain.add(size(failed), size(n), beta / mttf);
        chain.add(size(failed) + 1, size(failed), (failed + 1) as f64 / mttr);
    }
    chain.share(|failed| failed > size(n - k))
}

/// The β at which [`common_cause`] reaches an unavailability, if there is one in `0.0..=1.0`.
pub fn common_cause_share(k: u64, n: u64, mttf: f64, mttr: f64, target: f64) -> Option<f64> {
    let excess = |beta: f64| common_cause(k, n, mttf, mttr, beta) - target;
    (excess(0.0) <= 0.0 && excess(1.0) >= 0.0).then(|| root(0.0, 1.0, excess))
}

/// Unavailability of a group with a leader: some quorum of nodes is up, and one of them leads.
///
/// A crash of the leader, and a quorum regained, start a failover of exponential length; nodes have
/// their own crews. `n` nodes, majority quorum.
pub fn leader_cluster(n: u64, mttf: f64, mttr: f64, failover: f64) -> LeaderCluster {
    let (n_states, spare) = (size(n) + 1, size((n - 1) / 2));
    // With i failed: i is serving; spare + 1 + i is failing over, or without a quorum when i > spare.
    let serving = |failed: usize| failed;
    let electing = |failed: usize| failed + spare + 1;
    let mut chain = Chain::new(n_states + spare + 1);
    for failed in 0..n_states {
        let up = (n_states - 1 - failed) as f64;
        if failed < n_states - 1 {
            chain.add(electing(failed), electing(failed + 1), up / mttf);
        }
        if failed > 0 {
            chain.add(electing(failed), electing(failed - 1), failed as f64 / mttr);
        }
        if failed <= spare {
            chain.add(electing(failed), serving(failed), 1.0 / failover);
            chain.add(serving(failed), electing(failed + 1), 1.0 / mttf);
            let next = if failed < spare { serving(failed + 1) } else { electing(failed + 1) };
            chain.add(serving(failed), next, (up - 1.0) / mttf);
            if failed > 0 {
                chain.add(serving(failed), serving(failed - 1), failed as f64 / mttr);
            }
        }
    }
    LeaderCluster {
        unavailability: chain.share(|state| state > spare),
        no_quorum: chain.share(|state| state > 2 * spare + 1),
        frequency: chain.frequency(|state| state > spare),
    }
}

/// What the chain of a [`leader_cluster`] says.
#[derive(Clone, Copy, Debug)]
pub struct LeaderCluster {
    /// Share of time without a leader that has a quorum.
    pub unavailability: f64,
    /// The part of it without a quorum.
    pub no_quorum: f64,
    /// Outages per unit of time.
    pub frequency: f64,
}
