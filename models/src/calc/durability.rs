//! Data that survives, and work that is not lost: mean time to data loss, intervals between checkpoints.

use super::chain::Chain;
use super::math::{root, size};

/// Copies or shards of data on disks that fail and are rebuilt, exponential times in one unit.
#[derive(Clone, Copy, Debug)]
pub struct Redundancy {
    /// Disks.
    pub disks: u64,
    /// Disks that may be lost at once without a loss of data.
    pub tolerated: u64,
    /// Mean time to failure of a disk.
    pub mttf: f64,
    /// Mean time to rebuild one.
    pub mttr: f64,
    /// Whether all failed disks are rebuilt at once, instead of one after the other.
    pub parallel: bool,
}

impl Redundancy {
    fn rebuild(&self, failed: u64) -> f64 {
        (if self.parallel { failed as f64 } else { 1.0 }) / self.mttr
    }

    /// States are numbers of failed disks; the last is the loss, from which nothing leads back.
    fn chain(&self) -> Chain {
        let lost = size(self.tolerated) + 1;
        let mut chain = Chain::new(lost + 1);
        for failed in 0..lost {
            chain.add(failed, failed + 1, (self.disks - failed as u64) as f64 / self.mttf);
            if failed > 0 {
                chain.add(failed, failed - 1, self.rebuild(failed as u64));
            }
        }
        chain
    }

    /// Mean time to data loss, from all disks good.
    pub fn mttdl(&self) -> f64 {
        let lost = size(self.tolerated) + 1;
        self.chain().time_to(|failed| failed == lost)
    }

    /// The usual approximation MTTF^(t+1) / (n … (n−t) MTTR^t), times t! when rebuilt in parallel.
    pub fn mttdl_approximate(&self) -> f64 {
        let steps = (1..=self.tolerated).map(|failed| self.mttf * self.rebuild(failed));
        let ways = (0..=self.tolerated).map(|failed| (self.disks - failed) as f64);
        self.mttf * steps.product::<f64>() / ways.product::<f64>()
    }

    /// Probability that data is lost within a time, from all disks good.
    pub fn loss_within(&self, time: f64) -> f64 {
        self.chain().at(time)[size(self.tolerated) + 1]
    }
}

/// Work with checkpoints on a machine that fails, exponential times, in one unit of time.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoints {
    /// Time that writing a checkpoint takes.
    pub cost: f64,
    /// Mean time between failures.
    pub mtbf: f64,
    /// Time that a restart takes.
    pub restart: f64,
}

impl Checkpoints {
    /// The interval of work that ends soonest: M (1 + W(−e^(−d/M − 1))), exact for exponential failures.
    ///
    /// Source: Daly 2006, the condition before his expansion.
    pub fn optimal(&self) -> f64 {
        let d = self.cost / self.mtbf;
        // 1 − y = e^(−y − d/M), written without a difference of close numbers; y − … rises with y.
        self.mtbf * root(0.0, 1.0, |y| y + libm::expm1(-y - d))
    }

    /// Young 1974: the square root of 2 d M.
    pub fn young(&self) -> f64 {
        libm::sqrt(2.0 * self.cost * self.mtbf)
    }

    /// Daly 2006, the expansion of higher order; M when the checkpoint costs 2 M or more.
    pub fn daly(&self) -> f64 {
        if self.cost >= 2.0 * self.mtbf {
            return self.mtbf;
        }
        let x = self.cost / (2.0 * self.mtbf);
        self.young() * (1.0 + libm::sqrt(x) / 3.0 + x / 9.0) - self.cost
    }

    /// Mean time to finish `segments` intervals of `interval` work each, with a checkpoint after each.
    ///
    /// N M e^(R/M) (e^((τ+d)/M) − 1). Source: Daly 2006.
    pub fn completion(&self, segments: f64, interval: f64) -> f64 {
        let m = self.mtbf;
        segments * m * libm::exp(self.restart / m) * libm::expm1((interval + self.cost) / m)
    }

    /// Mean time to finish `work` without any checkpoint.
    pub fn without(&self, work: f64) -> f64 {
        self.mtbf * libm::exp(self.restart / self.mtbf) * libm::expm1(work / self.mtbf)
    }
}
