//! Where the requests of a replica wait for a worker.

use std::collections::VecDeque;

use murphy_scenarios::language::{QueueOrder, QueueSpec};
use murphy_sim::NodeId;

use super::message::{Ask, Ticket};

/// A request that waits for a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) from: NodeId,
    pub(crate) ticket: Ticket,
    pub(crate) ask: Ask,
}

impl Waiting {
    /// Whether it is the request that a caller names so.
    pub(crate) fn is(&self, from: NodeId, ticket: Ticket) -> bool {
        self.from == from && self.ticket == ticket
    }
}

/// A queue of requests, in one lane for each priority when it has that order.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    spec: QueueSpec,
    /// The most important first; only the first one is used by the other orders.
    lanes: [VecDeque<Waiting>; 4],
    len: u64,
}

impl Queue {
    pub(crate) fn new(spec: QueueSpec) -> Queue {
        Queue { spec, lanes: Default::default(), len: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether the bound is reached.
    #[inline]
    pub(crate) fn full(&self) -> bool {
        self.spec.bound.is_some_and(|bound| self.len >= bound)
    }

    /// Lets a request wait. A full queue gives back what has no room: the request, or a less important
    /// one when the queue knows priorities.
    pub(crate) fn push(&mut self, request: Waiting) -> Option<Waiting> {
        let lane = match self.spec.order {
            QueueOrder::Priority => usize::from(request.ask.priority),
            QueueOrder::Fifo | QueueOrder::Lifo => 0,
        };
        let mut displaced = None;
        if self.full() {
            let Some(lesser) = (lane + 1..self.lanes.len()).rev().find(|&lane| !self.lanes[lane].is_empty())
            else {
                return Some(request);
            };
            displaced = self.lanes[lesser].pop_back();
            self.len -= 1;
        }
        self.lanes[lane].push_back(request);
        self.len += 1;
        displaced
    }

    /// The next request.
    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        let lane = self.lanes.iter_mut().find(|lane| !lane.is_empty())?;
        self.len -= 1;
        match self.spec.order {
            QueueOrder::Fifo | QueueOrder::Priority => lane.pop_front(),
            QueueOrder::Lifo => lane.pop_back(),
        }
    }

    /// Takes all requests out, the next one first.
    pub(crate) fn drain(&mut self) -> Vec<Waiting> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    /// Takes out the request that a caller names so.
    pub(crate) fn remove(&mut self, from: NodeId, ticket: Ticket) -> Option<Waiting> {
        let mut found = None;
        for lane in &mut self.lanes {
            if let Some(place) = lane.iter().position(|request| request.is(from, ticket)) {
                found = lane.remove(place);
            }
        }
        self.len -= u64::from(found.is_some());
        found
    }
}

#[cfg(test)]
mod tests {
    use murphy_sim::Time;

    use super::*;

    fn queue(order: QueueOrder, bound: Option<u64>) -> Queue {
        Queue::new(QueueSpec { bound, order })
    }

    fn request(serial: u32, priority: u8) -> Waiting {
        let ask = Ask { luck: 0, deadline: Time::MAX, key: 0, priority, id: 0, keyed: false };
        Waiting { from: NodeId(0), ticket: Ticket { slot: 0, serial }, ask }
    }

    /// The order in which requests with these priorities leave; those that found no room are left out.
    fn order(mut queue: Queue, priorities: &[u8]) -> (Vec<u32>, Vec<u32>) {
        let refused = (0..).zip(priorities).filter_map(|(serial, &at)| queue.push(request(serial, at)));
        let refused = refused.map(|request| request.ticket.serial).collect();
        let served = std::iter::from_fn(|| queue.pop()).map(|request| request.ticket.serial).collect();
        (served, refused)
    }

    #[test]
    fn each_order_serves_as_it_says() {
        let priorities = [2, 0, 3, 0, 1];
        for (how, served) in [
            (QueueOrder::Fifo, [0, 1, 2, 3, 4]),
            (QueueOrder::Lifo, [4, 3, 2, 1, 0]),
            (QueueOrder::Priority, [1, 3, 4, 0, 2]),
        ] {
            assert_eq!(order(queue(how, None), &priorities), (served.to_vec(), vec![]), "{how:?}");
        }
    }

    #[test]
    fn a_full_queue_gives_up_the_least_important_or_the_last() {
        let priorities = [2, 3, 3, 0, 3];
        assert_eq!(order(queue(QueueOrder::Fifo, Some(3)), &priorities), (vec![0, 1, 2], vec![3, 4]));
        assert_eq!(order(queue(QueueOrder::Priority, Some(3)), &priorities), (vec![3, 0, 1], vec![2, 4]));
    }

    #[test]
    fn a_request_leaves_by_its_name() {
        let mut queue = queue(QueueOrder::Priority, None);
        assert!(queue.push(request(1, 0)).is_none() && queue.push(request(2, 3)).is_none());
        assert!(queue.remove(NodeId(0), Ticket { slot: 0, serial: 2 }).is_some());
        assert!(queue.remove(NodeId(0), Ticket { slot: 0, serial: 2 }).is_none());
        assert_eq!(queue.len(), 1);
    }
}
