//! Which replica an attempt goes to: what one caller knows of one callee's replicas.

use murphy_scenarios::language::{Balancer, OutlierSpec};
use murphy_sim::{Time, below};

use super::draw::{self, Purpose};
use super::plan::Dependency;

/// One caller's view of the replicas of one callee.
#[derive(Clone, Debug)]
pub(crate) struct Balance {
    how: Balancer,
    outlier: Option<OutlierSpec>,
    /// Share of healthy replicas below which all are asked.
    panic: f64,
    /// Whose turn it is.
    turn: usize,
    replicas: Vec<Replica>,
    /// Replicas that may be chosen, ascending.
    eligible: Vec<u32>,
    /// Not before then does an ejection end.
    returns: Time,
}

#[derive(Clone, Copy, Debug)]
struct Replica {
    /// Attempts on their way.
    outstanding: u32,
    /// In the list that the control plane gave out.
    listed: Listed,
    /// In the caller's zone, or the caller does not care.
    near: bool,
    /// Failures in a row.
    failures: u64,
    /// Ejections so far.
    ejections: u64,
    ejected_until: Time,
}

/// What the control plane says of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Listed {
    /// No instance runs there.
    Absent,
    /// It fails its checks, or starts.
    Unready,
    /// It takes requests.
    Ready,
}

impl Balance {
    /// Of the replicas of a dependency. Callers start their turns at their own number, so that they do not
    /// move in step.
    pub(crate) fn new(dependency: &Dependency, ordinal: usize, zone: u32) -> Balance {
        let replica = |(index, &own): (usize, &u32)| Replica {
            outstanding: 0,
            listed: dependency.initial[index],
            near: !dependency.zone_aware || own == zone,
            failures: 0,
            ejections: 0,
            ejected_until: Time::ZERO,
        };
        let mut balance = Balance {
            how: dependency.balancer,
            outlier: dependency.outlier,
            panic: dependency.panic,
            turn: ordinal,
            replicas: dependency.zones.iter().enumerate().map(replica).collect(),
            eligible: Vec::new(),
            returns: Time::MAX,
        };
        balance.gather(Time::ZERO);
        balance
    }

    /// The control plane says which replicas are there.
    pub(crate) fn list(&mut self, now: Time, listed: &[Listed]) {
        for (replica, &listed) in self.replicas.iter_mut().zip(listed) {
            replica.listed = listed;
        }
        self.gather(now);
    }

    /// Gathers the replicas that may be chosen: listed, not ejected, and near if any such one is.
    fn gather(&mut self, now: Time) {
        let healthy = |replica: &Replica| replica.listed == Listed::Ready && replica.ejected_until <= now;
        let there = |replica: &Replica| replica.listed != Listed::Absent;
        let count = |what: &dyn Fn(&Replica) -> bool| self.replicas.iter().filter(|r| what(r)).count() as f64;
        let panics = count(&healthy) < self.panic * count(&there);
        let takes = |replica: &Replica| if panics { there(replica) } else { healthy(replica) };
        let near = self.replicas.iter().any(|replica| takes(replica) && replica.near);
        self.eligible.clear();
        let indices = (0..).zip(&self.replicas);
        self.eligible.extend(
            indices.filter(|(_, replica)| takes(replica) && (replica.near || !near)).map(|(index, _)| index),
        );
        let ends = self.replicas.iter().map(|replica| replica.ejected_until).filter(|&until| until > now);
        self.returns = ends.min().unwrap_or(Time::MAX);
    }

    /// The replica that the next attempt goes to; `None` when there is none.
    pub(crate) fn choose(&mut self, now: Time, luck: u64) -> Option<usize> {
        if now >= self.returns {
            self.gather(now);
        }
        let n = self.eligible.len();
        let at = |place: usize| self.eligible[place] as usize;
        if n <= 1 {
            return (n == 1).then(|| at(0));
        }
        let random = |word: u64, n: usize| usize::try_from(below(word, n as u64)).expect("an index");
        let load = |place: usize| self.replicas[at(place)].outstanding;
        let word = draw::word(luck, Purpose::Balance);
        let place = match self.how {
            Balancer::Random => random(word, n),
            Balancer::PowerOfTwo => {
                let one = random(word, n);
                let step = 1 + random(draw::word(word, Purpose::Balance), n - 1);
                let two = (one + step) % n;
                if load(two) < load(one) { two } else { one }
            }
            Balancer::RoundRobin | Balancer::LeastOutstanding => {
                self.turn = (self.turn + 1) % n;
                if self.how == Balancer::RoundRobin {
                    self.turn
                } else {
                    let by_turn = (0..n).map(|step| (self.turn + step) % n);
                    by_turn.min_by_key(|&place| load(place)).unwrap_or(0)
                }
            }
        };
        Some(at(place))
    }

    /// A replica that may be chosen, another one for each turn.
    pub(crate) fn any(&self, turn: u32) -> Option<usize> {
        let place = (turn as usize).checked_rem(self.eligible.len())?;
        Some(self.eligible[place] as usize)
    }

    /// Another replica than this one, if there is one.
    pub(crate) fn other(&self, replica: usize) -> usize {
        let after = self.eligible.iter().find(|&&other| other as usize > replica);
        after.or(self.eligible.first()).map_or(replica, |&other| other as usize)
    }

    /// An attempt is on its way.
    #[inline]
    pub(crate) fn sent(&mut self, replica: usize) {
        self.replicas[replica].outstanding += 1;
    }

    /// An attempt is no longer on its way.
    #[inline]
    pub(crate) fn landed(&mut self, replica: usize) {
        self.replicas[replica].outstanding -= 1;
    }

    /// How an attempt ended that says something about its replica; whether that ejects it.
    #[inline]
    pub(crate) fn ended(&mut self, now: Time, replica: usize, well: bool) -> bool {
        let Some(outlier) = self.outlier else { return false };
        let all = self.replicas.len() as f64;
        let out = self.replicas.iter().filter(|replica| replica.ejected_until > now).count() as f64;
        let replica = &mut self.replicas[replica];
        replica.failures = if well { 0 } else { replica.failures + 1 };
        if replica.failures < outlier.failures || replica.ejected_until > now {
            return false;
        }
        replica.failures = 0;
        // Envoy ejects one replica whatever the share says.
        if out > 0.0 && out + 1.0 > outlier.most * all {
            return false;
        }
        replica.ejections += 1;
        replica.ejected_until = now.saturating_add(outlier.eject * replica.ejections);
        self.gather(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use murphy_scenarios::language::PolicySpec;
    use murphy_sim::{NodeId, Span};

    use super::*;

    fn balance(change: impl Fn(&mut Dependency)) -> Balance {
        let mut dependency = Dependency {
            service: 0,
            replicas: (0..4).map(NodeId).collect(),
            initial: [Listed::Ready; 4].into(),
            zones: [0, 0, 1, 1].into(),
            balancer: Balancer::RoundRobin,
            outlier: None,
            zone_aware: false,
            panic: 0.0,
            policy: PolicySpec::patient(),
            optional: false,
            joined: false,
            part: None,
            cache: None,
        };
        change(&mut dependency);
        Balance::new(&dependency, 0, 1)
    }

    /// The replicas of the next choices, each once.
    fn chosen(balance: &mut Balance, now: Time) -> Vec<usize> {
        let mut seen: Vec<usize> = (0..8).filter_map(|luck| balance.choose(now, luck)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    #[test]
    fn only_listed_replicas_are_chosen_unless_too_few_are() {
        let mut calm = balance(|_| {});
        let few = [Listed::Absent, Listed::Unready, Listed::Unready, Listed::Ready];
        calm.list(Time::ZERO, &few);
        assert_eq!(chosen(&mut calm, Time::ZERO), [3]);
        calm.list(Time::ZERO, &[Listed::Unready; 4]);
        assert_eq!(calm.choose(Time::ZERO, 1), None);
        let mut panicky = balance(|dependency| dependency.panic = 0.5);
        panicky.list(Time::ZERO, &few);
        assert_eq!(chosen(&mut panicky, Time::ZERO), [1, 2, 3]);
    }

    #[test]
    fn near_replicas_are_preferred_while_there_are_any() {
        let mut balance = balance(|dependency| dependency.zone_aware = true);
        assert_eq!(chosen(&mut balance, Time::ZERO), [2, 3]);
        balance.list(Time::ZERO, &[Listed::Ready, Listed::Ready, Listed::Unready, Listed::Absent]);
        assert_eq!(chosen(&mut balance, Time::ZERO), [0, 1]);
    }

    #[test]
    fn failures_in_a_row_eject_for_longer_each_time_and_never_too_many() {
        let spec = OutlierSpec { failures: 3, eject: Span::secs(10), most: 0.5 };
        let mut balance = balance(|dependency| dependency.outlier = Some(spec));
        let second = |s: u64| Time(s * 1_000_000_000);
        let ejects = |balance: &mut Balance, at: Time, replica| {
            [true, false, false, false].map(|well| balance.ended(at, replica, well))
                == [false, false, false, true]
        };
        assert!(ejects(&mut balance, second(0), 0));
        assert_eq!(chosen(&mut balance, second(9)), [1, 2, 3]);
        assert_eq!(chosen(&mut balance, second(10)), [0, 1, 2, 3]);
        assert!(ejects(&mut balance, second(10), 0));
        assert_eq!(chosen(&mut balance, second(29)), [1, 2, 3]);
        assert!(ejects(&mut balance, second(29), 1));
        assert!(!ejects(&mut balance, second(29), 2), "half of them may be ejected");
        assert_eq!(chosen(&mut balance, second(30)), [0, 2, 3]);
    }
}
