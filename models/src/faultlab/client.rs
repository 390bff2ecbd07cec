//! A client of the laboratory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use murphy_sim::{Credential, Fact, NodeId, Outcome, Pool, Request, RequestId, Span};

use super::message::{LabMessage, Refusal};
use super::{Cx, PUT, Timer};

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Replicas that a read needs; with one, only one is asked.
    pub read: usize,
    /// Replicas that a write needs.
    pub write: usize,
    /// Time after which it gives up.
    pub timeout: Span,
    /// Sums cover what it sends.
    pub checksum: bool,
    /// Two answers of one replica count once.
    pub distinct: bool,
    /// Requests under way at a time.
    pub connections: u64,
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
struct Pending {
    needed: usize,
    asked: usize,
    answers: usize,
    /// Replicas that answered or refused, as bits.
    heard: u64,
    refusals: usize,
    value: u64,
    stamp: u64,
}

/// A client: any number of requests at a time.
#[derive(Clone, Debug)]
pub struct Client {
    replicas: Arc<[NodeId]>,
    options: ClientOptions,
    pending: BTreeMap<RequestId, Pending>,
    /// Requests that wait for a connection, in order.
    waiting: VecDeque<Request>,
}

impl Client {
    pub(super) fn new(replicas: Arc<[NodeId]>, options: ClientOptions) -> Client {
        Client { replicas, options, pending: BTreeMap::new(), waiting: VecDeque::new() }
    }

    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        cx.set_timer(self.options.timeout, Timer::GiveUp(request.id));
        self.waiting.push_back(request);
        self.connect(cx);
    }

    /// Asks for what waits, as long as a connection is free.
    fn connect(&mut self, cx: &mut Cx<'_>) {
        while let Some(&request) = self.waiting.front() {
            if !cx.acquire(Pool::Connections, 0, self.options.connections) {
                return;
            }
            self.waiting.pop_front();
            self.ask(cx, request);
        }
    }

    /// A request is over: its connection is free for another.
    fn end(&mut self, cx: &mut Cx<'_>, request: RequestId, outcome: Outcome, value: u64) {
        self.pending.remove(&request);
        cx.fact(Fact::Complete { request, outcome, value });
        cx.release(Pool::Connections, 0);
        self.connect(cx);
    }

    fn ask(&mut self, cx: &mut Cx<'_>, request: Request) {
        let (id, operation) = (request.id, request.operation);
        let valid = cx.credential() != Credential::Expired;
        let n = self.replicas.len();
        let put = operation.kind == PUT;
        let needed = if put { self.options.write } else { self.options.read };
        let one = !put && needed == 1;
        let asked = if one { 1 } else { n };
        let pending = Pending { needed, asked, answers: 0, heard: 0, refusals: 0, value: 0, stamp: 0 };
        self.pending.insert(id, pending);
        if put {
            let (key, value, stamp) = (operation.key, operation.value, cx.clock().0);
            let sealed = self.options.checksum;
            let message = LabMessage::Put { request: id, key, value, stamp, valid, sealed };
            cx.broadcast(self.replicas.iter().copied(), message);
        } else {
            let message = LabMessage::Get { request: id, key: operation.key, valid };
            if one {
                cx.send(self.replicas[id.index() % n], message);
            } else {
                cx.broadcast(self.replicas.iter().copied(), message);
            }
        }
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &LabMessage) {
        let (request, answer) = match *message {
            LabMessage::Ack { request } => (request, Ok((0, 0))),
            LabMessage::Value { request, value, stamp, .. } => (request, Ok((value, stamp))),
            LabMessage::Refuse { request, why } => (request, Err(why)),
            _ => return,
        };
        let Some(pending) = self.pending.get_mut(&request) else { return };
        let bit = 1 << (self.replicas.iter().position(|replica| *replica == from).unwrap_or(0) % 64);
        if self.options.distinct && pending.heard & bit != 0 {
            return;
        }
        pending.heard |= bit;
        let done = match answer {
            Ok((value, stamp)) => {
                pending.answers += 1;
                if stamp >= pending.stamp {
                    (pending.value, pending.stamp) = (value, stamp);
                }
                (pending.answers >= pending.needed).then_some(Outcome::Ok)
            }
            Err(why) => {
                pending.refusals += 1;
                let outcome = match why {
                    Refusal::Denied | Refusal::Busy => Outcome::Rejected,
                    Refusal::Damaged | Refusal::Full | Refusal::Misconfigured => Outcome::Failed,
                };
                (pending.refusals > pending.asked - pending.needed).then_some(outcome)
            }
        };
        if let Some(outcome) = done {
            let value = if outcome == Outcome::Ok { pending.value } else { 0 };
            self.end(cx, request, outcome, value);
        }
    }

    pub(super) fn give_up(&mut self, cx: &mut Cx<'_>, request: RequestId) {
        if self.pending.contains_key(&request) {
            self.end(cx, request, Outcome::Timeout, 0);
        } else if let Some(place) = self.waiting.iter().position(|waiting| waiting.id == request) {
            self.waiting.remove(place);
            cx.fact(Fact::Complete { request, outcome: Outcome::Timeout, value: 0 });
        }
    }
}
