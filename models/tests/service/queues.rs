//! Queues against closed forms: M/M/1, M/M/c, M/M/1/K and the loss system of `queueing.csv`, as one
//! family; deterministic queues exactly.

use murphy_reports::{Outcome, mean};

use crate::fixture::{latencies, run, share, total};

/// Runs of each case.
const SEEDS: u64 = 20;
/// Student's t with 19 degrees of freedom at 1e-3 over a family of ten, two-sided: 5e-5 in each tail.
const T: f64 = 4.90;

/// Time unit of the table: the mean work is 10 ms.
const UNIT_S: f64 = 0.01;

fn station(arrivals: f64, workers: u64, queue: &str) -> String {
    format!(
        "duration = \"220s\"\n\
         [[service]]\nname = \"s\"\nconcurrency = {workers}\n{queue}\n\
         work = {{ dist = \"exponential\", mean = \"10ms\" }}\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"100s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"poisson\", rate = \"{}/s\" }}\n",
        arrivals / UNIT_S
    )
}

struct Case {
    id: &'static str,
    arrivals: f64,
    workers: u64,
    queue: &'static str,
    /// Mean sojourn of those served, in units of the mean work.
    sojourn: Option<f64>,
    /// Share of those refused.
    refused: Option<f64>,
}

#[test]
fn stations_behave_as_the_closed_forms_say() {
    let case = |id, arrivals, workers, queue, sojourn, refused| Case {
        id,
        arrivals,
        workers,
        queue,
        sojourn,
        refused,
    };
    let cases = [
        case("MM1-2", 0.8, 1, "", Some(5.0), None),
        case("MMC-2", 3.2, 4, "", Some(1.745_540_589_73), None),
        case("MMC-4", 95.0, 100, "", Some(1.101_291_370_78), None),
        case("ERLB-1", 8.0, 10, "queue = { bound = 0 }", Some(1.0), Some(0.121_661_064_253)),
        case("ERLB-3", 20.0, 25, "queue = { bound = 0 }", None, Some(0.050_221_777_890_8)),
        case("MMCK-1", 0.9, 1, "queue = { bound = 9 }", Some(4.646_600_672_12), Some(0.050_813_731_327_4)),
        case("MMCK-2", 1.2, 1, "queue = { bound = 9 }", Some(6.926_137_844_14), Some(0.192_586_495_127)),
    ];
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for Case { id, arrivals, workers, queue, sojourn, refused } in cases {
        let text = station(arrivals, workers, queue);
        // Runs with many arrivals may be shorter.
        let text = if arrivals > 4.0 { text.replace("220s", "60s") } else { text };
        let runs: Vec<(f64, f64)> = (0..SEEDS)
            .map(|seed| {
                let run = run(&text, seed);
                (mean(&latencies(&run, 20.0)) / UNIT_S, share(&run, Outcome::Rejected))
            })
            .collect();
        let figures = [(sojourn, 0), (refused, 1)];
        for (expected, which) in figures.into_iter().filter_map(|(expected, which)| Some((expected?, which)))
        {
            let values: Vec<f64> = runs.iter().map(|run| if which == 0 { run.0 } else { run.1 }).collect();
            let centre = mean(&values);
            let variance = values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>()
                / (values.len() - 1) as f64;
            let half = T * libm::sqrt(variance / values.len() as f64);
            judged += 1;
            if (centre - expected).abs() > half {
                wrong.push(format!("{id}: {centre} +- {half}, expected {expected}"));
            }
        }
    }
    assert_eq!(judged, 10, "the family that the quantile is for");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn regular(rate: u64, more: &str) -> String {
    format!(
        "duration = \"10s\"\n\
         [[service]]\nname = \"s\"\nwork = \"10ms\"\n\
         [[workload]]\nname = \"u\"\nfrom = \"outside\"\nto = \"s\"\ndeadline = \"100s\"\nprobe = \"0s\"\n\
         arrivals = {{ dist = \"constant\", rate = \"{rate}/s\" }}\n{more}"
    )
}

#[test]
fn regular_arrivals_below_capacity_never_wait() {
    let run = run(&regular(50, ""), 1);
    assert!(run.requests.len() > 490, "{} requests", run.requests.len());
    assert!(run.requests.iter().filter_map(|r| Some(r.done_ns? - r.arrived_ns)).all(|ns| ns == 10_000_000));
}

#[test]
fn above_capacity_each_request_waits_longer_by_the_same() {
    // Every 5 ms comes one that takes 10 ms: the n-th waits for n times 5 ms.
    let run = run(&regular(200, ""), 1);
    let done = run.requests.iter().filter_map(|r| Some(r.done_ns? - r.arrived_ns));
    let waits: Vec<u64> = done.collect();
    assert!(waits.len() > 900, "{} replies", waits.len());
    for (n, wait) in waits.iter().enumerate() {
        assert_eq!(*wait, 10_000_000 + 5_000_000 * n as u64, "request {n}");
    }
}

#[test]
fn a_slow_fault_stretches_the_work_of_its_service_and_counts_it() {
    let fault =
        "[[fault]]\nname = \"f\"\nkind = \"slow\"\ntarget = \"s\"\nat = \"4s\"\nfor = \"2s\"\nfactor = 1.5\n";
    let run = run(&regular(50, fault), 1);
    for request in &run.requests {
        let Some(done_ns) = request.done_ns else { continue };
        let slow = (4_000_000_000..6_000_000_000).contains(&request.arrived_ns);
        assert_eq!(done_ns - request.arrived_ns, if slow { 15_000_000 } else { 10_000_000 }, "{request:?}");
    }
    let slowed = run.faults[0].hits.iter().find(|(name, _)| *name == "time_slowed_ns").map(|(_, ns)| *ns);
    let within =
        run.requests.iter().filter(|r| (4_000_000_000..6_000_000_000).contains(&r.arrived_ns)).count() as u64;
    assert_eq!(slowed, Some(within * 5_000_000));
}

#[test]
fn a_bounded_queue_refuses_what_does_not_fit() {
    let run = run(&regular(200, "").replace("work = \"10ms\"", "work = \"10ms\"\nqueue = { bound = 3 }"), 1);
    // One in work and three waiting: nobody stays longer than 40 ms, and half is refused in the end.
    let worst = run
        .requests
        .iter()
        .filter(|r| r.outcome == Outcome::Ok)
        .filter_map(|r| Some(r.done_ns? - r.arrived_ns))
        .max();
    assert!(worst.is_some_and(|ns| ns <= 40_000_000), "{worst:?}");
    let refused = run.requests.iter().filter(|r| r.outcome == Outcome::Rejected).count() as u64;
    assert_eq!(refused, total(&run, "shed", "s"));
    assert!(
        (refused as f64 / run.requests.len() as f64 - 0.5).abs() < 0.01,
        "{refused} of {}",
        run.requests.len()
    );
}
