//! Memory, queues, pools, configurations and credentials.

use murphy_sim::{Chance, Credential, Failure, Fault, FaultKind, Hit, Law, Leak, Pool, Span};

use crate::toy::{
    CONFIG, CREDENTIAL, HEARD, LEAKED, RESTORED, TURNED_AWAY, b_crashes, b_fails, fault, run, set, setup,
    with,
};

#[test]
fn memory_leaks_until_the_node_pages_and_is_killed() {
    let leak =
        Leak { rate: 1000, free: 50, pressure: 25, factor: 3.0, restart: Law::Constant(Span::millis(15)) };
    let run = |leak: &Leak| {
        let mut setup = setup(vec![b_fails(20, 1000, Failure::MemoryLeak(leak.clone()))]);
        setup.nodes[1].cpu.receive = Span::millis(1);
        self::run(setup, 130)
    };
    let ran = run(&leak);
    assert_eq!(ran.said(1, RESTORED), [(0, 0), (85, 6)], "killed at 70 ms, 50 ms after the start");
    assert_eq!((ran.hit(0, Hit::OomKills), ran.hit(0, Hit::NodesRestarted)), (1, 1));
    assert_eq!(ran.hit(0, Hit::BytesLeaked), 50 + 45);
    assert_eq!(ran.hit(0, Hit::TimeDownNs), 15_000_000);
    // 2 ms more for each message under pressure: at 51, 61, 111 and 121 ms.
    assert_eq!(ran.hit(0, Hit::TimeSlowedNs), 8_000_000);
    assert_eq!(
        ran.values(1, LEAKED)[..7],
        [0, 0, 10, 20, 30, 40, 10],
        "nothing leaks from one life into the next"
    );
    let roomy = run(&Leak { free: 1_000_000, pressure: 1_000_000, ..leak });
    assert_eq!((roomy.hit(0, Hit::OomKills), roomy.hit(0, Hit::TimeSlowedNs)), (0, 0));
    assert_eq!(roomy.hit(0, Hit::BytesLeaked), 110);
}

#[test]
fn a_full_queue_drops_what_does_not_fit() {
    let paused = fault("gc", 55, 105, FaultKind::Pause { nodes: set(&[1]) });
    let ran = with(vec![paused.clone(), b_fails(0, 1000, Failure::QueueLimit(2))], 115);
    assert_eq!(ran.hit(1, Hit::MessagesRefused), 4, "its own timer waits first, then one of five messages");
    assert_eq!(ran.values(1, HEARD), [1, 2, 3, 4, 5, 6, 11]);
    assert_eq!(with(vec![paused], 115).values(1, HEARD).len(), 11);
}

#[test]
fn a_pushed_configuration_and_a_bad_credential_are_seen_while_they_last() {
    let ran = with(vec![b_fails(25, 55, Failure::ConfigPush(7))], 100);
    assert_eq!(ran.hit(0, Hit::ConfigsRead), 3);
    assert_eq!(ran.values(1, CONFIG), [0, 0, 7, 7, 7, 0, 0, 0, 0, 0]);
    assert!(ran.values(0, CONFIG).iter().all(|version| *version == 0), "the other nodes are not pushed to");
    for (credential, seen) in [(Credential::Unavailable, 1), (Credential::Expired, 2)] {
        let ran = with(vec![b_fails(25, 45, Failure::Credential(credential))], 60);
        assert_eq!(ran.hit(0, Hit::CredentialsDenied), 2);
        assert_eq!(ran.values(1, CREDENTIAL), [0, 0, seen, seen, 0, 0]);
    }
}

/// What `b`, with a pool of threads, took on and turned away by 85 ms, and slots that its first fault
/// refused and leaked.
fn pooled(slots: u64, plan: Vec<Fault>) -> (Vec<u64>, Vec<u64>, [u64; 2]) {
    let mut setup = setup(plan);
    setup.nodes[1].config.threads = Some(slots);
    let ran = run(setup, 85);
    let hits = [Hit::SlotsRefused, Hit::SlotsLeaked].map(|hit| ran.hit(0, hit));
    (ran.values(1, HEARD), ran.values(1, TURNED_AWAY), hits)
}

#[test]
fn a_pool_that_is_squeezed_turns_work_away() {
    let limit = |pool, slots| vec![b_fails(25, 45, Failure::PoolLimit { pool, slots })];
    let all = (1..=8).collect::<Vec<_>>();
    let none = pooled(2, limit(Pool::Threads, 0));
    assert_eq!(none, (vec![1, 2, 5, 6, 7, 8], vec![3, 4], [2, 0]));
    assert_eq!(pooled(2, limit(Pool::Threads, 1)), (all.clone(), vec![], [0, 0]), "one slot is enough");
    assert_eq!(pooled(2, limit(Pool::Connections, 0)), (all.clone(), vec![], [0, 0]), "another pool");
    assert_eq!(pooled(0, limit(Pool::Threads, 0)), (vec![], all, [0, 0]), "the fault takes nothing");
}

#[test]
fn a_pool_leaks_slots_until_a_crash_or_the_end_of_the_fault() {
    let leak = |chance| b_fails(25, 65, Failure::PoolLeak { pool: Pool::Threads, chance });
    let small = pooled(2, vec![leak(Chance::ALWAYS)]);
    assert_eq!(small, (vec![1, 2, 3, 4, 7, 8], vec![5, 6], [2, 2]));
    let roomy = pooled(9, vec![leak(Chance::ALWAYS)]);
    assert_eq!(roomy, ((1..=8).collect(), vec![], [0, 4]));
    let restarted = pooled(2, vec![leak(Chance::ALWAYS), b_crashes(52, 55)]);
    assert_eq!(restarted, (vec![1, 2, 3, 4, 6, 7, 8], vec![5], [1, 3]));
    assert_eq!(pooled(2, vec![leak(Chance::NEVER)]).2, [0, 0]);
    let share = |chance| {
        let mut setup = setup(vec![b_fails(0, 20_000, Failure::PoolLeak { pool: Pool::Threads, chance })]);
        setup.nodes[1].config.threads = Some(1_000_000);
        run(setup, 10_005).hit(0, Hit::SlotsLeaked)
    };
    // Binomial(1000, 1/4): sd 13.7, and four of them.
    assert!((196..=304).contains(&share(Chance::new(0.25))), "{}", share(Chance::new(0.25)));
}
