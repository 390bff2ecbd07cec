//! What components do about their own faults: retries by class of fault, and a store that scrubs.

mod component;
mod protocol;
mod store;

use murphy_sim::{Context, DiskOp, DiskResult, Message, NodeId, Process, Request, Span};

pub use self::component::{Component, Dependency, Mood};
pub use self::protocol::UpkeepOracles;
pub use self::store::{Copies, CopyWrite, Store, StoreOptions};
use super::health::{Failure, HealthRules};

/// A node of the model.
#[derive(Clone, Debug)]
pub enum Upkeep {
    /// Calls its dependency for each request, and retries by the class of what it sees.
    Component(Box<Component>),
    /// Answers, refuses, or does not answer.
    Dependency(Dependency),
    /// Keeps blocks that rot.
    Store(Box<Store>),
}

/// What a node is told at boot.
#[derive(Clone, Debug)]
pub enum UpkeepConfig {
    /// A component.
    Component {
        /// Whom it calls.
        dependency: NodeId,
        /// Whose rules it follows.
        rules: HealthRules,
    },
    /// A dependency.
    Dependency(Mood),
    /// A store.
    Store(StoreOptions),
}

/// What nodes send to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpkeepMessage {
    /// An attempt.
    Attempt(u64),
    /// Its result.
    Result(u64, Option<Failure>),
}

/// What a node is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpkeepTimer {
    /// An attempt took too long.
    Late(u64),
    /// Time for the next attempt of a call.
    Again(u64),
    /// The scrubber reads the next block.
    Scrub,
}

/// Metric: attempts of a call.
pub(super) const ATTEMPTS: u16 = 0;
/// Metric: health, from 0 (healthy) to 3 (failed).
pub(super) const HEALTH: u16 = 1;
/// Metric: permanent faults that were escalated.
pub(super) const ESCALATIONS: u16 = 2;
/// Metric: from the rot of a copy to its detection.
pub(super) const ROT_TIME: u16 = 3;
/// Metric: blocks of which no good copy was left.
pub(super) const LOST: u16 = 4;
/// Metric: rotten blocks that were handed to a client as if they were good.
pub(super) const SERVED: u16 = 5;

type Cx<'a> = Context<'a, Upkeep>;

impl Message for UpkeepMessage {
    const KINDS: &'static [&'static str] = &["attempt", "result"];

    fn kind(&self) -> usize {
        match self {
            UpkeepMessage::Attempt(_) => 0,
            UpkeepMessage::Result(..) => 1,
        }
    }

    fn bytes(&self) -> u32 {
        128
    }

    fn digest(&self) -> u64 {
        match *self {
            UpkeepMessage::Attempt(id) => id,
            UpkeepMessage::Result(id, failure) => {
                murphy_sim::fold(id, failure.map_or(0, |failure| failure as u64 + 1))
            }
        }
    }
}

impl Process for Upkeep {
    type Config = UpkeepConfig;
    type Message = UpkeepMessage;
    type Timer = UpkeepTimer;
    type Durable = Copies;

    fn boot(cx: &mut Cx<'_>) -> Upkeep {
        match cx.config().clone() {
            UpkeepConfig::Component { dependency, rules } => {
                Upkeep::Component(Box::new(Component::new(dependency, rules)))
            }
            UpkeepConfig::Dependency(mood) => Upkeep::Dependency(Dependency::new(mood)),
            UpkeepConfig::Store(options) => Upkeep::Store(Box::new(Store::boot(cx, options))),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &UpkeepMessage) {
        match (self, *message) {
            (Upkeep::Component(component), UpkeepMessage::Result(id, failure)) => {
                component.on_result(cx, id, failure);
            }
            (Upkeep::Dependency(dependency), UpkeepMessage::Attempt(id)) => {
                dependency.on_attempt(cx, from, id);
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: UpkeepTimer) {
        match self {
            Upkeep::Component(component) => component.on_timer(cx, timer),
            Upkeep::Store(store) => store.on_timer(cx, timer),
            Upkeep::Dependency(_) => {}
        }
    }

    fn on_disk(&mut self, _cx: &mut Cx<'_>, _op: DiskOp, result: DiskResult) {
        if let (Upkeep::Store(store), DiskResult::Synced) = (self, result) {
            store.on_synced();
        }
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, request: Request) {
        match self {
            Upkeep::Component(component) => component.on_request(cx, request),
            Upkeep::Store(store) => store.on_request(cx, request),
            Upkeep::Dependency(_) => {}
        }
    }
}

/// Zero as "never".
fn unless_zero(span: Span) -> Option<Span> {
    (span > Span::ZERO).then_some(span)
}
