//! What names and patterns of a file stand for.

use super::diagnostic::{At, Diagnostic, listed};
use super::fields::{Located, Patterns};
use super::scenario::{GroupSpec, LinkSpec, NodeSpec, SiteSpec};

/// Everything that a pattern may name.
pub(crate) struct Names<'a> {
    pub(crate) sites: &'a [SiteSpec],
    pub(crate) links: &'a [LinkSpec],
    pub(crate) groups: &'a [GroupSpec],
    pub(crate) nodes: &'a [NodeSpec],
    /// `[[node]]` tables whose count is a mistake.
    pub(crate) miscounted: Vec<String>,
    /// Message kinds of the models in use.
    pub(crate) messages: Vec<&'static str>,
    pub(crate) workloads: Vec<String>,
    pub(crate) crews: Vec<String>,
    pub(crate) found: Vec<Diagnostic>,
}

/// The patterns in the file's words.
pub(crate) fn words(patterns: &Patterns) -> String {
    patterns.0.iter().map(|pattern| pattern.value.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether a pattern with `*` (any text) and `?` (any character) matches a name.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return pattern == name;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when the text after the last star does not match: one character further.
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    n = from + 1;
                    star = Some((at, n));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl Names<'_> {
    pub(crate) fn all(&self) -> Vec<usize> {
        (0..self.nodes.len()).collect()
    }

    /// Nodes that the patterns name: by node, else by `[[node]]` table, else by site, zone or region.
    pub(crate) fn nodes(&mut self, patterns: &Patterns) -> Vec<usize> {
        let mut chosen = vec![false; self.nodes.len()];
        for pattern in &patterns.0 {
            let mut any = false;
            for index in self.matching(&pattern.value) {
                chosen[index] = true;
                any = true;
            }
            // How many nodes there are is a mistake that has been reported.
            let unsure = self.miscounted.iter().any(|name| pattern.value.starts_with(name.as_str()));
            if !any && !unsure {
                self.no_match(pattern, "node");
            }
        }
        chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(index, _)| index).collect()
    }

    fn matching(&self, pattern: &str) -> Vec<usize> {
        let by = |matches: &dyn Fn(&NodeSpec) -> bool| -> Vec<usize> {
            self.nodes.iter().filter(|node| matches(node)).map(|node| node.index).collect()
        };
        let named = by(&|node| glob(pattern, &node.name));
        if !named.is_empty() {
            return named;
        }
        let grouped = by(&|node| self.groups[node.group].name == pattern);
        if !grouped.is_empty() {
            return grouped;
        }
        let sites: Vec<bool> = self.sites.iter().map(|site| place_matches(site, pattern)).collect();
        by(&|node| sites[node.site])
    }

    fn no_match(&mut self, pattern: &Located<String>, what: &str) {
        let title = format!("no {what} matches \"{}\"", pattern.value);
        let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        let mut wrong = Diagnostic::new(pattern.at, title, "matches nothing");
        if let Some(close) = super::diagnostic::closest(&pattern.value, &names) {
            wrong = wrong.help(format!("did you mean `{close}`?"));
        }
        let groups: Vec<String> = self.groups.iter().map(|group| self.group_text(group)).collect();
        wrong = wrong.help(if groups.is_empty() {
            "there are no nodes".to_owned()
        } else {
            format!("nodes: {}", listed(&groups))
        });
        let sites: Vec<&str> = self.sites.iter().map(|site| site.name.as_str()).collect();
        self.found.push(wrong.help(format!("sites: {}", listed(&sites))));
    }

    fn group_text(&self, group: &GroupSpec) -> String {
        let name = |index: usize| self.nodes[index].name.as_str();
        match group.nodes.len() {
            0 => group.name.clone(),
            1 => name(group.nodes.start).to_owned(),
            n if n <= 8 => group.nodes.clone().map(name).collect::<Vec<_>>().join(", "),
            _ => format!("{} … {}", name(group.nodes.start), name(group.nodes.end - 1)),
        }
    }

    pub(crate) fn others(&self, nodes: &[usize]) -> Vec<usize> {
        (0..self.nodes.len()).filter(|index| nodes.binary_search(index).is_err()).collect()
    }

    pub(crate) fn nodes_on(&self, sites: &[usize]) -> Vec<usize> {
        self.nodes.iter().filter(|node| sites.contains(&node.site)).map(|node| node.index).collect()
    }

    /// A workload.
    pub(crate) fn workload(&mut self, name: &Located<String>) -> usize {
        if let Some(index) = self.workloads.iter().position(|known| *known == name.value) {
            return index;
        }
        let wrong = Diagnostic::new(name.at, format!("no workload is called \"{}\"", name.value), "not one");
        self.found.push(wrong.suggest(&name.value, "workloads", &self.workloads));
        0
    }

    /// A crew.
    pub(crate) fn crew(&mut self, name: &Located<String>) -> usize {
        if let Some(index) = self.crews.iter().position(|known| *known == name.value) {
            return index;
        }
        let wrong = Diagnostic::new(name.at, format!("no crew is called \"{}\"", name.value), "not one");
        self.found.push(wrong.suggest(&name.value, "crews", &self.crews).help("add a [[crew]] table"));
        0
    }

    /// Groups of nodes; a node in two of them is a mistake, unless it is a bridge.
    pub(crate) fn disjoint(&mut self, groups: &[Patterns], bridge: &[usize]) -> Vec<Vec<usize>> {
        let mut of: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut resolved = Vec::new();
        for (number, patterns) in groups.iter().enumerate() {
            let nodes = self.nodes(patterns);
            let twice = nodes.iter().find(|index| of[**index].is_some() && !bridge.contains(index));
            if let (Some(index), Some(pattern)) = (twice, patterns.0.first()) {
                let title = format!("`{}` is in two groups", self.nodes[*index].name);
                let help = format!("`bridge = \"{}\"` lets it be in both", self.nodes[*index].name);
                self.found.push(Diagnostic::new(pattern.at, title, "a node has one side").help(help));
            }
            for index in &nodes {
                of[*index] = Some(number);
            }
            resolved.push(nodes);
        }
        resolved
    }

    /// Sites by `sites` (name), `zones` or `regions`.
    pub(crate) fn sites(&mut self, patterns: &Patterns, by: &str) -> Vec<usize> {
        let key = |site: &SiteSpec| match by {
            "zones" => site.zone.clone(),
            "regions" => site.region.clone(),
            _ => Some(site.name.clone()),
        };
        let keys: Vec<Option<String>> = self.sites.iter().map(key).collect();
        let mut chosen = Vec::new();
        for pattern in &patterns.0 {
            let matches = |key: &Option<String>| key.as_ref().is_some_and(|key| glob(&pattern.value, key));
            let before = chosen.len();
            chosen.extend((0..keys.len()).filter(|index| matches(&keys[*index])));
            if chosen.len() == before {
                let mut exist: Vec<&String> = keys.iter().flatten().collect();
                exist.dedup();
                let title = format!("no {} matches \"{}\"", by.trim_end_matches('s'), pattern.value);
                let wrong = Diagnostic::new(pattern.at, title, "matches nothing");
                self.found.push(wrong.suggest(&pattern.value, by, &exist));
            }
        }
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// The link between two sites.
    pub(crate) fn link(&mut self, between: &Located<Vec<Located<String>>>) -> usize {
        let Some((a, b)) = site_pair(self.sites, between, &mut self.found) else { return 0 };
        let joins = |link: &LinkSpec| link.between == (a, b) || link.between == (b, a);
        if let Some(index) = self.links.iter().position(joins) {
            return index;
        }
        let name = |site: usize| self.sites[site].name.as_str();
        let title = format!("no link between {} and {}", name(a), name(b));
        let exist: Vec<String> = self
            .links
            .iter()
            .map(|link| format!("{}–{}", name(link.between.0), name(link.between.1)))
            .collect();
        let wrong = Diagnostic::new(between.at, title, "no such link").suggest("", "links", &exist);
        self.found.push(wrong);
        0
    }

    /// A message kind of a model in use.
    pub(crate) fn message(&mut self, message: Option<&Located<String>>) -> Option<&'static str> {
        let message = message?;
        let known = self.messages.iter().find(|name| **name == message.value).copied();
        if known.is_none() {
            let title = format!("unknown message kind \"{}\"", message.value);
            let wrong = Diagnostic::new(message.at, title, "no model in use sends it");
            self.found.push(wrong.suggest(&message.value, "message kinds", &self.messages));
        }
        known
    }
}

/// Whether a pattern names a site, its zone or its region.
fn place_matches(site: &SiteSpec, pattern: &str) -> bool {
    let names = [Some(&site.name), site.zone.as_ref(), site.region.as_ref()];
    names.into_iter().flatten().any(|name| glob(pattern, name))
}

/// Two different sites by name.
pub(crate) fn site_pair(
    sites: &[SiteSpec],
    between: &Located<Vec<Located<String>>>,
    found: &mut Vec<Diagnostic>,
) -> Option<(usize, usize)> {
    let [a, b] = between.value.as_slice() else {
        let label = format!("{} given", between.value.len());
        found.push(Diagnostic::new(between.at, "a link joins two sites", label));
        return None;
    };
    let (a, b) = (site_named(sites, &a.value, a.at, found), site_named(sites, &b.value, b.at, found));
    if a == b && a.is_some() {
        found.push(Diagnostic::new(between.at, "a link joins two different sites", "the same site twice"));
        return None;
    }
    Some((a?, b?))
}

fn site_named(sites: &[SiteSpec], name: &str, at: At, found: &mut Vec<Diagnostic>) -> Option<usize> {
    let index = sites.iter().position(|site| site.name == name);
    if index.is_none() {
        let exist: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
        let wrong = Diagnostic::new(at, format!("unknown site \"{name}\""), "no such site");
        found.push(wrong.suggest(name, "sites", &exist));
    }
    index
}

/// Sites that patterns name, in the order of the patterns: nodes take them in turn.
pub(crate) fn sites_in_turn(
    sites: &[SiteSpec],
    patterns: &Patterns,
    found: &mut Vec<Diagnostic>,
) -> Vec<usize> {
    let mut chosen = Vec::new();
    for pattern in &patterns.0 {
        let before = chosen.len();
        let matching = sites.iter().enumerate().filter(|(_, site)| place_matches(site, &pattern.value));
        chosen.extend(matching.map(|(index, _)| index));
        if chosen.len() == before {
            _ = site_named(sites, &pattern.value, pattern.at, found);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, expected) in [
            ("client*", "client12", true),
            ("client*", "clien", false),
            ("r?", "r1", true),
            ("r?", "r12", false),
            ("*", "", true),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbc", false),
            ("r0", "r01", false),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} against {name}");
        }
        let stars = "*a".repeat(50);
        assert!(!glob(&stars, &"a".repeat(49)), "many stars do not take for ever");
    }
}
