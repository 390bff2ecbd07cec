//! Caches: stampedes, staleness, outages, and a cold start against a published simulation.

use murphy_reports::{Outcome, RunRecord};

use crate::fixture::{run, total};

/// An edge with a cache in front of an origin whose requests take 100 ms.
fn edge(cache: &str, workload: &str, more: &str) -> RunRecord {
    run(
        &format!(
            "duration = \"60s\"\n\
             [[service]]\nname = \"edge\"\nconcurrency = 100000\nwork = \"0s\"\n\
             calls = [{{ to = \"origin\", policy = \"p\", cache = {{ {cache} }} }}]\n\
             [[service]]\nname = \"origin\"\nconcurrency = 100000\nwork = \"100ms\"\n\
             [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"edge\"\ndeadline = \"1s\"\nprobe = \"0s\"\n{workload}\n\
             [policy.p]\ntimeout = \"500ms\"\n{more}"
        ),
        1,
    )
}

const HOT: &str = "keys = 1\narrivals = { dist = \"constant\", rate = \"500/s\" }";

#[test]
fn one_fetch_serves_all_who_wait_for_a_hot_key() {
    let crowd = edge("ttl = \"10s\", warm = 1", HOT, "");
    // At each of five expiries 500/s x 100 ms ask the origin until the first answer is there.
    let asked = total(&crowd, "cache_misses", "edge");
    assert!((245..=260).contains(&asked), "{asked} fetches");
    let one = edge("ttl = \"10s\", warm = 1, coalesce = true", HOT, "");
    assert_eq!(total(&one, "cache_misses", "edge"), 5);
    assert_eq!(total(&one, "coalesced", "edge") + 5, asked);
}

/// Most fetches in a tenth of a second from 4 s on.
fn peak(run: &RunRecord) -> f64 {
    let record = run.metrics.iter().find(|record| record.name == "cache_misses").expect("a metric");
    record.samples.iter().filter(|sample| sample.0 > 4_000_000_000).map(|sample| sample.2).fold(0.0, f64::max)
}

#[test]
fn jitter_spreads_the_expiry_of_what_was_warmed_together() {
    let even = "keys = 1000\narrivals = { dist = \"constant\", rate = \"500/s\" }";
    let together = edge("ttl = \"10s\", warm = 1000, coalesce = true", even, "");
    let spread = edge("ttl = \"10s\", warm = 1000, coalesce = true, jitter = 0.5", even, "");
    let cold = edge("ttl = \"10s\", coalesce = true", even, "");
    // Of 50 requests in a tenth of a second all miss just after 10 s. With half of the time to live as jitter
    // 200 of 1,000 keys expire in a second, each is asked about every 2 s: at most 0.4 (1 - exp(-2.5)) are away.
    assert!(peak(&together) >= 48.0, "{}", peak(&together));
    assert!(peak(&spread) < 28.0, "{}", peak(&spread));
    // A cache that starts warm asks the origin for nothing in its first seconds.
    let early = |run: &RunRecord| {
        let record = run.metrics.iter().find(|record| record.name == "cache_misses").expect("a metric");
        record.samples.iter().filter(|s| s.0 < 2_000_000_000).map(|s| s.2).sum::<f64>()
    };
    assert!(early(&together) < 0.5 && early(&cold) > 500.0, "{}", early(&cold));
}

#[test]
fn answers_are_outdated_as_often_as_their_time_to_live_says() {
    let keys = "keys = 100\narrivals = { dist = \"poisson\", rate = \"500/s\" }";
    let share = |more: &str| {
        let run = edge(&format!("ttl = \"7s\", coalesce = true, changes = \"31s\"{more}"), keys, "");
        total(&run, "outdated", "edge") as f64 / run.requests.len() as f64
    };
    // After a change an entry lives on for half of its time on average, once in 31 s; between two entries it
    // takes 0.2 s until somebody asks, and a tenth of a second to fetch.
    let expected = 7.0 / 2.0 / 31.0 * 7.0 / 7.3;
    // 200 changes, each uniform: a standard deviation of 4 %.
    assert!((share("") / expected - 1.0).abs() < 0.16, "{} against {expected}", share(""));
    // With invalidation only what changes while it is on its way, a tenth of a second, can be outdated.
    assert!(share(", invalidate = true") < 0.001, "{}", share(", invalidate = true"));
}

#[test]
fn old_answers_outlive_the_origin() {
    let keys = "keys = 50\narrivals = { dist = \"constant\", rate = \"100/s\" }";
    let down =
        "[[fault]]\nname = \"f\"\nkind = \"crash\"\ntarget = \"origin\"\nat = \"20s\"\nfor = \"30s\"\n";
    let good = |cache: &str| {
        let run = edge(cache, keys, down);
        let hung = run.requests.iter().filter(|r| (31_000_000_000..50_000_000_000).contains(&r.arrived_ns));
        hung.clone().filter(|r| r.outcome == Outcome::Ok).count() as f64 / hung.count() as f64
    };
    // Everything has expired by 31 s.
    assert!(good("ttl = \"10s\"") < 0.01);
    assert!(good("ttl = \"10s\", stale = \"60s\"") > 0.999);
    // Answers from just before the outage are 25 s old at most until 45 s.
    let some = good("ttl = \"10s\", stale = \"25s\"");
    assert!((0.2..0.8).contains(&some), "{some}");
}

const TABLE: &str = include_str!("../data/cache_coldstart.csv");

/// Mean hit rate of the table from 30 s on.
fn published(name: &str) -> f64 {
    let rows = TABLE.lines().filter(|line| line.ends_with(name) && !line.starts_with('#'));
    let late = rows.filter_map(|line| {
        let cells: Vec<f64> = line.split(',').take(4).filter_map(|cell| cell.parse().ok()).collect();
        (cells.len() == 4 && cells[0] > 30.0).then(|| cells[3])
    });
    murphy_reports::mean(&late.collect::<Vec<f64>>())
}

#[test]
fn a_cold_cache_recovers_as_slowly_as_its_origin_allows() {
    // A cache of 1,000 entries, least recently used, full of the most popular; 1,000 requests a second by
    // Zipf's law with exponent 1.3; emptied at 4 s. The origin lets so many fetches through a second.
    let rate = |limit: u64| {
        let run = run(
            &format!(
                "duration = \"60s\"\n\
                 [[service]]\nname = \"edge\"\nconcurrency = 100000\nwork = \"0s\"\n\
                 calls = [{{ to = \"origin\", policy = \"p\", cache = {{ entries = 1000, ttl = \"1h\", warm = 1000 }} }}]\n\
                 [[service]]\nname = \"origin\"\nconcurrency = 100000\nwork = \"1ms\"\n\
                 [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"edge\"\ndeadline = \"1s\"\nprobe = \"0s\"\n\
                 keys = 5000000\nzipf = 1.3\narrivals = {{ dist = \"constant\", rate = \"1000/s\" }}\n\
                 [policy.p]\nrate_limit = {{ limit = {limit}, period = \"1s\" }}\n\
                 [[fault]]\nname = \"flush\"\nkind = \"crash\"\ntarget = \"edge\"\nat = \"4s\"\nfor = \"1ms\"\n"
            ),
            1,
        );
        let of = |counter: &str| {
            let record = run.metrics.iter().find(|record| record.name == counter).expect("a metric");
            record.samples.iter().filter(|s| s.0 > 30_000_000_000).map(|s| s.2).sum::<f64>()
        };
        of("cache_hits") / (of("cache_hits") + of("cache_misses"))
    };
    let mut before = 0.0;
    for (limit, name) in [(5, "backend_0.5%"), (10, "backend_1%"), (20, "backend_2%"), (100, "backend_10%")] {
        let (seen, expected) = (rate(limit), published(name));
        assert!(seen > before, "{name}: {seen} after {before}");
        // One run each: 30 windows of 1,000 requests have a standard deviation of 0.003, the order in which
        // keys come back adds about 0.01.
        assert!((seen - expected).abs() < 0.03, "{name}: {seen}, published {expected}");
        before = seen;
    }
}
