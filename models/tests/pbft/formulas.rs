//! Exact counts and latencies, where nothing but the network takes time.

use murphy_models::consensus::ClientOptions;
use murphy_models::pbft::Options;
use murphy_sim::Span;

use crate::group::{Case, check_safe, latencies, replica, sent};

const D: Span = Span::millis(1);

/// Castro & Liskov 1999, section 4.2: who sends what for one request.
#[test]
fn messages_of_one_request() {
    for (f, total) in [(1, 29), (2, 92), (3, 191), (4, 326), (5, 497)] {
        let n = 3 * f + 1;
        let case = Case::ideal(u32::try_from(n).unwrap(), D, Span::secs(1));
        for requests in [1, 20] {
            let world = case.run(1000 * requests + 500);
            let per_request = |kind| sent(&world, kind) / requests;
            assert_eq!(per_request("request"), 1);
            assert_eq!(per_request("pre-prepare"), 3 * f);
            assert_eq!(per_request("prepare"), 9 * f * f);
            assert_eq!(per_request("commit"), n * (n - 1));
            assert_eq!(per_request("reply"), n);
            let all: u64 = world.sent().iter().map(|sent| sent.count).sum();
            assert_eq!(all, requests * total, "n = {n}");
            assert_eq!(total, 18 * f * f + 9 * f + 2);
        }
    }
}

#[test]
fn a_checkpoint_every_k_requests() {
    for n in [4_u32, 7] {
        let mut case = Case::ideal(n, D, Span::millis(10));
        case.options = Options { checkpoint_every: 16, window: 32, ..case.options };
        let world = case.run(10 * 100 + 9);
        let n = u64::from(n);
        assert_eq!(sent(&world, "checkpoint"), 6 * n * (n - 1));
        assert_eq!(sent(&world, "reply"), 100 * n);
        for node in 0..case.replicas {
            assert_eq!((replica(&world, node).executed(), replica(&world, node).stable()), (100, 96));
        }
        check_safe(&world, "checkpoints");
    }
}

#[test]
fn a_request_takes_five_delays() {
    // A single replica is asked, and replies. With f = 0 the pre-prepare and a backup's own prepare
    // are a quorum, so that its commit is one delay earlier.
    for (n, delays) in [(1, 2), (2, 4), (3, 4), (4, 5), (5, 5), (7, 5), (10, 5), (13, 5)] {
        let world = Case::ideal(n, D, Span::millis(100)).run(1050);
        assert_eq!(latencies(&world), vec![D * delays; 10], "n = {n}");
    }
}

/// Tc + (k + 5)d + 2^(k-1) T.
#[test]
fn silent_primaries() {
    for (k, expected) in [(0, 5), (1, 156), (2, 257), (3, 458)] {
        for backoff in [false, true] {
            let mut case = Case::ideal(10, D, Span::secs(10));
            case.client =
                ClientOptions { retry_after: Span::millis(50), backoff, ..ClientOptions::default() };
            case.options.view_timeout = Span::millis(100);
            let world = case.crash(0..k, 1, u64::MAX).run(19_000);
            assert_eq!(latencies(&world), [Span::millis(expected)], "{k} silent primaries");
            assert_eq!(replica(&world, 9).view(), u64::from(k));
        }
    }
}

/// With n = 5 and f = 1 a quorum is 4: three replicas alone decide nothing.
#[test]
fn five_replicas_need_four() {
    for (crashed, done) in [(1, true), (2, false)] {
        let case = Case::ideal(5, D, Span::millis(100)).crash((5 - crashed)..5, 1, u64::MAX);
        let world = case.run(1050);
        assert_eq!(!latencies(&world).is_empty(), done, "{crashed} of 5 crashed");
    }
}

#[test]
fn batches_form_under_load_only() {
    let mut case = Case::ideal(4, D, Span::millis(100));
    case.clients = 40;
    case.gap = murphy_sim::Law::Constant(Span::micros(50));
    case.options.pipeline = 2;
    let world = case.run(100);
    let executed = replica(&world, 0).executed();
    let replies = sent(&world, "reply") / 4;
    assert!(replies > 10 * executed, "{replies} requests in {executed} batches");
    check_safe(&world, "batches");
    case.options.batch_max = 3;
    let world = case.run(100);
    let (executed, replies) = (replica(&world, 0).executed(), sent(&world, "reply") / 4);
    assert!(replies <= 3 * executed && replies > 2 * executed, "{replies} requests in {executed} batches");
}
