//! Messages: from a send to the entries of their deliveries.

use super::host::Host;
use super::payload::Label;
use super::{Core, Tag};
use crate::fact::NodeId;
use crate::network::{Fate, Flight};
use crate::process::{Message, Process};
use crate::random::Domain;
use crate::time::Time;

impl<P: Process> Core<P> {
    /// Sends one message to each of `to`; returns when the CPU is done with that.
    #[inline]
    pub(crate) fn send(
        &mut self,
        me: NodeId,
        done: Time,
        mut to: impl Iterator<Item = NodeId>,
        message: P::Message,
    ) -> Time {
        let kind = message.kind();
        let Host { name, subverted, .. } = self.hosts[me.index()];
        let ordinal = &mut self.ordinals[me.index() * P::Message::KINDS.len() + kind];
        let base = self.keyed.base(name ^ kind as u64, *ordinal);
        *ordinal += 1;
        if subverted {
            return self.send_edited(me, done, &mut to, &message, base);
        }
        self.hand_over(me, done, to, message, base)
    }

    /// Hands one message for each of `to` to the network; `base` is the key of the send operation.
    #[inline]
    pub(super) fn hand_over(
        &mut self,
        me: NodeId,
        mut done: Time,
        to: impl Iterator<Item = NodeId>,
        message: P::Message,
        base: u64,
    ) -> Time {
        let (kind, bytes) = (message.kind(), message.bytes());
        let Host { site, slow, cost, .. } = self.hosts[me.index()];
        let from = self.identity(me);
        let cost = self.costs[cost as usize].0.send(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "protocols have fewer than 256 kinds")]
        let label = Label { digest: message.digest(), from, bytes, kind: kind as u8 };
        let slot = self.payloads.claim();
        let (mut copies, mut sent) = (0, 0);
        for to in to {
            if to == me {
                copies += 1;
                self.push(done, Tag::Deliver, to.0, slot);
                continue;
            }
            done = done + if slow { self.slowed(me, cost) } else { cost };
            sent += 1;
            let recipient = &self.hosts[to.index()];
            let (to_site, to_name) = (recipient.site, recipient.name);
            let host = if recipient.subverted { self.host_for(me, to) } else { to };
            if let Some(latency) = self.network.quick(site, to_site) {
                copies += 1;
                let at = done + latency.sample(self.keyed.word(Domain::Delay, base, to_name));
                self.push(at, Tag::Deliver, host.0, slot);
                continue;
            }
            let (from_site, kind) = (site, label.kind);
            let flight = Flight { from, to, from_site, to_site, to_name, kind, bytes, base, departs: done };
            let mut fate = self.network.transmit(&self.keyed, &flight, &self.plan, &mut self.hits);
            if self.watch.is_some() {
                self.look_at(me, &flight, label.digest, &mut fate);
            }
            copies += self.arrange(host, slot, &message, label, &fate);
        }
        let total = &mut self.sent[kind];
        total.count += sent;
        total.bytes += sent * u64::from(bytes);
        self.payloads.fill(slot, message, label, copies);
        done
    }

    /// Puts the deliveries of one message to one recipient into the queue; how many use its slot.
    fn arrange(&mut self, to: NodeId, slot: u32, message: &P::Message, label: Label, fate: &Fate) -> u32 {
        let Some(word) = fate.corrupt else {
            let mut copies = 0;
            for at in [fate.arrives, fate.again].into_iter().flatten() {
                copies += 1;
                self.push(at, Tag::Deliver, to.0, slot);
            }
            return copies;
        };
        // The recipient's checksum drops it, unless the model says that none catches the flip.
        if let Some(at) = fate.arrives
            && let Some(flipped) = message.corrupted(word)
        {
            let label = Label { digest: flipped.digest(), bytes: flipped.bytes(), ..label };
            let slot = self.payloads.claim();
            self.payloads.fill(slot, flipped, label, 1);
            self.push(at, Tag::Deliver, to.0, slot);
        }
        0
    }
}
