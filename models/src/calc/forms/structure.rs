//! Structures of independent components, and quorums.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count};
use super::super::math::{Share, binomial, size};
use super::super::structure::{grouped, k_of_n, k_of_n_of_mean, nested, parallel, series, sparing};
use super::require;

const P: Arg = arg("p", Kind::Shares, "availability of each component");
const ONE_P: Arg = arg("p", Kind::Share, "availability of each component");
const N: Arg = count("n", 1, 1000, "that many components of one p").optional();
const INDEPENDENT: &str = "components fail and are repaired independently of each other";
const TRIVEDI: &str = "Trivedi & Bobbio 2017, chapter 4";

/// The listed components, or `n` copies of one.
fn components(given: &Given) -> Result<Vec<Share>, String> {
    let listed = given.shares("p");
    match (given.count_if("n"), listed.as_slice()) {
        (None, _) => {
            require(listed.len() <= 1000, || "more than 1000 components".to_owned()).map(|()| listed)
        }
        (Some(n), [one]) => Ok(vec![*one; size(n)]),
        (Some(n), _) if n == listed.len() as u64 => Ok(listed),
        (Some(n), _) => {
            Err(format!("n={n}, but p lists {}: give one p with n, or leave n out", listed.len()))
        }
    }
}

fn k_of_n_answer(given: &Given) -> Result<Answer, String> {
    let up = components(given)?;
    let k = given.count("k");
    require(k <= up.len() as u64, || {
        format!("k={k} of n={} can never be up: k must be at most n", up.len())
    })?;
    let (exact, mean) = (k_of_n(size(k), &up), k_of_n_of_mean(size(k), &up));
    let differ = up.iter().any(|share| share != &up[0]);
    Ok(Answer::new().unavailability(exact).note_if(differ, || {
        format!(
            "S0 takes the binomial law of the mean p, which gives an unavailability of {mean:.9e}: {:+.3} %. \
             Components that differ need the convolution of their laws, used here",
            (mean / exact - 1.0) * 100.0
        )
    }))
}

fn quorum_answer(given: &Given) -> Result<Answer, String> {
    let (n, p) = (given.count("n"), given.share("p"));
    let answer = |need: u64| {
        let answer = Answer::new().unavailability(binomial(n, p, 0..=need - 1));
        answer.plain("quorum", need as f64).plain("nodes that may be down", (n - need) as f64)
    };
    if given.word("kind") == "majority" {
        return Ok(answer(n / 2 + 1));
    }
    let most = (n - 1) / 3;
    let f = given.count_if("f").unwrap_or(most);
    require(f <= most, || {
        let least = 3 * f + 1;
        format!("n={n} nodes tolerate f={most} Byzantine ones, not {f}: n must be at least 3f + 1 = {least}")
    })?;
    // ceil((n + f + 1)/2) of whole numbers.
    let (safe, votes) = (u64::midpoint(n, f) + 1, 2 * f + 1);
    Ok(answer(safe).note_if(safe > votes, || {
        format!(
            "S0 decides on 2f + 1 = {votes} votes for any n. With n={n} two such quorums share as few as {} nodes, \
             all of which may lie: unsafe unless n = 3f + 1. The quorum is ceil((n + f + 1)/2) = {safe}",
            (2 * votes).saturating_sub(n)
        )
    }))
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "series",
        about: "components that are all needed",
        args: &[P, N],
        assumes: &[INDEPENDENT],
        source: TRIVEDI,
        example: "p=0.999,0.995,0.999",
        compute: |given| Ok(Answer::new().unavailability(series(&components(given)?))),
    },
    Form {
        name: "parallel",
        about: "components of which one is enough",
        args: &[P, N],
        assumes: &[INDEPENDENT, "switching to a component that is up takes no time and never fails"],
        source: TRIVEDI,
        example: "p=0.99 n=2",
        compute: |given| Ok(Answer::new().unavailability(parallel(&components(given)?))),
    },
    Form {
        name: "k-of-n",
        about: "components of which k are needed, equal or different",
        args: &[count("k", 1, 1000, "components needed"), P, N],
        assumes: &[INDEPENDENT],
        source: TRIVEDI,
        example: "k=2 p=0.999,0.995,0.999",
        compute: k_of_n_answer,
    },
    Form {
        name: "2-of-3",
        about: "three voters of which two are needed",
        args: &[ONE_P],
        assumes: &[INDEPENDENT, "the voter itself never fails"],
        source: TRIVEDI,
        example: "p=0.99",
        compute: |given| Ok(Answer::new().unavailability(k_of_n(2, &[given.share("p"); 3]))),
    },
    Form {
        name: "sparing",
        about: "n components with s to spare, to first order and exactly",
        args: &[count("n", 1, 1000, "components"), count("spares", 0, 999, "of them may be down"), ONE_P],
        assumes: &[INDEPENDENT],
        source: "Amazon, Availability and Beyond, 2021: C(n, s + 1) (1 - p)^(s + 1), never below the exact value",
        example: "n=5 spares=2 p=0.99",
        compute: |given| {
            let (n, spares, p) = (given.count("n"), given.count("spares"), given.share("p"));
            require(spares < n, || {
                format!("spares={spares} of n={n} leaves nothing needed: spares must be below n")
            })?;
            let exact = binomial(n, p, 0..=n - spares - 1);
            Ok(Answer::new().unavailability(exact).plain("first order", sparing(n, spares, p)))
        },
    },
    Form {
        name: "2n",
        about: "twice as many components as needed: in two groups, and pooled",
        args: &[count("n", 1, 500, "components needed"), ONE_P],
        assumes: &[INDEPENDENT, "grouped: a group serves only when all its components are up"],
        source: TRIVEDI,
        example: "n=4 p=0.99",
        compute: |given| {
            let (n, p) = (given.size("n"), given.share("p"));
            let pooled = k_of_n(n, &vec![p; 2 * n]);
            Ok(Answer::new().unavailability(grouped(2, n, p)).plain("unavailability pooled", pooled))
        },
    },
    Form {
        name: "nested-domains",
        about: "nodes in zones in regions, of which some number is needed",
        args: &[
            arg("layout", Kind::Layout, "nodes of each zone"),
            count("need", 1, 1000, "nodes needed"),
            arg("node", Kind::Share, "availability of a node"),
            arg("zone", Kind::Share, "availability of a zone").or("1"),
            arg("region", Kind::Share, "availability of a region").or("1"),
        ],
        assumes: &["a node counts when it, its zone and its region are up", "these are up independently"],
        source: "convolution of conditional laws; Trivedi & Bobbio 2017, chapter 4",
        example: "layout=2+2+1 need=3 node=0.999 zone=0.9999 region=0.99995",
        compute: |given| {
            let (layout, need) = (given.layout("layout"), given.count("need"));
            let [node, zone, region] = ["node", "zone", "region"].map(|name| given.share(name));
            let nodes: u64 = layout.iter().flatten().sum();
            require(need <= nodes, || format!("need={need}, but the layout has {nodes} nodes"))?;
            let each = Share::new(node.yes * zone.yes * region.yes);
            let each = Share { no: series(&[node, zone, region]), ..each };
            let naive = k_of_n(size(need), &vec![each; size(nodes)]);
            Ok(Answer::new()
                .unavailability(nested(&layout, size(need), node, zone, region))
                .plain("unavailability if independent", naive))
        },
    },
    Form {
        name: "quorum",
        about: "nodes of which a majority, or 2f + 1 of 3f + 1, must be up",
        args: &[
            count("n", 1, 1000, "nodes"),
            ONE_P,
            arg("kind", Kind::Word(&["majority", "byzantine"]), "which quorum").or("majority"),
            count("f", 0, 333, "Byzantine nodes tolerated; (n - 1)/3 if left out").optional(),
        ],
        assumes: &[INDEPENDENT, "a quorum that is up serves at once: no election, no view change"],
        source: "majority n/2 + 1; Castro & Liskov 1999: ceil((n + f + 1)/2), which is 2f + 1 when n = 3f + 1",
        example: "n=4 p=0.99 kind=byzantine",
        compute: quorum_answer,
    },
    Form {
        name: "flexible-quorum",
        about: "different quorums for electing a leader and for replicating",
        args: &[
            count("n", 1, 1000, "nodes"),
            count("elect", 1, 1000, "nodes needed for an election"),
            count("replicate", 1, 1000, "nodes needed for a write"),
            ONE_P,
        ],
        assumes: &[INDEPENDENT, "writes: the leader stays"],
        source: "Howard, Malkhi & Spiegelman 2016: elect + replicate > n",
        example: "n=5 elect=4 replicate=2 p=0.99",
        compute: |given| {
            let [n, elect, replicate] = ["n", "elect", "replicate"].map(|name| given.count(name));
            require(elect.max(replicate) <= n, || {
                format!("a quorum of more than n={n} nodes does not exist")
            })?;
            require(elect + replicate > n, || {
                format!(
                    "elect={elect} and replicate={replicate} of n={n} need not meet: their sum must exceed n"
                )
            })?;
            let p = given.share("p");
            let write = binomial(n, p, 0..=replicate - 1);
            let election = binomial(n, p, 0..=elect - 1);
            Ok(Answer::new().unavailability(write).plain("unavailability of elections", election))
        },
    },
    Form {
        name: "byzantine-risk",
        about: "probability that a group of 3f + 1 is stuck, or unsafe",
        args: &[
            count("n", 1, 1000, "nodes"),
            count("f", 0, 333, "faulty nodes tolerated"),
            arg("crash", Kind::Share, "probability that a node is crashed"),
            arg("byzantine", Kind::Share, "probability that a node lies"),
        ],
        assumes: &[
            "nodes are crashed or Byzantine independently of each other",
            "at an instant, not over a time",
        ],
        source: "Castro & Liskov 1999: live with at most f faulty, safe with at most f Byzantine",
        example: "n=7 f=2 crash=0.01 byzantine=0.001",
        compute: |given| {
            let (n, f) = (given.count("n"), given.count("f"));
            let (crash, lies) = (given.share("crash"), given.share("byzantine"));
            require(f < n, || format!("f={f} must be below n={n}"))?;
            require(crash.yes + lies.yes <= 1.0, || "crash + byzantine must be at most 1".to_owned())?;
            let faulty = Share::new(crash.yes + lies.yes);
            Ok(Answer::new()
                .plain("not live", binomial(n, faulty, f + 1..=n))
                .plain("unsafe", binomial(n, lies, f + 1..=n)))
        },
    },
];
