//! Messages in flight: each is stored once, for all its recipients.

use crate::fact::NodeId;

/// A message and what the engine asked it once.
#[derive(Clone, Debug)]
pub(crate) struct Payload<M> {
    /// `None` in a free slot, and while a recipient looks at it.
    message: Option<M>,
    digest: u64,
    from: NodeId,
    bytes: u32,
    /// Deliveries that are still to come; in a free slot the next free one.
    copies: u32,
    kind: u8,
}

/// All that one delivery needs, but the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    pub(crate) digest: u64,
    pub(crate) from: NodeId,
    pub(crate) bytes: u32,
    pub(crate) kind: u8,
}

/// The slab of all messages in flight.
#[derive(Clone, Debug)]
pub(crate) struct Payloads<M> {
    slots: Vec<Payload<M>>,
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
        if let Some(payload) = self.slots.get(slot as usize) {
            self.free = payload.copies;
            return slot;
        }
        self.grow()
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 messages in flight");
        self.slots.push(Payload {
            message: None,
            digest: 0,
            from: NodeId(0),
            bytes: 0,
            copies: NIL,
            kind: 0,
        });
        slot
    }

    /// Stores a message for `copies` deliveries, or gives the slot back when there are none.
    #[inline]
    pub(crate) fn fill(&mut self, slot: u32, message: M, label: Label, copies: u32) {
        if copies == 0 {
            self.vacate(slot);
            return;
        }
        let Label { digest, from, bytes, kind } = label;
        self.slots[slot as usize] = Payload { message: Some(message), digest, from, bytes, copies, kind };
    }

    /// Hands out the message for one delivery; the third part tells whether others are to come, and
    /// the message has to be put back.
    ///
    /// The last delivery frees the slot at once: what the recipient sends finds it warm.
    #[inline]
    pub(crate) fn take(&mut self, slot: u32) -> (M, Label, bool) {
        let payload = &mut self.slots[slot as usize];
        let message = payload.message.take().expect("a payload stays until its last delivery");
        let Payload { digest, from, bytes, kind, .. } = *payload;
        payload.copies -= 1;
        let more = payload.copies > 0;
        if !more {
            payload.copies = self.free;
            self.free = slot;
        }
        (message, Label { digest, from, bytes, kind }, more)
    }

    /// Puts a message back for the deliveries that are to come.
    #[inline]
    pub(crate) fn put_back(&mut self, slot: u32, message: M) {
        self.slots[slot as usize].message = Some(message);
    }

    /// Ends a delivery that no one saw.
    pub(crate) fn release(&mut self, slot: u32) {
        let payload = &mut self.slots[slot as usize];
        payload.copies -= 1;
        if payload.copies == 0 {
            self.vacate(slot);
        }
    }

    fn vacate(&mut self, slot: u32) {
        let payload = &mut self.slots[slot as usize];
        payload.message = None;
        payload.copies = self.free;
        self.free = slot;
    }

    /// Looks at a slot, so that it is in the cache when its delivery comes.
    #[inline]
    pub(crate) fn touch(&self, slot: u32) -> u64 {
        self.slots.get(slot as usize).map_or(0, |payload| payload.digest)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Payload<M>>()
    }
}
