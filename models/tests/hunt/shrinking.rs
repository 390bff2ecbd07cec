//! What a search finds, and what shrinking leaves of it.

use std::sync::atomic::{AtomicBool, Ordering};

use murphy_scenarios::hunt::{Replay, Repro, Shrunk, Strategy, shrink, verify_repro};

use crate::fixture::{findings, hunted, models, study, text};

fn on() -> AtomicBool {
    AtomicBool::new(false)
}

/// Shrinks one finding, and checks all that must be true of the result.
fn check<'m>(repro: &Repro<'m>) -> Shrunk<'m> {
    let shrunk = shrink(repro, &on(), &|_| ()).expect("what was found reproduces");
    assert_eq!(shrunk.repro.fingerprint(), repro.fingerprint(), "one bug must not turn into another");
    assert!(shrunk.after.faults <= shrunk.before.faults && shrunk.after.duration <= shrunk.before.duration);
    let hash = shrunk.repro.spec().trace_hash;
    for _ in 0..2 {
        let replay = verify_repro(&shrunk.repro, "test", true, &on()).expect("it was not stopped");
        assert!(matches!(replay, Replay::Reproduced { trace_hash, .. } if trace_hash == hash), "{replay:?}");
    }
    for other in &shrunk.slipped {
        assert_ne!(other.fingerprint(), repro.fingerprint());
        assert!(matches!(verify_repro(other, "test", false, &on()), Some(Replay::Reproduced { .. })));
    }
    shrunk
}

#[test]
fn planted_bugs_are_found_and_made_small_and_stay_themselves() {
    let models = models();
    for (bug, property, faults) in [
        ("quorum-2f", "pbft.agreement", 1),
        ("amnesia", "pbft.agreement", 3),
        ("no-client-dedup", "pbft.integrity", 2),
        ("local-read", "linearizable(kv)", 2),
        ("reply-before-commit", "pbft.durability", 3),
    ] {
        let study = study(&text(bug), &models);
        let hunt = hunted(&study, Strategy::Swarm, 32);
        let found = findings(&hunt);
        let first = found.iter().find(|finding| finding.violation.fingerprint.property == property);
        let first = first.unwrap_or_else(|| panic!("{bug} breaks {property}, found {found:?}"));
        let shrunk = check(&hunt.repro(first).expect("the plan alone shows the same"));
        assert!(shrunk.after.faults <= faults, "{bug}: {} faults left", shrunk.after.faults);
        assert!(shrunk.minimal, "{bug}: not minimal");
    }
}

#[test]
fn the_correct_protocol_breaks_nothing() {
    let models = models();
    let study = study(&text("none"), &models);
    let hunt = hunted(&study, Strategy::Mix, 64);
    assert_eq!(findings(&hunt).len(), 0, "{:?}", findings(&hunt));
    assert_eq!(hunt.stats().seeds, 64);
    assert!(hunt.stats().states > 50, "the search reaches states: {:?}", hunt.stats());
}

#[test]
fn a_search_does_not_depend_on_threads() {
    let models = models();
    let study = study(&text("amnesia"), &models);
    let on_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let hunt = hunted(&study, Strategy::Mix, 24);
            let found: Vec<_> = hunt
                .findings()
                .map(|finding| (finding.seed, finding.seen, finding.violation.clone()))
                .collect();
            (hunt.stats(), found)
        })
    };
    let one = on_threads(1);
    assert!(!one.1.is_empty());
    assert_eq!(one, on_threads(3));
}

#[test]
fn an_interrupted_shrinking_keeps_the_best_so_far() {
    let models = models();
    let study = study(&text("quorum-2f"), &models);
    let hunt = hunted(&study, Strategy::Swarm, 8);
    let repro = hunt.repro(&findings(&hunt)[0]).expect("the plan alone shows the same");
    let stop = on();
    let shrunk = shrink(&repro, &stop, &|runs| stop.store(runs >= 40, Ordering::Relaxed));
    let shrunk = shrunk.expect("it had begun");
    assert!(!shrunk.minimal && shrunk.runs < 60, "{} runs", shrunk.runs);
    assert!(shrunk.after.duration < shrunk.before.duration);
    assert_eq!(shrunk.repro.fingerprint(), repro.fingerprint());
}

#[test]
fn a_repro_file_says_whether_it_still_breaks() {
    let models = models();
    let study = study(&text("quorum-2f"), &models);
    let hunt = hunted(&study, Strategy::Swarm, 8);
    let repro = hunt.repro(&findings(&hunt)[0]).expect("the plan alone shows the same");
    let again =
        Repro::open(&repro.render(), "again.repro.toml", &models).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(again.spec(), repro.spec());
    assert!(again.render() == repro.render(), "another layout");
    // Without the bug the same plan breaks nothing.
    let mended = repro.render().replace("bug = \"quorum-2f\"", "bug = \"none\"");
    let mended = Repro::open(&mended, "mended.repro.toml", &models).unwrap_or_else(|wrong| panic!("{wrong}"));
    let replay = verify_repro(&mended, "another build", true, &on());
    assert!(matches!(replay, Some(Replay::NotReproduced { instead: None, .. })), "{replay:?}");
    // The build that made the file must give its trace.
    let replay = verify_repro(&mended, "test", false, &on());
    assert!(matches!(replay, Some(Replay::Drift { .. })), "{replay:?}");
}
