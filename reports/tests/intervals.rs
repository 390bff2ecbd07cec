//! Intervals against figures that independent programs computed (`data/intervals.csv`, with its source).

use murphy_reports::{
    LEVEL, StatsError, batch_means, bootstrap_mean, clopper_pearson, downtime_f, log_scale,
    paired_difference, poisson_rate, ratio, samples_needed, student_t, sum_of_ratios, wilson,
    zero_events_bound,
};

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let scale = if expected == 0.0 { 1.0 } else { expected.abs() };
    assert!((found - expected).abs() <= tolerance * scale, "{what}: {found:e}, expected {expected:e}");
}

fn number_after(text: &str, key: &str) -> u64 {
    let from = text.find(key).unwrap_or_else(|| panic!("no {key} in {text}")) + key.len();
    text[from..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

#[test]
fn every_row_of_the_reference_table() {
    let table =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/intervals.csv")).unwrap();
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(table.as_bytes());
    let mut rows = 0;
    for row in reader.records() {
        let row = row.unwrap();
        let (parameters, quantity) = (&row[2], &row[3]);
        let expected: f64 = row[4].parse().unwrap();
        let interval = match quantity.split(' ').next().unwrap() {
            "CP" => clopper_pearson(number_after(parameters, "x="), number_after(parameters, "n="), LEVEL),
            "Wilson" => wilson(number_after(parameters, "x="), number_after(parameters, "n="), LEVEL),
            "rate" => {
                poisson_rate(number_after(parameters, "k="), number_after(parameters, "T=") as f64, LEVEL)
            }
            other => panic!("unknown quantity {other}"),
        }
        .unwrap();
        let found = if quantity.ends_with("low") { interval.low } else { interval.high };
        // Nine significant digits are printed.
        close(found, expected, 1e-9, &format!("{quantity} of {parameters}"));
        rows += 1;
    }
    assert_eq!(rows, 16);
}

#[test]
fn quantiles_from_printed_tables() {
    // Student's t: half-width of {-1, 1} is t(1; .975) and of twenty values t(19; .975) = 2.093024054 errors.
    let two = student_t(&[-1.0, 1.0], LEVEL).unwrap();
    close(two.high, 12.706_204_736_174_7, 1e-9, "t with one degree of freedom");
    let many: Vec<f64> = (0..20).map(|value| f64::from(value % 2)).collect();
    let interval = student_t(&many, LEVEL).unwrap();
    close(interval.high - 0.5, 2.093_024_054_408_31 * (0.25_f64 / 19.0).sqrt(), 1e-9, "t with 19");
    // F(2, 2): the quantile of p is p / (1 - p), so 39 at .975.
    let one = downtime_f(1, 1.0, 999.0, LEVEL).unwrap();
    close(one.low, 1.0 / (1.0 + 999.0 * 39.0), 1e-9, "F(2, 2) low");
    close(one.high, 39.0 / (39.0 + 999.0), 1e-9, "F(2, 2) high");
    // F(6, 6; .975) = 5.819757.
    let three = downtime_f(3, 1.0, 1.0, LEVEL).unwrap();
    close(three.high / three.low, 5.819_756_6, 1e-6, "F(6, 6)");
    // The rules of three.
    close(zero_events_bound(1.0, LEVEL).unwrap(), 2.995_732_273_553_99, 1e-12, "one-sided");
    close(poisson_rate(0, 1.0, LEVEL).unwrap().high, 3.688_879_454_113_94, 1e-12, "two-sided");
    // (1.96 / 0.1)² · 2 cycles = 768.3.
    assert_eq!(samples_needed(0.1, 2.0, LEVEL), Ok(769));
}

#[test]
fn scales_and_ratios() {
    let interval = log_scale(&[1.0, 3.0], LEVEL).unwrap();
    // mean 2, standard error 1: the factor is exp(12.7062 / 2).
    close(interval.low * interval.high, 4.0, 1e-12, "symmetric on the logarithm");
    close(interval.high, 2.0 * libm::exp(12.706_204_736_174_7 / 2.0), 1e-9, "log-scale high");
    // Equal runs agree exactly, whatever their ratio.
    let same = ratio(&[(6.0, 2.0), (9.0, 3.0)], LEVEL).unwrap();
    assert_eq!((same.low.to_bits(), same.high.to_bits()), (3.0_f64.to_bits(), 3.0_f64.to_bits()));
    // Ratio 10/4 with influences ±0.25 and an error of 0.5.
    let interval = ratio(&[(6.0, 2.0), (4.0, 2.0)], LEVEL).unwrap();
    close(interval.high / 2.5, libm::exp(12.706_204_736_174_7 * 0.5 / 2.5), 1e-9, "ratio");
    // Runs without anything to count do not make the only repair look certain.
    let alone = ratio(&[(6.0, 2.0), (0.0, 0.0), (0.0, 0.0)], LEVEL).unwrap_err();
    assert!(matches!(alone, StatsError::TooFew { found: 1, needed: 2, .. }), "{alone}");
    let sum = sum_of_ratios(&[&[(6.0, 2.0), (4.0, 2.0)], &[(4.0, 2.0), (6.0, 2.0)]], LEVEL).unwrap();
    close(sum.low, 5.0, 1e-12, "opposite errors cancel");
    let batches = batch_means(&[0.0, 2.0, 4.0, 6.0, 100.0], 2, LEVEL).unwrap();
    close(batches.low + batches.high, 6.0, 1e-12, "the left-over sample is not used");
}

#[test]
fn the_bootstrap_repeats_and_pairs_cancel() {
    let samples: Vec<f64> = (1..=20).map(f64::from).collect();
    let first = bootstrap_mean(&samples, 7).unwrap();
    assert_eq!(bootstrap_mean(&samples, 7).unwrap(), first);
    assert_ne!(bootstrap_mean(&samples, 8).unwrap(), first);
    // Standard error 1.29, so about 10.5 ± 2.5.
    assert!((7.6..8.6).contains(&first.low) && (12.4..13.4).contains(&first.high), "{first:?}");
    let shifted: Vec<f64> = samples.iter().map(|value| value + 3.0).collect();
    let difference = paired_difference(&samples, &shifted).unwrap();
    let interval = difference.interval.unwrap();
    assert_eq!([difference.point, interval.low, interval.high].map(f64::to_bits), [3.0_f64.to_bits(); 3]);
    let one = paired_difference(&[1.0], &[2.0]).unwrap();
    assert_eq!((one.interval, one.note.as_str()), (None, "no interval from one run"));
}

/// A generator of its own, so that the test does not lean on what it tests.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((*state >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

#[test]
fn coverage_is_what_an_independent_program_measured() {
    // Three complete exponential cycles: measured elsewhere log-scale .872 and F .959 with a random
    // number of cycles; with exactly three, F covers 95 % by construction.
    let mut state = 7;
    let (mut covered, mut mean_covered, trials) = (0_u32, 0_u32, 4_000);
    for _ in 0..trials {
        let mut exponential = |mean: f64| -mean * libm::log(uniform(&mut state));
        let down: [f64; 3] = std::array::from_fn(|_| exponential(1.0));
        let up: f64 = (0..3).map(|_| exponential(1_000.0)).sum();
        let interval = downtime_f(3, down.iter().sum(), up, LEVEL).unwrap();
        covered += u32::from((interval.low..=interval.high).contains(&(1.0 / 1_001.0)));
        let mean = log_scale(&down, LEVEL).unwrap();
        mean_covered += u32::from((mean.low..=mean.high).contains(&1.0));
    }
    let share = f64::from(covered) / f64::from(trials);
    assert!((0.94..0.96).contains(&share), "F covers {share}");
    let share = f64::from(mean_covered) / f64::from(trials);
    assert!((0.90..1.0).contains(&share), "log-scale t covers {share}");
}

#[test]
fn mistakes_are_explained() {
    let cases: [(Result<_, StatsError>, &str); 4] = [
        (
            wilson(3, 2, LEVEL),
            "3 successes in 2 trials is not a proportion: give 1 trial or more, and at most as many successes",
        ),
        (
            student_t(&[1.0], LEVEL),
            "Student's t needs 2 or more independent samples, found 1: run more seeds",
        ),
        (poisson_rate(0, 0.0, LEVEL), "time is 0, but must be positive and finite"),
        (wilson(1, 2, 95.0), "level is 95, but must be between 0 and 1"),
    ];
    for (result, text) in cases {
        assert_eq!(result.unwrap_err().to_string(), text);
    }
}
