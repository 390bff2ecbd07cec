//! Queues, choices, hedges, fan-outs.

use crate::{Call, Row, call};

type Calls = Vec<(Call, f64)>;

fn one(row: &Row, call: Call) -> Calls {
    vec![(call, row.value)]
}

/// The table's unit of time is one mean service: a second here.
pub(crate) fn queues(row: &Row) -> Calls {
    let quantity = row.quantity.as_str();
    let rates = || vec![row.arg("lam", "lam", "/s"), row.arg("mu", "mu", "/s")];
    let also = |more: &[String]| [rates(), more.to_vec()].concat();
    match row.category.as_str() {
        "M/M/1 FIFO" => {
            let figure = quantity.replace("sojourn_", "sojourn ").replace("wait_", "wait ").replace('_', " ");
            if figure == "Var sojourn" {
                let deviation = call("mm1", &rates(), "standard deviation of the sojourn");
                return vec![(deviation, row.value.sqrt())];
            }
            // One server is a case of several.
            let several = also(&["c=1".to_owned()]);
            let mut calls = vec![(call("mm1", &rates(), &figure), row.value)];
            if figure != "mean busy period" {
                calls.push((call("mmc", &several, &figure), row.value));
            }
            calls
        }
        "M/M/c FIFO" => {
            let figure = quantity.replace("sojourn_", "sojourn ").replace("wait_", "wait ");
            let figure = figure.replace("ErlangC_", "");
            one(row, call("mmc", &also(&[row.arg("c", "c", "")]), &figure))
        }
        "M/G/c/c loss" => {
            let arguments =
                ["mean=1s".to_owned(), format!("lam={}/s", row.text("E[S]=")), row.arg("c", "c", "")];
            one(row, call("erlang-b", &arguments, &quantity.replace('_', " ")))
        }
        "M/M/c/K" => {
            let figure = if quantity == "W_accepted" { "W of the accepted" } else { quantity };
            one(row, call("mmck", &also(&[row.arg("c", "c", ""), row.arg("room", "K", "")]), figure))
        }
        "M/G/1-PS" | "M/G/1 FIFO" | "M/G/1" => {
            let (law, lam) = row.parameters.split_once("lam=").expect("a rate");
            let lam = lam.split(';').next().expect("it");
            let mut arguments = match law {
                law if law.starts_with("S~lognormal mean=1 scv=4") => {
                    vec!["mean=1s".to_owned(), "scv=4".to_owned()]
                }
                law if law.starts_with("S~Weibull shape=0.5") => words(["mean=1s", "law=weibull:0.5"]),
                law if law.starts_with("S~H2") => words(["shares=0.9,0.1", "means=0.1s,9.1s"]),
                law if law.starts_with("S~uniform(0,2)") => words(["mean=1s", "law=uniform"]),
                law if law.starts_with("S~Erlang-4") => words(["mean=1s", "law=erlang:4"]),
                law if law.starts_with("S~bimodal") => words(["shares=0.999,0.001", "means=0.1s,10s"]),
                other => panic!("unknown law {other}"),
            };
            let lam = if law.contains("bimodal") { "7.279344859" } else { lam };
            arguments.push(format!("lam={lam}/s"));
            let figure = match quantity {
                "W_PS(insensitive)" => "W with processor sharing",
                "SCV" => "scv",
                other => other,
            };
            one(row, call("mg1", &arguments, figure))
        }
        "D/M/1" => {
            let rate: f64 = row
                .parameters
                .split("1/")
                .nth(1)
                .expect("a rate")
                .split(';')
                .next()
                .expect("it")
                .parse()
                .expect("a number");
            let figure = match quantity {
                "sigma" => "P(wait)",
                "sojourn_p0.99" => "sojourn p0.99",
                other => other,
            };
            one(row, call("dm1", &[format!("every={}s", 1.0 / rate), row.arg("mu", "mu", "/s")], figure))
        }
        "M/M/1 nonpreemptive priority" => {
            let arguments =
                [row.arg("high", "lam_hi", "/s"), row.arg("low", "lam_lo", "/s"), row.arg("mu", "mu", "/s")];
            let figure = if quantity == "Wq_hi" { "Wq high" } else { "Wq low" };
            one(row, call("priority", &arguments, figure))
        }
        "M/M/c+M" => {
            let figure = if quantity == "mean_queue_wait_all" { "mean wait of all" } else { quantity };
            let figure = figure.replace("utilization", "utilisation");
            let arguments = also(&[row.arg("c", "c", ""), row.arg("theta", "theta", "/s")]);
            one(row, call("erlang-a", &arguments, &figure))
        }
        "M/M/1+D (waiting only)" => {
            one(row, call("patience", &also(&[row.arg("patience", "patience", "s")]), quantity))
        }
        "M/M/1, client timeout, no cancel, no retry" => {
            one(row, call("late-answers", &also(&[row.arg("timeout", "timeout", "s")]), quantity))
        }
        _ => latency(row),
    }
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

fn latency(row: &Row) -> Calls {
    let quantity = row.quantity.as_str();
    match row.category.as_str() {
        "supermarket model n->inf, FIFO Exp(1)" => {
            one(row, call("choices", &[row.arg("load", "lam_per_server", ""), row.arg("d", "d", "")], "W"))
        }
        "supermarket n->inf" => {
            let queue = quantity.trim_start_matches("P(queue>=").trim_end_matches(')');
            let arguments = [row.arg("load", "lam", ""), row.arg("d", "d", ""), format!("queue={queue}")];
            one(row, call("choices", &arguments, "P(queue)"))
        }
        "hedged request, infinite servers" => {
            let quantile =
                row.parameters.split("hedge at p").nth(1).expect("a quantile").split(' ').next().expect("it");
            let figure = quantity.replace("extra_load", "extra load");
            one(row, call("hedge", &[format!("quantile={quantile}")], &figure))
        }
        "fan-out all" => {
            one(row, call("fan-out", &[row.arg("slow", "p_slow", ""), row.arg("n", "n", "")], "P(any slow)"))
        }
        "max of n Exp(1)" => one(row, call("fan-out", &[row.arg("n", "n", "")], "mean")),
        "k-th of n order stat Exp(1)" => {
            one(row, call("quorum-latency", &[row.arg("k", "k", ""), row.arg("n", "n", "")], "mean"))
        }
        "Redundancy-d cancel-on-complete, FCFS, Exp(1) indep copies (Gardner)" => {
            let arguments =
                [row.arg("n", "k", ""), row.arg("d", "d", ""), row.arg("load", "lam_per_server", "")];
            one(row, call("redundancy", &arguments, "W"))
        }
        "token bucket, Poisson arrivals, no queue (= M/D/1/b loss)" => {
            let arguments = [
                row.arg("lam", "lam", "/s"),
                row.arg("refill", "refill", "/s"),
                row.arg("burst", "burst", ""),
            ];
            one(row, call("token-bucket", &arguments, quantity))
        }
        "JSQ n=2 FIFO Exp(1)" => Vec::new(),
        other => panic!("unknown category {other}"),
    }
}
