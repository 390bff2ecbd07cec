//! What retries may cost: `retry_strategies.csv`.
//!
//! Each client is a replica of a service of its own, so that each has its own bucket, as in the table.

use murphy_reports::RunRecord;

use crate::fixture::run_in;

const TABLE: &str = include_str!("../data/retry_strategies.csv");

/// Standard errors that a figure may be off. With forty clients or more, Student's t leaves less than 3e-6
/// outside of 5.5, and with it less than 1e-3 for the family of 178 figures.
const ERRORS: f64 = 5.5;

struct Row<'a> {
    name: &'a str,
    strategy: &'a str,
    clients: u64,
    rate: f64,
    failures: f64,
    calls: f64,
    success: f64,
    attempts: f64,
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with(['#', 'e']));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split(',').collect();
        let [name, strategy, clients, rate, _, failures, unique, _, _, success, attempts] = cells[..] else {
            panic!("{line}")
        };
        let number = |cell: &str| cell.parse::<f64>().unwrap();
        Row {
            name,
            strategy,
            clients: clients.parse().unwrap(),
            rate: number(rate),
            failures: number(failures),
            calls: number(unique),
            success: number(success),
            attempts: number(attempts),
        }
    };
    lines.map(row).collect()
}

fn policy(strategy: &str) -> &'static str {
    match strategy {
        "no_retries" => "",
        "adaptive_10pct" => {
            "retries = 1000\nbudget = { kind = \"tokens\", per_request = 0.1, capacity = 5.0 }"
        }
        "breaker_10pct" => "retries = 3\nbudget = { kind = \"share\", most = 0.1 }",
        "three_retries" => "retries = 3",
        other => panic!("no strategy is called {other}"),
    }
}

fn scenario(row: &Row<'_>, seconds: u64) -> String {
    let wait =
        if row.name.contains("backoff0.1") { "backoff = { kind = \"fixed\", base = \"100ms\" }" } else { "" };
    // A serial client turns away what comes while it is at work.
    let concurrency = if row.name.ends_with("_serial") { "1\nqueue = { bound = 0 }" } else { "100000" };
    let errors = if row.failures > 0.0 {
        format!("errors = [{{ status = 500, share = {} }}]", row.failures)
    } else {
        String::new()
    };
    format!(
        "duration = \"{seconds}s\"\n\
         [[service]]\nname = \"client\"\nreplicas = {}\nconcurrency = {concurrency}\nbalancer = \"random\"\nwork = \"0s\"\n\
         calls = [{{ to = \"server\", policy = \"p\" }}]\n\
         [[service]]\nname = \"server\"\nconcurrency = 100000\nwork = \"0s\"\n{errors}\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"client\"\ndeadline = \"100s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"poisson\", rate = \"{}/s\" }}\n[policy.p]\n{}\n{wait}\n",
        row.clients,
        row.rate,
        policy(row.strategy)
    )
}

/// Calls, attempts and failed calls of each client.
fn by_client(run: &RunRecord, clients: u64) -> Vec<[f64; 3]> {
    let mut counts = vec![[0.0; 3]; usize::try_from(clients).unwrap()];
    for (place, sign, counter) in
        [(0, 1.0, "attempts"), (0, -1.0, "retries"), (1, 1.0, "attempts"), (2, 1.0, "failed_calls")]
    {
        let record = run.metrics.iter().find(|record| record.name == counter).expect("a counter");
        for &(_, node, amount) in &record.samples {
            let name = &run.node_hashes[node as usize].0;
            if let Some(client) = name.strip_prefix("client").and_then(|n| n.parse::<usize>().ok()) {
                counts[client][place] += sign * amount;
            }
        }
    }
    counts
}

/// The ratio of a count to the calls, and its standard error over clients.
fn ratio(counts: &[[f64; 3]], which: usize) -> (f64, f64) {
    let sum = |place: usize| counts.iter().map(|count| count[place]).sum::<f64>();
    let ratio = sum(which) / sum(0);
    let spread =
        counts.iter().map(|count| (count[which] - ratio * count[0]) * (count[which] - ratio * count[0]));
    (ratio, libm::sqrt(spread.sum::<f64>()) / sum(0))
}

#[test]
fn success_and_amplification_are_those_of_the_table() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for row in rows() {
        // Forty clients at least, over all runs. Buckets need the table's time to settle; what keeps no
        // state needs none.
        let runs = (40 / row.clients).max(1);
        let seconds = if matches!(row.strategy, "no_retries" | "three_retries") { 20 } else { 100 };
        let mut counts = Vec::new();
        for seed in 0..runs {
            let run = run_in("{ dist = \"exponential\", mean = \"10ms\" }", &scenario(&row, seconds), seed);
            counts.extend(by_client(&run, row.clients));
        }
        let calls: f64 = counts.iter().map(|count| count[0]).sum();
        for (what, theirs, (ours, error)) in [
            ("success", row.success, {
                let (failed, error) = ratio(&counts, 2);
                (1.0 - failed, error)
            }),
            ("amplification", row.attempts, ratio(&counts, 1)),
        ] {
            seen += 1;
            // Rare events: at least the error of a count that is one off, here and there.
            let rare = |n: f64| ((1.0 - ours).abs() * n + 1.0) / (n * n);
            let here = (error * error).max(rare(calls));
            let there = (error * error * calls / row.calls).max(rare(row.calls));
            let bound = ERRORS * libm::sqrt(here + there) + 1e-6;
            if (ours - theirs).abs() > bound {
                wrong.push(format!(
                    "{} {} {} clients {}: {what} {ours} +- {bound}, {theirs} there",
                    row.name, row.strategy, row.clients, row.failures
                ));
            }
        }
    }
    assert_eq!(seen, 178, "two figures of every row");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
