//! The attacks, as cases that a seed varies.

use murphy_models::pbft::{Options, PbftMessage};
use murphy_sim::{Attack, Chance, Deed, FaultKind, Hit, Law, Message, Mutation, Span};

use crate::group::{Case, Run, set};

/// When the attacks start and end, and when the runs end, in milliseconds.
pub(crate) const START: u64 = 500;
pub(crate) const END: u64 = 6000;
pub(crate) const HORIZON: u64 = 9000;

/// One way to attack.
#[derive(Clone, Copy)]
pub(crate) struct Strategy {
    pub(crate) name: &'static str,
    /// What the adversary's counter is called.
    pub(crate) hit: Hit,
    /// The case of a seed: at most f replicas lie, in a group of four or seven.
    pub(crate) case: fn(u64) -> Case,
    /// Whether requests must go on while it lasts and no one else is at fault.
    pub(crate) live: bool,
}

pub(crate) const STRATEGIES: [Strategy; 18] = [
    Strategy { name: "equivocate", hit: Hit::MessagesAltered, case: equivocate, live: true },
    Strategy { name: "both-stories", hit: Hit::MessagesAltered, case: both_stories, live: true },
    Strategy { name: "twins", hit: Hit::MessagesFromTwin, case: twins, live: true },
    Strategy { name: "silence", hit: Hit::MessagesWithheld, case: silence, live: true },
    Strategy { name: "omission", hit: Hit::MessagesWithheld, case: omission, live: true },
    Strategy { name: "deaf", hit: Hit::MessagesIgnored, case: deaf, live: true },
    Strategy { name: "delay", hit: Hit::MessagesHeldBack, case: delay, live: true },
    Strategy { name: "conflict", hit: Hit::MessagesAltered, case: conflict, live: true },
    Strategy { name: "forge", hit: Hit::MessagesAltered, case: forge, live: true },
    Strategy { name: "forge-new-view", hit: Hit::MessagesAltered, case: forge_new_view, live: true },
    Strategy { name: "stale", hit: Hit::MessagesAltered, case: stale, live: true },
    Strategy { name: "stale-view-change", hit: Hit::MessagesAltered, case: stale_view_change, live: true },
    Strategy { name: "corrupt", hit: Hit::MessagesAltered, case: corrupt, live: true },
    Strategy { name: "corrupt-state", hit: Hit::MessagesAltered, case: corrupt_state, live: true },
    Strategy { name: "replay", hit: Hit::MessagesReplayed, case: replay, live: true },
    Strategy { name: "collusion", hit: Hit::MessagesAltered, case: collusion, live: true },
    Strategy { name: "flood", hit: Hit::MessagesFlooded, case: flood, live: false },
    Strategy { name: "authenticator", hit: Hit::MessagesAltered, case: authenticator, live: false },
];

/// Number of a kind of message.
pub(crate) fn kind(name: &str) -> u8 {
    let index = PbftMessage::KINDS.iter().position(|known| *known == name).expect("a kind");
    u8::try_from(index).expect("few kinds")
}

pub(crate) fn kinds(names: &[&str]) -> Vec<u8> {
    names.iter().map(|name| kind(name)).collect()
}

pub(crate) fn alter(how: Mutation) -> Attack {
    Attack::new(Deed::Alter(how))
}

/// Adds a Byzantine fault to a case.
pub(crate) fn lie(case: Case, nodes: &[u32], attack: Attack, from: u64, to: u64) -> Case {
    let nodes = set(nodes.iter().copied());
    case.fault(FaultKind::Byzantine { nodes, attack }, from, to)
}

/// What all of a world's faults did.
pub(crate) fn hits(world: &Run, hit: Hit) -> u64 {
    world.hits().iter().map(|hits| hits.get(hit)).sum()
}

/// Four replicas, small windows, clients that ask again soon.
pub(crate) fn base(n: u32, seed: u64) -> Case {
    let mut case = Case::new(n, seed);
    case.gap = Law::Exponential { mean: Span::millis(10) };
    case.options = Options {
        view_timeout: Span::millis(300),
        checkpoint_every: 16,
        window: 32,
        pipeline: 4,
        ..Options::default()
    };
    case.client.retry_after = Span::millis(250);
    case
}

/// The liar of a seed: the first primary in half of the cases.
fn liar(seed: u64) -> u32 {
    [0, 1, 0, 3][usize::try_from(seed % 4).expect("small")]
}

/// Until 3.5 s, parts one replica after another from the others for a while, so that views change.
fn shaken(mut case: Case, seed: u64) -> Case {
    let mut word = murphy_sim::fold(seed, 0x5eed);
    let mut start = 700;
    while start < 2500 {
        word = murphy_sim::fold(word, 1);
        let victim = u32::try_from(word % u64::from(case.replicas)).expect("small");
        let others: Vec<u32> = (0..case.replicas).filter(|node| *node != victim).collect();
        let long = 300 + (word >> 8) % 700;
        case = case.partition(&[&[victim], &others], start, start + long);
        start += 400 + (word >> 20) % 900;
    }
    case
}

fn attacked(seed: u64, attack: Attack) -> Case {
    lie(base(4, seed), &[liar(seed)], attack, START, END)
}

fn attacked_and_shaken(seed: u64, attack: Attack) -> Case {
    shaken(attacked(seed, attack), seed)
}

fn equivocate(seed: u64) -> Case {
    let case = lie(base(4, seed), &[0], alter(Mutation::Equivocate), START, END);
    if seed.is_multiple_of(3) { shaken(case, seed) } else { case }
}

fn both_stories(seed: u64) -> Case {
    let attack = Attack { chance: Chance::new(0.5), ..alter(Mutation::Equivocate) };
    let case = lie(base(4, seed), &[0], attack, START, END);
    if seed.is_multiple_of(2) { shaken(case, seed) } else { case }
}

fn twins(seed: u64) -> Case {
    let case = attacked(seed, Attack::new(Deed::Twins));
    if seed.is_multiple_of(3) { shaken(case, seed) } else { case }
}

fn silence(seed: u64) -> Case {
    attacked(seed, Attack::new(Deed::Silence))
}

/// To one replica only, and in odd seeds only what orders requests.
fn omission(seed: u64) -> Case {
    let victim = (liar(seed) + 1 + u32::try_from(seed / 4 % 3).expect("small")) % 4;
    let kinds = if seed % 2 == 1 { Vec::new() } else { kinds(&["pre-prepare", "prepare", "commit"]) };
    attacked(seed, Attack { kinds, peers: set([victim]), ..Attack::new(Deed::Silence) })
}

fn deaf(seed: u64) -> Case {
    attacked(
        seed,
        Attack {
            chance: Chance::new(0.5 + 0.5 * f64::from(seed.is_multiple_of(2))),
            ..Attack::new(Deed::Deaf)
        },
    )
}

/// Just below the time-out of 300 ms.
fn delay(seed: u64) -> Case {
    let attack = Attack { kinds: kinds(&["pre-prepare"]), ..Attack::new(Deed::Delay(Span::millis(280))) };
    lie(base(4, seed), &[0], attack, START, END)
}

fn conflict(seed: u64) -> Case {
    attacked(seed, Attack { chance: Chance::new(0.7), ..alter(Mutation::Conflict) })
}

fn forge(seed: u64) -> Case {
    attacked_and_shaken(seed, alter(Mutation::Forge))
}

/// The primary of view 1 lies when view 0 is given up.
fn forge_new_view(seed: u64) -> Case {
    let how = if seed.is_multiple_of(2) { Mutation::Forge } else { Mutation::Equivocate };
    let case = lie(base(4, seed), &[1], alter(how), START, END);
    case.partition(&[&[0], &[1, 2, 3]], 900, 2000)
}

fn stale(seed: u64) -> Case {
    attacked_and_shaken(seed, Attack { chance: Chance::new(0.5), ..alter(Mutation::Stale) })
}

fn stale_view_change(seed: u64) -> Case {
    attacked_and_shaken(seed, Attack { kinds: kinds(&["view-change"]), ..alter(Mutation::Stale) })
}

fn corrupt(seed: u64) -> Case {
    attacked_and_shaken(seed, Attack { chance: Chance::new(0.5), ..alter(Mutation::Corrupt) })
}

/// A replica that lags asks for state, and one of those it asks lies.
fn corrupt_state(seed: u64) -> Case {
    let how = if seed.is_multiple_of(2) { Mutation::Corrupt } else { Mutation::Forge };
    let attack = Attack { kinds: kinds(&["state", "checkpoint"]), ..alter(how) };
    lie(base(4, seed), &[0], attack, START, END).crash([3], 700, 2500)
}

fn replay(seed: u64) -> Case {
    attacked_and_shaken(seed, Attack::new(Deed::Replay))
}

/// Two of seven, in one plot.
fn collusion(seed: u64) -> Case {
    let case = lie(base(7, seed), &[0, 5], alter(Mutation::Equivocate), START, END);
    lie(case, &[0, 5], Attack { chance: Chance::new(0.2), ..alter(Mutation::Conflict) }, START, END)
}

/// One replica sends each other one a message every microsecond, and each takes its CPU two.
fn flood(seed: u64) -> Case {
    let attack = Attack { peers: set(0..3), ..Attack::new(Deed::Flood { every: Span::micros(1) }) };
    lie(base(4, seed), &[3], attack, START, 700)
}

/// A client whose requests only some replicas can authenticate.
fn authenticator(seed: u64) -> Case {
    lie(base(4, seed), &[4], Attack { kinds: kinds(&["request"]), ..alter(Mutation::Corrupt) }, START, END)
}
