//! From declared tables to a [`Scenario`]: nodes are expanded and names become indices.

use std::collections::BTreeSet;
use std::sync::Arc;

use murphy_sim::{Span, Time};

use super::compare::Figure;
use super::diagnostic::{At, Diagnostic, Sources};
use super::fields::{Located, Patterns, Walk};
use super::fleet::{CrewSpec, StructureSpec, StructureTable};
use super::hazard::HazardTable;
use super::names::{Names, site_pair, sites_in_turn};
use super::scenario::{
    CpuSpec, DiskSpec, FaultSpec, GroupSpec, LinkSpec, NetworkSpec, NodeSpec, OpSpec, Scenario, SiteSpec,
    WorkloadSpec,
};
use super::service::{self, Services};
use super::tables::{
    CpuPart, DiskPart, ExpectTable, FaultTable, File, LinkTable, MAX_NODES, NodeTable, SiteTable,
    WorkloadTable,
};
use crate::describe::{Effect, ModelInfo, OperationInfo};
use crate::expect::{self, Check, Condition, Expectation, Known};

/// Resolves the names of a file; mistakes go to the walk. Expectations come later, see [`expectations`].
pub(crate) fn resolve(
    file: File,
    sources: &Arc<Sources>,
    walk: &mut Walk<'_>,
) -> (Scenario, Vec<ExpectTable>) {
    let fault_list = fault_names(&file);
    let found = &mut walk.found;
    let sites = sites(&file.sites, &file.network, found);
    let links = links(&file.links, &sites, &file.network, found);
    let services = Services::new(&file.services, &file.policies, sources);
    services.simulated(walk.models, found);
    let (mut groups, mut nodes) = nodes(&file, &sites, sources, found);
    let specs = services.specs(file.nodes.len(), found);
    service::acyclic(&specs, &file.services, found);
    let asked: Vec<_> = file.workloads.iter().map(|table| services.asked(table, found)).collect();
    for (table, (to, _)) in file.workloads.iter().zip(&asked) {
        if let Some(to) = to {
            services.users(table, *to, &mut groups, &mut nodes);
        }
    }
    let rollouts = services.rollouts(&file.rollouts, found);
    services.control(&rollouts, &mut groups, &mut nodes, found);
    let policies = services.policies();
    let models = in_use(walk.models, &nodes);
    let mut names = Names {
        sites: &sites,
        links: &links,
        groups: &groups,
        nodes: &nodes,
        miscounted: file
            .nodes
            .iter()
            .filter(|table| table.miscounted)
            .map(|table| table.name.value.0.clone())
            .collect(),
        messages: models.iter().flat_map(|model| model.messages.iter().copied()).collect(),
        workloads: file.workloads.iter().map(|table| table.name.value.0.clone()).collect(),
        crews: file.crews.iter().map(|table| table.name.value.0.clone()).collect(),
        found: Vec::new(),
    };
    unique(
        file.workloads.iter().map(|table| (&table.name.value.0, table.name.at)),
        "workloads",
        &mut names.found,
    );
    unique(
        file.rollouts.iter().map(|table| (&table.name.value.0, table.name.at)),
        "rollouts",
        &mut names.found,
    );
    unique(file.faults.iter().map(|table| (&table.name.value.0, table.name.at)), "faults", &mut names.found);
    let workloads = file.workloads.iter().zip(asked);
    let workloads: Vec<WorkloadSpec> =
        workloads.map(|(table, asked)| workload(table, asked, &models, &mut names)).collect();
    own_names(&file, &mut names.found);
    let repro = file.repro.map(|table| Arc::new(table.resolve(&workloads, &models, &mut names)));
    let faults = file.faults.into_iter().filter_map(|table| fault(table, sources, &mut names)).collect();
    let hazards = file.hazards.into_iter().filter_map(|table| table.resolve(sources, &mut names)).collect();
    unique(file.crews.iter().map(|table| (&table.name.value.0, table.name.at)), "crews", &mut names.found);
    let structures = structures(file.structures, &mut names);
    let slos = file.slos.resolve(&fault_list, &mut names);
    let estimate = file.estimate.map(|table| table.resolve(&structures, &mut names));
    found.append(&mut names.found);
    let scenario = Scenario {
        name: file.name,
        about: file.about,
        seed: file.seed,
        duration: file.duration,
        warmup: file.warmup,
        violates: file.violates,
        point: Vec::new(),
        limits: file.limits,
        network: file.network,
        sites,
        links,
        groups,
        nodes,
        services: specs,
        rollouts,
        policies,
        workloads,
        faults,
        hazards,
        crews: file
            .crews
            .into_iter()
            .map(|table| CrewSpec { name: table.name.value.0, crew: table.crew })
            .collect(),
        structures,
        slos,
        estimate,
        expectations: Vec::new(),
        figures: Vec::new(),
        repro,
        canonical: String::new(),
    };
    (scenario, file.expects)
}

/// Structures in file order: each may name those before it.
fn structures(tables: Vec<StructureTable>, names: &mut Names<'_>) -> Vec<StructureSpec> {
    let mut structures: Vec<StructureSpec> = Vec::new();
    for table in tables {
        let (name, at) = (table.name.value.0.clone(), table.name.at);
        if structures.iter().any(|known| known.name == name)
            || names.nodes.iter().any(|node| node.name == name)
        {
            let title = format!("`{name}` is the name of a structure or node before");
            names.found.push(Diagnostic::new(at, title, "the second"));
        }
        structures.push(table.resolve(&structures, names));
    }
    structures
}

/// Models that the nodes are of, in the order of the models.
fn in_use<'m>(models: &'m [ModelInfo], nodes: &[NodeSpec]) -> Vec<&'m ModelInfo> {
    let mut kinds: Vec<&str> = nodes.iter().map(|node| node.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    // A kind that is unknown was reported; what it would have brought is not missed again.
    if kinds.first() == Some(&"") {
        return models.iter().collect();
    }
    let used = |model: &&ModelInfo| model.kinds.iter().any(|kind| kinds.binary_search(&kind.name).is_ok());
    models.iter().filter(used).collect()
}

fn unique<'a>(names: impl Iterator<Item = (&'a String, At)>, what: &str, found: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for (name, at) in names {
        if !seen.insert(name) {
            let title = format!("two {what} are called `{name}`");
            found.push(Diagnostic::new(at, title, "the second"));
        }
    }
}

fn sites(tables: &[SiteTable], network: &NetworkSpec, found: &mut Vec<Diagnostic>) -> Vec<SiteSpec> {
    unique(tables.iter().map(|table| (&table.name.value.0, table.name.at)), "sites", found);
    let site = |table: &SiteTable| SiteSpec {
        name: table.name.value.0.clone(),
        zone: table.zone.as_ref().map(|zone| zone.0.clone()),
        region: table.region.as_ref().map(|region| region.0.clone()),
        latency: table.latency.clone().unwrap_or_else(|| network.latency.clone()),
    };
    if tables.is_empty() {
        let latency = network.latency.clone();
        return vec![SiteSpec { name: "site".to_owned(), zone: None, region: None, latency }];
    }
    tables.iter().map(site).collect()
}

fn links(
    tables: &[LinkTable],
    sites: &[SiteSpec],
    network: &NetworkSpec,
    found: &mut Vec<Diagnostic>,
) -> Vec<LinkSpec> {
    let mut links: Vec<LinkSpec> = Vec::new();
    for table in tables {
        let Some(between) = site_pair(sites, &table.between, found) else { continue };
        let (a, b) = between;
        if links.iter().any(|link| link.between == (a, b) || link.between == (b, a)) {
            let title = format!("two links join {} and {}", sites[a].name, sites[b].name);
            found.push(Diagnostic::new(table.between.at, title, "the second"));
            continue;
        }
        let base = network.clone();
        let path = NetworkSpec {
            latency: table.latency.clone().unwrap_or(base.latency),
            jitter: table.jitter.clone().or(base.jitter),
            drop: table.drop.map_or(base.drop, |p| p.0),
            duplicate: table.duplicate.map_or(base.duplicate, |p| p.0),
            reorder: table.reorder.clone().or(base.reorder),
            corrupt: table.corrupt.map_or(base.corrupt, |p| p.0),
            bandwidth: table.bandwidth.map(|rate| rate.0).or(base.bandwidth),
            queue: table.queue.map(|bytes| bytes.0).or(base.queue),
        };
        links.push(LinkSpec { between, path });
    }
    links
}

fn nodes(
    file: &File,
    sites: &[SiteSpec],
    sources: &Arc<Sources>,
    found: &mut Vec<Diagnostic>,
) -> (Vec<GroupSpec>, Vec<NodeSpec>) {
    let (mut groups, mut nodes) = (Vec::new(), Vec::new());
    let tables = || file.nodes.iter().chain(file.services.iter().map(|service| &service.node));
    let names = tables().map(|table| (&table.name.value.0, table.name.at));
    unique(names, "[[node]] or [[service]] tables", found);
    let total: u64 = tables().map(|table| table.count.unwrap_or(1)).sum();
    if let (true, Some(table)) = (total > MAX_NODES, tables().last()) {
        let title = format!("{total} nodes are more than the limit of {MAX_NODES}");
        found.push(Diagnostic::new(table.name.at, title, "too many nodes up to here"));
        return (groups, nodes);
    }
    for table in tables() {
        let start = nodes.len();
        expand(table, groups.len(), file, sites, &mut nodes, found);
        groups.push(GroupSpec {
            name: table.name.value.0.clone(),
            kind: table.kind.map_or("", |(kind, _)| kind),
            nodes: start..nodes.len(),
            place: sources.place(table.name.at),
        });
    }
    let at = |node: &NodeSpec| tables().nth(node.group).map_or(At::NONE, |table| table.name.at);
    unique(nodes.iter().map(|node| (&node.name, at(node))), "nodes", found);
    (groups, nodes)
}

fn expand(
    table: &NodeTable,
    group: usize,
    file: &File,
    sites: &[SiteSpec],
    nodes: &mut Vec<NodeSpec>,
    found: &mut Vec<Diagnostic>,
) {
    let places = table.sites.as_ref().map_or(vec![0], |patterns| sites_in_turn(sites, patterns, found));
    if table.sites.is_none() && sites.len() > 1 {
        let exist: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
        let title = format!("`{}` has no site", table.name.value.0);
        let wrong = Diagnostic::new(table.name.at, title, "needs `site` or `sites`");
        found.push(wrong.suggest("", "sites", &exist));
    }
    let (kind, client) = table.kind.unwrap_or(("", false));
    let name = &table.name.value.0;
    for ordinal in 0..table.count.unwrap_or(1) {
        let in_turn = usize::try_from(ordinal).expect("a count of nodes fits") % places.len().max(1);
        nodes.push(NodeSpec {
            index: nodes.len(),
            name: table.count.map_or_else(|| name.clone(), |_| format!("{name}{ordinal}")),
            group,
            site: places.get(in_turn).copied().unwrap_or(0),
            kind,
            client,
            params: table.params.clone(),
            cpu: cpu(table.cpu.as_ref(), &file.cpu),
            disk: disk(table.disk.as_ref(), &file.disk),
            clock: table.clock,
        });
    }
}

fn cpu(own: Option<&CpuPart>, base: &CpuSpec) -> CpuSpec {
    let Some(own) = own else { return base.clone() };
    CpuSpec {
        receive: own.receive.unwrap_or(base.receive),
        send: own.send.unwrap_or(base.send),
        per_kilobyte: own.per_kilobyte.unwrap_or(base.per_kilobyte),
        signature: own.signature.unwrap_or(base.signature),
        event: own.event.unwrap_or(base.event),
    }
}

fn disk(own: Option<&DiskPart>, base: &DiskSpec) -> DiskSpec {
    let Some(own) = own else { return base.clone() };
    DiskSpec {
        write: own.write.unwrap_or(base.write),
        sync: own.sync.unwrap_or(base.sync),
        per_kilobyte: own.per_kilobyte.unwrap_or(base.per_kilobyte),
    }
}

fn workload(
    table: &WorkloadTable,
    (to, policy): (Option<usize>, Option<usize>),
    models: &[&ModelInfo],
    names: &mut Names<'_>,
) -> WorkloadSpec {
    let from = if table.to.is_some() { users(table, names) } else { clients(&table.from, names) };
    let mut known: Vec<OperationInfo> = Vec::new();
    for model in models {
        let sends = |kind: &str| from.iter().any(|index| [kind, ""].contains(&names.nodes[*index].kind));
        if model.kinds.iter().any(|kind| sends(kind.name)) {
            known.extend(&model.operations);
        }
    }
    let mut ops: Vec<(&'static str, Effect, f64)> = Vec::new();
    match &table.ops {
        None => ops.extend(known.iter().map(|op| (op.name, op.effect, 1.0))),
        // Without clients nobody can say which operations exist; that is reported already.
        Some(_) if from.is_empty() => {}
        Some(weights) => {
            for (name, weight) in &weights.0 {
                if let Some(op) = known.iter().find(|op| op.name == name.value) {
                    ops.push((op.name, op.effect, *weight));
                    continue;
                }
                let exist: Vec<&str> = known.iter().map(|op| op.name).collect();
                let title = format!("the clients know no operation `{}`", name.value);
                let wrong = Diagnostic::new(name.at, title, "not an operation");
                names.found.push(wrong.suggest(&name.value, "operations", &exist));
            }
        }
    }
    let total: f64 = ops.iter().map(|(_, _, weight)| weight).sum();
    let spec = |(name, effect, weight)| OpSpec { name, effect, weight: weight / total };
    WorkloadSpec {
        name: table.name.value.0.clone(),
        from,
        to,
        policy,
        ops: ops.into_iter().filter(|(_, _, weight)| *weight > 0.0).map(spec).collect(),
        arrivals: table.arrivals.clone(),
        deadline: table.deadline,
        priority: table.priority,
        keys: table.keys,
        zipf: table.zipf.map(|exponent| exponent.0),
        probe: Some(table.probe).filter(|interval| *interval > Span::ZERO),
    }
}

/// The node of the users outside.
fn users(table: &WorkloadTable, names: &mut Names<'_>) -> Vec<usize> {
    if let Some(other) = table.from.0.iter().find(|pattern| pattern.value != "outside") {
        let title = format!("services are asked from \"outside\", not from \"{}\"", other.value);
        let help = "write from = \"outside\", or leave out `to`";
        names.found.push(Diagnostic::new(other.at, title, "not outside").help(help));
    }
    let name = service::outside(&table.name.value.0);
    names.nodes.iter().filter(|node| node.name == name).map(|node| node.index).collect()
}

/// Nodes that patterns name; all of them must be clients.
fn clients(patterns: &Patterns, names: &mut Names<'_>) -> Vec<usize> {
    let from = names.nodes(patterns);
    let other =
        from.iter().map(|index| &names.nodes[*index]).find(|node| !node.client && !node.kind.is_empty());
    if let (Some(node), Some(pattern)) = (other, patterns.0.first()) {
        let title = format!("`{}` is a {}, which sends no requests of its own", node.name, node.kind);
        let mut clients: Vec<&str> = names
            .groups
            .iter()
            .filter(|group| group_of_clients(names, group))
            .map(|group| group.name.as_str())
            .collect();
        clients.dedup();
        let wrong = Diagnostic::new(pattern.at, title, "not a client").suggest("", "clients", &clients);
        names.found.push(wrong);
    }
    from
}

fn group_of_clients(names: &Names<'_>, group: &GroupSpec) -> bool {
    names.nodes.get(group.nodes.start).is_some_and(|node| node.client)
}

fn fault(table: FaultTable, sources: &Arc<Sources>, names: &mut Names<'_>) -> Option<FaultSpec> {
    let (kind, part) = table.part?;
    let start = Time(table.start.value.0);
    if table.duration.is_some_and(|length| start.0.checked_add(length.0).is_none()) {
        names.found.push(Diagnostic::new(table.start.at, "the fault ends after 584 years", "too late"));
    }
    let (effect, target) = part(names);
    Some(FaultSpec {
        name: table.name.value.0,
        kind,
        target,
        start,
        duration: table.duration,
        persistence: table.persistence,
        burst: table.burst,
        cause: table.cause,
        origin: table.origin,
        effect,
        place: sources.place(table.name.at),
        body: table.body,
    })
}

/// Names of faults and whether they end, also of those whose table has a mistake. A hazard's name
/// stands for all its faults.
pub(crate) fn fault_names(file: &File) -> Vec<(String, bool)> {
    let fault = |table: &FaultTable| (table.name.value.0.clone(), table.duration.is_some());
    let hazard = |table: &HazardTable| (table.name.value.0.clone(), true);
    file.faults.iter().map(fault).chain(file.hazards.iter().map(hazard)).collect()
}

/// Hazards name their faults after themselves: nobody else may.
fn own_names(file: &File, found: &mut Vec<Diagnostic>) {
    let names = file.hazards.iter().map(|table| (&table.name.value.0, table.name.at));
    unique(names, "hazards", found);
    let generates: Vec<&str> = file
        .hazards
        .iter()
        .map(|table| table.name.value.0.as_str())
        .chain(
            file.faults.iter().filter(|table| table.burst.is_some()).map(|table| table.name.value.0.as_str()),
        )
        .collect();
    for table in &file.faults {
        let name = table.name.value.0.as_str();
        let clash = |own: &&&str| {
            let hazard = file.hazards.iter().any(|table| table.name.value.0 == **own);
            (hazard && name == **own) || name.strip_prefix(**own).is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some(own) = generates.iter().find(clash) {
            let title = format!("`{name}` is a name that the faults of `{own}` may have");
            let help = "a pasted plan replaces its generators: leave one of the two out";
            found.push(Diagnostic::new(table.name.at, title, "a second fault of this name").help(help));
        }
    }
}

/// Parses the expectations that hold at a point against everything they may name.
pub(crate) fn expectations(
    tables: &[ExpectTable],
    scenario: &Scenario,
    faults: Vec<(String, bool)>,
    sources: &Arc<Sources>,
    walk: &mut Walk<'_>,
) -> Vec<Expectation> {
    let known = known(scenario, faults, walk.models);
    tables.iter().filter_map(|table| expectation(table, &known, sources, &mut walk.found)).collect()
}

/// Parses the figures that comparisons take.
pub(crate) fn figures<'t>(
    tables: impl Iterator<Item = &'t Located<String>>,
    scenario: &Scenario,
    faults: Vec<(String, bool)>,
    walk: &mut Walk<'_>,
) -> Vec<Figure> {
    let known = known(scenario, faults, walk.models);
    let mut figures = Vec::new();
    for text in tables {
        match expect::figure(&text.value, &known) {
            Ok((sum, window)) => figures.push(Figure { sum, window }),
            Err(wrong) => {
                let mut item = Diagnostic::new(text.at.inside(wrong.from, wrong.to), wrong.title, "here");
                item.help = wrong.help;
                walk.found.push(item);
            }
        }
    }
    figures
}

fn known<'s>(scenario: &'s Scenario, faults: Vec<(String, bool)>, models: &'s [ModelInfo]) -> Known<'s> {
    Known {
        models: in_use(models, &scenario.nodes),
        faults,
        workloads: &scenario.workloads,
        nodes: scenario.nodes.iter().map(|node| node.name.as_str()).collect(),
        structures: scenario.structures.iter().map(|structure| structure.name.as_str()).collect(),
        slos: scenario.slos.iter().map(|slo| slo.name.as_str()).collect(),
    }
}

fn expectation(
    table: &ExpectTable,
    known: &Known<'_>,
    sources: &Arc<Sources>,
    found: &mut Vec<Diagnostic>,
) -> Option<Expectation> {
    let mut report = |text: &Located<String>, wrong: expect::Mistake| {
        let at = text.at.inside(wrong.from, wrong.to);
        let mut item = Diagnostic::new(at, wrong.title, "here");
        item.help = wrong.help;
        found.push(item);
    };
    let over = expect::over(&table.over.value).map_err(|wrong| report(&table.over, wrong)).ok()?;
    let condition =
        expect::condition(&table.that.value, known).map_err(|wrong| report(&table.that, wrong)).ok()?;
    let safety = matches!(condition, Condition::Property { check: Check::Always | Check::Never, .. });
    if table.abort && !safety {
        let title = "only `always` and `never` can end a run at a violation";
        let wrong = Diagnostic::new(table.that.at, title, "judged at the end of the run");
        found.push(wrong.help("leave out `abort = true`"));
    }
    Some(Expectation {
        that: table.that.value.clone(),
        place: sources.place(table.that.at),
        abort: table.abort,
        over,
        condition,
    })
}
