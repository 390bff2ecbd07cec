//! A store whose blocks rot, with checksums and a scrubber.
//!
//! Its copies lie on the disk of its node, and a fault of the plan, `bit-rot`, flips their bits.

use std::collections::BTreeSet;

use murphy_sim::{Durable, Fact, Outcome, Request, Span, Time};

use super::{Cx, LOST, ROT_TIME, SERVED, UpkeepTimer, unless_zero};

/// How a store keeps its blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoreOptions {
    /// Blocks.
    pub blocks: usize,
    /// Copies of each block.
    pub copies: usize,
    /// Time in which the scrubber reads every copy once; zero: never.
    pub scrub: Span,
    /// Whether a reader can tell that a block is rotten.
    pub checksum: bool,
    /// Disk time to read a block, charged to the CPU.
    pub read: Span,
}

/// The disk of a store: by block and copy, since when it is rotten.
#[derive(Clone, Debug, Default)]
pub struct Copies(Vec<Option<Time>>);

/// One write to it.
#[derive(Clone, Copy, Debug)]
pub enum CopyWrite {
    /// So many copies, all good.
    All(usize),
    /// One copy, from a good one.
    One(usize),
}

impl Durable for Copies {
    type Write = CopyWrite;

    fn apply(&mut self, write: &CopyWrite) {
        match *write {
            CopyWrite::All(copies) => self.0 = vec![None; copies],
            CopyWrite::One(copy) => self.0[copy] = None,
        }
    }

    fn rot(&mut self, word: u64, at: Time) -> bool {
        let Some(copy) = word.checked_rem(self.0.len() as u64) else { return false };
        let copy = &mut self.0[usize::try_from(copy).expect("an index")];
        let fresh = copy.is_none();
        copy.get_or_insert(at);
        fresh
    }
}

/// Keeps blocks that rot.
#[derive(Clone, Debug)]
pub struct Store {
    options: StoreOptions,
    /// Copies that are being written anew.
    mending: BTreeSet<usize>,
    /// The next block that the scrubber reads.
    next: usize,
}

impl Store {
    pub(super) fn boot(cx: &mut Cx<'_>, options: StoreOptions) -> Store {
        let store = Store { options, mending: BTreeSet::new(), next: 0 };
        if cx.durable().0.is_empty() {
            cx.write(CopyWrite::All(options.blocks * options.copies), 0);
            cx.sync();
        }
        store.wait_for_scrub(cx);
        store
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: UpkeepTimer) {
        if timer == UpkeepTimer::Scrub {
            let block = self.next;
            self.next = (block + 1) % self.options.blocks;
            cx.work(self.options.read);
            self.inspect(cx, block, true);
            self.wait_for_scrub(cx);
        }
    }

    /// What was mended is on the disk.
    pub(super) fn on_synced(&mut self) {
        self.mending.clear();
    }

    /// A read of one block.
    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        let blocks = self.options.blocks as u64;
        let block = usize::try_from(request.operation.key % blocks).expect("few blocks");
        cx.work(self.options.read);
        let outcome = if !self.options.checksum {
            if self.rotten(cx, block * self.options.copies).is_some() {
                cx.fact(Fact::Sample { metric: SERVED, value: 1 });
            }
            // Nobody can tell: that is what makes it worse than an error.
            Outcome::Ok
        } else if self.inspect(cx, block, false) {
            Outcome::Ok
        } else {
            Outcome::Failed
        };
        cx.fact(Fact::Complete { request: request.id, outcome, value: 0 });
    }

    /// Since when a copy is rotten, if it is.
    fn rotten(&self, cx: &Cx<'_>, copy: usize) -> Option<Time> {
        let since = cx.durable().0.get(copy).copied().flatten();
        since.filter(|_| !self.mending.contains(&copy))
    }

    /// Checks a block: all copies, or in their order until one is good. Rotten ones are written anew from
    /// a good one, or if there is none, the block is lost and restored from elsewhere.
    fn inspect(&mut self, cx: &mut Cx<'_>, block: usize, all: bool) -> bool {
        if all && !self.options.checksum {
            return true;
        }
        let copies = block * self.options.copies..(block + 1) * self.options.copies;
        let good = copies.clone().position(|copy| self.rotten(cx, copy).is_none());
        let read = if all { self.options.copies } else { good.unwrap_or(self.options.copies) };
        for copy in copies.take(read) {
            if let Some(since) = self.rotten(cx, copy) {
                cx.fact(Fact::Sample { metric: ROT_TIME, value: cx.now().since(since).0 });
                self.mending.insert(copy);
                cx.write(CopyWrite::One(copy), 0);
            }
        }
        if !self.mending.is_empty() {
            cx.sync();
        }
        if good.is_none() {
            cx.fact(Fact::Sample { metric: LOST, value: 1 });
        }
        good.is_some()
    }

    fn wait_for_scrub(&self, cx: &mut Cx<'_>) {
        if let Some(scrub) = unless_zero(self.options.scrub) {
            cx.set_timer(Span(scrub.0 / self.options.blocks as u64), UpkeepTimer::Scrub);
        }
    }
}
