//! What the adversary of Byzantine nodes does to messages, counted one by one.

use murphy_sim::{
    Attack, Chance, Channel, Context, CpuCost, Deed, DiskCost, Fact, Fault, FaultKind, Hit, Identity, Judge,
    Keep, Law, Limits, Message, Mutation, NodeId, NodeSet, NodeSetup, Process, Setup, SiteId, Span, Stamped,
    Time, Topology, World,
};

const NODES: u32 = 6;

/// A number that its sender counts up, and the key that it claims to be signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    number: u64,
    told: u64,
    signer: NodeId,
}

impl Message for Note {
    const KINDS: &'static [&'static str] = &["even", "odd"];
    fn kind(&self) -> usize {
        usize::from(self.number % 2 == 1)
    }
    fn bytes(&self) -> u32 {
        100
    }
    fn digest(&self) -> u64 {
        self.number << 8 | self.told
    }
    fn mutated(&self, how: Mutation, word: u64, identity: &mut Identity<'_>) -> Option<Note> {
        let told = match how {
            Mutation::Equivocate => identity.other(self.number).unwrap_or(word % 100 + 100),
            Mutation::Conflict => 2,
            Mutation::Forge => 3,
            Mutation::Stale => 4,
            Mutation::Corrupt => return None,
        };
        identity.note(self.number, told);
        assert!(!identity.has_key_of(NodeId(5)), "n5 is nobody's accomplice");
        identity.has_key_of(self.signer).then_some(Note { told, ..*self })
    }
}

/// Tells everyone a number every millisecond, and says what it hears and from whom.
#[derive(Clone)]
struct Teller {
    number: u64,
}

impl Process for Teller {
    type Config = ();
    type Message = Note;
    type Timer = ();
    type Durable = ();

    fn boot(cx: &mut Context<'_, Self>) -> Teller {
        cx.set_timer(Span::millis(1), ());
        Teller { number: 0 }
    }

    fn on_message(&mut self, cx: &mut Context<'_, Self>, from: NodeId, note: &Note) {
        cx.fact(Fact::Own { kind: u16::try_from(from.0).unwrap(), a: note.number, b: note.told });
    }

    fn on_timer(&mut self, cx: &mut Context<'_, Self>, (): ()) {
        self.number += 1;
        let (me, all) = (cx.id(), cx.nodes());
        let others = (0..u32::try_from(all).unwrap()).map(NodeId).filter(|node| *node != me);
        cx.broadcast(others, Note { number: self.number, told: 0, signer: me });
        cx.set_timer(Span::millis(1), ());
    }
}

/// What each node heard: when, from whom, the number, and what was told.
#[derive(Clone, Default)]
struct Heard(Vec<(Time, u32, u32, u64, u64)>, Vec<Stamped>);

impl Judge for Heard {
    fn observe(&mut self, said: &Stamped) {
        if let Fact::Own { kind, a, b } = said.fact {
            self.0.push((said.at, said.node.0, u32::from(kind), a, b));
        }
        self.1.push(*said);
    }
}

fn nodes(nodes: &[u32]) -> NodeSet {
    nodes.iter().copied().map(NodeId).collect()
}

fn world(plan: Vec<Fault>) -> World<Teller, Heard> {
    let node = |index| NodeSetup {
        name: format!("n{index}"),
        site: SiteId(0),
        config: (),
        cpu: CpuCost::FREE,
        disk: DiskCost::FREE,
        clock_offset_ns: 0,
        drift_ppb: 0,
    };
    let setup = Setup {
        seed: 7,
        topology: Topology::single("here", Channel::new(Law::Constant(Span::micros(100)))),
        nodes: (0..NODES).map(node).collect(),
        workloads: Vec::new(),
        plan: plan.into(),
        byzantine: Vec::new(),
        limits: Limits::default(),
        keep: Keep::Nothing,
    };
    World::new(setup, Heard::default())
}

/// Runs 20 ms, of which n0 and n1 lie from 5.5 ms to 15.5 ms: ten numbers.
fn run(attack: Attack) -> World<Teller, Heard> {
    let fault = Fault {
        name: "plot".into(),
        start: Time(5_500_000),
        end: Time(15_500_000),
        kind: FaultKind::Byzantine { nodes: nodes(&[0, 1]), attack },
    };
    let mut world = world(vec![fault]);
    world.run_until(Time(20_500_000));
    world
}

fn hits(world: &World<Teller, Heard>, hit: Hit) -> u64 {
    world.hits()[0].get(hit)
}

/// How often `to` heard from `from`, as far as `what` is true of number and story.
fn heard(world: &World<Teller, Heard>, from: u32, to: u32, what: impl Fn(u64, u64) -> bool) -> usize {
    world.judge().0.iter().filter(|(_, node, by, a, b)| (*node, *by) == (to, from) && what(*a, *b)).count()
}

#[test]
fn silence_takes_what_it_names_and_nothing_else() {
    let all = run(Attack::new(Deed::Silence));
    // Two liars, four others, ten numbers; accomplices hear each other.
    assert_eq!(hits(&all, Hit::MessagesWithheld), 80);
    assert_eq!((heard(&all, 0, 2, |_, _| true), heard(&all, 0, 1, |_, _| true)), (10, 20));
    let some = Attack { kinds: vec![1], peers: nodes(&[2]), ..Attack::new(Deed::Silence) };
    let some = run(some);
    assert_eq!(hits(&some, Hit::MessagesWithheld), 10);
    assert_eq!(heard(&some, 0, 2, |number, _| number % 2 == 1), 5);
    assert_eq!((heard(&some, 0, 2, |_, _| true), heard(&some, 0, 3, |_, _| true)), (15, 20));
}

#[test]
fn a_chance_is_a_chance() {
    let some = run(Attack { chance: Chance::new(0.5), ..Attack::new(Deed::Silence) });
    // Binomial(80, 1/2): four standard deviations are 18.
    assert!((22..=58).contains(&hits(&some, Hit::MessagesWithheld)));
}

#[test]
fn the_deaf_hear_only_accomplices() {
    let world = run(Attack::new(Deed::Deaf));
    assert_eq!(hits(&world, Hit::MessagesIgnored), 80);
    assert_eq!((heard(&world, 2, 0, |_, _| true), heard(&world, 1, 0, |_, _| true)), (10, 20));
    assert_eq!(heard(&world, 0, 2, |_, _| true), 20, "they still speak");
}

#[test]
fn what_is_held_back_comes_later() {
    let world = run(Attack::new(Deed::Delay(Span::millis(3))));
    assert_eq!(hits(&world, Hit::MessagesHeldBack), 80);
    assert_eq!(hits(&world, Hit::DelayAddedNs), 80 * 3_000_000);
    let at = |to: u32, number: u64| {
        let found =
            world.judge().0.iter().find(|(_, node, from, a, _)| (*node, *from, *a) == (to, 0, number));
        found.expect("it came").0
    };
    assert_eq!(at(2, 8), Time(11_100_000));
    assert_eq!((at(1, 8), at(2, 3)), (Time(8_100_000), Time(3_100_000)));
}

#[test]
fn two_stories_split_the_others_in_halves_and_accomplices_agree() {
    let world = run(Attack::new(Deed::Alter(Mutation::Equivocate)));
    assert_eq!(hits(&world, Hit::MessagesAltered), 2 * 2 * 10);
    let told: Vec<usize> = (2..6).map(|to| heard(&world, 0, to, |_, told| told != 0)).collect();
    let mut sorted = told.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 0, 10, 10]);
    for to in 2..6 {
        let stories = |from| {
            let all = world.judge().0.iter();
            let mine = all.filter(move |(_, node, by, _, _)| (*node, *by) == (to, from));
            mine.map(|(_, _, _, number, told)| (*number, *told)).collect::<Vec<_>>()
        };
        assert_eq!(stories(0), stories(1), "accomplices tell n{to} the same");
    }
    assert_eq!(heard(&world, 0, 1, |_, told| told != 0), 0, "accomplices know the truth");
    // The other half by name.
    let named = run(Attack { peers: nodes(&[4]), ..Attack::new(Deed::Alter(Mutation::Equivocate)) });
    assert_eq!(hits(&named, Hit::MessagesAltered), 20);
    // Without the chance, both are told.
    let attack = Attack {
        chance: Chance::NEVER,
        peers: nodes(&[4]),
        ..Attack::new(Deed::Alter(Mutation::Equivocate))
    };
    let both = run(attack);
    assert_eq!((heard(&both, 0, 4, |_, _| true), heard(&both, 0, 4, |_, told| told != 0)), (30, 10));
}

#[test]
fn mutations_that_a_protocol_does_not_know_change_nothing() {
    let world = run(Attack::new(Deed::Alter(Mutation::Corrupt)));
    assert!(Hit::ALL.into_iter().all(|hit| hits(&world, hit) == 0));
    let forged = run(Attack::new(Deed::Alter(Mutation::Forge)));
    assert_eq!(hits(&forged, Hit::MessagesAltered), 80);
    assert_eq!(heard(&forged, 1, 5, |_, told| told == 3), 10);
}

#[test]
fn replays_repeat_own_messages_only() {
    let world = run(Attack::new(Deed::Replay));
    assert_eq!(hits(&world, Hit::MessagesReplayed), 80);
    assert_eq!(heard(&world, 0, 2, |_, _| true), 30);
    assert!(world.judge().0.iter().all(|(_, _, from, a, _)| *from < NODES && *a <= 20));
    assert_eq!(heard(&world, 3, 2, |_, _| true), 20);
}

#[test]
fn a_flood_has_its_rate_and_its_targets() {
    let flood = Attack { peers: nodes(&[4]), ..Attack::new(Deed::Flood { every: Span::micros(10) }) };
    let world = run(flood);
    // Both liars, 10 ms at one every 10 us.
    assert_eq!(hits(&world, Hit::MessagesFlooded), 2 * 1000);
    assert_eq!((heard(&world, 0, 4, |_, _| true), heard(&world, 0, 3, |_, _| true)), (1020, 20));
}

#[test]
fn twins_share_a_name_and_divide_the_others() {
    let world = run(Attack::new(Deed::Twins));
    assert!(hits(&world, Hit::MessagesFromTwin) > 0);
    for from in [0, 1] {
        // A twin counts from one again, and reaches ten.
        let second: Vec<u32> =
            (2..6).filter(|to| heard(&world, from, *to, |number, _| number <= 10) > 10).collect();
        assert_eq!(second.len(), 2, "{second:?}");
        let first: Vec<u32> = (2..6).filter(|to| heard(&world, from, *to, |_, _| true) == 20).collect();
        assert_eq!(first.len() + second.len(), 4 + first.iter().filter(|to| second.contains(to)).count());
    }
    assert!(world.judge().1.iter().all(|said| said.node.0 < NODES), "facts name no twin");
    assert!(world.process(NodeId(NODES)).is_none(), "it is gone when the fault ends");
}

#[test]
fn liars_are_not_believed_and_others_are() {
    let world = run(Attack::new(Deed::Silence));
    assert!(world.judge().1.iter().all(|said| said.correct == (said.node.0 > 1)));
}

#[test]
fn a_clone_has_the_same_future_and_an_unused_fault_changes_nothing() {
    let fault = |start: u64| Fault {
        name: "plot".into(),
        start: Time(start),
        end: Time(start + 10_000_000),
        kind: FaultKind::Byzantine { nodes: nodes(&[0, 1]), attack: Attack::new(Deed::Twins) },
    };
    let mut whole = world(vec![fault(5_500_000)]);
    whole.run_until(Time(9_000_000));
    let mut copy = whole.clone();
    whole.run_until(Time(20_000_000));
    copy.run_until(Time(20_000_000));
    assert_eq!(whole.trace().hash(), copy.trace().hash());
    let (mut none, mut later) = (world(Vec::new()), world(vec![fault(50_000_000)]));
    none.run_until(Time(20_000_000));
    later.run_until(Time(20_000_000));
    assert_eq!(none.trace().hash(), later.trace().hash());
    assert_ne!(none.trace().hash(), whole.trace().hash());
}
