//! A 64-ary hierarchical timing wheel on nanoseconds, with pooled chunks.
//!
//! An entry lies on the level of the highest base-64 digit in which its time differs from the
//! wheel's clock, in the slot that this digit names; eleven levels cover every `u64`. The earliest
//! entry is in the first occupied slot of the lowest occupied level. When that level is not the
//! lowest, the clock enters the slot's range and the slot's entries move down, in order.
//!
//! Ties are first in, first out without a sequence number: an entry for a range is pushed below the
//! range's slot only when the clock is inside the range, that is after the slot was emptied
//! downwards; so of two entries with one time, the earlier pushed is always ahead.

use super::Entry;
use crate::time::Time;

/// Bits of a digit: 64 slots a level, so that one word tells which are occupied.
const BITS: usize = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;
/// Entries in a chunk; a power of two, so that a position alone tells whether its chunk is full.
const CHUNK: u32 = 64;
/// No chunk.
const NONE: u32 = u32::MAX;

/// Pending events, ordered by (time, order of insertion).
///
/// Times are monotone: an entry must not lie before the last one popped.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// The wheel's clock: the time of the last entry popped.
    now: u64,
    /// No entry is earlier; exact when later than `now` (see [`Queue::peek_time`]).
    earliest: u64,
    len: usize,
    /// Which levels have an occupied slot.
    levels: u32,
    /// Which slots of a level are occupied.
    occupied: [u64; LEVELS],
    buckets: [[Bucket; SLOTS]; LEVELS],
    pool: Pool,
}

/// A list of chunks, by positions in the pool: the next entry to read, and the next to write.
///
/// A chunk that fills up gets its successor at once: `tail` can be written, unless the bucket is empty.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    head: u32,
    tail: u32,
}

impl Bucket {
    const EMPTY: Bucket = Bucket { head: NONE, tail: NONE };

    /// Whether exactly one entry is left (false also for one at the very end of its chunk).
    #[inline]
    fn is_single(self) -> bool {
        self.tail == self.head.wrapping_add(1) && !self.tail.is_multiple_of(CHUNK)
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

impl Queue {
    /// An empty queue whose clock stands at [`Time::ZERO`].
    pub(crate) fn new() -> Self {
        Queue {
            now: 0,
            earliest: 0,
            len: 0,
            levels: 0,
            occupied: [0; LEVELS],
            buckets: [[Bucket::EMPTY; SLOTS]; LEVELS],
            pool: Pool { entries: Vec::new(), links: Vec::new(), free: NONE },
        }
    }

    /// Adds an entry behind those of the same time.
    ///
    /// # Panics
    ///
    /// When the entry lies before the last one popped.
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) {
        let at = entry.at.0;
        assert!(self.now <= at, "event at {at} ns pushed when the queue had reached {} ns", self.now);
        self.earliest = self.earliest.min(at);
        self.len += 1;
        self.insert(entry);
    }

    /// Takes the earliest entry, the first pushed among equals.
    #[allow(dead_code, reason = "the event loop pops up to a limit; tests and benchmarks use it")]
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.pop_until(Time::MAX)
    }

    /// Takes the earliest entry if it is not later than `limit`; otherwise changes nothing that a
    /// push could notice.
    #[inline]
    pub(crate) fn pop_until(&mut self, limit: Time) -> Option<Entry> {
        loop {
            if self.levels == 0 {
                return None;
            }
            let (level, slot) = self.first();
            let bucket = self.buckets[level][slot];
            // On the lowest level all entries of a slot have one time.
            if level == 0 || bucket.is_single() {
                let entry = self.pool.entries[bucket.head as usize];
                if limit < entry.at {
                    return None;
                }
                self.now = entry.at.0;
                self.len -= 1;
                self.drop_first(level, slot);
                return Some(entry);
            }
            if !self.descend(level, slot, limit) {
                return None;
            }
        }
    }
}

impl Queue {
    /// The time of the earliest entry.
    #[allow(dead_code, reason = "the event loop pops up to a limit instead of peeking")]
    pub(crate) fn peek_time(&mut self) -> Option<Time> {
        if self.levels == 0 {
            return None;
        }
        let (level, slot) = self.first();
        if level == 0 {
            return Some(Time(self.now / SLOTS as u64 * SLOTS as u64 + slot as u64));
        }
        // A search leaves the exact minimum, pushes keep it exact, and the next pop reaches it.
        if self.earliest <= self.now {
            self.earliest = self.pool.minimum(self.buckets[level][slot]);
        }
        Some(Time(self.earliest))
    }

    /// How many entries are pending.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is pending.
    #[allow(dead_code, reason = "a length has its emptiness")]
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.pool.entries.len() * size_of::<Entry>() + self.pool.links.len() * 4
    }

    /// Level and first occupied slot of the lowest occupied level.
    #[inline]
    fn first(&self) -> (usize, usize) {
        let level = (self.levels.trailing_zeros() as usize).min(LEVELS - 1);
        (level, self.occupied[level].trailing_zeros() as usize % SLOTS)
    }

    /// Appends to the bucket that the entry's time names, as seen from the clock.
    #[inline]
    fn insert(&mut self, entry: Entry) {
        let at = entry.at.0;
        let level = ((at ^ self.now) | 1).ilog2() as usize / BITS;
        let slot = digit(at, level);
        if self.occupied[level] & (1 << slot) == 0 {
            self.levels |= 1 << level;
            self.occupied[level] |= 1 << slot;
        }
        self.pool.append(&mut self.buckets[level][slot], entry);
    }

    /// Removes the first entry of the first slot.
    #[inline]
    fn drop_first(&mut self, level: usize, slot: usize) {
        let bucket = &mut self.buckets[level][slot];
        bucket.head = bucket.head.wrapping_add(1);
        if bucket.head.is_multiple_of(CHUNK) {
            bucket.head = self.pool.follow(bucket.head / CHUNK - 1);
        }
        if bucket.head == bucket.tail {
            *bucket = self.pool.empty(*bucket);
            self.vacate(level);
        }
    }

    /// Marks the first occupied slot of the first occupied level as empty.
    #[inline]
    fn vacate(&mut self, level: usize) {
        self.occupied[level] &= self.occupied[level].wrapping_sub(1);
        if self.occupied[level] == 0 {
            self.levels &= self.levels.wrapping_sub(1);
        }
    }

    /// Moves the entries of the first slot to lower levels; false when all are beyond the limit.
    #[inline(never)]
    fn descend(&mut self, level: usize, slot: usize, limit: Time) -> bool {
        let shift = level * BITS;
        let start = (self.now & ((u64::MAX << shift) << BITS)) | (slot as u64) << shift;
        let bucket = self.buckets[level][slot];
        if limit.0 < start | ((1 << shift) - 1) {
            if self.earliest <= self.now {
                self.earliest = self.pool.minimum(bucket);
            }
            if limit.0 < self.earliest {
                return false;
            }
        }
        self.vacate(level);
        self.now = start;
        let mut from = bucket.head;
        while from / CHUNK != bucket.tail / CHUNK {
            let chunk = from / CHUNK;
            let whole = self.pool.chunk(chunk);
            for &entry in &whole[(from % CHUNK) as usize..] {
                self.insert(entry);
            }
            from = self.pool.follow(chunk);
        }
        for position in from..bucket.tail {
            let entry = self.pool.entries[position as usize];
            self.insert(entry);
        }
        self.buckets[level][slot] = self.pool.empty(bucket);
        true
    }
}

/// The base-64 digit of `at` that names a slot of `level`.
#[inline]
fn digit(at: u64, level: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "the low six bits are what is wanted")]
    let shifted = (at >> (level * BITS)) as usize;
    shifted % SLOTS
}

/// Chunks of entries in one allocation, with a list of those that are free.
#[derive(Clone, Debug)]
struct Pool {
    entries: Vec<Entry>,
    /// For each chunk the next of its list, or of the free list.
    links: Vec<u32>,
    free: u32,
}

impl Pool {
    #[inline]
    fn append(&mut self, bucket: &mut Bucket, entry: Entry) {
        if let Some(place) = self.entries.get_mut(bucket.tail as usize) {
            *place = entry;
            bucket.tail = bucket.tail.wrapping_add(1);
        } else {
            self.begin(bucket, entry);
        }
        if bucket.tail.is_multiple_of(CHUNK) {
            self.extend(bucket);
        }
    }

    /// The first entry of a bucket without a chunk.
    #[inline(never)]
    fn begin(&mut self, bucket: &mut Bucket, entry: Entry) {
        bucket.head = self.claim() * CHUNK;
        bucket.tail = bucket.head + 1;
        self.entries[bucket.head as usize] = entry;
    }

    /// Gives a bucket whose last chunk is full another one.
    #[inline(never)]
    fn extend(&mut self, bucket: &mut Bucket) {
        let chunk = self.claim();
        self.links[(bucket.tail / CHUNK - 1) as usize] = chunk;
        bucket.tail = chunk * CHUNK;
    }

    /// A copy of a whole chunk: its entries are then read without checks while others are written.
    #[inline]
    fn chunk(&self, chunk: u32) -> [Entry; CHUNK as usize] {
        *self.entries[(chunk * CHUNK) as usize..].first_chunk().expect("chunks are whole")
    }

    fn claim(&mut self) -> u32 {
        let chunk = self.free;
        if chunk == NONE {
            return self.grow();
        }
        self.free = self.links[chunk as usize];
        chunk
    }

    /// Releases a chunk that was read to its end; the first position of the next one.
    fn follow(&mut self, chunk: u32) -> u32 {
        let next = self.links[chunk as usize];
        self.links[chunk as usize] = self.free;
        self.free = chunk;
        next * CHUNK
    }

    /// Releases the last chunk of a bucket whose entries are gone.
    #[inline]
    fn empty(&mut self, bucket: Bucket) -> Bucket {
        let chunk = bucket.tail / CHUNK;
        self.links[chunk as usize] = self.free;
        self.free = chunk;
        Bucket::EMPTY
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let chunk = u32::try_from(self.links.len()).expect("chunks fit u32");
        assert!(chunk < NONE / CHUNK, "more than 4 billion events are pending");
        // Growth by a quarter: doubling would hold twice what is needed.
        if self.links.len() == self.links.capacity() {
            let more = (self.links.len() / 4).max(64);
            self.links.reserve_exact(more);
            self.entries.reserve_exact(more * CHUNK as usize);
        }
        self.links.push(NONE);
        self.entries.resize(self.links.len() * CHUNK as usize, Entry::default());
        chunk
    }

    /// The earliest time in a bucket that is not empty.
    fn minimum(&self, bucket: Bucket) -> u64 {
        let (mut from, mut least) = (bucket.head, u64::MAX);
        loop {
            let chunk = from / CHUNK;
            let ends = chunk == bucket.tail / CHUNK;
            let to = if ends { bucket.tail } else { (chunk + 1) * CHUNK };
            let entries = &self.entries[from as usize..to as usize];
            least = entries.iter().fold(least, |least, entry| least.min(entry.at.0));
            if ends {
                return least;
            }
            from = self.links[chunk as usize] * CHUNK;
        }
    }
}
