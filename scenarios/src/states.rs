//! What a search steers by: the pairs of protocol states that a run has reached, told by facts alone.

use murphy_sim::{Fact, Stamped};

/// Nodes whose states are paired; those behind them only count when they change themselves.
const PAIRED: usize = 32;

/// Pairs of node states that a run has reached.
#[derive(Clone, Debug)]
pub(crate) struct States {
    nodes: Vec<Node>,
    highest: u64,
    seen: Vec<u64>,
    reached: Vec<u16>,
}

/// What facts say of a node.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a bit of the state")]
struct Node {
    down: bool,
    leads: bool,
    /// It gave up on its view, or suspects somebody.
    alarmed: bool,
    behind: bool,
    installed: bool,
    view: u64,
    /// Kind of the last fact that only the model understands.
    own: u16,
}

impl States {
    pub(crate) fn new(nodes: usize) -> States {
        States {
            nodes: vec![Node::default(); nodes],
            highest: 0,
            seen: vec![0; 1 << 10],
            reached: Vec::new(),
        }
    }

    /// The pairs in the order in which they were first reached.
    pub(crate) fn reached(&self) -> &[u16] {
        &self.reached
    }

    pub(crate) fn observe(&mut self, said: &Stamped) {
        let Some(node) = self.nodes.get_mut(said.node.index()) else { return };
        let was = code(node, self.highest);
        match said.fact {
            Fact::Crash => *node = Node { down: true, own: node.own, ..Node::default() },
            Fact::Restart => node.down = false,
            Fact::Leader { .. } => node.leads = true,
            Fact::View { view } => {
                *node = Node { view, leads: false, alarmed: false, ..*node };
                self.highest = self.highest.max(view);
            }
            Fact::ViewChange { .. } => *node = Node { alarmed: true, leads: false, ..*node },
            Fact::Suspect { .. } => node.alarmed = true,
            Fact::Trust { .. } => node.alarmed = false,
            Fact::Behind { .. } => node.behind = true,
            Fact::CaughtUp { .. } => node.behind = false,
            Fact::Install { .. } => node.installed = true,
            Fact::Own { kind, .. } => node.own = kind,
            _ => return,
        }
        let is = code(&self.nodes[said.node.index()], self.highest);
        if is != was {
            self.pair(said.node.index(), is);
        }
    }

    fn pair(&mut self, changed: usize, is: u8) {
        for other in (0..self.nodes.len().min(PAIRED)).filter(|other| *other != changed) {
            let code = code(&self.nodes[other], self.highest);
            let pair = u16::from(is.min(code)) << 8 | u16::from(is.max(code));
            let (word, bit) = (usize::from(pair / 64), pair % 64);
            if self.seen[word] >> bit & 1 == 0 {
                self.seen[word] |= 1 << bit;
                self.reached.push(pair);
            }
        }
    }
}

/// A node's state in eight bits.
fn code(node: &Node, highest: u64) -> u8 {
    let flags = [node.down, node.leads, node.alarmed, node.behind, node.installed, node.view < highest];
    let bits = flags.into_iter().enumerate().map(|(bit, flag)| u8::from(flag) << bit).sum::<u8>();
    let own = (node.own % 4) as u8;
    bits | own << 6
}

#[cfg(test)]
mod tests {
    use murphy_sim::{NodeId, Time};

    use super::*;

    fn say(states: &mut States, node: u32, fact: Fact) {
        states.observe(&Stamped { at: Time::ZERO, event: 0, node: NodeId(node), correct: true, fact });
    }

    #[test]
    fn a_pair_is_new_once_whichever_of_the_two_changes() {
        let mut states = States::new(2);
        say(&mut states, 0, Fact::ViewChange { view: 1 });
        assert_eq!(states.reached().len(), 1);
        say(&mut states, 0, Fact::View { view: 0 });
        say(&mut states, 1, Fact::ViewChange { view: 1 });
        // Both calm is a pair of its own; the alarmed one beside a calm one was there before.
        assert_eq!(states.reached().len(), 2);
        say(&mut states, 1, Fact::Crash);
        assert_eq!(states.reached().len(), 3);
        say(&mut states, 1, Fact::Decide { slot: 1, view: 0, digest: 1 });
        assert_eq!(states.reached().len(), 3);
    }
}
