//! The arbiter: who may be primary, until when, under which token, and who may follow.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{NodeId, Span, Time};

use super::{Cx, StandbyMessage, Timer, Write};

/// A candidate: the records it has, who it is, and its clock when it asked.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    last: u64,
    node: NodeId,
    sent: Time,
}

/// Hands out one lease at a time. While it is down, the primary's lease runs out and nobody serves.
#[derive(Clone, Debug)]
pub struct Arbiter {
    group: Arc<[NodeId]>,
    lease: Span,
    elect: Span,
    /// On its own monotonic clock.
    free_from: Time,
    /// The holder's clock at its latest renewal.
    renewed: Time,
    best: Option<Candidate>,
    collecting: bool,
    /// Answers that wait for the disk.
    answers: VecDeque<(NodeId, StandbyMessage)>,
}

impl Arbiter {
    pub(super) fn boot(cx: &mut Cx<'_>, group: Arc<[NodeId]>, lease: Span, elect: Span) -> Arbiter {
        // It does not know what it granted before it went down: the last lease may still run.
        let known = cx.durable().term > 0;
        let free_from = if known { cx.monotonic().saturating_add(lease) } else { Time::ZERO };
        Arbiter {
            group,
            lease,
            elect,
            free_from,
            renewed: Time::ZERO,
            best: None,
            collecting: false,
            answers: VecDeque::new(),
        }
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &StandbyMessage) {
        let (term, holder) = (cx.durable().term, cx.durable().holder);
        match *message {
            StandbyMessage::Acquire { last, sent } => self.acquire(cx, Candidate { last, node: from, sent }),
            StandbyMessage::Renew { term: theirs, sent, insync } => {
                if theirs != term || holder != Some(from) {
                    cx.send(from, StandbyMessage::Deposed { term });
                } else if sent >= self.renewed {
                    self.renewed = sent;
                    self.free_from = cx.monotonic().saturating_add(self.lease);
                    let answer = StandbyMessage::Granted { term, sent, insync };
                    self.answer(
                        cx,
                        from,
                        answer,
                        (insync != cx.durable().insync).then_some(Write::Insync(insync)),
                    );
                }
            }
            StandbyMessage::Release { term: theirs } if theirs == term && holder == Some(from) => {
                self.free_from = cx.monotonic();
            }
            _ => {}
        }
    }

    /// Answers when the disk has what the answer says.
    fn answer(&mut self, cx: &mut Cx<'_>, to: NodeId, answer: StandbyMessage, write: Option<Write>) {
        if write.is_none() && self.answers.is_empty() {
            return cx.send(to, answer);
        }
        if let Some(write) = write {
            cx.write(write, 100);
        }
        cx.sync();
        self.answers.push_back((to, answer));
    }

    fn place(&self, node: NodeId) -> u64 {
        self.group.iter().position(|known| *known == node).map_or(0, |place| 1 << (place % 64))
    }

    fn acquire(&mut self, cx: &mut Cx<'_>, candidate: Candidate) {
        let store = cx.durable();
        // The holder that asks has restarted: nobody else can be serving under its lease.
        let held = cx.monotonic() < self.free_from && store.holder != Some(candidate.node);
        // Who lacks acknowledged writes must not follow, however long nobody else can.
        let behind = store.term > 0 && store.insync & self.place(candidate.node) == 0;
        if held || behind || !self.answers.is_empty() {
            return;
        }
        if self.best.is_none_or(|best| best.last < candidate.last || best.node == candidate.node) {
            self.best = Some(candidate);
        }
        if !self.collecting {
            self.collecting = true;
            cx.set_timer(self.elect, Timer::Elect);
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        if timer != Timer::Elect {
            return;
        }
        self.collecting = false;
        let Some(Candidate { node, sent, .. }) = self.best.take() else { return };
        let (term, insync) = (cx.durable().term + 1, self.place(node));
        self.free_from = cx.monotonic().saturating_add(self.lease);
        self.renewed = Time::ZERO;
        let answer = StandbyMessage::Granted { term, sent, insync };
        self.answer(cx, node, answer, Some(Write::Grant(term, node, insync)));
    }

    pub(super) fn on_disk(&mut self, cx: &mut Cx<'_>) {
        if let Some((to, answer)) = self.answers.pop_front() {
            cx.send(to, answer);
        }
    }
}
