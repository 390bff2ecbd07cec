//! What the control plane knows of one service's instances, and what it wants of them.

use murphy_sim::{Span, Time};

use super::super::balancer::Listed;
use super::super::instance::Phase;
use super::super::message::{Load, Report};
use super::super::plan;
use super::hpa::{Autoscaler, Seen};

/// A report that was on its way when an order was given is not older than this.
const CROSSING: Span = Span::secs(2);

/// One service's instances.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    pub(super) members: Vec<Member>,
    /// How many should be there.
    pub(super) wanted: usize,
    pub(super) scaler: Option<Autoscaler>,
    /// The version that new instances get.
    pub(super) version: u32,
    /// The only version that callers should ask, while two whole sets run.
    pub(super) active: Option<u32>,
    /// What callers were told last.
    pub(super) listed: Vec<Listed>,
    /// Tells a round of checks from the one before.
    pub(super) round: u32,
}

/// What the control plane knows of one node of a service.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts about a node that have nothing to do with each other"
)]
pub(super) struct Member {
    pub(super) state: State,
    /// Version that it said it runs.
    pub(super) version: u32,
    /// Failed and good checks in a row.
    pub(super) fails: u64,
    pub(super) successes: u64,
    /// Whether the check of this round was answered.
    pub(super) answered: bool,
    /// Whether the last check was not: no instance is sent to such a node while there is another.
    pub(super) silent: bool,
    /// When it last said anything.
    pub(super) heard: Time,
    /// When it was last told to start.
    pub(super) started: Time,
    pub(super) load: Load,
    /// Whether it has told its load since it started.
    pub(super) told: bool,
    /// Its load at the autoscaler's last look.
    pub(super) looked: Load,
    /// Its load when the version that it runs began to be judged.
    pub(super) base: Load,
    /// Whether a node is kept ready for an instance.
    pub(super) warm: bool,
    /// What it starts again with once it has stopped.
    pub(super) then: Option<u32>,
}

/// What the control plane takes a node's instance for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing runs there.
    Absent,
    /// A node is on its way.
    Provisioning,
    /// It was told to start.
    Starting,
    /// It passes its checks.
    Ready,
    /// It fails them.
    Unready,
    /// It was told to stop.
    Stopping,
    /// Nobody has heard of it for long.
    Lost,
}

impl State {
    /// Whether it counts as one of those that are wanted.
    pub(super) fn counts(self) -> bool {
        matches!(self, State::Provisioning | State::Starting | State::Ready | State::Unready)
    }
}

impl Fleet {
    /// A fleet as the plan starts it, or as it may be when the control plane comes back.
    pub(super) fn new(service: &plan::Service, now: Time) -> Fleet {
        let back = now > Time::ZERO;
        let member = |&listed: &Listed| Member {
            // What became of them while it was away it has to learn.
            state: match listed {
                _ if back => State::Lost,
                Listed::Ready => State::Ready,
                Listed::Unready | Listed::Absent => State::Absent,
            },
            version: 0,
            fails: 0,
            successes: 0,
            answered: true,
            silent: false,
            heard: now,
            started: Time::ZERO,
            load: Load::default(),
            told: false,
            looked: Load::default(),
            base: Load::default(),
            warm: false,
            then: None,
        };
        let wanted = service.initial.iter().filter(|&&listed| listed == Listed::Ready).count();
        let mut fleet = Fleet {
            members: service.initial.iter().map(member).collect(),
            wanted,
            scaler: service.fleet.autoscale.map(|spec| Autoscaler::new(spec, now, wanted as u64)),
            version: 0,
            active: None,
            listed: service.initial.to_vec(),
            round: 0,
        };
        fleet.keep_warm(service.fleet.autoscale.map_or(0, |scale| scale.warm));
        fleet
    }

    /// Keeps nodes ready for so many instances.
    pub(super) fn keep_warm(&mut self, nodes: u64) {
        let absent = self.members.iter_mut().filter(|member| member.state == State::Absent);
        for (place, member) in absent.enumerate() {
            member.warm = (place as u64) < nodes;
        }
    }

    pub(super) fn count(&self, is: impl Fn(&Member) -> bool) -> usize {
        self.members.iter().filter(|member| is(member)).count()
    }

    /// A report of a member. One that serves has yet to pass a check, where there are checks.
    pub(super) fn hear(&mut self, place: usize, report: &Report, now: Time, checks: bool) {
        let member = &mut self.members[place];
        member.heard = now;
        member.silent = false;
        member.load = report.load;
        member.told = true;
        member.version = report.version;
        member.state = match (report.phase, member.state) {
            (Phase::Absent, State::Stopping | State::Ready | State::Unready | State::Lost) => State::Absent,
            (Phase::Serving, State::Absent | State::Lost) if checks => State::Unready,
            (Phase::Serving, State::Absent | State::Lost | State::Starting) => State::Ready,
            (Phase::Starting, State::Ready | State::Absent | State::Lost) => State::Starting,
            // The order to start never came, or its node started anew since.
            (Phase::Absent, State::Starting) if now.since(member.started) > CROSSING => State::Absent,
            (_, state) => state,
        };
        if member.state == State::Absent {
            (member.fails, member.successes) = (0, 0);
        }
    }

    /// What callers should know: ready ones of the version that is out.
    pub(super) fn list(&self) -> Vec<Listed> {
        let member = |member: &Member| match member.state {
            State::Ready if self.active.is_none_or(|version| member.version == version) => Listed::Ready,
            State::Ready | State::Unready | State::Starting => Listed::Unready,
            _ => Listed::Absent,
        };
        self.members.iter().map(member).collect()
    }

    /// The number of instances that the autoscaler wants, from what they did since its last look.
    pub(super) fn rescale(&mut self, now: Time, every: Span, workers: u64) {
        let Some(scaler) = &mut self.scaler else { return };
        let capacity = every.0 as f64 * workers as f64;
        let mut seen = Seen { current: self.wanted as u64, ready: 0, unready: 0, at_work: 0.0 };
        for member in &mut self.members {
            if member.state == State::Ready && member.told {
                seen.ready += 1;
                // One that restarted counts from nothing.
                let worked = member.load.worked.0.saturating_sub(member.looked.worked.0);
                seen.at_work += worked as f64 / capacity;
            } else if member.state.counts() {
                seen.unready += 1;
            }
            member.looked = member.load;
        }
        self.wanted = usize::try_from(scaler.decide(now, &seen)).expect("a number of nodes");
    }

    /// The node that the next instance goes to: on the site with the fewest, or the first.
    pub(super) fn vacancy(&self, service: &plan::Service) -> Option<usize> {
        let absent = |place: &usize| self.members[*place].state == State::Absent;
        let vacancies = (0..self.members.len()).filter(absent);
        let crowd = |place: usize| {
            let here = service.sites[place];
            let runs = |(other, member): (usize, &Member)| {
                usize::from(service.sites[other] == here && member.state.counts())
            };
            self.members.iter().enumerate().map(runs).sum::<usize>()
        };
        let rank = |place: &usize| {
            let (member, spread) = (&self.members[*place], service.fleet.spread);
            let (crowd, site) = if spread { (crowd(*place), 0) } else { (0, service.sites[*place]) };
            (member.silent, !member.warm, crowd, site, *place)
        };
        vacancies.min_by_key(rank)
    }

    /// The instance that is given up when there are too many: one that fails its checks, else the last.
    pub(super) fn surplus(&self) -> Option<usize> {
        let counts = (0..self.members.len()).filter(|&place| self.members[place].state.counts());
        counts.max_by_key(|&place| {
            (self.members[place].state != State::Ready, self.members[place].started, place)
        })
    }
}
