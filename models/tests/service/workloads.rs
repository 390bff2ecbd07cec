//! Workloads against closed forms: closed loops, sessions that give up, rates that change.

use murphy_reports::{Outcome, mean};

use crate::fixture::{latencies, run, total};

/// Runs of each case.
const SEEDS: u64 = 20;

/// Half width of Student's interval with 19 degrees of freedom; `t` is its quantile.
fn half(values: &[f64], t: f64) -> f64 {
    let centre = mean(values);
    let variance = values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>()
        / (values.len() - 1) as f64;
    t * libm::sqrt(variance / values.len() as f64)
}

fn system(service: &str, workload: &str) -> String {
    format!(
        "duration = \"220s\"\n\
         [[service]]\nname = \"s\"\n{service}\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"100s\"\nprobe = \"0s\"\n{workload}\n"
    )
}

/// Throughput of `users` who think for `think` on average, in front of one server of rate one: the
/// machine repairman, whose states are users at the server. Source: Allen 1990, section 6.2.
fn repairman(users: u32, think: f64) -> f64 {
    let mut weight = 1.0;
    let mut sum = 1.0;
    for at_server in 0..users {
        weight *= f64::from(users - at_server) / think;
        sum += weight;
    }
    1.0 - 1.0 / sum
}

#[test]
fn a_closed_loop_has_the_throughput_and_the_response_time_of_the_machine_repairman() {
    // Three cases with two figures each: 1e-3 over the family of six, two-sided.
    const T: f64 = 4.64;
    for (users, think) in [(1, 10.0), (8, 10.0), (30, 10.0)] {
        let work = "work = { dist = \"exponential\", mean = \"10ms\" }";
        let arrivals = format!(
            "arrivals = {{ dist = \"closed\", users = {users}, think = {{ dist = \"exponential\", mean = \"{}ms\" }} }}",
            think * 10.0
        );
        let runs: Vec<(f64, f64)> = (0..SEEDS)
            .map(|seed| {
                let run = run(&system(work, &arrivals), seed);
                let waits = latencies(&run, 20.0);
                // In units of the mean work of 10 ms.
                (waits.len() as f64 / 20_000.0, mean(&waits) / 0.01)
            })
            .collect();
        let throughput = repairman(users, think);
        let response = f64::from(users) / throughput - think;
        for (expected, which) in [(throughput, 0), (response, 1)] {
            let values: Vec<f64> = runs.iter().map(|run| if which == 0 { run.0 } else { run.1 }).collect();
            let (centre, half) = (mean(&values), half(&values, T));
            assert!(
                (centre - expected).abs() < half,
                "{users} users: {centre} +- {half}, expected {expected}"
            );
            // The opposite: an open loop of the same rate waits as M/M/1 does, 1 / (1 - rate), or for ever.
            let open = 1.0 / (1.0 - throughput);
            assert!(which == 0 || users == 1 || (centre - open).abs() > half, "as if it were open: {centre}");
        }
    }
}

#[test]
fn sessions_give_up_as_often_as_a_request_takes_too_long() {
    // Nobody waits: a request takes longer than twice its mean with probability exp(-2), and a session
    // of five requests ends well with (1 - exp(-2))^5 = 0.4836.
    let service = "concurrency = 10000\nwork = { dist = \"exponential\", mean = \"10ms\" }";
    let share = |patience: &str| {
        let arrivals = format!(
            "arrivals = {{ dist = \"sessions\", rate = \"50/s\", requests = 5, think = \"100ms\", patience = \"{patience}\" }}"
        );
        let run = run(&system(service, &arrivals), 1);
        let (finished, given_up) =
            (total(&run, "sessions_finished", ""), total(&run, "sessions_given_up", ""));
        (finished as f64 / (finished + given_up) as f64, finished + given_up, run.requests.len() as u64)
    };
    let expected = libm::pow(1.0 - libm::exp(-2.0), 5.0);
    let (seen, sessions, _) = share("20ms");
    // Binomial: four standard deviations.
    let sd = libm::sqrt(expected * (1.0 - expected) / sessions as f64);
    assert!((seen - expected).abs() < 4.0 * sd, "{seen} of {sessions}, expected {expected}");
    // Patient sessions all end well, and make all their requests.
    let (all, sessions, requests) = share("10s");
    assert!((all - 1.0).abs() < 1e-12 && requests.abs_diff(sessions * 5) < 200, "{all}, {requests}");
}

#[test]
fn users_wait_for_their_result_before_they_ask_again() {
    // Three users, no time to think, one server of 10 ms: never more than three requests at once, and
    // from the third on each takes 30 ms.
    let closed = "arrivals = { dist = \"closed\", users = 3, think = \"0s\" }";
    let run = run(&system("work = \"10ms\"", closed), 1);
    assert_eq!(run.requests.len(), 22_003, "three at the start, and one for each result");
    let done = run.requests.iter().filter(|request| request.outcome == Outcome::Ok).skip(2);
    assert!(done.filter_map(|r| Some(r.done_ns? - r.arrived_ns)).all(|ns| ns == 30_000_000));
}

#[test]
fn a_trace_and_steps_bring_requests_when_they_say() {
    let trace = "arrivals = { dist = \"trace\", times = [\"1s\", \"500ms\", \"1s\"] }";
    let arrived: Vec<u64> =
        run(&system("work = \"10ms\"", trace), 1).requests.iter().map(|request| request.arrived_ns).collect();
    assert_eq!(arrived, [500_000_000, 1_000_000_000, 1_000_000_000]);
    let steps = "arrivals = { dist = \"steps\", steps = [{ at = \"0s\" }, { at = \"100s\", rate = \"100/s\" }, { at = \"200s\" }] }";
    let run = run(&system("work = \"1ms\"", steps), 1);
    // Poisson(10,000): sd 100. Four of them.
    assert!(run.requests.len().abs_diff(10_000) < 400, "{}", run.requests.len());
    let within =
        |request: &murphy_reports::Request| (100_000_000_000..200_000_000_000).contains(&request.arrived_ns);
    assert!(run.requests.iter().all(within));
}

#[test]
fn at_twice_the_capacity_priorities_save_the_important_requests() {
    let two = |order: &str| {
        format!(
            "duration = \"60s\"\n\
             [[service]]\nname = \"s\"\nwork = {{ dist = \"exponential\", mean = \"10ms\" }}\n\
             queue = {{ bound = 50, order = \"{order}\" }}\n\
             [[workload]]\nname = \"paid\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"500ms\"\nprobe = \"0s\"\n\
             priority = \"high\"\narrivals = {{ dist = \"poisson\", rate = \"50/s\" }}\n\
             [[workload]]\nname = \"batch\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"500ms\"\nprobe = \"0s\"\n\
             priority = \"low\"\narrivals = {{ dist = \"poisson\", rate = \"150/s\" }}\n"
        )
    };
    // Non-preemptive priority: a paid request waits for what is in work and for paid ones, 10 ms / (1 - 0.5)
    // on average (Cobham 1954). Fifo treats all alike: of 200/s, 100/s are served.
    let good = |order: &str| {
        let run = run(&two(order), 1);
        let paid = run.requests.iter().filter(|request| request.workload == 0);
        let ok = paid.clone().filter(|request| request.outcome == Outcome::Ok);
        let waits: Vec<f64> =
            ok.clone().filter_map(|r| Some((r.done_ns? - r.arrived_ns) as f64 / 1e9)).collect();
        (ok.count() as f64 / paid.count() as f64, mean(&waits))
    };
    let (share, wait) = good("priority");
    assert!(share > 0.999, "{share} of the paid requests");
    // One run of 3,000 requests: the mean of 30 ms sojourn within 3 ms.
    assert!((wait - 0.030).abs() < 0.003, "{wait}");
    assert!(good("fifo").0 < 0.6);
}
