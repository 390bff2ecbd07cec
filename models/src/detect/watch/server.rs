//! What is watched.

use std::sync::Arc;

use murphy_sim::{Fact, Law, NodeId, Span, TimerId};

use super::{Cx, RUNNING, WEDGED, WatchMessage, WatchTimer};

/// How a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// Time between two heartbeats.
    pub heartbeat: Span,
    /// Time between two kicks of the watchdogs.
    pub kick: Span,
    /// CPU time of a call.
    pub work: Span,
    /// Mean time until it wedges; zero: never.
    pub wedge_after: Span,
    /// From a kill to the end of the start that follows it.
    pub restart: Span,
}

/// A server that answers, sends heartbeats and kicks watchdogs, until it wedges.
#[derive(Clone, Debug)]
pub struct Server {
    options: ServerOptions,
    monitors: Arc<[NodeId]>,
    watchdogs: Arc<[NodeId]>,
    state: State,
    wedge: Option<TimerId>,
    beats: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    /// Up, and does nothing.
    Wedged,
    /// Killed, and not yet started.
    Starting,
}

impl Server {
    pub(super) fn boot(
        cx: &mut Cx<'_>,
        monitors: Arc<[NodeId]>,
        watchdogs: Arc<[NodeId]>,
        options: ServerOptions,
    ) -> Server {
        let state = State::Running;
        let mut server = Server { options, monitors, watchdogs, state, wedge: None, beats: 0 };
        let phase = |cx: &mut Cx<'_>, every: Span| Span(cx.rng().below(every.0.max(1)));
        let (beat, kick) = (phase(cx, options.heartbeat), phase(cx, options.kick));
        cx.set_timer(beat, WatchTimer::Beat);
        cx.set_timer(kick, WatchTimer::Kick);
        server.run(cx);
        server
    }

    fn run(&mut self, cx: &mut Cx<'_>) {
        self.state = State::Running;
        let word = cx.rng().word();
        if self.options.wedge_after > Span::ZERO {
            let after = Law::Exponential { mean: self.options.wedge_after }.sample(word);
            self.wedge = Some(cx.set_timer(after, WatchTimer::Wedge));
        }
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: WatchMessage) {
        match (message, self.state) {
            (WatchMessage::Probe(seq), State::Running) => cx.send(from, WatchMessage::Healthy(seq)),
            (WatchMessage::Call(id), State::Running) => {
                cx.work(self.options.work);
                cx.send(from, WatchMessage::Answer(id));
            }
            // A process cannot refuse to be killed, and the one that starts is a new one.
            (WatchMessage::Kill, State::Running | State::Wedged) => {
                self.state = State::Starting;
                if let Some(wedge) = self.wedge.take() {
                    cx.cancel_timer(wedge);
                }
                cx.set_timer(self.options.restart, WatchTimer::Started);
            }
            _ => {}
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: WatchTimer) {
        match (timer, self.state) {
            (WatchTimer::Beat, state) => {
                cx.set_timer(self.options.heartbeat, WatchTimer::Beat);
                if state == State::Running {
                    self.beats += 1;
                    cx.broadcast(self.monitors.iter().copied(), WatchMessage::Heartbeat(self.beats));
                }
            }
            (WatchTimer::Kick, state) => {
                cx.set_timer(self.options.kick, WatchTimer::Kick);
                if state == State::Running {
                    cx.broadcast(self.watchdogs.iter().copied(), WatchMessage::Kick);
                }
            }
            (WatchTimer::Wedge, State::Running) => {
                self.state = State::Wedged;
                cx.fact(Fact::Own { kind: WEDGED, a: 0, b: 0 });
            }
            (WatchTimer::Started, State::Starting) => {
                self.run(cx);
                cx.fact(Fact::Own { kind: RUNNING, a: 0, b: 0 });
            }
            _ => {}
        }
    }
}
