//! From a resolved scenario to what the engine is built from, and back to records.

use std::sync::Arc;

use murphy_reports::{FaultRecord, MessageCount, WorkloadInfo};
use murphy_sim::{
    Arrivals, Chance, Channel, CpuCost, DiskCost, Effect, Fault, FaultKind, Hits, Keep, Keys, Law, Letter,
    LetterId, Limits, NodeId, NodeSet, NodeSetup, Probe, Process, Rate, Script, Scripted, Sent, Setup, Site,
    SiteId, Span, Time, Topology, Workload,
};

use crate::describe::{Effect as OpEffect, ModelInfo};
use crate::expect::{Check, Condition};
use crate::language::{
    ArrivalSpec, CpuSpec, DiskSpec, DrawSpec, FaultEffect, FaultSpec, LawSpec, MessageSpec, NetworkSpec,
    NodeSpec, RequestSpec, Scenario, Scope, Traffic,
};
use crate::model::{Protocol, System};

/// The roster: the scenario's nodes, then one more client for each workload that is probed.
///
/// A probe's client has the kind, the site and the network faults of the workload's first client,
/// but no user's request waits in it.
pub(crate) fn roster(scenario: &Scenario) -> Vec<NodeSpec> {
    let mut nodes = scenario.nodes.clone();
    for workload in scenario.workloads.iter().filter(|workload| workload.probe.is_some()) {
        let mut probe = scenario.nodes[workload.from[0]].clone();
        probe.index = nodes.len();
        probe.name = format!("probe({})", workload.name);
        nodes.push(probe);
    }
    nodes
}

/// Properties that end the run at their first violation.
pub(crate) fn aborting_properties(scenario: &Scenario) -> Vec<String> {
    let aborting = scenario.expectations.iter().filter(|expectation| expectation.abort);
    aborting
        .filter_map(|expectation| match &expectation.condition {
            Condition::Property { check: Check::Linearizable, name, .. } => {
                Some(format!("linearizable({name})"))
            }
            Condition::Property { name, .. } => Some(name.clone()),
            Condition::Compare { .. } => None,
        })
        .collect()
}

/// Everything that the engine needs for one run of a protocol.
pub(crate) fn setup<P: Protocol>(
    system: &System,
    info: &ModelInfo,
    seed: u64,
    keep: Keep,
) -> Setup<<P::Process as Process>::Config> {
    let scenario = &system.scenario;
    let nodes = system.nodes.iter().map(|node| NodeSetup {
        name: node.name.clone(),
        site: site_id(node.site),
        config: P::configure(system, node),
        cpu: cpu(&node.cpu),
        disk: disk(&node.disk),
        clock_offset_ns: node.clock.offset_ns,
        drift_ppb: ppb(node.clock.drift_ppm),
    });
    let plan = faults(&scenario.faults, scenario, info);
    let defaults = Limits::default();
    Setup {
        seed,
        topology: topology(scenario),
        nodes: nodes.collect(),
        workloads: workloads(scenario, info),
        plan: plan.into(),
        byzantine: byzantine(scenario),
        limits: Limits {
            events: scenario.limits.events.unwrap_or(defaults.events),
            bytes: scenario.limits.bytes.unwrap_or(defaults.bytes),
            at_once: defaults.at_once,
        },
        keep,
    }
}

/// The decisions that a repro file stores, as the engine takes them.
pub(crate) fn script(system: &System, info: &ModelInfo, record: bool) -> Script {
    let Some(repro) = &system.scenario.repro else { return Script { record, ..Script::default() } };
    let node =
        |name: &String| node_id(system.names.iter().position(|known| known == name).expect("a checked name"));
    let kind = |op: &str| {
        let index = info.operations.iter().position(|operation| operation.name == op);
        u16::try_from(index.expect("a checked operation")).expect("few operations")
    };
    let scripted = |request: &RequestSpec| Scripted {
        at: request.at,
        client: node_id(request.client),
        kind: kind(request.op),
        key: request.key,
    };
    let lists = repro
        .requests
        .as_ref()
        .map(|lists| lists.iter().map(|list| list.iter().map(scripted).collect()).collect());
    // A message of a probe's client that is no longer there happens to nobody.
    let known = |message: &&MessageSpec| {
        [&message.from, &message.to].into_iter().all(|name| system.names.contains(name))
    };
    let letter = |message: &MessageSpec| {
        let kind = info.messages.iter().position(|known| *known == message.kind).expect("a checked kind");
        let kind = u8::try_from(kind).expect("fewer than 256 message kinds");
        let id = LetterId { from: node(&message.from), to: node(&message.to), kind, number: message.number };
        Letter { id, deed: message.deed }
    };
    Script { requests: lists, letters: repro.messages.iter().filter(known).map(letter).collect(), record }
}

/// Faults of a scenario, as the engine knows them.
pub(crate) fn faults(specs: &[FaultSpec], scenario: &Scenario, info: &ModelInfo) -> Vec<Fault> {
    let shadows = shadows(scenario);
    specs.iter().map(|spec| fault(spec, info, &shadows)).collect()
}

/// Nodes that some fault makes Byzantine: no oracle believes them.
fn byzantine(scenario: &Scenario) -> Vec<NodeId> {
    let liars = scenario.faults.iter().filter_map(|spec| match &spec.effect {
        FaultEffect::Byzantine { nodes, .. } => Some(nodes),
        _ => None,
    });
    liars.flatten().map(|&node| node_id(node)).collect()
}

fn topology(scenario: &Scenario) -> Topology {
    let mut topology = Topology::new();
    for site in &scenario.sites {
        let inside = Channel { latency: law(&site.latency), ..channel(&scenario.network) };
        topology.add_site(Site { name: site.name.clone(), inside });
    }
    for link in &scenario.links {
        topology.add_link(site_id(link.between.0), site_id(link.between.1), channel(&link.path));
    }
    topology
}

fn channel(spec: &NetworkSpec) -> Channel {
    let (reorder, reorder_by) = match &spec.reorder {
        Some(reorder) => (Chance::new(reorder.probability), law(&reorder.delay)),
        None => (Chance::NEVER, Law::Constant(Span::ZERO)),
    };
    Channel {
        latency: law(&spec.latency),
        jitter: spec.jitter.as_ref().map(law),
        drop: Chance::new(spec.drop),
        duplicate: Chance::new(spec.duplicate),
        reorder,
        reorder_by,
        corrupt: Chance::new(spec.corrupt),
        bandwidth: spec.bandwidth.map(whole),
        queue: spec.queue.unwrap_or(u64::MAX),
    }
}

impl From<&LawSpec> for Law {
    fn from(spec: &LawSpec) -> Law {
        law(spec)
    }
}

/// The engine's law of a scenario's.
pub(crate) fn law(spec: &LawSpec) -> Law {
    match spec {
        LawSpec::Constant(span) => Law::Constant(*span),
        LawSpec::Uniform { low, high } => Law::Uniform { low: *low, high: *high },
        LawSpec::Exponential { mean } => Law::Exponential { mean: *mean },
        LawSpec::Normal { mean, sigma } => Law::Normal { mean: *mean, sd: *sigma },
        LawSpec::Lognormal { median, sigma } => Law::LogNormal { median: *median, sigma: *sigma },
        LawSpec::Weibull { scale, shape } => Law::Weibull { scale: *scale, shape: *shape },
        LawSpec::Pareto { scale, shape } => Law::Pareto { low: *scale, shape: *shape },
        LawSpec::Empirical { values } => Law::Empirical(Arc::clone(values)),
    }
}

fn cpu(spec: &CpuSpec) -> CpuCost {
    CpuCost {
        receive: spec.receive,
        send: spec.send,
        per_kilobyte: spec.per_kilobyte,
        signature: spec.signature,
        event: spec.event,
    }
}

fn disk(spec: &DiskSpec) -> DiskCost {
    DiskCost { write: spec.write, sync: spec.sync, per_kilobyte: spec.per_kilobyte }
}

fn workloads(scenario: &Scenario, info: &ModelInfo) -> Vec<Workload> {
    let kind = |name: &str| {
        let index = info.operations.iter().position(|operation| operation.name == name);
        u16::try_from(index.expect("a checked scenario names operations of its model"))
            .expect("few operations")
    };
    let mut probes = scenario.nodes.len();
    let mut workloads = Vec::new();
    for spec in &scenario.workloads {
        let probe = spec.probe.map(|every| {
            let client = node_id(probes);
            probes += 1;
            // A probe reads if it can: it should not change what it looks at.
            let read = spec.ops.iter().find(|op| op.effect == OpEffect::Read).unwrap_or(&spec.ops[0]);
            Probe { client, every, operation: kind(read.name) }
        });
        workloads.push(Workload {
            name: spec.name.clone(),
            clients: spec.from.iter().map(|&node| node_id(node)).collect(),
            arrivals: arrivals(&spec.arrivals),
            operations: spec.ops.iter().map(|op| (kind(op.name), op.weight)).collect(),
            keys: spec.zipf.map_or(Keys::Even(spec.keys.max(1)), |s| Keys::zipf(spec.keys.max(1), s)),
            probe,
        });
    }
    workloads
}

fn arrivals(spec: &ArrivalSpec) -> Arrivals {
    let every = |rate: f64| Law::Exponential { mean: Span::from_secs_f64(1.0 / rate) };
    match spec {
        ArrivalSpec::Poisson { rate } => every(*rate).into(),
        ArrivalSpec::Constant { rate } => Law::Constant(Span::from_secs_f64(1.0 / rate)).into(),
        ArrivalSpec::Burst { rate, size } => {
            let gap = Law::Exponential { mean: Span::from_secs_f64(*size as f64 / rate) };
            Arrivals::Groups { gap, size: (*size).max(1) }
        }
        ArrivalSpec::Diurnal { mean, swing, period } => {
            Arrivals::Varying(Rate::Wave { mean: *mean, swing: *swing, period: *period })
        }
        ArrivalSpec::Steps { steps } => Arrivals::Varying(Rate::Steps(Arc::clone(steps))),
        ArrivalSpec::Trace { times } => Arrivals::Trace(Arc::clone(times)),
        ArrivalSpec::Closed { users, think } => Arrivals::Users { users: *users, think: law(think) },
        ArrivalSpec::Sessions { rate, requests, think, patience } => Arrivals::Sessions {
            gap: every(*rate),
            requests: *requests,
            think: law(think),
            patience: *patience,
        },
    }
}

/// Each probed workload's first client, and the probe's client that shares its network faults.
fn shadows(scenario: &Scenario) -> Vec<(usize, usize)> {
    let probed = scenario.workloads.iter().filter(|workload| workload.probe.is_some());
    probed.enumerate().map(|(i, workload)| (workload.from[0], scenario.nodes.len() + i)).collect()
}

fn fault(spec: &FaultSpec, info: &ModelInfo, shadows: &[(usize, usize)]) -> Fault {
    let start = spec.start;
    let end = spec.duration.map_or(Time::MAX, |lasts| start.saturating_add(lasts));
    let with_shadows = |nodes: &[usize]| {
        let mut set = set(nodes);
        for &(client, shadow) in shadows {
            if nodes.contains(&client) {
                set.insert(node_id(shadow));
            }
        }
        set
    };
    let message = |traffic: &Traffic| {
        let index = traffic.message.and_then(|name| info.messages.iter().position(|kind| *kind == name));
        index.map(|index| u8::try_from(index).expect("fewer than 256 message kinds"))
    };
    let between = |traffic: &Traffic| murphy_sim::Scope::Between {
        from: with_shadows(&traffic.from),
        to: with_shadows(&traffic.to),
        both: traffic.both,
    };
    let on = |scope: &Scope, effect: Effect| match scope {
        Scope::Traffic(traffic) => {
            FaultKind::Messages { scope: between(traffic), kind: message(traffic), effect }
        }
        Scope::Link(link) => {
            FaultKind::Messages { scope: murphy_sim::Scope::Link(link_id(*link)), kind: None, effect }
        }
    };
    let kind = match &spec.effect {
        FaultEffect::Crash { nodes, amnesia } => FaultKind::Crash { nodes: set(nodes), amnesia: *amnesia },
        FaultEffect::SiteDown { nodes, .. } => FaultKind::Crash { nodes: set(nodes), amnesia: false },
        FaultEffect::Pause { nodes } => FaultKind::Pause { nodes: set(nodes) },
        FaultEffect::Slow { nodes, factor } => {
            FaultKind::Slow { nodes: set(nodes), cpu: *factor, disk: *factor }
        }
        FaultEffect::DiskSlow { nodes, factor } => {
            FaultKind::Slow { nodes: set(nodes), cpu: 1.0, disk: *factor }
        }
        FaultEffect::Partition { groups, one_way } => FaultKind::Partition {
            groups: groups.iter().map(|group| with_shadows(group)).collect(),
            one_way: *one_way,
        },
        FaultEffect::Flapping { groups, one_way, on, off } => FaultKind::Flapping {
            groups: groups.iter().map(|group| with_shadows(group)).collect(),
            one_way: *one_way,
            on: *on,
            off: *off,
        },
        FaultEffect::Resource { nodes, failure } => {
            FaultKind::Resource { nodes: set(nodes), failure: failure.clone() }
        }
        FaultEffect::Load { workload, load } => FaultKind::Load {
            workload: u16::try_from(*workload).expect("fewer than 2^16 workloads"),
            load: *load,
        },
        FaultEffect::Clog { scope, queue } => on(scope, Effect::Clog(*queue)),
        FaultEffect::Omission { traffic, probability, nth } => FaultKind::Messages {
            scope: between(traffic),
            kind: message(traffic),
            effect: nth.map_or_else(|| Effect::Drop(Chance::new(*probability)), Effect::DropNth),
        },
        FaultEffect::Latency { scope, add, factor } => {
            on(scope, Effect::Delay { factor: *factor, add: law(add) })
        }
        FaultEffect::Loss { scope, probability, draw } => {
            on(scope, Effect::Drop(chance(*probability, draw.as_ref())))
        }
        FaultEffect::Duplicate { scope, probability, draw } => {
            on(scope, Effect::Duplicate(chance(*probability, draw.as_ref())))
        }
        FaultEffect::Reorder { scope, reorder, draw } => {
            on(scope, Effect::HoldBack(chance(reorder.probability, draw.as_ref()), law(&reorder.delay)))
        }
        FaultEffect::Corrupt { scope, probability, draw } => {
            on(scope, Effect::Corrupt(chance(*probability, draw.as_ref())))
        }
        FaultEffect::Bandwidth { scope, limit } => on(scope, Effect::Squeeze(whole(*limit))),
        FaultEffect::Cut { link } => FaultKind::Cut { links: vec![link_id(*link)] },
        FaultEffect::Clock { nodes, offset_ns, drift_ppm, jump_ns } => FaultKind::Clock {
            nodes: set(nodes),
            offset_ns: *offset_ns,
            jump_ns: *jump_ns,
            drift_ppb: ppb(*drift_ppm),
        },
        FaultEffect::Byzantine { nodes, deed, kinds, peers, chance } => {
            let index = |name: &&str| info.messages.iter().position(|kind| kind == name);
            let kinds = kinds.iter().filter_map(index);
            let attack = murphy_sim::Attack {
                deed: *deed,
                kinds: kinds.map(|kind| u8::try_from(kind).expect("fewer than 256 message kinds")).collect(),
                peers: with_shadows(peers),
                chance: Chance::new(*chance),
            };
            FaultKind::Byzantine { nodes: set(nodes), attack }
        }
    };
    Fault { name: spec.name.clone(), start, end, kind }
}

fn chance(probability: f64, draw: Option<&DrawSpec>) -> Chance {
    match draw {
        None => Chance::new(probability),
        Some(draw) => Chance::band(&draw.name, draw.skip, probability),
    }
}

/// Messages by kind, as records.
pub(crate) fn message_counts(info: &ModelInfo, sent: &[Sent]) -> Vec<MessageCount> {
    let counts = info.messages.iter().zip(sent);
    counts
        .map(|(kind, sent)| MessageCount { kind: (*kind).to_owned(), count: sent.count, bytes: sent.bytes })
        .collect()
}

/// Faults with what they hit, as records.
pub(crate) fn fault_records(specs: &[FaultSpec], hits: &[Hits]) -> Vec<FaultRecord> {
    let faults = specs.iter().zip(hits);
    faults
        .map(|(spec, hits)| FaultRecord {
            name: spec.name.clone(),
            kind: spec.kind.to_owned(),
            target: spec.target.clone(),
            start_ns: spec.start.0,
            end_ns: spec.duration.map(|lasts| spec.start.saturating_add(lasts).0),
            persistence: spec.persistence,
            cause: spec.cause.clone(),
            origin: spec.origin.clone(),
            hits: hits.nonzero().map(|(name, count)| (name.to_owned(), count)).collect(),
        })
        .collect()
}

/// Workloads, as records.
pub(crate) fn workload_infos(scenario: &Scenario) -> Vec<WorkloadInfo> {
    let info = |workload: &crate::language::WorkloadSpec| WorkloadInfo {
        name: workload.name.clone(),
        deadline_ns: workload.deadline.0,
        ops: workload.ops.iter().map(|op| op.name.to_owned()).collect(),
    };
    scenario.workloads.iter().map(info).collect()
}

/// For each workload: index of each of the model's operations among the workload's.
pub(crate) fn operation_places(scenario: &Scenario, info: &ModelInfo) -> Vec<Vec<u16>> {
    let places = |workload: &crate::language::WorkloadSpec| {
        let place = |name: &str| workload.ops.iter().position(|op| op.name == name).unwrap_or(0);
        let places = info.operations.iter().map(|operation| place(operation.name));
        places.map(|place| u16::try_from(place).expect("few operations")).collect()
    };
    scenario.workloads.iter().map(places).collect()
}

/// The engine's name of a node.
pub(crate) fn node_id(index: usize) -> NodeId {
    NodeId(u32::try_from(index).expect("a checked scenario has fewer than 2^32 nodes"))
}

fn site_id(index: usize) -> SiteId {
    SiteId(u32::try_from(index).expect("a checked scenario has fewer than 2^32 sites"))
}

fn link_id(index: usize) -> u32 {
    u32::try_from(index).expect("a checked scenario has fewer than 2^32 links")
}

fn set(nodes: &[usize]) -> NodeSet {
    nodes.iter().map(|&node| node_id(node)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked positive; a cast saturates"
)]
pub(crate) fn whole(rate: f64) -> u64 {
    (rate as u64).max(1)
}

#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
fn ppb(ppm: f64) -> i64 {
    (ppm * 1000.0) as i64
}
