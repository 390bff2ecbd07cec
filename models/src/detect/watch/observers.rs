//! Those who watch.

use std::collections::{BTreeMap, VecDeque};

use murphy_sim::{Fact, NodeId, Outcome, Request, RequestId, Span, Time, TimerId};

use super::super::estimate::{Estimate, Rule};
use super::{Cx, GAVE_UP, RESTARTS, WatchMessage, WatchTimer};

/// Whether the watched one is suspected, and the facts that say so.
#[derive(Clone, Copy, Debug)]
struct Opinion {
    server: NodeId,
    suspects: bool,
}

impl Opinion {
    fn of(server: NodeId) -> Opinion {
        Opinion { server, suspects: false }
    }

    fn suspect(&mut self, cx: &mut Cx<'_>) {
        if !std::mem::replace(&mut self.suspects, true) {
            cx.fact(Fact::Suspect { node: self.server });
        }
    }

    fn trust(&mut self, cx: &mut Cx<'_>) {
        if std::mem::replace(&mut self.suspects, false) {
            cx.fact(Fact::Trust { node: self.server });
        }
    }
}

/// Waits for heartbeats.
#[derive(Clone, Debug)]
pub struct Monitor {
    opinion: Opinion,
    estimate: Estimate,
    timer: Option<TimerId>,
}

impl Monitor {
    pub(super) fn boot(cx: &mut Cx<'_>, server: NodeId, interval: Span, rule: Rule) -> Monitor {
        let estimate = Estimate::new(rule, interval, 1000, cx.now());
        let mut monitor = Monitor { opinion: Opinion::of(server), estimate, timer: None };
        monitor.wait(cx);
        monitor
    }

    pub(super) fn on_heartbeat(&mut self, cx: &mut Cx<'_>, seq: u64) {
        if seq < self.estimate.seq() {
            self.estimate.reset(1000);
        }
        self.estimate.heard(cx.now(), seq, self.opinion.suspects);
        self.opinion.trust(cx);
        self.wait(cx);
    }

    pub(super) fn on_silence(&mut self, cx: &mut Cx<'_>) {
        self.timer = None;
        self.opinion.suspect(cx);
    }

    fn wait(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.timer.take() {
            cx.cancel_timer(timer);
        }
        let after = self.estimate.deadline().since(cx.now());
        self.timer = Some(cx.set_timer(after, WatchTimer::Silence));
    }
}

/// How a prober asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProberOptions {
    /// Time between two probes.
    pub every: Span,
    /// How long an answer may take.
    pub timeout: Span,
    /// Failed probes in a row after which the server is suspected.
    pub failures: u64,
    /// Good probes in a row after which it is trusted again.
    pub successes: u64,
}

/// Asks at a fixed pace, as a load balancer's health check does.
#[derive(Clone, Debug)]
pub struct Prober {
    options: ProberOptions,
    opinion: Opinion,
    seq: u64,
    /// Number of the probe that is not answered yet.
    open: Option<u64>,
    failures: u64,
    successes: u64,
}

impl Prober {
    pub(super) fn boot(cx: &mut Cx<'_>, server: NodeId, options: ProberOptions) -> Prober {
        let phase = Span(cx.rng().below(options.every.0.max(1)));
        cx.set_timer(phase, WatchTimer::Ask);
        Prober { options, opinion: Opinion::of(server), seq: 0, open: None, failures: 0, successes: 0 }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: WatchTimer) {
        match timer {
            WatchTimer::Ask => {
                cx.set_timer(self.options.every, WatchTimer::Ask);
                self.seq += 1;
                self.open = Some(self.seq);
                cx.send(self.opinion.server, WatchMessage::Probe(self.seq));
                cx.set_timer(self.options.timeout, WatchTimer::Late(self.seq));
            }
            WatchTimer::Late(seq) if self.open == Some(seq) => {
                self.open = None;
                self.successes = 0;
                self.failures += 1;
                if self.failures >= self.options.failures {
                    self.opinion.suspect(cx);
                }
            }
            _ => {}
        }
    }

    pub(super) fn on_healthy(&mut self, cx: &mut Cx<'_>, seq: u64) {
        if self.open != Some(seq) {
            return;
        }
        self.open = None;
        self.failures = 0;
        self.successes += 1;
        if self.successes >= self.options.successes {
            self.opinion.trust(cx);
        }
    }
}

/// How a caller judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerOptions {
    /// How long an answer may take.
    pub deadline: Span,
    /// Failed calls in a row after which the server is suspected: one for a plain deadline, more
    /// for passive monitoring.
    pub consecutive: u64,
}

/// Sends users' requests, and judges by their outcomes.
#[derive(Clone, Debug)]
pub struct Caller {
    options: CallerOptions,
    opinion: Opinion,
    open: BTreeMap<u64, (RequestId, TimerId)>,
    failures: u64,
}

impl Caller {
    pub(super) fn new(server: NodeId, options: CallerOptions) -> Caller {
        Caller { options, opinion: Opinion::of(server), open: BTreeMap::new(), failures: 0 }
    }

    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        let id = u64::from(request.id.0);
        cx.fact(Fact::Invoke { request: request.id });
        cx.send(self.opinion.server, WatchMessage::Call(id));
        let timer = cx.set_timer(self.options.deadline, WatchTimer::Late(id));
        self.open.insert(id, (request.id, timer));
    }

    pub(super) fn on_answer(&mut self, cx: &mut Cx<'_>, id: u64) {
        let Some((request, timer)) = self.open.remove(&id) else { return };
        cx.cancel_timer(timer);
        cx.fact(Fact::Complete { request, outcome: Outcome::Ok, value: 0 });
        self.failures = 0;
        self.opinion.trust(cx);
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: WatchTimer) {
        let WatchTimer::Late(id) = timer else { return };
        let Some((request, _)) = self.open.remove(&id) else { return };
        cx.fact(Fact::Complete { request, outcome: Outcome::Timeout, value: 0 });
        self.failures += 1;
        if self.failures >= self.options.consecutive {
            self.opinion.suspect(cx);
        }
    }
}

/// How a watchdog guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchdogOptions {
    /// Time without a kick after which the server is killed and started again.
    pub timeout: Span,
    /// Restarts in `window` after which it gives up: a server that always wedges is not helped by more.
    pub max_restarts: u64,
    /// Time in which restarts are counted.
    pub window: Span,
}

/// Restarts a server that does not make progress. It sits on the server's machine.
#[derive(Clone, Debug)]
pub struct Watchdog {
    options: WatchdogOptions,
    opinion: Opinion,
    timer: Option<TimerId>,
    restarts: VecDeque<Time>,
    gave_up: bool,
}

impl Watchdog {
    pub(super) fn boot(cx: &mut Cx<'_>, server: NodeId, options: WatchdogOptions) -> Watchdog {
        let mut watchdog = Watchdog {
            options,
            opinion: Opinion::of(server),
            timer: None,
            restarts: VecDeque::new(),
            gave_up: false,
        };
        watchdog.wait(cx);
        watchdog
    }

    pub(super) fn on_kick(&mut self, cx: &mut Cx<'_>) {
        self.opinion.trust(cx);
        self.wait(cx);
    }

    pub(super) fn on_silence(&mut self, cx: &mut Cx<'_>) {
        self.timer = None;
        self.opinion.suspect(cx);
        while self.restarts.front().is_some_and(|first| cx.now().since(*first) >= self.options.window) {
            self.restarts.pop_front();
        }
        if self.gave_up || self.restarts.len() as u64 >= self.options.max_restarts {
            if !std::mem::replace(&mut self.gave_up, true) {
                cx.fact(Fact::Own { kind: GAVE_UP, a: u64::from(self.opinion.server.0), b: 0 });
            }
            return;
        }
        self.restarts.push_back(cx.now());
        cx.fact(Fact::Sample { metric: RESTARTS, value: 1 });
        cx.send(self.opinion.server, WatchMessage::Kill);
        self.wait(cx);
    }

    fn wait(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.timer.take() {
            cx.cancel_timer(timer);
        }
        self.timer = Some(cx.set_timer(self.options.timeout, WatchTimer::Silence));
    }
}
