//! The tables of a file as they are declared, before names are resolved.

use std::sync::Arc;

use murphy_reports::Persistence;
use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::compare::CompareTable;
use super::diagnostic::Diagnostic;
use super::fault::{FaultPart, KINDS};
use super::fields::{
    Bandwidth, Bytes, Count, FaultName, Field, Fields, Located, Name, Number, Patterns, Positive,
    Probability, Signed, Table, Walk,
};
use super::fleet::{CrewTable, EstimateTable, StructureTable};
use super::hazard::{Class, HazardTable};
use super::params;
use super::repro::ReproTable;
use super::scenario::{ArrivalSpec, ClockSpec, CpuSpec, DiskSpec, LawSpec, Limits, NetworkSpec, ReorderSpec};
use super::service::{Policies, Priority, RolloutTable, ServiceTable, priority, workload_keys};
use super::slo::Slos;
use super::sweep::{DesignTable, SweepTable};
use super::template;
use super::value::{Data, Value};
use crate::describe::{ModelInfo, Params};
use crate::hazard::Burst;

/// Most nodes of a scenario.
pub(crate) const MAX_NODES: u64 = 100_000;
/// Most keys of a workload by Zipf's law.
const MAX_ZIPF: u64 = 10_000_000;
/// Largest seed that TOML can write.
pub(crate) const MAX_SEED: u64 = i64::MAX as u64;

/// A whole file.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) seed: u64,
    pub(crate) duration: Span,
    pub(crate) warmup: Span,
    pub(crate) violates: bool,
    pub(crate) limits: Limits,
    pub(crate) network: NetworkSpec,
    pub(crate) cpu: CpuSpec,
    pub(crate) disk: DiskSpec,
    pub(crate) sites: Vec<SiteTable>,
    pub(crate) links: Vec<LinkTable>,
    pub(crate) nodes: Vec<NodeTable>,
    pub(crate) services: Vec<ServiceTable>,
    pub(crate) policies: Policies,
    pub(crate) rollouts: Vec<RolloutTable>,
    pub(crate) workloads: Vec<WorkloadTable>,
    pub(crate) faults: Vec<FaultTable>,
    pub(crate) hazards: Vec<HazardTable>,
    pub(crate) crews: Vec<CrewTable>,
    pub(crate) structures: Vec<StructureTable>,
    pub(crate) estimate: Option<EstimateTable>,
    pub(crate) slos: Slos,
    pub(crate) expects: Vec<ExpectTable>,
    pub(crate) repro: Option<ReproTable>,
}

impl Table for File {
    const WHAT: &'static str = "the scenario";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> File {
        let _: Count<1, 1> = fields.default("schema", "version of this format", "1");
        let name: Name = fields.required("name", "name, for results");
        let about = fields.default("about", "one sentence", "\"\"");
        let seed: Count<0, MAX_SEED> = fields.default("seed", "selects everything random", "0");
        let duration = fields.required("duration", "end of the run, such as \"120s\"");
        let warmup = fields.default("warmup", "time that `steady` leaves out", "\"0s\"");
        let about_outcome =
            "what must become of it: `test` takes a scenario that violates for right if it does";
        let violates =
            fields.choice("outcome", about_outcome, &["passes", "violates"], "passes") == "violates";
        if fields.good("duration") && (duration == Span::ZERO || warmup > duration) {
            let (key, title) = if duration == Span::ZERO {
                ("duration", "the run has no length")
            } else {
                ("warmup", "the warm-up is longer than the run")
            };
            fields.error(Diagnostic::new(fields.spot(key), title, "out of range"));
        }
        declare_later(fields);
        File {
            name: name.0,
            about,
            seed: seed.0,
            duration,
            warmup,
            violates,
            limits: fields.section("limits", "what ends a run early, as inconclusive"),
            network: fields.section("network", "defaults of every link, and traffic within a site"),
            cpu: fields.section("cpu", "what a node's processor charges"),
            disk: fields.section("disk", "what a node's disk charges"),
            sites: fields.list("site", "places where nodes sit"),
            links: fields.list("link", "links between sites"),
            nodes: fields.list("node", "nodes"),
            services: fields.list("service", "services that call one another"),
            policies: fields.optional("policy", "how services call one another").unwrap_or_default(),
            rollouts: fields.list("rollout", "new versions of services"),
            workloads: fields.list("workload", "requests from outside"),
            faults: fields.list("fault", "intervals in which something is wrong"),
            hazards: fields.list("hazard", "generators that expand to faults before the run"),
            crews: fields.list("crew", "crews that repair what hazards break"),
            structures: fields.list("structure", "which nodes must be up for something to be up"),
            slos: fields
                .optional("slo", "objectives with an error budget, and alerts on its burning")
                .unwrap_or_default(),
            estimate: fields.optional("estimate", "how a rare unavailability is estimated"),
            expects: fields.list("expect", "what must come out"),
            repro: fields.optional("repro", "one concrete run and what it violates, as a hunt writes it"),
        }
    }
}

/// Tables that are read before the walk (sweeps) or by a later version.
fn declare_later(fields: &mut Fields<'_, '_, '_>) {
    if !fields.live() {
        _ = fields.list::<SweepTable>("sweep", "one axis a table; axes multiply");
        _ = fields.optional::<DesignTable>("design", "which points and seeds are run");
        _ = fields.list::<CompareTable>("compare", "points of the sweep that are compared, seed by seed");
        return;
    }
    fields.known("sweep");
    fields.known("design");
    fields.known("compare");
    fields.unsupported("cost", "costs");
}

impl Table for Limits {
    const WHAT: &'static str = "[limits]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> Limits {
        let events: Option<Count<1, MAX_SEED>> = fields.optional("events", "events the engine may handle");
        let bytes: Option<Bytes> =
            fields.optional("bytes", "bytes that the engine's queues and tables may hold");
        Limits { events: events.map(|count| count.0), bytes: bytes.map(|bytes| bytes.0) }
    }
}

impl Table for NetworkSpec {
    const WHAT: &'static str = "[network]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> NetworkSpec {
        let latency = fields.default("latency", "one-way latency within a site", "\"1ms\"");
        let jitter = fields.optional("jitter", "a law added to every latency");
        let drop: Probability = fields.default("drop", "probability that a message is lost", "0.0");
        let duplicate: Probability =
            fields.default("duplicate", "probability that a message arrives twice", "0.0");
        let reorder = fields.optional("reorder", "messages that are held back");
        let corrupt: Probability =
            fields.default("corrupt", "probability that a message arrives corrupted", "0.0");
        let bandwidth: Option<Bandwidth> =
            fields.optional("bandwidth", "such as \"10MB/s\"; unlimited without");
        let queue: Option<Bytes> = fields.optional("queue", "bytes that may wait for the bandwidth");
        let csv: Option<Located<String>> =
            fields.optional("rtt_csv", "file of round-trip times between sites: from,to,rtt_ms");
        let _: Option<Number<0, 20>> =
            fields.optional("rtt_sigma", "makes the latencies of rtt_csv lognormal with this sigma");
        if let Some(csv) = csv.filter(|_| fields.live()) {
            // The file was read and replaced by links before the walk: only a sweep can put it back.
            fields.error(Diagnostic::new(csv.at, "a sweep cannot set rtt_csv", "write one file a table"));
        }
        NetworkSpec {
            latency,
            jitter,
            drop: drop.0,
            duplicate: duplicate.0,
            reorder,
            corrupt: corrupt.0,
            bandwidth: bandwidth.map(|rate| rate.0),
            queue: queue.map(|bytes| bytes.0),
        }
    }
}

impl Table for ReorderSpec {
    const WHAT: &'static str = "reorder";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ReorderSpec {
        let probability: Probability = fields.required("probability", "probability per message");
        let delay = fields.required("delay", "extra delay of a message that is held back");
        ReorderSpec { probability: probability.0, delay }
    }
}

impl Table for CpuSpec {
    const WHAT: &'static str = "[cpu]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> CpuSpec {
        CpuSpec {
            receive: fields.default("receive", "to receive a message", "\"2us\""),
            send: fields.default("send", "to send a message to one recipient", "\"1us\""),
            per_kilobyte: fields.default("per_kilobyte", "for each 1,000 bytes received or sent", "\"1us\""),
            signature: fields.default("signature", "for each signature that is verified", "\"50us\""),
            event: fields.default("event", "to handle a timer, a disk completion or a request", "\"1us\""),
        }
    }
}

impl Table for DiskSpec {
    const WHAT: &'static str = "[disk]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> DiskSpec {
        DiskSpec {
            write: fields.default("write", "for each write into the cache", "\"2us\""),
            sync: fields.default("sync", "for each sync", "\"100us\""),
            per_kilobyte: fields.default("per_kilobyte", "for each 1,000 bytes synced", "\"1us\""),
        }
    }
}

/// A node's own costs; what is left out comes from `[cpu]`.
pub(crate) struct CpuPart {
    pub(crate) receive: Option<Span>,
    pub(crate) send: Option<Span>,
    pub(crate) per_kilobyte: Option<Span>,
    pub(crate) signature: Option<Span>,
    pub(crate) event: Option<Span>,
}

impl Table for CpuPart {
    const WHAT: &'static str = "cpu";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> CpuPart {
        CpuPart {
            receive: fields.optional("receive", "to receive a message"),
            send: fields.optional("send", "to send a message to one recipient"),
            per_kilobyte: fields.optional("per_kilobyte", "for each 1,000 bytes received or sent"),
            signature: fields.optional("signature", "for each signature that is verified"),
            event: fields.optional("event", "to handle a timer, a disk completion or a request"),
        }
    }
}

/// A node's own costs; what is left out comes from `[disk]`.
pub(crate) struct DiskPart {
    pub(crate) write: Option<Span>,
    pub(crate) sync: Option<Span>,
    pub(crate) per_kilobyte: Option<Span>,
}

impl Table for DiskPart {
    const WHAT: &'static str = "disk";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> DiskPart {
        DiskPart {
            write: fields.optional("write", "for each write into the cache"),
            sync: fields.optional("sync", "for each sync"),
            per_kilobyte: fields.optional("per_kilobyte", "for each 1,000 bytes synced"),
        }
    }
}

impl Table for ClockSpec {
    const WHAT: &'static str = "clock";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ClockSpec {
        let offset: Signed = fields.default("offset", "at the start, such as \"-5ms\"", "\"0s\"");
        let drift: Number<-1_000_000, 1_000_000> =
            fields.default("drift_ppm", "drift in parts per million", "0.0");
        ClockSpec { offset_ns: offset.0, drift_ppm: drift.0 }
    }
}

/// `[[site]]`.
pub(crate) struct SiteTable {
    pub(crate) name: Located<Name>,
    pub(crate) zone: Option<Name>,
    pub(crate) region: Option<Name>,
    pub(crate) latency: Option<LawSpec>,
}

impl Table for SiteTable {
    const WHAT: &'static str = "[[site]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> SiteTable {
        SiteTable {
            name: fields.required("name", "name of the site"),
            zone: fields.optional("zone", "availability zone"),
            region: fields.optional("region", "region"),
            latency: fields.optional("latency", "one-way latency within the site"),
        }
    }
}

/// `[[link]]`; what is left out comes from `[network]`.
pub(crate) struct LinkTable {
    pub(crate) between: Located<Vec<Located<String>>>,
    pub(crate) latency: Option<LawSpec>,
    pub(crate) jitter: Option<LawSpec>,
    pub(crate) drop: Option<Probability>,
    pub(crate) duplicate: Option<Probability>,
    pub(crate) reorder: Option<ReorderSpec>,
    pub(crate) corrupt: Option<Probability>,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) queue: Option<Bytes>,
}

impl Table for LinkTable {
    const WHAT: &'static str = "[[link]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> LinkTable {
        let between = fields.required("between", "the two sites, such as [\"paris\", \"tokyo\"]");
        let latency: Option<Located<LawSpec>> = fields.optional("latency", "one-way latency");
        let sigma: Option<Located<Number<0, 20>>> =
            fields.optional("sigma", "makes a plain latency lognormal with this sigma");
        let latency = match (latency, sigma) {
            (Some(Located { value: LawSpec::Constant(median), .. }), Some(sigma)) => {
                Some(LawSpec::Lognormal { median, sigma: sigma.value.0 })
            }
            (latency, Some(sigma)) if fields.live() => {
                let title = "sigma needs a plain latency such as \"40ms\"";
                fields.error(Diagnostic::new(sigma.at, title, "without a plain latency"));
                latency.map(|law| law.value)
            }
            (latency, _) => latency.map(|law| law.value),
        };
        LinkTable {
            between,
            latency,
            jitter: fields.optional("jitter", "a law added to every latency"),
            drop: fields.optional("drop", "probability that a message is lost"),
            duplicate: fields.optional("duplicate", "probability that a message arrives twice"),
            reorder: fields.optional("reorder", "messages that are held back"),
            corrupt: fields.optional("corrupt", "probability that a message arrives corrupted"),
            bandwidth: fields.optional("bandwidth", "such as \"10MB/s\""),
            queue: fields.optional("queue", "bytes that may wait for the bandwidth"),
        }
    }
}

/// `[[node]]`.
pub(crate) struct NodeTable {
    pub(crate) name: Located<Name>,
    pub(crate) count: Option<u64>,
    /// The count is there, and cannot be meant.
    pub(crate) miscounted: bool,
    pub(crate) kind: Option<(&'static str, bool)>,
    pub(crate) sites: Option<Patterns>,
    pub(crate) params: Params,
    pub(crate) cpu: Option<CpuPart>,
    pub(crate) disk: Option<DiskPart>,
    pub(crate) clock: ClockSpec,
}

impl Table for NodeTable {
    const WHAT: &'static str = "[[node]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> NodeTable {
        let name = fields.required("name", "name; with a count, names are name0, name1, …");
        let count: Option<Count<1, MAX_NODES>> = fields.optional("count", "number of nodes");
        let (kind, params) = params::model(fields);
        let site: Option<Patterns> = fields.optional("site", "where the nodes sit");
        let sites: Option<Patterns> = fields.optional("sites", "where the nodes sit, in turn");
        if site.is_some() && sites.is_some() {
            let title = "both `site` and `sites` are given";
            fields.error(Diagnostic::new(fields.spot("sites"), title, "give only one of them"));
        }
        NodeTable {
            name,
            count: count.map(|count| count.0),
            miscounted: fields.has("count") && !fields.good("count"),
            kind,
            sites: sites.or(site),
            params,
            cpu: fields.optional("cpu", "costs that differ from [cpu]"),
            disk: fields.optional("disk", "costs that differ from [disk]"),
            clock: fields.section("clock", "the wall clock"),
        }
    }
}

/// `[[workload]]`.
pub(crate) struct WorkloadTable {
    pub(crate) name: Located<Name>,
    pub(crate) from: Patterns,
    pub(crate) to: Option<Located<String>>,
    pub(crate) policy: Option<Located<String>>,
    pub(crate) ops: Option<Weights>,
    pub(crate) arrivals: ArrivalSpec,
    pub(crate) deadline: Span,
    pub(crate) priority: Priority,
    pub(crate) keys: u64,
    pub(crate) zipf: Option<Positive>,
    pub(crate) probe: Span,
}

impl Table for WorkloadTable {
    const WHAT: &'static str = "[[workload]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> WorkloadTable {
        let (to, policy) = workload_keys(fields);
        let table = WorkloadTable {
            to,
            policy,
            name: fields.required("name", "name"),
            from: fields.required(
                "from",
                "client nodes, such as \"client*\"; \"outside\" for the users of a service",
            ),
            ops: fields.optional("ops", "weights of operations, such as { put = 0.5, get = 0.5 }"),
            arrivals: fields.required("arrivals", "such as { dist = \"poisson\", rate = \"200/s\" }"),
            deadline: fields.required("deadline", "a reply after this long is not good, such as \"2s\""),
            priority: priority(fields),
            keys: fields.default::<Count<1, 1_000_000_000>>("keys", "distinct keys", "100").0,
            zipf: fields.optional("zipf", "keys are asked about by Zipf's law with this exponent"),
            probe: fields.default("probe", "interval of the synthetic probes; \"0s\" for none", "\"100ms\""),
        };
        if table.zipf.is_some() && table.keys > MAX_ZIPF && fields.good("keys") {
            let title = format!("Zipf's law is drawn from a table of at most {MAX_ZIPF} keys");
            fields.error(Diagnostic::new(fields.spot("keys"), title, "too many"));
        }
        if table.deadline == Span::ZERO && fields.good("deadline") {
            let title = "no request can meet a deadline of zero";
            fields.error(Diagnostic::new(fields.spot("deadline"), title, "must be greater than zero"));
        }
        table
    }
}

/// Weights of operations, in file order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weights(pub(crate) Vec<(Located<String>, f64)>);

impl Field for Weights {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Weights, Value) {
        let mut read = Vec::new();
        let mut canonical = Vec::new();
        for entry in value.entries() {
            let weight = super::fields::read_number(&entry.value, 0.0, 1e9, walk);
            canonical.push((entry.key.as_str(), Value::number(weight)));
            read.push((Located { at: entry.key_at, value: entry.key.clone() }, weight));
        }
        let table = matches!(value.data, Data::Table(_));
        if !table || read.iter().map(|(_, weight)| weight).sum::<f64>() <= 0.0 {
            let title =
                format!("expected weights such as {{ put = 0.5, get = 0.5 }}, found {}", value.found());
            walk.found.push(Diagnostic::new(value.at, title, "must have a weight greater than zero"));
        }
        (Weights(read), Value::table(canonical))
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": "object", "additionalProperties": { "type": "number", "minimum": 0 } })
    }

    fn placeholder() -> Weights {
        Weights::default()
    }
}

/// `[[fault]]`.
pub(crate) struct FaultTable {
    pub(crate) name: Located<Name>,
    pub(crate) start: Located<Span>,
    pub(crate) duration: Option<Span>,
    pub(crate) persistence: Persistence,
    pub(crate) burst: Option<Burst>,
    pub(crate) cause: String,
    pub(crate) origin: String,
    /// Kind, and what it needs to be resolved.
    pub(crate) part: Option<(&'static str, FaultPart)>,
    /// `kind` and the keys of the kind, as TOML.
    pub(crate) body: Arc<str>,
}

impl Table for FaultTable {
    const WHAT: &'static str = "[[fault]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> FaultTable {
        let name: Located<FaultName> = fields.required("name", "name");
        let start = fields.required("at", "start, such as \"40s\"");
        let duration: Option<Located<Span>> =
            fields.optional("for", "length, such as \"15s\"; permanent without");
        if let Some(zero) = duration.as_ref().filter(|span| span.value == Span::ZERO && fields.good("for")) {
            let title = "a fault of no length does nothing";
            fields.error(Diagnostic::new(zero.at, title, "must be greater than zero"));
        }
        let (persistence, burst) = persistence(fields, duration.is_some());
        let cause: Option<Name> =
            fields.optional("cause", "root cause, such as \"hardware\", for the records");
        let origin: Option<FaultName> =
            fields.optional("origin", "the generator that the fault came from, for the records");
        let from = fields.emitted().len();
        let part = fields.tagged("kind", KINDS);
        FaultTable {
            name: Located { at: name.at, value: Name(name.value.0) },
            start,
            duration: duration.map(|span| span.value),
            persistence,
            burst,
            cause: cause.map(|cause| cause.0).unwrap_or_default(),
            origin: origin.map(|origin| origin.0).unwrap_or_default(),
            part,
            body: template::body(&fields.emitted()[from..]),
        }
    }
}

/// Persistence class of a fault. Without the key it follows from `pattern` and `for`.
fn persistence(fields: &mut Fields<'_, '_, '_>, ends: bool) -> (Persistence, Option<Burst>) {
    let burst: Option<Burst> =
        fields.optional("pattern", "an intermittent fault's, such as { on = \"2s\", off = \"10s\" }");
    let class: Option<Located<Class>> = fields
        .optional("persistence", "transient, intermittent or permanent; follows from `pattern` and `for`");
    let follows = match (&burst, ends) {
        (Some(_), _) => Persistence::Intermittent,
        (None, true) => Persistence::Transient,
        (None, false) => Persistence::Permanent,
    };
    let Some(Located { at, value: Class(class) }) = class else { return (follows, burst) };
    let wrong = match class {
        Persistence::Permanent if ends => Some("a permanent fault has no end: leave out `for`"),
        Persistence::Transient if !ends => Some("a transient fault ends: it needs `for`"),
        Persistence::Permanent | Persistence::Transient if burst.is_some() => {
            Some("a fault with a `pattern` is intermittent")
        }
        _ => None,
    };
    if let (Some(title), true) = (wrong, fields.live()) {
        fields.error(Diagnostic::new(at, title, "contradicts the other keys"));
    }
    (class, burst)
}

/// `[[expect]]`.
pub(crate) struct ExpectTable {
    pub(crate) that: Located<String>,
    pub(crate) abort: bool,
    pub(crate) when: Option<Located<String>>,
    pub(crate) over: Located<String>,
}

impl Table for ExpectTable {
    const WHAT: &'static str = "[[expect]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ExpectTable {
        ExpectTable {
            that: fields.required("that", "what must hold, such as \"always(pbft.agreement)\""),
            abort: fields.default("abort", "end the run at the first violation", "false"),
            when: fields.optional("when", "points it holds for, such as \"policy == 'budget'\""),
            over: fields.default(
                "over",
                "\"every seed\", or a share of them such as \"95% of seeds\"",
                "\"every seed\"",
            ),
        }
    }
}
