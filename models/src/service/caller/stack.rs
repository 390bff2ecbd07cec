//! The layers: on the way in, on the way back, and given up.

use murphy_scenarios::language::Layer;
use murphy_sim::{Fact, Outcome, Span, Time};

use super::{Alarm, Back, Call, Caller, Ended};
use crate::service::draw::{self, Purpose};
use crate::service::fact::{BREAKER_STATE, LIMIT, Said};
use crate::service::message::{Answer, Ticket};
use crate::service::policy::{BreakerState, Recorded};
use crate::service::{Cx, Timer};

/// What a layer says to a call on its way in.
enum Admit {
    Pass,
    Wait(Span),
    Refuse,
}

impl Caller {
    /// A call goes in, from the layer that it is at.
    pub(super) fn enter(&mut self, cx: &mut Cx<'_>, slot: u32) -> Option<Ended> {
        let dependency = self.call(slot).dependency as usize;
        loop {
            let depth = self.call(slot).depth;
            let Some(&layer) = self.plan[dependency].policy.stack.get(depth) else { break };
            match self.admit(cx, slot, dependency, layer) {
                Admit::Pass => self.call(slot).depth += 1,
                Admit::Wait(span) => {
                    self.call(slot).depth += 1;
                    self.wait(cx, slot, span);
                    return None;
                }
                Admit::Refuse => {
                    Said::Refused.say(cx, self.plan[dependency].service, layer as u64);
                    return self.leave(cx, slot, Back::Refused);
                }
            }
        }
        if self.send_first(cx, slot) {
            return None;
        }
        self.leave(cx, slot, Back::Answer(Answer::failed(Outcome::Rejected)))
    }

    fn wait(&mut self, cx: &mut Cx<'_>, slot: u32, span: Span) {
        let ticket = Ticket { slot, serial: self.next_serial() };
        self.call(slot).waiting = ticket.serial;
        cx.set_timer(span, Timer::Turn(ticket));
    }

    fn admit(&mut self, cx: &mut Cx<'_>, slot: u32, dependency: usize, layer: Layer) -> Admit {
        let now = cx.now();
        let passes = match layer {
            Layer::Overall | Layer::Timeout => {
                self.set_alarm(cx, slot, dependency, layer);
                true
            }
            Layer::Retry => true,
            Layer::Health => now >= self.links[dependency].down_until,
            Layer::Throttle => {
                let word = draw::word(self.luck(slot), Purpose::Throttle);
                self.links[dependency].throttle.as_mut().is_none_or(|throttle| throttle.passes(now, word))
            }
            Layer::Breaker => {
                self.call(slot).tried = now;
                self.passes_breaker(cx, dependency)
            }
            Layer::RateLimit => {
                let key = self.call(slot).ask.key;
                let Some(limiter) = &mut self.links[dependency].limiter else { return Admit::Pass };
                return match limiter.reserve(now, key) {
                    Some(Span::ZERO) => Admit::Pass,
                    Some(wait) => Admit::Wait(wait),
                    None => Admit::Refuse,
                };
            }
            Layer::Bulkhead => {
                self.call(slot).entered = now;
                let free =
                    self.links[dependency].limit.as_mut().is_none_or(super::super::policy::Limit::acquire);
                if !free {
                    let others = self.links.iter().enumerate().filter(|(index, _)| *index != dependency);
                    let idle = others.filter_map(|(_, link)| Some(link.limit.as_ref()?.idle())).sum();
                    Said::Idle.say(cx, self.plan[dependency].service, idle);
                }
                free
            }
        };
        if passes { Admit::Pass } else { Admit::Refuse }
    }

    fn set_alarm(&mut self, cx: &mut Cx<'_>, slot: u32, dependency: usize, layer: Layer) {
        let now = cx.now();
        let policy = &self.plan[dependency].policy;
        let longest = if layer == Layer::Overall { policy.overall } else { policy.timeout };
        let mut at = longest.map_or(Time::MAX, |span| now.saturating_add(span));
        if policy.propagate {
            at = at.min(self.call(slot).ask.deadline);
        }
        let serial = self.next_serial();
        let timer =
            (at < Time::MAX).then(|| cx.set_timer(at.since(now), Timer::Timeout(Ticket { slot, serial })));
        let alarm = Some(Alarm { serial, at, timer });
        match layer {
            Layer::Overall => self.call(slot).overall = alarm,
            _ => self.call(slot).attempt = alarm,
        }
    }

    /// What comes back passes the layers from the inside out.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>, slot: u32, back: Back) -> Option<Ended> {
        let dependency = self.call(slot).dependency as usize;
        while self.call(slot).depth > 0 {
            let call = self.calls.get_mut(slot).expect("a call that goes on is in the table");
            call.depth -= 1;
            let layer = self.plan[dependency].policy.stack[call.depth];
            if layer == Layer::Retry {
                if let Some(wait) = self.retries(cx, slot, back) {
                    // It stays inside this layer.
                    self.call(slot).depth += 1;
                    if wait == Span::ZERO {
                        return self.enter(cx, slot);
                    }
                    self.wait(cx, slot, wait);
                    return None;
                }
            } else {
                self.passed(cx, slot, layer, back);
            }
        }
        Some(self.finish(cx, slot, back))
    }

    /// A layer sees what comes back.
    fn passed(&mut self, cx: &mut Cx<'_>, slot: u32, layer: Layer, back: Back) {
        let now = cx.now();
        let call = self.calls.get_mut(slot).expect("a call that goes on is in the table");
        let dependency = call.dependency as usize;
        let (link, policy) = (&mut self.links[dependency], &self.plan[dependency].policy);
        let outcome = back.verdict().map(|_| back.answer().outcome);
        match layer {
            Layer::Overall => silence(cx, call.overall.take()),
            Layer::Timeout => silence(cx, call.attempt.take()),
            Layer::Retry => {}
            Layer::Health => {
                if let (Some(every), Some(false)) = (policy.health, back.verdict()) {
                    link.shut(now, every);
                }
            }
            Layer::Throttle => {
                if let (Some(throttle), Some(outcome)) = (&mut link.throttle, outcome)
                    && !matches!(outcome, Outcome::Rejected | Outcome::Timeout)
                {
                    throttle.accepted(now);
                }
            }
            Layer::Breaker => self.record(cx, slot, back.verdict()),
            Layer::RateLimit => {
                if let (Some(limiter), Some(outcome)) = (&mut link.limiter, outcome) {
                    limiter.answered(now, outcome == Outcome::Rejected);
                }
            }
            Layer::Bulkhead => {
                let dropped = outcome.map(|outcome| matches!(outcome, Outcome::Rejected | Outcome::Timeout));
                self.free_slot(cx, slot, dropped);
            }
        }
    }

    /// Gives a bulkhead's slot back; `dropped` is `None` when the attempt says nothing about the callee.
    fn free_slot(&mut self, cx: &mut Cx<'_>, slot: u32, dropped: Option<bool>) {
        let call = self.calls.get_mut(slot).expect("a call that goes on is in the table");
        let Some(limit) = &mut self.links[call.dependency as usize].limit else { return };
        let before = limit.size();
        match dropped {
            Some(dropped) => limit.sample(cx.now() - call.entered, dropped),
            None => limit.release(),
        }
        if limit.size() != before {
            cx.fact(Fact::Sample { metric: LIMIT, value: limit.size() });
        }
    }

    /// Everything inside a depth is given up, because nobody waits for it any more.
    pub(super) fn abort(&mut self, cx: &mut Cx<'_>, slot: u32, depth: usize, dropped: bool) {
        let dependency = self.call(slot).dependency as usize;
        let call = self.call(slot);
        call.waiting = 0;
        let legs = [call.first.take(), call.hedge.take()];
        for leg in legs.iter().flatten() {
            if dropped {
                self.judge(cx, dependency, leg, false);
            }
            self.abandon(cx, dependency, leg, slot);
        }
        while self.call(slot).depth > depth {
            let call = self.calls.get_mut(slot).expect("a call that goes on is in the table");
            call.depth -= 1;
            match self.plan[dependency].policy.stack[call.depth] {
                Layer::Overall => silence(cx, call.overall.take()),
                Layer::Timeout => silence(cx, call.attempt.take()),
                Layer::Retry => {
                    if let Some(budget) = &mut self.links[dependency].budget {
                        budget.attempted(None, call.paid.take());
                    }
                }
                Layer::Breaker => self.record(cx, slot, None),
                Layer::Bulkhead => self.free_slot(cx, slot, dropped.then_some(true)),
                Layer::Health | Layer::Throttle | Layer::RateLimit => {}
            }
        }
        // What is left stands between the layers: the layer at `depth - 1` is the next to hear of it.
    }

    /// Whether an attempt is followed by another, and after which wait.
    fn retries(&mut self, cx: &mut Cx<'_>, slot: u32, back: Back) -> Option<Span> {
        let now = cx.now();
        let word = draw::word(self.luck(slot), Purpose::Jitter);
        let call = self.calls.get_mut(slot).expect("a call that goes on is in the table");
        let dependency = call.dependency as usize;
        let (policy, link) = (&self.plan[dependency].policy, &mut self.links[dependency]);
        if let Some(budget) = &mut link.budget {
            budget.attempted(back.verdict(), call.paid.take());
        }
        let Back::Answer(answer) = back else { return None };
        let in_time = !policy.propagate || now < call.ask.deadline;
        if !retryable(&policy.retry_on, &answer) || !in_time || u64::from(call.retries) >= policy.retries {
            return None;
        }
        if let Some(budget) = &mut link.budget {
            call.paid = budget.try_withdraw(now, answer.outcome == Outcome::Timeout);
            if call.paid.is_none() {
                Said::Denied.say(cx, self.plan[dependency].service, 0);
                return None;
            }
        }
        let wait = call.backoff.next(word);
        call.retries += 1;
        Some(if policy.heed { wait.max(answer.retry_after) } else { wait })
    }

    fn passes_breaker(&mut self, cx: &mut Cx<'_>, dependency: usize) -> bool {
        let Some(breaker) = &mut self.links[dependency].breaker else { return true };
        let before = breaker.state();
        let passes = breaker.acquire(cx.now());
        if passes && !breaker.awaits() {
            breaker.record(cx.now(), Span::ZERO, Recorded::Success);
        }
        show(cx, before, breaker.state(), self.plan[dependency].service);
        passes
    }

    /// Tells the breaker how an attempt went; `None` when it says nothing about the callee.
    fn record(&mut self, cx: &mut Cx<'_>, slot: u32, ok: Option<bool>) {
        let Call { dependency, tried, .. } = *self.call(slot);
        let Some(breaker) = &mut self.links[dependency as usize].breaker else { return };
        if !breaker.awaits() {
            return;
        }
        let before = breaker.state();
        let how = match ok {
            Some(true) => Recorded::Success,
            Some(false) => Recorded::Failure,
            None => Recorded::Ignored,
        };
        breaker.record(cx.now(), cx.now() - tried, how);
        show(cx, before, breaker.state(), self.plan[dependency as usize].service);
    }
}

/// Whether an answer is worth another attempt.
fn retryable(on: &murphy_scenarios::language::RetryOn, answer: &Answer) -> bool {
    let by_word = match answer.outcome {
        Outcome::Timeout => on.timeout,
        Outcome::Rejected => on.rejected,
        Outcome::Failed => on.failed && answer.status >= 500,
        _ => false,
    };
    by_word || (answer.outcome != Outcome::Ok && on.statuses.contains(&answer.status))
}

fn silence(cx: &mut Cx<'_>, alarm: Option<Alarm>) {
    if let Some(timer) = alarm.and_then(|alarm| alarm.timer) {
        cx.cancel_timer(timer);
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
