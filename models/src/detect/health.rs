//! Health of one component: HEALTHY, DEGRADED, FAILING, FAILED, and what each class of fault does to it.
//!
//! The rules are those of S0, the fault-tolerance framework, with its mistakes corrected (they stay
//! available as [`HealthRules::S0`]):
//! - S0 classifies a connection error twice, as intermittent where it is caught and as transient in
//!   its table. Here it is intermittent: one alone is retried in either case, and only the
//!   intermittent rule notices that they come again and again.
//! - S0 sets FAILING, leaves the loop, and overwrites it with FAILED, so that nobody ever sees
//!   FAILING. Here it stays.
//! - S0 counts faults of every class towards "more than five in five minutes"; here only intermittent ones.
//! - S0 fails the component when one call has used up its retries on intermittent faults; here that
//!   call fails, and the component when the limit is passed.
//! - In S0 any success makes a component healthy that has failed for good; here it must be repaired.

use std::collections::VecDeque;

use murphy_sim::{Span, Time};

/// What a caller sees of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// No answer in time.
    Timeout,
    /// The connection was refused or broke.
    Connection,
    /// The answer says that it can never work.
    Broken,
}

/// How a fault behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultClass {
    /// It passes.
    Transient,
    /// It comes again and again.
    Intermittent,
    /// It stays.
    Permanent,
}

impl Failure {
    /// The class that a failure is taken for.
    pub fn class(self) -> FaultClass {
        match self {
            Failure::Timeout => FaultClass::Transient,
            Failure::Connection => FaultClass::Intermittent,
            Failure::Broken => FaultClass::Permanent,
        }
    }
}

/// Health of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthState {
    /// The last attempt worked.
    Healthy,
    /// The last attempt failed, and is retried.
    Degraded,
    /// It fails too often to be retried.
    Failing,
    /// It does not work.
    Failed,
}

/// Whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthRules {
    /// S0 as it is written.
    S0,
    /// S0 as it is meant.
    Corrected,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this time.
    Retry(Span),
    /// The call fails.
    GiveUp {
        /// Whether people are called.
        escalate: bool,
    },
}

/// Retries after the first attempt of a call.
pub const MAX_RETRIES: u32 = 3;
/// Time that an attempt may take.
pub const ATTEMPT_TIMEOUT: Span = Span::secs(10);
/// Longest wait between two attempts.
const MAX_BACKOFF: Span = Span::secs(30);
/// More intermittent faults than this in [`FAULT_WINDOW`] make a component failing.
const MAX_INTERMITTENT: usize = 5;
/// Time in which intermittent faults are counted.
const FAULT_WINDOW: Span = Span::secs(300);

/// Wait before retry `k`, counted from one: min(2^k, 30) seconds.
pub fn backoff(k: u32) -> Span {
    Span::secs(1 << k.min(5)).min(MAX_BACKOFF)
}

/// The health of a component, as its callers keep it.
#[derive(Clone, Debug)]
pub struct ComponentHealth {
    rules: HealthRules,
    state: HealthState,
    /// Whether a permanent fault was seen that nobody has repaired.
    broken: bool,
    /// Times of the faults that count towards the limit.
    recent: VecDeque<Time>,
}

impl ComponentHealth {
    /// A healthy component.
    pub fn new(rules: HealthRules) -> ComponentHealth {
        ComponentHealth { rules, state: HealthState::Healthy, broken: false, recent: VecDeque::new() }
    }

    /// Its state.
    pub fn state(&self) -> HealthState {
        self.state
    }

    /// Whether a call is worth an attempt.
    pub fn admits(&self) -> bool {
        self.rules == HealthRules::S0 || !self.broken
    }

    /// An attempt worked.
    pub fn succeeded(&mut self, now: Time) {
        self.forget(now);
        let limit = self.rules == HealthRules::Corrected && self.recent.len() > MAX_INTERMITTENT;
        if !self.broken || self.rules == HealthRules::S0 {
            self.state = if limit { HealthState::Failing } else { HealthState::Healthy };
        }
    }

    /// An attempt failed; `retries` were made before it in this call.
    pub fn failed(&mut self, now: Time, failure: Failure, retries: u32) -> Verdict {
        let class = failure.class();
        self.forget(now);
        if class == FaultClass::Intermittent || self.rules == HealthRules::S0 {
            self.recent.push_back(now);
        }
        let escalate = class == FaultClass::Permanent;
        let too_many = class == FaultClass::Intermittent && self.recent.len() > MAX_INTERMITTENT;
        self.broken |= escalate;
        self.state = match class {
            FaultClass::Permanent => HealthState::Failed,
            FaultClass::Intermittent if too_many => HealthState::Failing,
            FaultClass::Transient | FaultClass::Intermittent => HealthState::Degraded,
        };
        let again = self.state == HealthState::Degraded;
        if again && retries < MAX_RETRIES {
            return Verdict::Retry(backoff(retries + 1));
        }
        // A time-out that every retry repeats is no longer transient.
        if self.rules == HealthRules::S0 || class == FaultClass::Transient {
            self.state = HealthState::Failed;
        }
        Verdict::GiveUp { escalate }
    }

    /// Someone repaired it.
    pub fn repaired(&mut self) {
        self.broken = false;
        self.recent.clear();
        self.state = HealthState::Healthy;
    }

    fn forget(&mut self, now: Time) {
        while self.recent.front().is_some_and(|first| now.since(*first) >= FAULT_WINDOW) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One call whose attempts all fail like this; attempts and the time at which it gives up.
    fn call(health: &mut ComponentHealth, now: &mut Time, failure: Failure) -> (u32, bool) {
        let took = if failure == Failure::Timeout { ATTEMPT_TIMEOUT } else { Span::ZERO };
        for retries in 0.. {
            *now = *now + took;
            match health.failed(*now, failure, retries) {
                Verdict::Retry(after) => *now = *now + after,
                Verdict::GiveUp { escalate } => return (retries + 1, escalate),
            }
        }
        unreachable!("a call gives up")
    }

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let waits: Vec<u64> = (1..=7).map(|k| backoff(k).0 / 1_000_000_000).collect();
        assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn attempts_per_class_are_the_rules() {
        let mut now = Time::ZERO;
        let mut health = ComponentHealth::new(HealthRules::Corrected);
        assert_eq!(call(&mut health, &mut now, Failure::Timeout), (4, false));
        // Four attempts of ten seconds and waits of 2, 4 and 8.
        assert_eq!(now, Time(54_000_000_000));
        assert_eq!(health.state(), HealthState::Failed);
        let mut health = ComponentHealth::new(HealthRules::Corrected);
        assert_eq!(call(&mut health, &mut now, Failure::Broken), (1, true));
        assert_eq!((health.state(), health.admits()), (HealthState::Failed, false));
        health.succeeded(now);
        assert_eq!(health.state(), HealthState::Failed, "a repair is needed");
        health.repaired();
        assert_eq!((health.state(), health.admits()), (HealthState::Healthy, true));
    }

    #[test]
    fn the_sixth_intermittent_fault_in_five_minutes_is_one_too_many() {
        let mut now = Time::ZERO;
        let mut health = ComponentHealth::new(HealthRules::Corrected);
        assert_eq!(call(&mut health, &mut now, Failure::Connection), (4, false));
        assert_eq!(health.state(), HealthState::Degraded);
        assert_eq!(call(&mut health, &mut now, Failure::Connection), (2, false));
        assert_eq!(health.state(), HealthState::Failing);
        // Good attempts do not help until the faults are five minutes old.
        health.succeeded(now);
        assert_eq!(health.state(), HealthState::Failing);
        health.succeeded(now + FAULT_WINDOW);
        assert_eq!(health.state(), HealthState::Healthy);
    }

    #[test]
    fn s0_as_written_never_shows_failing_and_forgets_what_is_broken() {
        let mut now = Time::ZERO;
        let mut health = ComponentHealth::new(HealthRules::S0);
        assert_eq!(call(&mut health, &mut now, Failure::Connection), (4, false));
        assert_eq!(health.state(), HealthState::Failed);
        assert_eq!(call(&mut health, &mut now, Failure::Connection), (2, false));
        assert_eq!(health.state(), HealthState::Failed);
        assert_eq!(call(&mut health, &mut now, Failure::Broken), (1, true));
        health.succeeded(now);
        assert_eq!(health.state(), HealthState::Healthy);
    }
}
