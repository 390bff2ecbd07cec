//! A register on one server, as a protocol of your own: clients ask again until they are answered, and the
//! server executes each request once. Run it: `cargo run --release -- run register.toml`

use std::collections::{BTreeMap, BTreeSet};

use murphy::prelude::*;

fn main() -> std::process::ExitCode {
    murphy::cli().model::<Register>().run()
}

const SERVER: &str = "register.server";
const OPERATIONS: [OperationInfo; 2] = [OperationInfo::write("put"), OperationInfo::read("get")];
const PUT: u16 = 0; // the place of `put` among the operations,
const ATTEMPTS: u16 = 0; // of `attempts` among the metrics,
const EXECUTED: u16 = 0; // and the number of the one fact of our own

messages! {
    enum Chat {
        Ask { request: Request } = ("ask", 64),
        Done { id: RequestId, value: u64 } = ("done", 64),
    }
}

/// What a node is told when it starts; a client needs the first two, the server the last.
#[derive(Clone)]
struct Config {
    server: NodeId,
    retry_after: Span,
    bug: bool,
}

/// A node: the server uses the first two maps, a client the last.
#[derive(Clone, Default)]
struct Register {
    values: BTreeMap<u64, u64>,
    executed: BTreeSet<RequestId>,
    /// Requests without an answer, and how often each was sent.
    open: BTreeMap<RequestId, (Request, u64)>,
}

impl Process for Register {
    type Config = Config;
    type Message = Chat;
    type Timer = RequestId;
    type Durable = ();

    fn boot(_cx: &mut Context<'_, Self>) -> Register {
        Register::default()
    }

    fn on_request(&mut self, cx: &mut Context<'_, Self>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        self.open.insert(request.id, (request, 0));
        self.on_timer(cx, request.id);
    }

    fn on_timer(&mut self, cx: &mut Context<'_, Self>, id: RequestId) {
        let Some((request, attempts)) = self.open.get_mut(&id) else { return };
        *attempts += 1;
        cx.send(cx.config().server, Chat::Ask { request: *request });
        cx.set_timer(cx.config().retry_after, id);
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, from: NodeId, message: &Chat) {
        match *message {
            Chat::Ask { request: Request { id, operation, .. } } => {
                if operation.kind == PUT && (self.executed.insert(id) || cx.config().bug) {
                    self.values.insert(operation.key, operation.value);
                    cx.fact(Fact::Own { kind: EXECUTED, a: u64::from(id.0), b: 0 });
                }
                let value = self.values.get(&operation.key).copied().unwrap_or(0);
                cx.send(from, Chat::Done { id, value });
            }
            Chat::Done { id, value } => {
                if let Some((_, attempts)) = self.open.remove(&id) {
                    cx.fact(Fact::Sample { metric: ATTEMPTS, value: attempts });
                    cx.fact(Fact::Complete { request: id, outcome: Outcome::Ok, value });
                }
            }
        }
    }
}

impl Protocol for Register {
    type Process = Register;
    type Oracles = Judges<Once>;

    fn info() -> ModelInfo {
        let bug = Param::flag("bug", "executes again what is asked again, for the oracle to find", false);
        let retry = Param::duration("retry_after", "time after which a client asks again", Span::millis(200));
        let attempts = MetricInfo::distribution("attempts", "times that one was sent", Dimension::One);
        ModelInfo {
            name: "register",
            about: "a register on one server",
            kinds: vec![
                KindInfo::server(SERVER, "keeps the values", vec![bug]),
                KindInfo::client("register.client", "puts and gets", vec![retry]),
            ],
            messages: Chat::KINDS.to_vec(),
            operations: OPERATIONS.to_vec(),
            metrics: vec![attempts],
            properties: vec![Once::info()],
        }
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let retry_after = if node.client { node.params.duration("retry_after") } else { Span::ZERO };
        let bug = !node.client && node.params.flag("bug");
        Config { server: system.of_kind(SERVER)[0], retry_after, bug }
    }

    fn oracles(system: &System) -> Judges<Once> {
        Judges::new(system, &OPERATIONS)
    }
}

/// Our own oracle. It sees what the server says, and nothing else.
#[derive(Clone, Default)]
struct Once(BTreeSet<u64>);

impl Property for Once {
    const NAME: &'static str = "register.once";
    const ABOUT: &'static str = "no put is executed twice";

    fn look(&mut self, said: &Stamped) -> Option<Result<(), String>> {
        let Fact::Own { kind: EXECUTED, a: request, .. } = said.fact else { return None };
        Some(if self.0.insert(request) { Ok(()) } else { Err(format!("executed request {request} twice")) })
    }
}
