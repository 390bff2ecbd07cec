//! Inside of all layers: attempts on their way, hedges, and connections.

use murphy_sim::{Outcome, Time, TimerId};

use super::{Back, Caller, Ended};
use crate::service::draw;
use crate::service::fact::Said;
use crate::service::message::{Answer, Ask, ServiceMessage, Ticket};
use crate::service::{Cx, Timer};

/// One attempt on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    serial: u32,
    replica: usize,
    /// The end of the wait for a connection, while there is none.
    connecting: Option<TimerId>,
    /// Whether it holds a slot of the bulkhead beside that of the first.
    slot: bool,
}

/// Which of the attempts at the same time is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    First,
    Hedge,
}

impl Caller {
    /// Sends the first attempt; false when there is no replica to send it to.
    pub(super) fn send_first(&mut self, cx: &mut Cx<'_>, slot: u32) -> bool {
        let dependency = self.call(slot).dependency as usize;
        let luck = self.luck(slot);
        let Some(replica) = self.links[dependency].balance.choose(cx.now(), luck) else { return false };
        let leg = self.send(cx, slot, replica, Sent::First);
        self.call(slot).first = Some(leg);
        if let Some(after) = self.plan[dependency].policy.hedge {
            cx.set_timer(after, Timer::Hedge(Ticket { slot, serial: leg.serial }));
        }
        true
    }

    /// An attempt says something about its replica.
    pub(super) fn judge(&mut self, cx: &mut Cx<'_>, dependency: usize, leg: &Leg, well: bool) {
        if self.links[dependency].balance.ended(cx.now(), leg.replica, well) {
            Said::Ejected.say(cx, self.plan[dependency].service, leg.replica as u64);
        }
    }

    /// The first attempt takes long: a second one, if the bulkhead has room for it.
    pub(crate) fn on_hedge(&mut self, cx: &mut Cx<'_>, ticket: Ticket) {
        let Some(call) = self.calls.get_mut(ticket.slot) else { return };
        let Some(first) = call.first.filter(|leg| leg.serial == ticket.serial) else { return };
        let dependency = call.dependency as usize;
        let link = &mut self.links[dependency];
        if !link.limit.as_mut().is_none_or(crate::service::policy::Limit::acquire) {
            return;
        }
        let replica = link.balance.other(first.replica);
        Said::Hedged.say(cx, self.plan[dependency].service, 0);
        let leg = self.send(cx, ticket.slot, replica, Sent::Hedge);
        self.call(ticket.slot).hedge = Some(leg);
    }

    /// Sends an attempt to a replica, or first asks for a connection.
    fn send(&mut self, cx: &mut Cx<'_>, slot: u32, replica: usize, sent: Sent) -> Leg {
        let now = cx.now();
        let serial = self.next_serial();
        let dependency = self.call(slot).dependency as usize;
        let (plan, link) = (&self.plan[dependency], &mut self.links[dependency]);
        link.balance.sent(replica);
        let unconnected = plan.policy.connect.filter(|spec| !link.connected(now, replica, *spec));
        let ticket = Ticket { slot, serial };
        let connecting = unconnected.map(|spec| cx.set_timer(spec.timeout, Timer::Connect(ticket)));
        let to = plan.replicas[replica];
        let message = match connecting {
            Some(_) => ServiceMessage::Connect { ticket },
            None => self.message(cx, ticket, sent),
        };
        cx.send(to, message);
        Leg { serial, replica, connecting, slot: sent == Sent::Hedge }
    }

    /// What a callee is asked.
    fn message(&mut self, cx: &mut Cx<'_>, ticket: Ticket, sent: Sent) -> ServiceMessage {
        let call = self.call(ticket.slot);
        let (dependency, retries, ask) = (call.dependency as usize, call.retries, call.ask);
        let limits = [call.overall, call.attempt].into_iter().flatten().map(|alarm| alarm.at);
        let until = limits.fold(call.ask.deadline, Time::min);
        let plan = &self.plan[dependency];
        Said::Attempt.say(cx, plan.service, u64::from(retries));
        // A hedge has its own luck: the same work twice would end at the same time.
        let number = retries | if sent == Sent::Hedge { 1 << 31 } else { 0 };
        let ask = Ask {
            luck: draw::attempt(ask.luck, plan.service, number),
            id: draw::attempt(ask.luck, plan.service, u32::MAX),
            keyed: plan.policy.idempotency,
            deadline: if plan.policy.propagate { until } else { Time::MAX },
            ..ask
        };
        ServiceMessage::Call { ticket, ask }
    }

    /// A replica took a connection: the attempt that asked for it goes on.
    pub(crate) fn on_accepted(&mut self, cx: &mut Cx<'_>, ticket: Ticket) {
        let Some(call) = self.calls.get_mut(ticket.slot) else { return };
        let meant = |leg: &&mut Leg| leg.serial == ticket.serial && leg.connecting.is_some();
        let (sent, leg) = if let Some(leg) = call.first.as_mut().filter(meant) {
            (Sent::First, leg)
        } else {
            let Some(leg) = call.hedge.as_mut().filter(meant) else { return };
            (Sent::Hedge, leg)
        };
        if let Some(timer) = leg.connecting.take() {
            cx.cancel_timer(timer);
        }
        let (dependency, replica) = (call.dependency as usize, leg.replica);
        self.links[dependency].connect(cx.now(), replica);
        let message = self.message(cx, ticket, sent);
        cx.send(self.plan[dependency].replicas[replica], message);
    }

    /// No connection came in time: the attempt has failed.
    pub(crate) fn on_unconnected(&mut self, cx: &mut Cx<'_>, ticket: Ticket) -> Option<Ended> {
        let mut leg = self.take_leg(ticket)?;
        // The timer has fired.
        leg.connecting = None;
        let dependency = self.call(ticket.slot).dependency as usize;
        Said::Timeout.say(cx, self.plan[dependency].service, 1);
        self.landed(cx, ticket.slot, &leg, Answer::failed(Outcome::Timeout))
    }

    /// An attempt is over with an answer: the call ends with it, or waits for the other one.
    pub(super) fn landed(&mut self, cx: &mut Cx<'_>, slot: u32, leg: &Leg, answer: Answer) -> Option<Ended> {
        let dependency = self.call(slot).dependency as usize;
        self.judge(cx, dependency, leg, answer.outcome == Outcome::Ok);
        self.close(dependency, leg);
        let call = self.call(slot);
        if answer.outcome != Outcome::Ok && (call.first.is_some() || call.hedge.is_some()) {
            return None;
        }
        if let Some(other) = call.first.take().or(call.hedge.take()) {
            self.abandon(cx, dependency, &other, slot);
        }
        self.leave(cx, slot, Back::Answer(answer))
    }

    /// Nobody waits for an attempt any more. The callee is told, if the policy says so.
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_>, dependency: usize, leg: &Leg, slot: u32) {
        self.close(dependency, leg);
        let plan = &self.plan[dependency];
        self.links[dependency].disconnect(leg.replica);
        match leg.connecting {
            Some(timer) => cx.cancel_timer(timer),
            None if plan.policy.cancel => {
                let ticket = Ticket { slot, serial: leg.serial };
                cx.send(plan.replicas[leg.replica], ServiceMessage::Cancel { ticket });
            }
            None => {}
        }
    }

    /// An attempt is no longer on its way.
    fn close(&mut self, dependency: usize, leg: &Leg) {
        let link = &mut self.links[dependency];
        link.balance.landed(leg.replica);
        if let (true, Some(limit)) = (leg.slot, &mut link.limit) {
            limit.release();
        }
    }

    /// Takes the attempt that a ticket names out of its call.
    pub(super) fn take_leg(&mut self, ticket: Ticket) -> Option<Leg> {
        let call = self.calls.get_mut(ticket.slot)?;
        let meant = |leg: &mut Leg| leg.serial == ticket.serial;
        call.first.take_if(meant).or_else(|| call.hedge.take_if(meant))
    }
}
