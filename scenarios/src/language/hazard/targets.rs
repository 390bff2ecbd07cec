//! What a hazard strikes: nodes, sites, zones, regions or links.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Count, Field, Fields, Located, Patterns, Walk};
use super::super::names::Names;
use super::super::template::By;
use super::super::value::{Data, Value};
use crate::describe::ModelInfo;
use crate::hazard::{Component, Components};

/// What a hazard strikes, before names are known.
pub(super) struct Targets {
    pub(super) by: By,
    patterns: Patterns,
    links: Vec<Located<Vec<Located<String>>>>,
}

/// `link = ["paris", "tokyo"]`, or a list of such pairs.
pub(super) struct Links(Vec<Located<Vec<Located<String>>>>);

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

pub(super) fn targets(fields: &mut Fields<'_, '_, '_>, required: bool) -> Option<Targets> {
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
    fields.one_of(&["target", "site", "zone", "region", "link"], required);
    found.pop()
}

impl Targets {
    pub(super) fn resolve(&self, names: &mut Names<'_>) -> Components {
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

pub(super) fn keys(names: impl Iterator<Item = String>) -> Vec<Component> {
    let mut list: Vec<Component> = Vec::new();
    for name in names {
        if !list.iter().any(|known| known.name == name) {
            list.push(Component { words: vec![name.clone()], name });
        }
    }
    list
}

pub(super) fn resolved(targets: Option<&Targets>, names: &mut Names<'_>) -> Components {
    let none = Components { by: By::Node, list: Arc::new([]) };
    targets.map_or(none, |targets| targets.resolve(names))
}

pub(super) fn pick(fields: &mut Fields<'_, '_, '_>, targets: Option<&Targets>) -> usize {
    let pick: Count<1, 100_000> = fields.default("pick", "how many of the targets are struck together", "1");
    if pick.0 > 1 && targets.is_some_and(|targets| targets.by == By::Link) {
        let title = "one fault cuts one link";
        fields.error(Diagnostic::new(fields.spot("pick"), title, "must be 1"));
    }
    usize::try_from(pick.0).expect("a small count")
}
