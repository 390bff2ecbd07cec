//! An allocator that counts, and the workloads that the engine is measured by.
//!
//! Whatever links this crate allocates through it. Counts are of the calling thread, so that tests
//! beside each other do not disturb one another.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait; this is the only one")]

mod workload;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

pub use workload::{Config, Node, Work, world};

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counted;

#[global_allocator]
static COUNTED: Counted = Counted;

fn count(calls: u64, bytes: usize, freed: usize) {
    // A thread that ends may free after its counters are gone.
    let _ = CALLS.try_with(|cell| cell.set(cell.get() + calls));
    let change = i64::try_from(bytes).unwrap_or(i64::MAX) - i64::try_from(freed).unwrap_or(i64::MAX);
    let held = HELD.try_with(|cell| {
        cell.set(cell.get() + change);
        cell.get()
    });
    let _ = PEAK.try_with(|cell| cell.set(cell.get().max(held.unwrap_or(0))));
}

// SAFETY: every call is passed on to the system's allocator with its own arguments; counting neither
// allocates nor unwinds.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(place, layout, size) }
    }
}

/// How often `act` allocates on this thread, and what it returns.
pub fn allocations<T>(act: impl FnOnce() -> T) -> (u64, T) {
    let before = CALLS.with(Cell::get);
    let value = act();
    (CALLS.with(Cell::get) - before, value)
}

/// Bytes that this thread's allocations hold more after `act` than before, and what it returns.
pub fn held<T>(act: impl FnOnce() -> T) -> (i64, T) {
    let before = HELD.with(Cell::get);
    let value = act();
    (HELD.with(Cell::get) - before, value)
}

/// The most bytes that `act` holds at once beyond what was held before, and what it returns.
pub fn peak<T>(act: impl FnOnce() -> T) -> (i64, T) {
    let before = HELD.with(Cell::get);
    PEAK.with(|cell| cell.set(before));
    let value = act();
    (PEAK.with(Cell::get) - before, value)
}
