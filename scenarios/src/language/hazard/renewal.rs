//! `kind = "renewal"`: components that fail and are repaired.

use murphy_reports::Persistence;
use murphy_sim::Span;

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Field, Fields, Located, Probability, Walk};
use super::super::fleet::StandbyTable;
use super::super::law::one_of;
use super::super::names::Names;
use super::super::scenario::LawSpec;
use super::super::template::{By, Template};
use super::super::value::Value;
use super::targets::{resolved, targets};
use super::{Class, HazardPart, bound, positive, template};
use crate::hazard::{Aside, Burst, Common, Component, Components, Generator, Renewal, Shared};

pub(super) fn renewal(fields: &mut Fields<'_, '_, '_>) -> HazardPart {
    let targets = targets(fields, true);
    let by = targets.as_ref().map_or(By::Node, |targets| targets.by);
    let to_failure = positive(fields, "mttf", "mean time to failure, exponential");
    let up: Option<LawSpec> = fields.optional("up", "law of the time to failure, instead of mttf");
    one_of(fields, ["mttf", "up"], [to_failure.is_some(), up.is_some()]);
    let class: Option<Located<Class>> =
        fields.optional("persistence", "transient, intermittent (needs `pattern`) or permanent (no repair)");
    let burst: Option<Burst> =
        fields.optional("pattern", "bursts of an intermittent fault, such as { on = \"2s\", off = \"10s\" }");
    let to_repair = positive(fields, "mttr", "mean time to repair, exponential");
    let down: Option<LawSpec> = fields.optional("down", "law of the time to repair, instead of mttr");
    let permanent = class.as_ref().is_some_and(|class| class.value.0 == Persistence::Permanent);
    check_class(fields, class.as_ref(), burst.is_some(), to_repair.is_some() || down.is_some());
    if !permanent {
        one_of(fields, ["mttr", "down"], [to_repair.is_some(), down.is_some()]);
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
    let crew: Option<Located<String>> = fields.optional(
        "crew",
        "the [[crew]] that repairs; with it, or `standby`, each component is repaired by itself",
    );
    let standby: Option<Located<StandbyTable>> = fields.optional(
        "standby",
        "some are in use and the others stand by, such as { active = 1, dormancy = 0.1 }",
    );
    if crew.is_some() || standby.is_some() {
        check_coupled(fields, burst.is_some(), permanent);
    }
    let fault = template(fields, by, false);
    let exponential = |mean: Span| LawSpec::Exponential { mean };
    Box::new(move |names| {
        let components = resolved(targets.as_ref(), names);
        let crew = crew.map(|crew| names.crew(&crew));
        let standby = standby.map(|table| Box::new(aside(table, components.list.len(), names)));
        let common = beta.map(|beta| Common { beta: beta.0, groups: groups(&components, shared, names) });
        Generator::Renewal(Renewal {
            fault: bound(fault, Some(&components), names),
            components,
            up: up.or(to_failure.map(exponential)).unwrap_or_else(LawSpec::placeholder),
            down: down.or(to_repair.map(exponential)),
            burst,
            common,
            crew,
            standby,
        })
    })
}

/// What a generator whose components depend on one another cannot have.
fn check_coupled(fields: &mut Fields<'_, '_, '_>, burst: bool, permanent: bool) {
    let wrong = [
        ("from", fields.has("from")),
        ("until", fields.has("until")),
        ("pattern", burst),
        ("persistence", permanent),
    ];
    for (key, _) in wrong.into_iter().filter(|(_, wrong)| *wrong) {
        let title = format!("`{key}` and a shared crew or a standby exclude each other");
        fields.error(Diagnostic::new(fields.spot(key), title, "leave it out"));
    }
}

/// Who stands by, once nodes are known.
fn aside(table: Located<StandbyTable>, components: usize, names: &mut Names<'_>) -> Aside {
    let StandbyTable { aside, down } = table.value;
    if aside.active >= components {
        let title = format!("{} of {components} components are in use: none stands by", aside.active);
        names.found.push(Diagnostic::new(table.at, title, "`active` must be less"));
    }
    let down = down.map(|patterns| {
        let nodes = names.nodes(&patterns);
        let words = nodes.into_iter().map(|node| names.nodes[node].name.clone()).collect();
        let crash = Value::table(vec![("kind", Value::text("crash"))]);
        (Template::read(&crash, By::Node, false, &mut Walk::new(&[])).0, words)
    });
    Aside { down, ..aside }
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
