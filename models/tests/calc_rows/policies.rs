//! Objectives, retries, and the steady states of policies.

use crate::{Call, Row, call};

type Calls = Vec<(Call, f64)>;

fn one(row: &Row, call: Call) -> Calls {
    vec![(call, row.value)]
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

pub(crate) fn objectives(row: &Row) -> Calls {
    match row.category.as_str() {
        "burn alert" => {
            let arguments = [
                "slo=99.9%".to_owned(),
                row.arg("period", "period ", "d"),
                format!(
                    "burn={}",
                    row.parameters.split("burn>=").nth(1).expect("a burn").split(';').next().expect("it")
                ),
                row.arg("long", "long", "h"),
                row.arg("short", "short", "min"),
            ];
            one(row, call("burn-alert", &arguments, "budget spent at the alert"))
        }
        "burn limits" => {
            one(row, call("burn-alert", &[row.arg("slo", "SLO", "%")], "highest possible burn rate"))
        }
        "burn reset" => {
            let arguments = [row.arg("slo", "SLO ", "%"), "error=100%".to_owned(), "burn=14.4".to_owned()];
            vec![(call("burn-alert", &arguments, "time to reset").times(1.0 / 60.0), row.value)]
        }
        "burn alert detection" => {
            let arguments = [row.arg("slo", "SLO ", "%"), format!("error={}", row.text("0->"))];
            one(row, call("burn-scheme", &arguments, "time to first alert"))
        }
        "request vs time" => {
            assert!(row.says("24h;rate 3 for 12h, 1 for 12h;1h full outage at peak"));
            let arguments = words(["rates=3/s,1/s", "lengths=12h,12h", "outages=1h,0s"]);
            vec![
                (call("request-availability", &arguments, "availability by requests"), row.value),
                (call("request-availability", &arguments, "availability by time"), 1.0 - 1.0 / 24.0),
            ]
        }
        "partial outage" => {
            let numbers = row.numbers();
            let arguments = [
                format!("parts={}", numbers[0]),
                format!("down={}", numbers[1]),
                format!("outage={}h", numbers[2]),
                format!("window={}h", numbers[3]),
            ];
            vec![
                (call("partial-outage", &arguments, "availability by time"), row.value),
                (call("partial-outage", &arguments, "availability by requests"), 0.999),
            ]
        }
        "closed-loop bias" => {
            let arguments = [
                row.arg("think", "think ", "s"),
                row.arg("service", "service ", "ms"),
                row.arg("timeout", "out ", "s"),
                row.arg("outage", "outage ", "h"),
                "window=24h".to_owned(),
            ];
            one(row, call("closed-loop", &arguments, "availability by requests"))
        }
        "serial deps" => {
            one(row, call("composite", &words(["own=99.99%", "p=99.999%", "n=5"]), "availability"))
        }
        "Azure reliable-web-app dev SLA" => {
            let list = row.numbers().iter().map(|p| format!("0{p}")).collect::<Vec<_>>().join(",");
            one(row, call("composite", &[format!("p={list}")], "availability"))
        }
        "retries independent" => {
            let fails = if row.text("a") == "0.99" { "p=0.01" } else { panic!("another a") };
            one(row, call("retry", &[fails.to_owned(), row.arg("attempts", "attempts", "")], "success"))
        }
        "retries correlated (shared outage)" => {
            let arguments = [
                row.arg("p", "failure ", ""),
                row.arg("shared", "prob ", ""),
                row.arg("attempts", "attempts", ""),
            ];
            one(row, call("retry", &arguments, "failure"))
        }
        "retry with backoff vs outage length" => {
            let arguments =
                [row.arg("mttf", "MTTF", "s"), row.arg("mttr", "MTTR", "s"), row.arg("delay", "after ", "s")];
            one(row, call("retry-backoff", &arguments, "failure"))
        }
        "retry amplification" => {
            assert!(row.says("3 layers each 3 attempts"));
            one(row, call("retry-layers", &words(["attempts=3", "layers=3"]), "leaf attempts per call"))
        }
        "nines" => one(row, call("nines", &[row.arg("a", "A", "")], "downtime a year")),
        "AWS sparing approximation" => {
            let arguments =
                [row.arg("n", "n", ""), row.arg("spares", "spares", ""), row.arg("p", "alpha", "")];
            let exact = row.value2.parse().expect("a number");
            vec![
                (call("sparing", &arguments, "first order"), row.value),
                (call("sparing", &arguments, "unavailability"), exact),
            ]
        }
        other => panic!("unknown category {other}"),
    }
}

/// The rows of the policies' table are told apart by the letters that their ids begin with.
pub(crate) fn policies(row: &Row) -> Calls {
    let kind = row.id.split('-').next().expect("an id");
    match kind {
        "RA" | "LAYER" | "LAYERP" | "BUD" | "AWSQ" | "GRPC" | "FIN" | "FP" | "BO" => retries(kind, row),
        "AV" | "KN" | "SER" | "SLO" | "BURN" | "INSP" => availability(kind, row),
        "PHI" | "PHIv" => detectors(row),
        _ => protection(kind, row),
    }
}

fn retries(kind: &str, row: &Row) -> Calls {
    let quantity = row.quantity.as_str();
    match kind {
        "RA" => {
            let figure = if quantity.starts_with("success") { "success" } else { "attempts per call" };
            one(row, call("retry", &[row.arg("p", "p", ""), row.arg("attempts", "n", "")], figure))
        }
        "LAYER" => {
            let arguments = [row.arg("attempts", "attempts_per_layer", ""), row.arg("layers", "layers", "")];
            one(row, call("retry-layers", &arguments, "leaf attempts per call"))
        }
        "LAYERP" => {
            let arguments = ["attempts=3".to_owned(), "layers=3".to_owned(), row.arg("p", "p", "")];
            let figure = if quantity == "top failure" { "failure" } else { "leaf attempts per call" };
            one(row, call("retry-layers", &arguments, figure))
        }
        "BUD" => {
            let p = row.find("p").unwrap_or("0.5");
            let arguments = [format!("p={p}"), row.arg("ratio", "b", "")];
            let figure =
                ["success", "amplification", "saturation"].iter().find(|word| quantity.starts_with(**word));
            let figure = if figure == Some(&"saturation") {
                "p that uses the budget up"
            } else {
                figure.expect("one")
            };
            one(row, call("retry-budget", &arguments, figure))
        }
        "AWSQ" => {
            let figure =
                if row.says("cap") { "retries until empty, all failing" } else { "p that drains the quota" };
            one(row, call("retry-quota", &[row.arg("cost", "c", "")], figure))
        }
        "GRPC" => {
            let ratio = row.find("tokenRatio").unwrap_or("0.1");
            let arguments = [row.arg("max-tokens", "maxTokens", ""), format!("token-ratio={ratio}")];
            let drains = quantity.contains("fraction");
            let figure = if drains { "p that drains the tokens" } else { "failures until retries stop" };
            one(row, call("retry-throttle", &arguments, figure))
        }
        "FIN" => match quantity {
            "initial retries available (reserve)=min*ttl" => one(
                row,
                call("retry-budget", &words(["p=1", "min-rate=10", "ttl=10s"]), "retries in reserve"),
            ),
            "sustained retries/s (window form)" => {
                one(row, call("retry-budget", &words(["p=1", "ratio=0.2"]), "retries per first try at most"))
            }
            "comment-in-source detection time window*(1-thr) s" => one(
                row,
                call("failure-accrual", &words(["window=30s", "threshold=0.8"]), "as the comment says"),
            ),
            _ => one(row, call("failure-accrual", &words(["window=30s", "threshold=0.8"]), "time to detect")),
        },
        "BO" => {
            let arguments = ["base=5ms".to_owned(), "cap=2000ms".to_owned(), row.arg("n", "n", "")];
            one(row, call("backoff", &arguments, "back-off").times(1000.0))
        }
        "FP" => {
            // Rows without parameters have them in their id: FP-lam-T, with the table's mu and n.
            let parts: Vec<&str> = row.id.split('-').collect();
            let timeout = row.find("T").unwrap_or(if parts[2] == "1" { "1" } else { parts[2] });
            let arguments = [
                format!("lam={}/s", parts[1]),
                "mu=100/s".to_owned(),
                format!("timeout={timeout}s"),
                "attempts=3".to_owned(),
            ];
            let figure = match quantity.strip_prefix("fp") {
                Some(rest) => format!("load {}", &rest[..1]),
                None => "fixed points".to_owned(),
            };
            one(row, call("retry-storm", &arguments, &figure))
        }
        other => panic!("unknown kind {other}"),
    }
}

fn availability(kind: &str, row: &Row) -> Calls {
    let hours = |more: &[&str]| {
        let all = ["mttf=1000h", "mttr=10h"].iter().chain(more);
        all.map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    match (kind, row.id.as_str()) {
        (_, "AV-2") => one(row, call("repairman", &hours(&["k=1", "n=2"]), "availability")),
        (_, "AV-3") => one(row, call("repairman", &hours(&["k=1", "n=2", "crews=1"]), "availability")),
        (_, "AV-4b") => one(row, call("active-standby", &hours(&["dormancy=0", "crews=2"]), "availability")),
        (_, "AV-5") => {
            one(row, call("failover-loss", &words(["mttf=1000h", "failover=60s"]), "availability"))
        }
        (_, "AV-6-0.99") => one(row, call("hot-pair", &hours(&["coverage=0.99"]), "availability")),
        ("KN", id) => {
            let parts: Vec<&str> = id.split('-').collect();
            let arguments =
                [format!("k={}", parts[1]), format!("n={}", parts[2]), row.arg("p", "node_avail", "")];
            one(row, call("k-of-n", &arguments, "availability"))
        }
        ("SER", _) => {
            assert_eq!(row.category, "serial chain of 10 deps each 0.999");
            one(row, call("series", &words(["p=0.999", "n=10"]), "availability"))
        }
        ("SLO", _) => {
            one(row, call("error-budget", &[row.arg("slo", "slo", "")], "budget").times(1.0 / 60.0))
        }
        (_, "BURN-det") => {
            let arguments = words(["slo=0.999", "error=100%", "burn=14.4", "long=1h"]);
            one(row, call("burn-alert", &arguments, "time to alert"))
        }
        ("BURN", _) => {
            let arguments = [row.arg("window", "window_h", "h"), row.arg("budget", "budget", "")];
            one(row, call("burn-threshold", &arguments, "burn rate"))
        }
        ("INSP", _) => {
            one(row, call("outage-seen", &[row.arg("mu", "mu", ""), row.arg("sigma", "sigma", "")], "MTTR"))
        }
        other => panic!("unknown row {other:?}"),
    }
}

fn detectors(row: &Row) -> Calls {
    let arguments = match row.id.as_str() {
        "PHI-exact" => {
            let words = words(["law=normal", "mean=0s", "sd=1s", "threshold=8"]);
            return one(row, call("phi", &words, "silence"));
        }
        id if id.starts_with("PHI-akka") => {
            let pause = id.split('-').nth(2).expect("a pause");
            let own = [format!("pause={pause}ms"), row.arg("threshold", "threshold", "")];
            [words(["law=logistic", "mean=1000ms", "sd=100ms"]), own.to_vec()].concat()
        }
        id if id.starts_with("PHI-cass") => {
            let own = [row.arg("mean", "mean", "ms"), row.arg("threshold", "thr", "")];
            [words(["law=exponential"]), own.to_vec()].concat()
        }
        _ => {
            let own =
                [row.arg("mean", "mean", "ms"), row.arg("sd", "sd", "ms"), row.arg("silence", "dt", "ms")];
            return one(row, call("phi", &[words(["law=logistic"]), own.to_vec()].concat(), "phi"));
        }
    };
    one(row, call("phi", &arguments, "silence").times(1000.0))
}

fn protection(kind: &str, row: &Row) -> Calls {
    let quantity = row.quantity.as_str();
    match kind {
        "CB" => {
            let calls = row.arg("calls", "minCalls", "");
            one(
                row,
                call(
                    "breaker",
                    &[calls, "trip-at=50".to_owned(), "p=1".to_owned()],
                    "calls to trip, all failing",
                ),
            )
        }
        "CBFT" => {
            let trip =
                row.parameters.split("trip_at>=").nth(1).expect("a limit").split(';').next().expect("it");
            let arguments = [row.arg("calls", "n", ""), format!("trip-at={trip}"), row.arg("p", "p", "")];
            one(row, call("breaker", &arguments, "trips"))
        }
        "CBHO" => one(
            row,
            call("half-open", &[row.arg("permitted", "permitted", ""), row.arg("p", "p", "")], "closes"),
        ),
        "SRE" => {
            let arguments = [row.arg("k", "K", ""), "lam=1000/s".to_owned(), "capacity=100/s".to_owned()];
            one(row, call("throttle", &arguments, "sent over capacity"))
        }
        "SREcrit" => {
            let arguments = [row.arg("k", "K", ""), "lam=1000/s".to_owned(), "capacity=100/s".to_owned()];
            one(row, call("throttle", &arguments, "failures that collapse sending"))
        }
        "SREx" => {
            let arguments =
                [row.arg("k", "K", ""), row.arg("lam", "lam", "/s"), row.arg("capacity", "C", "/s")];
            let local = quantity.starts_with("local");
            let figure = if local { "rejected at the client" } else { "rejected at the backend" };
            one(row, call("throttle", &arguments, figure))
        }
        "ENVOYAC" => one(row, call("admission", &[row.arg("success", "success_rate", "")], "rejected")),
        "SWIM" => one(row, call("swim", &[row.arg("n", "n", "")], "shortest suspicion")),
        "SWIMr" => one(row, call("swim", &[row.arg("n", "n", "")], "mean periods to the first probe")),
        "COL" => {
            let lam = row.id.split('-').nth(1).expect("a rate");
            let healthy = quantity.starts_with("healthy");
            let figure = if healthy { "healthy" } else { "with every attempt timing out" };
            one(row, call("in-flight", &[format!("lam={lam}/s")], figure))
        }
        "REC" => {
            let arguments =
                [row.arg("lam", "lam", "/s"), row.arg("mu", "mu", "/s"), row.arg("stall", "D", "s")];
            one(row, call("drain", &arguments, "time to drain"))
        }
        "HPA" => {
            let arguments = [
                row.arg("current", "cur", ""),
                row.arg("metric", "metric", ""),
                row.arg("target", "target", ""),
            ];
            one(row, call("autoscale", &arguments, "replicas"))
        }
        other => panic!("unknown kind {other}"),
    }
}
