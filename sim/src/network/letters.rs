//! What a script does to single messages, and what would become of one if nothing happened to it.

use super::{Fate, Flight, Network, separated};
use crate::fault::{Fault, FaultKind};
use crate::random::{Domain, Keyed};
use crate::script::LetterDeed;
use crate::time::{Span, Time};
use crate::topology::{Channel, Route};

impl Network {
    /// From now on no message takes the quick way: each one is looked at.
    pub(crate) fn watch(&mut self) {
        self.watched = true;
        self.quicken();
    }

    /// When a message would arrive by its latency alone; `None` without a route, or where bandwidth queues it.
    pub(crate) fn plain(&self, keyed: &Keyed, flight: &Flight) -> Option<Time> {
        let latency = |channel: &Channel, base: u64| {
            let latency = channel.latency.sample(keyed.word(Domain::Delay, base, flight.to_name));
            channel.bandwidth.is_none().then_some(latency)
        };
        let Flight { from_site, to_site, base, departs, .. } = *flight;
        let path = &self.paths[from_site.0 as usize * self.sites + to_site.0 as usize];
        match &path.route {
            Route::Inside => Some(departs + latency(&self.topology.site(from_site).inside, base)?),
            Route::Links(hops) => hops.iter().enumerate().try_fold(departs, |at, (i, hop)| {
                let base = if i == 0 { base } else { crate::hash::fold(base, i as u64) };
                Some(at + latency(self.topology.channel(hop.link), base)?)
            }),
            Route::Cut => None,
        }
    }

    /// Whether a partition of the plan or a cut link takes a message.
    pub(crate) fn separates(&self, flight: &Flight, plan: &[Fault]) -> bool {
        let index = flight.from_site.0 as usize * self.sites + flight.to_site.0 as usize;
        let cut = self.paths[index].route == Route::Cut;
        cut || self.active.iter().any(|active| match &plan[active.fault].kind {
            FaultKind::Partition { groups, one_way } => separated(groups, *one_way, flight.from, flight.to),
            FaultKind::Flapping { groups, one_way, on, off } => {
                let phase = flight.departs.since(plan[active.fault].start).0 % (on.0 + off.0);
                phase < on.0 && separated(groups, *one_way, flight.from, flight.to)
            }
            _ => false,
        })
    }
}

/// Does to a message what a script says.
pub(crate) fn amend(fate: &mut Fate, departs: Time, deed: LetterDeed) {
    match deed {
        LetterDeed::Drop => *fate = Fate::default(),
        LetterDeed::Late(by) => {
            fate.arrives = fate.arrives.map(|at| at.saturating_add(by));
        }
        LetterDeed::Again(after) => {
            if fate.arrives.is_some() {
                fate.again = Some(departs.saturating_add(after));
            }
        }
        LetterDeed::Corrupt(word) => {
            if fate.arrives.is_some() {
                fate.corrupt = Some(word);
            }
        }
    }
}

/// How much later a message arrives than its latency alone would have it.
pub(crate) fn lateness(fate: &Fate, plain: Option<Time>) -> Span {
    match (fate.arrives, plain) {
        (Some(at), Some(plain)) if at > plain => at.since(plain),
        _ => Span::ZERO,
    }
}
