//! A store whose blocks rot, with checksums and a scrubber.
//!
//! Rot is drawn here, from the store's own stream, at a rate for each copy of a block. A disk fault of
//! the engine that flips bits at rest would come in at the same place, [`Store::rot`].

use murphy_sim::{Fact, Law, Outcome, Request, Span, Time};

use super::{Cx, LOST, ROT_TIME, ROTTED, SERVED, UpkeepTimer, unless_zero};

/// How a store keeps its blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoreOptions {
    /// Blocks.
    pub blocks: usize,
    /// Copies of each block.
    pub copies: usize,
    /// Rate at which one copy of a block rots, per hour.
    pub rot: f64,
    /// Time in which the scrubber reads every copy once; zero: never.
    pub scrub: Span,
    /// Whether a reader can tell that a block is rotten.
    pub checksum: bool,
    /// Disk time to read a block, charged to the CPU.
    pub read: Span,
}

/// Keeps blocks that rot.
#[derive(Clone, Debug)]
pub struct Store {
    options: StoreOptions,
    /// By block and copy: since when it is rotten.
    rotten: Vec<Option<Time>>,
    /// The next block that the scrubber reads.
    next: usize,
}

impl Store {
    pub(super) fn boot(cx: &mut Cx<'_>, options: StoreOptions) -> Store {
        let store = Store { options, rotten: vec![None; options.blocks * options.copies], next: 0 };
        store.wait_for_rot(cx);
        store.wait_for_scrub(cx);
        store
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: UpkeepTimer) {
        match timer {
            UpkeepTimer::Rot => {
                let copy = usize::try_from(cx.rng().below(self.rotten.len() as u64)).expect("few copies");
                self.rot(cx, copy);
                self.wait_for_rot(cx);
            }
            UpkeepTimer::Scrub => {
                let block = self.next;
                self.next = (block + 1) % self.options.blocks;
                cx.work(self.options.read);
                self.inspect(cx, block, true);
                self.wait_for_scrub(cx);
            }
            UpkeepTimer::Late(_) | UpkeepTimer::Again(_) => {}
        }
    }

    /// A read of one block.
    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        cx.fact(Fact::Invoke { request: request.id });
        let blocks = self.options.blocks as u64;
        let block = usize::try_from(request.operation.key % blocks).expect("few blocks");
        cx.work(self.options.read);
        let outcome = if !self.options.checksum {
            if self.rotten[block * self.options.copies].is_some() {
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

    /// The bits of one copy flip; nobody notices.
    pub(super) fn rot(&mut self, cx: &mut Cx<'_>, copy: usize) {
        if self.rotten[copy].is_none() {
            self.rotten[copy] = Some(cx.now());
            cx.fact(Fact::Sample { metric: ROTTED, value: 1 });
        }
    }

    /// Checks a block: all copies, or in their order until one is good. Rotten ones are written anew from
    /// a good one, or if there is none, the block is lost and restored from elsewhere.
    fn inspect(&mut self, cx: &mut Cx<'_>, block: usize, all: bool) -> bool {
        if all && !self.options.checksum {
            return true;
        }
        let copies = &mut self.rotten[block * self.options.copies..][..self.options.copies];
        let good = copies.iter().position(Option::is_none);
        let read = if all { copies.len() } else { good.unwrap_or(copies.len()) };
        for since in copies[..read].iter_mut().filter_map(Option::take) {
            cx.fact(Fact::Sample { metric: ROT_TIME, value: cx.now().since(since).0 });
        }
        if good.is_none() {
            cx.fact(Fact::Sample { metric: LOST, value: 1 });
        }
        good.is_some()
    }

    fn wait_for_rot(&self, cx: &mut Cx<'_>) {
        let rate = self.options.rot * self.rotten.len() as f64 / 3600.0;
        let word = cx.rng().word();
        if rate > 0.0 {
            let mean = Span::from_secs_f64(1.0 / rate);
            cx.set_timer(Law::Exponential { mean }.sample(word), UpkeepTimer::Rot);
        }
    }

    fn wait_for_scrub(&self, cx: &mut Cx<'_>) {
        if let Some(scrub) = unless_zero(self.options.scrub) {
            cx.set_timer(Span(scrub.0 / self.options.blocks as u64), UpkeepTimer::Scrub);
        }
    }
}
