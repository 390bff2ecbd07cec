//! Kinds of generators of faults. A kind is one entry of [`KINDS`] and one function that declares its
//! keys and says what they mean once names are known.

use std::sync::Arc;

use murphy_reports::Persistence;
use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::diagnostic::{At, Diagnostic, Sources};
use super::fields::{
    Count, Field, Fields, KeyList, Kind, Located, Name, Patterns, Positive, Probability, Rate, Table, Walk,
    keys_of,
};
use super::law::one_of;
use super::names::Names;
use super::records::Minute;
use super::scenario::LawSpec;
use super::template::{By, Template, range};
use super::value::{Data, Value};
use crate::describe::ModelInfo;
use crate::hazard::{
    Burst, Common, Component, Components, Family, Generator, HazardSpec, Injector, Nemesis, Record, Renewal,
    Shared, Strike, Swarm, Trace,
};

/// What a hazard's keys mean.
pub(crate) type HazardPart = Box<dyn FnOnce(&mut Names<'_>) -> Generator>;

/// Every kind of hazard, in the order of `murphy list hazards`.
pub(crate) const KINDS: &[Kind<HazardPart>] = &[
    Kind {
        name: "renewal",
        about: "components fail and are repaired (MTTF, MTTR, common causes)",
        read: renewal,
    },
    Kind { name: "nemesis", about: "random faults of several kinds, at most so many at once", read: nemesis },
    Kind { name: "swarm", about: "families of faults of which each run has some, drawn anew", read: swarm },
    Kind {
        name: "injector",
        about: "messages are delayed, lost, unanswered or corrupted at random",
        read: injector,
    },
    Kind { name: "trace", about: "the records of a real failure trace", read: trace },
];

/// A kind of hazard, for `murphy list hazards`.
pub fn hazards() -> Vec<super::FaultInfo> {
    let info = |kind: &Kind<HazardPart>| super::FaultInfo {
        name: kind.name,
        about: kind.about,
        keys: with_common(keys_of(kind)),
    };
    KINDS.iter().map(info).collect()
}

fn with_common(mut keys: KeyList) -> KeyList {
    for (key, about) in [("from", FROM), ("until", UNTIL), ("cause", CAUSE)] {
        keys.push((key.to_owned(), false, about.to_owned()));
    }
    keys
}

const FROM: &str = "no fault starts before";
const UNTIL: &str = "no fault starts at or after; the end of the run without";
const CAUSE: &str = "root cause, such as \"hardware\", for the records";

/// `[[hazard]]`.
pub(crate) struct HazardTable {
    pub(crate) name: Located<Name>,
    from: Span,
    until: Option<Span>,
    cause: String,
    part: Option<(&'static str, HazardPart)>,
}

impl Table for HazardTable {
    const WHAT: &'static str = "[[hazard]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> HazardTable {
        let name = fields.required("name", "name; the draws are keyed by it");
        let from = fields.default("from", FROM, "\"0s\"");
        let until: Option<Span> = fields.optional("until", UNTIL);
        if until.is_some_and(|until| until <= from) && fields.good("until") {
            let title = "the hazard ends before it begins";
            fields.error(Diagnostic::new(fields.spot("until"), title, "must be later than `from`"));
        }
        let cause: Option<Name> = fields.optional("cause", CAUSE);
        let part = fields.tagged("kind", KINDS);
        HazardTable { name, from, until, cause: cause.map(|cause| cause.0).unwrap_or_default(), part }
    }
}

impl HazardTable {
    pub(crate) fn resolve(self, sources: &Arc<Sources>, names: &mut Names<'_>) -> Option<HazardSpec> {
        let (kind, part) = self.part?;
        Some(HazardSpec {
            name: self.name.value.0,
            kind,
            place: sources.place(self.name.at),
            from: self.from,
            until: self.until,
            cause: self.cause,
            generator: part(names),
        })
    }
}

/// A persistence class by its word.
pub(crate) struct Class(pub(crate) Persistence);

impl Field for Class {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Class, Value) {
        let found = value.as_text().unwrap_or_default();
        let words = Persistence::ALL.map(Persistence::word);
        let class = Persistence::ALL.into_iter().find(|class| class.word() == found);
        if class.is_none() {
            let title = format!("unknown persistence {}", value.found());
            let wrong = Diagnostic::new(value.at, title, "not a class");
            walk.found.push(wrong.suggest(found, "classes", &words));
        }
        (Class(class.unwrap_or_default()), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "enum": Persistence::ALL.map(Persistence::word) })
    }

    fn placeholder() -> Class {
        Class(Persistence::default())
    }
}

impl Table for Burst {
    const WHAT: &'static str = "a pattern";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> Burst {
        Burst {
            on: fields.required("on", "how long a burst lasts, a duration or a law"),
            off: fields.required("off", "time between two bursts, a duration or a law"),
        }
    }
}

/// What a hazard strikes, before names are known.
struct Targets {
    by: By,
    patterns: Patterns,
    links: Vec<Located<Vec<Located<String>>>>,
}

/// `link = ["paris", "tokyo"]`, or a list of such pairs.
struct Links(Vec<Located<Vec<Located<String>>>>);

impl Field for Links {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Links, Value) {
        if value.items().iter().all(|item| matches!(item.data, Data::Text(_))) {
            let (pair, canonical) = Located::read(value, walk);
            return (Links(vec![pair]), canonical);
        }
        let (pairs, canonical) = Vec::read(value, walk);
        (Links(pairs), canonical)
    }

    fn schema(models: &[ModelInfo]) -> Json {
        let pair = Vec::<String>::schema(models);
        json!({ "anyOf": [pair, { "type": "array", "items": pair }] })
    }

    fn placeholder() -> Links {
        Links(Vec::new())
    }
}

fn targets(fields: &mut Fields<'_, '_, '_>, required: bool) -> Option<Targets> {
    let keys: [(&'static str, By, &str); 4] = [
        ("target", By::Node, "nodes: each is a component of its own"),
        ("site", By::Site, "sites: each is a component of its own"),
        ("zone", By::Zone, "zones: each is a component of its own"),
        ("region", By::Region, "regions: each is a component of its own"),
    ];
    let mut found: Vec<Targets> = Vec::new();
    for (key, by, about) in keys {
        let patterns: Option<Patterns> = fields.optional(key, about);
        found.extend(patterns.map(|patterns| Targets { by, patterns, links: Vec::new() }));
    }
    let links: Option<Links> = fields.optional("link", "links, each by its two sites");
    found.extend(links.map(|links| Targets { by: By::Link, patterns: Patterns::default(), links: links.0 }));
    if fields.live() && (found.len() > 1 || (required && found.is_empty())) {
        let title = format!("{} of `target`, `site`, `zone`, `region` and `link` are given", found.len());
        fields.error(Diagnostic::new(fields.at, title, "give one of them"));
    }
    found.pop()
}

impl Targets {
    fn resolve(&self, names: &mut Names<'_>) -> Components {
        let component = |name: String| Component { words: vec![name.clone()], name };
        let list: Vec<Component> = match self.by {
            By::Node => {
                names.nodes(&self.patterns).iter().map(|&i| component(names.nodes[i].name.clone())).collect()
            }
            By::Site => names
                .sites(&self.patterns, "sites")
                .iter()
                .map(|&i| component(names.sites[i].name.clone()))
                .collect(),
            By::Zone => {
                keys(names.sites(&self.patterns, "zones").iter().filter_map(|&i| names.sites[i].zone.clone()))
            }
            By::Region => keys(
                names.sites(&self.patterns, "regions").iter().filter_map(|&i| names.sites[i].region.clone()),
            ),
            By::Link => self
                .links
                .iter()
                .map(|link| {
                    let link_index = names.link(link);
                    let words: Vec<String> = link.value.iter().map(|site| site.value.clone()).collect();
                    // Its name does not depend on the order in which the file names the two sites.
                    let name = names.links.get(link_index).map_or_else(
                        || words.join("-"),
                        |link| {
                            format!(
                                "{}-{}",
                                names.sites[link.between.0].name, names.sites[link.between.1].name
                            )
                        },
                    );
                    Component { name, words }
                })
                .collect(),
            By::Itself => Vec::new(),
        };
        Components { by: self.by, list: list.into() }
    }
}

fn keys(names: impl Iterator<Item = String>) -> Vec<Component> {
    let mut list: Vec<Component> = Vec::new();
    for name in names {
        if !list.iter().any(|known| known.name == name) {
            list.push(Component { words: vec![name.clone()], name });
        }
    }
    list
}

/// The `fault` of a generator.
fn template(fields: &mut Fields<'_, '_, '_>, by: By, ranges: bool) -> (At, Template) {
    let about = if ranges {
        "the fault it makes, such as { kind = \"loss\", probability = { low = 0.01, high = 0.3 } }"
    } else {
        "the fault it makes, such as { kind = \"crash\" }"
    };
    let schema = json!({ "type": "object", "required": ["kind"] });
    let at = fields.spot("fault");
    let Some(value) = fields.raw("fault", about, schema) else {
        if fields.live() {
            let title = "the hazard needs `fault`: the fault it makes, such as { kind = \"crash\" }";
            fields.error(Diagnostic::new(fields.at, title, "in this table"));
        }
        let nothing = Value::table(vec![("kind", Value::text("crash"))]);
        return (at, Template::read(&nothing, By::Node, false, &mut Walk::new(&[])).0);
    };
    let (template, canonical) = Template::read(value, by, ranges, fields.walk);
    fields.emit("fault", canonical);
    (at, template)
}

/// Binds a template to names, and says what it names wrongly with the first of its components.
fn bound(
    (at, mut template): (At, Template),
    components: Option<&Components>,
    names: &mut Names<'_>,
) -> Template {
    let words = components.and_then(|components| components.list.first()).map(|first| first.words.clone());
    if components.is_none() || words.is_some() {
        template.bind(at, &words.unwrap_or_default(), names);
    }
    template
}

fn positive(fields: &mut Fields<'_, '_, '_>, key: &'static str, about: &str) -> Option<Span> {
    let span: Option<Span> = fields.optional(key, about);
    if span == Some(Span::ZERO) && fields.good(key) {
        let title = format!("`{key}` is zero");
        fields.error(Diagnostic::new(fields.spot(key), title, "must be greater than zero"));
    }
    span
}

fn renewal(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let targets = targets(fields, true);
    let by = targets.as_ref().map_or(By::Node, |targets| targets.by);
    let mttf = positive(fields, "mttf", "mean time to failure, exponential");
    let up: Option<LawSpec> = fields.optional("up", "law of the time to failure, instead of mttf");
    one_of(fields, ["mttf", "up"], [mttf.is_some(), up.is_some()]);
    let class: Option<Located<Class>> =
        fields.optional("persistence", "transient, intermittent (needs `pattern`) or permanent (no repair)");
    let burst: Option<Burst> =
        fields.optional("pattern", "bursts of an intermittent fault, such as { on = \"2s\", off = \"10s\" }");
    let mttr = positive(fields, "mttr", "mean time to repair, exponential");
    let down: Option<LawSpec> = fields.optional("down", "law of the time to repair, instead of mttr");
    let permanent = class.as_ref().is_some_and(|class| class.value.0 == Persistence::Permanent);
    check_class(fields, class.as_ref(), burst.is_some(), mttr.is_some() || down.is_some());
    if !permanent {
        one_of(fields, ["mttr", "down"], [mttr.is_some(), down.is_some()]);
    }
    let beta: Option<Probability> =
        fields.optional("beta", "share of the failures that have a cause in common (beta-factor model)");
    let shared = fields.choice(
        "shared",
        "which components have causes in common",
        &["all", "site", "zone", "region"],
        "all",
    );
    if by == By::Link && beta.is_some() {
        let title = "links have no causes in common";
        fields.error(Diagnostic::new(fields.spot("beta"), title, "one fault cuts one link"));
    }
    let fault = template(fields, by, false);
    let exponential = |mean: Span| LawSpec::Exponential { mean };
    Box::new(move |names| {
        let components = resolved(targets.as_ref(), names);
        let common = beta.map(|beta| Common { beta: beta.0, groups: groups(&components, shared, names) });
        Generator::Renewal(Renewal {
            fault: bound(fault, Some(&components), names),
            components,
            up: up.or(mttf.map(exponential)).unwrap_or_else(LawSpec::placeholder),
            down: down.or(mttr.map(exponential)),
            burst,
            common,
        })
    })
}

fn resolved(targets: Option<&Targets>, names: &mut Names<'_>) -> Components {
    let none = Components { by: By::Node, list: Arc::new([]) };
    targets.map_or(none, |targets| targets.resolve(names))
}

fn check_class(fields: &mut Fields<'_, '_, '_>, class: Option<&Located<Class>>, burst: bool, repair: bool) {
    let class = class.map(|class| (class.at, class.value.0));
    let wrong = match class {
        Some((at, Persistence::Permanent)) if repair => {
            Some((at, "a permanent fault is not repaired: leave out `mttr` and `down`"))
        }
        Some((at, Persistence::Permanent | Persistence::Transient)) if burst => {
            Some((at, "a fault with a `pattern` is intermittent"))
        }
        Some((at, Persistence::Intermittent)) if !burst => {
            Some((at, "an intermittent fault needs `pattern`, such as { on = \"2s\", off = \"10s\" }"))
        }
        _ => None,
    };
    if let (Some((at, title)), true) = (wrong, fields.live()) {
        fields.error(Diagnostic::new(at, title, "contradicts the other keys"));
    }
}

/// Groups of components with causes in common, in the order of their first members.
fn groups(components: &Components, shared: &str, names: &Names<'_>) -> Vec<Shared> {
    let mut groups: Vec<Shared> = Vec::new();
    for (index, component) in components.list.iter().enumerate() {
        let name = match shared {
            "all" => Some("all".to_owned()),
            place => place_of(component, components.by, place, names),
        };
        // A component outside every zone shares no zone.
        let Some(name) = name else { continue };
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.members.push(index),
            None => groups.push(Shared { name, members: vec![index] }),
        }
    }
    groups
}

/// Site, zone or region of a component.
fn place_of(component: &Component, by: By, place: &str, names: &Names<'_>) -> Option<String> {
    let site = match by {
        By::Node => names.nodes.iter().find(|node| node.name == component.name).map(|node| node.site),
        By::Site => names.sites.iter().position(|site| site.name == component.name),
        By::Zone => names.sites.iter().position(|site| site.zone.as_ref() == Some(&component.name)),
        By::Region => names.sites.iter().position(|site| site.region.as_ref() == Some(&component.name)),
        By::Link | By::Itself => None,
    };
    let site = &names.sites[site?];
    match place {
        "zone" => site.zone.clone(),
        "region" => site.region.clone(),
        _ => Some(site.name.clone()),
    }
}

/// One kind of fault of a nemesis, before names are known.
struct StrikePart {
    weight: f64,
    lasts: LawSpec,
    targets: Option<Targets>,
    pick: usize,
    fault: (At, Template),
}

fn pick(fields: &mut Fields<'_, '_, '_>, targets: Option<&Targets>) -> usize {
    let pick: Count<1, 100_000> = fields.default("pick", "how many of the targets are struck together", "1");
    if pick.0 > 1 && targets.is_some_and(|targets| targets.by == By::Link) {
        let title = "one fault cuts one link";
        fields.error(Diagnostic::new(fields.spot("pick"), title, "must be 1"));
    }
    usize::try_from(pick.0).expect("a small count")
}

impl Table for StrikePart {
    const WHAT: &'static str = "a fault of a nemesis";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> StrikePart {
        let weight: Positive = fields.default("weight", "how often, in proportion to the others", "1.0");
        let lasts = fields.required("lasts", "how long, a duration or a law");
        let targets = targets(fields, false);
        let pick = pick(fields, targets.as_ref());
        let by = targets.as_ref().map_or(By::Itself, |targets| targets.by);
        StrikePart { weight: weight.0, lasts, targets, pick, fault: template(fields, by, false) }
    }
}

fn nemesis(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let rate: Option<Rate> = fields.optional("rate", "strikes per time, such as \"20/h\", at random");
    let gap: Option<LawSpec> = fields.optional("gap", "time between two strikes, a duration or a law");
    one_of(fields, ["rate", "gap"], [rate.is_some(), gap.is_some()]);
    let at_most: Count<1, 1_000_000> = fields.default("at_most", "faults at once", "1");
    let quiet = fields.default("quiet", "time at the end of the run without faults", "\"0s\"");
    let strikes: Vec<StrikePart> = fields.required("faults", "the kinds of faults it makes");
    if strikes.is_empty() && fields.has("faults") {
        fields.error(Diagnostic::new(fields.spot("faults"), "no faults", "needs at least one"));
    }
    Box::new(move |names| {
        let strike = |part: StrikePart| {
            let components = part.targets.as_ref().map(|targets| targets.resolve(names));
            Strike {
                weight: part.weight,
                lasts: part.lasts,
                fault: bound(part.fault, components.as_ref(), names),
                components,
                pick: part.pick,
            }
        };
        let mean = rate.map(|rate| Span::from_secs_f64(1.0 / rate.0));
        Generator::Nemesis(Nemesis {
            gap: gap.or(mean.map(|mean| LawSpec::Exponential { mean })).unwrap_or_else(LawSpec::placeholder),
            at_most: usize::try_from(at_most.0).expect("a small count"),
            quiet,
            strikes: strikes.into_iter().map(strike).collect(),
        })
    })
}

/// A duration, or `{ low, high }` that each run draws from.
#[derive(Clone, Copy)]
struct SpanRange(Span, Span);

impl Field for SpanRange {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (SpanRange, Value) {
        let Some((low, high)) = range(value) else {
            let (span, canonical) = Span::read(value, walk);
            return (SpanRange(span, span), canonical);
        };
        let ((a, low_text), (b, high_text)) = (Span::read(low, walk), Span::read(high, walk));
        if a > b {
            walk.found.push(Diagnostic::new(high.at, "high is below low", "must not be below low"));
        }
        (SpanRange(a, b), Value::table(vec![("low", low_text), ("high", high_text)]))
    }

    fn schema(models: &[ModelInfo]) -> Json {
        let span = Span::schema(models);
        json!({ "anyOf": [span, {
            "type": "object", "properties": { "low": span, "high": span }, "required": ["low", "high"],
        }] })
    }

    fn placeholder() -> SpanRange {
        SpanRange(Span::ZERO, Span::ZERO)
    }
}

/// One family of a swarm, before names are known.
struct FamilyPart {
    name: Option<Located<Name>>,
    gap: SpanRange,
    lasts: SpanRange,
    targets: Option<Targets>,
    pick: usize,
    fault: (At, Template),
}

impl Table for FamilyPart {
    const WHAT: &'static str = "a family of a swarm";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> FamilyPart {
        let name = fields.optional("name", "name; without, the kind of its fault");
        let gap = fields.required("gap", "mean time between two faults, or a range of means");
        let lasts = fields.required("lasts", "mean length, or a range of means");
        let targets = targets(fields, false);
        let pick = pick(fields, targets.as_ref());
        let by = targets.as_ref().map_or(By::Itself, |targets| targets.by);
        FamilyPart { name, gap, lasts, targets, pick, fault: template(fields, by, true) }
    }
}

fn swarm(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let off: Probability = fields.default("off", "probability that a run goes without a family", "0.5");
    let quiet = fields.default("quiet", "time at the end of the run without faults", "\"0s\"");
    let families: Vec<FamilyPart> = fields.required("families", "the families of faults");
    let mut seen: Vec<String> = Vec::new();
    for family in &families {
        let name = family.name.as_ref().map_or(family.fault.1.kind(), |name| name.value.0.as_str());
        if seen.iter().any(|known| known == name) {
            let title = format!("two families are called `{name}`");
            let at = family.name.as_ref().map_or(family.fault.0, |name| name.at);
            fields.error(Diagnostic::new(at, title, "the second").help("give each a `name`"));
        }
        seen.push(name.to_owned());
    }
    Box::new(move |names| {
        let family = |(part, name): (FamilyPart, String)| {
            let components = part.targets.as_ref().map(|targets| targets.resolve(names));
            Family {
                name,
                gap: (part.gap.0, part.gap.1),
                lasts: (part.lasts.0, part.lasts.1),
                fault: bound(part.fault, components.as_ref(), names),
                components,
                pick: part.pick,
            }
        };
        let families = families.into_iter().zip(seen).map(family).collect();
        Generator::Swarm(Swarm { off: off.0, quiet, families })
    })
}

/// One effect of the injector: its label, and the fault that has it.
type Injected = (&'static str, Option<Value>);

fn injector(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let client: Patterns = fields.required("client", "nodes that ask");
    let server: Patterns = fields.required("server", "nodes that answer");
    let mut share =
        |key: &'static str, about: &str, default: &str| fields.default::<Probability>(key, about, default).0;
    let delay = share("delay", "share of messages that are delayed", "0.1");
    let error = share("error", "share of requests that are lost, as by a connection error", "0.05");
    let timeout = share("timeout", "share of replies that are lost, so that the caller times out", "0.02");
    let corrupt = share("corrupt", "share of replies that arrive corrupted", "0.01");
    let by = fields.default("delay_by", "how long", "{ dist = \"uniform\", low = \"1s\", high = \"5s\" }");
    let lasts: Option<Span> = fields.optional("for", "how long it injects; to the end without");
    fields.unsupported("partial", "half of a list is lost by services, which are not supported yet");
    let total = delay + error + timeout + corrupt;
    if total > 1.0 {
        let title = format!("the shares sum to {total}, more than 1");
        fields.error(Diagnostic::new(fields.at, title, "each message has one of them at most"));
    }
    let faults = if fields.live() {
        let chances = [delay, error, timeout, corrupt];
        injected(&client, &server, chances, &by)
    } else {
        Vec::new()
    };
    let mut templates = Vec::new();
    for (label, value) in faults {
        let Some(value) = value else { continue };
        let (template, _) = Template::read(&value, By::Itself, false, &mut Walk::new(&[]));
        templates.push((label, template));
    }
    let at = fields.at;
    Box::new(move |names| {
        let faults =
            templates.into_iter().map(|(label, template)| (label, bound((at, template), None, names)));
        Generator::Injector(Injector { faults: faults.collect(), lasts })
    })
}

fn injected(client: &Patterns, server: &Patterns, chances: [f64; 4], by: &LawText) -> Vec<Injected> {
    let names = |patterns: &Patterns| {
        Value::array(patterns.0.iter().map(|p| Value::new(p.at, Data::Text(p.value.clone()))).collect())
    };
    let (ask, answer) = (names(client), names(server));
    let fault = |kind: &str, from: &Value, to: &Value, chance: f64, more: Option<Value>| {
        let mut keys = vec![
            ("kind", Value::text(kind)),
            ("from", from.clone()),
            ("to", to.clone()),
            ("probability", Value::number(chance)),
        ];
        keys.extend(more.map(|delay| ("delay", delay)));
        (chance > 0.0).then(|| Value::table(keys))
    };
    let [delay, error, timeout, corrupt] = chances;
    vec![
        ("delay", fault("reorder", &answer, &ask, delay, Some(by.0.clone()))),
        ("error", fault("loss", &ask, &answer, error, None)),
        ("timeout", fault("loss", &answer, &ask, timeout, None)),
        ("corrupt", fault("corrupt", &answer, &ask, corrupt, None)),
    ]
}

/// A law that stands in another table as it was written.
#[derive(Clone)]
struct LawText(Value);

impl Field for LawText {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (LawText, Value) {
        let (_, canonical) = LawSpec::read(value, walk);
        (LawText(canonical.clone()), canonical)
    }

    fn schema(models: &[ModelInfo]) -> Json {
        LawSpec::schema(models)
    }

    fn placeholder() -> LawText {
        LawText(Value::text("0s"))
    }
}

fn trace(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let file: Option<Located<String>> =
        fields.optional("file", "CSV file with the columns node,start,downtime_min and perhaps system,cause");
    let system: Option<Located<AnyText>> = fields.optional("system", "only the records of this system");
    let records: Option<Located<Vec<Record>>> =
        fields.optional("records", "records as node,start,downtime_min,cause, instead of a file");
    if fields.live() {
        let read = file.as_ref().map(|file| file.at).or(system.as_ref().map(|system| system.at));
        match (&records, read) {
            (None, None) => {
                let title = "the trace needs `file`: a CSV file of failures";
                fields.error(Diagnostic::new(fields.at, title, "in this table"));
            }
            (_, Some(at)) if file.as_ref().is_none_or(|file| !file.value.is_empty()) => {
                // The file was read and replaced by its records before the walk.
                let title = "`file` and `system` are read before a sweep, and exclude `records`";
                fields.error(Diagnostic::new(at, title, "write one file a scenario"));
            }
            _ => {}
        }
    }
    let targets = targets(fields, true);
    let by = targets.as_ref().map_or(By::Node, |targets| targets.by);
    let first: Count<0, 1_000_000> =
        fields.default("first", "number of the trace's node that the first target stands for", "0");
    let since: Option<Minute> =
        fields.optional("since", "start of the part of the trace; its first record without");
    let before: Option<Minute> = fields.optional("before", "end of the part of the trace");
    let causes: Option<Vec<Located<String>>> = fields.optional("causes", "only records with these causes");
    let speed: Count<1, 1_000_000_000> =
        fields.default("speed", "time of the trace that passes in the same simulated time", "1");
    let zero = positive(fields, "zero", "length given to records of downtime 0; without, they are left out");
    let fault = template(fields, by, false);
    let records = records.map(|records| records.value).unwrap_or_default();
    if let Some(causes) = &causes {
        known_causes(fields, causes, &records);
    }
    Box::new(move |names| {
        let components = resolved(targets.as_ref(), names);
        let earliest = records.iter().map(|record| record.start_min).min().unwrap_or(0);
        let place = |record: &Record| component_of(&record.node, first.0, &components);
        Generator::Trace(Trace {
            records: records.iter().map(|record| (place(record), record.clone())).collect(),
            fault: bound(fault, Some(&components), names),
            components,
            origin_min: since.map_or(earliest, |since| since.0),
            end_min: before.map_or(i64::MAX, |before| before.0),
            causes: causes.map(|causes| causes.into_iter().map(|cause| cause.value).collect()),
            speed: speed.0,
            zero,
        })
    })
}

/// The component that a node of the trace stands for: by its name, else by its number.
fn component_of(node: &str, first: u64, components: &Components) -> Option<usize> {
    if let Ok(number) = node.parse::<u64>() {
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        return (index < components.list.len()).then_some(index);
    }
    components.list.iter().position(|component| component.name == node)
}

fn known_causes(fields: &mut Fields<'_, '_, '_>, causes: &[Located<String>], records: &[Record]) {
    let mut exist: Vec<&str> = records.iter().map(|record| record.cause.as_str()).collect();
    exist.sort_unstable();
    exist.dedup();
    for cause in causes.iter().filter(|cause| !exist.contains(&cause.value.as_str())) {
        let title = format!("no record has the cause \"{}\"", cause.value);
        let wrong = Diagnostic::new(cause.at, title, "not a cause of the trace");
        fields.error(wrong.suggest(&cause.value, "causes", &exist));
    }
}

/// A string or a number, as text.
struct AnyText;

impl Field for AnyText {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (AnyText, Value) {
        if !matches!(value.data, Data::Text(_) | Data::Integer(_)) {
            walk.mismatch(value, "a system such as 18");
        }
        (AnyText, value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "type": ["string", "integer"] })
    }

    fn placeholder() -> AnyText {
        AnyText
    }
}
