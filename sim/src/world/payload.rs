//! Messages in flight: each is stored once, for all its recipients.

use crate::fact::NodeId;

/// A message and what the engine asked it once.
#[derive(Clone, Debug)]
pub(crate) struct Payload<M> {
    pub(crate) message: M,
    pub(crate) digest: u64,
    pub(crate) from: NodeId,
    pub(crate) bytes: u32,
    /// Deliveries that are still to come.
    pub(crate) copies: u32,
    pub(crate) kind: u8,
}

#[derive(Clone, Debug)]
enum Slot<M> {
    /// The next free slot.
    Free(u32),
    Full(Payload<M>),
    /// A recipient looks at it, and others will.
    Lent,
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

    /// Stores a message in a slot that was claimed, or gives the slot back when no delivery is to come.
    #[inline]
    pub(crate) fn fill(&mut self, slot: u32, payload: Payload<M>) {
        self.slots[slot as usize] = if payload.copies > 0 {
            Slot::Full(payload)
        } else {
            Slot::Free(std::mem::replace(&mut self.free, slot))
        };
    }

    /// Hands out a message for one delivery; if others are to come, it has to be put back.
    ///
    /// The last delivery frees the slot at once: what the recipient sends finds it warm.
    #[inline]
    pub(crate) fn take(&mut self, slot: u32) -> Payload<M> {
        let place = &mut self.slots[slot as usize];
        let Slot::Full(payload) = place else { unreachable!("a payload stays until its last delivery") };
        payload.copies -= 1;
        let rest =
            if payload.copies > 0 { Slot::Lent } else { Slot::Free(std::mem::replace(&mut self.free, slot)) };
        let Slot::Full(payload) = std::mem::replace(place, rest) else { unreachable!("it was full") };
        payload
    }

    /// Puts a message back for the deliveries that are to come.
    #[inline]
    pub(crate) fn put_back(&mut self, slot: u32, payload: Payload<M>) {
        self.slots[slot as usize] = Slot::Full(payload);
    }

    /// Ends a delivery that no one saw.
    pub(crate) fn release(&mut self, slot: u32) {
        let payload = self.take(slot);
        if payload.copies > 0 {
            self.put_back(slot, payload);
        }
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
