//! The calls that a request makes, through the caches in front of them.

use murphy_sim::Outcome;

use super::super::Cx;
use super::super::cache::{Cache, Lookup};
use super::super::caller::Ended;
use super::super::draw::{self, Purpose};
use super::super::fact::Said;
use super::super::message::{Answer, Ask};
use super::super::plan::{Dependency, Plan};
use super::{Job, Replica};

/// The whole of an answer, in thousandths.
const WHOLE: u32 = 1000;

impl Job {
    /// Takes the answer to one of its calls in.
    fn take(&mut self, answer: &Answer, optional: bool) {
        self.missing += WHOLE - u32::from(answer.whole);
        if answer.outcome == Outcome::Ok {
            self.answer.age = self.answer.age.max(answer.age);
            self.answer.level = self.answer.level.max(answer.level);
        } else if !optional {
            self.answer = Answer::failed(Outcome::Failed);
        }
    }
}

/// The caches of a service's calls, as a replica has them at boot.
pub(super) fn caches(cx: &Cx<'_>, plan: &Plan, service: usize) -> Vec<Option<Cache>> {
    let cache = |call: &Dependency| call.cache.map(|spec| Cache::new(spec, cx.now()));
    plan.services[service].calls.iter().map(cache).collect()
}

impl Replica {
    /// A call of a request ended.
    pub(super) fn returned(&mut self, cx: &mut Cx<'_>, ended: Option<Ended>) {
        let Some(Ended { owner, dependency, answer }) = ended else { return };
        let Some(job) = self.jobs.get_mut(owner) else { return };
        let ask = job.request.ask;
        let (answer, waiting) = self.fetched(cx, dependency, ask, answer);
        self.take(cx, owner, dependency, &answer);
        for slot in waiting {
            self.take(cx, slot, dependency, &answer);
        }
    }

    /// A request that waited for a call has its answer.
    fn take(&mut self, cx: &mut Cx<'_>, slot: u32, dependency: usize, answer: &Answer) {
        let optional = self.note(cx, dependency, answer);
        let job = self.job(slot);
        job.pending -= 1;
        job.take(answer, optional);
        self.advance(cx, slot);
    }

    /// Whether the request can do without this call; says so when it has to.
    fn note(&self, cx: &mut Cx<'_>, dependency: usize, answer: &Answer) -> bool {
        let call = &self.plan.services[self.service].calls[dependency];
        if call.optional && answer.outcome != Outcome::Ok {
            Said::Skipped.say(cx, call.service, 0);
        }
        call.optional
    }

    /// Makes the next calls of a request, or ends it.
    pub(super) fn advance(&mut self, cx: &mut Cx<'_>, slot: u32) {
        loop {
            let calls = &self.plan.services[self.service].calls;
            let job = self.jobs.get_mut(slot).expect("a request has its place until it ends");
            if job.pending > 0 {
                return;
            }
            if job.answer.outcome != Outcome::Ok || job.next == calls.len() {
                return self.finish(cx, slot);
            }
            let first = job.next;
            let joined = calls[first + 1..].iter().take_while(|call| call.joined).count();
            job.next = first + 1 + joined;
            let ask = job.request.ask;
            for index in first..=first + joined {
                match self.call(cx, index, slot, ask) {
                    None => self.job(slot).pending += 1,
                    Some(answer) => {
                        let optional = self.note(cx, index, &answer);
                        self.job(slot).take(&answer, optional);
                    }
                }
            }
        }
    }

    /// Makes a call of a request; an answer at once is given back.
    fn call(&mut self, cx: &mut Cx<'_>, index: usize, slot: u32, ask: Ask) -> Option<Answer> {
        let service = self.plan.services[self.service].calls[index].service;
        if let Some(cache) = &mut self.caches[index] {
            match cache.look(cx.now(), ask.key, slot) {
                Lookup::Hit(answer) => {
                    let outdated = cache.outdated(cx.now(), ask.key, answer.age);
                    Said::Hit.say(cx, service, 0);
                    if outdated {
                        Said::Outdated.say(cx, service, 0);
                    }
                    return Some(answer);
                }
                Lookup::Waits => {
                    Said::Coalesced.say(cx, service, 0);
                    return None;
                }
                Lookup::Miss => Said::Missed.say(cx, service, 0),
            }
        }
        let ended = self.caller.begin(cx, index, slot, ask)?;
        let (answer, waiting) = self.fetched(cx, index, ask, ended.answer);
        assert!(waiting.is_empty(), "nobody can wait for what ended at once");
        Some(answer)
    }

    /// What a call brings goes into its cache: the answer to it, and those that wait for it too.
    fn fetched(&mut self, cx: &mut Cx<'_>, index: usize, ask: Ask, answer: Answer) -> (Answer, Vec<u32>) {
        let Some(cache) = &mut self.caches[index] else { return (answer, Vec::new()) };
        let (answer, waiting) = cache.fetched(cx.now(), ask.key, ask.luck, answer);
        if answer.outcome == Outcome::Ok && cache.outdated(cx.now(), ask.key, answer.age) {
            for _ in 0..=waiting.len() {
                Said::Outdated.say(cx, self.plan.services[self.service].calls[index].service, 0);
            }
        }
        (answer, waiting)
    }

    /// The answer to a request, with as much of it as its calls brought.
    pub(super) fn made(&self, job: &Job) -> Answer {
        let service = &self.plan.services[self.service];
        let calls = u32::try_from(service.calls.len()).expect("few calls");
        let mut answer = job.answer;
        if answer.outcome != Outcome::Ok {
            return answer;
        }
        let mut whole = WHOLE - job.missing.checked_div(calls).unwrap_or(0);
        if service.partial > 0.0 {
            let half = murphy_sim::unit(draw::word(job.request.ask.luck, Purpose::Partial)) < service.partial;
            whole /= 1 + u32::from(half);
        }
        answer.whole = u16::try_from(whole).expect("at most the whole");
        answer
    }
}
