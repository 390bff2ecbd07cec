//! A cache that a replica keeps in front of one of its calls.

use std::collections::BTreeMap;

use murphy_scenarios::language::CacheSpec;
use murphy_sim::{Span, Time, fold, unit};

use super::draw::{self, Purpose};
use super::message::Answer;

/// Answers by key, and who waits for one.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    spec: CacheSpec,
    entries: BTreeMap<u64, Entry>,
    /// Keys by when they were last used.
    order: BTreeMap<u64, u64>,
    uses: u64,
    /// Jobs that wait for the fetch of a key, by key.
    fetches: BTreeMap<u64, Vec<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// When the answer was true.
    fetched: Time,
    until: Time,
    used: u64,
}

/// What a cache says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It has an answer.
    Hit(Answer),
    /// Somebody fetches the key: the request waits for that.
    Waits,
    /// The request has to fetch it.
    Miss,
}

impl Cache {
    /// A cache as a replica has it at boot; only that of the run's start is warm.
    pub(crate) fn new(spec: CacheSpec, now: Time) -> Cache {
        let mut cache = Cache {
            spec,
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
            uses: 0,
            fetches: BTreeMap::new(),
        };
        if now == Time::ZERO {
            // The most asked about was used last.
            for key in (0..spec.warm.min(spec.entries)).rev() {
                cache.store(now, now, key, fold(key, 0));
            }
        }
        cache
    }

    /// Looks a key up for a job.
    pub(crate) fn look(&mut self, now: Time, key: u64, job: u32) -> Lookup {
        if let Some(entry) = self.entries.get(&key).copied()
            && now < self.expiry(key, &entry)
        {
            self.touch(key);
            return Lookup::Hit(Answer { age: now.since(entry.fetched), ..Answer::FULL });
        }
        if !self.spec.coalesce {
            return Lookup::Miss;
        }
        if let Some(waiting) = self.fetches.get_mut(&key) {
            waiting.push(job);
            return Lookup::Waits;
        }
        self.fetches.insert(key, Vec::new());
        Lookup::Miss
    }

    /// When an entry is used no more.
    fn expiry(&self, key: u64, entry: &Entry) -> Time {
        match self.spec.changes {
            Some(every) if self.spec.invalidate => entry.until.min(next_change(key, every, entry.fetched)),
            _ => entry.until,
        }
    }

    /// A fetch ended: what its request is answered with, and the other jobs that wait for it.
    pub(crate) fn fetched(&mut self, now: Time, key: u64, luck: u64, answer: Answer) -> (Answer, Vec<u32>) {
        let waiting = self.fetches.remove(&key).unwrap_or_default();
        if answer.outcome == murphy_sim::Outcome::Ok {
            let true_at = Time(now.0.saturating_sub(answer.age.0));
            self.store(now, true_at, key, luck);
            return (answer, waiting);
        }
        let old = self.entries.get(&key).map(|entry| now.since(entry.fetched));
        match (old, self.spec.stale) {
            (Some(age), Some(oldest)) if age <= oldest => (Answer { age, level: 1, ..Answer::FULL }, waiting),
            _ => (answer, waiting),
        }
    }

    /// Whether what a key stands for has changed since an answer of this age was true.
    pub(crate) fn outdated(&self, now: Time, key: u64, age: Span) -> bool {
        let then = Time(now.0.saturating_sub(age.0));
        self.spec.changes.is_some_and(|every| next_change(key, every, then) <= now)
    }

    fn store(&mut self, now: Time, true_at: Time, key: u64, luck: u64) {
        let early = self.spec.jitter * unit(draw::word(luck, Purpose::Expiry));
        let until = now.saturating_add(self.spec.ttl.scale(1.0 - early));
        if let Some(old) = self.entries.insert(key, Entry { fetched: true_at, until, used: 0 }) {
            self.order.remove(&old.used);
        }
        self.touch(key);
        if self.entries.len() as u64 > self.spec.entries
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
    }

    fn touch(&mut self, key: u64) {
        self.uses += 1;
        if let Some(entry) = self.entries.get_mut(&key) {
            self.order.remove(&entry.used);
            entry.used = self.uses;
            self.order.insert(self.uses, key);
        }
    }
}

/// The first change of what a key stands for after a time. Keys change at a steady pace, each at its own beat.
fn next_change(key: u64, every: Span, after: Time) -> Time {
    let phase = draw::word(key, Purpose::Expiry) % every.0;
    let done = (after.0 + every.0 - phase) / every.0;
    Time(done * every.0 + phase)
}

#[cfg(test)]
mod tests {
    use murphy_sim::Outcome;

    use super::*;

    const SPEC: CacheSpec = CacheSpec {
        entries: 2,
        ttl: Span::secs(10),
        jitter: 0.0,
        coalesce: true,
        stale: Some(Span::secs(60)),
        warm: 0,
        changes: None,
        invalidate: false,
    };

    fn second(s: u64) -> Time {
        Time(s * 1_000_000_000)
    }

    fn hit(age_s: u64) -> Lookup {
        Lookup::Hit(Answer { age: Span::secs(age_s), ..Answer::FULL })
    }

    #[test]
    fn the_least_recently_used_leaves_and_entries_expire() {
        let mut cache = Cache::new(SPEC, second(0));
        for key in [1, 2] {
            assert_eq!(cache.look(second(0), key, 0), Lookup::Miss);
            cache.fetched(second(0), key, 0, Answer::FULL);
        }
        assert_eq!(cache.look(second(1), 1, 0), hit(1));
        cache.fetched(second(2), 3, 0, Answer::FULL);
        assert_eq!(cache.look(second(3), 1, 0), hit(3), "2 was used longer ago");
        assert_eq!(cache.look(second(3), 2, 0), Lookup::Miss);
        assert_eq!(cache.look(second(10), 1, 0), Lookup::Miss, "its time is over");
    }

    #[test]
    fn a_fetch_answers_all_who_wait_for_it_with_an_old_answer_if_it_fails() {
        let mut cache = Cache::new(SPEC, second(0));
        assert_eq!(cache.look(second(0), 7, 1), Lookup::Miss);
        assert_eq!(
            (cache.look(second(0), 7, 2), cache.look(second(0), 7, 3)),
            (Lookup::Waits, Lookup::Waits)
        );
        assert_eq!(cache.fetched(second(1), 7, 0, Answer::FULL), (Answer::FULL, vec![2, 3]));
        let failed = Answer::failed(Outcome::Timeout);
        let (old, _) = cache.fetched(second(61), 7, 0, failed);
        assert_eq!((old.outcome, old.age), (Outcome::Ok, Span::secs(60)));
        assert_eq!(cache.fetched(second(62), 7, 0, failed).0, failed);
    }

    #[test]
    fn keys_change_at_their_pace_and_answers_are_outdated_from_then_on() {
        let cache = Cache::new(CacheSpec { changes: Some(Span::secs(7)), ..SPEC }, second(0));
        for key in 0..100 {
            let change = next_change(key, Span::secs(7), second(30));
            assert!(change > second(30) && change <= second(37));
            assert!(
                cache.outdated(change, key, Span(1)) && !cache.outdated(Time(change.0 - 1), key, Span(1))
            );
            assert_eq!(next_change(key, Span::secs(7), change), change + Span::secs(7));
        }
    }
}
