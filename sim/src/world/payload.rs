//! Messages in flight: each is stored once, for all its recipients.

use std::num::NonZeroU32;

use crate::fact::NodeId;

/// A message and what the engine asked it once.
#[derive(Clone, Debug)]
pub(crate) struct Payload<M> {
    pub(crate) message: M,
    pub(crate) digest: u64,
    pub(crate) from: NodeId,
    pub(crate) bytes: u32,
    /// Deliveries that are still to come, this one included.
    pub(crate) copies: NonZeroU32,
    pub(crate) kind: u8,
}

#[derive(Clone, Debug)]
enum Slot<M> {
    /// No message, or one that a recipient looks at; in a free slot the next free one.
    Free(u32),
    Full(Payload<M>),
}

/// The slab of all messages in flight.
#[derive(Clone, Debug)]
pub(crate) struct Payloads<M> {
    slots: Vec<Slot<M>>,
    free: u32,
}

const NIL: u32 = u32::MAX;

impl<M> Payloads<M> {
    pub(crate) fn new() -> Payloads<M> {
        Payloads { slots: Vec::new(), free: NIL }
    }

    /// A slot to be filled by [`Payloads::fill`].
    #[inline]
    pub(crate) fn claim(&mut self) -> u32 {
        let slot = self.free;
        if let Some(&Slot::Free(next)) = self.slots.get(slot as usize) {
            self.free = next;
            return slot;
        }
        self.grow()
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 messages in flight");
        self.slots.push(Slot::Free(NIL));
        slot
    }

    /// Stores a message in a slot that was claimed.
    #[inline]
    pub(crate) fn fill(&mut self, slot: u32, payload: Payload<M>) {
        self.slots[slot as usize] = Slot::Full(payload);
    }

    /// Gives a slot back that was claimed.
    pub(crate) fn give_back(&mut self, slot: u32) {
        self.slots[slot as usize] = Slot::Free(std::mem::replace(&mut self.free, slot));
    }

    /// Hands out a message for one delivery; [`Payloads::put_back`] has to follow if others are to come.
    ///
    /// The last delivery frees the slot at once: what the recipient sends finds it warm.
    #[inline]
    pub(crate) fn take(&mut self, slot: u32) -> Payload<M> {
        let place = &mut self.slots[slot as usize];
        match std::mem::replace(place, Slot::Free(NIL)) {
            Slot::Full(payload) => {
                if payload.copies == NonZeroU32::MIN {
                    *place = Slot::Free(std::mem::replace(&mut self.free, slot));
                }
                payload
            }
            Slot::Free(_) => unreachable!("a payload stays until its last delivery"),
        }
    }

    /// Puts a message back, unless this was its last delivery.
    #[inline]
    pub(crate) fn put_back(&mut self, slot: u32, payload: Payload<M>) {
        if let Some(copies) = NonZeroU32::new(payload.copies.get() - 1) {
            self.slots[slot as usize] = Slot::Full(Payload { copies, ..payload });
        }
    }

    /// Ends a delivery that no one saw.
    pub(crate) fn release(&mut self, slot: u32) {
        let payload = self.take(slot);
        self.put_back(slot, payload);
    }

    /// Looks at a slot, so that it is in the cache when its delivery comes.
    #[inline]
    pub(crate) fn touch(&self, slot: u32) -> u64 {
        match self.slots.get(slot as usize) {
            Some(Slot::Full(payload)) => payload.digest,
            _ => 0,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<M>>()
    }
}

// No byte is spent on the tag: two small messages share a cache line.
const _: () = assert!(size_of::<Slot<u64>>() == 32);
