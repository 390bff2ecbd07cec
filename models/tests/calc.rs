//! Calculators: laws that formulas must obey, what wrong arguments get, and what S0's figures should be.

use murphy_models::calc::{
    self, Calculation, Share, chain::Chain, component, queue, recovery, repair, slo, structure,
};
use proptest::prelude::*;

fn calculate(line: &str) -> Calculation {
    let mut words = line.split_whitespace();
    let name = words.next().expect("a calculator");
    let arguments: Vec<&str> = words.collect();
    calc::run(name, &arguments).unwrap_or_else(|error| panic!("calc {line}\n{error}"))
}

fn figure(line: &str, name: &str) -> f64 {
    let done = calculate(line);
    done.figure(name).unwrap_or_else(|| panic!("calc {line} has no figure {name}: {:?}", done.figures))
}

fn error(line: &str) -> String {
    let mut words = line.split_whitespace();
    let name = words.next().expect("a calculator");
    let arguments: Vec<&str> = words.collect();
    match calc::run(name, &arguments) {
        Ok(done) => panic!("calc {line} answers {:?}", done.figures),
        Err(error) => error.to_string(),
    }
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found:e}, expected {expected:e}");
}

#[test]
fn every_example_answers_and_states_its_assumptions() {
    let mut names = std::collections::BTreeSet::new();
    for form in calc::forms() {
        assert!(names.insert(form.name), "{} is there twice", form.name);
        let done = calculate(&format!("{} {}", form.name, form.example));
        assert!(
            !done.figures.is_empty() && !form.assumes.is_empty() && !form.source.is_empty(),
            "{}",
            form.name
        );
        for figure in &done.figures {
            assert!(figure.value.is_finite() && figure.value >= 0.0, "{}: {figure:?}", form.name);
        }
    }
    assert!(names.len() > 60, "{} calculators", names.len());
}

#[test]
fn wrong_arguments_are_all_told_at_once() {
    let text = error("k-of-n k=0 m=3 p=0.9,x p=1 word");
    for part in [
        "calc k-of-n: 5 arguments are wrong",
        "there is no `m`",
        "`p` is given twice",
        "`word` is no argument: write key=value",
        "k=0: must be a whole number from 1 to 1000",
        "try: murphy calc k-of-n k=2 p=0.999,0.995,0.999",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn single_mistakes_say_what_to_write() {
    for (line, part) in [
        ("k-of-m k=2", "there is no calculator `k-of-m`; did you mean k-of-n"),
        ("standby", "did you mean active-standby?"),
        ("mm1 lam=80 mu=100/s", "lam=80: no unit: write 80/s"),
        ("mm1 lam=80/sec mu=100/s", "unknown unit `/sec`: did you mean 80/s?"),
        ("mm1 lam=80/s", "`mu` is missing: requests that one server can serve"),
        ("mm1 lam=120/s mu=100/s", "the load is 1.200000: the queue grows without end"),
        ("availability mttf=10hours mttr=1h", "did you mean 10h?"),
        ("availability mttf=-1h mttr=1h", "must not be negative"),
        ("availability mttf=0h mttr=1h", "must be above zero"),
        ("availability mttf=1e999h mttr=1h", "not a number that fits a double"),
        ("2-of-3 p=1.5", "must be from 0 to 1, or 0% to 100%"),
        ("2-of-3 p=99.9ms", "write a plain number such as 0.001, or 0.1%"),
        ("k-of-n k=4 n=3 p=0.9", "k=4 of n=3 can never be up"),
        ("active-standby mttf=1h mttr=1h law=exq", "did you mean `exp`?"),
        ("quorum n=6 f=2 p=0.9 kind=byzantine", "n must be at least 3f + 1 = 7"),
        ("flexible-quorum n=5 elect=3 replicate=2 p=0.9", "their sum must exceed n"),
        ("component mttf=1h mttr=1h up=weibull", "weibull needs a shape: write weibull:2"),
        ("component mttf=1h mttr=1h up=gauss", "laws: exp, fixed, uniform"),
        ("nested-domains layout=3+x need=1 node=0.9", "`x` must be a whole number"),
        ("timeout sample=, target=0.9", "the list is empty"),
        ("correlation a=1h b=1h", "nothing to correlate"),
        ("nines", "write either a=99.9%"),
        ("drain lam=2/s mu=1/s stall=1s", "never drains"),
        ("availability mttf=1e20h mttr=1h", "must be from 1ns to 1e15s"),
        ("repairman k=1 n=200 mttf=1e14s mttr=1ns", "beyond what a double holds"),
    ] {
        let text = error(line);
        assert!(text.contains(part), "calc {line}: {part:?} is not in\n{text}");
        assert!(text.contains("murphy calc"), "calc {line} does not say what to type next:\n{text}");
    }
}

#[test]
fn probabilities_near_one_keep_their_digits() {
    // Ten nines: 1 - p in doubles would have six right digits.
    near(figure("parallel n=1 p=0.9999999999", "unavailability"), 1e-10);
    near(figure("parallel n=1 p=99.99999999%", "unavailability"), 1e-10);
    near(figure("2-of-3 p=99.9999999999%", "unavailability"), 3e-24);
}

#[test]
fn small_unavailabilities_are_exact() {
    // 9-of-9 down: (r/(1 + r))^9 with r = 1e-4, below 1e-36.
    let share: f64 = 1e-4 / (1.0 + 1e-4);
    let expected = (0..9).fold(1.0, |product, _| product * share);
    near(figure("repairman k=1 n=9 mttf=10000h mttr=1h", "unavailability"), expected);
}

#[test]
fn figures_of_s0_and_what_they_should_be() {
    let examples = calculate("seed-examples p=0.99");
    for (name, value) in [
        ("single", 0.99),
        ("parallel", 0.9999),
        ("2-of-3", 0.999_702),
        ("active-standby as printed", 0.999_801),
        // The chain in exact fractions.
        ("active-standby: unavailability", 1.171_523_739_014_359_4e-4),
    ] {
        near(examples.figure(name).expect(name), value);
    }
    near(figure("roi", "ROI"), 8.0);
    assert!(calculate("roi").notes.iter().any(|note| note.contains("710 %") && note.contains("800 %")));
    near(figure("mtbf k=1 n=3 mttf=8760h", "MTTF without repair") / 3600.0, 16_060.0);
    let told = calculate("mtbf k=1 n=3 mttf=8760h").notes.join("\n");
    assert!(told.contains("26280 h") && told.contains("16060"), "{told}");
    let table = calculate("cost-table");
    let hours = |name: &str| table.figure(&format!("{name}: downtime a year")).expect(name) / 3600.0;
    for (row, down) in [
        ("single instance", 87.6),
        ("primary + cold standby", 43.8),
        ("primary + warm standby", 8.76),
        ("active-active, 2 nodes", 52.56 / 60.0),
        ("active-active, 3 nodes", 5.256 / 60.0),
        ("geo-distributed, 5 regions", 31.536 / 3600.0),
    ] {
        near(hours(row), down);
    }
    let verdicts = |word: &str| table.notes.iter().filter(|note| note.contains(word)).count();
    assert_eq!(
        (verdicts(": right"), verdicts(": simplified"), verdicts(": wrong")),
        (2, 2, 2),
        "{:?}",
        table.notes
    );
    // Votes: 2f + 1 is enough for n = 3f + 1 only.
    assert!(calculate("quorum n=4 p=0.9 kind=byzantine").notes.is_empty());
    near(figure("quorum n=5 p=0.9 kind=byzantine", "quorum"), 4.0);
    assert!(calculate("quorum n=5 p=0.9 kind=byzantine").notes[0].contains("unsafe"));
}

#[test]
fn the_time_out_is_not_off_by_one() {
    let sample: Vec<String> = (1..=100).map(|ms| format!("{ms}ms")).collect();
    let line = format!("timeout target=0.99 sample={}", sample.join(","));
    near(figure(&line, "time-out"), 0.099);
    near(figure(&line, "S0's figure"), 0.1);
    near(figure(&line, "share cut"), 0.01);
    // S0's index is past the end of its list here.
    assert!(calculate("timeout target=1 sample=1s,2s").figure("S0's figure").is_none());
    near(figure("timeout target=1 sample=1s,2s", "time-out"), 2.0);
}

#[test]
fn correlation_counts_the_last_event() {
    // Windows of an hour: (1, 0, 1) and (1, 0, 1) are the same, (1, 0, 1) and (0, 1, 0) opposite.
    near(figure("correlation a=0s,2h b=0.5h,2h", "correlation"), 1.0);
    near(-calc::sample::window_correlation(&[0.0, 2.0], &[1.0], 1.0, 0.0, 2.0).expect("varies"), 1.0);
    assert_eq!(calc::sample::window_correlation(&[0.0], &[0.5], 1.0, 0.0, 0.5), None, "one window");
    assert_eq!(calc::sample::window_correlation(&[], &[0.5], 1.0, 0.0, 3.0), None, "no event");
}

#[test]
fn down_time_is_a_union_clipped_to_the_window() {
    near(slo::down_time(&[(0.0, 10.0), (5.0, 10.0), (95.0, 10.0), (200.0, 5.0)], 100.0), 20.0);
    near(slo::down_time(&[(0.0, 50.0), (10.0, 5.0), (20.0, 5.0)], 100.0), 50.0);
    let overlap = "window-availability starts=0s,0s lengths=1h,1h window=10h";
    near(figure(overlap, "availability"), 0.9);
    near(figure(overlap, "S0's figure"), 0.8);
}

#[test]
fn alerts_fire_at_equality() {
    // An error rate of exactly 14.4 budgets fires when the hour is full; a little less never does.
    near(figure("burn-alert slo=99.9% error=1.44%", "time to alert"), 3600.0);
    assert!(calculate("burn-alert slo=99.9% error=1.43%").figure("time to alert").is_none());
}

fn share() -> impl Strategy<Value = Share> {
    (0.001..0.999_f64).prop_map(Share::new)
}

proptest! {
    #[test]
    fn more_redundancy_is_never_worse(up in proptest::collection::vec(share(), 1..8)) {
        let slack = 1.0 + 1e-12;
        let best = up.iter().map(|share| share.no).fold(1.0, f64::min);
        let worst = up.iter().map(|share| share.no).fold(0.0, f64::max);
        prop_assert!(structure::parallel(&up) <= best * slack);
        prop_assert!(structure::series(&up) * slack >= worst);
        let downs: Vec<f64> = (1..=up.len()).map(|k| structure::k_of_n(k, &up)).collect();
        prop_assert!(downs.windows(2).all(|pair| pair[0] <= pair[1] * slack), "needing more is worse: {downs:?}");
        prop_assert!((downs[0] / structure::parallel(&up) - 1.0).abs() < 1e-9, "1-of-n is parallel");
        prop_assert!((downs[up.len() - 1] / structure::series(&up) - 1.0).abs() < 1e-9, "n-of-n is series");
    }

    #[test]
    fn own_crews_are_independent_components(n in 1_u64..8, k in 1_u64..8, mttf in 1.0..1e4_f64, mttr in 0.01..10.0_f64) {
        prop_assume!(k <= n);
        let system = repair::Repairable { needed: k, spares: n - k, dormancy: 1.0, mttf, mttr, crews: n };
        let up = vec![Share::of(mttf, mttr); usize::try_from(n).expect("small")];
        let formula = structure::k_of_n(usize::try_from(k).expect("small"), &up);
        let solved = system.solve();
        prop_assert!((solved.unavailability / formula - 1.0).abs() < 1e-9, "{} and {formula}", solved.unavailability);
        // Fewer crews are never better, and a first failure comes no later than without repair would allow.
        let one = repair::Repairable { crews: 1, ..system }.solve();
        prop_assert!(one.unavailability >= solved.unavailability * (1.0 - 1e-12));
        prop_assert!(solved.first_failure >= repair::mttf_without_repair(k, n, mttf) * (1.0 - 1e-9));
    }

    #[test]
    fn a_chain_of_two_states_is_its_formula(fail in 1e-9..1.0_f64, repair in 1e-3..1e3_f64, t in 0.0..50.0_f64) {
        let mut chain = Chain::new(2);
        chain.add(0, 1, fail);
        chain.add(1, 0, repair);
        let down = chain.share(|state| state == 1);
        prop_assert!((down / (fail / (fail + repair)) - 1.0).abs() < 1e-12);
        prop_assert!((chain.time_to(|state| state == 1) * fail - 1.0).abs() < 1e-12);
        let cycle = chain.frequency(|state| state == 1) * (1.0 / fail + 1.0 / repair);
        prop_assert!((cycle - 1.0).abs() < 1e-12);
        prop_assume!((fail + repair) * t < 1e4);
        let expected = fail / (fail + repair) * -libm::expm1(-(fail + repair) * t);
        let found = component::down_at(t, 1.0 / fail, 1, 1.0 / repair, 1);
        prop_assert!((found - expected).abs() <= 1e-9 * expected + 1e-300, "{found:e} {expected:e}");
    }

    #[test]
    fn one_of_several_servers_is_one_server(lam in 0.01..0.99_f64, quantile in 0.01..0.999_f64) {
        let queue = queue::Markov { arrivals: lam, service: 1.0, servers: 1 };
        prop_assert!((queue.waits() / lam - 1.0).abs() < 1e-9);
        prop_assert!((queue.mean_sojourn() * (1.0 - lam) - 1.0).abs() < 1e-9);
        let time = queue.sojourn_quantile(quantile);
        prop_assert!((queue.sojourn_exceeds(time) / (1.0 - quantile) - 1.0).abs() < 1e-9);
        // Room without end is no limit; room for the servers only is Erlang B.
        let room = queue::finite(queue, 5000);
        prop_assert!((room.mean_sojourn / queue.mean_sojourn() - 1.0).abs() < 1e-6);
        let servers = queue::Markov { servers: 3, ..queue };
        prop_assert!((queue::finite(servers, 3).blocked / queue::erlang_b(lam, 3) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn patience_without_end_is_erlang_c(lam in 0.1..3.5_f64) {
        let queue = queue::Markov { arrivals: lam, service: 1.0, servers: 4 };
        let patient = queue::erlang_a(queue, 1e-5);
        prop_assert!((patient.waits / queue.waits() - 1.0).abs() < 1e-3, "{} {}", patient.waits, queue.waits());
        // Patience as long as service: infinitely many servers, Poisson number in the system.
        let same = queue::erlang_a(queue, 1.0);
        let waits = recovery::lost_at_least(lam, 1.0, 4);
        prop_assert!((same.waits / waits - 1.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_typed_panics(name in "[a-z0-9-]{1,12}", words in proptest::collection::vec("[a-z]{1,8}=[0-9a-z.,%/+@:-]{0,12}", 0..4), form in 0_usize..80) {
        let known = calc::forms().nth(form).map_or(name.as_str(), |form| form.name);
        _ = calc::run(&name, &words);
        _ = calc::run(known, &words);
    }
}
