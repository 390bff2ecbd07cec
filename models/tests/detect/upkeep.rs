//! Retries by class of fault, and scrubbing, against their rules and closed forms.

use murphy_models::detect::health::HealthRules;
use murphy_models::detect::upkeep::{Mood, StoreOptions, Upkeep, UpkeepConfig};
use murphy_reports::clopper_pearson;
use murphy_sim::{Fact, Failure, FaultKind, Hit, Law, NodeId, Span, Time, Workload, World};

use crate::bench::{Bench, Watch, total};

const ATTEMPTS: u16 = 0;
const HEALTH: u16 = 1;
const ESCALATIONS: u16 = 2;
const ROT_TIME: u16 = 3;
const LOST: u16 = 4;
const SERVED: u16 = 5;

type Facts = Vec<(Time, NodeId, Fact)>;

fn samples(facts: &Facts, wanted: u16) -> Vec<u64> {
    let value = |(_, _, fact): &(Time, NodeId, Fact)| match *fact {
        Fact::Sample { metric, value } if metric == wanted => Some(value),
        _ => None,
    };
    facts.iter().filter_map(value).collect()
}

fn run(mut bench: Bench<UpkeepConfig>, gap: Span, operation: u16, ms: u64) -> World<Upkeep, Watch<()>> {
    bench.workloads.push(Workload {
        name: "users".into(),
        clients: vec![NodeId(0)],
        arrivals: Law::Constant(gap).into(),
        operations: vec![(operation, 1.0)],
        keys: (1 << 40).into(),
        probe: None,
    });
    bench.run(ms, ())
}

/// One call every so often on a dependency in this mood.
fn calls(mood: Mood, rules: HealthRules, gap: Span, ms: u64) -> Facts {
    let component = UpkeepConfig::Component { dependency: NodeId(1), rules };
    let bench = Bench::new(1, Span::ZERO, vec![component, UpkeepConfig::Dependency(mood)]);
    run(bench, gap, 0, ms).judge().facts.clone()
}

#[test]
fn each_class_has_its_attempts() {
    let (corrected, s0) = (HealthRules::Corrected, HealthRules::S0);
    let minute = Span::secs(60);
    let [hang, refuse, broken] = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
        .map(|(hang, refuse, broken)| Mood { hang, refuse, broken });
    // Five calls, a minute apart. Four attempts each for what may pass.
    assert_eq!(samples(&calls(hang, corrected, minute, 359_000), ATTEMPTS), [4; 5]);
    // Intermittent: the sixth fault in five minutes ends the second call, and every later call fails at once.
    let facts = calls(refuse, corrected, minute, 301_000);
    assert_eq!(samples(&facts, ATTEMPTS), [4, 2, 1, 1, 1]);
    assert_eq!(samples(&facts, HEALTH).last(), Some(&2), "failing");
    // As written, the state is failed from the first call on.
    let facts = calls(refuse, s0, minute, 301_000);
    assert!(samples(&facts, HEALTH).iter().all(|state| *state != 2), "S0 never shows failing");
    // Permanent: one attempt, one escalation, and no more attempts until a repair; S0 tries and pages each time.
    let facts = calls(broken, corrected, minute, 301_000);
    assert_eq!((samples(&facts, ATTEMPTS), total(&facts, ESCALATIONS)), (vec![1, 0, 0, 0, 0], 1));
    let facts = calls(broken, s0, minute, 301_000);
    assert_eq!((samples(&facts, ATTEMPTS), total(&facts, ESCALATIONS)), (vec![1; 5], 5));
}

/// Attempts of four, at 10 s each, with waits of 2, 4 and 8 s.
#[test]
fn a_call_that_hangs_takes_54_seconds() {
    let hang = Mood { hang: 1.0, ..Mood::default() };
    let facts = calls(hang, HealthRules::Corrected, Span::secs(100), 190_000);
    let end = facts.iter().find(|(_, _, fact)| matches!(fact, Fact::Complete { .. })).unwrap();
    assert_eq!(end.0, Time(154_000_000_000));
}

fn store() -> StoreOptions {
    StoreOptions { blocks: 500, copies: 2, scrub: Span::secs(3600), checksum: true, read: Span::ZERO }
}

/// What becomes of a store each of whose copies rots at 0.05 an hour; how many did.
fn keep(options: StoreOptions, gap: Span, hours: u64) -> (Facts, u64) {
    let copies = (options.blocks * options.copies) as u64;
    let every = Some(Law::Exponential { mean: Span(20 * 3_600_000_000_000 / copies) });
    let failure = Failure::BitRot { at_once: 0, every };
    let nodes = std::iter::once(NodeId(0)).collect();
    let bench = Bench::new(1, Span::ZERO, vec![UpkeepConfig::Store(options)]);
    let bench = bench.fault(FaultKind::Resource { nodes, failure }, 1, u64::MAX);
    let world = run(bench, gap, 1, hours * 3_600_000);
    (world.judge().facts.clone(), world.hits()[0].get(Hit::BlocksRotted))
}

/// A block is lost when all copies rot within one pass: (1 - e^(-rot S))^2 for each block and pass.
#[test]
fn scrubbing_loses_what_rots_twice_in_one_pass() {
    let rare = Span::secs(1_000_000_000);
    let losses = |scrub_hours: u64| {
        let hours = 400;
        let options = StoreOptions { scrub: Span::secs(3600 * scrub_hours), ..store() };
        let (facts, _) = keep(options, rare, hours);
        let once = -libm::expm1(-0.05 * scrub_hours as f64);
        let passes = 500 * hours / scrub_hours;
        (clopper_pearson(total(&facts, LOST), passes, 0.999).unwrap(), once * once)
    };
    for hours in [1, 4] {
        let (interval, expected) = losses(hours);
        assert!((interval.low..=interval.high).contains(&expected), "{hours} h: {interval:?} {expected}");
    }
    // A pass that takes four times as long loses about sixteen times as many.
    assert!(losses(4).0.low > 8.0 * losses(1).0.high);
}

/// Rot comes at any time of a pass: found after half of it on average, never after more.
#[test]
fn rot_is_found_within_one_pass() {
    let (facts, rotted) = keep(store(), Span::secs(1_000_000_000), 400);
    let times = samples(&facts, ROT_TIME);
    let mean = times.iter().sum::<u64>() as f64 / times.len() as f64;
    // Rot is uniform on the pass but for the few that rot twice: at rate 0.05 a pass the mean is S/2 + S/240.
    let expected = 3600e9 * (0.5 + 0.05 / 12.0);
    let error = 3600e9 / libm::sqrt(12.0 * times.len() as f64);
    assert!((mean - expected).abs() < 4.0 * error, "{mean} {expected} {error}");
    assert!(times.iter().all(|time| *time <= 3_600_000_000_000));
    // Without a scrubber only readers find it, and there are none.
    let (blind, unseen) = keep(StoreOptions { scrub: Span::ZERO, ..store() }, Span::secs(1_000_000_000), 400);
    assert!(samples(&blind, ROT_TIME).is_empty());
    // Everything rots, and stays so: 1,000 copies at most, all of them after 20 times 20 hours. With the
    // scrubber each rots again: 0.05 an hour and copy, less what would rot twice in a pass; sd 140.
    assert_eq!(unseen, 1000);
    let expected = 400.0 * 1000.0 * -libm::expm1(-0.05);
    assert!((rotted as f64 - expected).abs() < 600.0, "{rotted} {expected}");
}

/// With checksums a rotten block is never handed out; without them it is, and looks like success.
#[test]
fn checksums_keep_rot_from_the_reader() {
    for (checksum, served) in [(true, false), (false, true)] {
        let options = StoreOptions { checksum, scrub: Span::ZERO, ..store() };
        let (facts, _) = keep(options, Span::secs(1), 24);
        assert_eq!(total(&facts, SERVED) > 0, served, "checksum {checksum}");
        assert_eq!(!samples(&facts, ROT_TIME).is_empty(), checksum);
    }
}
