//! The bytes that leave the crate: CSV, JSON, the manifest, and the summary on a terminal.

mod common;

use common::{empty, eventful};
use murphy_reports::{
    Batch, BatchBuilder, BatchInfo, End, ExpectationResult, ExpectationSummary, Judgement, Over,
    PropertyRecord, RunRecord, RunSummary, Verdict, WIDTH, faults_csv, files, incidents_csv, manifest,
    read_result_json, result_json, summary_csv, terminal_summary, windows_csv, windows_csv_header,
    windows_csv_rows,
};

fn info() -> BatchInfo {
    BatchInfo {
        scenario: "hand-built".to_owned(),
        about: "Does a primary that crashes come back in time?".to_owned(),
        file: "scenarios/hand-built.toml".to_owned(),
        command: "murphy run scenarios/hand-built.toml --seed 1".to_owned(),
        engine: "0.1.0".to_owned(),
        run_id: "8f3a21c0".to_owned(),
        resolved: "name = \"hand-built\"\n".to_owned(),
    }
}

fn result(text: &str, line: u32, observed: &str, limit: &str, verdict: Judgement) -> ExpectationResult {
    ExpectationResult {
        text: text.to_owned(),
        file: "scenarios/hand-built.toml".to_owned(),
        line,
        observed: observed.to_owned(),
        limit: limit.to_owned(),
        verdict,
    }
}

fn one(results: &[ExpectationResult]) -> Vec<ExpectationSummary> {
    let summary = |result| {
        let mut summary = ExpectationSummary::new(result, &[], Over::EverySeed);
        summary.add(1, result);
        summary
    };
    results.iter().map(summary).collect()
}

fn batch(runs: impl IntoIterator<Item = RunRecord>, expectations: Vec<ExpectationSummary>) -> Batch {
    let mut builder = BatchBuilder::new(info());
    for run in runs {
        builder.add(RunSummary::of(&run));
    }
    builder.finish(expectations)
}

fn single() -> Batch {
    let expectations = one(&[
        result("always(kv.agreement)", 47, "held, 812 checks", "", Judgement::Pass),
        result("mitigation(crash-primary) < 2s", 61, "3.21 s", "< 2 s", Judgement::Fail),
        result("p99(latency{op='put'}) < 400ms in steady", 58, "81 ms", "< 400 ms", Judgement::Pass),
    ]);
    batch([eventful(1)], expectations)
}

fn many() -> Batch {
    let mut summary = ExpectationSummary::new(
        &result("mitigation(crash-primary) < 4s", 61, "", "< 4 s", Judgement::Pass),
        &[],
        Over::SharePpm(950_000),
    );
    for seed in 1..=20 {
        let verdict = if seed > 17 { Judgement::Fail } else { Judgement::Pass };
        let observed = format!("{}.{} s", 3 + seed / 5, seed % 5 * 2);
        summary.add(seed, &result("mitigation(crash-primary) < 4s", 61, &observed, "< 4 s", verdict));
    }
    batch((1..=20).map(eventful), vec![summary])
}

fn sweep() -> Batch {
    let at = |policy: &str, seed: u64| {
        let mut run = eventful(seed);
        run.point = vec![("policy".to_owned(), policy.to_owned()), ("load".to_owned(), "800/s".to_owned())];
        run
    };
    batch(
        [at("naive", 1), at("naive", 2), at("budget, \"small\"", 1), at("budget, \"small\"", 2)],
        Vec::new(),
    )
}

#[test]
fn the_summary_of_one_run() {
    insta::assert_snapshot!(terminal_summary(&single(), false));
}

#[test]
fn the_summary_of_many_seeds() {
    insta::assert_snapshot!(terminal_summary(&many(), false));
}

#[test]
fn the_summary_of_a_sweep() {
    insta::assert_snapshot!(terminal_summary(&sweep(), false));
}

#[test]
fn the_summary_when_nothing_failed_or_nothing_was_seen() {
    let mut quiet = eventful(1);
    quiet.probes = common::probes_except(&quiet, &[]);
    quiet.requests.retain(|request| request.arrived_ns < 20 * common::S);
    let mut other = quiet.clone();
    other.seed = 2;
    let text = terminal_summary(&batch([quiet.clone(), other], Vec::new()), false);
    assert!(text.contains("by requests  >= 1.56 nines"), "a bound, not 0 ± 0:\n{text}");
    let text = terminal_summary(&batch([quiet], Vec::new()), false);
    assert!(text.contains("by requests  100 %  no interval from one run"), "{text}");
    let text = terminal_summary(&batch([empty()], Vec::new()), false);
    assert!(text.contains("by requests  no samples"), "{text}");
    assert!(text.contains("by time      no samples"), "{text}");
    let nothing = batch([], Vec::new());
    assert_eq!((nothing.verdict, nothing.exit_code()), (Judgement::Inconclusive, 5));
    assert!(terminal_summary(&nothing, false).starts_with("INCONCLUSIVE"));
}

#[test]
fn the_summary_fits_and_colours_change_no_words() {
    for batch in [single(), many(), sweep()] {
        let plain = terminal_summary(&batch, false);
        for line in plain.lines() {
            assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
        }
        assert!(!plain.contains('\u{1b}'));
        let colored = terminal_summary(&batch, true);
        assert!(colored.contains("\u{1b}["));
        let mut stripped = String::new();
        for (index, part) in colored.split('\u{1b}').enumerate() {
            stripped.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_eq!(stripped, plain);
    }
}

#[test]
fn the_tables() {
    let batch = sweep();
    insta::assert_snapshot!("summary_csv", summary_csv(&batch.runs));
    insta::assert_snapshot!("incidents_csv", incidents_csv(&batch.runs));
    insta::assert_snapshot!("faults_csv", faults_csv(&batch.runs));
    let windows = windows_csv(&batch.runs);
    insta::assert_snapshot!("windows_csv", windows.lines().take(12).collect::<Vec<_>>().join("\n"));
    // Only the first run of a point keeps its course; a writer that streams gives the same bytes.
    let mut streamed = windows_csv_header();
    batch.runs.iter().for_each(|run| streamed.push_str(&windows_csv_rows(run)));
    assert_eq!(streamed, windows);
    assert!(windows.lines().all(|line| !line.contains(",2,0,offered")), "the second seed has no windows");
    let mut reader = csv::Reader::from_reader(windows.as_bytes());
    assert!(reader.records().all(|row| row.unwrap().len() == 6));
}

#[test]
fn result_json_is_read_back() {
    for batch in [single(), many(), sweep()] {
        let text = result_json(&batch);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema"], 1);
        assert_eq!(value["exit_code"], u64::from(batch.exit_code()));
        assert_eq!(value["runs"][0]["trace_hash"], format!("{:016x}", batch.runs[0].trace_hash));
        let read = read_result_json(&text).unwrap();
        assert_eq!(read.info, batch.info);
        for (read, run) in read.runs.iter().zip(&batch.runs) {
            assert_eq!((read.seed, read.trace_hash, &read.end), (run.seed, run.trace_hash, &run.end));
            assert_eq!((&read.incidents, &read.faults), (&run.incidents, &run.faults));
            assert_eq!(read.workloads[0].ops[0].latency, run.workloads[0].ops[0].latency);
        }
        assert_eq!(result_json(&read), text, "writing what was read gives the same bytes");
    }
    let error = read_result_json("{\"schema\": 2}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "result.json has schema 2, but this build reads schema 1: run the scenario again"
    );
    assert!(read_result_json("{").unwrap_err().to_string().starts_with("result.json cannot be read: "));
}

#[test]
fn the_manifest_covers_every_file() {
    let files = files(&sweep());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["faults.csv", "incidents.csv", "result.json", "summary.csv", "windows.csv"]);
    let text = manifest(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    assert_eq!(text.lines().count(), 5);
    for ((name, bytes), line) in files.iter().zip(text.lines()) {
        assert_eq!(line, format!("{}  {name}", blake3::hash(bytes).to_hex()));
    }
}

#[test]
fn the_verdict_of_a_batch() {
    let with = |change: fn(&mut RunRecord)| {
        let mut run = eventful(1);
        change(&mut run);
        run
    };
    let property = |verdict| PropertyRecord { name: "kv.agreement".to_owned(), verdict, checked: 1 };
    let pass = one(&[result("a", 1, "", "", Judgement::Pass)]);
    let open = one(&[result("a", 1, "", "", Judgement::Inconclusive)]);
    let fail = one(&[result("a", 1, "", "", Judgement::Fail)]);
    assert_eq!(batch([eventful(1)], pass.clone()).exit_code(), 0);
    assert_eq!(batch([eventful(1)], open.clone()).exit_code(), 5);
    assert_eq!(batch([eventful(1)], [open, fail].concat()).exit_code(), 1, "1 > 5 > 0");
    let limit = with(|run| run.end = End::Limit { limit: "events".to_owned(), at_ns: 7 });
    assert_eq!(batch([limit, eventful(2)], pass.clone()).exit_code(), 5);
    let mut unknown = eventful(1);
    unknown.properties.push(property(Verdict::Unknown { message: "gave up".to_owned() }));
    assert_eq!(batch([eventful(2), unknown], pass.clone()).exit_code(), 5);
    let mut violated = eventful(1);
    violated.properties.push(property(Verdict::Violated {
        at_ns: 7,
        event: 3,
        message: "r1 and r2".to_owned(),
    }));
    assert_eq!(batch([violated], pass).exit_code(), 1, "even if no expectation asks");
}

#[test]
fn trace_hashes_fold_in_order() {
    let hash = |seeds: &[u64]| batch(seeds.iter().map(|&seed| eventful(seed)), Vec::new()).trace_hash;
    assert_eq!(hash(&[1]), eventful(1).trace_hash);
    assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
    assert_eq!(hash(&[1, 2]), hash(&[1, 2]));
}

#[test]
fn expectations_over_seeds() {
    use Judgement::{Fail, Inconclusive, Pass};
    let judge = |over: Over, verdicts: &[Judgement]| {
        let mut summary = ExpectationSummary::new(&result("a", 1, "", "", Judgement::Pass), &[], over);
        for (seed, &verdict) in verdicts.iter().enumerate() {
            summary.add(seed as u64, &result("a", 1, &format!("seed {seed}"), "", verdict));
        }
        summary
    };
    let most = Over::SharePpm(950_000);
    let cases: [(Over, Vec<Judgement>, Judgement, &str); 7] = [
        (Over::EverySeed, vec![], Inconclusive, ""),
        (Over::EverySeed, vec![Pass, Pass], Pass, "2 of 2 seeds, need 2"),
        (Over::EverySeed, vec![Pass, Fail, Inconclusive], Fail, "1 of 3 seeds, need 3"),
        (Over::EverySeed, vec![Pass, Inconclusive], Inconclusive, "1 of 2 seeds, need 2"),
        (most, [vec![Pass; 19], vec![Fail]].concat(), Pass, "19 of 20 seeds, need 19"),
        (most, [vec![Pass; 17], vec![Fail; 3]].concat(), Fail, "17 of 20 seeds, need 19"),
        (
            most,
            [vec![Fail], vec![Pass; 18], vec![Inconclusive]].concat(),
            Inconclusive,
            "18 of 20 seeds, need 19",
        ),
    ];
    for (over, verdicts, expected, text) in cases {
        let summary = judge(over, &verdicts);
        assert_eq!((summary.verdict, summary.seeds_text().as_str()), (expected, text), "{verdicts:?}");
    }
    assert_eq!(judge(Over::EverySeed, &[Pass, Fail, Fail]).observed, "seed 1", "the first that failed");
    // 7 % of 100 is 7, whatever floats make of it.
    assert_eq!(Over::SharePpm(70_000).needed(100), 7);
}

#[test]
fn pooling_takes_the_run_as_its_unit() {
    let batch = many();
    let point = &batch.points[0];
    assert_eq!(point.runs, 20);
    // Seed s is down from 19.91 s to 23.01 s + the next probe after s · 200 ms, of 55 s observed.
    let down: f64 =
        batch.runs.iter().map(|run| run.reliability.unwrap().down_ns as f64 / 55e9).sum::<f64>() / 20.0;
    let time = point.availability_by_time.as_ref().unwrap();
    assert!((time.point - (1.0 - down)).abs() < 1e-12);
    let interval = time.interval.as_ref().unwrap();
    assert!(interval.low < time.point && time.point < interval.high);
    assert_eq!(time.runs, 20);
    let between = point.mtbf_s.as_ref().unwrap().point;
    let parts = point.mttf_s.as_ref().unwrap().point + point.mttr_s.as_ref().unwrap().point;
    assert!((between - parts).abs() < 1e-9);
    assert!((between - 55.0).abs() < 1e-9, "one failure in each 55 s");
    let put = &point.latencies[0];
    assert_eq!((put.workload.as_str(), put.op.as_str(), put.quantiles_ms.len()), ("kv", "put", 4));
    assert_eq!(batch.runs.iter().filter(|run| run.detail.is_some()).count(), 1);
    // A run without failures beside one with some: a wide interval, not a crash.
    let mut quiet = eventful(1);
    quiet.probes = common::probes_except(&quiet, &[]);
    let mixed = self::batch([quiet, eventful(2)], Vec::new());
    let interval = mixed.points[0].availability_by_time.as_ref().unwrap().interval.clone().unwrap();
    assert!(interval.low.abs() < f64::EPSILON && interval.high < 1.0, "{interval:?}");
}

#[test]
fn a_large_batch_keeps_figures_without_distributions() {
    let mut builder = BatchBuilder::new(info()).keep_latencies(1);
    for seed in 1..=3 {
        builder.add(RunSummary::of(&eventful(seed)));
    }
    let small = builder.finish(Vec::new());
    let large = batch((1..=3).map(eventful), Vec::new());
    assert_eq!(small.points, large.points, "pooled figures use every run");
    assert_eq!(summary_csv(&small.runs), summary_csv(&large.runs));
    assert_eq!(small.runs[2].workloads[0].ops[0].latency.quantile_ns(0.5), None);
}
