//! The client (Castro & Liskov 1999, section 4.1).

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Outcome, Request, Span, TimerId};

use super::bug::Bug;
use super::group::Group;
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
    /// A planted bug of the group, for those that need the client's help.
    pub bug: Option<Bug>,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions { retry_after: Span::secs(1), backoff: false, bug: None }
    }
}

/// A client: one request at a time, others wait.
#[derive(Clone, Debug)]
pub struct Client {
    group: Arc<Group>,
    options: ClientOptions,
    /// Latest view that a result came from.
    view: u64,
    /// Requests behind the current one.
    waiting: VecDeque<Request>,
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
        let repliers = Signers::none(group.n());
        Client {
            group,
            options,
            view: 0,
            waiting: VecDeque::new(),
            current: None,
            retries: 0,
            timer: None,
            repliers,
            results: Vec::new(),
        }
    }

    /// Requests that wait behind the current one.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if self.current.is_none() {
            self.start(cx, request);
        } else {
            self.waiting.push_back(request);
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        // Requests are numbered in order of arrival, so that the number grows even over a restart.
        let timestamp = u64::from(request.id.0) + 1;
        let command = Command::new(cx, request.id, timestamp, request.operation);
        self.current = Some(command);
        self.retries = 0;
        self.repliers = Signers::none(self.group.n());
        self.results.clear();
        let to = if self.reads_locally(&command) {
            self.group.primary(timestamp)
        } else {
            self.group.primary(self.view)
        };
        cx.send(to, PbftMessage::Request(command));
        self.timer = Some(cx.set_timer(self.options.retry_after, Timer::Retry));
    }

    fn reads_locally(&self, command: &Command) -> bool {
        self.options.bug == Some(Bug::LocalRead) && command.operation().kind == GET
    }

    /// No result in time: the request goes to all replicas.
    pub(super) fn on_retry(&mut self, cx: &mut Cx<'_>) {
        let Some(command) = self.current else { return };
        cx.broadcast(self.group.replicas().iter().copied(), PbftMessage::Request(command));
        self.retries += 1;
        let factor = if self.options.backoff { 1 << self.retries.min(6) } else { 1 };
        self.timer = Some(cx.set_timer(self.options.retry_after * factor, Timer::Retry));
    }

    /// A result counts when f + 1 replicas sent the same: one of them is correct.
    pub(super) fn on_reply(&mut self, cx: &mut Cx<'_>, from: NodeId, reply: &Reply) {
        let Some(command) = self.current else { return };
        let Some(place) = self.group.place(from) else { return };
        if reply.timestamp != command.timestamp() || !self.repliers.insert(place) {
            return;
        }
        let index = self.results.iter().position(|tally| tally.value == reply.value).unwrap_or_else(|| {
            self.results.push(Tally { value: reply.value, count: 0, view: reply.view });
            self.results.len() - 1
        });
        let tally = &mut self.results[index];
        tally.count += 1;
        tally.view = tally.view.min(reply.view);
        let needed = if self.reads_locally(&command) { 1 } else { self.group.f() + 1 };
        if self.results[index].count < needed {
            return;
        }
        self.view = self.view.max(self.results[index].view);
        self.current = None;
        if let Some(timer) = self.timer.take() {
            cx.cancel_timer(timer);
        }
        cx.fact(Fact::Complete { request: command.request(), outcome: Outcome::Ok, value: reply.value });
        if let Some(next) = self.waiting.pop_front() {
            self.start(cx, next);
        }
    }
}
