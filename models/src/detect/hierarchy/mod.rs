//! Hierarchical detection: sensors on four levels, and a console that correlates their alarms.
//!
//! Parts call each other in chains (a service is a chain), and may share a base. Sensors check parts,
//! the heads of services, the system as a whole, and machines. A part whose need fails still answers,
//! and says so: that is how a fault cascades. Parts on a machine that crashes are silent with it.

mod console;
mod correlate;
mod part;
mod protocol;

use std::sync::Arc;

use murphy_sim::{Context, Message, NodeId, Process, Span, fold};

pub use self::console::Console;
pub use self::correlate::{
    Alarm, CorrelationRules, Correlator, Escalation, Incident, Level, Pattern, Structure, Symptom, escalate,
};
pub use self::part::{Part, Sensor};
pub use self::protocol::{HierarchyOracles, HierarchyScore};

/// A node of the model.
#[derive(Clone, Debug)]
pub enum Hierarchy {
    /// A component, a shared base, or a machine.
    Part(Part),
    /// Checks the parts of one level.
    Sensor(Sensor),
    /// Correlates alarms.
    Console(Box<Console>),
}

/// What a node is told at boot.
#[derive(Clone, Debug)]
pub enum HierarchyConfig {
    /// A component, a shared base, or a machine.
    Part {
        /// What it calls.
        needs: Arc<[NodeId]>,
        /// Time between two calls.
        every: Span,
    },
    /// A sensor.
    Sensor {
        /// Its level.
        level: Level,
        /// Whom it checks.
        targets: Arc<[NodeId]>,
        /// Who gets its alarms.
        console: NodeId,
        /// Time between two rounds of checks; an answer may take half of it.
        every: Span,
        /// Checks in a row that must fail.
        failures: u64,
    },
    /// The console.
    Console {
        /// The sensors and their levels.
        sensors: Arc<[(NodeId, Level)]>,
        /// A sensor that is silent for so long has failed.
        sensor_timeout: Span,
        /// Time from the first new alarm to the analysis.
        settle: Span,
        /// Time in which alarms are correlated.
        window: Span,
        /// Whose rules apply.
        rules: CorrelationRules,
        /// What is known to depend on what.
        structure: Arc<Structure>,
    },
}

/// What nodes send to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HierarchyMessage {
    /// A part calls what it needs.
    Call(u64),
    /// The answer, and whether all that the callee needs works.
    Reply(u64, bool),
    /// A sensor asks.
    Check(u64),
    /// The answer, and whether all that the part needs works.
    Health(u64, bool),
    /// A sensor's alarm.
    Alarm {
        /// About whom.
        subject: NodeId,
        /// What was seen.
        symptom: Symptom,
        /// The sensor's round in which it began: the same one is the same alarm.
        onset: u64,
    },
    /// A sensor lives.
    Beat,
}

/// What a node is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HierarchyTimer {
    /// The next round of calls or checks.
    Round,
    /// Answers of this round that have not come are late.
    Late(u64),
    /// Time to look for silent sensors.
    Sensors,
    /// Time to analyse new alarms.
    Settled,
}

/// Fact of the console: it names a root cause. `a` is the node plus one, or zero for nobody; `b` the pattern.
pub(super) const ROOT: u16 = 0;
/// Fact of the console: a page.
pub(super) const PAGE: u16 = 1;
/// Fact of the console: a high rate of faults.
pub(super) const HIGH_RATE: u16 = 2;
/// Fact of the console: a sensor failed.
pub(super) const BLIND: u16 = 3;

type Cx<'a> = Context<'a, Hierarchy>;

impl Message for HierarchyMessage {
    const KINDS: &'static [&'static str] = &["call", "reply", "check", "health", "alarm", "beat"];

    fn kind(&self) -> usize {
        match self {
            HierarchyMessage::Call(_) => 0,
            HierarchyMessage::Reply(..) => 1,
            HierarchyMessage::Check(_) => 2,
            HierarchyMessage::Health(..) => 3,
            HierarchyMessage::Alarm { .. } => 4,
            HierarchyMessage::Beat => 5,
        }
    }

    fn bytes(&self) -> u32 {
        64
    }

    fn digest(&self) -> u64 {
        let content = match *self {
            HierarchyMessage::Call(seq) | HierarchyMessage::Check(seq) => seq,
            HierarchyMessage::Reply(seq, good) | HierarchyMessage::Health(seq, good) => {
                fold(seq, u64::from(good))
            }
            HierarchyMessage::Alarm { subject, symptom, onset } => {
                fold(fold(u64::from(subject.0), symptom as u64), onset)
            }
            HierarchyMessage::Beat => 0,
        };
        fold(self.kind() as u64, content)
    }
}

impl Process for Hierarchy {
    type Config = HierarchyConfig;
    type Message = HierarchyMessage;
    type Timer = HierarchyTimer;
    type Durable = ();

    fn boot(cx: &mut Cx<'_>) -> Hierarchy {
        match cx.config().clone() {
            HierarchyConfig::Part { needs, every } => Hierarchy::Part(Part::boot(cx, needs, every)),
            HierarchyConfig::Sensor { level, targets, console, every, failures } => {
                Hierarchy::Sensor(Sensor::boot(cx, level, targets, console, (every, failures)))
            }
            HierarchyConfig::Console { sensors, sensor_timeout, settle, window, rules, structure } => {
                let correlator = Correlator::new(rules, window, structure);
                Hierarchy::Console(Box::new(Console::boot(
                    cx,
                    &sensors,
                    sensor_timeout,
                    (settle, window),
                    correlator,
                )))
            }
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &HierarchyMessage) {
        match (self, *message) {
            (Hierarchy::Part(part), message) => part.on_message(cx, from, message),
            (Hierarchy::Sensor(sensor), HierarchyMessage::Health(seq, good)) => {
                sensor.on_health(cx, from, seq, good);
            }
            (Hierarchy::Console(console), HierarchyMessage::Alarm { subject, symptom, onset }) => {
                console.on_alarm(cx, from, (subject, symptom, onset));
            }
            (Hierarchy::Console(console), HierarchyMessage::Beat) => console.on_beat(cx, from),
            _ => {}
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: HierarchyTimer) {
        match self {
            Hierarchy::Part(part) => part.on_timer(cx, timer),
            Hierarchy::Sensor(sensor) => sensor.on_timer(cx, timer),
            Hierarchy::Console(console) => console.on_timer(cx, timer),
        }
    }
}
