//! Members that watch each other: all-to-all heartbeats under several rules, or SWIM gossip.

mod heart;
mod message;
mod protocol;
mod swim;

use std::sync::Arc;

use murphy_sim::{Context, Fact, NodeId, Process, Span};

use self::heart::Heart;
use self::swim::Swim;
pub use super::estimate::{PhiRule, Rule};
pub use message::{Gossip, MembersMessage, Standing, Update};
pub use protocol::MembersOracles;

/// A member of a group whose members watch each other.
#[derive(Clone, Debug)]
pub enum Members {
    /// Tells all others that it lives, and waits for them to do the same.
    Heart(Box<Heart>),
    /// Asks one other a period, and spreads what it learns.
    Swim(Box<Swim>),
}

/// What a member is told at boot.
#[derive(Clone, Debug)]
pub struct MemberConfig {
    /// All members, in roster order.
    pub members: Arc<[NodeId]>,
    /// How it watches the others.
    pub detector: Detector,
}

/// How members watch each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detector {
    /// Heartbeats from everyone to everyone.
    Heartbeat(HeartbeatOptions),
    /// SWIM: Das, Gupta & Motivala, DSN 2002.
    Swim(SwimOptions),
}

/// Options of heartbeats from everyone to everyone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeartbeatOptions {
    /// Time between two heartbeats of one member.
    pub interval: Span,
    /// When silence becomes suspicion.
    pub rule: Rule,
    /// Intervals that a rule learns from.
    pub window: usize,
    /// Intervals of silence to wait for beyond what the rule says.
    pub confirm: u64,
    /// Heartbeats after which a suspected member is trusted again; at least one.
    pub trust_after: u64,
    /// Time after the start in which nobody is suspected.
    pub grace: Span,
    /// Whether members start at a random phase of the interval rather than all at once.
    pub stagger: bool,
}

/// Options of SWIM; section numbers are those of the paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwimOptions {
    /// Protocol period: each member asks one other in it (3.1).
    pub period: Span,
    /// How long the direct ping may take before others are asked to try.
    pub ping_timeout: Span,
    /// How many are asked (k).
    pub helpers: usize,
    /// How long a suspected member has to object (4.2); zero declares it failed at once.
    pub suspicion: Span,
    /// Time after the start in which no failed ping counts.
    pub grace: Span,
}

impl Default for HeartbeatOptions {
    fn default() -> HeartbeatOptions {
        HeartbeatOptions {
            interval: Span::secs(1),
            rule: Rule::Fixed(Span::millis(3500)),
            window: 1000,
            confirm: 0,
            trust_after: 1,
            grace: Span::secs(5),
            stagger: true,
        }
    }
}

impl Default for SwimOptions {
    fn default() -> SwimOptions {
        SwimOptions {
            period: Span::secs(1),
            ping_timeout: Span::millis(300),
            helpers: 3,
            suspicion: Span::secs(3),
            grace: Span::secs(5),
        }
    }
}

/// What a member is woken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberTimer {
    /// Time for the next heartbeat, or for the next protocol period.
    Beat,
    /// A peer, by its place among the members, was silent for too long.
    Silence(u32),
    /// The direct ping with this number took too long.
    Late(u64),
    /// A member suspected in this incarnation did not object.
    Unanswered(u32, u32),
    /// Time to say how many messages were sent.
    Report,
}

/// Metric: messages sent since the last report.
pub(super) const MESSAGES: u16 = 0;
/// Metric: SWIM's pings that failed, direct and indirect.
pub(super) const DOUBTS: u16 = 1;
/// How often members say how many messages they sent.
const REPORT_EVERY: Span = Span::secs(1);

/// What a member acts through.
type Cx<'a> = Context<'a, Members>;

impl Process for Members {
    type Config = MemberConfig;
    type Message = MembersMessage;
    type Timer = MemberTimer;
    type Durable = ();

    fn boot(cx: &mut Cx<'_>) -> Members {
        let MemberConfig { members, detector } = cx.config().clone();
        cx.set_timer(REPORT_EVERY, MemberTimer::Report);
        match detector {
            Detector::Heartbeat(options) => Members::Heart(Box::new(Heart::boot(cx, members, options))),
            Detector::Swim(options) => Members::Swim(Box::new(Swim::boot(cx, members, options))),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &MembersMessage) {
        match self {
            Members::Heart(heart) => {
                if let MembersMessage::Heartbeat { life, seq } = *message {
                    heart.on_heartbeat(cx, from, life, seq);
                }
            }
            Members::Swim(swim) => swim.on_message(cx, from, message),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_>, timer: MemberTimer) {
        if timer == MemberTimer::Report {
            cx.set_timer(REPORT_EVERY, MemberTimer::Report);
            let value = match self {
                Members::Heart(heart) => std::mem::take(&mut heart.sent),
                Members::Swim(swim) => std::mem::take(&mut swim.sent),
            };
            cx.fact(Fact::Sample { metric: MESSAGES, value });
            return;
        }
        match self {
            Members::Heart(heart) => heart.on_timer(cx, timer),
            Members::Swim(swim) => swim.on_timer(cx, timer),
        }
    }
}

/// Place of a node among the members.
fn place(members: &[NodeId], node: NodeId) -> usize {
    members.binary_search(&node).expect("only members talk to members")
}
