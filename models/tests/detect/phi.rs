//! Phi-accrual against published values: closed forms to 30 digits, printed to ten.

use murphy_models::detect::phi::Tail;

const TRUTH: &str = include_str!("../data/phi_accrual.csv");

/// The expected value of a row, and how far its ten printed digits are from the exact one at most.
fn truth(id: &str) -> (f64, f64) {
    let row = TRUTH.lines().find(|row| row.split(',').next() == Some(id)).expect("a row with this id");
    // The third field may be quoted, so fields are counted from the end.
    let value: f64 = row.rsplit(',').nth(1).and_then(|field| field.parse().ok()).expect("a number");
    let digits = row.rsplit(',').nth(1).map_or(0, |field| field.split('.').nth(1).map_or(0, str::len));
    (value, 0.5 * libm::pow(10.0, -(digits as f64)))
}

#[track_caller]
fn check(id: &str, found: f64) {
    let (expected, rounding) = truth(id);
    assert!((found - expected).abs() <= rounding * 1.01, "{id}: found {found}, expected {expected}");
}

#[test]
fn akka_suspects_when_published() {
    check("PHI-akka-0-8", Tail::Logistic.silence(8.0, 1000.0, 100.0));
    check("PHI-akka-0-12", Tail::Logistic.silence(12.0, 1000.0, 100.0));
    check("PHI-akka-3000-12", Tail::Logistic.silence(12.0, 4000.0, 100.0));
    check("PHIv-1500", Tail::Logistic.phi(1500.0, 1000.0, 100.0));
    check("PHIv-1000", Tail::Logistic.phi(1000.0, 1000.0, 100.0));
}

#[test]
fn cassandra_suspects_when_published() {
    check("PHI-cass-5", Tail::Exponential.silence(5.0, 1000.0, 0.0));
    check("PHI-cass-8", Tail::Exponential.silence(8.0, 1000.0, 0.0));
}

#[test]
fn the_paper_suspects_at_the_exact_quantile() {
    check("PHI-exact", Tail::Normal.quantile(8.0));
}

#[test]
fn the_variants_differ() {
    // One threshold means three different silences: no variant can stand in for another.
    let silence = |tail: Tail| tail.silence(8.0, 1000.0, 100.0);
    let (akka, exact, cassandra) =
        (silence(Tail::Logistic), silence(Tail::Normal), silence(Tail::Exponential));
    assert!(exact - akka > 38.0 && exact - akka < 39.0, "{akka} {exact}");
    assert!(cassandra > 11.0 * exact, "{cassandra} {exact}");
}
