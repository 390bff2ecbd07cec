//! Members that watch each other: laws, rates and loads.

use murphy_models::detect::{
    Detector, HeartbeatOptions, MemberConfig, Members, PhiRule, Rule, Scorer, SwimOptions, phi::Tail,
};
use murphy_reports::clopper_pearson;
use murphy_sim::{NodeId, Span, World};

use crate::bench::{Bench, Watch, names, total};

const MESSAGES: u16 = 0;
const DOUBTS: u16 = 1;
const DELAY: Span = Span::millis(10);

type Run = World<Members, Watch<Scorer>>;

fn group(n: u32, seed: u64, detector: Detector) -> Bench<MemberConfig> {
    let members: std::sync::Arc<[NodeId]> = (0..n).map(NodeId).collect();
    let config = MemberConfig { members, detector };
    Bench::new(seed, DELAY, vec![config; n as usize])
}

fn run(bench: Bench<MemberConfig>, ms: u64) -> Run {
    let n = u32::try_from(bench.configs.len()).unwrap();
    let watches = (0..n).map(|w| (0..n).map(|s| w != s).collect()).collect();
    bench.run(ms, Scorer::new(&names(n), watches, Span::secs(3600)))
}

fn fixed(timeout_ms: u64) -> HeartbeatOptions {
    let rule = Rule::Fixed(Span::millis(timeout_ms));
    HeartbeatOptions { rule, grace: Span::ZERO, ..HeartbeatOptions::default() }
}

fn detection_times(world: &Run) -> Vec<Span> {
    world.judge().judge.detection_times().collect()
}

/// Kolmogorov and Smirnov's distance between samples and the uniform law on `low..high`.
fn distance_from_uniform(mut samples: Vec<f64>, low: f64, high: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let gap = |(index, sample): (usize, &f64)| {
        let law = ((sample - low) / (high - low)).clamp(0.0, 1.0);
        (law - index as f64 / n).abs().max(((index + 1) as f64 / n - law).abs())
    };
    samples.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// The crash comes at a random time after the last heartbeat, uniform over the interval, so the
/// detection time is uniform between `timeout + delay - interval` and `timeout + delay`.
#[test]
fn a_fixed_timeout_detects_after_a_uniform_time() {
    const SEEDS: u64 = 400;
    let times = |stagger: bool| {
        let mut times = Vec::new();
        for seed in 0..SEEDS {
            let options = HeartbeatOptions { stagger, ..fixed(3500) };
            let bench = group(2, seed, Detector::Heartbeat(options)).crash(1, 20_400, u64::MAX);
            let found = detection_times(&run(bench, 40_000));
            assert_eq!(found.len(), 1, "seed {seed}");
            times.push(found[0].as_secs_f64());
        }
        times
    };
    let random = times(true);
    let (low, high) = (3.5 + 0.01 - 1.0, 3.5 + 0.01);
    assert!(random.iter().all(|time| (low..=high).contains(time)), "{random:?}");
    // Quantile of the statistic at 0.1 % for 400 samples: 1.95 / sqrt(400).
    let distance = distance_from_uniform(random, low, high);
    assert!(distance < 1.95 / 20.0, "{distance}");
    // Members in step with the crash have one detection time, not a law.
    let in_step = times(false);
    assert!(distance_from_uniform(in_step, low, high) > 0.5);
}

/// With k the whole intervals in the time-out, a heartbeat that came starts a false suspicion
/// exactly when the next k are lost: p^k.
#[test]
fn false_suspicions_come_at_the_rate_of_k_losses_in_a_row() {
    let loss: f64 = 0.3;
    for (timeout_ms, k) in [(1500, 1), (2500, 2), (3500, 3)] {
        let bench = group(2, 7, Detector::Heartbeat(fixed(timeout_ms))).losing(loss);
        let world = run(bench, 20_000_000);
        let sent = world.sent()[0].count;
        let received = sent - world.network_counts().lost;
        let interval = clopper_pearson(world.judge().judge.false_suspicions(), received, 0.999).unwrap();
        let rate = |k: i32| (0..k).fold(1.0, |rate, _| rate * loss);
        assert!((interval.low..=interval.high).contains(&rate(k)), "k = {k}: {interval:?}");
        for other in [k - 1, k + 1] {
            assert!(!(interval.low..=interval.high).contains(&rate(other)), "k = {k}: {interval:?}");
        }
    }
}

/// Each interval of confirmation adds exactly itself to every detection time, and takes away false suspicions.
#[test]
fn confirmation_trades_false_suspicions_for_time() {
    let outcome = |confirm: u64| {
        let (mut mistakes, mut times) = (0, Vec::new());
        for seed in 0..20 {
            let options = HeartbeatOptions { confirm, ..fixed(1500) };
            let bench = group(4, seed, Detector::Heartbeat(options)).losing(0.2).crash(3, 600_000, u64::MAX);
            let world = run(bench, 700_000);
            mistakes += world.judge().judge.false_suspicions();
            times.extend(detection_times(&world).into_iter().map(Span::as_secs_f64));
        }
        (mistakes, times.iter().sum::<f64>() / times.len() as f64)
    };
    let outcomes: Vec<(u64, f64)> = (0..4).map(outcome).collect();
    for pair in outcomes.windows(2) {
        let ((mistakes, time), (fewer, later)) = (pair[0], pair[1]);
        // The closed form says a factor of five.
        assert!(fewer * 4 < mistakes && fewer * 6 > mistakes, "{outcomes:?}");
        // Those who suspected it falsely at its crash count as zero, so a little less than a second.
        assert!(later - time > 0.95 && later - time < 1.45, "{outcomes:?}");
    }
}

/// Trust after several heartbeats: a suspicion lasts longer, and there are fewer of them.
#[test]
fn slow_trust_lets_fewer_suspicions_flap() {
    let outcome = |trust_after: u64| {
        let options = HeartbeatOptions { trust_after, ..fixed(1500) };
        let world = run(group(4, 3, Detector::Heartbeat(options)).losing(0.3), 1_000_000);
        world.judge().judge.suspicions()
    };
    let outcomes = [1, 2, 4, 8].map(outcome);
    assert!(outcomes.windows(2).all(|pair| pair[1] < pair[0]), "{outcomes:?}");
}

/// In the grace period after a start, members that are slow to come up are not suspected.
#[test]
fn grace_covers_a_slow_start() {
    for (grace, expected) in [(Span::ZERO, 3), (Span::secs(10), 0)] {
        let options = HeartbeatOptions { grace, ..fixed(2500) };
        let bench = group(4, 5, Detector::Heartbeat(options)).fault(
            murphy_sim::FaultKind::Pause { nodes: std::iter::once(NodeId(3)).collect() },
            0,
            8_000,
        );
        assert_eq!(run(bench, 20_000).judge().judge.suspicions(), expected, "grace {grace}");
    }
}

/// A rule that learns keeps its promise on a network whose delays it has seen, and a fixed one does not know.
#[test]
fn adaptive_rules_follow_the_network() {
    let jitter = murphy_sim::Law::Exponential { mean: Span::millis(400) };
    let mistakes = |rule: Rule| {
        let options = HeartbeatOptions { rule, ..HeartbeatOptions::default() };
        let mut bench = group(3, 11, Detector::Heartbeat(options));
        bench.channel.jitter = Some(jitter.clone());
        run(bench, 2_000_000).judge().judge.false_suspicions()
    };
    let phi = |tail| {
        let (threshold, min_sd, pause) = (8.0, Span::millis(100), Span::ZERO);
        mistakes(Rule::Phi(PhiRule { tail, threshold, min_sd, pause }))
    };
    let fixed = mistakes(Rule::Fixed(Span::millis(1522)));
    // 1,522 ms is what phi 8 means to Akka on a quiet network.
    assert!(fixed > 500, "{fixed}");
    assert!(phi(Tail::Logistic) < fixed / 20);
    assert!(phi(Tail::Normal) < fixed / 20);
    assert_eq!(phi(Tail::Exponential), 0);
    let expected = |ms| mistakes(Rule::Expected(Span::millis(ms)));
    assert!(expected(3000) < expected(1000) && expected(1000) < expected(300));
}

fn swim() -> SwimOptions {
    SwimOptions { grace: Span::ZERO, ..SwimOptions::default() }
}

/// A member sends one ping and one answer a period, however many there are; heartbeats grow with n.
#[test]
fn the_load_of_swim_does_not_grow_with_the_group() {
    let per_member_and_second = |n: u32, detector| {
        let world = run(group(n, 2, detector), 100_000);
        total(&world.judge().facts, MESSAGES) as f64 / f64::from(n) / 100.0
    };
    for n in [8, 32, 128] {
        let load = per_member_and_second(n, Detector::Swim(swim()));
        // The first period starts at a random phase, so up to one period in a hundred is missing.
        assert!(load <= 2.0 && load > 1.97, "n = {n}: {load}");
        let load = per_member_and_second(n, Detector::Heartbeat(fixed(3500)));
        let all = f64::from(n - 1);
        assert!(load <= all && load > 0.985 * all, "n = {n}: {load}");
    }
}

/// DSN 2002, section 4.3: everyone pings everyone within 2n - 1 periods, and a suspicion later the
/// member is declared failed.
#[test]
fn swim_detects_within_its_bound() {
    let n = 16;
    let bound = |suspicion: Span| Span::secs(2 * u64::from(n)) + suspicion;
    let worst = |suspicion: Span| {
        let mut worst = Span::ZERO;
        for seed in 0..60 {
            let options = SwimOptions { suspicion, ..swim() };
            let bench = group(n, seed, Detector::Swim(options)).crash(5, 30_250, u64::MAX);
            let found = detection_times(&run(bench, 120_000));
            assert_eq!(found.len(), 15, "seed {seed}");
            worst = worst.max(found.into_iter().max().unwrap_or_default());
        }
        worst
    };
    // News spreads faster than everyone's own ping: log n periods rather than 2n.
    let quick = worst(Span::secs(3));
    assert!(quick > Span::secs(3) && quick < bound(Span::secs(3)), "{quick}");
    let slow = worst(Span::secs(40));
    assert!(slow > bound(Span::secs(3)) && slow < bound(Span::secs(40)), "{slow}");
}

/// A ping fails when its way or the way back loses it and each of k helpers loses one of four messages.
#[test]
fn helpers_make_failed_pings_rare() {
    let keep: f64 = 0.8;
    let direct = 1.0 - keep * keep;
    let indirect = 1.0 - keep * keep * keep * keep;
    for (helpers, expected) in [(0, direct), (1, direct * indirect), (2, direct * indirect * indirect)] {
        let options = SwimOptions { helpers, suspicion: Span::secs(1_000_000), ..swim() };
        let world = run(group(8, 9, Detector::Swim(options)).losing(0.2), 5_000_000);
        // Each member judges one ping a period.
        let interval = clopper_pearson(total(&world.judge().facts, DOUBTS), 8 * 4_999, 0.999).unwrap();
        assert!((interval.low..=interval.high).contains(&expected), "k = {helpers}: {interval:?}");
        assert!(interval.high - interval.low < 0.02, "k = {helpers}: {interval:?}");
    }
}

/// Section 4.2: time to object saves those who were only unlucky.
#[test]
fn suspicion_saves_the_living() {
    let failed = |suspicion: Span| {
        let options = SwimOptions { suspicion, helpers: 1, ..swim() };
        let world = run(group(12, 4, Detector::Swim(options)).losing(0.1), 600_000);
        world.judge().judge.false_suspicions()
    };
    let (without, with) = (failed(Span::ZERO), failed(Span::secs(8)));
    assert!(without > 100, "{without}");
    assert!(with * 20 < without, "{with} of {without}");
}

/// A member that comes back, and two halves that were apart, find each other again.
#[test]
fn swim_heals() {
    let back = group(8, 6, Detector::Swim(swim())).crash(2, 20_000, 60_000);
    let world = run(back, 120_000);
    assert_eq!((world.judge().judge.suspicions(), world.judge().judge.trusts()), (7, 7));
    let half = |nodes: std::ops::Range<u32>| nodes.map(NodeId).collect();
    let kind = murphy_sim::FaultKind::Partition { groups: vec![half(0..4), half(4..8)], one_way: false };
    let world = run(group(8, 6, Detector::Swim(swim())).fault(kind, 20_000, 60_000), 150_000);
    // Each of four by each of four, both ways; late news of the cut may renew a few.
    let (suspicions, trusts) = (world.judge().judge.suspicions(), world.judge().judge.trusts());
    assert!(suspicions >= 32 && suspicions == trusts, "{suspicions} {trusts}");
}
