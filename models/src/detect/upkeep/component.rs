//! A component that retries by class of fault, and the dependency that it calls.

use std::collections::BTreeMap;

use murphy_sim::{Fact, NodeId, Outcome, Request, RequestId, TimerId};

use super::super::health::{ATTEMPT_TIMEOUT, ComponentHealth, Failure, HealthRules, Verdict};
use super::{ATTEMPTS, Cx, ESCALATIONS, HEALTH, UpkeepMessage, UpkeepTimer};

/// Calls its dependency for each request.
#[derive(Clone, Debug)]
pub struct Component {
    dependency: NodeId,
    health: ComponentHealth,
    calls: BTreeMap<u64, Call>,
    /// Number of the next attempt.
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    request: RequestId,
    retries: u32,
    timer: Option<TimerId>,
}

impl Component {
    pub(super) fn new(dependency: NodeId, rules: HealthRules) -> Component {
        Component { dependency, health: ComponentHealth::new(rules), calls: BTreeMap::new(), next: 0 }
    }

    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        let call = Call { request: request.id, retries: 0, timer: None };
        if self.health.admits() {
            self.attempt(cx, call);
        } else {
            self.end(cx, call, 0, Outcome::Rejected);
        }
    }

    pub(super) fn on_result(&mut self, cx: &mut Cx<'_>, id: u64, failure: Option<Failure>) {
        let Some(call) = self.calls.remove(&id) else { return };
        if let Some(timer) = call.timer {
            cx.cancel_timer(timer);
        }
        if let Some(failure) = failure {
            self.failed(cx, call, failure);
        } else {
            self.health.succeeded(cx.now());
            self.end(cx, call, call.retries + 1, Outcome::Ok);
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: UpkeepTimer) {
        match timer {
            UpkeepTimer::Late(id) => {
                if let Some(call) = self.calls.remove(&id) {
                    self.failed(cx, call, Failure::Timeout);
                }
            }
            UpkeepTimer::Again(id) => {
                if let Some(call) = self.calls.remove(&id) {
                    self.attempt(cx, call);
                }
            }
            UpkeepTimer::Scrub => {}
        }
    }

    fn attempt(&mut self, cx: &mut Cx<'_>, call: Call) {
        self.next += 1;
        let id = self.next;
        cx.send(self.dependency, UpkeepMessage::Attempt(id));
        let timer = cx.set_timer(ATTEMPT_TIMEOUT, UpkeepTimer::Late(id));
        self.calls.insert(id, Call { timer: Some(timer), ..call });
    }

    fn failed(&mut self, cx: &mut Cx<'_>, call: Call, failure: Failure) {
        match self.health.failed(cx.now(), failure, call.retries) {
            Verdict::Retry(after) => {
                cx.fact(Fact::Sample { metric: HEALTH, value: self.health.state() as u64 });
                self.next += 1;
                let id = self.next;
                self.calls.insert(id, Call { retries: call.retries + 1, timer: None, ..call });
                cx.set_timer(after, UpkeepTimer::Again(id));
            }
            Verdict::GiveUp { escalate } => {
                if escalate {
                    cx.fact(Fact::Sample { metric: ESCALATIONS, value: 1 });
                }
                let outcome = if failure == Failure::Timeout { Outcome::Timeout } else { Outcome::Failed };
                self.end(cx, call, call.retries + 1, outcome);
            }
        }
    }

    fn end(&mut self, cx: &mut Cx<'_>, call: Call, attempts: u32, outcome: Outcome) {
        cx.fact(Fact::Sample { metric: ATTEMPTS, value: u64::from(attempts) });
        cx.fact(Fact::Sample { metric: HEALTH, value: self.health.state() as u64 });
        cx.fact(Fact::Complete { request: call.request, outcome, value: 0 });
    }
}

/// How often a dependency does what it should not; what is left is a good answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mood {
    /// Probability that it does not answer.
    pub hang: f64,
    /// Probability that it refuses the connection.
    pub refuse: f64,
    /// Probability that it answers that the request can never work.
    pub broken: f64,
}

/// Answers, refuses, or does not answer.
#[derive(Clone, Debug)]
pub struct Dependency {
    mood: Mood,
}

impl Dependency {
    pub(super) fn new(mood: Mood) -> Dependency {
        Dependency { mood }
    }

    pub(super) fn on_attempt(&mut self, cx: &mut Cx<'_>, from: NodeId, id: u64) {
        let Mood { hang, refuse, broken } = self.mood;
        let draw = cx.rng().unit();
        let result = if draw < hang {
            return;
        } else if draw < hang + refuse {
            Some(Failure::Connection)
        } else if draw < hang + refuse + broken {
            Some(Failure::Broken)
        } else {
            None
        };
        cx.send(from, UpkeepMessage::Result(id, result));
    }
}
