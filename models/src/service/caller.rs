//! The calling side: every call goes through the policies of its dependency.
//!
//! From the outside in: fallback, breaker (around the call), retries with back-off and budget, breaker
//! (around each attempt), rate limiter, bulkhead, time-out and hedge, balancer. What the caller's own
//! policies refuse is not retried: another attempt would be refused as well. A time-out ends the wait,
//! not the work: the callee goes on unless it is told (`cancel`), and its answer finds nobody.

use std::sync::Arc;

use murphy_scenarios::language::Around;
use murphy_sim::{Fact, Outcome, Time, TimerId};

use super::balancer::Balance;
use super::draw::{self, Purpose};
use super::fact::{BREAKER_STATE, Said};
use super::message::{Answer, Ask, ServiceMessage, Ticket};
use super::plan::Dependency;
use super::policy::{Backoff, Breaker, BreakerState, RateLimiter, Recorded, RetryBudget};
use super::slab::Slab;
use super::{Cx, Timer};

/// All calls that a node makes.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    plan: Arc<[Dependency]>,
    links: Vec<Link>,
    calls: Slab<Call>,
    serial: u32,
}

/// A caller's number among those of its kind, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) ordinal: usize,
    pub(crate) of: usize,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Whose call it was.
    pub(crate) owner: u32,
    /// Which of the owner's dependencies was called.
    pub(crate) dependency: usize,
    /// With what.
    pub(crate) answer: Answer,
}

/// What a node keeps about one of its dependencies.
#[derive(Clone, Debug)]
struct Link {
    balance: Balance,
    in_flight: u64,
    budget: Option<RetryBudget>,
    breaker: Option<Breaker>,
    limiter: Option<RateLimiter>,
}

#[derive(Clone, Debug)]
struct Call {
    owner: u32,
    dependency: u32,
    /// Retries so far.
    retries: u32,
    ask: Ask,
    started: Time,
    backoff: Backoff,
    /// Tells whether a timer of the call as a whole is still meant.
    serial: u32,
    first: Option<Leg>,
    hedge: Option<Leg>,
}

/// One attempt on its way.
#[derive(Clone, Copy, Debug)]
struct Leg {
    serial: u32,
    replica: u32,
    started: Time,
    timer: Option<TimerId>,
}

/// Which of the attempts at the same time is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    First,
    Hedge,
}

impl Caller {
    /// A caller that starts its turns at its own number, so that callers do not move in step. `serial`
    /// differs from boot to boot.
    pub(crate) fn new(plan: &Arc<[Dependency]>, place: Place, serial: u32) -> Caller {
        let link = |dependency: &Dependency| Link {
            balance: Balance::new(dependency.balancer, dependency.replicas.len(), place.ordinal),
            in_flight: 0,
            budget: dependency.policy.budget.as_ref().map(|spec| RetryBudget::new(spec, place.of)),
            breaker: dependency.policy.breaker.map(Breaker::new),
            limiter: dependency.policy.rate_limit.map(RateLimiter::new),
        };
        Caller { plan: Arc::clone(plan), links: plan.iter().map(link).collect(), calls: Slab::new(), serial }
    }

    /// Starts a call. An end at once, by a policy, is given back.
    pub(crate) fn begin(
        &mut self,
        cx: &mut Cx<'_>,
        dependency: usize,
        owner: u32,
        ask: Ask,
    ) -> Option<Ended> {
        let now = cx.now();
        let policy = &self.plan[dependency].policy;
        let backoff = Backoff::new(policy.backoff);
        if let Some(budget) = &mut self.links[dependency].budget {
            budget.deposit(now);
        }
        let slot = self.calls.insert(Call {
            owner,
            dependency: u32::try_from(dependency).expect("few dependencies"),
            retries: 0,
            ask,
            started: now,
            backoff,
            serial: 0,
            first: None,
            hedge: None,
        });
        if self.passes_breaker(cx, dependency, Around::Call) {
            self.attempt(cx, slot)
        } else {
            Said::Refused.say(cx, self.plan[dependency].service, 0);
            Some(self.answer(cx, slot, Answer::failed(Outcome::Rejected)))
        }
    }

    /// An answer came.
    pub(crate) fn on_reply(&mut self, cx: &mut Cx<'_>, ticket: Ticket, answer: Answer) -> Option<Ended> {
        let Some((leg, dependency)) = self.take_leg(ticket) else {
            Said::Late.say(cx, 0, 0);
            return None;
        };
        if let Some(timer) = leg.timer {
            cx.cancel_timer(timer);
        }
        self.landed(cx, dependency, &leg, answer.outcome);
        self.after_leg(cx, ticket.slot, answer)
    }

    /// No answer came in time.
    pub(crate) fn on_timeout(&mut self, cx: &mut Cx<'_>, ticket: Ticket) -> Option<Ended> {
        let (leg, dependency) = self.take_leg(ticket)?;
        Said::Timeout.say(cx, self.plan[dependency].service, 0);
        self.abandon(cx, dependency, &leg, ticket.slot);
        self.landed(cx, dependency, &leg, Outcome::Timeout);
        self.after_leg(cx, ticket.slot, Answer::failed(Outcome::Timeout))
    }

    /// The back-off is over: the next attempt.
    pub(crate) fn on_retry(&mut self, cx: &mut Cx<'_>, ticket: Ticket) -> Option<Ended> {
        let call = self.calls.get_mut(ticket.slot).filter(|call| call.serial == ticket.serial)?;
        call.serial = 0;
        self.attempt(cx, ticket.slot)
    }

    /// The rate limiter lets the attempt through now.
    pub(crate) fn on_turn(&mut self, cx: &mut Cx<'_>, ticket: Ticket) -> Option<Ended> {
        let call = self.calls.get_mut(ticket.slot).filter(|call| call.serial == ticket.serial)?;
        call.serial = 0;
        self.send_first(cx, ticket.slot)
    }

    /// The first attempt takes long: a second one.
    pub(crate) fn on_hedge(&mut self, cx: &mut Cx<'_>, ticket: Ticket) {
        let Some(call) = self.calls.get_mut(ticket.slot) else { return };
        let Some(first) = call.first.filter(|leg| leg.serial == ticket.serial) else { return };
        let dependency = call.dependency as usize;
        let replica = self.links[dependency].balance.other(first.replica as usize);
        Said::Hedged.say(cx, self.plan[dependency].service, 0);
        let leg = self.send(cx, ticket.slot, replica, Sent::Hedge);
        if let Some(call) = self.calls.get_mut(ticket.slot) {
            call.hedge = Some(leg);
        }
    }

    /// One attempt, unless a policy refuses it.
    fn attempt(&mut self, cx: &mut Cx<'_>, slot: u32) -> Option<Ended> {
        let dependency = self.call(slot).dependency as usize;
        if !self.passes_breaker(cx, dependency, Around::Attempt) {
            return Some(self.refuse(cx, slot, dependency));
        }
        let now = cx.now();
        let Some(limiter) = &mut self.links[dependency].limiter else { return self.send_first(cx, slot) };
        match limiter.reserve(now, 1) {
            Some(wait) if wait.0 == 0 => self.send_first(cx, slot),
            Some(wait) => {
                let ticket = Ticket { slot, serial: self.next_serial() };
                self.call(slot).serial = ticket.serial;
                cx.set_timer(wait, Timer::Turn(ticket));
                None
            }
            None => {
                self.give_back(cx, dependency);
                Some(self.refuse(cx, slot, dependency))
            }
        }
    }

    fn send_first(&mut self, cx: &mut Cx<'_>, slot: u32) -> Option<Ended> {
        let dependency = self.call(slot).dependency as usize;
        let full = |most| self.links[dependency].in_flight >= most;
        if self.plan[dependency].policy.bulkhead.is_some_and(full) {
            self.give_back(cx, dependency);
            return Some(self.refuse(cx, slot, dependency));
        }
        let (luck, retries) = (self.call(slot).ask.luck, self.call(slot).retries);
        let replica = self.links[dependency].balance.choose(draw::attempt(luck, dependency, retries));
        let leg = self.send(cx, slot, replica, Sent::First);
        self.call(slot).first = Some(leg);
        if let Some(after) = self.plan[dependency].policy.hedge {
            cx.set_timer(after, Timer::Hedge(Ticket { slot, serial: leg.serial }));
        }
        None
    }

    /// Sends an attempt to a replica.
    fn send(&mut self, cx: &mut Cx<'_>, slot: u32, replica: usize, sent: Sent) -> Leg {
        let serial = self.next_serial();
        let call = self.calls.get_mut(slot).expect("a call that goes on is in the table");
        let plan = &self.plan[call.dependency as usize];
        let link = &mut self.links[call.dependency as usize];
        link.balance.sent(replica);
        link.in_flight += 1;
        let now = cx.now();
        let ticket = Ticket { slot, serial };
        let given_up = plan.policy.timeout.map_or(Time::MAX, |timeout| now.saturating_add(timeout));
        let until = if plan.policy.propagate { given_up.min(call.ask.deadline) } else { given_up };
        let timer = (until < Time::MAX).then(|| cx.set_timer(until.since(now), Timer::Timeout(ticket)));
        Said::Attempt.say(cx, plan.service, u64::from(call.retries));
        // A hedge has its own luck: the same work twice would end at the same time.
        let number = call.retries | if sent == Sent::Hedge { 1 << 31 } else { 0 };
        let luck = draw::attempt(call.ask.luck, plan.service, number);
        let deadline = if plan.policy.propagate { until } else { Time::MAX };
        let ask = Ask { luck, deadline, ..call.ask };
        cx.send(plan.replicas[replica], ServiceMessage::Call { ticket, ask });
        let replica = u32::try_from(replica).expect("few replicas");
        Leg { serial, replica, started: now, timer }
    }

    /// An attempt is no longer on its way.
    fn landed(&mut self, cx: &mut Cx<'_>, dependency: usize, leg: &Leg, outcome: Outcome) {
        let link = &mut self.links[dependency];
        link.balance.landed(leg.replica as usize);
        link.in_flight -= 1;
        self.record(cx, dependency, Around::Attempt, leg.started, outcome);
    }

    /// Tells the callee that nobody waits any more, if the policy says so.
    fn abandon(&mut self, cx: &mut Cx<'_>, dependency: usize, leg: &Leg, slot: u32) {
        let plan = &self.plan[dependency];
        if plan.policy.cancel {
            let ticket = Ticket { slot, serial: leg.serial };
            cx.send(plan.replicas[leg.replica as usize], ServiceMessage::Cancel { ticket });
        }
    }

    /// An attempt ended: the call ends with it, waits for the other, or tries again.
    fn after_leg(&mut self, cx: &mut Cx<'_>, slot: u32, answer: Answer) -> Option<Ended> {
        let outcome = answer.outcome;
        let call = self.call(slot);
        let dependency = call.dependency as usize;
        let other = call.first.or(call.hedge);
        if let Some(other) = other {
            if outcome != Outcome::Ok {
                return None;
            }
            if let Some(timer) = other.timer {
                cx.cancel_timer(timer);
            }
            self.abandon(cx, dependency, &other, slot);
            let link = &mut self.links[dependency];
            link.balance.landed(other.replica as usize);
            link.in_flight -= 1;
            self.give_back(cx, dependency);
        }
        if outcome == Outcome::Ok || !self.may_retry(cx, slot, outcome) {
            return Some(self.finish(cx, slot, answer));
        }
        let call = self.calls.get_mut(slot).expect("a call that goes on is in the table");
        let word = draw::word(draw::attempt(call.ask.luck, dependency, call.retries), Purpose::Jitter);
        let wait = call.backoff.next(word);
        call.retries += 1;
        if wait.0 == 0 {
            return self.attempt(cx, slot);
        }
        let ticket = Ticket { slot, serial: self.next_serial() };
        self.call(slot).serial = ticket.serial;
        cx.set_timer(wait, Timer::Retry(ticket));
        None
    }

    fn may_retry(&mut self, cx: &mut Cx<'_>, slot: u32, outcome: Outcome) -> bool {
        let now = cx.now();
        let call = self.call(slot);
        let (dependency, retries, deadline) = (call.dependency as usize, call.retries, call.ask.deadline);
        let policy = &self.plan[dependency].policy;
        let retryable = match outcome {
            Outcome::Timeout => policy.retry_on.timeout,
            Outcome::Rejected => policy.retry_on.rejected,
            _ => policy.retry_on.failed,
        };
        let in_time = !policy.propagate || now < deadline;
        if !retryable || !in_time || u64::from(retries) >= policy.retries {
            return false;
        }
        let allowed = self.links[dependency].budget.as_mut().is_none_or(|budget| budget.try_withdraw(now));
        if !allowed {
            Said::Denied.say(cx, self.plan[dependency].service, 0);
        }
        allowed
    }

    /// A policy of the caller refuses an attempt, and with it the call.
    fn refuse(&mut self, cx: &mut Cx<'_>, slot: u32, dependency: usize) -> Ended {
        Said::Refused.say(cx, self.plan[dependency].service, 0);
        self.finish(cx, slot, Answer::failed(Outcome::Rejected))
    }

    /// The call is over.
    fn finish(&mut self, cx: &mut Cx<'_>, slot: u32, answer: Answer) -> Ended {
        let call = self.call(slot);
        let (dependency, started) = (call.dependency as usize, call.started);
        self.record(cx, dependency, Around::Call, started, answer.outcome);
        self.answer(cx, slot, answer)
    }

    fn answer(&mut self, cx: &mut Cx<'_>, slot: u32, answer: Answer) -> Ended {
        let call = self.calls.remove(slot).expect("a call ends once");
        let dependency = call.dependency as usize;
        let plan = &self.plan[dependency];
        let answer = match plan.policy.fallback {
            Some(level) if answer.outcome != Outcome::Ok => {
                Said::Fallback.say(cx, plan.service, level as u64);
                Answer::FULL
            }
            _ => answer,
        };
        Ended { owner: call.owner, dependency, answer }
    }

    fn passes_breaker(&mut self, cx: &mut Cx<'_>, dependency: usize, around: Around) -> bool {
        let spec = self.plan[dependency].policy.breaker;
        let Some(breaker) = &mut self.links[dependency].breaker else { return true };
        if spec.is_none_or(|spec| spec.around != around) {
            return true;
        }
        let before = breaker.state();
        let passes = breaker.acquire(cx.now());
        show(cx, before, breaker.state(), self.plan[dependency].service);
        passes
    }

    fn record(
        &mut self,
        cx: &mut Cx<'_>,
        dependency: usize,
        around: Around,
        started: Time,
        outcome: Outcome,
    ) {
        let spec = self.plan[dependency].policy.breaker;
        let Some(breaker) = &mut self.links[dependency].breaker else { return };
        if spec.is_none_or(|spec| spec.around != around) {
            return;
        }
        let before = breaker.state();
        let how = if outcome == Outcome::Ok { Recorded::Success } else { Recorded::Failure };
        breaker.record(cx.now(), cx.now() - started, how);
        show(cx, before, breaker.state(), self.plan[dependency].service);
    }

    /// Gives a breaker's permit back: the attempt said nothing about the callee.
    fn give_back(&mut self, cx: &mut Cx<'_>, dependency: usize) {
        let spec = self.plan[dependency].policy.breaker;
        if let Some(breaker) = &mut self.links[dependency].breaker
            && spec.is_some_and(|spec| spec.around == Around::Attempt)
        {
            breaker.record(cx.now(), murphy_sim::Span::ZERO, Recorded::Ignored);
        }
    }

    /// Takes the attempt that a ticket names out of its call.
    fn take_leg(&mut self, ticket: Ticket) -> Option<(Leg, usize)> {
        let call = self.calls.get_mut(ticket.slot)?;
        let meant = |leg: &mut Leg| leg.serial == ticket.serial;
        let leg = call.first.take_if(meant).or_else(|| call.hedge.take_if(meant))?;
        Some((leg, call.dependency as usize))
    }

    fn call(&mut self, slot: u32) -> &mut Call {
        self.calls.get_mut(slot).expect("a call that goes on is in the table")
    }

    /// A number that no other attempt at the same place has had; never zero.
    fn next_serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1).max(1);
        self.serial
    }
}

/// Says that a breaker's state changed.
fn show(cx: &mut Cx<'_>, before: BreakerState, after: BreakerState, service: usize) {
    if before == after {
        return;
    }
    cx.fact(Fact::Sample { metric: BREAKER_STATE, value: after as u64 });
    if after == BreakerState::Open {
        Said::Opened.say(cx, service, 0);
    }
}
