//! Messages: from a send to the entries of their deliveries.

use std::num::NonZeroU32;

use super::host::Host;
use super::payload::Payload;
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
        let Host { slow, cost, .. } = self.hosts[me.index()];
        let site = self.sites[me.index()];
        #[expect(clippy::cast_possible_truncation, reason = "protocols have fewer than 256 kinds")]
        let payload = Payload {
            digest: message.digest(),
            from: self.identity(me),
            bytes: message.bytes(),
            copies: NonZeroU32::MIN,
            kind: message.kind() as u8,
            message,
        };
        let bytes = payload.bytes;
        let cost = self.costs[cost as usize].0.send(bytes);
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
            let host = self.host_for(me, to);
            if let Some(latency) = self.network.quick(site, self.sites[to.index()]) {
                copies += 1;
                let word = self.keyed.word(Domain::Delay, base, self.names[to.index()]);
                self.push(done + latency.sample(word), Tag::Deliver, host.0, slot);
            } else {
                copies += self.hand_over_slowly((me, to, host), done, slot, &payload, base);
            }
        }
        let total = &mut self.sent[usize::from(payload.kind)];
        total.count += sent;
        total.bytes += sent * u64::from(bytes);
        match NonZeroU32::new(copies) {
            Some(copies) => self.payloads.fill(slot, Payload { copies, ..payload }),
            None => self.payloads.give_back(slot),
        }
        done
    }

    /// Hands one message over to a network that does more to it than take time; how many deliveries
    /// of its slot come of it.
    #[inline(never)]
    fn hand_over_slowly(
        &mut self,
        (from, to, host): (NodeId, NodeId, NodeId),
        departs: Time,
        slot: u32,
        payload: &Payload<P::Message>,
        base: u64,
    ) -> u32 {
        let (from_site, to_site) = (self.sites[from.index()], self.sites[to.index()]);
        let to_name = self.names[to.index()];
        let (kind, bytes) = (payload.kind, payload.bytes);
        let flight = Flight { from, to, from_site, to_site, to_name, kind, bytes, base, departs };
        let mut fate = self.network.transmit(&self.keyed, &flight, &self.plan, &mut self.hits);
        if self.watch.is_some() {
            self.look_at(from, &flight, payload.digest, &mut fate);
        }
        self.arrange(host, slot, payload, &fate)
    }

    /// Puts the deliveries of one message to one recipient into the queue; how many use its slot.
    fn arrange(&mut self, to: NodeId, slot: u32, payload: &Payload<P::Message>, fate: &Fate) -> u32 {
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
            && let Some(flipped) = payload.message.corrupted(word)
        {
            let slot = self.payloads.claim();
            let (digest, bytes) = (flipped.digest(), flipped.bytes());
            let Payload { from, kind, .. } = *payload;
            let copies = NonZeroU32::MIN;
            self.payloads.fill(slot, Payload { message: flipped, digest, from, bytes, copies, kind });
            self.push(at, Tag::Deliver, to.0, slot);
        }
        0
    }
}
