//! The calling side: every call goes through the policies of its dependency.
//!
//! Policies are layers in an order that a scenario may change. A call passes them from the outside in,
//! its answer from the inside out; a layer may refuse the call, hold it back, or send it in again. Outside
//! of all layers are the toggle and the fallback, inside of all are hedges, connections and the balancer.
//!
//! Rules that hold in every order:
//! - What a policy of the caller refuses is not retried (another attempt would be refused as well), and
//!   says nothing about the callee to the layers outside of it.
//! - A time-out gives up everything inside of it: a breaker there learns nothing, a bulkhead there gets
//!   its slot back. It ends the wait, not the work: the callee goes on unless it is told (`cancel`), and
//!   its answer finds nobody, unless late answers count (`late`).

mod legs;
mod link;
mod stack;

use std::sync::Arc;

use murphy_scenarios::language::{Layer, Level};
use murphy_sim::{NodeId, Outcome, Span, Time, TimerId};

use super::Cx;
use super::balancer::Listed;
use super::draw;
use super::fact::Said;
use super::message::{Answer, Ask, Ticket};
use super::plan::Dependency;
use super::policy::Backoff;
use super::slab::Slab;
use legs::Leg;
use link::Link;

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
    /// Number of the zone that it is in.
    pub(crate) zone: u32,
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

/// What a layer outside sees of what comes back from inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// What the callee answered, or that it did not in time.
    Answer(Answer),
    /// A policy of the caller refused the call.
    Refused,
}

impl Back {
    fn answer(self) -> Answer {
        match self {
            Back::Answer(answer) => answer,
            Back::Refused => Answer::failed(Outcome::Rejected),
        }
    }

    /// Whether the callee did well; `None` when this says nothing about it.
    fn verdict(self) -> Option<bool> {
        match self {
            Back::Answer(answer) => Some(answer.outcome == Outcome::Ok),
            Back::Refused => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Call {
    owner: u32,
    dependency: u32,
    ask: Ask,
    /// The first serial that an attempt of this call may have.
    born: u32,
    /// Layers that it has passed on its way in.
    depth: usize,
    /// Retries so far, and what the last one was paid with.
    retries: u32,
    paid: Option<u64>,
    backoff: Backoff,
    /// Names the wait, before a retry or at the rate limiter, that is still meant; zero for none.
    waiting: u32,
    overall: Option<Alarm>,
    attempt: Option<Alarm>,
    /// When it passed the breaker, and when the bulkhead.
    tried: Time,
    entered: Time,
    first: Option<Leg>,
    hedge: Option<Leg>,
}

/// A time-out that runs.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    serial: u32,
    at: Time,
    timer: Option<TimerId>,
}

impl Caller {
    /// A caller that starts its turns at its own number, so that callers do not move in step. `serial`
    /// differs from boot to boot.
    pub(crate) fn new(plan: &Arc<[Dependency]>, place: Place, serial: u32) -> Caller {
        let links = plan.iter().map(|dependency| Link::new(dependency, place)).collect();
        Caller { plan: Arc::clone(plan), links, calls: Slab::new(), serial }
    }

    /// The control plane says which instances of a service there are.
    pub(crate) fn on_endpoints(&mut self, now: Time, service: u32, listed: &[Listed]) {
        for (plan, link) in self.plan.iter().zip(&mut self.links) {
            if plan.service == service as usize {
                let part = plan.part.map_or(0..listed.len(), |part| part..part + 1);
                link.balance.list(now, &listed[part]);
            }
        }
    }

    /// An instance of a dependency, another one for each turn; `None` when there is none.
    pub(crate) fn any(&self, dependency: usize, turn: u32) -> Option<NodeId> {
        let replica = self.links[dependency].balance.any(turn)?;
        Some(self.plan[dependency].replicas[replica])
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
        let off = policy.toggle.is_some_and(|toggle| {
            let passed = |span: Span| now >= Time(span.0);
            passed(toggle.off) && !toggle.on.is_some_and(passed)
        });
        let backoff = Backoff::new(policy.backoff);
        if let Some(budget) = &mut self.links[dependency].budget {
            budget.begin(now);
        }
        let born = self.next_serial();
        let slot = self.calls.insert(Call {
            owner,
            dependency: u32::try_from(dependency).expect("few dependencies"),
            ask,
            born,
            depth: 0,
            retries: 0,
            paid: None,
            backoff,
            waiting: 0,
            overall: None,
            attempt: None,
            tried: now,
            entered: now,
            first: None,
            hedge: None,
        });
        if off { Some(self.finish(cx, slot, Back::Refused)) } else { self.enter(cx, slot) }
    }

    /// An answer came.
    pub(crate) fn on_reply(&mut self, cx: &mut Cx<'_>, ticket: Ticket, answer: Answer) -> Option<Ended> {
        if let Some(leg) = self.take_leg(ticket) {
            return self.landed(cx, ticket.slot, &leg, answer);
        }
        let ok = answer.outcome == Outcome::Ok;
        let Some(depth) = self.waits_still(ticket).filter(|_| ok) else {
            Said::Late.say(cx, 0, u64::from(ok));
            return None;
        };
        self.abort(cx, ticket.slot, depth, false);
        self.leave(cx, ticket.slot, Back::Answer(answer))
    }

    /// Whether the call of an attempt that was given up goes on and takes its answer: the depth inside
    /// which everything is then of no use any more.
    fn waits_still(&mut self, ticket: Ticket) -> Option<usize> {
        let call = self.calls.get_mut(ticket.slot)?;
        let policy = &self.plan[call.dependency as usize].policy;
        // The place is this call's own since its first attempt: a ticket from then on is one of its own.
        let own = ticket.serial.wrapping_sub(call.born) < u32::MAX / 2;
        let retry = policy.stack.iter().position(|layer| *layer == Layer::Retry)?;
        (policy.late && own && call.depth > retry).then_some(retry + 1)
    }

    /// No answer came in time.
    pub(crate) fn on_timeout(&mut self, cx: &mut Cx<'_>, ticket: Ticket) -> Option<Ended> {
        let call = self.calls.get_mut(ticket.slot)?;
        let meant = |alarm: &mut Alarm| alarm.serial == ticket.serial;
        let layer = if call.attempt.take_if(meant).is_some() {
            Layer::Timeout
        } else {
            call.overall.take_if(meant).map(|_| Layer::Overall)?
        };
        let plan = &self.plan[call.dependency as usize];
        Said::Timeout.say(cx, plan.service, 0);
        let index = plan.policy.stack.iter().position(|other| *other == layer).expect("it was entered");
        self.abort(cx, ticket.slot, index + 1, true);
        self.leave(cx, ticket.slot, Back::Answer(Answer::failed(Outcome::Timeout)))
    }

    /// A wait is over, before a retry or at the rate limiter: the call goes on from where it is.
    pub(crate) fn on_turn(&mut self, cx: &mut Cx<'_>, ticket: Ticket) -> Option<Ended> {
        let call = self.calls.get_mut(ticket.slot).filter(|call| call.waiting == ticket.serial)?;
        call.waiting = 0;
        self.enter(cx, ticket.slot)
    }

    /// The call is over: its answer, or what stands in for it.
    fn finish(&mut self, cx: &mut Cx<'_>, slot: u32, back: Back) -> Ended {
        let call = self.calls.remove(slot).expect("a call ends once");
        let dependency = call.dependency as usize;
        let (plan, link) = (&self.plan[dependency], &mut self.links[dependency]);
        if let Some(budget) = &mut link.budget {
            budget.end();
        }
        let mut answer = back.answer();
        if let Some(fallback) = plan.policy.fallback {
            answer = link.substitute(cx.now(), call.ask.key, answer, fallback);
            if answer.level != Answer::FULL.level {
                Said::Fallback.say(cx, plan.service, u64::from(answer.level));
            }
        }
        if answer.outcome != Outcome::Ok {
            Said::GaveUp.say(cx, plan.service, 0);
        }
        Ended { owner: call.owner, dependency, answer }
    }

    fn call(&mut self, slot: u32) -> &mut Call {
        self.calls.get_mut(slot).expect("a call that goes on is in the table")
    }

    /// Luck of the attempt that a call is at.
    fn luck(&mut self, slot: u32) -> u64 {
        let call = self.call(slot);
        draw::attempt(call.ask.luck, call.dependency as usize, call.retries)
    }

    /// A number that no other attempt at the same place has had; never zero.
    fn next_serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1).max(1);
        self.serial
    }
}

/// The level of an answer, as it is counted.
pub(super) fn level(level: Level) -> u8 {
    match level {
        Level::None => 0,
        Level::Degraded => 1,
        Level::Minimal => 2,
    }
}
