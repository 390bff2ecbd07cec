//! What a replica refuses to believe of view-changes and new-views.

use murphy_sim::{
    Channel, CpuCost, DiskCost, Keep, Law, Limits, NodeId, NodeSetup, Setup, SiteId, Span, Time, Topology,
    Workload, World,
};

use super::super::{ClientOptions, Config, Group, Options, Pbft};
use super::*;
use crate::consensus::PUT;

/// Replica `place` of a group of four that has executed twenty requests, with a checkpoint at 16.
fn replica(place: u32, bug: Option<Bug>) -> Replica {
    let group = Group::new(&[0, 1, 2, 3].map(NodeId), None);
    let options = Options { checkpoint_every: 16, window: 32, bug, ..Options::default() };
    let node = |node| NodeSetup {
        name: format!("n{node}"),
        site: SiteId(0),
        config: if node < 4 {
            Config::Replica { group: group.clone(), options }
        } else {
            Config::Client { group: group.clone(), options: ClientOptions::default() }
        },
        cpu: CpuCost::FREE,
        disk: DiskCost::FREE,
        clock_offset_ns: 0,
        drift_ppb: 0,
    };
    let workload = Workload {
        name: "kv".into(),
        clients: vec![NodeId(4)],
        arrivals: Law::Constant(Span::millis(10)).into(),
        operations: vec![(PUT, 1.0)],
        keys: 4.into(),
        probe: None,
    };
    let setup = Setup {
        seed: 1,
        topology: Topology::single("lan", Channel::new(Law::Constant(Span::millis(1)))),
        nodes: (0..5).map(node).collect(),
        workloads: vec![workload],
        plan: std::sync::Arc::new([]),
        byzantine: Vec::new(),
        limits: Limits::default(),
        keep: Keep::Nothing,
    };
    let mut world: World<Pbft, ()> = World::new(setup, ());
    world.run_until(Time(209_000_000));
    match world.process(NodeId(place)) {
        Some(Pbft::Replica(replica)) if replica.executed() == 20 => (**replica).clone(),
        other => panic!("{other:?}"),
    }
}

/// What an honest replica says when it gives up on view 0.
fn honest(replica: &Replica) -> ViewChange {
    let prepared: Vec<_> = replica.log.certificates().cloned().collect();
    assert_eq!(prepared.iter().map(Prepared::slot).collect::<Vec<_>>(), [17, 18, 19, 20]);
    ViewChange { view: 1, stable: replica.proof.clone(), prepared }
}

fn signed(by: u32, change: &ViewChange) -> Arc<Signed<ViewChange>> {
    Arc::new(Signed::by_hand(NodeId(by), change.clone()))
}

/// Whether a view-change is believed after `edit`.
fn believed(bug: Option<Bug>, edit: impl Fn(&mut ViewChange)) -> bool {
    let replica = replica(2, bug);
    let mut change = honest(&replica);
    edit(&mut change);
    replica.valid(&signed(3, &change))
}

fn other_batch() -> Arc<Batch> {
    Arc::new(Batch::new(Vec::new()))
}

#[test]
fn view_changes_prove_what_they_say() {
    type Edit = fn(&mut ViewChange);
    let cases: [(&str, bool, Edit); 9] = [
        ("as it is", true, |_| {}),
        ("with a slot left out", true, |change| drop(change.prepared.remove(1))),
        ("forged", false, |change| change.prepared[3] = Prepared::forged(0, 20, other_batch(), 4)),
        ("with one vote", false, |change| {
            change.prepared[0].signers = Signers::none(4);
            change.prepared[0].signers.insert(1);
        }),
        ("with the primary's vote", false, |change| {
            change.prepared[0].signers = Signers::from_words(&[0b0011]);
        }),
        ("prepared in the view it asks for", false, |change| change.prepared[0].view = 1),
        ("at or below its checkpoint", false, |change| change.prepared[0].slot = 16),
        ("above its window", false, |change| change.prepared[3].slot = 49),
        ("with a checkpoint of two", false, |change| {
            change.stable.as_mut().unwrap().signers = Signers::from_words(&[0b0011]);
        }),
    ];
    for (what, expected, edit) in cases {
        assert_eq!(believed(None, edit), expected, "{what}");
    }
    let forged = |change: &mut ViewChange| change.prepared[3] = Prepared::forged(0, 20, other_batch(), 4);
    assert!(believed(Some(Bug::PWithoutCertificate), forged));
}

/// Whether a new-view of three honest view-changes is believed after `edit`.
fn accepted(bug: Option<Bug>, edit: impl Fn(&mut NewView)) -> bool {
    let replica = replica(2, bug);
    let change = honest(&replica);
    let view_changes: Vec<_> = [0, 1, 3].map(|by| signed(by, &change)).into();
    let Choice { proposals, .. } = choose(&view_changes);
    assert_eq!(proposals.len(), 4);
    let mut new = NewView { view: 1, view_changes, proposals };
    edit(&mut new);
    replica.verify(&new).is_some()
}

#[test]
fn new_views_follow_from_their_view_changes() {
    type Edit = fn(&mut NewView);
    let cases: [(&str, bool, Edit); 6] = [
        ("as it is", true, |_| {}),
        ("two view-changes", false, |new| new.view_changes.truncate(2)),
        ("one view-change twice", false, |new| new.view_changes[1] = new.view_changes[0].clone()),
        ("a view-change for another view", false, |new| {
            let other = ViewChange { view: 2, ..new.view_changes[0].body().clone() };
            new.view_changes[0] = signed(0, &other);
        }),
        ("another batch", false, |new| new.proposals[2].batch = other_batch()),
        ("a slot less", false, |new| drop(new.proposals.pop())),
    ];
    for (what, expected, edit) in cases {
        assert_eq!(accepted(None, edit), expected, "{what}");
    }
    assert!(accepted(Some(Bug::NewViewNotVerified), |new| new.proposals[2].batch = other_batch()));
    assert!(accepted(Some(Bug::FewViewChanges), |new| new.view_changes.truncate(2)));
}

#[test]
fn the_highest_view_wins_and_gaps_become_null_requests() {
    let replica = replica(2, None);
    let mut old = honest(&replica);
    old.prepared.remove(1);
    let mut new = old.clone();
    new.prepared[1].view = 3;
    new.prepared[1].batch = other_batch();
    for order in [[&old, &new], [&new, &old]] {
        let changes: Vec<_> = order.into_iter().map(|change| signed(1, change)).collect();
        let Choice { proposals, stable } = choose(&changes);
        assert_eq!(stable.map(|proof| proof.slot()), Some(16));
        let slots: Vec<_> = proposals.iter().map(|proposal| proposal.slot).collect();
        assert_eq!(slots, [17, 18, 19, 20]);
        assert!(proposals[1].batch.commands().is_empty(), "nothing is prepared at 18");
        assert!(proposals[2].batch.commands().is_empty(), "view 3 prepared another batch at 19");
        assert_eq!(proposals[3].batch, *old.prepared[2].batch());
    }
}
