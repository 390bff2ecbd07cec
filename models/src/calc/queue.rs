//! Queues with exponential service: one server, many, with losses, with impatience.

use super::chain::Chain;
use super::math::{power, root, size, whole};

/// A queue with Poisson arrivals and exponential service, in one unit of time, first come first served.
#[derive(Clone, Copy, Debug)]
pub struct Markov {
    /// Arrivals per unit of time.
    pub arrivals: f64,
    /// Services per unit of time of one server.
    pub service: f64,
    /// Servers.
    pub servers: u64,
}

/// Probability that a call is lost when `load` erlangs meet `servers` servers without a queue: Erlang B.
///
/// Insensitive to the law of the service times. Source: the usual recursion, Kleinrock 1975.
pub fn erlang_b(load: f64, servers: u64) -> f64 {
    (1..=servers).fold(1.0, |blocked, c| load * blocked / (c as f64 + load * blocked))
}

impl Markov {
    /// Load of one server.
    pub fn utilisation(&self) -> f64 {
        self.arrivals / (self.service * self.servers as f64)
    }

    /// Probability that an arrival waits: Erlang C.
    pub fn waits(&self) -> f64 {
        let blocked = erlang_b(self.arrivals / self.service, self.servers);
        blocked / (1.0 - self.utilisation() * (1.0 - blocked))
    }

    fn slack(&self) -> f64 {
        self.service * self.servers as f64 - self.arrivals
    }

    /// Mean wait before service.
    pub fn mean_wait(&self) -> f64 {
        self.waits() / self.slack()
    }

    /// Mean time from arrival to completion.
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_wait() + 1.0 / self.service
    }

    /// The wait that a share `quantile` of arrivals does not exceed.
    pub fn wait_quantile(&self, quantile: f64) -> f64 {
        (libm::log(self.waits() / (1.0 - quantile)) / self.slack()).max(0.0)
    }

    /// Probability of a time from arrival to completion longer than `time`.
    pub fn sojourn_exceeds(&self, time: f64) -> f64 {
        let (waits, slack, service) = (self.waits(), self.slack(), self.service);
        let served = libm::exp(-service * time);
        // Wait (exponential with rate slack) + service: equal rates are the limit of the difference.
        let gap = slack - service;
        let both = if gap.abs() * time < 1e-9 {
            served * (1.0 + service * time)
        } else {
            (slack * served - service * libm::exp(-slack * time)) / gap
        };
        (1.0 - waits) * served + waits * both
    }

    /// The time from arrival to completion that a share `quantile` of requests does not exceed.
    pub fn sojourn_quantile(&self, quantile: f64) -> f64 {
        if self.servers == 1 {
            return -libm::log(1.0 - quantile) / self.slack();
        }
        let mut high = self.mean_sojourn();
        while self.sojourn_exceeds(high) > 1.0 - quantile {
            high *= 2.0;
        }
        root(0.0, high, |time| 1.0 - quantile - self.sojourn_exceeds(time))
    }
}

/// What a queue with room for `K` requests in all does.
#[derive(Clone, Copy, Debug)]
pub struct Finite {
    /// Probability that an arrival finds no room.
    pub blocked: f64,
    /// Requests served per unit of time.
    pub throughput: f64,
    /// Mean number of requests in the system.
    pub mean_count: f64,
    /// Mean time in the system of a request that found room.
    pub mean_sojourn: f64,
}

/// M/M/c/K: room for `room` requests, those in service included.
pub fn finite(queue: Markov, room: u64) -> Finite {
    let law = birth_death(room, |_| queue.arrivals, |n| queue.service * n.min(queue.servers) as f64);
    let blocked = law[law.len() - 1];
    let accepted: f64 = law[..law.len() - 1].iter().sum();
    let mean_count = law.iter().enumerate().map(|(n, share)| n as f64 * share).sum();
    let throughput = queue.arrivals * accepted;
    Finite { blocked, throughput, mean_count, mean_sojourn: mean_count / throughput }
}

/// Law of a birth and death process on `0..=last`, scaled so that nothing overflows.
fn birth_death(last: u64, birth: impl Fn(u64) -> f64, death: impl Fn(u64) -> f64) -> Vec<f64> {
    let mut law = vec![1.0];
    for n in 1..=last {
        let next = law[law.len() - 1] * birth(n - 1) / death(n);
        law.push(next);
        if next > 1e200 {
            for share in &mut law {
                *share *= 1e-200;
            }
        }
    }
    let total: f64 = law.iter().sum();
    law.iter().map(|share| share / total).collect()
}

/// What a queue of impatient requests does.
#[derive(Clone, Copy, Debug)]
pub struct Impatient {
    /// Probability that an arrival finds all servers busy.
    pub waits: f64,
    /// Probability that an arrival gives up.
    pub abandons: f64,
    /// Mean time in the queue of all arrivals, also of those that give up.
    pub mean_wait: f64,
    /// Mean number of requests in the queue.
    pub mean_queue: f64,
    /// Load of one server.
    pub utilisation: f64,
}

/// Erlang A, M/M/c+M: a waiting request gives up at rate `impatience`. Always stable.
///
/// Source: Palm 1957; Garnett, Mandelbaum & Reiman 2002.
pub fn erlang_a(queue: Markov, impatience: f64) -> Impatient {
    let c = queue.servers;
    let out = |n: u64| queue.service * n.min(c) as f64 + impatience * n.saturating_sub(c) as f64;
    // Beyond this the next share is less than half of the one before, 80 times over.
    let excess = (2.0 * queue.arrivals - queue.service * c as f64).max(0.0) / impatience;
    let law = birth_death(c + whole(excess.min(1e6)) + 80, |_| queue.arrivals, out);
    let busy = |n: usize| n as u64 >= c;
    let states = || law.iter().enumerate();
    let queue_of = |n: usize| (n as u64).saturating_sub(c) as f64;
    let mean_queue: f64 = states().map(|(n, share)| queue_of(n) * share).sum();
    let in_service: f64 = states().map(|(n, share)| (n as u64).min(c) as f64 * share).sum();
    Impatient {
        waits: states().filter(|(n, _)| busy(*n)).map(|(_, share)| share).sum(),
        abandons: impatience * mean_queue / queue.arrivals,
        mean_wait: mean_queue / queue.arrivals,
        mean_queue,
        utilisation: in_service / c as f64,
    }
}

/// Probability that a request gives up in an M/M/1 where none waits longer than `patience`.
///
/// By the density of the virtual wait: it falls by μ − λ up to the patience, and by μ beyond.
/// Source: Barrer 1957; Baccelli & Hebuterne 1981.
pub fn fixed_patience(arrivals: f64, service: f64, patience: f64) -> f64 {
    let slack = service - arrivals;
    let below =
        if slack.abs() * patience < 1e-12 { patience } else { -libm::expm1(-slack * patience) / slack };
    let beyond = arrivals * libm::exp(-slack * patience) / service;
    beyond / (1.0 + arrivals * below + beyond)
}

/// Probability that an M/M/1 answers after the client's time-out, and the rate of answers in time; nothing is cancelled.
pub fn late(arrivals: f64, service: f64, timeout: f64) -> (f64, f64) {
    let late = libm::exp(-(service - arrivals) * timeout);
    (late, arrivals * (1.0 - late))
}

/// Probability that a token bucket of `burst` tokens drops a Poisson arrival; no queue.
///
/// The same as M/D/1 with room for `burst`: the missing tokens are the work. `arrivals` and `refill` per unit of
/// time. By the chain embedded at departures; Takács 1962.
pub fn token_bucket(arrivals: f64, refill: f64, burst: u64) -> f64 {
    let (load, room) = (arrivals / refill, size(burst));
    let arrive: Vec<f64> = (0..=burst).map(|n| super::math::poisson(load, n)).collect();
    let mut chain = Chain::new(room);
    for left in 0..room {
        // The next service starts with one more when none was left.
        let start = left.max(1);
        for to in start - 1..room {
            let exactly = arrive[to + 1 - start];
            let more = super::math::poisson_at_least(load, (to + 1 - start) as u64);
            chain.add(left, to, if to + 1 == room { more } else { exactly });
        }
    }
    let empty = chain.steady()[0];
    1.0 - 1.0 / (empty + load)
}

/// Probability of at least `queue` requests at a server when each of very many servers' arrivals joins the
/// shortest of `choices` drawn at random: λ^((d^k − 1)/(d − 1)).
///
/// Source: Vvedenskaya, Dobrushin & Karpelevich 1996; Mitzenmacher 1996.
pub fn choices_tail(load: f64, choices: u64, queue: u64) -> f64 {
    let exponent = (0..queue).fold(0.0, |sum, k| sum + power(choices as f64, k));
    libm::pow(load, exponent)
}

/// Mean time from arrival to completion of [`choices_tail`], in units of the mean service time.
pub fn choices_sojourn(load: f64, choices: u64) -> f64 {
    if choices == 1 {
        return 1.0 / (1.0 - load);
    }
    let (mut sum, mut queue) = (0.0, 1);
    loop {
        let term = choices_tail(load, choices, queue);
        sum += term;
        if term < sum * 1e-18 || queue > 2000 {
            return sum / load;
        }
        queue += 1;
    }
}

/// Mean time of a request sent to `copies` of `servers` servers at random, the others cancelled when one completes.
///
/// First come first served, independent exponential copies of mean 1, `load` arrivals per server.
/// Source: Gardner et al. 2016, "Redundancy-d".
pub fn redundancy(servers: u64, copies: u64, load: f64) -> f64 {
    use super::math::choose;
    let term = |i: u64| {
        let speed = choose(servers - 1, copies - 1) / choose(i - 1, copies - 1);
        1.0 / (servers as f64 * (speed - load))
    };
    (copies..=servers).map(term).sum()
}
