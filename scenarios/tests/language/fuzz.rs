//! No input panics or hangs, and what is right reads back as itself.

use proptest::prelude::*;

use crate::fixture::{PARTITION, SMALL, STORM, document, scenario};

fn survive(text: &str, sets: &[&str]) {
    match document(text, sets) {
        Ok(document) => {
            for point in document.points().iter().take(3) {
                let mut first = point.resolve().expect("a checked point resolves");
                // A point has no axes, and so no comparisons.
                first.point.clear();
                first.figures.clear();
                assert_eq!(first, scenario(first.render(), &[]), "the frozen text of\n{text}");
            }
        }
        Err(wrong) => assert!(wrong.render(false).contains("error"), "something is said"),
    }
}

/// Text with a few bytes of it replaced by a piece.
fn mutate(text: &str, at: usize, length: usize, piece: &str) -> String {
    let bounds: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
    let from = bounds[at % bounds.len()];
    let to = bounds.get(at % bounds.len() + length).copied().unwrap_or(text.len());
    format!("{}{piece}{}", &text[..from], &text[to..])
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("999999999999999999999999".to_owned()),
        Just("\"".to_owned()),
        Just("[[".to_owned()),
        Just("{".to_owned()),
        Just("-1".to_owned()),
        Just("nan".to_owned()),
        Just("\"0s\"".to_owned()),
        Just("*".to_owned()),
        Just("é\u{0}".to_owned()),
        "[ -~]{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_read_or_refused(text in "\\PC{0,200}") {
        survive(&text, &[]);
    }

    #[test]
    fn mutated_examples_are_read_or_refused(
        which in 0usize..3, edits in proptest::collection::vec((0usize..3000, 0usize..12, piece()), 1..4)
    ) {
        let mut text = [PARTITION, STORM, SMALL][which].to_owned();
        for (at, length, piece) in edits {
            text = mutate(&text, at, length, &piece);
        }
        survive(&text, &[]);
    }

    #[test]
    fn arbitrary_expectations_are_read_or_refused(
        that in "[a-z0-9 ().*<>=+%{}',-]{0,40}", over in "[a-z0-9% ]{0,20}"
    ) {
        survive(&format!("{SMALL}\n[[expect]]\nthat = \"{that}\"\nover = \"{over}\"\n"), &[]);
    }

    #[test]
    fn mutated_expectations_are_read_or_refused(at in 0usize..60, length in 0usize..6, piece in "[a-z0-9().*<>=+%{}', -]{0,4}") {
        for that in ["p99(latency{op='put'}) + 3 * 2ms < 400ms in during(x)", "goodput >= 95% * offered in 1s..20s"] {
            let that = mutate(that, at, length, &piece);
            survive(&format!("{SMALL}\n[[expect]]\nthat = \"{that}\"\n"), &[]);
        }
    }

    #[test]
    fn arbitrary_overrides_are_read_or_refused(path in "[a-z.*0-9]{1,20}", value in "[ -~]{0,20}") {
        survive(SMALL, &[&format!("{path}={value}")]);
    }

    #[test]
    fn arbitrary_conditions_are_read_or_refused(test in "[a-b0-9 ()<>=!&|'/s]{0,30}") {
        let sweep = "[[sweep]]\naxis = \"a\"\nset = [\"network.drop\"]\nvalues = [0.1, 0.2]\n[design]\n";
        survive(&format!("{SMALL}\n{sweep}where = \"{test}\"\n"), &[]);
    }

    #[test]
    fn right_files_read_back_as_themselves(
        seed in 0u64..=i64::MAX as u64, nanos in 1u64.., drop in 0.0f64..=1.0, rate in 1e-6f64..1e9,
        sigma in 0.0f64..5.0, count in 1u64..40, bytes in 1u64.., ppm in -1e6f64..1e6
    ) {
        let text = format!(
            "seed = {seed}\n{}\n[limits]\nbytes = \"{bytes}B\"\n[network]\ndrop = {drop:?}\n\
             latency = {{ dist = \"lognormal\", mean = \"{nanos}ns\", sigma = {sigma:?} }}\n\
             [[node]]\nname = \"n\"\ncount = {count}\nmodel = \"pbft.client\"\nclock = {{ drift_ppm = {ppm:?} }}\n\
             [[workload]]\nname = \"w\"\nfrom = \"n*\"\narrivals = {{ dist = \"burst\", rate = \"{rate}/s\", size = 3 }}\n\
             deadline = \"{nanos}ns\"\nops = {{ put = {rate:?}, get = {drop:?} }}\n",
            SMALL.trim_start()
        );
        let first = scenario(&text, &[]);
        prop_assert_eq!(first.network.drop.to_bits(), drop.to_bits());
        prop_assert_eq!(first.workloads[1].arrivals.rate().map(f64::to_bits), Some(rate.to_bits()));
        prop_assert_eq!(first.workloads[1].deadline.0, nanos);
        prop_assert_eq!(&first, &scenario(first.render(), &[]));
    }
}
