//! How scenarios see the server and those who watch it.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{
    Dimension, Effect, KindInfo, MetricInfo, MetricKind, MetricRecord, ModelInfo, OperationInfo, Oracles,
    Param, Problem, PropertyInfo, PropertyKind, PropertyRecord, Protocol, System, Verdict,
};
use murphy_sim::{Fact, Judge, Message as _, NodeId, Span, Stamped, Time};

use super::super::estimate::Rule;
use super::super::params::{count, kind, metric, property, record, span};
use super::super::scorer::Scorer;
use super::{
    CallerOptions, GAVE_UP, ProberOptions, RUNNING, ServerOptions, WEDGED, Watch, WatchConfig, WatchMessage,
    WatchdogOptions,
};

const SERVER: &str = "watch.server";
const MONITOR: &str = "watch.monitor";
const PROBER: &str = "watch.prober";
const CALLER: &str = "watch.caller";
const WATCHDOG: &str = "watch.watchdog";
const COMPLETE: &str = "watch.complete";
const MISTAKEN: &str = "watch.mistaken";
const SUSPECTED: &str = "watch.suspected";
const RESTARTED: &str = "watch.restarted";
const GIVEN_UP: &str = "watch.given_up";

impl Protocol for Watch {
    type Process = Watch;
    type Oracles = WatchOracles;

    fn info() -> ModelInfo {
        ModelInfo {
            name: "watch",
            about: "one server and five ways to notice its end",
            kinds: kinds(),
            messages: WatchMessage::KINDS.to_vec(),
            operations: vec![OperationInfo { name: "call", effect: Effect::Other }],
            metrics: metrics(),
            properties: properties(),
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let servers = system.of_kind(SERVER).len();
        if servers == 1 {
            return Vec::new();
        }
        let place = system.scenario.groups[0].place.clone();
        let message = format!("the scenario needs one {SERVER}, which all others watch, found {servers}");
        vec![Problem { place, message }]
    }

    fn configure(system: &System, node: &NodeSpec) -> WatchConfig {
        let server = system.of_kind(SERVER)[0];
        let params = &node.params;
        match node.kind {
            SERVER => WatchConfig::Server {
                monitors: system.of_kind(MONITOR).into(),
                watchdogs: system.of_kind(WATCHDOG).into(),
                options: ServerOptions {
                    heartbeat: params.duration("heartbeat"),
                    kick: params.duration("kick"),
                    work: params.duration("work"),
                    wedge_after: params.duration("wedge_after"),
                    restart: params.duration("restart"),
                },
            },
            MONITOR => WatchConfig::Monitor {
                server,
                interval: system.nodes[server.index()].params.duration("heartbeat"),
                rule: Rule::Fixed(params.duration("timeout")),
            },
            PROBER => WatchConfig::Prober {
                server,
                options: ProberOptions {
                    every: params.duration("every"),
                    timeout: params.duration("timeout"),
                    failures: params.count("failures"),
                    successes: params.count("successes"),
                },
            },
            CALLER => WatchConfig::Caller {
                server,
                options: CallerOptions {
                    deadline: params.duration("deadline"),
                    consecutive: params.count("consecutive"),
                },
            },
            _ => WatchConfig::Watchdog {
                server,
                options: WatchdogOptions {
                    timeout: params.duration("timeout"),
                    max_restarts: params.count("max_restarts"),
                    window: params.duration("window"),
                },
            },
        }
    }

    fn oracles(system: &System) -> WatchOracles {
        let server = system.of_kind(SERVER)[0];
        let within = system.nodes[server.index()].params.duration("detect_within");
        WatchOracles::new(&system.names, server, within).excusing(system).aborting(system.aborts_on(COMPLETE))
    }
}

fn kinds() -> Vec<KindInfo> {
    let ms = Span::millis;
    let second = Span::secs(1);
    let timeout = |about, value| span("timeout", about, value);
    let server: Vec<Param> = vec![
        span("heartbeat", "time between two heartbeats", second),
        span("kick", "time between two kicks of the watchdogs", second),
        span("work", "CPU time of a call", ms(1)),
        span("wedge_after", "mean time until it stops making progress; 0s: never", Span::ZERO),
        span("restart", "from a kill to the end of the start that follows", Span::secs(2)),
        span("detect_within", "bound of watch.complete", Span::secs(60)),
    ];
    let monitor = vec![timeout("silence after which the server is suspected", ms(3500))];
    let prober = vec![
        span("every", "time between two probes", Span::secs(2)),
        timeout("how long an answer may take", second),
        count("failures", "failed probes in a row that make it suspect", 1, 1000, 2),
        count("successes", "good probes in a row that make it trust", 1, 1000, 2),
    ];
    let caller = vec![
        span("deadline", "how long an answer may take", ms(100)),
        count("consecutive", "failed calls in a row that make it suspect", 1, 1_000_000, 1),
    ];
    let watchdog = vec![
        timeout("time without a kick after which the server is restarted", Span::secs(5)),
        count("max_restarts", "restarts in the window after which it gives up", 0, 1_000_000, 5),
        span("window", "time in which restarts are counted", Span::secs(300)),
    ];
    vec![
        kind(SERVER, "answers, sends heartbeats, and kicks its watchdogs", server),
        kind(MONITOR, "waits for heartbeats", monitor),
        kind(PROBER, "asks at a fixed pace, as a load balancer does", prober),
        KindInfo { client: true, ..kind(CALLER, "judges by the outcomes of its own requests", caller) },
        kind(WATCHDOG, "restarts a server that does not kick it", watchdog),
    ]
}

fn metrics() -> Vec<MetricInfo> {
    let (one, time) = (Dimension::One, Dimension::Time);
    let (counter, distribution) = (MetricKind::Counter, MetricKind::Distribution);
    vec![
        metric("restarts", "restarts by watchdogs", one, counter),
        metric("detection_time", "from the server's end to a suspicion", time, distribution),
        metric("first_detection", "from the server's end to the first suspicion", time, distribution),
        metric("false_suspicions", "suspicions of a server that worked and was reachable", one, counter),
        metric("mistake_time", "how long a false suspicion lasted", time, distribution),
        metric("wedged_time", "from the start of a hang to the end of the restart", time, distribution),
    ]
}

fn properties() -> Vec<PropertyInfo> {
    let sometimes = PropertyKind::Sometimes;
    vec![
        property(COMPLETE, "everyone who watches suspects a dead server in time", PropertyKind::Safety),
        property(MISTAKEN, "a server that worked was suspected", sometimes),
        property(SUSPECTED, "the server was suspected", sometimes),
        property(RESTARTED, "a server that hung was restarted", sometimes),
        property(GIVEN_UP, "a watchdog gave up", sometimes),
    ]
}

/// The judges of those who watch.
#[derive(Clone, Debug)]
pub struct WatchOracles {
    /// How good they are.
    pub scorer: Scorer,
    wedged: Option<Time>,
    hangs: Vec<(u64, u32, f64)>,
    given_up: u64,
    abort: bool,
}

impl WatchOracles {
    /// Judges what the nodes say about `server`; a crash or hang must be noticed `within` this time.
    pub fn new(names: &std::sync::Arc<[String]>, server: NodeId, within: Span) -> WatchOracles {
        let n = names.len();
        let watches = |watcher| (0..n).map(|node| node == server.index() && watcher != node).collect();
        let scorer = Scorer::new(names, (0..n).map(watches).collect(), within);
        WatchOracles { scorer, wedged: None, hangs: Vec::new(), given_up: 0, abort: false }
    }

    /// From the start of each hang to the end of the restart, for tests.
    pub fn hangs(&self) -> impl Iterator<Item = Span> + '_ {
        self.hangs.iter().map(|&(_, _, ns)| Span(1).scale(ns))
    }

    /// How often a watchdog gave up.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    fn excusing(mut self, system: &System) -> WatchOracles {
        self.scorer = self.scorer.excusing(&system.scenario);
        self
    }

    fn aborting(mut self, abort: bool) -> WatchOracles {
        self.abort = abort;
        self
    }
}

impl Judge for WatchOracles {
    fn observe(&mut self, said: &Stamped) {
        self.scorer.observe(said);
        match said.fact {
            // A hung server is as good as gone.
            Fact::Own { kind: WEDGED, .. } => {
                self.wedged = Some(said.at);
                self.scorer.gone(said.at, said.node.index());
            }
            Fact::Own { kind: RUNNING, .. } => {
                self.scorer.back(said.at, said.event, said.node.index());
                if let Some(since) = self.wedged.take() {
                    self.hangs.push((said.at.0, said.node.0, (said.at - since).0 as f64));
                }
            }
            Fact::Own { kind: GAVE_UP, .. } => self.given_up += 1,
            Fact::Crash => self.wedged = None,
            _ => {}
        }
    }

    fn wants_stop(&self) -> bool {
        self.abort && matches!(self.scorer.complete().0, Verdict::Violated { .. })
    }
}

impl Oracles for WatchOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        vec![
            record(COMPLETE, self.scorer.complete()),
            record(MISTAKEN, (Verdict::Held, self.scorer.false_suspicions())),
            record(SUSPECTED, (Verdict::Held, self.scorer.suspicions())),
            record(RESTARTED, (Verdict::Held, self.hangs.len() as u64)),
            record(GIVEN_UP, (Verdict::Held, self.given_up)),
        ]
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        let mut metrics = self.scorer.metrics();
        metrics.push(MetricRecord {
            name: "wedged_time".to_owned(),
            unit: "ns".to_owned(),
            kind: MetricKind::Distribution,
            samples: std::mem::take(&mut self.hangs),
        });
        metrics
    }
}
