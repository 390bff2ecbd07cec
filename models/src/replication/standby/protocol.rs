//! How scenarios see the model.

use murphy_scenarios::language::NodeSpec;
use murphy_scenarios::{KindInfo, MetricInfo, ModelInfo, Param, Params, Problem, Protocol, System};
use murphy_sim::{Message as _, NodeId, Span};

use super::{Config, Heat, Lag, Options, Shipping, Standby, StandbyMessage, StandbyOracles};
use crate::replication::declare::{
    choice, client, client_options, counter, flag, number, numbers, put_and_get, safety, seen_by_clients,
    sometimes, span, times,
};
use crate::replication::{Client, Targets};

const REPLICA: &str = "standby.replica";
const ARBITER: &str = "standby.arbiter";
const CLIENT: &str = "standby.client";

pub(super) const PROPERTIES: [(&str, &str); 3] = [
    ("standby.one_primary", "no replica answers under a term below that of another that serves"),
    ("standby.durability", "no acknowledged write is missing at a new primary"),
    ("standby.failover", "a standby took over"),
];

/// What the oracle measures, in the order of its samples.
pub(super) const MEASURED: [fn() -> MetricInfo; 12] = [
    || times("detect", "from the crash of a primary to its suspicion"),
    || times("elect", "from the suspicion of a crashed primary to the next one's token"),
    || times("promote", "from the token to the first service"),
    || times("warm_up", "from the first service to a tenth of normal speed"),
    || times("rto", "from the crash of a primary to the first service of the next one"),
    || times("rpo", "age at the crash of the oldest acknowledged write that is lost; zero if none is"),
    || numbers("rpo_writes", "acknowledged writes that one failover lost"),
    || counter("failovers_started", "times that a standby tried to take over"),
    || counter("failovers", "times that it did"),
    || counter("false_failovers", "failovers from a primary that had not crashed"),
    || counter("split_answers", "answers under a lower term than another replica serves under"),
    || counter("handovers", "times that a primary gave its place back in good order"),
];

impl Protocol for Standby {
    type Process = Standby;
    type Oracles = StandbyOracles;

    fn info() -> ModelInfo {
        let kind = |name, about, client, params| KindInfo { name, about, client, params };
        ModelInfo {
            name: "standby",
            about: "active-passive replication: a primary, standbys that take over, leases and tokens that fence",
            kinds: vec![
                kind(REPLICA, "primary or standby; the first one is preferred", false, replica_params()),
                kind(
                    ARBITER,
                    "hands out leases under growing tokens; needed for fencing",
                    false,
                    vec![span(
                        "elect",
                        "how long it collects candidates before it picks the best",
                        Span::millis(50),
                    )],
                ),
                kind(
                    CLIENT,
                    "sends any number of requests at a time",
                    true,
                    client(Span::millis(200), Span::secs(2)),
                ),
            ],
            messages: StandbyMessage::KINDS.to_vec(),
            operations: put_and_get(),
            metrics: metrics(),
            properties: vec![
                safety(PROPERTIES[0].0, PROPERTIES[0].1),
                safety(PROPERTIES[1].0, PROPERTIES[1].1),
                sometimes(PROPERTIES[2].0, PROPERTIES[2].1),
            ],
        }
    }

    fn check(system: &System) -> Vec<Problem> {
        let place = system.scenario.groups[0].place.clone();
        let problem = |message: String| vec![Problem { place: place.clone(), message }];
        let Some(first) = system.nodes.iter().find(|node| node.kind == REPLICA) else {
            return problem(format!("the scenario has no {REPLICA}: its clients have nobody to ask"));
        };
        if let Some(other) =
            system.nodes.iter().find(|node| node.kind == REPLICA && node.params != first.params)
        {
            return problem(format!("all replicas have the same params, but those of {} differ", other.name));
        }
        let arbiters = system.of_kind(ARBITER).len();
        let fencing = first.params.flag("fencing");
        if fencing && arbiters != 1 {
            return problem(format!("fencing needs one {ARBITER}, found {arbiters}"));
        }
        let (heartbeat, suspect) =
            (first.params.duration("heartbeat"), first.params.duration("suspect_after"));
        if heartbeat == Span::ZERO || heartbeat >= suspect {
            return problem(format!(
                "suspect_after = {suspect} must be longer than heartbeat = {heartbeat} > 0s"
            ));
        }
        Vec::new()
    }

    fn configure(system: &System, node: &NodeSpec) -> Config {
        let replicas = system.of_kind(REPLICA);
        let first = system.nodes.iter().find(|node| node.kind == REPLICA).expect("a checked scenario");
        match node.kind {
            REPLICA => Config::Replica {
                group: replicas.into(),
                arbiter: arbiter(system).filter(|_| first.params.flag("fencing")),
                options: options(&node.params),
            },
            ARBITER => Config::Arbiter {
                group: replicas.into(),
                lease: first.params.duration("lease"),
                elect: node.params.duration("elect"),
            },
            _ => {
                let targets = Targets::follow(replicas);
                let options = client_options(&node.params);
                Config::Client(Client::new(targets.clone(), targets, options))
            }
        }
    }

    fn oracles(system: &System) -> StandbyOracles {
        let abort = [system.aborts_on(PROPERTIES[0].0), system.aborts_on(PROPERTIES[1].0)];
        StandbyOracles::new(system, abort)
    }
}

fn arbiter(system: &System) -> Option<NodeId> {
    system.of_kind(ARBITER).first().copied()
}

fn replica_params() -> Vec<Param> {
    vec![
        choice(
            "shipping",
            "when a write is acknowledged, beside being on the primary's disk",
            &["asynchronous", "semi-synchronous", "synchronous"],
        ),
        span(
            "patience",
            "time after which a primary goes on without a standby that does not answer",
            Span::secs(1),
        ),
        span("lag", "time that a record waits before it leaves the primary", Span::ZERO),
        choice(
            "lag_law",
            "constant and exponential: each record for itself; stream: one after the other",
            &["constant", "exponential", "stream"],
        ),
        span("ship_every", "time between two batches of records; \"0s\" for each by itself", Span::ZERO),
        span("heartbeat", "time between two heartbeats of the primary", Span::millis(100)),
        span("suspect_after", "time without a heartbeat after which a standby takes over", Span::millis(500)),
        span("cooldown", "time after a failover in which there is no other", Span::ZERO),
        span(
            "failback",
            "time after which the preferred primary asks for its place; \"0s\" for never",
            Span::ZERO,
        ),
        flag("fencing", "whether an arbiter's lease and token decide who may serve", true),
        span("lease", "length of a lease", Span::secs(1)),
        number(
            "lease_margin",
            "part of its lease that a primary does not use, for clocks that drift",
            (0.0, 0.9),
            0.01,
        ),
        choice(
            "heat",
            "what a standby has ready: applied data, received data, or none",
            &["hot", "warm", "cold"],
        ),
        span("apply_every", "how often a warm standby applies what it received", Span::secs(10)),
        span("start", "time that the process of a cold standby takes to start", Span::secs(10)),
        span("replay", "time to replay a record", Span::millis(1)),
        span(
            "promote",
            "time from a token to service, such as that of a change of address; the median",
            Span::ZERO,
        ),
        number("promote_sigma", "standard deviation of that time's logarithm", (0.0, 5.0), 0.0),
        span("warm_up", "time constant in which caches of a warm or cold standby fill", Span::secs(5)),
        number("cold_factor", "how much longer a request takes with cold caches", (1.0, 1e6), 10.0),
        span("work", "CPU time of a request", Span::micros(100)),
    ]
}

fn options(params: &Params) -> Options {
    let shipping = match params.choice("shipping") {
        "synchronous" => Shipping::Synchronous,
        "semi-synchronous" => Shipping::SemiSynchronous,
        _ => Shipping::Asynchronous,
    };
    let lag_law = match params.choice("lag_law") {
        "exponential" => Lag::Exponential,
        "stream" => Lag::Stream,
        _ => Lag::Constant,
    };
    let heat = match params.choice("heat") {
        "warm" => Heat::Warm,
        "cold" => Heat::Cold,
        _ => Heat::Hot,
    };
    Options {
        shipping,
        patience: params.duration("patience"),
        lag: params.duration("lag"),
        lag_law,
        ship_every: params.duration("ship_every"),
        heartbeat: params.duration("heartbeat"),
        suspect_after: params.duration("suspect_after"),
        cooldown: params.duration("cooldown"),
        failback: params.duration("failback"),
        lease: params.duration("lease").scale(1.0 - params.number("lease_margin")),
        heat,
        apply_every: params.duration("apply_every"),
        start: params.duration("start"),
        replay: params.duration("replay"),
        promote: params.duration("promote"),
        promote_sigma: params.number("promote_sigma"),
        warm_up: params.duration("warm_up"),
        cold_factor: params.number("cold_factor"),
        work: params.duration("work"),
    }
}

fn metrics() -> Vec<MetricInfo> {
    let sampled = [
        times("replication_lag", "from a record on the primary's disk to the same on a standby's"),
        counter("discarded_writes", "writes that a returning primary had to give up"),
        counter("degraded", "times that a primary went on without a standby"),
    ];
    let measured = MEASURED.iter().map(|info| info());
    sampled.into_iter().chain(measured).chain(seen_by_clients()).collect()
}
