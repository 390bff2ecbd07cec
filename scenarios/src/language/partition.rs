//! The fault kind `partition`: who cannot reach whom, and when.

use murphy_sim::Span;

use super::diagnostic::Diagnostic;
use super::fault::FaultPart;
use super::fields::{Fields, Located, Patterns};
use super::names::{Names, words};
use super::scenario::FaultEffect;

/// Ways to say who is parted from whom.
struct Parted {
    groups: Option<Located<Vec<Patterns>>>,
    isolate: Option<Patterns>,
    ring: Option<Patterns>,
    by: Option<Located<String>>,
    bridge: Option<Patterns>,
}

pub(super) fn partition(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let parted = Parted {
        groups: fields.optional("groups", "groups of nodes, such as [[\"r0\"], [\"r1\", \"r2\"]]"),
        isolate: fields.optional("isolate", "nodes to part from all others"),
        ring: fields.optional("ring", "nodes that reach only the one before and the one after them"),
        by: fields.optional("by", "parts all sites, zones or regions from each other"),
        bridge: fields
            .optional("bridge", "nodes that may be in several groups and reach all of them; all, if in none"),
    };
    let one_way =
        fields.default("one_way", "only messages from an earlier group to a later one are lost", "false");
    let on: Option<Span> = fields.optional("on", "the partition comes and goes: how long it is there");
    let off: Option<Span> = fields.optional("off", "and how long it is away after that");
    check(fields, &parted, on, off);
    Box::new(move |names| {
        let (groups, text) = parted.resolve(names);
        let effect = match (on, off) {
            (Some(on), Some(off)) => FaultEffect::Flapping { groups, one_way, on, off },
            _ => FaultEffect::Partition { groups, one_way },
        };
        (effect, text)
    })
}

fn check(fields: &mut Fields<'_, '_, '_>, parted: &Parted, on: Option<Span>, off: Option<Span>) {
    if !fields.live() {
        return;
    }
    fields.one_of(&["groups", "isolate", "ring", "by"], true);
    if let Some(few) = parted.groups.as_ref().filter(|groups| groups.value.len() < 2) {
        let title = "a partition needs at least two groups";
        let help = "`isolate = \"r0\"` parts nodes from all others";
        fields.error(Diagnostic::new(few.at, title, format!("{} given", few.value.len())).help(help));
    }
    if parted.bridge.is_some() && parted.groups.is_none() && parted.by.is_none() {
        let title = "a bridge joins `groups`, and there are none";
        fields.error(Diagnostic::new(fields.spot("bridge"), title, "needs `groups` or `by`"));
    }
    if let Some(by) = parted.by.as_ref().filter(|by| !["site", "zone", "region"].contains(&by.value.as_str()))
    {
        let title = format!("unknown by \"{}\"", by.value);
        let wrong = Diagnostic::new(by.at, title, "not a kind of place");
        fields.error(wrong.suggest(&by.value, "places", &["site", "zone", "region"]));
    }
    if on.is_some() != off.is_some() || on.is_some_and(|on| on == Span::ZERO) {
        let key = if on.is_some() { "on" } else { "off" };
        let title = "a partition that comes and goes has both `on` and `off`";
        fields.error(Diagnostic::new(fields.spot(key), title, "give both; `on` is not zero"));
    }
}

impl Parted {
    fn resolve(self, names: &mut Names<'_>) -> (Vec<Vec<usize>>, String) {
        if let Some(isolate) = self.isolate {
            let inside = names.nodes(&isolate);
            let outside = names.others(&inside);
            return (vec![inside, outside], format!("{} | others", words(&isolate)));
        }
        if let Some(ring) = self.ring {
            let nodes = names.nodes(&ring);
            let next = nodes.iter().cycle().skip(1);
            let pairs = nodes.iter().zip(next).map(|(&a, &b)| vec![a.min(b), a.max(b)]);
            return (pairs.collect(), format!("ring of {}", words(&ring)));
        }
        let bridge = self.bridge.as_ref().map(|bridge| names.nodes(bridge)).unwrap_or_default();
        let (mut groups, mut text) = if let Some(by) = self.by {
            (by_place(&by.value, names), format!("each {}", by.value))
        } else {
            let groups = self.groups.map(|groups| groups.value).unwrap_or_default();
            let text = groups.iter().map(words).collect::<Vec<_>>().join(" | ");
            (names.disjoint(&groups, &bridge), text)
        };
        if let Some(bridge) = &self.bridge {
            text = format!("{text}, bridge {}", words(bridge));
        }
        // A bridge that was put into no group, or into the one of its place only, joins all of them.
        for node in bridge {
            if groups.iter().filter(|group| group.contains(&node)).count() < 2 {
                for group in &mut groups {
                    group.push(node);
                    group.sort_unstable();
                    group.dedup();
                }
            }
        }
        (groups, text)
    }
}

/// One group a site, zone or region that has nodes, in the order of the sites.
fn by_place(by: &str, names: &Names<'_>) -> Vec<Vec<usize>> {
    let mut places: Vec<&str> = Vec::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, site) in names.sites.iter().enumerate() {
        let place = match by {
            "zone" => site.zone.as_deref(),
            "region" => site.region.as_deref(),
            _ => Some(site.name.as_str()),
        };
        let Some(place) = place else { continue };
        let nodes = names.nodes_on(&[index]);
        if let Some(known) = places.iter().position(|known| *known == place) {
            groups[known].extend(nodes);
        } else {
            places.push(place);
            groups.push(nodes);
        }
    }
    for group in &mut groups {
        group.sort_unstable();
    }
    groups
}
