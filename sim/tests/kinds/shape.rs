//! Shapes of partitions, and links that are cut.

use murphy_sim::{Channel, FaultKind, Hit, Law, Site, Span, Topology};

use crate::toy::{HEARD, Ran, fault, node, run, set, setup, with};

#[test]
fn a_flapping_partition_cuts_in_the_first_part_of_each_period() {
    let groups = vec![set(&[0]), set(&[1])];
    let flap = |on, off| FaultKind::Flapping {
        groups: groups.clone(),
        one_way: false,
        on: Span::millis(on),
        off: Span::millis(off),
    };
    let ran = with(vec![fault("flap", 5, 95, flap(20, 10))], 100);
    assert_eq!((ran.hit(0, Hit::MessagesCut), ran.values(1, HEARD)), (6, vec![3, 6, 9]));
    let steady = with(vec![fault("flap", 5, 95, flap(20, 0))], 100);
    assert_eq!(steady.hit(0, Hit::MessagesCut), 9);
}

/// Pairs of nodes between which a partition lets messages through.
fn reached(groups: &[&[u32]], one_way: bool) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    for from in 0..5 {
        for to in (0..5).filter(|to| *to != from) {
            let groups = groups.iter().map(|group| set(group)).collect();
            let mut setup = setup(vec![fault("parted", 0, 100, FaultKind::Partition { groups, one_way })]);
            setup.nodes = (0..5).map(|i| node(&format!("n{i}"), (i == from).then_some(to))).collect();
            let ran = run(setup, 15);
            if ran.values(to, HEARD) == [1] {
                assert_eq!(ran.hit(0, Hit::MessagesCut), 0);
                pairs.push((from, to));
            } else {
                assert_eq!(ran.hit(0, Hit::MessagesCut), 1);
            }
        }
    }
    pairs
}

#[test]
fn partitions_take_every_shape() {
    // Halves: 3 * 2 + 2 * 1 pairs are left.
    assert_eq!(reached(&[&[0, 1, 2], &[3, 4]], false).len(), 8);
    assert_eq!(reached(&[&[0], &[1, 2, 3, 4]], false).len(), 12);
    let one_way = reached(&[&[0], &[1, 2, 3, 4]], true);
    assert!(one_way.contains(&(1, 0)) && !one_way.contains(&(0, 1)) && one_way.len() == 16);
    // A bridge reaches both sides, and both reach it.
    let bridge = reached(&[&[0, 1, 2], &[2, 3, 4]], false);
    assert_eq!(bridge.len(), 20 - 8);
    assert!([(2, 0), (0, 2), (2, 4), (4, 2)].iter().all(|pair| bridge.contains(pair)));
    assert_eq!(reached(&[&[0, 1, 2], &[2, 3, 4]], true).len(), 20 - 4);
    let ring = reached(&[&[0, 1], &[1, 2], &[2, 3], &[3, 4], &[4, 0]], false);
    assert_eq!(ring.len(), 10);
    assert!(ring.contains(&(4, 0)) && !ring.contains(&(0, 2)));
}

/// Three sites with a node each: `a` and `b` are 1 ms apart, and 9 ms over `c` if there is a detour.
fn cut(links: &[u32], detour: bool) -> Ran {
    let channel = |ms| Channel::new(Law::Constant(Span::millis(ms)));
    let mut topology = Topology::new();
    let sites =
        ["a", "b", "c"].map(|name| topology.add_site(Site { name: name.to_owned(), inside: channel(1) }));
    topology.add_link(sites[0], sites[1], channel(1));
    if detour {
        topology.add_link(sites[0], sites[2], channel(4));
        topology.add_link(sites[2], sites[1], channel(5));
    }
    let mut setup = setup(vec![fault("cut", 25, 45, FaultKind::Cut { links: links.to_vec() })]);
    setup.topology = topology;
    for (node, site) in setup.nodes.iter_mut().zip(sites) {
        node.site = site;
    }
    run(setup, 65)
}

#[test]
fn a_cut_link_reroutes_and_cuts_where_no_way_is_left() {
    let hits = |ran: &Ran| (ran.hit(0, Hit::MessagesRerouted), ran.hit(0, Hit::MessagesCut));
    let around = cut(&[0], true);
    assert_eq!(around.said(1, HEARD), [(11, 1), (21, 2), (39, 3), (49, 4), (51, 5), (61, 6)]);
    assert_eq!((hits(&around), around.0.network_counts().unreachable), ((2, 0), 0));
    for (links, detour) in [(&[0][..], false), (&[0, 2], true)] {
        let apart = cut(links, detour);
        assert_eq!((apart.values(1, HEARD), hits(&apart)), (vec![1, 2, 5, 6], (0, 2)));
        assert_eq!(apart.0.network_counts().unreachable, 2);
    }
    let elsewhere = cut(&[1], true);
    assert_eq!((elsewhere.said(1, HEARD)[2], hits(&elsewhere)), ((31, 3), (0, 0)), "nobody used that link");
}
