//! Chain replication (van Renesse & Schneider 2004), as a protocol of your own.
//!
//! A put enters at the head, which numbers it, and passes down the chain; the tail replies. A get
//! asks the tail. Run it: `cargo run --release -- run chain.toml`

mod describe;
mod judge;

use std::collections::BTreeMap;
use std::process::ExitCode;

use murphy::{Context, Fact, Message, NodeId, Outcome, Process, Request, RequestId, Span, Time, fold};

fn main() -> ExitCode {
    murphy::cli().model::<Chain>().run()
}

type Cx<'a> = Context<'a, Chain>;

/// The protocol, and each of its nodes.
#[derive(Clone)]
enum Chain {
    Server(Server),
    Client(Client),
}

/// What a node is told when it starts.
#[derive(Clone)]
enum Config {
    Server { next: Option<NodeId>, bug: bool },
    Client { head: NodeId, tail: NodeId, retry_after: Span },
}

#[derive(Clone)]
enum Chat {
    Put { request: Request, client: NodeId, version: u64, since: Time },
    Get { request: Request, client: NodeId },
    Done { request: RequestId, value: u64 },
}

impl Message for Chat {
    const KINDS: &'static [&'static str] = &["put", "get", "done"];

    fn kind(&self) -> usize {
        match self {
            Chat::Put { .. } => 0,
            Chat::Get { .. } => 1,
            Chat::Done { .. } => 2,
        }
    }

    fn bytes(&self) -> u32 {
        64
    }

    fn digest(&self) -> u64 {
        match self {
            Chat::Put { request, version, .. } => fold(u64::from(request.id.0), *version),
            Chat::Get { request, .. } => u64::from(request.id.0),
            Chat::Done { request, value } => fold(u64::from(request.0), *value),
        }
    }
}

impl Process for Chain {
    type Config = Config;
    type Message = Chat;
    type Timer = RequestId;
    type Durable = ();

    fn boot(cx: &mut Cx<'_>) -> Chain {
        match cx.config() {
            Config::Server { .. } => Chain::Server(Server::default()),
            Config::Client { .. } => Chain::Client(Client::default()),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, _from: NodeId, message: &Chat) {
        match (self, message) {
            (Chain::Server(server), Chat::Put { request, client, version, since }) => {
                server.put(cx, *request, *client, *version, *since);
            }
            (Chain::Server(server), Chat::Get { request, client }) => {
                let value = server.store.get(&request.operation.key).map_or(0, |stored| stored.1);
                cx.send(*client, Chat::Done { request: request.id, value });
            }
            (Chain::Client(client), Chat::Done { request, value }) => client.done(cx, *request, *value),
            _ => {}
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        if let Chain::Client(client) = self {
            cx.fact(Fact::Invoke { request: request.id });
            client.open.insert(request.id, (request, cx.now()));
            client.ask(cx, request.id);
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, request: RequestId) {
        if let Chain::Client(client) = self {
            client.ask(cx, request);
        }
    }
}

#[derive(Clone, Default)]
struct Server {
    /// Version and value of each key.
    store: BTreeMap<u64, (u64, u64)>,
    /// At the head: the version that each put got, so that a retry gets the same.
    numbered: BTreeMap<RequestId, u64>,
}

impl Server {
    fn put(&mut self, cx: &mut Cx<'_>, request: Request, client: NodeId, version: u64, since: Time) {
        let Config::Server { next, bug } = *cx.config() else { return };
        let fresh = self.numbered.len() as u64 + 1;
        let version = if version == 0 { *self.numbered.entry(request.id).or_insert(fresh) } else { version };
        let stored = self.store.entry(request.operation.key).or_default();
        // Messages overtake one another: only a newer version may replace what is stored.
        if version > stored.0 || bug {
            *stored = (version, request.operation.value);
            cx.fact(Fact::Own { kind: judge::STORED, a: request.operation.key, b: version });
        }
        if let Some(next) = next {
            cx.send(next, Chat::Put { request, client, version, since });
        } else {
            cx.fact(Fact::Sample { metric: describe::PROPAGATION, value: cx.now().since(since).0 });
            cx.send(client, Chat::Done { request: request.id, value: 0 });
        }
    }
}

#[derive(Clone, Default)]
struct Client {
    /// Requests without a reply, and when they arrived.
    open: BTreeMap<RequestId, (Request, Time)>,
}

impl Client {
    /// Sends a request, for the first time or again, until it is done.
    fn ask(&mut self, cx: &mut Cx<'_>, id: RequestId) {
        let Some(&(request, since)) = self.open.get(&id) else { return };
        let Config::Client { head, tail, retry_after } = *cx.config() else { return };
        let client = cx.id();
        if request.operation.kind == describe::PUT {
            cx.send(head, Chat::Put { request, client, version: 0, since });
        } else {
            cx.send(tail, Chat::Get { request, client });
        }
        cx.set_timer(retry_after, id);
    }

    fn done(&mut self, cx: &mut Cx<'_>, request: RequestId, value: u64) {
        if self.open.remove(&request).is_some() {
            cx.fact(Fact::Complete { request, outcome: Outcome::Ok, value });
        }
    }
}
