//! What a world is built from.

use std::sync::Arc;

use crate::arrivals::{Arrivals, Keys};
use crate::disk::DiskCost;
use crate::fact::NodeId;
use crate::fault::Fault;
use crate::time::Span;
use crate::topology::{SiteId, Topology};
use crate::trace::Keep;

/// Everything a run depends on.
#[derive(Clone, Debug)]
pub struct Setup<C> {
    /// The seed.
    pub seed: u64,
    /// Sites and links.
    pub topology: Topology,
    /// The roster.
    pub nodes: Vec<NodeSetup<C>>,
    /// Where requests come from.
    pub workloads: Vec<Workload>,
    /// Faults, in the order in which effects are applied.
    pub plan: Arc<[Fault]>,
    /// Nodes that are not correct at some time of the run: oracles do not believe them.
    pub byzantine: Vec<NodeId>,
    /// What ends a run that would not end.
    pub limits: Limits,
    /// How much of the trace is kept.
    pub keep: Keep,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeSetup<C> {
    /// Name: its randomness is keyed by it.
    pub name: String,
    /// Where it sits.
    pub site: SiteId,
    /// What its process is told.
    pub config: C,
    /// Costs of its CPU.
    pub cpu: CpuCost,
    /// Latencies of its disk.
    pub disk: DiskCost,
    /// Offset of its wall clock at the start, in nanoseconds.
    pub clock_offset_ns: i64,
    /// Drift of its clocks in parts per billion.
    pub drift_ppb: i64,
}

/// What a CPU charges. Work of a node is done one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuCost {
    /// To receive a message.
    pub receive: Span,
    /// To send a message to one recipient.
    pub send: Span,
    /// For each kilobyte (1,000 bytes) received or sent.
    pub per_kilobyte: Span,
    /// To verify a signature.
    pub signature: Span,
    /// To handle a timer, a disk completion or a request.
    pub event: Span,
}

impl CpuCost {
    /// A CPU that takes no time, for checks against closed forms.
    pub const FREE: CpuCost = CpuCost {
        receive: Span::ZERO,
        send: Span::ZERO,
        per_kilobyte: Span::ZERO,
        signature: Span::ZERO,
        event: Span::ZERO,
    };

    #[inline]
    pub(crate) fn receive(&self, bytes: u32, signatures: u32) -> Span {
        let mut cost = self.receive.0 + self.by_bytes(bytes);
        if signatures > 0 {
            cost += self.signature.0 * u64::from(signatures);
        }
        Span(cost)
    }

    #[inline]
    pub(crate) fn send(&self, bytes: u32) -> Span {
        Span(self.send.0 + self.by_bytes(bytes))
    }

    #[inline]
    fn by_bytes(&self, bytes: u32) -> u64 {
        if self.per_kilobyte.0 == 0 { 0 } else { self.per_kilobyte.0 * u64::from(bytes) / 1000 }
    }
}

impl Default for CpuCost {
    /// One server core: 2 us to receive, 1 us to send, 1 GB/s, 50 us a signature (Ed25519), 1 us an event.
    fn default() -> CpuCost {
        CpuCost {
            receive: Span::micros(2),
            send: Span::micros(1),
            per_kilobyte: Span::micros(1),
            signature: Span::micros(50),
            event: Span::micros(1),
        }
    }
}

/// A source of requests.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Name: its arrivals are keyed by it.
    pub name: String,
    /// The clients; each arrival picks one, all equally likely.
    pub clients: Vec<NodeId>,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// Kinds of operations with their weights; not empty, and at least one weight is positive.
    pub operations: Vec<(u16, f64)>,
    /// What they ask about.
    pub keys: Keys,
    /// Synthetic probes, if any.
    pub probe: Option<Probe>,
}

/// Synthetic requests at a fixed pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The client that sends them.
    pub client: NodeId,
    /// Time between two of them; not zero.
    pub every: Span,
    /// Kind of operation.
    pub operation: u16,
}

/// What ends a run that would not end. All are counts, so that they are deterministic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events.
    pub events: u64,
    /// Bytes of queues and tables.
    pub bytes: u64,
    /// Events at one instant.
    pub at_once: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { events: 2_000_000_000, bytes: 8 << 30, at_once: 10_000_000 }
    }
}
