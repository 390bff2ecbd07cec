//! View changes (Castro & Liskov 1999, section 4.4; liveness rules of section 4.5.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_sim::{Fact, RequestId};

use super::Cx;
use super::bug::Bug;
use super::message::{
    Batch, NewView, PbftMessage, Prepared, Proposal, StableProof, ViewChange, new_view_bytes,
    view_change_bytes,
};
use super::replica::{Later, Replica};
use crate::consensus::{Command, SessionId, Signed, Signers};

/// What follows from a set V of view-changes: min-s with its proof, and the set O.
struct Choice {
    stable: Option<StableProof>,
    proposals: Vec<Proposal>,
}

/// Section 4.4: for each slot between min-s and max-s the batch that is prepared in the highest
/// view, else the null request.
fn choose(changes: &[Arc<Signed<ViewChange>>]) -> Choice {
    let stable = changes.iter().filter_map(|change| change.body().stable.as_ref());
    let stable = stable.max_by_key(|proof| proof.slot()).cloned();
    let low = stable.as_ref().map_or(0, StableProof::slot);
    let mut best: BTreeMap<u64, &Prepared> = BTreeMap::new();
    for prepared in changes.iter().flat_map(|change| &change.body().prepared) {
        if prepared.slot() > low {
            let known = best.entry(prepared.slot()).or_insert(prepared);
            if prepared.view() > known.view() {
                *known = prepared;
            }
        }
    }
    let last = best.keys().next_back().copied().unwrap_or(low);
    let null = Arc::new(Batch::new(Vec::new()));
    let batch = |slot| best.get(&slot).map_or(&null, |prepared| prepared.batch());
    let proposals = (low + 1..=last).map(|slot| Proposal { slot, batch: Arc::clone(batch(slot)) });
    Choice { proposals: proposals.collect(), stable }
}

impl Replica {
    /// The timer ran out: no progress in this view, or no new view in time.
    pub(super) fn on_timeout(&mut self, cx: &mut Cx<'_>) {
        self.timer = None;
        if !self.active || (self.pending > 0 && !self.is_primary()) {
            self.start_view_change(cx, self.view + 1);
        }
    }

    /// Gives up on the current view. Until the new one starts, only checkpoints, view-changes and
    /// new-views are accepted.
    fn start_view_change(&mut self, cx: &mut Cx<'_>, view: u64) {
        if self.doubt.is_some() {
            // Its P set might lack what it has prepared.
            return;
        }
        let previous = self.view;
        self.view = view;
        self.active = false;
        self.attempts += 1;
        self.stop_timer(cx);
        cx.fact(Fact::ViewChange { view });
        let prepared = match self.options.bug {
            Some(Bug::ViewChangeDropsP) => Vec::new(),
            Some(Bug::PHoldsPreviousView) => {
                self.log.certificates().filter(|known| known.view() == previous).cloned().collect()
            }
            _ => self.log.certificates().cloned().collect(),
        };
        let change = Signed::new(cx, ViewChange { view, stable: self.proof.clone(), prepared });
        let bytes = view_change_bytes(change.body());
        self.view_changes[self.place] = Some(Arc::new(change));
        self.promise_head(cx, bytes, Later::ViewChange);
    }

    /// The own view-change, while its view has not started.
    pub(super) fn own_view_change(&self) -> Option<Arc<Signed<ViewChange>>> {
        self.view_changes[self.place].clone().filter(|own| !self.active && own.body().view == self.view)
    }

    pub(super) fn send_view_change(&mut self, cx: &mut Cx<'_>) {
        if let Some(own) = self.own_view_change() {
            self.to_peers(cx, PbftMessage::ViewChange(own));
            self.consider_view_changes(cx);
        }
    }

    pub(super) fn on_view_change(&mut self, cx: &mut Cx<'_>, change: &Arc<Signed<ViewChange>>) {
        let Some(place) = self.group.place(change.by()) else { return };
        let view = change.body().view;
        if view < self.view || (view == self.view && self.active) {
            self.show_view(cx, change.by());
            return;
        }
        let known = self.view_changes[place].as_ref();
        if place == self.place || known.is_some_and(|known| known.body().view >= view) || !self.valid(change)
        {
            return;
        }
        self.view_changes[place] = Some(Arc::clone(change));
        self.join_others(cx);
        self.consider_view_changes(cx);
    }

    /// Whether a view-change proves what it says.
    fn valid(&self, change: &Signed<ViewChange>) -> bool {
        let change = change.body();
        let low = change.low();
        let stable = change.stable.as_ref().is_none_or(|proof| self.proves(proof));
        // Votes that counted twice, or that were not asked for, cannot be shown.
        let trusting = matches!(
            self.options.bug,
            Some(Bug::PWithoutCertificate | Bug::DuplicateVotes | Bug::NoPreparePhase)
        );
        let needed = if trusting { 0 } else { self.quorums.prepares };
        let between = |slot| low < slot && slot <= low.saturating_add(self.options.window);
        let ascending = change.prepared.windows(2).all(|pair| pair[0].slot() < pair[1].slot());
        stable
            && ascending
            && change.prepared.iter().all(|prepared| {
                between(prepared.slot())
                    && prepared.view() < change.view
                    && prepared.signers().count() >= needed
                    && !(prepared.signers().has(self.group.primary_place(prepared.view())) && needed > 0)
            })
    }

    /// Section 4.5.2: f + 1 view-changes for later views make a replica join the earliest of them.
    fn join_others(&mut self, cx: &mut Cx<'_>) {
        let later = self.view_changes.iter().flatten().map(|change| change.body().view);
        let later = later.filter(|view| *view > self.view);
        let (count, earliest) =
            later.fold((0, u64::MAX), |(count, least), view| (count + 1, least.min(view)));
        if count > self.group.f() {
            self.start_view_change(cx, earliest);
        }
    }

    /// With a quorum of view-changes for its view, the primary starts it and the others time it.
    fn consider_view_changes(&mut self, cx: &mut Cx<'_>) {
        if self.active {
            return;
        }
        let view = self.view;
        let changes = self.view_changes.iter().flatten().filter(|change| change.body().view == view);
        if changes.clone().count() < self.quorums.view_changes {
            // Who wants a later view gave up on this one, and says so no more: with them it is time
            // to go on. Else correct replicas wait in different views for one that lies.
            let later = self.view_changes.iter().flatten().filter(|change| change.body().view >= view);
            if later.count() >= self.quorums.view_changes && self.timer.is_none() {
                self.start_timer(cx);
            }
            return;
        }
        if self.is_primary() {
            let view_changes: Vec<_> = changes.take(self.quorums.view_changes).cloned().collect();
            let Choice { stable, proposals } = choose(&view_changes);
            let new = Arc::new(Signed::new(cx, NewView { view, view_changes, proposals }));
            self.enter_view(cx, &new, stable);
        } else if self.timer.is_none() {
            self.start_timer(cx);
        }
    }

    pub(super) fn on_new_view(&mut self, cx: &mut Cx<'_>, new: &Arc<Signed<NewView>>) {
        let body = new.body();
        if body.view < self.view || (body.view == self.view && self.active) {
            return;
        }
        if new.by() != self.group.primary(body.view) || new.by() == cx.id() {
            return;
        }
        if let Some(choice) = self.verify(body) {
            self.enter_view(cx, new, choice.stable);
        }
    }

    /// Section 4.4: a backup checks V and recomputes O; `None` if the message is refused.
    fn verify(&self, new: &NewView) -> Option<Choice> {
        let mut signers = Signers::none(self.group.n());
        for change in &new.view_changes {
            if change.body().view != new.view || !self.valid(change) {
                return None;
            }
            signers.insert(self.group.place(change.by())?);
        }
        let choice = choose(&new.view_changes);
        let same = new.proposals.len() == choice.proposals.len()
            && new.proposals.iter().zip(&choice.proposals).all(|(proposed, chosen)| {
                proposed.slot == chosen.slot && proposed.batch.digest() == chosen.batch.digest()
            });
        let enough = signers.count() >= self.quorums.view_changes;
        (enough && (same || self.has(Bug::NewViewNotVerified))).then_some(choice)
    }

    /// Starts a view: O is accepted as if pre-prepared, and all that is pending goes on.
    fn enter_view(&mut self, cx: &mut Cx<'_>, new: &Arc<Signed<NewView>>, stable: Option<StableProof>) {
        let body = new.body();
        self.note_all_pending();
        self.view = body.view;
        self.active = true;
        self.overtaken = false;
        self.new_view = Some(Arc::clone(new));
        self.say_view(cx);
        let low = stable.as_ref().map_or(0, StableProof::slot);
        self.log.start_view(self.view);
        if let Some(proof) = stable.filter(|proof| proof.slot() > self.log.low()) {
            self.active = false; // Nothing is proposed before O.
            self.stabilise(cx, proof);
            self.active = true;
        }
        self.promise_head(cx, new_view_bytes(body), Later::NewView);
        if low > self.executed {
            self.fetch(cx, low);
        }
        for waiting in &mut self.waiting {
            waiting.proposed = 0;
        }
        self.queue.clear();
        self.proposed = body.proposals.last().map_or(low, |last| last.slot).max(self.log.low());
        for proposal in &body.proposals {
            if self.log.in_window(proposal.slot) {
                self.accept(cx, proposal.slot, &proposal.batch);
            }
        }
        if self.is_primary() {
            if self.has(Bug::InventsCommand) {
                self.invent(cx);
            }
            self.enqueue_all();
            self.propose(cx);
        } else {
            self.relay_pending(cx);
        }
        self.accept_early(cx);
        self.execute_ready(cx);
        self.watch(cx);
    }

    pub(super) fn send_new_view(&mut self, cx: &mut Cx<'_>) {
        let own = self.new_view.clone().filter(|new| self.active && new.by() == cx.id());
        if let Some(new) = own.filter(|new| new.body().view == self.view) {
            for proposal in &new.body().proposals {
                if self.log.in_window(proposal.slot) {
                    self.log.slot_mut(proposal.slot).announced = true;
                }
            }
            self.to_peers(cx, PbftMessage::NewView(new));
        }
    }

    /// Pre-prepares of this view that overtook its new-view.
    fn accept_early(&mut self, cx: &mut Cx<'_>) {
        for proposal in std::mem::take(&mut self.early) {
            if proposal.view >= self.view {
                let primary = self.group.primary_place(proposal.view);
                self.on_pre_prepare(cx, primary, &proposal);
            }
        }
    }

    /// The new primary may not know what the old one left undone.
    fn relay_pending(&mut self, cx: &mut Cx<'_>) {
        let primary = self.group.primary(self.view);
        for waiting in &self.waiting {
            if let Some(command) = waiting.command.filter(|command| command.timestamp() > waiting.proposed) {
                cx.send(primary, PbftMessage::Request(command));
            }
        }
    }

    /// A planted bug: a command of no client.
    fn invent(&mut self, cx: &mut Cx<'_>) {
        let known = self.waiting.iter().filter_map(|waiting| waiting.command);
        let last = known.map(|command| command.request().0).max().unwrap_or(0);
        let request = RequestId(last + 1000);
        let command =
            Command::invented(cx.id(), SessionId::at(self.waiting.len()), request, u64::from(request.0) + 1);
        if self.proposed < self.log.high() {
            self.propose_batch(cx, Arc::new(Batch::new(vec![command])));
        }
    }
}

#[cfg(test)]
#[path = "view_change_tests.rs"]
mod tests;
