//! A replica's instance: it starts, answers checks, drains and stops as the control plane says.

use std::sync::Arc;

use murphy_sim::{NodeId, Outcome};

use super::super::caller::{Caller, Place};
use super::super::draw::{self, Purpose};
use super::super::fact::Said;
use super::super::instance::Phase;
use super::super::message::{Answer, Order, ServiceMessage};
use super::super::plan;
use super::super::queue::Waiting;
use super::super::{Cx, Timer};
use super::{Replica, calls};

impl Replica {
    /// What the control plane, or one that checks, says.
    pub(super) fn manage(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &ServiceMessage) {
        match message {
            ServiceMessage::Check { serial, deep } => self.checked(cx, from, *serial, *deep),
            ServiceMessage::Report(report) => {
                // A dependency answers the check that was handed on.
                if report.phase.serves()
                    && let Some(asker) = self.instance.well(report.serial)
                {
                    cx.send(asker, ServiceMessage::Report(self.instance.report(report.serial)));
                }
            }
            ServiceMessage::Endpoints { service, listed } => {
                self.caller.on_endpoints(cx.now(), *service, listed);
                self.listed.retain(|(other, _)| other != service);
                self.listed.push((*service, Arc::clone(listed)));
            }
            ServiceMessage::Order(order) => self.ordered(cx, *order),
            _ => {}
        }
    }

    /// A timer of the instance.
    pub(super) fn on_turn(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            Timer::Started(turn) if turn == self.instance.turn => {
                self.serve(cx);
                self.report(cx);
            }
            Timer::Drained(turn) if turn == self.instance.turn => self.stop(cx),
            _ => {}
        }
    }

    fn service(&self) -> &plan::Service {
        &self.plan.services[self.service]
    }

    fn ordered(&mut self, cx: &mut Cx<'_>, order: Order) {
        match order {
            Order::Start { version } => {
                if self.instance.phase == Phase::Absent {
                    self.begin(cx, version);
                }
                self.report(cx);
            }
            Order::Stop => match (self.instance.phase, self.service().fleet.drain) {
                (Phase::Serving, Some(drain)) => {
                    self.instance.phase = Phase::Draining;
                    let turn = self.instance.next_turn();
                    cx.set_timer(drain, Timer::Drained(turn));
                }
                (Phase::Draining, _) => {}
                _ => self.stop(cx),
            },
            Order::Restart => {
                Said::Killed.say(cx, self.service, 0);
                let version = self.instance.version;
                self.halt(cx);
                self.begin(cx, version);
            }
            Order::Adopt { version } => {
                if self.instance.phase != Phase::Absent {
                    self.instance.version = version;
                }
            }
        }
    }

    /// An instance starts.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_>, version: u32) {
        self.instance.start(version);
        let turn = self.instance.next_turn();
        let takes = self.service().startup.sample(draw::word(cx.rng().word(), Purpose::Start));
        cx.set_timer(takes, Timer::Started(turn));
    }

    /// It takes requests from now on.
    pub(super) fn serve(&mut self, cx: &mut Cx<'_>) {
        self.instance.phase = Phase::Serving;
        self.instance.serving = cx.now();
        Said::Serving.say(cx, self.service, 1);
    }

    /// It is gone.
    fn stop(&mut self, cx: &mut Cx<'_>) {
        self.halt(cx);
        self.report(cx);
    }

    /// It gives up all that it has: its callers' connections break.
    fn halt(&mut self, cx: &mut Cx<'_>) {
        if self.instance.phase.takes_requests() {
            Said::Serving.say(cx, self.service, 0);
        }
        self.instance.phase = Phase::Absent;
        self.instance.next_turn();
        let mut given_up = self.queue.drain();
        for job in self.jobs.drain() {
            if let Some(timer) = job.work {
                cx.cancel_timer(timer);
            }
            given_up.push(job.request);
        }
        self.busy = 0;
        self.caches = calls::caches(cx, &self.plan, self.service);
        for request in given_up {
            Said::Dropped.say(cx, self.service, 0);
            self.answer(cx, &request, Answer::failed(Outcome::Failed));
        }
        // Answers to its calls find nobody.
        let of = self.service().replicas.len();
        let place = Place { ordinal: self.ordinal, of, zone: self.zone };
        self.serial = self.serial.wrapping_add(1);
        let serial = super::super::serial(cx.now(), self.serial);
        self.caller = Caller::new(&self.service().calls, place, serial);
        for (service, listed) in &self.listed {
            self.caller.on_endpoints(cx.now(), *service, listed);
        }
    }

    /// Tells the control plane how it is.
    fn report(&self, cx: &mut Cx<'_>) {
        if let Some(control) = self.control {
            cx.send(control, ServiceMessage::Report(self.instance.report(0)));
        }
    }

    /// Somebody checks it. A deep check goes on to one instance of each dependency that it needs.
    fn checked(&mut self, cx: &mut Cx<'_>, from: NodeId, serial: u32, deep: bool) {
        let needed = |(index, call): (usize, &plan::Dependency)| {
            let asks = deep && !call.optional && self.instance.phase.serves();
            asks.then(|| self.caller.any(index, serial))
        };
        let asked: Vec<Option<NodeId>> = self.service().calls.iter().enumerate().filter_map(needed).collect();
        if asked.is_empty() {
            cx.send(from, ServiceMessage::Report(self.instance.report(serial)));
            return;
        }
        let missing = u32::try_from(asked.len()).expect("few dependencies");
        self.instance.hold(from, serial, missing);
        for node in asked.into_iter().flatten() {
            cx.send(node, ServiceMessage::Check { serial, deep: false });
        }
    }

    /// A request reached a node on which no instance takes it: the connection is refused.
    pub(super) fn unserved(&mut self, cx: &mut Cx<'_>, request: &Waiting) {
        Said::Unserved.say(cx, self.service, 0);
        let Waiting { from, ticket, .. } = *request;
        cx.send(from, ServiceMessage::Reply { ticket, answer: Answer::failed(Outcome::Failed) });
    }
}
