//! One server and five ways to notice its end.

use murphy_models::detect::{
    CallerOptions, ProberOptions, Rule, ServerOptions, Watch, WatchConfig, WatchOracles, WatchdogOptions,
};
use murphy_sim::{Fact, FaultKind, Law, NodeId, Span, Time, Workload, World};

use crate::bench::{Bench, Watch as Watching, names, total};

const SERVER: NodeId = NodeId(0);
const RESTARTS: u16 = 0;
const MONITOR: u32 = 1;
const PROBER: u32 = 2;
const DEADLINE: u32 = 3;
const PASSIVE: u32 = 4;
const WATCHDOG: u32 = 5;

type Run = World<Watch, Watching<WatchOracles>>;

fn server() -> ServerOptions {
    ServerOptions {
        heartbeat: Span::secs(1),
        kick: Span::secs(1),
        work: Span::ZERO,
        wedge_after: Span::ZERO,
        restart: Span::secs(2),
    }
}

fn watchdog() -> WatchdogOptions {
    WatchdogOptions { timeout: Span::secs(5), max_restarts: 1_000_000, window: Span::secs(300) }
}

/// The server, and one of each kind that watches it; the two callers share 1,000 calls a second.
fn bench(seed: u64, options: ServerOptions, guard: WatchdogOptions) -> Bench<WatchConfig> {
    let caller = |consecutive| WatchConfig::Caller {
        server: SERVER,
        options: CallerOptions { deadline: Span::millis(50), consecutive },
    };
    let configs = vec![
        WatchConfig::Server {
            monitors: [NodeId(MONITOR)].into(),
            watchdogs: [NodeId(WATCHDOG)].into(),
            options,
        },
        WatchConfig::Monitor {
            server: SERVER,
            interval: Span::secs(1),
            rule: Rule::Fixed(Span::millis(3500)),
        },
        WatchConfig::Prober {
            server: SERVER,
            options: ProberOptions {
                every: Span::secs(2),
                timeout: Span::secs(1),
                failures: 2,
                successes: 2,
            },
        },
        caller(1),
        caller(10),
        WatchConfig::Watchdog { server: SERVER, options: guard },
    ];
    let mut bench = Bench::new(seed, Span::millis(1), configs);
    bench.workloads.push(Workload {
        name: "calls".into(),
        clients: [DEADLINE, PASSIVE].map(NodeId).to_vec(),
        arrivals: Law::Constant(Span::millis(1)).into(),
        operations: vec![(0, 1.0)],
        keys: 1.into(),
        probe: None,
    });
    bench
}

fn run(bench: Bench<WatchConfig>, ms: u64) -> Run {
    bench.run(ms, WatchOracles::new(&names(6), SERVER, Span::secs(3600)))
}

/// First suspicion of each watcher after the crash.
fn detected(world: &Run, crash: Time) -> Vec<Span> {
    let facts = &world.judge().facts;
    let first = |watcher| {
        let suspicion = facts.iter().find(|(at, node, fact)| {
            *at >= crash && *node == NodeId(watcher) && matches!(fact, Fact::Suspect { .. })
        });
        suspicion.map_or(Span::MAX, |(at, _, _)| *at - crash)
    };
    [MONITOR, PROBER, DEADLINE, PASSIVE, WATCHDOG].map(first).to_vec()
}

/// S3's table: requests notice in milliseconds, everything that asks or waits at a pace in seconds.
#[test]
fn one_crash_and_five_detectors() {
    let crash = Time(20_000_000_000);
    for seed in 0..50 {
        let bench = bench(seed, server(), watchdog()).crash(0, 20_000, u64::MAX);
        let found = detected(&run(bench, 40_000), crash);
        let [monitor, prober, deadline, passive, dog] = found[..] else { unreachable!() };
        let ms = Span::millis;
        // Each bound is the rule's own: a time-out less one interval, to the time-out and the delay.
        assert!((ms(2500)..=ms(3501)).contains(&monitor), "seed {seed}: heartbeat {monitor}");
        // The second failed probe, at a pace of 2 s, is late after 1 s.
        assert!((ms(3000)..=ms(5000)).contains(&prober), "seed {seed}: probe {prober}");
        assert!((ms(4000)..=ms(5001)).contains(&dog), "seed {seed}: watchdog {dog}");
        // The first call that a crash swallows was sent up to 2 ms before, and is late after 50 ms. Half of
        // 1,000 calls a second: the longest gap of a fair coin in one run is short of 20.
        assert!((ms(48)..=ms(70)).contains(&deadline), "seed {seed}: deadline {deadline}");
        assert!((ms(56)..=ms(110)).contains(&passive), "seed {seed}: passive {passive}");
    }
}

/// A call that is not answered is noticed at its deadline, to the nanosecond.
#[test]
fn a_deadline_is_kept() {
    let world = run(bench(1, server(), watchdog()).crash(0, 5_000, u64::MAX), 6_000);
    let mut arrivals = std::collections::BTreeMap::new();
    let mut late = 0;
    for (at, _, fact) in &world.judge().facts {
        match fact {
            Fact::Arrive(request) => _ = arrivals.insert(request.id, *at),
            Fact::Complete { request, outcome: murphy_sim::Outcome::Timeout, .. } => {
                assert_eq!(*at - arrivals[request], Span::millis(50));
                late += 1;
            }
            _ => {}
        }
    }
    // A second of calls, less the last 50 ms of them and with the two that were under way.
    assert!((945..=955).contains(&late), "{late}");
}

/// A hang ends after at most the watchdog's time-out, the delays, and the restart; without one, never.
#[test]
fn a_watchdog_restarts_what_hangs() {
    let options = ServerOptions { wedge_after: Span::secs(60), ..server() };
    let world = run(bench(3, options, watchdog()), 6_000_000);
    let hangs: Vec<Span> = world.judge().judge.hangs().collect();
    assert!(hangs.len() > 50, "{}", hangs.len());
    // The last kick is up to 1 s old. A server that hangs before its first kick is killed 5 s after it was
    // killed last, of which it took 2 s to start and 1 s to the kick that did not come.
    let (low, high) = (Span::secs(5 - 3 + 2), Span::secs(5 + 2) + Span::millis(2));
    assert!(hangs.iter().all(|hang| (low..=high).contains(hang)), "{hangs:?}");
    assert_eq!(total(&world.judge().facts, RESTARTS), hangs.len() as u64);
    let never = WatchdogOptions { max_restarts: 0, ..watchdog() };
    let world = run(bench(3, options, never), 6_000_000);
    assert_eq!((world.judge().judge.hangs().count(), world.judge().judge.given_up()), (0, 1));
}

/// A server that hangs again and again is given up: restarts in any window stay within the limit.
#[test]
fn restarts_are_bounded() {
    let options = ServerOptions { wedge_after: Span::secs(1), ..server() };
    for max_restarts in [1, 3] {
        let guard = WatchdogOptions { max_restarts, window: Span::secs(10_000), ..watchdog() };
        let world = run(bench(4, options, guard), 1_000_000);
        assert_eq!(total(&world.judge().facts, RESTARTS), max_restarts);
        assert_eq!(world.judge().judge.given_up(), 1);
    }
}

/// A paused server looks hung: it is killed once it goes on, which costs a restart that was not needed.
#[test]
fn a_pause_longer_than_the_timeout_costs_a_restart() {
    for (pause_ms, restarts) in [(3_000, 0), (20_000, 3)] {
        let kind = FaultKind::Pause { nodes: std::iter::once(SERVER).collect() };
        let bench = bench(5, server(), watchdog()).fault(kind, 10_000, 10_000 + pause_ms);
        let world = run(bench, 60_000);
        let found = total(&world.judge().facts, RESTARTS);
        assert!(if restarts == 0 { found == 0 } else { found >= restarts }, "{pause_ms}: {found}");
    }
}
