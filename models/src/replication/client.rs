//! The client of every scheme: any number of requests at a time, each sent to one replica and, if the
//! operation may be repeated, to the next one when no answer comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_sim::{Context, Fact, NodeId, Operation, Outcome, Process, Request, RequestId, Span};

use super::{Call, Calls, GET};

/// Whom a client asks, in order of preference.
#[derive(Clone, Debug)]
pub struct Targets {
    nodes: Arc<[NodeId]>,
    at: usize,
    /// Each request begins with the next one, instead of all with the one that answered last.
    spread: bool,
}

impl Targets {
    /// The first that answers serves until it does not.
    pub fn follow(nodes: impl Into<Arc<[NodeId]>>) -> Targets {
        Targets { nodes: nodes.into(), at: 0, spread: false }
    }

    /// Requests go round.
    pub fn spread(nodes: impl Into<Arc<[NodeId]>>) -> Targets {
        Targets { spread: true, ..Targets::follow(nodes) }
    }

    fn first(&mut self) -> usize {
        if self.spread {
            self.at = (self.at + 1) % self.nodes.len();
        }
        self.at
    }

    /// `failed` did not answer, or named another one.
    fn after(&mut self, failed: usize, named: Option<NodeId>) -> usize {
        let named = named.and_then(|node| self.nodes.iter().position(|known| *known == node));
        let next = named.unwrap_or((failed + 1) % self.nodes.len());
        if !self.spread && (self.at == failed || named.is_some()) {
            self.at = next;
        }
        next
    }
}

/// How a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Time after which an attempt is taken for lost, and the next replica is asked.
    pub attempt: Span,
    /// Time after which the request is given up.
    pub timeout: Span,
}

/// What a client is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTimer {
    /// No answer to this attempt.
    Attempt(RequestId, u32),
    /// No answer at all.
    GiveUp(RequestId),
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    operation: Operation,
    target: usize,
    attempts: u32,
    /// A replica said no: no other one is asked before the attempt is over.
    refused: bool,
    /// The hint of this round was followed.
    hinted: bool,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    reads: Targets,
    writes: Targets,
    options: ClientOptions,
    /// Whether an operation of this kind may be sent twice.
    repeats: fn(u16) -> bool,
    pending: BTreeMap<RequestId, Pending>,
}

impl Client {
    /// A client whose reads and writes may be repeated.
    pub fn new(reads: Targets, writes: Targets, options: ClientOptions) -> Client {
        Client { reads, writes, options, repeats: |_| true, pending: BTreeMap::new() }
    }

    /// The same client for a store in which some kinds of operations must not be sent twice.
    #[must_use]
    pub fn repeating(self, repeats: fn(u16) -> bool) -> Client {
        Client { repeats, ..self }
    }

    fn targets(&mut self, kind: u16) -> &mut Targets {
        if kind == GET { &mut self.reads } else { &mut self.writes }
    }

    /// Begins a request.
    pub fn on_request<P>(&mut self, cx: &mut Context<'_, P>, request: Request)
    where
        P: Calls + Process<Timer: From<ClientTimer>>,
    {
        let (id, operation) = (request.id, request.operation);
        cx.fact(Fact::Invoke { request: id });
        cx.set_timer(self.options.timeout, ClientTimer::GiveUp(id).into());
        let target = self.targets(operation.kind).first();
        self.pending.insert(id, Pending { operation, target, attempts: 0, refused: false, hinted: false });
        self.attempt(cx, id);
    }

    fn attempt<P>(&mut self, cx: &mut Context<'_, P>, request: RequestId)
    where
        P: Calls + Process<Timer: From<ClientTimer>>,
    {
        let pending = self.pending.get_mut(&request).expect("a request that is attempted is pending");
        pending.attempts += 1;
        pending.refused = false;
        let Pending { operation, target, attempts, .. } = *pending;
        let to = self.targets(operation.kind).nodes[target];
        cx.send(to, Call::Ask { request, operation }.into());
        if (self.repeats)(operation.kind) {
            cx.set_timer(self.options.attempt, ClientTimer::Attempt(request, attempts).into());
        }
    }

    /// Takes an answer.
    pub fn on_call<P>(&mut self, cx: &mut Context<'_, P>, call: Call)
    where
        P: Calls + Process<Timer: From<ClientTimer>>,
    {
        match call {
            Call::Ask { .. } => {}
            Call::Answer { request, outcome, value } => {
                if self.pending.remove(&request).is_some() {
                    cx.fact(Fact::Complete { request, outcome, value });
                }
            }
            Call::Refuse { request, to } => self.refused(cx, request, to),
        }
    }

    fn refused<P>(&mut self, cx: &mut Context<'_, P>, request: RequestId, to: Option<NodeId>)
    where
        P: Calls + Process<Timer: From<ClientTimer>>,
    {
        let Some(&Pending { operation, target, .. }) = self.pending.get(&request) else { return };
        let next = self.targets(operation.kind).after(target, to);
        let pending = self.pending.get_mut(&request).expect("just found");
        pending.target = next;
        pending.refused = true;
        // One hint is followed at once; after that the request waits for its time, lest two replicas
        // that name each other make it run in circles.
        if to.is_some() && !std::mem::replace(&mut pending.hinted, true) {
            self.attempt(cx, request);
        }
    }

    /// A timer of the client ran out.
    ///
    /// # Panics
    /// Never: a request that is attempted again is pending.
    pub fn on_timer<P>(&mut self, cx: &mut Context<'_, P>, timer: ClientTimer)
    where
        P: Calls + Process<Timer: From<ClientTimer>>,
    {
        match timer {
            ClientTimer::GiveUp(request) => {
                if self.pending.remove(&request).is_some() {
                    cx.fact(Fact::Complete { request, outcome: Outcome::Timeout, value: 0 });
                }
            }
            ClientTimer::Attempt(request, attempt) => {
                let Some(pending) = self.pending.get(&request) else { return };
                if pending.attempts != attempt {
                    return;
                }
                let Pending { operation, mut target, refused, .. } = *pending;
                if !refused {
                    target = self.targets(operation.kind).after(target, None);
                }
                let pending = self.pending.get_mut(&request).expect("just found");
                (pending.target, pending.hinted) = (target, false);
                self.attempt(cx, request);
            }
        }
    }
}
