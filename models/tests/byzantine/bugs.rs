//! Planted bugs that need a liar: found over a sample on which the correct protocol breaks nothing.

use murphy_models::pbft::Bug;
use murphy_sim::Mutation;

use crate::group::{Case, violated};
use crate::strategy::{START, STRATEGIES, alter, base, lie};

/// Seeds that break agreement, with a bug or without.
fn broken(cases: impl Fn(u64) -> Case, bug: Option<Bug>) -> Vec<u64> {
    let breaks = |seed: &u64| {
        let mut case = cases(*seed);
        if let Some(bug) = bug {
            case = case.with_bug(bug);
        }
        case.stop_on = Some("agreement");
        violated(&case.run(6000)).contains(&"agreement")
    };
    (1..=40).filter(breaks).collect()
}

fn check(bug: Bug, cases: impl Fn(u64) -> Case) {
    assert_eq!(broken(&cases, None), [0; 0], "the correct protocol broke");
    let found = broken(&cases, Some(bug));
    assert!(!found.is_empty(), "{} broke nothing", bug.name());
    println!("{}: {} of 40 seeds", bug.name(), found.len());
}

/// View 1 never starts, so that what was prepared in view 0 stays in P when view 2 does, and the
/// liar claims null requests of view 1.
fn skipped_view(seed: u64) -> Case {
    let case = lie(base(4, seed), &[3], alter(Mutation::Forge), START, u64::MAX);
    let case = case.partition(&[&[0], &[1, 2, 3]], 700, 1300);
    case.partition(&[&[1], &[0, 2, 3]], 850 + seed % 100, 1700)
}

fn under(strategy: &str) -> fn(u64) -> Case {
    STRATEGIES.iter().find(|known| known.name == strategy).expect("a strategy").case
}

#[test]
fn o_of_the_new_view_not_verified() {
    check(Bug::NewViewNotVerified, under("forge-new-view"));
}

#[test]
fn p_without_its_certificate() {
    check(Bug::PWithoutCertificate, skipped_view);
}

#[test]
fn few_view_changes() {
    check(Bug::FewViewChanges, under("stale-view-change"));
}

#[test]
fn two_pre_prepares() {
    check(Bug::TwoPrePrepares, under("both-stories"));
}

#[test]
fn no_prepare_phase() {
    check(Bug::NoPreparePhase, under("both-stories"));
}

#[test]
fn prepare_quorum_of_f_plus_1() {
    check(Bug::PrepareQuorumFPlus1, under("both-stories"));
}

#[test]
fn commit_quorum_of_f_plus_1() {
    check(Bug::CommitQuorumFPlus1, under("stale"));
}

#[test]
fn prepares_that_ignore_the_digest() {
    check(Bug::PrepareIgnoresDigest, under("both-stories"));
}

#[test]
fn duplicate_votes() {
    check(Bug::DuplicateVotes, under("collusion"));
}

#[test]
fn quorum_2f() {
    check(Bug::Quorum2f, under("equivocate"));
}

/// With n = 5 and f = 1, two quorums of 3 share one replica, and that may be the liar.
#[test]
fn quorum_2f_plus_1_of_five() {
    check(Bug::Quorum2fPlus1, |seed| lie(base(5, seed), &[0], alter(Mutation::Equivocate), START, u64::MAX));
}

#[test]
fn dropped_p() {
    check(Bug::ViewChangeDropsP, under("stale"));
}

#[test]
fn p_of_the_previous_view_only() {
    check(Bug::PHoldsPreviousView, under("both-stories"));
}
