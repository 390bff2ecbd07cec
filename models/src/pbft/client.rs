//! The client (Castro & Liskov 1999, section 4.1), in several sessions.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Outcome, Request, Span, TimerId};

use super::bug::Bug;
use super::group::{Group, SESSIONS};
use super::message::{Command, PbftMessage, Reply};
use super::signed::Signers;
use super::{Cx, GET, Timer};

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Time after which it sends a request again, to all replicas.
    pub retry_after: Span,
    /// Whether that time doubles from one retransmission to the next, up to 64 times.
    pub backoff: bool,
    /// Sessions, each with one request at a time; from 1 to [`SESSIONS`].
    pub sessions: usize,
    /// A planted bug of the group, for those that need the client's help.
    pub bug: Option<Bug>,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions { retry_after: Span::secs(1), backoff: false, sessions: SESSIONS, bug: None }
    }
}

/// A client. Its requests take the first free session, in order of arrival; when none is free they wait.
#[derive(Clone, Debug)]
pub struct Client {
    group: Arc<Group>,
    options: ClientOptions,
    /// Latest view that a result came from.
    view: u64,
    /// Requests without a session.
    waiting: VecDeque<Request>,
    sessions: Vec<Session>,
}

#[derive(Clone, Debug)]
struct Session {
    current: Option<Command>,
    retries: u32,
    timer: Option<TimerId>,
    /// Replicas that replied to the current request, and the different results they sent.
    repliers: Signers,
    results: Vec<Tally>,
}

#[derive(Clone, Copy, Debug)]
struct Tally {
    value: u64,
    count: usize,
    view: u64,
}

impl Client {
    pub(super) fn new(group: Arc<Group>, options: ClientOptions) -> Client {
        let count = options.sessions.clamp(1, SESSIONS);
        let session = |_| Session {
            current: None,
            retries: 0,
            timer: None,
            repliers: Signers::none(group.n()),
            results: Vec::new(),
        };
        let sessions = (0..count).map(session).collect();
        Client { group, options, view: 0, waiting: VecDeque::new(), sessions }
    }

    /// Requests that wait for a session.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        match self.sessions.iter().position(|session| session.current.is_none()) {
            Some(free) => self.start(cx, free, request),
            None => self.waiting.push_back(request),
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>, free: usize, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        // Requests are numbered in order of arrival, so that the number grows even over a restart.
        let timestamp = u64::from(request.id.0) + 1;
        let id = self.group.session(cx.id(), free);
        let command = Command::new(cx, id, request.id, timestamp, request.operation);
        let to = if self.reads_locally(&command) {
            self.group.primary(timestamp)
        } else {
            self.group.primary(self.view)
        };
        cx.send(to, PbftMessage::Request(command));
        let timer = cx.set_timer(self.options.retry_after, retry(free));
        let session = &mut self.sessions[free];
        session.current = Some(command);
        session.retries = 0;
        session.repliers.clear();
        session.results.clear();
        session.timer = Some(timer);
    }

    fn reads_locally(&self, command: &Command) -> bool {
        self.options.bug == Some(Bug::LocalRead) && command.operation().kind == GET
    }

    /// No result in time: the request goes to all replicas.
    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        let Timer::Retry { session: number } = timer else { return };
        let session = &mut self.sessions[usize::from(number)];
        let Some(command) = session.current else { return };
        cx.broadcast(self.group.replicas().iter().copied(), PbftMessage::Request(command));
        session.retries += 1;
        let factor = if self.options.backoff { 1 << session.retries.min(6) } else { 1 };
        session.timer = Some(cx.set_timer(self.options.retry_after * factor, timer));
    }

    /// A result counts when f + 1 replicas sent the same: one of them is correct.
    pub(super) fn on_reply(&mut self, cx: &mut Cx<'_>, from: NodeId, reply: &Reply) {
        let Some(place) = self.group.place(from) else { return };
        let asked =
            |session: &Session| session.current.is_some_and(|command| command.timestamp() == reply.timestamp);
        let Some(number) = self.sessions.iter().position(asked) else { return };
        let session = &mut self.sessions[number];
        let (Some(command), true) = (session.current, session.repliers.insert(place)) else { return };
        let count = session.count(reply);
        let needed = if self.reads_locally(&command) { 1 } else { self.group.f() + 1 };
        if count.count < needed {
            return;
        }
        self.view = self.view.max(count.view);
        let session = &mut self.sessions[number];
        session.current = None;
        if let Some(timer) = session.timer.take() {
            cx.cancel_timer(timer);
        }
        cx.fact(Fact::Complete { request: command.request(), outcome: Outcome::Ok, value: reply.value });
        if let Some(next) = self.waiting.pop_front() {
            self.start(cx, number, next);
        }
    }
}

impl Session {
    /// Counts a reply among those with the same result.
    fn count(&mut self, reply: &Reply) -> Tally {
        let index = self.results.iter().position(|tally| tally.value == reply.value).unwrap_or_else(|| {
            self.results.push(Tally { value: reply.value, count: 0, view: reply.view });
            self.results.len() - 1
        });
        let tally = &mut self.results[index];
        tally.count += 1;
        tally.view = tally.view.min(reply.view);
        *tally
    }
}

fn retry(session: usize) -> Timer {
    Timer::Retry { session: u8::try_from(session).expect("few sessions") }
}
