//! A primary with a standby: switch-over that takes time, and does not always work.

use super::chain::Chain;
use super::math::root;

/// A pair of components, one active; exponential times to failure and of repair, in one unit of time.
#[derive(Clone, Copy, Debug)]
pub struct Standby {
    /// Mean time to failure of the active component.
    pub mttf: f64,
    /// Mean time of one repair.
    pub mttr: f64,
    /// Failure rate of the standby as a share of that of the active: 0 cold, 1 hot.
    pub dormancy: f64,
    /// Probability that a failure of the active is noticed and switched over by itself.
    pub coverage: f64,
    /// Mean time of such a switch-over; zero is at once.
    pub failover: f64,
    /// Whether the switch-over always takes that long, instead of an exponential time.
    pub fixed: bool,
    /// Mean time until people switch over what was not covered; zero is at once.
    pub manual: f64,
    /// Repairs that can go on at once, 1 or 2.
    pub crews: u64,
}

/// Where the down time of a [`Standby`] goes; the three parts add up.
#[derive(Clone, Copy, Debug)]
pub struct StandbyDown {
    /// Share of time that nothing serves.
    pub unavailability: f64,
    /// During switch-overs that work.
    pub failover: f64,
    /// Until people switched over.
    pub uncovered: f64,
    /// With both failed.
    pub both: f64,
    /// Mean time to the first instant that nothing serves, from both up.
    pub first_failure: f64,
}

const BOTH_UP: usize = 0;
const ONE_UP: usize = 1;
const BOTH_DOWN: usize = 2;
const SWITCHING: usize = 3;
const WAITING: usize = 4;

impl Standby {
    /// Repair goes on in all states; a repair that ends during a switch-over ends the outage.
    ///
    /// A fixed switch-over is a semi-Markov state: the rate that leaves it on time is r / (e^(r d) − 1),
    /// where r is the rate of all else. Source: Trivedi & Bobbio 2017.
    pub fn solve(&self) -> StandbyDown {
        let (fail, repair) = (1.0 / self.mttf, 1.0 / self.mttr);
        let aside = self.dormancy * fail;
        let mut chain = Chain::new(5);
        let covered = if self.failover > 0.0 { SWITCHING } else { ONE_UP };
        let uncovered = if self.manual > 0.0 { WAITING } else { ONE_UP };
        chain.add(BOTH_UP, covered, fail * self.coverage);
        chain.add(BOTH_UP, uncovered, fail * (1.0 - self.coverage));
        chain.add(BOTH_UP, ONE_UP, aside);
        chain.add(ONE_UP, BOTH_UP, repair);
        chain.add(ONE_UP, BOTH_DOWN, fail);
        chain.add(BOTH_DOWN, ONE_UP, self.crews as f64 * repair);
        let other = repair + aside;
        let switched =
            if self.fixed { other / libm::expm1(other * self.failover) } else { 1.0 / self.failover };
        for (state, done, time) in
            [(SWITCHING, switched, self.failover), (WAITING, 1.0 / self.manual, self.manual)]
        {
            chain.add(state, ONE_UP, if time > 0.0 { done } else { 0.0 });
            chain.add(state, BOTH_UP, repair);
            chain.add(state, BOTH_DOWN, aside);
        }
        let steady = chain.steady();
        let (failover, waiting, both) = (steady[SWITCHING], steady[WAITING], steady[BOTH_DOWN]);
        StandbyDown {
            unavailability: failover + waiting + both,
            failover,
            uncovered: waiting,
            both,
            first_failure: chain.time_to(|state| state >= BOTH_DOWN),
        }
    }

    /// The mean failover at which the pair reaches an unavailability, if any does.
    pub fn failover_for(&self, target: f64) -> Option<f64> {
        let excess = |failover: f64| Standby { failover, ..*self }.solve().unavailability - target;
        let longest = 1e3 * self.mttf;
        (excess(0.0) <= 0.0 && excess(longest) >= 0.0).then(|| root(0.0, longest, excess))
    }
}

/// Unavailability of two hot components of which an uncovered failure takes the pair down until repaired; one crew.
pub fn pair_with_coverage(mttf: f64, mttr: f64, coverage: f64) -> f64 {
    let (fail, repair) = (1.0 / mttf, 1.0 / mttr);
    let mut chain = Chain::new(4);
    chain.add(0, 1, 2.0 * fail * coverage);
    chain.add(0, 3, 2.0 * fail * (1.0 - coverage));
    chain.add(1, 0, repair);
    chain.add(1, 2, fail);
    chain.add(2, 1, repair);
    chain.add(3, 1, repair);
    chain.share(|state| state >= 2)
}

/// Share of time lost to switch-overs alone: d / (MTTF + d).
pub fn failover_loss(mttf: f64, failover: f64) -> f64 {
    failover / (mttf + failover)
}

/// What S0 prints for an active-standby pair: p + (1 − p) p 0.99, as unavailability. Wrong: coverage is per failure.
pub fn seed_active_standby(p: f64) -> f64 {
    1.0 - (p + (1.0 - p) * p * 0.99)
}
