//! What a node keeps about one of its dependencies.

use std::collections::BTreeMap;

use murphy_scenarios::language::{ConnectSpec, FallbackSpec, Level};
use murphy_sim::{Outcome, Span, Time};

use super::{Place, level};
use crate::service::balancer::Balance;
use crate::service::message::Answer;
use crate::service::plan::Dependency;
use crate::service::policy::{Breaker, Limit, RateLimiter, RetryBudget, Throttle};

/// What a node keeps about one of its dependencies.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) balance: Balance,
    /// When the connection to each replica was last used; `None` if there is none.
    connections: Vec<Option<Time>>,
    pub(super) budget: Option<RetryBudget>,
    pub(super) breaker: Option<Breaker>,
    pub(super) throttle: Option<Throttle>,
    pub(super) limiter: Option<RateLimiter>,
    pub(super) limit: Option<Limit>,
    /// Until when the health gate is shut.
    pub(super) down_until: Time,
    /// By key, when the last good answer was true.
    good: BTreeMap<u64, Time>,
}

impl Link {
    pub(super) fn new(dependency: &Dependency, place: Place) -> Link {
        let policy = &dependency.policy;
        Link {
            balance: Balance::new(dependency, place.ordinal, place.zone),
            connections: vec![None; dependency.replicas.len()],
            budget: policy.budget.as_ref().map(|spec| RetryBudget::new(spec, place.of)),
            breaker: policy.breaker.map(Breaker::new),
            throttle: policy.throttle.map(Throttle::new),
            limiter: policy.rate_limit.map(RateLimiter::new),
            limit: policy.bulkhead.map(Limit::new),
            down_until: Time(0),
            good: BTreeMap::new(),
        }
    }

    /// Whether there is a connection to a replica. One that is used stays open.
    pub(super) fn connected(&mut self, now: Time, replica: usize, spec: ConnectSpec) -> bool {
        let open = self.connections[replica].is_some_and(|used| now.since(used) <= spec.idle);
        self.connections[replica] = open.then_some(now);
        open
    }

    pub(super) fn connect(&mut self, now: Time, replica: usize) {
        self.connections[replica] = Some(now);
    }

    /// Closes the connection to a replica that did not answer.
    pub(super) fn disconnect(&mut self, replica: usize) {
        self.connections[replica] = None;
    }

    /// The health gate shuts until the next check, on a fixed beat.
    pub(super) fn shut(&mut self, now: Time, every: Span) {
        self.down_until = Time((now.0 / every.0 + 1) * every.0);
    }

    /// What is answered in place of an answer.
    pub(super) fn substitute(
        &mut self,
        now: Time,
        key: u64,
        answer: Answer,
        fallback: FallbackSpec,
    ) -> Answer {
        if answer.outcome == Outcome::Ok {
            if fallback.stale.is_some() {
                self.good.insert(key, Time(now.0.saturating_sub(answer.age.0)));
            }
            return answer;
        }
        let age = self.good.get(&key).map(|&then| now.since(then));
        if let (Some(age), Some(oldest)) = (age, fallback.stale)
            && age <= oldest
        {
            return Answer { level: level(Level::Degraded), age, ..Answer::FULL };
        }
        match fallback.level {
            Level::None => answer,
            stands_in => Answer { level: level(stands_in), ..Answer::FULL },
        }
    }
}
