//! Where a script meets the run: requests from a list, and single messages that are amended or recorded.

use std::sync::Arc;

use super::{Core, Tag, World};
use crate::fact::{Judge, NodeId, Request};
use crate::fault::{Fault, Hits};
use crate::network::{Fate, Flight, amend, lateness};
use crate::process::{Message as _, Process};
use crate::queue::Entry;
use crate::random::Keyed;
use crate::script::{Letter, LetterDeed, LetterId, Script, Scripted, Sending};
use crate::time::Time;

/// What a script looks at while a world runs.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// In order.
    letters: Arc<[Letter]>,
    record: bool,
    sendings: Vec<Sending>,
}

/// Requests from lists, by workload.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    requests: Arc<[Vec<Scripted>]>,
    next: Vec<usize>,
}

impl<P: Process, J: Judge> World<P, J> {
    /// Every message so far that was handed to the network, if the script asked for that.
    pub fn sendings(&self) -> &[Sending] {
        self.core.watch.as_ref().map_or(&[], |watch| &watch.sendings)
    }

    /// From now on the environment decides by another seed. Processes keep their own streams.
    pub fn reseed(&mut self, seed: u64) {
        self.core.keyed = Keyed::new(seed);
    }

    /// Adds faults behind those of the plan. None of them makes a node Byzantine.
    ///
    /// # Panics
    /// When one starts before now.
    pub fn add_faults(&mut self, faults: &[Fault]) {
        let core = &mut self.core;
        let known = core.plan.len();
        core.plan = core.plan.iter().chain(faults).cloned().collect();
        core.hits.resize(core.plan.len(), Hits::default());
        for (index, fault) in faults.iter().enumerate().filter(|(_, fault)| fault.ever()) {
            assert!(fault.start >= core.now, "{} starts in the past", fault.name);
            let index = u32::try_from(known + index).expect("fewer than 2^32 faults");
            core.push(fault.start, Tag::FaultStart, 0, index);
            if fault.end < Time::MAX {
                core.push(fault.end, Tag::FaultEnd, 0, index);
            }
        }
    }
}

impl<P: Process> Core<P> {
    /// Takes a script, before anything is scheduled.
    pub(super) fn follow(&mut self, script: Script) {
        let Script { requests, mut letters, record } = script;
        self.lists = requests
            .map(|requests| Box::new(Lists { next: vec![0; requests.len()], requests: requests.into() }));
        if record || !letters.is_empty() {
            letters.sort_unstable();
            self.network.watch();
            self.watch = Some(Box::new(Watch { letters: letters.into(), record, sendings: Vec::new() }));
        }
    }

    /// Whether requests come from lists.
    pub(super) fn is_listed(&self) -> bool {
        self.lists.is_some()
    }

    /// When the next request of a workload's list arrives.
    pub(super) fn next_listed(&self, workload: usize) -> Option<Time> {
        let lists = self.lists.as_ref()?;
        Some(lists.requests.get(workload)?.get(lists.next[workload])?.at)
    }

    /// The request of a list that arrives now; the one after it is scheduled.
    pub(super) fn listed_request(&mut self, entry: Entry) -> (Request, NodeId) {
        let workload = entry.slot as usize;
        let lists = self.lists.as_mut().expect("requests come from lists");
        let Scripted { client, kind, key, .. } = lists.requests[workload][lists.next[workload]];
        lists.next[workload] += 1;
        if let Some(at) = self.next_listed(workload) {
            self.push(at.max(entry.at), Tag::Arrival, 0, entry.slot);
        }
        (self.number_request(workload, false, kind, key), client)
    }

    /// Looks at a message: what the script does to it is done, and what became of it is recorded.
    #[cold]
    pub(super) fn look_at(&mut self, me: NodeId, flight: &Flight, digest: u64, fate: &mut Fate) {
        let number = self.ordinals[me.index() * P::Message::KINDS.len() + usize::from(flight.kind)];
        let id = LetterId { from: flight.from, to: flight.to, kind: flight.kind, number };
        let Some(watch) = &mut self.watch else { return };
        let first = watch.letters.partition_point(|letter| letter.id < id);
        let letters = watch.letters[first..].iter().take_while(|letter| letter.id == id);
        let plain = self.network.plain(&self.keyed, flight);
        for letter in letters {
            amend(fate, flight.departs, letter.deed);
            if letter.deed == LetterDeed::Drop {
                break;
            }
        }
        if watch.record {
            watch.sendings.push(Sending {
                event: self.trace.events(),
                id,
                digest,
                departs: flight.departs,
                arrives: fate.arrives,
                again: fate.again,
                corrupt: fate.corrupt,
                late: lateness(fate, plain),
                separated: self.network.separates(flight, &self.plan),
            });
        }
    }
}
