//! One run told event by event, and what of it led to a violation.

use serde::Serialize;

/// What happened in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Story {
    /// The violated property, or the scenario's name.
    pub title: String,
    /// The violation in words; empty for none.
    pub message: String,
    /// When it became certain.
    pub at_ns: u64,
    /// Seed of the environment.
    pub seed: u64,
    /// Hash of the trace, in hexadecimal.
    pub trace_hash: String,
    /// The command that shows this again.
    pub command: String,
    /// Names of the nodes, in roster order.
    pub nodes: Vec<String>,
    /// Every event, in order.
    pub events: Vec<StoryEvent>,
    /// Every message that was handed to the network, in order of departure.
    pub messages: Vec<StoryMessage>,
    /// Faults of the plan, and single messages that something happened to.
    pub faults: Vec<StoryFault>,
    /// With the past kept up to an instant and the future drawn anew: how often the violation still came.
    pub curve: Vec<StoryChance>,
}

/// One event at one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoryEvent {
    /// When.
    pub at_ns: u64,
    /// Number in the trace.
    pub number: u64,
    /// Index into [`Story::nodes`].
    pub node: u32,
    /// `boot`, `message`, `timer`, `disk`, `request`, `crash` or `fact`.
    pub kind: String,
    /// In words: `prepare from r0`.
    pub what: String,
    /// What the node said during it.
    pub facts: Vec<String>,
    /// Whether the violation depends on it: it happened before, in the sense of Lamport.
    pub slice: bool,
    /// Whether it is the violation.
    pub violates: bool,
}

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoryMessage {
    /// Kind and number: `prepare #17`.
    pub what: String,
    /// Sender.
    pub from: u32,
    /// Recipient.
    pub to: u32,
    /// When it left.
    pub sent_ns: u64,
    /// Index of the event that sent it.
    pub sent: Option<usize>,
    /// Index of the event that received it; `None` when it was lost, or still on its way at the end.
    pub received: Option<usize>,
    /// Whether it never arrives.
    pub lost: bool,
}

/// One fault, and whether the violation needs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoryFault {
    /// In words: `partition r0, r3`.
    pub what: String,
    /// Start.
    pub from_ns: u64,
    /// End; `None` for one that stays.
    pub to_ns: Option<u64>,
    /// The nodes it strikes, as indices into [`Story::nodes`].
    pub nodes: Vec<u32>,
    /// Whether the run passes without it alone.
    pub needed: bool,
}

/// How often the violation still came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoryChance {
    /// The past is kept up to here.
    pub at_ns: u64,
    /// Runs that violated the property in the same way.
    pub hits: u32,
    /// Runs.
    pub runs: u32,
}

impl Story {
    /// Events that the violation depends on.
    pub fn slice(&self) -> usize {
        self.events.iter().filter(|event| event.slice).count()
    }

    /// Marks the events from which the given ones can be reached along messages and along the order of
    /// events at each node, themselves included (Lamport's happened-before).
    pub fn mark_slice(&mut self, ends: &[usize]) {
        let mut sender: Vec<Option<usize>> = vec![None; self.events.len()];
        for message in &self.messages {
            if let Some(received) = message.received {
                sender[received] = message.sent;
            }
        }
        // The last event of each node that is in the slice: all before it are, too.
        let mut reach = vec![false; self.nodes.len()];
        let mut wanted = vec![false; self.events.len()];
        for &end in ends {
            wanted[end] = true;
        }
        for index in (0..self.events.len()).rev() {
            let node = self.events[index].node as usize;
            let inside = wanted[index] || reach.get(node).copied().unwrap_or(false);
            self.events[index].slice = inside;
            if inside {
                if let Some(reached) = reach.get_mut(node) {
                    *reached = true;
                }
                if let Some(sent) = sender[index] {
                    wanted[sent] = true;
                }
            }
        }
    }

    /// The vector clock of every event: for each node, how many of its events happened before, itself
    /// included (Fidge 1988, Mattern 1989).
    pub fn vector_clocks(&self) -> Vec<Vec<u32>> {
        let mut sender: Vec<Option<usize>> = vec![None; self.events.len()];
        for message in &self.messages {
            if let Some(received) = message.received {
                sender[received] = message.sent;
            }
        }
        let mut now: Vec<Vec<u32>> = vec![vec![0; self.nodes.len()]; self.nodes.len()];
        let mut clocks: Vec<Vec<u32>> = Vec::with_capacity(self.events.len());
        for (index, event) in self.events.iter().enumerate() {
            let Some(own) = now.get_mut(event.node as usize) else {
                clocks.push(Vec::new());
                continue;
            };
            if let Some(other) = sender[index].and_then(|sent| clocks.get(sent)) {
                for (mine, theirs) in own.iter_mut().zip(other) {
                    *mine = (*mine).max(*theirs);
                }
            }
            own[event.node as usize] += 1;
            clocks.push(own.clone());
        }
        clocks
    }
}
