//! What a simulated node is: a state machine without I/O, and the context it acts through.

use std::fmt::Debug;

use crate::adversary::{Identity, Mutation};
use crate::disk::{DiskOp, DiskResult, Durable};
use crate::fact::{Fact, NodeId, Request};
use crate::failure::{Credential, Pool};
use crate::random::Stream;
use crate::time::{Span, Time};
use crate::timers::TimerId;
use crate::world::Core;

/// What nodes send to each other.
///
/// A broadcast stores its message once, and recipients see it by reference: put large contents
/// behind an `Arc`, so that keeping a part of it costs a count.
pub trait Message: Clone {
    /// Names of the kinds, for counts, faults and reports.
    const KINDS: &'static [&'static str];

    /// Index into [`Message::KINDS`].
    fn kind(&self) -> usize;

    /// Size on the wire in bytes: CPU and bandwidth are charged by it.
    fn bytes(&self) -> u32;

    /// Digest of the content, folded into the trace.
    fn digest(&self) -> u64;

    /// Signatures that the recipient verifies, charged to its CPU.
    fn signatures(&self) -> u32 {
        0
    }

    /// The message after a bit flip that no checksum caught, or `None` when the recipient's
    /// checksum catches every flip and drops it.
    fn corrupted(&self, _word: u64) -> Option<Self> {
        None
    }

    /// What a Byzantine sender says instead, or `None` when this message cannot be altered so.
    ///
    /// It may claim anything, and sign as the nodes of `identity` only. The same message, `word` and
    /// notes give the same answer, so that accomplices agree.
    fn mutated(&self, _how: Mutation, _word: u64, _identity: &mut Identity<'_>) -> Option<Self> {
        None
    }
}

/// A node: one role of a protocol, or an enum of roles.
///
/// A crash drops the value; a restart calls [`Process::boot`] again, which finds what the disk kept.
pub trait Process: Sized + Clone {
    /// What the node is told at every boot: its place in the system and its parameters.
    type Config: Clone;
    /// What it sends.
    type Message: Message;
    /// What it is woken with.
    type Timer: Copy + Debug;
    /// What survives a crash; `()` for a node without a disk.
    type Durable: Durable;

    /// First start and every restart.
    fn boot(cx: &mut Context<'_, Self>) -> Self;

    /// A message arrived.
    fn on_message(&mut self, cx: &mut Context<'_, Self>, from: NodeId, message: &Self::Message);

    /// A timer ran out.
    fn on_timer(&mut self, cx: &mut Context<'_, Self>, timer: Self::Timer);

    /// A disk operation ended.
    fn on_disk(&mut self, _cx: &mut Context<'_, Self>, _op: DiskOp, _result: DiskResult) {}

    /// A request of a workload arrived at this client.
    fn on_request(&mut self, _cx: &mut Context<'_, Self>, _request: Request) {}
}

/// All that a node can see and do while it handles one event.
///
/// Sends leave when the CPU is done with what was asked so far: each one adds its own cost.
pub struct Context<'a, P: Process> {
    pub(crate) core: &'a mut Core<P>,
    pub(crate) me: NodeId,
    pub(crate) now: Time,
    /// When the CPU is done with what was asked so far.
    pub(crate) done: Time,
}

impl<P: Process> Context<'_, P> {
    /// The simulated time at which the node started to handle this event. Protocols that must not
    /// see true time use [`Context::clock`].
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// This node's wall clock: offset, drift and jumps apply.
    pub fn clock(&self) -> Time {
        self.core.wall_clock(self.me, self.now)
    }

    /// This node's monotonic clock, which its timers run on: drift applies, offsets and jumps do not.
    #[inline]
    pub fn monotonic(&self) -> Time {
        self.core.monotonic_clock(self.me, self.now)
    }

    /// This node.
    #[inline]
    pub fn id(&self) -> NodeId {
        self.core.identity(self.me)
    }

    /// Number of nodes in the roster.
    pub fn nodes(&self) -> usize {
        self.core.roster
    }

    /// This node's configuration.
    #[inline]
    pub fn config(&self) -> &P::Config {
        &self.core.configs[self.me.index()]
    }

    /// What the disk keeps: all writes that a completed sync covers.
    #[inline]
    pub fn durable(&self) -> &P::Durable {
        &self.core.durables[self.me.index()]
    }

    /// Writes `bytes` bytes to the disk's cache. A crash loses or tears it unless a later
    /// [`Context::sync`] completes first.
    pub fn write(&mut self, write: <P::Durable as Durable>::Write, bytes: u32) {
        self.core.disk_write(self.me, self.done, write, bytes);
    }

    /// Makes all earlier writes durable; `on_disk` is called when that is done.
    pub fn sync(&mut self) -> DiskOp {
        self.core.disk_sync(self.me, self.done)
    }

    /// The node's own random stream.
    pub fn rng(&mut self) -> &mut Stream {
        self.core.stream(self.me)
    }

    /// Spends CPU time.
    pub fn work(&mut self, span: Span) {
        self.done = self.done + self.core.slowed(self.me, span);
    }

    /// The time that a piece of work takes at the CPU's present pace, for work that does not occupy
    /// the node as a whole, such as that of one of many workers. Slow faults stretch it, and count that.
    #[inline]
    pub fn slowed(&mut self, span: Span) -> Span {
        self.core.slowed(self.me, span)
    }

    /// Sends a message to one node (itself included: that one takes no network).
    #[inline]
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.done = self.core.send(self.me, self.done, std::iter::once(to), message);
    }

    /// Sends one message to several nodes; its payload is stored once.
    #[inline]
    pub fn broadcast(&mut self, to: impl IntoIterator<Item = NodeId>, message: P::Message) {
        self.done = self.core.send(self.me, self.done, to.into_iter(), message);
    }

    /// Calls `on_timer` after `after` on this node's monotonic clock, counted from [`Context::now`].
    #[inline]
    pub fn set_timer(&mut self, after: Span, timer: P::Timer) -> TimerId {
        self.core.set_timer(self.me, self.now, after, timer)
    }

    /// Cancels a timer; one that has run out or was cancelled before is left alone.
    #[inline]
    pub fn cancel_timer(&mut self, id: TimerId) {
        self.core.cancel_timer(id);
    }

    /// Takes a slot of one of this node's pools, which has `slots` of them; whether one was free.
    ///
    /// `which` tells pools of one kind apart, such as the connections to each of several others. A crash
    /// frees all slots.
    pub fn acquire(&mut self, pool: Pool, which: u32, slots: u64) -> bool {
        self.core.acquire(self.me, (pool, which), slots)
    }

    /// Gives a slot back.
    ///
    /// # Panics
    /// When none is taken: a process gives back what it took in this life, once.
    pub fn release(&mut self, pool: Pool, which: u32) {
        self.core.release(self.me, (pool, which));
    }

    /// Version of the configuration that this node runs with; zero unless a fault pushed another.
    pub fn config_version(&mut self) -> u64 {
        self.core.config_version(self.me)
    }

    /// Whether the node can prove who it is and check others.
    pub fn credential(&mut self) -> Credential {
        self.core.credential(self.me)
    }

    /// Bytes of memory that leaked since the node started.
    pub fn memory_leaked(&self) -> u64 {
        self.core.memory_leaked(self.me)
    }

    /// Says something to the judges.
    #[inline]
    pub fn fact(&mut self, fact: Fact) {
        self.core.say(self.me, self.now, fact);
    }
}
