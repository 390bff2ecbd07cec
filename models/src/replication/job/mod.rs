//! Long work on a machine that fails: after each interval a checkpoint, after each failure a restart.
//!
//! Too many checkpoints cost time, too few lose work: Young 1974 and Daly 2006 say where the optimum is.

mod protocol;

use murphy_sim::{Context, Durable, Fact, Message, NodeId, Process, Span};

/// How the work is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// All of it.
    pub work: Span,
    /// Work between two checkpoints; zero for none.
    pub interval: Span,
    /// Time that a checkpoint takes.
    pub cost: Span,
    /// Time from the end of a failure until work goes on.
    pub restart: Span,
}

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    options: Options,
    /// Work that the checkpoint on its way saves.
    next: Span,
}

/// What the disk keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    started: bool,
    done: Span,
}

/// What a job is woken with: an interval and its checkpoint are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worked;

/// Jobs say nothing to each other.
#[derive(Clone, Copy, Debug)]
pub enum Silence {}

/// What a node acts through.
type Cx<'a> = Context<'a, Job>;

/// Indices of the metrics.
const COMPLETION: u16 = 0;
const CHECKPOINTS: u16 = 1;
const FAILURES: u16 = 2;

impl Message for Silence {
    const KINDS: &'static [&'static str] = &[];

    fn kind(&self) -> usize {
        match *self {}
    }

    fn bytes(&self) -> u32 {
        match *self {}
    }

    fn digest(&self) -> u64 {
        match *self {}
    }
}

impl Durable for Progress {
    type Write = Span;

    fn apply(&mut self, done: &Span) {
        *self = Progress { started: true, done: *done };
    }
}

impl Job {
    /// Begins the next interval after a pause.
    fn begin(&mut self, cx: &mut Cx<'_>, pause: Span) {
        let done = cx.durable().done;
        let left = Span(self.options.work.0.saturating_sub(done.0));
        if left == Span::ZERO {
            return;
        }
        let (piece, cost) = if self.options.interval == Span::ZERO {
            (left, Span::ZERO)
        } else {
            (left.min(self.options.interval), self.options.cost)
        };
        self.next = done + piece;
        cx.set_timer(pause + piece + cost, Worked);
    }
}

fn sample(cx: &mut Cx<'_>, metric: u16, value: u64) {
    cx.fact(Fact::Sample { metric, value });
}

impl Process for Job {
    type Config = Options;
    type Message = Silence;
    type Timer = Worked;
    type Durable = Progress;

    fn boot(cx: &mut Cx<'_>) -> Job {
        let options = *cx.config();
        let Progress { started, done } = *cx.durable();
        let mut job = Job { options, next: Span::ZERO };
        if started && done < options.work {
            sample(cx, FAILURES, 1);
        }
        if !started {
            cx.write(Span::ZERO, 0);
            cx.sync();
        }
        // Only the very first start needs no restart.
        job.begin(cx, if started { options.restart } else { Span::ZERO });
        job
    }

    fn on_message(&mut self, _: &mut Cx<'_>, _: NodeId, message: &Silence) {
        match *message {}
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, _: Worked) {
        cx.write(self.next, 0);
        cx.sync();
        sample(cx, CHECKPOINTS, u64::from(self.options.interval > Span::ZERO));
        if self.next >= self.options.work {
            let now = cx.now();
            sample(cx, COMPLETION, now.0);
        }
    }

    fn on_disk(&mut self, cx: &mut Cx<'_>, _: murphy_sim::DiskOp, _: murphy_sim::DiskResult) {
        // The first sync of all says only that there was a start.
        if cx.durable().done == self.next {
            self.begin(cx, Span::ZERO);
        }
    }
}
