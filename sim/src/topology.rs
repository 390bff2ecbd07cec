//! The network as it is built: a graph of sites and links. Nodes sit on sites.

use std::ops::Add;

use petgraph::algo::astar;
use petgraph::graph::{EdgeIndex, NodeIndex, UnGraph};
use petgraph::visit::{EdgeFiltered, EdgeRef};

use crate::law::Law;
use crate::random::Chance;
use crate::time::Span;

/// A site, by its place in the topology: a rack, a zone or a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u32);

/// What a message meets on one link, or inside one site.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// One-way latency.
    pub latency: Law,
    /// Added to every latency, drawn apart from it.
    pub jitter: Option<Law>,
    /// Chance that a message is lost.
    pub drop: Chance,
    /// Chance that a message arrives twice; the copy takes a latency of its own.
    pub duplicate: Chance,
    /// Chance that a message is held back, so that later ones overtake it.
    pub reorder: Chance,
    /// For how long it is held back.
    pub reorder_by: Law,
    /// Chance that bits of a message flip.
    pub corrupt: Chance,
    /// Bytes a second; `None` is without limit. Inside a site it is each node's own interface.
    pub bandwidth: Option<u64>,
    /// Bytes that may wait for bandwidth; a message beyond is dropped.
    pub queue: u64,
}

impl Channel {
    /// A channel that only takes time.
    pub fn new(latency: Law) -> Channel {
        Channel {
            latency,
            jitter: None,
            drop: Chance::NEVER,
            duplicate: Chance::NEVER,
            reorder: Chance::NEVER,
            reorder_by: Law::Constant(Span::ZERO),
            corrupt: Chance::NEVER,
            bandwidth: None,
            queue: u64::MAX,
        }
    }
}

/// A site and what messages between its own nodes meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Name.
    pub name: String,
    /// Between nodes on this site.
    pub inside: Channel,
}

/// Sites and the links between them.
#[derive(Clone, Debug)]
pub struct Topology {
    graph: UnGraph<Site, Channel>,
}

/// How messages get from one site to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Both ends are on one site.
    Inside,
    /// Over these links, each with the direction in which it is crossed.
    Links(Box<[Hop]>),
    /// No path is left.
    Cut,
}

/// One link of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) link: u32,
    /// Whether it is crossed from its first site to its second.
    pub(crate) forward: bool,
}

/// Cost of a route: latency first, then hops, so that no cycle is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
struct Cost(u64, u32);

impl Add for Cost {
    type Output = Cost;
    fn add(self, other: Cost) -> Cost {
        Cost(self.0.saturating_add(other.0), self.1 + other.1)
    }
}

impl Topology {
    /// A topology without sites.
    pub fn new() -> Topology {
        Topology { graph: UnGraph::default() }
    }

    /// One site named `name`, for nodes without a place.
    pub fn single(name: &str, inside: Channel) -> Topology {
        let mut topology = Topology::new();
        topology.add_site(Site { name: name.to_owned(), inside });
        topology
    }

    /// Adds a site.
    pub fn add_site(&mut self, site: Site) -> SiteId {
        SiteId(index(self.graph.add_node(site).index()))
    }

    /// Links two sites, both ways.
    ///
    /// # Panics
    /// When a site does not exist.
    pub fn add_link(&mut self, a: SiteId, b: SiteId, channel: Channel) {
        self.graph.add_edge(node(a), node(b), channel);
    }

    /// Number of sites.
    pub fn sites(&self) -> usize {
        self.graph.node_count()
    }

    /// Number of links.
    pub fn links(&self) -> usize {
        self.graph.edge_count()
    }

    /// A site.
    ///
    /// # Panics
    /// When it does not exist.
    pub fn site(&self, site: SiteId) -> &Site {
        &self.graph[node(site)]
    }

    /// Indices of the links between two sites.
    pub fn links_between(&self, a: SiteId, b: SiteId) -> Vec<u32> {
        self.graph.edges_connecting(node(a), node(b)).map(|edge| index(edge.id().index())).collect()
    }

    pub(crate) fn channel(&self, link: u32) -> &Channel {
        &self.graph[EdgeIndex::new(link as usize)]
    }

    /// The route between two sites over links that are not cut: a live direct link always wins
    /// (measured round-trip times break the triangle inequality), else the least median latency.
    pub(crate) fn route(&self, from: SiteId, to: SiteId, cut: &[bool]) -> Route {
        if from == to {
            return Route::Inside;
        }
        let alive = |link: EdgeIndex| !cut[link.index()];
        let cost = |link: EdgeIndex| Cost(self.graph[link].latency.median().0, 1);
        let direct = self
            .graph
            .edges_connecting(node(from), node(to))
            .map(|edge| edge.id())
            .filter(|&link| alive(link))
            .min_by_key(|&link| (self.graph[link].latency.median(), link));
        if let Some(link) = direct {
            return Route::Links([self.hop(node(from), link)].into());
        }
        let live = EdgeFiltered::from_fn(&self.graph, |edge| alive(edge.id()));
        let path = astar(&live, node(from), |at| at == node(to), |edge| cost(edge.id()), |_| Cost(0, 0));
        let Some((_, path)) = path else { return Route::Cut };
        let hops = path.windows(2).map(|pair| {
            let link = self
                .graph
                .edges_connecting(pair[0], pair[1])
                .map(|edge| edge.id())
                .filter(|&link| alive(link))
                .min_by_key(|&link| (self.graph[link].latency.median(), link))
                .expect("a path uses live links");
            self.hop(pair[0], link)
        });
        Route::Links(hops.collect())
    }

    fn hop(&self, from: NodeIndex, link: EdgeIndex) -> Hop {
        let (first, _) = self.graph.edge_endpoints(link).expect("the link exists");
        Hop { link: index(link.index()), forward: first == from }
    }
}

impl Default for Topology {
    fn default() -> Topology {
        Topology::new()
    }
}

fn node(site: SiteId) -> NodeIndex {
    NodeIndex::new(site.0 as usize)
}

fn index(value: usize) -> u32 {
    u32::try_from(value).expect("fewer than 2^32 sites and links")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triangle() -> (Topology, [SiteId; 3]) {
        let channel = |ms| Channel::new(Law::Constant(Span::millis(ms)));
        let mut topology = Topology::new();
        let site = |name: &str| Site { name: name.to_owned(), inside: channel(0) };
        let sites = ["a", "b", "c"].map(|name| topology.add_site(site(name)));
        topology.add_link(sites[0], sites[1], channel(10));
        topology.add_link(sites[1], sites[2], channel(10));
        topology.add_link(sites[0], sites[2], channel(90));
        (topology, sites)
    }

    fn links(route: &Route) -> Vec<(u32, bool)> {
        match route {
            Route::Links(hops) => hops.iter().map(|hop| (hop.link, hop.forward)).collect(),
            other => panic!("{other:?} is no path"),
        }
    }

    #[test]
    fn a_live_direct_link_wins_even_when_a_detour_is_faster() {
        let (topology, [a, _, c]) = triangle();
        assert_eq!(links(&topology.route(a, c, &[false; 3])), [(2, true)]);
        assert_eq!(links(&topology.route(c, a, &[false; 3])), [(2, false)]);
    }

    #[test]
    fn a_cut_link_reroutes_and_two_cut_links_isolate() {
        let (topology, [a, _, c]) = triangle();
        assert_eq!(links(&topology.route(a, c, &[false, false, true])), [(0, true), (1, true)]);
        assert_eq!(topology.route(a, c, &[true, false, true]), Route::Cut);
        assert_eq!(topology.route(a, a, &[true; 3]), Route::Inside);
    }

    #[test]
    fn free_links_make_no_cycle() {
        let free = || Channel::new(Law::Constant(Span::ZERO));
        let mut topology = Topology::new();
        let sites: Vec<SiteId> =
            (0..5).map(|i| topology.add_site(Site { name: format!("s{i}"), inside: free() })).collect();
        for pair in sites.windows(2) {
            topology.add_link(pair[0], pair[1], free());
        }
        assert_eq!(links(&topology.route(sites[0], sites[4], &[false; 4])).len(), 4);
    }
}
