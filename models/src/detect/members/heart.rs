//! Heartbeats from everyone to everyone.

use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Span, TimerId};

use super::super::estimate::Estimate;
use super::{Cx, HeartbeatOptions, MemberTimer, MembersMessage, place};

/// A member that sends heartbeats to all others and waits for theirs.
#[derive(Clone, Debug)]
pub struct Heart {
    options: HeartbeatOptions,
    members: Arc<[NodeId]>,
    /// Differs from one life of this node to the next.
    life: u64,
    seq: u64,
    peers: Vec<Peer>,
    pub(super) sent: u64,
}

#[derive(Clone, Debug)]
struct Peer {
    life: Option<u64>,
    estimate: Estimate,
    timer: Option<TimerId>,
    suspected: bool,
    /// Heartbeats since it is suspected.
    heard: u64,
}

impl Heart {
    pub(super) fn boot(cx: &mut Cx<'_>, members: Arc<[NodeId]>, options: HeartbeatOptions) -> Heart {
        let now = cx.now();
        // The stream goes on after a restart, so that two lives differ.
        let life = cx.rng().word();
        let phase = cx.rng().below(options.interval.0.max(1));
        let peer = Peer {
            life: None,
            estimate: Estimate::new(options.rule, options.interval, options.window, now),
            timer: None,
            suspected: false,
            heard: 0,
        };
        let mut heart = Heart { peers: vec![peer; members.len()], options, members, life, seq: 0, sent: 0 };
        for index in 0..heart.peers.len() {
            if heart.members[index] != cx.id() {
                heart.wait(cx, index, options.grace);
            }
        }
        cx.set_timer(if options.stagger { Span(phase) } else { Span::ZERO }, MemberTimer::Beat);
        heart
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: MemberTimer) {
        match timer {
            MemberTimer::Beat => {
                cx.set_timer(self.options.interval, MemberTimer::Beat);
                self.seq += 1;
                let me = cx.id();
                let others = self.members.iter().copied().filter(|member| *member != me);
                cx.broadcast(others, MembersMessage::Heartbeat { life: self.life, seq: self.seq });
                self.sent += self.members.len() as u64 - 1;
            }
            MemberTimer::Silence(index) => {
                let peer = &mut self.peers[index as usize];
                peer.timer = None;
                peer.suspected = true;
                peer.heard = 0;
                cx.fact(Fact::Suspect { node: self.members[index as usize] });
            }
            MemberTimer::Late(_) | MemberTimer::Unanswered(..) | MemberTimer::Report => {}
        }
    }

    pub(super) fn on_heartbeat(&mut self, cx: &mut Cx<'_>, from: NodeId, life: u64, seq: u64) {
        let index = place(&self.members, from);
        let peer = &mut self.peers[index];
        if peer.life != Some(life) {
            peer.life = Some(life);
            peer.estimate.reset(self.options.window);
        } else if seq <= peer.estimate.seq() {
            // Overtaken or doubled: a later one proved more.
            return;
        }
        peer.estimate.heard(cx.now(), seq, peer.suspected);
        if peer.suspected {
            peer.heard += 1;
            if peer.heard < self.options.trust_after {
                return;
            }
            peer.suspected = false;
            cx.fact(Fact::Trust { node: from });
        }
        self.wait(cx, index, Span::ZERO);
    }

    /// Waits for the next heartbeat of a peer, and `longer`.
    fn wait(&mut self, cx: &mut Cx<'_>, index: usize, longer: Span) {
        let peer = &mut self.peers[index];
        if let Some(timer) = peer.timer.take() {
            cx.cancel_timer(timer);
        }
        let confirm = self.options.interval * self.options.confirm;
        let deadline = peer.estimate.deadline().saturating_add(confirm).saturating_add(longer);
        let index = u32::try_from(index).expect("fewer than 2^32 members");
        peer.timer = Some(cx.set_timer(deadline.since(cx.now()), MemberTimer::Silence(index)));
    }
}
