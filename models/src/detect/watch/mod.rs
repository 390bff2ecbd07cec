//! One server, and five ways to notice its end: an active check, passive monitoring of requests,
//! heartbeats, the deadline of a single request, and a watchdog that restarts it.
//!
//! A server can crash (a fault of the plan: its node is gone) or *wedge*: it is up, and does nothing.
//! A wedged process still dies when it is killed; one that is paused does so when it goes on.

mod observers;
mod protocol;
mod server;

use std::sync::Arc;

use murphy_sim::{Context, Message, NodeId, Process, Request, Span, fold};

pub use self::observers::{Caller, CallerOptions, Monitor, Prober, ProberOptions, Watchdog, WatchdogOptions};
pub use self::protocol::WatchOracles;
pub use self::server::{Server, ServerOptions};
use super::estimate::Rule;

/// A node of the model.
#[derive(Clone, Debug)]
pub enum Watch {
    /// Answers, sends heartbeats, and kicks its watchdog.
    Server(Box<Server>),
    /// Waits for heartbeats.
    Monitor(Monitor),
    /// Asks at a fixed pace.
    Prober(Prober),
    /// Watches the requests that it sends anyway, and their deadlines.
    Caller(Caller),
    /// Waits to be kicked, and restarts what does not kick it.
    Watchdog(Watchdog),
}

/// What a node is told at boot. `server` is the one that it watches.
#[derive(Clone, Debug)]
pub enum WatchConfig {
    /// The server, and who waits to hear from it.
    Server {
        /// Monitors, which get heartbeats.
        monitors: Arc<[NodeId]>,
        /// Watchdogs, which get kicks.
        watchdogs: Arc<[NodeId]>,
        /// How it runs.
        options: ServerOptions,
    },
    /// A monitor.
    Monitor {
        /// Whom it watches.
        server: NodeId,
        /// Interval of the server's heartbeats.
        interval: Span,
        /// When silence becomes suspicion.
        rule: Rule,
    },
    /// A prober.
    Prober {
        /// Whom it watches.
        server: NodeId,
        /// How it asks.
        options: ProberOptions,
    },
    /// A caller.
    Caller {
        /// Whom it calls.
        server: NodeId,
        /// How it judges.
        options: CallerOptions,
    },
    /// A watchdog.
    Watchdog {
        /// Whom it guards.
        server: NodeId,
        /// How it does.
        options: WatchdogOptions,
    },
}

/// What nodes send to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchMessage {
    /// "I live."
    Heartbeat(u64),
    /// "I make progress."
    Kick,
    /// "Do you work?"
    Probe(u64),
    /// "I do."
    Healthy(u64),
    /// A user's request.
    Call(u64),
    /// Its answer.
    Answer(u64),
    /// The operating system's kill, and a start after it.
    Kill,
}

/// What a node is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchTimer {
    /// Time for a heartbeat.
    Beat,
    /// Time for a kick.
    Kick,
    /// The server stops making progress.
    Wedge,
    /// The server that was killed has started again.
    Started,
    /// Time to ask.
    Ask,
    /// The answer to this one is late.
    Late(u64),
    /// Silence for too long.
    Silence,
}

/// Fact of a server: it wedged.
pub(super) const WEDGED: u16 = 0;
/// Fact of a server: it runs again after a kill.
pub(super) const RUNNING: u16 = 1;
/// Fact of a watchdog: it restarted the server too often, and gives up.
pub(super) const GAVE_UP: u16 = 2;
/// Metric: restarts by watchdogs.
pub(super) const RESTARTS: u16 = 0;

type Cx<'a> = Context<'a, Watch>;

impl Message for WatchMessage {
    const KINDS: &'static [&'static str] =
        &["heartbeat", "kick", "probe", "healthy", "call", "answer", "kill"];

    fn kind(&self) -> usize {
        match self {
            WatchMessage::Heartbeat(_) => 0,
            WatchMessage::Kick => 1,
            WatchMessage::Probe(_) => 2,
            WatchMessage::Healthy(_) => 3,
            WatchMessage::Call(_) => 4,
            WatchMessage::Answer(_) => 5,
            WatchMessage::Kill => 6,
        }
    }

    fn bytes(&self) -> u32 {
        64
    }

    fn digest(&self) -> u64 {
        match *self {
            WatchMessage::Kick | WatchMessage::Kill => self.kind() as u64,
            WatchMessage::Heartbeat(n)
            | WatchMessage::Probe(n)
            | WatchMessage::Healthy(n)
            | WatchMessage::Call(n)
            | WatchMessage::Answer(n) => fold(self.kind() as u64, n),
        }
    }
}

impl Process for Watch {
    type Config = WatchConfig;
    type Message = WatchMessage;
    type Timer = WatchTimer;
    type Durable = ();

    fn boot(cx: &mut Cx<'_>) -> Watch {
        match cx.config().clone() {
            WatchConfig::Server { monitors, watchdogs, options } => {
                Watch::Server(Box::new(Server::boot(cx, monitors, watchdogs, options)))
            }
            WatchConfig::Monitor { server, interval, rule } => {
                Watch::Monitor(Monitor::boot(cx, server, interval, rule))
            }
            WatchConfig::Prober { server, options } => Watch::Prober(Prober::boot(cx, server, options)),
            WatchConfig::Caller { server, options } => Watch::Caller(Caller::new(server, options)),
            WatchConfig::Watchdog { server, options } => Watch::Watchdog(Watchdog::boot(cx, server, options)),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &WatchMessage) {
        match (self, *message) {
            (Watch::Server(server), message) => server.on_message(cx, from, message),
            (Watch::Monitor(monitor), WatchMessage::Heartbeat(seq)) => monitor.on_heartbeat(cx, seq),
            (Watch::Prober(prober), WatchMessage::Healthy(seq)) => prober.on_healthy(cx, seq),
            (Watch::Caller(caller), WatchMessage::Answer(id)) => caller.on_answer(cx, id),
            (Watch::Watchdog(watchdog), WatchMessage::Kick) => watchdog.on_kick(cx),
            _ => {}
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: WatchTimer) {
        match self {
            Watch::Server(server) => server.on_timer(cx, timer),
            Watch::Monitor(monitor) => monitor.on_silence(cx),
            Watch::Prober(prober) => prober.on_timer(cx, timer),
            Watch::Caller(caller) => caller.on_timer(cx, timer),
            Watch::Watchdog(watchdog) => watchdog.on_silence(cx),
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Watch::Caller(caller) = self {
            caller.on_request(cx, request);
        }
    }
}
