//! A replica of the laboratory.

use std::collections::{BTreeSet, VecDeque};

use murphy_sim::{Credential, DiskResult, Fact, NodeId, Pool, RequestId, Span};

use super::message::{LabMessage, Refusal};
use super::store::Put;
use super::{BEAT, Cx, Timer, metric};

/// Own signs of life without one of another replica after which that one is suspected.
const MISSED: u32 = 5;

/// What a replica does about credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It does not look at them.
    None,
    /// It refuses what it cannot check.
    Closed,
    /// It lets through what it cannot check.
    Open,
}

/// What a replica guards against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaOptions {
    /// Sums are checked when a block is read and on the wire.
    pub checksum: bool,
    /// Every write is synced before it is acknowledged; else the cache is written every 100 ms.
    pub sync: bool,
    /// Time between two checks of the whole disk; zero for none.
    pub scrub: Span,
    /// CPU time that a request takes.
    pub work: Span,
    /// Writes under way at a time.
    pub threads: u64,
    /// What it does about credentials.
    pub auth: Auth,
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    peers: Vec<NodeId>,
    options: ReplicaOptions,
    /// Writes that wait for their sync, in order.
    waiting: VecDeque<(NodeId, RequestId)>,
    /// How many of them each sync on its way covers.
    syncs: VecDeque<usize>,
    /// Own signs of life since the last one of each peer.
    missed: Vec<u32>,
    /// The greatest time that the wall clock has shown.
    latest: u64,
    /// Blocks that are being repaired.
    fetching: BTreeSet<u64>,
}

impl Replica {
    pub(super) fn boot(cx: &mut Cx<'_>, replicas: &[NodeId], options: ReplicaOptions) -> Replica {
        let peers: Vec<NodeId> = replicas.iter().copied().filter(|node| *node != cx.id()).collect();
        cx.set_timer(BEAT, Timer::Beat);
        if !options.sync {
            cx.set_timer(BEAT, Timer::Flush);
        }
        if options.scrub > Span::ZERO {
            cx.set_timer(options.scrub, Timer::Scrub);
        }
        let missed = vec![0; peers.len()];
        let (waiting, syncs, fetching) = (VecDeque::new(), VecDeque::new(), BTreeSet::new());
        Replica { peers, options, waiting, syncs, missed, latest: 0, fetching }
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &LabMessage) {
        match *message {
            LabMessage::Put { request, key, value, stamp, valid, .. } => {
                if !self.refuses(cx, from, request, valid) {
                    self.put(cx, from, request, Put { key, value, stamp, forced: false });
                }
            }
            LabMessage::Get { request, key, valid } => {
                if !self.refuses(cx, from, request, valid) {
                    self.get(cx, from, request, key);
                }
            }
            LabMessage::Beat => self.hear(cx, from),
            LabMessage::Fetch { key } => {
                if let Some(block) = cx.durable().get(key).filter(|block| block.is_sound(key)) {
                    cx.send(from, LabMessage::Repair { key, value: block.value, stamp: block.stamp });
                }
            }
            LabMessage::Repair { key, value, stamp } => {
                if self.fetching.remove(&key) {
                    cx.write(Put { key, value, stamp, forced: true }, 1000);
                    self.sync(cx, 0);
                    sample(cx, metric::REPAIRS, 1);
                }
            }
            LabMessage::Ack { .. } | LabMessage::Value { .. } | LabMessage::Refuse { .. } => {}
        }
    }

    /// Whether a request is refused before it is looked at.
    fn refuses(&mut self, cx: &mut Cx<'_>, from: NodeId, request: RequestId, valid: bool) -> bool {
        cx.work(self.options.work);
        let why = if !self.admits(cx, valid) {
            sample(cx, metric::DENIED, 1);
            Refusal::Denied
        } else if cx.config_version() != 0 {
            sample(cx, metric::MISCONFIGURED, 1);
            Refusal::Misconfigured
        } else {
            return false;
        };
        cx.send(from, LabMessage::Refuse { request, why });
        true
    }

    fn admits(&mut self, cx: &mut Cx<'_>, valid: bool) -> bool {
        if self.options.auth == Auth::None {
            return true;
        }
        if cx.credential() == Credential::Valid {
            return valid;
        }
        // Fail-open: nobody can say whether the credential is good, so it passes.
        if self.options.auth == Auth::Open {
            sample(cx, metric::UNCHECKED, 1);
        }
        self.options.auth == Auth::Open
    }

    fn put(&mut self, cx: &mut Cx<'_>, from: NodeId, request: RequestId, put: Put) {
        // Without syncs a write is over at once, and needs no thread to wait for it.
        if self.options.sync && !cx.acquire(Pool::Threads, 0, self.options.threads) {
            sample(cx, metric::TURNED_AWAY, 1);
            cx.send(from, LabMessage::Refuse { request, why: Refusal::Busy });
            return;
        }
        cx.write(put, 1000);
        if self.options.sync {
            self.waiting.push_back((from, request));
            self.sync(cx, 1);
        } else {
            cx.send(from, LabMessage::Ack { request });
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, covers: usize) {
        cx.sync();
        self.syncs.push_back(covers);
    }

    pub(super) fn on_disk(&mut self, cx: &mut Cx<'_>, result: DiskResult) {
        for _ in 0..self.syncs.pop_front().unwrap_or(0) {
            let Some((client, request)) = self.waiting.pop_front() else { return };
            cx.release(Pool::Threads, 0);
            if result == DiskResult::Full {
                sample(cx, metric::WRITES_REFUSED, 1);
                cx.send(client, LabMessage::Refuse { request, why: Refusal::Full });
            } else {
                cx.send(client, LabMessage::Ack { request });
            }
        }
    }

    fn get(&mut self, cx: &mut Cx<'_>, from: NodeId, request: RequestId, key: u64) {
        let block = cx.durable().get(key);
        if let Some(block) = block
            && self.options.checksum
            && !block.is_sound(key)
        {
            self.repair(cx, key);
            cx.send(from, LabMessage::Refuse { request, why: Refusal::Damaged });
            return;
        }
        let (value, stamp) = block.map_or((0, 0), |block| (block.value, block.stamp));
        cx.send(from, LabMessage::Value { request, value, stamp, sealed: self.options.checksum });
    }

    /// Asks the others for a block, once.
    fn repair(&mut self, cx: &mut Cx<'_>, key: u64) {
        if self.fetching.insert(key) {
            sample(cx, metric::CORRUPTIONS_FOUND, 1);
            cx.broadcast(self.peers.iter().copied(), LabMessage::Fetch { key });
        }
    }

    fn hear(&mut self, cx: &mut Cx<'_>, from: NodeId) {
        if let Some(place) = self.peers.iter().position(|peer| *peer == from) {
            if self.missed[place] >= MISSED {
                cx.fact(Fact::Trust { node: from });
            }
            self.missed[place] = 0;
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            Timer::Beat => {
                cx.set_timer(BEAT, Timer::Beat);
                self.beat(cx);
                self.read_clock(cx);
            }
            Timer::Flush => {
                cx.set_timer(BEAT, Timer::Flush);
                self.sync(cx, 0);
            }
            Timer::Scrub => {
                cx.set_timer(self.options.scrub, Timer::Scrub);
                let damaged = cx.durable().blocks().filter(|(key, block)| !block.is_sound(*key));
                for key in damaged.map(|(key, _)| key).collect::<Vec<_>>() {
                    self.repair(cx, key);
                }
            }
            Timer::GiveUp(_) => {}
        }
    }

    fn beat(&mut self, cx: &mut Cx<'_>) {
        cx.broadcast(self.peers.iter().copied(), LabMessage::Beat);
        for (missed, peer) in self.missed.iter_mut().zip(&self.peers) {
            *missed += 1;
            if *missed == MISSED {
                cx.fact(Fact::Suspect { node: *peer });
                sample(cx, metric::SUSPICIONS, 1);
            }
        }
    }

    fn read_clock(&mut self, cx: &mut Cx<'_>) {
        let shown = cx.clock().0;
        sample(cx, metric::CLOCK_ERROR, shown.abs_diff(cx.now().0));
        if shown < self.latest {
            sample(cx, metric::CLOCK_BACKWARDS, 1);
        }
        self.latest = shown;
    }
}

fn sample(cx: &mut Cx<'_>, metric: u16, value: u64) {
    cx.fact(Fact::Sample { metric, value });
}
