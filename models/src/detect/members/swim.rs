//! SWIM: Das, Gupta & Motivala, "SWIM: scalable weakly-consistent infection-style process group
//! membership protocol", DSN 2002. Sections in comments are those of the paper.
//!
//! What it leaves open: a member that comes back objects to its own failure with a higher
//! incarnation (as the library memberlist does), and every tenth period one failed member is pinged
//! on top, so that two halves of a group find each other again.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Span};

use super::message::{Gossip, MembersMessage, Standing, Update};
use super::{Cx, DOUBTS, MemberTimer, SwimOptions, place};

/// A piece of news is sent so many times, times the logarithm of the group's size (4.1).
const SPREAD: u32 = 3;
/// Every so many periods a failed member is pinged on top.
const REJOIN_PERIODS: u64 = 10;
/// Pings for others that are remembered.
const RELAYS: usize = 64;

/// A member that pings one other a period.
#[derive(Clone, Debug)]
pub struct Swim {
    options: SwimOptions,
    members: Arc<[NodeId]>,
    me: usize,
    views: Vec<View>,
    incarnation: u32,
    /// Random order in which the others are pinged, shuffled anew after each round (4.3).
    order: Vec<u32>,
    next: usize,
    probe: Option<Probe>,
    seq: u64,
    periods: u64,
    news: Vec<News>,
    relays: VecDeque<Relay>,
    in_grace: u64,
    pub(super) sent: u64,
}

/// What a member believes of another.
#[derive(Clone, Copy, Debug)]
struct View {
    standing: Standing,
    incarnation: u32,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    target: usize,
    seq: u64,
    answered: bool,
}

#[derive(Clone, Copy, Debug)]
struct News {
    update: Update,
    sent: u32,
}

/// A ping that was sent for someone else.
#[derive(Clone, Copy, Debug)]
struct Relay {
    mine: u64,
    asker: NodeId,
    theirs: u64,
}

impl Swim {
    pub(super) fn boot(cx: &mut Cx<'_>, members: Arc<[NodeId]>, options: SwimOptions) -> Swim {
        let me = place(&members, cx.id());
        let alive = View { standing: Standing::Alive, incarnation: 0 };
        let others = (0..members.len()).filter(|other| *other != me);
        let order: Vec<u32> = others.map(|other| u32::try_from(other).expect("few members")).collect();
        let phase = cx.rng().below(options.period.0.max(1));
        cx.set_timer(Span(phase), MemberTimer::Beat);
        Swim {
            views: vec![alive; members.len()],
            me,
            incarnation: 0,
            next: order.len(),
            order,
            probe: None,
            seq: 0,
            periods: 0,
            news: Vec::new(),
            relays: VecDeque::new(),
            in_grace: options.grace.0.div_ceil(options.period.0.max(1)),
            sent: 0,
            options,
            members,
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: MemberTimer) {
        match timer {
            MemberTimer::Beat => self.period(cx),
            MemberTimer::Late(seq) => self.ask_others(cx, seq),
            MemberTimer::Unanswered(index, incarnation) => {
                let view = self.views[index as usize];
                if view.standing == Standing::Suspect && view.incarnation == incarnation {
                    self.believe(cx, index as usize, View { standing: Standing::Failed, incarnation });
                }
            }
            MemberTimer::Silence(_) | MemberTimer::Report => {}
        }
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &MembersMessage) {
        let (MembersMessage::Ping { gossip, .. }
        | MembersMessage::Ack { gossip, .. }
        | MembersMessage::PingReq { gossip, .. }) = message
        else {
            return;
        };
        for update in gossip.updates() {
            self.learn(cx, *update);
        }
        match *message {
            MembersMessage::Ping { seq, .. } => {
                self.tell_of_itself(from);
                self.send(cx, from, |gossip| MembersMessage::Ack { seq, gossip });
            }
            MembersMessage::PingReq { seq: theirs, target, .. } => {
                self.seq += 1;
                let mine = self.seq;
                self.relays.push_back(Relay { mine, asker: from, theirs });
                if self.relays.len() > RELAYS {
                    self.relays.pop_front();
                }
                self.send(cx, target, |gossip| MembersMessage::Ping { seq: mine, gossip });
            }
            MembersMessage::Ack { seq, .. } => self.on_ack(cx, seq),
            MembersMessage::Heartbeat { .. } => {}
        }
    }

    fn on_ack(&mut self, cx: &mut Cx<'_>, seq: u64) {
        if let Some(probe) = &mut self.probe
            && probe.seq == seq
        {
            probe.answered = true;
            return;
        }
        if let Some(relay) = self.relays.iter().position(|relay| relay.mine == seq)
            && let Some(Relay { asker, theirs, .. }) = self.relays.remove(relay)
        {
            self.send(cx, asker, |gossip| MembersMessage::Ack { seq: theirs, gossip });
        }
    }

    /// The last ping is judged, and the next one sent (3.1).
    fn period(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(self.options.period, MemberTimer::Beat);
        self.periods += 1;
        if let Some(probe) = self.probe.take()
            && !probe.answered
            && self.periods > self.in_grace
        {
            cx.fact(Fact::Sample { metric: DOUBTS, value: 1 });
            self.doubt(cx, probe.target);
        }
        if self.periods.is_multiple_of(REJOIN_PERIODS) {
            self.call_failed(cx);
        }
        let Some(target) = self.next_target(cx) else { return };
        self.seq += 1;
        let seq = self.seq;
        self.probe = Some(Probe { target, seq, answered: false });
        let node = self.members[target];
        self.tell_of_itself(node);
        self.send(cx, node, |gossip| MembersMessage::Ping { seq, gossip });
        cx.set_timer(self.options.ping_timeout, MemberTimer::Late(seq));
    }

    /// The direct ping was not answered in time: k others try (3.1).
    fn ask_others(&mut self, cx: &mut Cx<'_>, seq: u64) {
        let Some(Probe { target, answered: false, .. }) = self.probe.filter(|probe| probe.seq == seq) else {
            return;
        };
        let fit = |other: &usize| {
            *other != self.me && *other != target && self.views[*other].standing != Standing::Failed
        };
        let mut helpers: Vec<usize> = (0..self.members.len()).filter(fit).collect();
        for chosen in 0..self.options.helpers.min(helpers.len()) {
            let left = helpers.len() - chosen;
            let pick = chosen + usize::try_from(cx.rng().below(left as u64)).expect("below the length");
            helpers.swap(chosen, pick);
            let (helper, target) = (self.members[helpers[chosen]], self.members[target]);
            self.send(cx, helper, |gossip| MembersMessage::PingReq { seq, target, gossip });
        }
    }

    /// A ping failed, direct and indirect.
    fn doubt(&mut self, cx: &mut Cx<'_>, target: usize) {
        let View { standing, incarnation } = self.views[target];
        if standing != Standing::Alive {
            return;
        }
        let standing =
            if self.options.suspicion == Span::ZERO { Standing::Failed } else { Standing::Suspect };
        self.believe(cx, target, View { standing, incarnation });
    }

    /// News from another member: a higher incarnation overrides, and in one incarnation the worse (4.2).
    fn learn(&mut self, cx: &mut Cx<'_>, update: Update) {
        let index = place(&self.members, update.node);
        if index == self.me {
            if update.standing != Standing::Alive && update.incarnation >= self.incarnation {
                self.incarnation = update.incarnation + 1;
                self.spread(Update {
                    node: update.node,
                    incarnation: self.incarnation,
                    standing: Standing::Alive,
                });
            }
            return;
        }
        let view = self.views[index];
        if (update.incarnation, update.standing) > (view.incarnation, view.standing) {
            self.believe(cx, index, View { standing: update.standing, incarnation: update.incarnation });
        }
    }

    fn believe(&mut self, cx: &mut Cx<'_>, index: usize, view: View) {
        let node = self.members[index];
        let before = std::mem::replace(&mut self.views[index], view).standing;
        match (before, view.standing) {
            (Standing::Failed, Standing::Failed) => {}
            (_, Standing::Failed) => cx.fact(Fact::Suspect { node }),
            (Standing::Failed, _) => cx.fact(Fact::Trust { node }),
            _ => {}
        }
        if view.standing == Standing::Suspect {
            let index = u32::try_from(index).expect("fewer than 2^32 members");
            cx.set_timer(self.options.suspicion, MemberTimer::Unanswered(index, view.incarnation));
        }
        self.spread(Update { node, incarnation: view.incarnation, standing: view.standing });
    }

    /// The next one in the round; a new round is a new order (4.3), and the failed are left out.
    fn next_target(&mut self, cx: &mut Cx<'_>) -> Option<usize> {
        for _ in 0..2 {
            while let Some(&target) = self.order.get(self.next) {
                self.next += 1;
                if self.views[target as usize].standing != Standing::Failed {
                    return Some(target as usize);
                }
            }
            for last in (1..self.order.len()).rev() {
                let pick = usize::try_from(cx.rng().below(last as u64 + 1)).expect("below the length");
                self.order.swap(last, pick);
            }
            self.next = 0;
        }
        None
    }

    /// Pings one failed member, in case it is back.
    fn call_failed(&mut self, cx: &mut Cx<'_>) {
        let failed = |other: &usize| self.views[*other].standing == Standing::Failed;
        let failed: Vec<usize> = (0..self.members.len()).filter(failed).collect();
        if failed.is_empty() {
            return;
        }
        let pick = usize::try_from(cx.rng().below(failed.len() as u64)).expect("below the length");
        let node = self.members[failed[pick]];
        self.seq += 1;
        let seq = self.seq;
        self.tell_of_itself(node);
        self.send(cx, node, |gossip| MembersMessage::Ping { seq, gossip });
    }

    /// A member that others doubt should hear of it first, so that it can object.
    fn tell_of_itself(&mut self, node: NodeId) {
        let View { standing, incarnation } = self.views[place(&self.members, node)];
        if standing != Standing::Alive {
            self.spread(Update { node, incarnation, standing });
        }
    }

    /// Queues a piece of news; it replaces older news about the same member.
    fn spread(&mut self, update: Update) {
        self.news.retain(|news| news.update.node != update.node);
        self.news.push(News { update, sent: 0 });
    }

    /// Sends a message with the news that was sent least often on its back (4.1).
    fn send(&mut self, cx: &mut Cx<'_>, to: NodeId, message: impl FnOnce(Gossip) -> MembersMessage) {
        let mut gossip = Gossip::default();
        self.news.sort_by_key(|news| news.sent);
        for news in &mut self.news {
            if !gossip.push(news.update) {
                break;
            }
            news.sent += 1;
        }
        let enough = SPREAD * (usize::BITS - self.members.len().leading_zeros());
        self.news.retain(|news| news.sent < enough);
        self.sent += 1;
        cx.send(to, message(gossip));
    }
}
