//! The users of a workload: requests from outside, each a call to one service.

use murphy_sim::{Fact, Outcome, Request, RequestId, Span, fold};

use super::caller::{Caller, Ended, Place};
use super::fact::{COMPLETENESS, STALENESS, Said};
use super::message::{Answer, Ask, ServiceMessage};
use super::plan;
use super::{Cx, Timer};

/// The users of a workload. They are many: nobody waits for another's answer.
#[derive(Clone, Debug)]
pub struct Users {
    caller: Caller,
    deadline: Span,
    priority: u8,
    /// Whether what they ask for may come in part.
    in_parts: bool,
    /// The luck of all their requests derives from it.
    key: u64,
    /// Requests so far.
    asked: u64,
}

impl Users {
    pub(crate) fn new(cx: &mut Cx<'_>, users: &plan::Users, zone: u32, serial: u32) -> Users {
        let caller = Caller::new(&users.calls, Place { ordinal: 0, of: 1, zone }, serial);
        Users {
            caller,
            deadline: users.deadline,
            priority: users.priority,
            in_parts: users.in_parts,
            key: cx.rng().word(),
            asked: 0,
        }
    }

    pub(crate) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        let luck = fold(self.key, self.asked);
        self.asked += 1;
        let deadline = cx.now().saturating_add(self.deadline);
        let ask = Ask {
            luck,
            deadline,
            key: request.operation.key,
            priority: self.priority,
            id: luck,
            keyed: false,
        };
        let ended = self.caller.begin(cx, 0, request.id.0, ask);
        complete(cx, self.in_parts, ended);
    }

    pub(crate) fn on_message(&mut self, cx: &mut Cx<'_>, message: &ServiceMessage) {
        match *message {
            ServiceMessage::Reply { ticket, answer } => {
                let ended = self.caller.on_reply(cx, ticket, answer);
                complete(cx, self.in_parts, ended);
            }
            ServiceMessage::Accepted { ticket } => self.caller.on_accepted(cx, ticket),
            _ => {}
        }
        if let ServiceMessage::Endpoints { service, listed } = message {
            self.caller.on_endpoints(cx.now(), *service, listed);
        }
    }

    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        let ended = match timer {
            Timer::Timeout(ticket) => self.caller.on_timeout(cx, ticket),
            Timer::Turn(ticket) => self.caller.on_turn(cx, ticket),
            Timer::Connect(ticket) => self.caller.on_unconnected(cx, ticket),
            Timer::Hedge(ticket) => return self.caller.on_hedge(cx, ticket),
            _ => None,
        };
        complete(cx, self.in_parts, ended);
    }
}

fn complete(cx: &mut Cx<'_>, in_parts: bool, ended: Option<Ended>) {
    if let Some(Ended { owner, answer: Answer { outcome, level, whole, age, .. }, .. }) = ended {
        let value = u64::from(outcome == Outcome::Ok);
        if outcome == Outcome::Ok {
            Said::Answered.say(cx, 0, u64::from(level));
            if in_parts {
                cx.fact(Fact::Sample { metric: COMPLETENESS, value: u64::from(whole) });
            }
            if age > Span::ZERO {
                cx.fact(Fact::Sample { metric: STALENESS, value: age.0 });
            }
        }
        cx.fact(Fact::Complete { request: RequestId(owner), outcome, value });
    }
}
