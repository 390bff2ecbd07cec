//! Timers: set and cancelled in O(1), without piling up in the queue.
//!
//! A cancelled timer's queue entry stays where it is, and its slot waits in a list of its node.
//! The next timer of that node takes it over when the entry comes up no later than the new
//! deadline; when it comes up early it is put back at its deadline, and takes its place among
//! ties then. So a node has no more entries in the queue than it ever had timers at once.

use crate::time::Time;

/// Names a timer that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    slot: u32,
    generation: u32,
}

const NIL: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not in use and not in the queue.
    Free,
    /// Will fire.
    Armed,
    /// Cancelled, its queue entry still on the way.
    Idle,
    /// Fired, and waiting for its node's CPU.
    Fired,
    /// Cancelled while it waited for its node's CPU.
    Withdrawn,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    deadline: Time,
    /// When its queue entry comes up.
    queued: Time,
    node: u32,
    generation: u32,
    incarnation: u32,
    state: State,
    /// Neighbours in the node's list of idle slots; for a free slot the next free one.
    next: u32,
    previous: u32,
    timer: Option<T>,
}

/// What to do with a timer entry that came up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing: it was cancelled, or its node has crashed since.
    Nothing,
    /// Put the entry back at this time.
    Later(Time),
    /// Hand the timer to its node.
    Fire,
}

/// All timers of a world.
#[derive(Clone, Debug)]
pub(crate) struct Timers<T> {
    slots: Vec<Slot<T>>,
    free: u32,
}

impl<T: Copy> Timers<T> {
    pub(crate) fn new() -> Timers<T> {
        Timers { slots: Vec::new(), free: NIL }
    }

    /// Arms a timer. The second part is the slot of a queue entry to push at `deadline`, if one is needed.
    ///
    /// `idle` is the head of the node's list.
    #[inline]
    pub(crate) fn set(
        &mut self,
        node: u32,
        incarnation: u32,
        idle: &mut u32,
        deadline: Time,
        timer: T,
    ) -> (TimerId, Option<u32>) {
        let head = *idle;
        if head != NIL && self.slots[head as usize].queued <= deadline {
            self.unlink(head, idle);
            let slot = &mut self.slots[head as usize];
            slot.deadline = deadline;
            slot.state = State::Armed;
            slot.incarnation = incarnation;
            slot.timer = Some(timer);
            return (TimerId { slot: head, generation: slot.generation }, None);
        }
        let index = self.claim(node);
        let slot = &mut self.slots[index as usize];
        slot.deadline = deadline;
        slot.queued = deadline;
        slot.node = node;
        slot.incarnation = incarnation;
        slot.state = State::Armed;
        slot.timer = Some(timer);
        (TimerId { slot: index, generation: slot.generation }, Some(index))
    }

    /// Node of a timer.
    #[inline]
    pub(crate) fn node(&self, slot: u32) -> u32 {
        self.slots[slot as usize].node
    }

    /// Node that an id belongs to, unless the timer is over.
    #[inline]
    pub(crate) fn owner(&self, id: TimerId) -> Option<u32> {
        let slot = self.slots.get(id.slot as usize)?;
        (slot.generation == id.generation).then_some(slot.node)
    }

    /// Cancels a timer whose id is current; `idle` is the head of its node's list.
    #[inline]
    pub(crate) fn cancel(&mut self, id: TimerId, idle: &mut u32) {
        let slot = &mut self.slots[id.slot as usize];
        assert!(slot.generation == id.generation, "only a current timer is cancelled");
        slot.generation = slot.generation.wrapping_add(1);
        slot.timer = None;
        match slot.state {
            State::Armed => {
                slot.state = State::Idle;
                slot.previous = NIL;
                slot.next = *idle;
                if *idle != NIL {
                    self.slots[*idle as usize].previous = id.slot;
                }
                *idle = id.slot;
            }
            State::Fired => slot.state = State::Withdrawn,
            State::Free | State::Idle | State::Withdrawn => {
                unreachable!("a current timer is armed or has fired")
            }
        }
    }

    /// Looks at a queue entry that came up at `now`.
    #[inline]
    pub(crate) fn due(&mut self, slot: u32, now: Time, incarnation: u32, idle: &mut u32) -> Due {
        match self.slots[slot as usize].state {
            State::Idle => {
                self.unlink(slot, idle);
                self.release(slot);
                Due::Nothing
            }
            State::Armed => {
                let timer = &mut self.slots[slot as usize];
                if timer.incarnation != incarnation {
                    timer.generation = timer.generation.wrapping_add(1);
                    self.release(slot);
                    return Due::Nothing;
                }
                if timer.deadline > now {
                    timer.queued = timer.deadline;
                    return Due::Later(timer.deadline);
                }
                timer.state = State::Fired;
                Due::Fire
            }
            state => unreachable!("a queue entry of a timer in state {state:?}"),
        }
    }

    /// The timer that a node now handles, unless it was cancelled while it waited.
    #[inline]
    pub(crate) fn take(&mut self, slot: u32) -> Option<T> {
        let timer = &mut self.slots[slot as usize];
        let value = timer.timer.take();
        if timer.state == State::Fired {
            timer.generation = timer.generation.wrapping_add(1);
        }
        self.release(slot);
        value
    }

    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<T>>()
    }

    fn release(&mut self, slot: u32) {
        let timer = &mut self.slots[slot as usize];
        timer.state = State::Free;
        timer.timer = None;
        timer.next = self.free;
        self.free = slot;
    }

    /// A slot that is not in use.
    #[inline]
    fn claim(&mut self, node: u32) -> u32 {
        let index = self.free;
        if let Some(slot) = self.slots.get(index as usize) {
            self.free = slot.next;
            return index;
        }
        self.slots.push(Slot {
            deadline: Time::ZERO,
            queued: Time::ZERO,
            node,
            generation: 0,
            incarnation: 0,
            state: State::Free,
            next: NIL,
            previous: NIL,
            timer: None,
        });
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 timers")
    }

    fn unlink(&mut self, slot: u32, idle: &mut u32) {
        let (previous, next) = (self.slots[slot as usize].previous, self.slots[slot as usize].next);
        if previous == NIL {
            *idle = next;
        } else {
            self.slots[previous as usize].next = next;
        }
        if next != NIL {
            self.slots[next as usize].previous = previous;
        }
    }
}

/// Head of an empty list of idle slots.
pub(crate) const NO_IDLE_TIMERS: u32 = NIL;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_is_set_again_and_again_keeps_one_queue_entry() {
        let mut timers = Timers::new();
        let mut idle = NO_IDLE_TIMERS;
        let (mut id, entry) = timers.set(0, 0, &mut idle, Time(100), 'a');
        assert_eq!(entry, Some(0));
        for now in 1..90 {
            timers.cancel(id, &mut idle);
            let (next, entry) = timers.set(0, 0, &mut idle, Time(100 + now), 'a');
            assert_eq!(entry, None, "the entry at 100 is taken over");
            id = next;
        }
        assert_eq!(timers.due(0, Time(100), 0, &mut idle), Due::Later(Time(189)));
        assert_eq!(timers.due(0, Time(189), 0, &mut idle), Due::Fire);
        assert_eq!(timers.take(0), Some('a'));
        assert_eq!(timers.owner(id), None);
    }

    #[test]
    fn an_earlier_deadline_gets_an_entry_of_its_own() {
        let mut timers = Timers::new();
        let mut idle = NO_IDLE_TIMERS;
        let (late, _) = timers.set(0, 0, &mut idle, Time(100), 'a');
        timers.cancel(late, &mut idle);
        assert_eq!(timers.set(0, 0, &mut idle, Time(50), 'b').1, Some(1));
        assert_eq!(timers.due(1, Time(50), 0, &mut idle), Due::Fire);
        assert_eq!(timers.due(0, Time(100), 0, &mut idle), Due::Nothing);
        assert_eq!(idle, NO_IDLE_TIMERS);
    }

    #[test]
    fn a_timer_of_an_earlier_life_does_not_fire() {
        let mut timers = Timers::new();
        let mut idle = NO_IDLE_TIMERS;
        let (id, _) = timers.set(0, 0, &mut idle, Time(100), 'a');
        assert_eq!(timers.due(0, Time(100), 1, &mut idle), Due::Nothing);
        assert_eq!(timers.owner(id), None);
    }

    #[test]
    fn cancelling_between_firing_and_handling_withdraws_the_timer() {
        let mut timers = Timers::new();
        let mut idle = NO_IDLE_TIMERS;
        let (id, _) = timers.set(0, 0, &mut idle, Time(100), 'a');
        assert_eq!(timers.due(0, Time(100), 0, &mut idle), Due::Fire);
        timers.cancel(id, &mut idle);
        assert_eq!(timers.take(0), None);
    }
}
