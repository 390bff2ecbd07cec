//! The client of every protocol, in several sessions (Castro & Liskov 1999, section 4.1; for
//! protocols that tolerate crashes only, one reply is enough: Ongaro 2014, section 6.3).

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Context, Fact, NodeId, Outcome, Process, Request, Span, TimerId};

use super::command::{Command, GET, Reply, SESSIONS};
use super::group::Group;
use super::signed::Signers;

/// A protocol whose nodes are replicas and clients.
pub trait Service: Process {
    /// The message that carries a client's request.
    fn request(command: Command) -> Self::Message;

    /// What wakes a client when the reply to one of its sessions did not come.
    fn retry(session: u8) -> Self::Timer;
}

/// Whom a client asks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The replica that led when the last reply came.
    Leader,
    /// All replicas.
    Everyone,
    /// As `Leader`, but reads go to some replica, whose answer is believed: no protocol asks for that.
    LeaderAndReadsAnyone,
}

/// How many replicas must say the same before the client believes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Believe {
    /// One: replicas may crash, but do not lie.
    One,
    /// f + 1: one of them is correct.
    FaultyPlusOne,
}

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Time after which it sends a request again, to all replicas.
    pub retry_after: Span,
    /// Whether that time doubles from one retransmission to the next, up to 64 times.
    pub backoff: bool,
    /// Sessions, each with one request at a time; from 1 to [`SESSIONS`].
    pub sessions: usize,
    /// Whom it asks first.
    pub ask: Ask,
    /// How many replicas it believes.
    pub believe: Believe,
}

impl Default for ClientOptions {
    /// The client of a protocol that tolerates Byzantine replicas.
    fn default() -> ClientOptions {
        ClientOptions {
            retry_after: Span::secs(1),
            backoff: false,
            sessions: SESSIONS,
            ask: Ask::Leader,
            believe: Believe::FaultyPlusOne,
        }
    }
}

/// A client. Its requests take the first free session, in order of arrival; when none is free they wait.
#[derive(Clone, Debug)]
pub struct Client {
    group: Arc<Group>,
    options: ClientOptions,
    /// Latest view that a result came from.
    view: u64,
    /// Place of the replica that led it.
    leader: usize,
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
    leader: u32,
}

impl Client {
    /// A client without requests.
    pub fn new(group: Arc<Group>, options: ClientOptions) -> Client {
        let count = options.sessions.clamp(1, SESSIONS);
        let session = |_| Session {
            current: None,
            retries: 0,
            timer: None,
            repliers: Signers::none(group.n()),
            results: Vec::new(),
        };
        let sessions = (0..count).map(session).collect();
        Client { group, options, view: 0, leader: 0, waiting: VecDeque::new(), sessions }
    }

    /// Requests that wait for a session.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// A request of a workload arrived.
    pub fn on_request<P: Service>(&mut self, cx: &mut Context<'_, P>, request: Request) {
        match self.sessions.iter().position(|session| session.current.is_none()) {
            Some(free) => self.start(cx, free, request),
            None => self.waiting.push_back(request),
        }
    }

    fn start<P: Service>(&mut self, cx: &mut Context<'_, P>, free: usize, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        // Requests are numbered in order of arrival, so that the number grows even over a restart.
        let timestamp = u64::from(request.id.0) + 1;
        let id = self.group.session(cx.id(), free);
        let command = Command::new(cx, id, request.id, timestamp, request.operation);
        if self.options.ask == Ask::Everyone {
            cx.broadcast(self.group.replicas().iter().copied(), P::request(command));
        } else if self.reads_anyone(&command) {
            cx.send(self.group.primary(timestamp), P::request(command));
        } else {
            cx.send(self.group.replicas()[self.leader], P::request(command));
        }
        let timer = cx.set_timer(self.options.retry_after, P::retry(number(free)));
        let session = &mut self.sessions[free];
        session.current = Some(command);
        session.retries = 0;
        session.repliers.clear();
        session.results.clear();
        session.timer = Some(timer);
    }

    fn reads_anyone(&self, command: &Command) -> bool {
        self.options.ask == Ask::LeaderAndReadsAnyone && command.operation().kind == GET
    }

    /// No result in time: the request goes to all replicas.
    pub fn on_retry<P: Service>(&mut self, cx: &mut Context<'_, P>, number: u8) {
        let session = &mut self.sessions[usize::from(number)];
        let Some(command) = session.current else { return };
        cx.broadcast(self.group.replicas().iter().copied(), P::request(command));
        session.retries += 1;
        let factor = if self.options.backoff { 1 << session.retries.min(6) } else { 1 };
        session.timer = Some(cx.set_timer(self.options.retry_after * factor, P::retry(number)));
    }

    /// A reply came. A result counts when enough replicas sent the same.
    pub fn on_reply<P: Service>(&mut self, cx: &mut Context<'_, P>, from: NodeId, reply: &Reply) {
        let Some(place) = self.group.place(from) else { return };
        let asked =
            |session: &Session| session.current.is_some_and(|command| command.timestamp() == reply.timestamp);
        let Some(number) = self.sessions.iter().position(asked) else { return };
        let session = &mut self.sessions[number];
        let (Some(command), true) = (session.current, session.repliers.insert(place)) else { return };
        let count = session.count(reply);
        let one = self.options.believe == Believe::One || self.reads_anyone(&command);
        let needed = if one { 1 } else { self.group.f() + 1 };
        if count.count < needed {
            return;
        }
        if count.view >= self.view {
            self.view = count.view;
            self.leader = usize::try_from(count.leader).map_or(0, |leader| leader % self.group.n());
        }
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
            let Reply { value, view, leader, .. } = *reply;
            self.results.push(Tally { value, count: 0, view, leader });
            self.results.len() - 1
        });
        let tally = &mut self.results[index];
        tally.count += 1;
        if reply.view < tally.view {
            (tally.view, tally.leader) = (reply.view, reply.leader);
        }
        *tally
    }
}

fn number(session: usize) -> u8 {
    u8::try_from(session).expect("few sessions")
}
