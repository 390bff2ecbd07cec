//! The queue of pending events: one type, ordered by (time, order of insertion).
//!
//! [`Queue`] is a hierarchical timing wheel. A plain heap with the same order stays beside it as
//! the oracle of the differential tests.

#[cfg(test)]
mod heap;
#[cfg(test)]
mod tests;
mod wheel;

use crate::time::Time;

pub(crate) use wheel::Queue;

/// What the queue orders: 24 bytes, its time included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When the event happens.
    pub(crate) at: Time,
    /// Whom it happens to.
    pub(crate) target: u32,
    /// Where its payload or its timer lies.
    pub(crate) slot: u32,
    /// Which class of event it is.
    pub(crate) tag: u32,
    /// Free for the class: a generation, a source.
    pub(crate) extra: u32,
}

// A bucket's chunk is a whole number of entries; the memory budget per pending event counts on 24.
const _: () = assert!(size_of::<Entry>() == 24);
