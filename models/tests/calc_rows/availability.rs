//! Structures, repair, standbys, domains, and what the seed document prints.

use crate::{Call, Row, call};

type Calls = Vec<(Call, f64)>;

/// The comparison of a row's value with one call.
fn one(row: &Row, call: Call) -> Calls {
    vec![(call, row.value)]
}

/// What a row of a repairable system calls its figures.
fn repair_figure(quantity: &str) -> (&'static str, f64) {
    match quantity {
        "U" => ("unavailability", 1.0),
        "failure freq (1/h)" => ("failure frequency", 3600.0),
        "MDT (h)" => ("mean down time", 1.0 / 3600.0),
        "MTTFF (h)" => ("mean time to first failure", 1.0 / 3600.0),
        other => panic!("unknown quantity {other}"),
    }
}

fn k_of(row: &Row) -> Vec<String> {
    vec![row.arg("k", "k", ""), row.arg("n", "n", "")]
}

fn times(row: &Row) -> Vec<String> {
    vec![row.arg("mttf", "MTTF", "h"), row.arg("mttr", "MTTR", "h")]
}

pub(crate) fn structures(row: &Row) -> Calls {
    // `p=0.999;0.995;0.999`: a list is what follows the key.
    let list = || format!("p={}", row.parameters.split_once("p=").expect("p").1.replace(';', ","));
    match row.category.as_str() {
        "series" => one(row, call("series", &[list()], "availability")),
        "parallel" if row.find("n").is_some() => {
            one(row, call("parallel", &[list(), row.arg("n", "n", "")], "unavailability"))
        }
        "parallel" => one(row, call("parallel", &[list()], "unavailability")),
        "k-of-n" if row.says("k=2;n=3") => vec![
            (call("k-of-n", &[k_of(row), vec![list()]].concat(), "unavailability"), row.value),
            (call("2-of-3", &[list()], "unavailability"), row.value),
        ],
        "k-of-n" => one(row, call("k-of-n", &[k_of(row), vec![list()]].concat(), "unavailability")),
        "k-of-n hetero" => one(row, call("k-of-n", &[row.arg("k", "k", ""), list()], "unavailability")),
        "parallel MTTF with repair" => {
            let arguments = [vec!["k=1".to_owned(), row.arg("n", "n", "")], times(row)].concat();
            one(row, call("mtbf", &arguments, "MTTF with repair").hours())
        }
        "k-of-n indep repair" | "machine repairman c=1" | "machine repairman c=2" | "benchmark 3-of-5" => {
            let (figure, scale) = repair_figure(&row.quantity);
            let arguments = [k_of(row), times(row), vec![row.arg("crews", "crews", "")]].concat();
            one(row, call("repairman", &arguments, figure).times(scale))
        }
        other => panic!("unknown category {other}"),
    }
}

pub(crate) fn standbys(row: &Row) -> Calls {
    match row.category.as_str() {
        "standby" => {
            let (figure, scale) = repair_figure(&row.quantity);
            let common =
                [times(row), vec![row.arg("crews", "crews", ""), row.arg("dormancy", "alpha", "")]].concat();
            let one_of_two = [vec!["n=1".to_owned(), "m=1".to_owned()], common.clone()].concat();
            let standby = if row.quantity == "U" { "unavailability" } else { "mean time to first outage" };
            vec![
                (call("spares", &one_of_two, figure).times(scale), row.value),
                (call("active-standby", &common, standby).times(scale), row.value),
            ]
        }
        "failover coverage+delay" => {
            let arguments = [
                times(row),
                vec![
                    row.arg("dormancy", "alpha", ""),
                    format!("coverage={}", row.find("coverage c").expect("coverage")),
                    row.arg("failover", "failover mean", "s"),
                    row.arg("manual", "manual switch mean", "min"),
                    row.arg("crews", "crews", ""),
                ],
            ];
            let arguments = arguments.concat();
            one(row, call("active-standby", &arguments, "unavailability"))
        }
        "failover vs seed formula" => {
            let manual = row.text("manual mean").to_owned();
            let arguments = [
                times(row),
                vec![
                    row.arg("coverage", "c", ""),
                    row.arg("failover", "failover ", "s"),
                    format!("manual={manual}min"),
                    row.arg("crews", "crews", ""),
                ],
            ];
            one(row, call("active-standby", &arguments.concat(), "unavailability"))
        }
        "failover fixed delay" => {
            let arguments = [
                times(row),
                vec![
                    "law=fixed".to_owned(),
                    row.arg("failover", "failover fixed ", "s"),
                    row.arg("coverage", "coverage ", ""),
                    row.arg("crews", "crews", ""),
                ],
            ];
            one(row, call("active-standby", &arguments.concat(), "unavailability"))
        }
        "N+M spares" => {
            let own = [
                row.arg("n", "N", ""),
                row.arg("m", "M", ""),
                row.arg("dormancy", "alpha", ""),
                row.arg("crews", "crews", ""),
            ];
            one(row, call("spares", &[times(row), own.to_vec()].concat(), "unavailability"))
        }
        // Own crews: the nodes are independent, at the availability of one.
        "2N grouped" => one(row, call("2n", &[row.arg("n", "N", ""), node(row)], "unavailability")),
        "2N pooled" => {
            let repair = [times(row), vec!["k=4".to_owned(), "n=8".to_owned()]].concat();
            vec![
                (call("repairman", &repair, "unavailability"), row.value),
                (call("2n", &["n=4".to_owned(), node(row)], "unavailability pooled"), row.value),
            ]
        }
        other => panic!("unknown category {other}"),
    }
}

/// The availability of one node from its mean times, with all digits.
fn node(row: &Row) -> String {
    let [up, down]: [f64; 2] = ["MTTF", "MTTR"].map(|key| row.text(key).parse().expect("a number"));
    format!("p={}", up / (up + down))
}

pub(crate) fn domains(row: &Row) -> Calls {
    match row.category.as_str() {
        "common cause beta" => {
            let arguments = [k_of(row), times(row), vec![row.arg("beta", "beta", "")]].concat();
            one(row, call("common-cause", &arguments, "unavailability"))
        }
        "nested failure domains" => {
            let layout = match row.parameters.split(';').next().expect("a layout") {
                "3 nodes in 3 zones" => "1+1+1",
                "5 nodes in 2 zones (3+2)" => "3+2",
                "5 nodes in 3 zones (2+2+1)" => "2+2+1",
                "5 nodes, 3 regions (2+2+1), each its own zones" => "1+1/1+1/1",
                "6 nodes active-active any 1, 2 regions x 3 zones" => "1+1+1/1+1+1",
                "3 nodes, 3 regions" => "1/1/1",
                other => panic!("unknown layout {other}"),
            };
            let arguments = [
                format!("layout={layout}"),
                row.arg("need", "need ", ""),
                row.arg("node", "p_node", ""),
                row.arg("zone", "p_zone", ""),
                row.arg("region", "p_region", ""),
            ];
            one(row, call("nested-domains", &arguments, "unavailability"))
        }
        "majority quorum" => {
            one(row, call("quorum", &[row.arg("n", "n", ""), row.arg("p", "p", "")], "unavailability"))
        }
        "PBFT liveness 2f+1 of 3f+1" => {
            let own = [
                "kind=byzantine".to_owned(),
                row.arg("f", "f", ""),
                row.arg("n", "n", ""),
                row.arg("p", "p", ""),
            ];
            let need: f64 = row.text("k").parse().expect("a number");
            vec![(call("quorum", &own, "unavailability"), row.value), (call("quorum", &own, "quorum"), need)]
        }
        "flexible quorum" => {
            let arguments = [
                row.arg("n", "n", ""),
                row.arg("elect", "Q_elect", ""),
                row.arg("replicate", "Q_repl", ""),
                row.arg("p", "p", ""),
            ];
            let figure = match row.quantity.as_str() {
                "U_replication(steady leader)" => "unavailability",
                "U_election" => "unavailability of elections",
                other => panic!("unknown quantity {other}"),
            };
            one(row, call("flexible-quorum", &arguments, figure))
        }
        "PBFT with crash+Byzantine" => {
            let arguments = [
                row.arg("n", "n", ""),
                row.arg("f", "f", ""),
                row.arg("crash", "p_crash", ""),
                row.arg("byzantine", "p_byz", ""),
            ];
            let figure = if row.quantity == "P(not live)" { "not live" } else { "unsafe" };
            one(row, call("byzantine-risk", &arguments, figure))
        }
        other => panic!("unknown category {other}"),
    }
}

pub(crate) fn seed(row: &Row) -> Calls {
    match (row.category.as_str(), row.quantity.as_str()) {
        ("seed cost table implied failover", quantity) => {
            let dormancy =
                ["Cold", "Warm", "Active-Active"].iter().position(|word| row.says(word)).expect("a kind");
            let target = quantity.split_once("U=").expect("a target").1;
            let arguments = [
                "mttf=990h".to_owned(),
                "mttr=10h".to_owned(),
                "crews=2".to_owned(),
                format!("dormancy={}", ["0", "0.1", "1"][dormancy]),
                format!("target={target}"),
            ];
            let mut calls =
                vec![(call("active-standby", &arguments, "failover for the target").hours(), row.value)];
            // The table prints both rows too.
            let name = ["primary + cold standby", "primary + warm standby"].get(dormancy);
            calls.extend(name.map(|name| {
                let figure = format!("{name}: failover that gives it");
                (call("cost-table", &["p=0.99".to_owned()], &figure).hours(), row.value)
            }));
            calls
        }
        ("seed cost table", "U") => vec![
            (call("parallel", &["p=0.99".to_owned(), "n=5".to_owned()], "unavailability"), row.value),
            (call("cost-table", &[], "geo-distributed, 5 regions: by formula"), row.value),
        ],
        ("seed cost table", _) => {
            let words = ["k=1", "n=3", "mttf=990h", "mttr=10h", "beta=0", "target=1e-5"].map(str::to_owned);
            vec![
                (call("common-cause", &words, "beta for the target"), row.value),
                (call("cost-table", &[], "active-active, 3 nodes: common cause that gives it"), row.value),
            ]
        }
        ("seed availability metric", _) => {
            let starts = (0..10).map(|i| format!("{}s", i * 3600)).collect::<Vec<_>>().join(",");
            let lengths = ["300s"; 10].join(",");
            let arguments = [
                format!("window={}s", row.text("window ")),
                format!("starts={starts}"),
                format!("lengths={lengths}"),
            ];
            one(row, call("window-availability", &arguments, "S0's figure"))
        }
        other => panic!("unknown row {other:?}"),
    }
}
