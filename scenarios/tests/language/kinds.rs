//! Kinds of faults of resources, load and partitions: what their keys mean, and their mistakes.

use std::fmt::Write as _;

use murphy_scenarios::language::{FaultEffect, Scope};
use murphy_sim::{Chance, Credential, Failure, Law, Leak, Load, Pool, Span};

use super::fixture::{SMALL, mistakes, scenario};

/// What a fault on the small file (r0 to r3, client0, client1) does; the frozen text reads back.
fn fault(text: &str) -> FaultEffect {
    let file = format!("{SMALL}\n[[fault]]\nname = \"x\"\nat = \"1s\"\nfor = \"2s\"\n{text}\n");
    let s = scenario(&file, &[]);
    assert_eq!(scenario(s.render(), &[]), s, "{text} reads back");
    s.faults[0].effect.clone()
}

#[test]
fn resources_fail_as_the_file_says() {
    let ms = |n| Law::Constant(Span::millis(n));
    for (text, failure) in [
        ("kind = \"torn-write\"", Failure::TornWrites),
        ("kind = \"lying-sync\"", Failure::LyingSyncs),
        ("kind = \"disk-full\"", Failure::DiskFull),
        ("kind = \"lost-write\"\nprobability = \"50%\"", Failure::LostWrites(Chance::new(0.5))),
        ("kind = \"misdirected-write\"\nprobability = 1", Failure::MisdirectedWrites(Chance::ALWAYS)),
        ("kind = \"bit-rot\"\nblocks = 3", Failure::BitRot { at_once: 3, every: None }),
        ("kind = \"bit-rot\"\nevery = \"7ms\"", Failure::BitRot { at_once: 0, every: Some(ms(7)) }),
        ("kind = \"queue-limit\"\nlimit = 9", Failure::QueueLimit(9)),
        ("kind = \"pool-limit\"\nslots = 2", Failure::PoolLimit { pool: Pool::Threads, slots: 2 }),
        (
            "kind = \"pool-leak\"\npool = \"connections\"\nprobability = \"50%\"",
            Failure::PoolLeak { pool: Pool::Connections, chance: Chance::new(0.5) },
        ),
        ("kind = \"config-push\"\nversion = 4", Failure::ConfigPush(4)),
        ("kind = \"auth-outage\"", Failure::Credential(Credential::Unavailable)),
        ("kind = \"expired-credential\"", Failure::Credential(Credential::Expired)),
        ("kind = \"crash\"\nrestart = \"5ms\"", Failure::Reboot { down: ms(5), amnesia: false }),
        (
            "kind = \"memory-leak\"\nrate = \"1MB/s\"\nfree = \"1GB\"\npaging = 0.5\nfactor = 3\nrestart = \"2s\"",
            Failure::MemoryLeak(Leak {
                rate: 1_000_000,
                free: 1_000_000_000,
                pressure: 500_000_000,
                factor: 3.0,
                restart: ms(2000),
            }),
        ),
    ] {
        let effect = fault(&format!("{text}\ntarget = \"r1\""));
        assert_eq!(effect, FaultEffect::Resource { nodes: vec![1], failure }, "{text}");
    }
    let down = FaultEffect::Resource {
        nodes: (0..6).collect(),
        failure: Failure::Reboot { down: ms(5), amnesia: false },
    };
    assert_eq!(fault("kind = \"site-down\"\nsite = \"site\"\nrestart = \"5ms\""), down);
}

#[test]
fn a_site_a_zone_or_a_region_goes_down_with_all_that_sits_there() {
    // Racks a1 and a2 of zone a, b1 of zone b, both in region eu; c1 in zone c of region us.
    let mut file = "name = \"sites\"\nduration = \"10s\"\n".to_owned();
    for (site, zone, region) in [("a1", "a", "eu"), ("a2", "a", "eu"), ("b1", "b", "eu"), ("c1", "c", "us")] {
        _ = write!(file, "[[site]]\nname = \"{site}\"\nzone = \"{zone}\"\nregion = \"{region}\"\n");
        if site != "a1" {
            _ = write!(file, "[[link]]\nbetween = [\"a1\", \"{site}\"]\nlatency = \"1ms\"\n");
        }
    }
    file +=
        "[[node]]\nname = \"r\"\ncount = 8\nmodel = \"pbft.replica\"\nsites = [\"*\"]\nparams = { f = 1 }\n";
    let down = |text: &str| {
        let fault = format!(
            "{file}[[fault]]\nname = \"x\"\nkind = \"site-down\"\nat = \"1s\"\nfor = \"2s\"\n{text}\n"
        );
        match scenario(&fault, &[]).faults[0].effect.clone() {
            FaultEffect::SiteDown { nodes, .. } => nodes,
            other => panic!("{other:?} is no site"),
        }
    };
    assert_eq!(down("site = \"a2\""), [1, 5]);
    assert_eq!(down("site = [\"a2\", \"c1\"]"), [1, 3, 5, 7]);
    assert_eq!(down("zone = \"a\""), [0, 1, 4, 5]);
    assert_eq!(down("region = \"eu\""), [0, 1, 2, 4, 5, 6]);
    let wrong = |text: &str| {
        let fault = "[[fault]]\nname = \"x\"\nkind = \"site-down\"\nat = \"1s\"\nfor = \"2s\"";
        mistakes(&format!("{SMALL}\n{fault}\n{text}\n"), &[]).render(false)
    };
    assert!(wrong("").contains("none of `site`, `zone` and `region` is given"), "{}", wrong(""));
    let both = wrong("site = \"site\"\nzone = \"z\"");
    assert!(both.contains("`site` and `zone` exclude one another"), "{both}");
}

#[test]
fn a_canary_is_a_share_of_the_target_and_never_nothing() {
    for (share, nodes) in [("0.25", vec![0]), ("\"26%\"", vec![0, 1]), ("1", vec![0, 1, 2, 3])] {
        let effect = fault(&format!("kind = \"config-push\"\ntarget = \"r*\"\nshare = {share}"));
        assert_eq!(effect, FaultEffect::Resource { nodes, failure: Failure::ConfigPush(1) }, "{share}");
    }
}

#[test]
fn load_names_a_workload() {
    let effect = |load| FaultEffect::Load { workload: 0, load };
    assert_eq!(fault("kind = \"surge\"\nworkload = \"kv\"\nfactor = 4"), effect(Load::Surge(4.0)));
    assert_eq!(fault("kind = \"herd\"\nworkload = \"kv\"\nrequests = 100"), effect(Load::Herd(100)));
}

#[test]
fn partitions_are_groups_rings_places_and_bridges_that_come_and_go() {
    let partition = |text: &str| match fault(&format!("kind = \"partition\"\n{text}")) {
        FaultEffect::Partition { groups, .. } => groups,
        other => panic!("{other:?} is no partition"),
    };
    let ring = vec![vec![0, 1], vec![1, 2], vec![2, 3], vec![0, 3]];
    assert_eq!(partition("ring = \"r*\""), ring);
    assert_eq!(partition("by = \"site\""), vec![(0..6).collect::<Vec<_>>()]);
    let halves = "groups = [[\"r0\", \"r1\"], [\"r3\"]]";
    assert_eq!(partition(halves), [vec![0, 1], vec![3]]);
    assert_eq!(partition(&format!("{halves}\nbridge = \"r2\"")), [vec![0, 1, 2], vec![2, 3]]);
    let overlap = "groups = [[\"r0\", \"r1\"], [\"r1\", \"r2\"], [\"r3\"]]\nbridge = \"r1\"";
    assert_eq!(partition(overlap), [vec![0, 1], vec![1, 2], vec![3]], "one that is in two stays in two");
    let flapping = fault(&format!("kind = \"partition\"\n{halves}\non = \"200ms\"\noff = \"100ms\""));
    let (on, off) = (Span::millis(200), Span::millis(100));
    assert_eq!(
        flapping,
        FaultEffect::Flapping { groups: vec![vec![0, 1], vec![3]], one_way: false, on, off }
    );
}

#[test]
fn jitter_and_clogs_act_on_messages() {
    let jitter = fault("kind = \"jitter\"\ntarget = \"r0\"\nby = { dist = \"exponential\", mean = \"5ms\" }");
    assert!(matches!(jitter, FaultEffect::Latency { .. }), "{jitter:?}");
    let clog = fault("kind = \"clog\"\nfrom = \"r0\"\nqueue = 7");
    let FaultEffect::Clog { scope: Scope::Traffic(traffic), queue: 7 } = clog else { panic!("{clog:?}") };
    assert_eq!((traffic.from, traffic.both), (vec![0], false));
}

#[test]
fn each_mistake_has_its_message() {
    for (text, expected) in [
        ("kind = \"bit-rot\"\ntarget = \"r0\"", "needs `blocks` or `every`"),
        ("kind = \"memory-leak\"\ntarget = \"r0\"\nrate = \"1MB\"\nfree = \"1GB\"", "expected a bandwidth"),
        ("kind = \"surge\"\nworkload = \"kw\"\nfactor = 2", "did you mean `kv`"),
        ("kind = \"surge\"\nworkload = \"kv\"\nfactor = 0.5", "must be from 1"),
        ("kind = \"partition\"\nisolate = \"r0\"\nring = \"r*\"", "`isolate` and `ring` exclude one another"),
        ("kind = \"partition\"\nby = \"rack\"", "unknown by \"rack\""),
        ("kind = \"partition\"\nisolate = \"r0\"\non = \"1s\"", "has both `on` and `off`"),
        ("kind = \"partition\"\nisolate = \"r0\"\nbridge = \"r1\"", "a bridge joins `groups`"),
        ("kind = \"partition\"\ngroups = [[\"r0\"], [\"r*\"]]", "`bridge = \"r0\"` lets it be in both"),
        (
            "kind = \"omission\"\ntarget = \"r0\"\ndirection = \"send\"\nfrom = \"r1\"",
            "`from` does not go with `target`",
        ),
        ("kind = \"omission\"\ntarget = \"r0\"\nprobability = 0.5\nnth = 2", "exclude one another"),
    ] {
        let text = format!("{SMALL}\n[[fault]]\nname = \"x\"\nat = \"1s\"\n{text}\n");
        let said = mistakes(&text, &[]).render(false);
        assert!(said.contains(expected), "{text}\nmust say {expected:?}:\n{said}");
    }
}
