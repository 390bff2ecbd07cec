//! A replica of a service: a queue, workers, and the calls that a request makes.

mod calls;
mod lifecycle;

use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Outcome, Span, Time, TimerId, unit};

use super::balancer::Listed;
use super::cache::Cache;
use super::caller::{Caller, Place};
use super::draw::{self, Purpose};
use super::fact::{QUEUE_DEPTH, Said};
use super::instance::{Instance, Phase};
use super::memory::{Memory, Seen};
use super::message::{Answer, Ask, ServiceMessage, Ticket};
use super::plan::Plan;
use super::queue::{Queue, Waiting};
use super::slab::Slab;
use super::{Cx, Timer};

/// The depth of the queue is told at most so often.
const SAMPLE_EVERY: Span = Span::millis(100);

/// A replica of a service.
#[derive(Clone, Debug)]
pub struct Replica {
    plan: Arc<Plan>,
    service: usize,
    caller: Caller,
    queue: Queue,
    memory: Option<Memory>,
    jobs: Slab<Job>,
    instance: Instance,
    /// Caches in front of its calls.
    caches: Vec<Option<Cache>>,
    /// Instances of its dependencies, as the control plane gave them out.
    listed: Vec<(u32, Arc<[Listed]>)>,
    control: Option<NodeId>,
    zone: u32,
    ordinal: usize,
    /// Workers that have a request, whether they work or wait for a call.
    busy: u64,
    serial: u32,
    sampled: Option<Time>,
}

/// A request that has a worker.
#[derive(Clone, Copy, Debug)]
struct Job {
    request: Waiting,
    serial: u32,
    /// The end of the work, while it is worked on.
    work: Option<TimerId>,
    /// The next of its calls.
    next: usize,
    /// Calls on their way.
    pending: u32,
    /// What its calls did not bring, in thousandths of each.
    missing: u32,
    answer: Answer,
}

impl Replica {
    /// An idle replica with nothing in its queue. `serial` differs from boot to boot.
    pub(crate) fn new(
        cx: &mut Cx<'_>,
        plan: &Arc<Plan>,
        (service, ordinal): (usize, usize),
        zone: u32,
        (serial, control): (u32, Option<NodeId>),
    ) -> Replica {
        let place = Place { ordinal, of: plan.services[service].replicas.len(), zone };
        let mut replica = Replica {
            caller: Caller::new(&plan.services[service].calls, place, serial),
            instance: Instance::new(Phase::Absent),
            caches: calls::caches(cx, plan, service),
            listed: Vec::new(),
            control,
            zone,
            ordinal,
            queue: Queue::new(plan.services[service].queue),
            memory: plan.services[service].conduct.remember.map(Memory::new),
            jobs: Slab::new(),
            busy: 0,
            plan: Arc::clone(plan),
            service,
            serial,
            sampled: None,
        };
        if plan.services[service].initial[ordinal] == Listed::Ready {
            if cx.now() == Time::ZERO {
                replica.serve(cx);
            } else {
                replica.begin(cx, 0);
            }
        }
        replica
    }

    pub(crate) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &ServiceMessage) {
        match *message {
            ServiceMessage::Call { ticket, ask } => self.accept(cx, Waiting { from, ticket, ask }),
            ServiceMessage::Reply { ticket, answer } => {
                let ended = self.caller.on_reply(cx, ticket, answer);
                self.returned(cx, ended);
            }
            ServiceMessage::Cancel { ticket } => self.cancel(cx, from, ticket),
            // Connections are the kernel's: they come before any queue.
            ServiceMessage::Connect { ticket } => cx.send(from, ServiceMessage::Accepted { ticket }),
            ServiceMessage::Accepted { ticket } => self.caller.on_accepted(cx, ticket),
            _ => self.manage(cx, from, message),
        }
    }

    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        let ended = match timer {
            Timer::Work(ticket) => return self.worked(cx, ticket),
            Timer::Timeout(ticket) => self.caller.on_timeout(cx, ticket),
            Timer::Turn(ticket) => self.caller.on_turn(cx, ticket),
            Timer::Connect(ticket) => self.caller.on_unconnected(cx, ticket),
            Timer::Hedge(ticket) => return self.caller.on_hedge(cx, ticket),
            other => return self.on_turn(cx, other),
        };
        self.returned(cx, ended);
    }

    /// A request arrives: a worker takes it, or it waits, or it is refused.
    fn accept(&mut self, cx: &mut Cx<'_>, request: Waiting) {
        if !self.instance.phase.takes_requests() {
            return self.unserved(cx, &request);
        }
        if let (Some(memory), true) = (&mut self.memory, request.ask.keyed) {
            match memory.arrives(cx.now(), request) {
                Seen::Never => {}
                Seen::InWork => return,
                Seen::Before(answer) => return reply(cx, &request, answer),
            }
        }
        if self.busy < self.plan.services[self.service].concurrency {
            self.start(cx, request);
        } else if let Some(refused) = self.queue.push(request) {
            self.refuse(cx, refused);
        }
        self.sample(cx);
    }

    fn refuse(&mut self, cx: &mut Cx<'_>, request: Waiting) {
        Said::Shed.say(cx, self.service, 0);
        let retry_after = self.plan.services[self.service].conduct.retry_after;
        self.answer(cx, &request, Answer { retry_after, ..Answer::failed(Outcome::Rejected) });
    }

    /// Answers a request, and all that wait for the same call.
    fn answer(&mut self, cx: &mut Cx<'_>, request: &Waiting, answer: Answer) {
        reply(cx, request, answer);
        for other in self.forget(cx, request, (answer.outcome == Outcome::Ok).then_some(answer)) {
            reply(cx, &other, answer);
        }
    }

    /// A request is given up: others that wait for the same call take its place.
    fn again(&mut self, cx: &mut Cx<'_>, request: &Waiting) {
        for other in self.forget(cx, request, None) {
            self.accept(cx, other);
        }
    }

    /// A request is no longer in work; its answer is remembered, if there is one.
    fn forget(&mut self, cx: &Cx<'_>, request: &Waiting, answer: Option<Answer>) -> Vec<Waiting> {
        match &mut self.memory {
            Some(memory) if request.ask.keyed => memory.ends(cx.now(), request.ask.id, answer),
            _ => Vec::new(),
        }
    }

    /// A worker takes a request.
    fn start(&mut self, cx: &mut Cx<'_>, request: Waiting) {
        self.busy += 1;
        self.serial = self.serial.wrapping_add(1);
        let service = &self.plan.services[self.service];
        let work = service.work.sample(draw::word(request.ask.luck, Purpose::Work));
        let work = self.instance.paced(&self.plan, self.service, cx.now(), work);
        let span = cx.slowed(work.saturating_add(service.contention * self.busy));
        self.instance.load.worked += span;
        let serial = self.serial;
        let job = Job { request, serial, work: None, next: 0, pending: 0, missing: 0, answer: Answer::FULL };
        let slot = self.jobs.insert(job);
        let timer = cx.set_timer(span, Timer::Work(Ticket { slot, serial }));
        if let Some(job) = self.jobs.get_mut(slot) {
            job.work = Some(timer);
        }
    }

    /// The work of a request is done.
    fn worked(&mut self, cx: &mut Cx<'_>, ticket: Ticket) {
        let job = self.jobs.get_mut(ticket.slot).filter(|job| job.serial == ticket.serial);
        let Some(job) = job else { return };
        job.work = None;
        if let Some(status) = error(&self.plan.services[self.service].conduct.errors, &job.request.ask) {
            job.answer = Answer { status, ..Answer::failed(outcome(status)) };
        }
        if self.instance.version_fails(&self.plan, job.request.ask.luck) {
            job.answer = Answer::failed(Outcome::Failed);
        }
        self.advance(cx, ticket.slot);
    }

    fn job(&mut self, slot: u32) -> &mut Job {
        self.jobs.get_mut(slot).expect("a request has its place until it ends")
    }

    /// Answers a request, and takes the next one.
    fn finish(&mut self, cx: &mut Cx<'_>, slot: u32) {
        let mut job = self.jobs.remove(slot).expect("a request ends once");
        job.answer = self.made(&job);
        self.instance.account(&self.plan, self.service, cx.now(), &mut job.answer);
        if self.plan.services[self.service].conduct.effect && job.answer.outcome == Outcome::Ok {
            Said::Effect.say(cx, self.service, job.request.ask.id);
        }
        self.answer(cx, &job.request, job.answer);
        self.free(cx);
    }

    /// A worker is free.
    fn free(&mut self, cx: &mut Cx<'_>) {
        self.busy -= 1;
        let mut again = Vec::new();
        while let Some(next) = self.queue.pop() {
            let late = cx.now() >= next.ask.deadline;
            if late && self.plan.services[self.service].drop_expired {
                Said::Expired.say(cx, self.service, 0);
                again.extend(self.forget(cx, &next, None));
                continue;
            }
            self.start(cx, next);
            break;
        }
        for other in again {
            self.accept(cx, other);
        }
        self.sample(cx);
    }

    /// Nobody waits for a request any more: it leaves the queue, or its work ends. One that waits for
    /// its own calls goes on.
    fn cancel(&mut self, cx: &mut Cx<'_>, from: NodeId, ticket: Ticket) {
        if let Some(request) = self.queue.remove(from, ticket) {
            Said::Shed.say(cx, self.service, 1);
            return self.again(cx, &request);
        }
        let working = |job: &Job| job.request.is(from, ticket) && job.work.is_some();
        let Some(slot) = self.jobs.position(working) else { return };
        let Some(job) = self.jobs.remove(slot) else { return };
        if let Some(timer) = job.work {
            cx.cancel_timer(timer);
            Said::Shed.say(cx, self.service, 1);
            self.free(cx);
            self.again(cx, &job.request);
        }
    }

    fn sample(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        if self.sampled.is_none_or(|last| now.since(last) >= SAMPLE_EVERY) {
            self.sampled = Some(now);
            cx.fact(Fact::Sample { metric: QUEUE_DEPTH, value: self.queue.len() });
        }
    }
}

fn reply(cx: &mut Cx<'_>, request: &Waiting, answer: Answer) {
    cx.send(request.from, ServiceMessage::Reply { ticket: request.ticket, answer });
}

/// The error that the work of a request ends with, if any.
fn error(errors: &[(u16, f64)], ask: &Ask) -> Option<u16> {
    // An error of the caller's is the same whenever the call is tried.
    let by_attempt = unit(draw::word(ask.luck, Purpose::Failure));
    let by_call = unit(draw::word(ask.id, Purpose::Failure));
    let mut below = [0.0, 0.0];
    errors.iter().find_map(|&(status, share)| {
        let own = usize::from(status >= 500);
        below[own] += share;
        let at = if status >= 500 { by_attempt } else { by_call };
        (at < below[own]).then_some(status)
    })
}

/// Who is to blame for a status, as a caller sees it.
fn outcome(status: u16) -> Outcome {
    if matches!(status, 429 | 503) { Outcome::Rejected } else { Outcome::Failed }
}
