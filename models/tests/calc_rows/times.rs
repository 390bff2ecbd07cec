//! Single components, durability, checkpoints, lost writes, failover.

use crate::{Call, Row, call};

type Calls = Vec<(Call, f64)>;

fn one(row: &Row, call: Call) -> Calls {
    vec![(call, row.value)]
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

pub(crate) fn components(row: &Row) -> Calls {
    let arguments = if row.says("Erlang") {
        words(["up=erlang:2", "down=erlang:2", "mttf=1000h", "mttr=10h"])
    } else if row.says("Weibull") {
        words(["up=weibull:2", "down=lognormal:1", "mttf=1000h", "mttr=4h"])
    } else {
        vec![row.arg("mttf", "MTTF", "h"), row.arg("mttr", "MTTR", "h")]
    };
    let component =
        |extra: &[String], figure: &str| call("component", &[&arguments[..], extra].concat(), figure);
    match row.quantity.as_str() {
        "U_steady" => one(row, component(&[], "unavailability")),
        "asymptotic var rate of downtime (h^2/h)" => {
            one(row, component(&[], "variance rate of down time").hours())
        }
        "horizon for 10% rel half-width 95% (h)" => one(row, component(&[], "time to watch").hours()),
        point if point.starts_with("U_point") => {
            let at = point.split_once("t=").expect("a time").1.trim_end_matches(')');
            one(row, component(&[format!("at={at}")], "unavailability then"))
        }
        risk if risk.starts_with("P(downtime") => {
            let allowed = risk.split_once("> ").expect("a limit").1.trim_end_matches(')');
            let extra = [row.arg("window", "window", "h"), format!("allowed={allowed}")];
            one(row, call("downtime-risk", &[&arguments[..], &extra].concat(), "probability"))
        }
        other => panic!("unknown quantity {other}"),
    }
}

pub(crate) fn durability(row: &Row) -> Calls {
    match row.category.as_str() {
        "MTTDL" => {
            let disks =
                row.find("n").unwrap_or_else(|| if row.says("3-replica") { "3" } else { panic!("no n") });
            let arguments = [
                format!("n={disks}"),
                row.arg("tolerated", "t", ""),
                row.arg("mttf", "MTTF", "h"),
                row.arg("mttr", "MTTR", "h"),
                format!("rebuild={}", row.parameters.rsplit_once("rebuild=").expect("rebuild").1),
            ];
            one(row, call("mttdl", &arguments, "MTTDL").hours())
        }
        "P(data loss)" => {
            let years: f64 = row.quantity.split(' ').nth(2).expect("years").parse().expect("a number");
            let arguments = [
                row.arg("n", "n", ""),
                "tolerated=1".to_owned(),
                row.arg("mttf", "MTTF", "h"),
                row.arg("mttr", "MTTR", "h"),
                format!("within={}h", years * 8760.0),
            ];
            one(row, call("mttdl", &arguments, "probability of a loss"))
        }
        "checkpoint optimum" | "checkpoint completion" => {
            let mut arguments = vec![
                row.arg("cost", "checkpoint cost", "s"),
                format!("mtbf={}s", row.text("MTBF M")),
                format!("restart={}s", row.text("restart R")),
                row.arg("work", "work", "s"),
            ];
            let figure = match row.quantity.as_str() {
                "tau_opt exact (s)" => "optimal interval",
                "E[T] at tau_opt (s)" => "mean completion",
                "E[completion] (s)" => {
                    assert!(row.says("tau=tau_opt;200 segments"));
                    arguments.push("segments=200".to_owned());
                    "mean completion of the segments"
                }
                other => panic!("unknown quantity {other}"),
            };
            one(row, call("checkpoint", &arguments, figure))
        }
        "no checkpoint" => {
            let arguments = [
                "cost=1s".to_owned(),
                row.arg("work", "work", "h"),
                row.arg("mtbf", "MTBF", "h"),
                row.arg("restart", "R", "s"),
            ];
            one(row, call("checkpoint", &arguments, "mean completion without checkpoints").hours())
        }
        other => panic!("unknown category {other}"),
    }
}

pub(crate) fn recovery(row: &Row) -> Calls {
    if row.category.starts_with("RPO") {
        return lost_writes(row);
    }
    match row.category.as_str() {
        "heartbeat detection" => {
            let arguments = [row.arg("every", "every ", "s"), row.arg("timeout", "when ", "s")];
            one(row, call("heartbeat", &arguments, "mean detection"))
        }
        "false suspicion" => {
            let arguments = [row.arg("loss", "q", ""), row.arg("misses", "k", "")];
            one(row, call("false-suspicion", &arguments, "mean heartbeats"))
        }
        "Raft split-vote window" | "Raft first timeout after leader crash" => {
            assert!(row.says("U(150,300)ms"));
            let mut arguments = vec![row.arg("n", "n", "")];
            arguments.extend(words(["shortest=150ms", "longest=300ms"]));
            if row.quantity.starts_with("P(") {
                arguments.push(row.arg("delay", "after ", "ms"));
                return one(row, call("election", &arguments, "probability of one candidate"));
            }
            arguments.push(row.arg("heartbeat", "heartbeat ", "ms"));
            one(row, call("election", &arguments, "mean time to the first candidate").times(1000.0))
        }
        "failover budget" => {
            assert!(row.says("detect U(2,3)s"));
            let mut arguments = words(["detect-min=2s", "detect-max=3s"]);
            arguments.push(row.arg("elect", "const ", "s"));
            arguments.push(row.arg("promote", "(median ", "s"));
            arguments.push(row.arg("sigma", "sigma ", ""));
            if row.quantity == "mean (s)" {
                return one(row, call("failover-budget", &arguments, "mean"));
            }
            let p99 = row.quantity.split("= ").nth(1).expect("a time").trim_end_matches(" s");
            arguments.push(format!("within={p99}s"));
            let time: f64 = p99.parse().expect("a number");
            vec![
                (call("failover-budget", &arguments, "probability within"), row.value),
                (call("failover-budget", &arguments, "at the quantile"), time),
            ]
        }
        "failover downtime" => {
            let arguments = [row.arg("mttf", "MTTF", "h"), row.arg("failover", "mean ", "s")];
            one(row, call("failover-loss", &arguments, "unavailability"))
        }
        "leader-based majority cluster" => {
            let arguments = [
                row.arg("n", "n", ""),
                row.arg("mttf", "MTTF", "h"),
                row.arg("mttr", "MTTR", "h"),
                row.arg("failover", "mean ", "s"),
            ];
            one(row, call("leader-cluster", &arguments, "unavailability"))
        }
        other => panic!("unknown category {other}"),
    }
}

fn lost_writes(row: &Row) -> Calls {
    let count = || {
        let text = row.quantity.trim_start_matches("P(lost>=").trim_end_matches(')');
        format!("lost={text}")
    };
    let writes = if row.says("Poisson") { "Poisson " } else { "writes " };
    let mut arguments = vec![row.arg("writes", writes, "/s")];
    let form = match row.category.as_str() {
        "RPO const lag" => {
            arguments.push(row.arg("lag", "const ", "s"));
            "rpo-lag"
        }
        "RPO iid exp lag (M/G/inf)" => {
            arguments.push(row.arg("lag", "(mean ", "s"));
            "rpo-parallel"
        }
        "RPO periodic shipping" => {
            arguments.push(row.arg("period", "B", "s"));
            arguments.push(row.arg("latency", "latency ", "s"));
            "rpo-periodic"
        }
        "RPO FIFO stream M/M/1" => {
            arguments.push(row.arg("apply", "apply ", "/s"));
            "rpo-stream"
        }
        other => panic!("unknown category {other}"),
    };
    let figure = match row.quantity.as_str() {
        "mean lost writes" => "mean lost writes",
        "sd lost writes" => "standard deviation",
        "RPO time p99 (s)" => "RPO at the quantile",
        "P(RPO time>t99)" => {
            arguments.push("age=0.2254930003091883s".to_owned());
            "probability of losing older writes"
        }
        lost if lost.starts_with("P(lost>=") => {
            arguments.push(count());
            "probability of losing so many"
        }
        oldest if oldest.starts_with("RPO (age") => {
            let quantile = oldest.split("quantile ").nth(1).expect("a quantile").trim_end_matches(" (s)");
            arguments.push(format!("quantile={quantile}"));
            "RPO at the quantile"
        }
        other => panic!("unknown quantity {other}"),
    };
    one(row, call(form, &arguments, figure))
}
