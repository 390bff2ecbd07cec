//! The control plane: it checks instances, tells callers which of them to ask, starts and stops them, and
//! brings out new versions. Callers and instances go on with what they were told last while it is away.

mod fleet;
mod hpa;
mod rollout;

use std::sync::Arc;

use murphy_sim::{NodeId, Span, Time};

use self::fleet::{Fleet, State};
use self::rollout::Progress;
use super::balancer::Listed;
use super::draw::{self, Purpose};
use super::message::{Load, Order, Report, ServiceMessage, Ticket};
use super::plan::Plan;
use super::{Cx, Timer};

/// Callers are told again so often, should they have missed it.
const REPEAT: Span = Span::secs(5);

/// The control plane of all services.
#[derive(Clone, Debug)]
pub struct Control {
    plan: Arc<Plan>,
    /// By service: the nodes that call it.
    callers: Arc<[Vec<NodeId>]>,
    fleets: Vec<Fleet>,
    /// New versions in the order of the plan.
    rollouts: Vec<Progress>,
    /// By rollout: the version before it.
    before: Vec<u32>,
    /// Until then it only listens, to learn what runs.
    listens: Time,
    /// Ends of the waits between batches; zero for none.
    pauses: Vec<Time>,
    serial: u32,
    /// Everything random about starts derives from it.
    key: u64,
}

impl Control {
    pub(crate) fn new(
        cx: &mut Cx<'_>,
        plan: &Arc<Plan>,
        callers: &Arc<[Vec<NodeId>]>,
        serial: u32,
    ) -> Control {
        let now = cx.now();
        let mut control = Control {
            fleets: plan.services.iter().map(|service| Fleet::new(service, now)).collect(),
            rollouts: plan.rollouts.iter().map(|_| Progress::Waiting).collect(),
            listens: Time::ZERO,
            before: vec![0; plan.rollouts.len()],
            pauses: vec![Time::ZERO; plan.rollouts.len()],
            plan: Arc::clone(plan),
            callers: Arc::clone(callers),
            serial,
            key: cx.rng().word(),
        };
        for index in 0..control.fleets.len() {
            let fleet = &plan.services[index].fleet;
            if let Some(health) = fleet.health {
                // Services are not checked all at once.
                let first = Span(health.every.0 * (1 + index as u64) / (1 + control.fleets.len() as u64));
                cx.set_timer(first, Timer::Check(slot(index)));
            }
            if let Some(scale) = fleet.autoscale {
                cx.set_timer(scale.every, Timer::Scale(slot(index)));
            }
        }
        for (index, rollout) in plan.rollouts.iter().enumerate() {
            if rollout.at > now || now == Time::ZERO {
                cx.set_timer(Span(rollout.at.0.saturating_sub(now.0)), Timer::Rollout(slot(index)));
            } else {
                control.resume(index);
            }
        }
        cx.set_timer(REPEAT, Timer::Repeat);
        if now > Time::ZERO {
            control.listen(cx);
        }
        control
    }

    /// The control plane is back: it asks everybody how they are, and does nothing for a round of checks.
    fn listen(&mut self, cx: &mut Cx<'_>) {
        let checks = self.plan.services.iter().filter_map(|service| service.fleet.health);
        let round = checks.map(|health| health.every + health.timeout).max().unwrap_or(REPEAT);
        self.listens = cx.now().saturating_add(round);
        for service in &self.plan.services {
            for &node in &service.replicas {
                cx.send(node, ServiceMessage::Check { serial: 0, deep: false });
            }
        }
        cx.set_timer(round, Timer::Listened);
    }

    /// It knows what runs: an autoscaler goes on from there.
    fn listened(&mut self, cx: &mut Cx<'_>) {
        for index in 0..self.fleets.len() {
            let fleet = &mut self.fleets[index];
            if fleet.scaler.is_some() {
                fleet.wanted = fleet.count(|member| member.state.counts());
            }
            for member in &mut fleet.members {
                // A spare node that says nothing is no instance that is lost.
                if member.state == State::Lost {
                    (member.state, member.silent) = (State::Absent, true);
                }
            }
            self.settle(cx, index);
        }
    }

    pub(crate) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &ServiceMessage) {
        let ServiceMessage::Report(report) = message else { return };
        let Some((index, place)) = self.plan.place_of(from) else { return };
        let now = cx.now();
        let checks = self.plan.services[index].fleet.health.is_some();
        self.fleets[index].hear(place, report, now, checks);
        self.answered(cx, index, place, report);
        let member = &mut self.fleets[index].members[place];
        if member.state == State::Absent
            && let Some(version) = member.then.take()
        {
            self.start(cx, index, place, version);
        }
        self.settle(cx, index);
    }

    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            Timer::Check(index) => self.check(cx, index as usize),
            Timer::Judge(Ticket { slot, serial }) => self.judge(cx, slot as usize, serial),
            Timer::Scale(index) => self.scale(cx, index as usize),
            Timer::Provisioned(Ticket { slot, serial }) => {
                self.provisioned(cx, slot as usize, serial as usize);
            }
            Timer::Rollout(index) => self.roll(cx, index as usize),
            Timer::Listened => self.listened(cx),
            Timer::Repeat => {
                for index in 0..self.fleets.len() {
                    self.tell(cx, index);
                }
                cx.set_timer(REPEAT, Timer::Repeat);
            }
            _ => {}
        }
    }

    /// A round of checks starts.
    fn check(&mut self, cx: &mut Cx<'_>, index: usize) {
        let Some(health) = self.plan.services[index].fleet.health else { return };
        cx.set_timer(health.every, Timer::Check(slot(index)));
        self.serial = self.serial.wrapping_add(1);
        let fleet = &mut self.fleets[index];
        fleet.round = self.serial;
        let ticket = Ticket { slot: slot(index), serial: self.serial };
        for (place, member) in fleet.members.iter_mut().enumerate() {
            member.answered = false;
            // An absent one is asked as well: it may run after all.
            let node = self.plan.services[index].replicas[place];
            cx.send(node, ServiceMessage::Check { serial: self.serial, deep: health.deep });
        }
        cx.set_timer(health.timeout, Timer::Judge(ticket));
    }

    /// An instance answered a check, or reported by itself.
    fn answered(&mut self, cx: &mut Cx<'_>, index: usize, place: usize, report: &Report) {
        let fleet = &mut self.fleets[index];
        let Some(health) = self.plan.services[index].fleet.health else { return };
        let member = &mut fleet.members[place];
        if report.serial != fleet.round || member.answered {
            return;
        }
        member.answered = true;
        let old =
            health.version && report.version != fleet.version && self.rollouts.iter().all(Progress::is_idle);
        if old {
            let node = self.plan.services[index].replicas[place];
            cx.send(node, ServiceMessage::Order(Order::Adopt { version: fleet.version }));
        }
        if !report.phase.serves() || old {
            return self.failed(cx, index, place);
        }
        member.fails = 0;
        member.successes += 1;
        if member.state == State::Unready && member.successes >= health.successes {
            member.state = State::Ready;
        }
    }

    /// The round of checks ends: who has not answered has failed.
    fn judge(&mut self, cx: &mut Cx<'_>, index: usize, round: u32) {
        if self.fleets[index].round != round {
            return;
        }
        for place in 0..self.fleets[index].members.len() {
            let member = &mut self.fleets[index].members[place];
            member.silent = !member.answered;
            if member.silent {
                self.failed(cx, index, place);
            }
        }
        self.settle(cx, index);
    }

    /// An instance failed a check.
    fn failed(&mut self, cx: &mut Cx<'_>, index: usize, place: usize) {
        let service = &self.plan.services[index];
        let Some(health) = service.fleet.health else { return };
        let member = &mut self.fleets[index].members[place];
        let now = cx.now();
        let lost = health.lost.is_some_and(|lost| now.since(member.heard) >= lost);
        if lost && !matches!(member.state, State::Absent | State::Provisioning) {
            (member.state, member.then) = (State::Lost, None);
        }
        if !matches!(member.state, State::Starting | State::Ready | State::Unready) {
            return;
        }
        member.successes = 0;
        member.fails += 1;
        if member.state == State::Ready && member.fails >= health.failures {
            member.state = State::Unready;
        }
        let graceful = now.since(member.started) < health.grace && member.started > Time::ZERO;
        if health.restart.is_some_and(|restart| member.fails >= restart) && !graceful {
            member.fails = 0;
            member.started = now;
            cx.send(service.replicas[place], ServiceMessage::Order(Order::Restart));
        }
    }

    /// The autoscaler looks at the load.
    fn scale(&mut self, cx: &mut Cx<'_>, index: usize) {
        let plan = Arc::clone(&self.plan);
        let service = &plan.services[index];
        let Some(scale) = service.fleet.autoscale else { return };
        cx.set_timer(scale.every, Timer::Scale(slot(index)));
        if cx.now() >= self.listens {
            self.fleets[index].rescale(cx.now(), scale.every, service.concurrency);
        }
        self.settle(cx, index);
        self.fleets[index].keep_warm(scale.warm);
        // Metrics lag by a period, as they do: the next look sees what is told now.
        for &node in &service.replicas {
            cx.send(node, ServiceMessage::Check { serial: 0, deep: false });
        }
    }

    /// Starts and stops instances until there are as many as wanted, goes on with new versions, and tells
    /// callers what changed.
    fn settle(&mut self, cx: &mut Cx<'_>, index: usize) {
        if cx.now() < self.listens {
            return;
        }
        self.advance(cx, index);
        let rolls = self.rolls(index);
        loop {
            let fleet = &self.fleets[index];
            let there = fleet.count(|member| member.state.counts() || member.then.is_some());
            if there < fleet.wanted {
                let Some(place) = fleet.vacancy(&self.plan.services[index]) else { break };
                let version = fleet.version;
                self.begin(cx, index, place, version);
            } else if there > fleet.wanted && !rolls {
                let Some(place) = fleet.surplus() else { break };
                self.stop(cx, index, place, None);
            } else {
                break;
            }
        }
        if self.fleets[index].list() != self.fleets[index].listed {
            self.tell(cx, index);
        }
    }

    /// An instance is wanted on a node: the node comes first.
    fn begin(&mut self, cx: &mut Cx<'_>, index: usize, place: usize, version: u32) {
        let service = &self.plan.services[index];
        let member = &mut self.fleets[index].members[place];
        member.then = Some(version);
        member.state = State::Provisioning;
        self.serial = self.serial.wrapping_add(1);
        let word = draw::word(self.key ^ u64::from(self.serial), Purpose::Start);
        let takes = if member.warm { Span::ZERO } else { service.provision.sample(word) };
        member.warm = false;
        cx.set_timer(takes, Timer::Provisioned(Ticket { slot: slot(index), serial: slot(place) }));
    }

    fn provisioned(&mut self, cx: &mut Cx<'_>, index: usize, place: usize) {
        let member = &mut self.fleets[index].members[place];
        if member.state != State::Provisioning {
            return;
        }
        let version = member.then.take().unwrap_or(self.fleets[index].version);
        self.start(cx, index, place, version);
    }

    fn start(&mut self, cx: &mut Cx<'_>, index: usize, place: usize, version: u32) {
        let member = &mut self.fleets[index].members[place];
        member.state = State::Starting;
        member.started = cx.now();
        member.heard = cx.now();
        member.base = Load::default();
        member.told = false;
        member.fails = 0;
        let node = self.plan.services[index].replicas[place];
        cx.send(node, ServiceMessage::Order(Order::Start { version }));
    }

    /// Stops an instance; it starts again with another version if `then` has one. With draining, callers
    /// are told first, and the instance finishes what it has.
    fn stop(&mut self, cx: &mut Cx<'_>, index: usize, place: usize, then: Option<u32>) {
        let member = &mut self.fleets[index].members[place];
        if member.state == State::Provisioning {
            (member.state, member.then) = (State::Absent, None);
            return;
        }
        member.state = State::Stopping;
        member.then = then;
        self.tell(cx, index);
        let node = self.plan.services[index].replicas[place];
        cx.send(node, ServiceMessage::Order(Order::Stop));
    }

    /// Tells callers which instances to ask.
    fn tell(&mut self, cx: &mut Cx<'_>, index: usize) {
        if cx.now() < self.listens {
            return;
        }
        let listed = self.fleets[index].list();
        let shared: Arc<[Listed]> = listed.clone().into();
        self.fleets[index].listed = listed;
        let message = ServiceMessage::Endpoints { service: slot(index), listed: shared };
        cx.broadcast(self.callers[index].iter().copied(), message);
    }
}

fn slot(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 services and nodes")
}
