//! How large a trigger pushes a system over, at which load: `collapse_phase.csv`.
//!
//! Work takes 1 s and 10 ms more for every request in work, so an overload slows itself down; calls take
//! 100 ms on average each way, wait 3 s and are tried three times. A spike to 80/s begins at 20 s.

use murphy_reports::Outcome;

use crate::fixture::run_in;

const TABLE: &str = include_str!("../data/collapse_phase.csv");

/// Runs of a row where the table saw both ends, and where it saw one only.
const RUNS: [u64; 2] = [60, 20];

/// A row of the table, and how often it was stuck there and here.
struct Row {
    name: String,
    theirs: (u64, u64),
    ours: (u64, u64),
}

fn scenario(client: &str, base: f64, width: &str) -> String {
    let wait = match client {
        "no_backoff" => "",
        "backoff_jitter" => {
            "backoff = { kind = \"exponential\", base = \"20s\", cap = \"1h\", jitter = \"full\" }"
        }
        other => panic!("no client is called {other}"),
    };
    let spike = if width == "0" {
        String::new()
    } else {
        format!(
            "[[fault]]\nname = \"spike\"\nkind = \"surge\"\nat = \"20s\"\nfor = \"{width}s\"\nworkload = \"u\"\nfactor = {}\n",
            80.0 / base
        )
    };
    format!(
        "duration = \"80s\"\n\
         [[service]]\nname = \"s\"\nconcurrency = 100000\nwork = \"1s\"\ncontention = \"10ms\"\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\npolicy = \"p\"\ndeadline = \"3s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"poisson\", rate = \"{base}/s\" }}\n\
         [policy.p]\ntimeout = \"3s\"\nretries = 2\n{wait}\n{spike}"
    )
}

/// Whether replies from 65 s on are less than half of the arrivals in that time.
fn stuck(text: &str, seed: u64) -> bool {
    let run = run_in("{ dist = \"exponential\", mean = \"100ms\" }", text, seed);
    let late = |ns: u64| ns >= 65_000_000_000;
    let offered = run.requests.iter().filter(|request| late(request.arrived_ns)).count();
    let good = run.requests.iter().filter(|request| request.outcome == Outcome::Ok);
    let replied = good.filter(|request| request.done_ns.is_some_and(late)).count();
    replied * 2 < offered
}

fn rows() -> Vec<Row> {
    let cells = TABLE.lines().filter(|line| line.starts_with(['n', 'b'])).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let [client, base, _, width, runs, share, _] = cells[..] else { panic!("{line}") };
        let (base, runs): (f64, u64) = (base.parse().unwrap(), runs.parse().unwrap());
        let share: f64 = share.parse().unwrap();
        let theirs = (0..=runs).min_by(|&a, &b| {
            let far = |stuck: u64| (stuck as f64 / runs as f64 - share).abs();
            far(a).total_cmp(&far(b))
        });
        let theirs = (theirs.unwrap(), runs);
        let seeds = RUNS[usize::from(theirs.0 == 0 || theirs.0 == runs)];
        let text = scenario(client, base, width);
        let ours = (0..seeds).filter(|&seed| stuck(&text, seed)).count() as u64;
        Row { name: format!("{client} {base}/s, {width} s"), theirs, ours: (ours, seeds) }
    });
    cells.collect()
}

/// Probability of two shares as far apart as these or farther if both come from one: Fisher's exact
/// test, two-sided.
fn same((a, n): (u64, u64), (b, m): (u64, u64)) -> f64 {
    let log_choose = |n: u64, k: u64| {
        libm::lgamma(n as f64 + 1.0) - libm::lgamma(k as f64 + 1.0) - libm::lgamma((n - k) as f64 + 1.0)
    };
    let hit = a + b;
    let weight = |x: u64| libm::exp(log_choose(n, x) + log_choose(m, hit - x) - log_choose(n + m, hit));
    let possible = hit.saturating_sub(m)..=hit.min(n);
    possible.map(weight).filter(|&p| p <= weight(a) * (1.0 + 1e-9)).sum()
}

#[test]
fn the_share_that_stays_stuck_follows_load_and_trigger_as_in_the_table() {
    let rows = rows();
    assert_eq!(rows.len(), 60, "every row of the table is judged");
    // The whole family raises a false alarm in one of a thousand tables.
    let level = 1e-3 / rows.len() as f64;
    let text = |row: &Row| format!("{}: {:?} here, {:?} there", row.name, row.ours, row.theirs);
    let apart: Vec<String> = rows.iter().filter(|row| same(row.ours, row.theirs) < level).map(text).collect();
    assert!(apart.is_empty(), "{apart:#?}");
    // What the table tells apart is in the same order here.
    let share = |(stuck, runs): (u64, u64)| stuck as f64 / runs as f64;
    let mut pairs = 0;
    for low in &rows {
        for high in rows.iter().filter(|high| share(high.theirs) > share(low.theirs)) {
            if same(low.theirs, high.theirs) < level {
                pairs += 1;
                assert!(share(low.ours) < share(high.ours), "{} and {}", text(low), text(high));
            }
        }
    }
    assert!(pairs > 500, "{pairs} pairs are told apart");
}

#[test]
fn the_test_of_two_shares_is_fishers() {
    // Fisher's tea: 3 of 4 against 1 of 4 has 0.4857; and 1 of 10 against 11 of 14 has 0.002759.
    assert!((same((3, 4), (1, 4)) - 0.485_714).abs() < 1e-6);
    assert!((same((1, 10), (11, 14)) - 0.002_759).abs() < 1e-6);
}
