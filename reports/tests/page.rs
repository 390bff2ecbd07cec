//! The report page, whole: from records to HTML.

mod sample;

use std::collections::BTreeMap;

use base64::Engine;
use murphy_reports::{
    Batch, BatchBuilder, BatchInfo, End, FaultRecord, Outcome, RunRecord, RunSummary, page,
};
use sha2::{Digest, Sha256};

fn batch_of(info: BatchInfo, records: &[RunRecord]) -> Batch {
    let mut builder = BatchBuilder::new(info);
    for record in records {
        builder.add(RunSummary::of(record));
    }
    builder.finish(Vec::new())
}

/// Texts of the elements with this start tag.
fn elements<'a>(html: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    html.split(start).skip(1).filter_map(|rest| rest.split_once(end)).map(|(text, _)| text).collect()
}

fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// Writes pages for the eye: `target/tmp/*.html`.
#[test]
fn pages_are_small_and_made_of_nothing_but_themselves() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let pages = [
        ("one-run", page(&sample::batch(1..=1))),
        ("twenty-runs", page(&sample::batch(1..=20))),
        ("sweep", page(&sample::sweep())),
    ];
    assert!(
        pages[2].1.contains(" of 12 points; windows.csv beside this page holds all"),
        "a cut that is not said"
    );
    for (name, html) in &pages {
        std::fs::write(folder.join(format!("{name}.html")), html).expect("the folder is there");
        assert!(html.len() < 2_000_000, "{name} has {} bytes", html.len());
        for forbidden in ["http://", "https://", "url(", "@import", "<img", "<iframe", " src=", "style=\""] {
            assert!(!html.contains(forbidden), "{name} holds {forbidden:?}");
        }
    }
}

#[test]
fn the_policy_allows_exactly_this_script_and_this_style() {
    let html = page(&sample::batch(1..=1));
    let policy = elements(&html, "http-equiv=\"Content-Security-Policy\" content=\"", "\"")[0];
    // The template may escape a quote inside an attribute; browsers read it back.
    let policy = policy.replace("&#39;", "'").replace("&#43;", "+");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let scripts = elements(&html, "<script>", "</script>");
    assert_eq!(scripts.len(), 1);
    assert!(policy.contains(&format!("script-src 'sha256-{}'", hash(scripts[0]))), "{policy}");
    let styles = elements(&html, "<style>", "</style>");
    assert_eq!(styles.len(), 1);
    assert!(policy.contains(&format!("style-src 'sha256-{}'", hash(styles[0]))), "{policy}");
    assert!(html.find("Content-Security-Policy") < html.find("<style>"), "the policy comes first");
}

#[test]
fn the_same_batch_gives_the_same_bytes() {
    assert_eq!(page(&sample::batch(1..=3)), page(&sample::batch(1..=3)));
}

#[test]
fn every_fault_is_named_in_the_lanes_and_one_that_hit_nothing_says_so() {
    let html = page(&sample::batch(1..=1));
    let lanes = elements(&html, "<figure id=\"p0-faults\">", "</figure>")[0];
    let wide = elements(lanes, "<svg class=\"plot wide\"", "</svg>")[0];
    for name in ["split {r0,r1}|{r2,r3}", "r2 disk 10x slower", "3% loss r1-r3", "clock jump r3"] {
        assert!(wide.contains(name), "{name} has no lane");
        let series = elements(&html, "<figure id=\"p0-latency\">", "</figure>")[0];
        for class in ["wide", "medium", "narrow"] {
            let plot = elements(series, &format!("<svg class=\"plot {class}\""), "</svg>")[0];
            assert!(plot.contains(name), "{name} is not above the {class} plot");
        }
    }
    assert!(wide.contains("clock-jump r3: hit nothing"), "{wide}");
    assert!(html.contains("fault clock jump r3 hit nothing in seed 1"));
}

#[test]
fn what_the_scenario_says_cannot_become_markup() {
    let evil = "</script><script>alert('x')</script><img src=x>&\"\u{2028}]]>";
    let mut record = sample::record(1);
    record.scenario = evil.to_owned();
    record.faults[0].name = evil.to_owned();
    record.faults[0].target = evil.to_owned();
    record.workloads[0].name = evil.to_owned();
    record.workloads[0].ops[0] = evil.to_owned();
    record.messages[0].kind = evil.to_owned();
    record.properties[0].name = evil.to_owned();
    record.node_hashes[0].0 = evil.to_owned();
    record.point = vec![(evil.to_owned(), evil.to_owned())];
    let text = || evil.to_owned();
    let info = BatchInfo {
        scenario: text(),
        about: text(),
        file: text(),
        command: text(),
        engine: text(),
        run_id: text(),
        resolved: text(),
    };
    let html = page(&batch_of(info, &[record]));
    assert!(!html.contains("<script>alert"), "markup from a name");
    assert!(!html.contains("<img"), "markup from a name");
    assert_eq!(html.matches("</script>").count(), 2, "only the page's own scripts end");
    let data = elements(&html, "<script type=\"application/json\" id=\"plots\">", "</script>")[0];
    let plots: serde_json::Value = serde_json::from_str(data).expect("the data is JSON");
    assert_eq!(plots["faults"]["p0"][0]["name"], evil, "the name survives as it is");
}

#[test]
fn the_crosshair_has_a_row_of_words_for_every_point() {
    let html = page(&sample::batch(1..=1));
    let data = elements(&html, "<script type=\"application/json\" id=\"plots\">", "</script>")[0];
    let mut data: serde_json::Value = serde_json::from_str(data).expect("the data is JSON");
    let plots: Vec<serde_json::Value> = serde_json::from_value(data["plots"].take()).expect("a list");
    assert!(plots.len() >= 4, "{} charts move", plots.len());
    for plot in plots {
        let id = plot["id"].as_str().expect("a plot has an id");
        let figure = elements(&html, &format!("<figure id=\"{id}\">"), "</figure>")[0];
        let points = plot["x"].as_array().expect("a plot has points").len();
        let body = elements(figure, "<tbody>", "</tbody>")[0];
        assert_eq!(body.matches("<tr>").count(), points, "{id}");
        for series in plot["series"].as_array().expect("a plot has series") {
            assert_eq!(series["y"].as_array().map(Vec::len), Some(points), "{id}");
        }
    }
}

/// Runs that end early, were empty, or have nothing but zeros must not break a plot.
#[test]
fn poor_records_make_pages_too() {
    let whole = sample::record(1);
    let mut bare = whole.clone();
    (bare.requests, bare.probes, bare.marks, bare.faults) = (vec![], vec![], vec![], vec![]);
    (bare.messages, bare.properties, bare.metrics, bare.workloads) = (vec![], vec![], vec![], vec![]);
    let mut one = whole.clone();
    one.requests.truncate(1);
    let mut none_good = whole.clone();
    none_good.requests.iter_mut().for_each(|request| request.outcome = Outcome::Failed);
    none_good.probes.iter_mut().for_each(|probe| probe.outcome = Outcome::Timeout);
    let mut instant = whole.clone();
    instant.end = End::Limit { limit: "events".to_owned(), at_ns: 0 };
    let mut zero = bare.clone();
    zero.duration_ns = 0;
    let mut constant = whole.clone();
    for request in &mut constant.requests {
        request.outcome = Outcome::Ok;
        request.done_ns = Some(request.arrived_ns + 5_000_000);
    }
    for (name, record, sentence) in [
        ("bare", bare, "There were no probes"),
        ("one", one, "Availability"),
        ("none good", none_good, "no correct reply"),
        ("instant", instant, "did not finish"),
        ("zero", zero, "no fault was injected"),
        ("constant", constant, "5 ms"),
    ] {
        let html = page(&batch_of(sample::info(), &[record]));
        assert!(html.contains(sentence), "{name}: no {sentence:?}");
        let words = html.split("<script").next().expect("a split has a first part");
        assert!(!words.contains("NaN") && !words.contains(">inf"), "{name}");
    }
    assert!(page(&batch_of(BatchInfo::default(), &[])).contains("INCONCLUSIVE"));
}

#[test]
fn very_many_faults_share_lanes_and_nothing_is_cut_in_silence() {
    let mut record = sample::record(1);
    record.faults = (0..5_000)
        .map(|index| FaultRecord {
            name: format!("crash-{index}"),
            kind: "crash".to_owned(),
            target: format!("r{}", index % 4),
            start_ns: index * 24_000_000,
            end_ns: Some(index * 24_000_000 + 12_000_000),
            persistence: murphy_reports::Persistence::Transient,
            cause: String::new(),
            origin: String::new(),
            hits: BTreeMap::from([("crashes".to_owned(), 1)]),
        })
        .collect();
    let html = page(&batch_of(sample::info(), &[record]));
    assert!(html.contains("5000 faults; those of one kind and target share a lane"));
    assert!(html.contains("more, named in the table of faults"));
    assert!(html.contains("<td>crash-999</td>"), "the table holds many");
    assert!(html.contains("of 5\u{202f}000 rows; faults.csv beside this page holds all"));
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
}
