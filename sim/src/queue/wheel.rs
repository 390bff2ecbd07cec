//! A 64-ary hierarchical timing wheel on nanoseconds, with pooled chunks and a sorted front.
//!
//! An entry lies on the level of the highest base-64 digit in which its time differs from the
//! wheel's clock, in the slot that this digit names; eleven levels cover every `u64`. The earliest
//! entry is in the first occupied slot of the lowest occupied level. A slot of many entries moves
//! down: the clock enters its range, and its entries are spread over lower levels, in order. A slot
//! of few is sorted into the front, from which entries are popped.
//!
//! Ties are first in, first out without a sequence number: an entry for a range is pushed below the
//! range's slot only when the clock is inside the range, that is after the slot was emptied
//! downwards; so of two entries with one time, the earlier pushed is always ahead. What is pushed
//! into the range in front stays in the wheel, behind its equals in front.

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

/// Slots of higher levels are never sorted: their times and ranks would not fit an `i32`.
const SORTED_LEVELS: usize = 5;
/// Slots with more entries move down: sorting takes time by the square.
const FEW: usize = 2 * CHUNK as usize - 1;
/// Slots are sorted into the front until it holds so many.
const AHEAD: usize = 16;
/// The first place is for an entry that is squeezed in before the others, the last for what is no entry.
const FRONT: usize = 1 + AHEAD + FEW;
/// With so many entries pending, what those in front need is worth fetching together.
const CROWD: usize = 1 << 12;

/// Entries are sorted in groups, and keys compared so many at a time.
const GROUP: usize = 4;
const LANES: usize = 2 * GROUP;
/// Each of the two parts of a bucket is filled up to whole groups, and both to whole lanes.
const KEYS: usize = FEW + 2 * GROUP + LANES;

/// Pending events, ordered by (time, order of insertion).
///
/// Times are monotone: an entry must not lie before the last one popped, nor before the limit of an
/// attempt that found nothing.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// The wheel's clock: no entry in a bucket is earlier.
    now: u64,
    /// No entry may be pushed before.
    floor: u64,
    len: usize,
    /// Places in front that are still to be popped.
    next: usize,
    end: usize,
    /// Every entry in front is earlier.
    bound: u64,
    /// Something was pushed before `bound`.
    intruded: bool,
    /// Which levels have an occupied slot.
    levels: u32,
    /// Which slots of a level are occupied.
    occupied: [u64; LEVELS],
    buckets: [[Bucket; SLOTS]; LEVELS],
    pool: Pool,
    front: [Entry; FRONT],
    /// Scratch for sorting.
    keys: [i32; KEYS],
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
            floor: 0,
            len: 0,
            next: 1,
            end: 1,
            bound: 0,
            intruded: false,
            levels: 0,
            occupied: [0; LEVELS],
            buckets: [[Bucket::EMPTY; SLOTS]; LEVELS],
            pool: Pool { entries: Vec::new(), links: Vec::new(), free: NONE },
            front: [Entry::default(); FRONT],
            keys: [i32::MAX; KEYS],
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
        assert!(self.floor <= at, "event at {at} ns pushed when the queue had reached {} ns", self.floor);
        self.intruded |= at < self.bound;
        self.len += 1;
        self.insert(entry);
    }

    /// Takes the earliest entry, the first pushed among equals.
    #[allow(dead_code, reason = "the event loop pops up to a limit; tests and benchmarks use it")]
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.pop_until(Time::MAX)
    }

    /// Takes the earliest entry if it is not later than `limit`. Otherwise the clock has moved to
    /// `limit` at most: what is pushed next lies there or later.
    #[inline]
    pub(crate) fn pop_until(&mut self, limit: Time) -> Option<Entry> {
        if (self.next == self.end || self.intruded) && !self.arrange(limit) {
            return None;
        }
        let entry = self.front[self.next];
        if limit < entry.at {
            return None;
        }
        self.next += 1;
        self.len -= 1;
        self.floor = entry.at.0;
        Some(entry)
    }

    /// Whether the last entry popped was the first of a front that is worth preparing.
    #[inline]
    pub(crate) fn is_renewed(&self) -> bool {
        self.next == 2 && self.len >= CROWD
    }

    /// Entries that come next, as far as they are sorted.
    #[inline]
    pub(crate) fn front(&self) -> &[Entry] {
        &self.front[self.next..self.end]
    }

    /// How many entries are pending.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.pool.entries.len() * size_of::<Entry>() + self.pool.links.len() * 4
    }
}

impl Queue {
    /// Brings the earliest entry to the front's first place; false when there is none up to `limit`
    /// (one beyond may be in front).
    #[inline(never)]
    fn arrange(&mut self, limit: Time) -> bool {
        loop {
            let waits = self.next < self.end;
            if self.levels == 0 {
                self.intruded = false;
                return waits;
            }
            let (level, slot) = self.first();
            let start = self.start(level, slot);
            let first = if waits { self.front[self.next].at.0 } else { u64::MAX };
            if waits && first <= start {
                // Only what was pushed into the range in front can come before the rest of it.
                self.intruded = start < self.bound;
                return true;
            }
            if limit.0 < start {
                return false;
            }
            let bucket = self.buckets[level][slot];
            if !waits && level == 0 {
                self.bring_ties(slot);
                return true;
            }
            if !waits && level < SORTED_LEVELS && self.pool.count(bucket) <= FEW {
                self.sort(level, slot);
                return true;
            }
            // On the lowest level all entries of a slot have one time.
            if level == 0 || bucket.is_single() {
                let entry = self.pool.entries[bucket.head as usize];
                if waits && first <= entry.at.0 {
                    return true;
                }
                if limit < entry.at {
                    return false;
                }
                self.now = entry.at.0;
                self.drop_first(level, slot);
                if !waits {
                    (self.next, self.end, self.bound, self.intruded) = (1, 1, 0, false);
                }
                self.next -= 1;
                self.front[self.next] = entry;
                return true;
            }
            self.descend(level, slot, start);
        }
    }

    /// Brings the entries of the first slot, which have one time, to the empty front, a chunk at most.
    fn bring_ties(&mut self, slot: usize) {
        self.now = self.start(0, slot);
        self.bound = self.now.saturating_add(1);
        let bucket = &mut self.buckets[0][slot];
        let (chunk, last) = (bucket.head / CHUNK, bucket.tail / CHUNK);
        let to = if chunk == last { bucket.tail } else { (chunk + 1) * CHUNK };
        let ties = &self.pool.entries[bucket.head as usize..to as usize];
        self.next = 1;
        self.end = 1 + ties.len();
        self.front[1..self.end].copy_from_slice(ties);
        if chunk != last {
            bucket.head = self.pool.follow(chunk);
        }
        self.intruded = chunk != last && bucket.head != bucket.tail;
        if !self.intruded {
            self.pool.release(Bucket { head: bucket.tail, ..*bucket });
            *bucket = Bucket::EMPTY;
            self.vacate(0);
        }
    }

    /// Sorts the first slots into the empty front, until there are enough.
    fn sort(&mut self, level: usize, mut slot: usize) {
        let width = 1 << (level * BITS);
        self.now = self.start(level, slot);
        self.next = 1;
        self.end = 1;
        self.intruded = false;
        loop {
            let start = self.start(level, slot);
            self.bound = start.saturating_add(width);
            let bucket = std::mem::replace(&mut self.buckets[level][slot], Bucket::EMPTY);
            self.vacate(level);
            self.sort_bucket(bucket, start);
            self.pool.release(bucket);
            slot = self.occupied[level].trailing_zeros() as usize;
            if self.end > AHEAD || slot == SLOTS || self.pool.count(self.buckets[level][slot]) > FEW {
                return;
            }
        }
    }

    /// Sorts the entries of a bucket behind those in front, by counting for each how many come before.
    ///
    /// Entries are taken in groups, because a mispredicted end of a loop costs more than a few entries
    /// too many: these get the greatest key, and lie behind the others, where no one looks.
    #[inline]
    fn sort_bucket(&mut self, bucket: Bucket, start: u64) {
        let parts = Pool::parts(bucket);
        let mut place = 0;
        for (from, to) in parts {
            for group in (from..to).step_by(GROUP) {
                let entries = self.pool.group(group);
                for (lane, entry) in entries.iter().enumerate() {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_possible_wrap,
                        reason = "31 bits"
                    )]
                    let key = (entry.at.0.wrapping_sub(start) << PLACE_BITS) as i32 | (place + lane) as i32;
                    self.keys[place + lane] = if group + lane < to { key } else { i32::MAX };
                }
                place += GROUP;
            }
        }
        self.keys[place..place + GROUP].fill(i32::MAX);
        let keys = &self.keys[..place.next_multiple_of(LANES)];
        let places = &mut self.front[self.end..];
        let mut place = 0;
        for (from, to) in parts {
            for group in (from..to).step_by(GROUP) {
                let entries = self.pool.group(group);
                for (lane, entry) in entries.iter().enumerate() {
                    places[rank(keys, keys[place + lane])] = *entry;
                }
                place += GROUP;
            }
            self.end += to - from;
        }
    }

    /// Level and first occupied slot of the lowest occupied level.
    #[inline]
    fn first(&self) -> (usize, usize) {
        let level = (self.levels.trailing_zeros() as usize).min(LEVELS - 1);
        (level, self.occupied[level].trailing_zeros() as usize % SLOTS)
    }

    /// The earliest time of a slot's range.
    #[inline]
    fn start(&self, level: usize, slot: usize) -> u64 {
        let shift = level * BITS;
        (self.now & ((u64::MAX << shift) << BITS)) | (slot as u64) << shift
    }

    /// Appends to the bucket that the entry's time names, as seen from the clock.
    #[inline]
    fn insert(&mut self, entry: Entry) {
        let at = entry.at.0;
        let level = ((at ^ self.now) | 1).ilog2() as usize / BITS;
        let slot = digit(at, level);
        self.levels |= 1 << level;
        self.occupied[level] |= 1 << slot;
        self.pool.append(&mut self.buckets[level][slot], entry);
    }

    /// Removes the first entry of the first slot.
    fn drop_first(&mut self, level: usize, slot: usize) {
        let bucket = &mut self.buckets[level][slot];
        bucket.head = bucket.head.wrapping_add(1);
        if bucket.head.is_multiple_of(CHUNK) {
            bucket.head = self.pool.follow(bucket.head / CHUNK - 1);
        }
        if bucket.head == bucket.tail {
            self.pool.release(*bucket);
            *bucket = Bucket::EMPTY;
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

    /// Moves the clock to the start of the first slot, and its entries to lower levels.
    #[inline(never)]
    fn descend(&mut self, level: usize, slot: usize, start: u64) {
        let bucket = self.buckets[level][slot];
        self.buckets[level][slot] = Bucket::EMPTY;
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
        self.pool.release(Bucket { head: from, ..bucket });
    }
}

/// Bits of a key that tell entries of one time apart: their place before.
const PLACE_BITS: usize = 7;
const _: () = assert!(2 * CHUNK <= 1 << PLACE_BITS && SORTED_LEVELS * BITS - BITS + PLACE_BITS < 32);

/// How many keys are less: no branch depends on them, and vectors of them are compared at once.
#[inline]
fn rank(keys: &[i32], key: i32) -> usize {
    let mut less = [0_i32; LANES];
    for keys in keys.as_chunks::<LANES>().0 {
        for (less, &other) in less.iter_mut().zip(keys) {
            *less = less.wrapping_add(i32::from(other < key));
        }
    }
    less.iter().fold(0_i32, |sum, less| sum.wrapping_add(*less)).cast_unsigned() as usize
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

    /// Releases all chunks of a bucket.
    #[inline]
    fn release(&mut self, bucket: Bucket) {
        let (mut chunk, last) = (bucket.head / CHUNK, bucket.tail / CHUNK);
        while chunk != last {
            chunk = self.follow(chunk) / CHUNK;
        }
        self.links[last as usize] = self.free;
        self.free = last;
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let chunk = u32::try_from(self.links.len()).expect("chunks fit u32");
        assert!(chunk < NONE / CHUNK, "more than 4 billion events are pending");
        // Growth by a quarter: doubling would hold twice what is needed.
        if self.links.len() == self.links.capacity() {
            let more = (self.links.len() / 4).max(64);
            self.links.reserve_exact(more);
            self.entries.reserve_exact(more * CHUNK as usize + GROUP);
        }
        self.links.push(NONE);
        self.entries.resize(self.links.len() * CHUNK as usize + GROUP, Entry::default());
        chunk
    }

    /// How many entries a bucket holds, if they lie in at most two chunks.
    #[inline]
    fn count(&self, bucket: Bucket) -> usize {
        let (first, last) = (bucket.head / CHUNK, bucket.tail / CHUNK);
        if first == last {
            return (bucket.tail - bucket.head) as usize;
        }
        if self.links[first as usize] == last {
            return (CHUNK - bucket.head % CHUNK + bucket.tail % CHUNK) as usize;
        }
        usize::MAX
    }

    /// Where the entries of a bucket of at most two chunks lie.
    #[inline]
    fn parts(bucket: Bucket) -> [(usize, usize); 2] {
        let (first, last) = (bucket.head / CHUNK, bucket.tail / CHUNK);
        let range = |from: u32, to: u32| (from as usize, to as usize);
        if first == last {
            return [range(bucket.head, bucket.tail), (0, 0)];
        }
        [range(bucket.head, (first + 1) * CHUNK), range(last * CHUNK, bucket.tail)]
    }

    /// The entries from a position on, some of which may be no longer in use.
    #[inline]
    fn group(&self, from: usize) -> &[Entry; GROUP] {
        self.entries[from..].first_chunk().expect("there is more than the chunks need")
    }
}
