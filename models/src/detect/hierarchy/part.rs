//! Parts that call each other, and the sensors that check them.

use std::sync::Arc;

use murphy_sim::{NodeId, Span};

use super::{Cx, HierarchyMessage, HierarchyTimer, Level, Symptom};

/// Calls in a row that must fail before a part says that its need failed.
const FAILED_CALLS: u64 = 2;

/// What is known of one that is asked at a fixed pace.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    answered: bool,
    /// Rounds in a row without an answer.
    missed: u64,
    /// Answers in a row that said "what I need failed".
    bad: u64,
    /// What is wrong with it, and since which round.
    wrong: Option<(Symptom, u64)>,
}

impl Asked {
    fn answer(&mut self, good: bool) {
        self.answered = true;
        self.missed = 0;
        self.bad = if good { 0 } else { self.bad + 1 };
    }

    /// The round is over: a missing answer counts.
    fn close(&mut self) {
        if !self.answered {
            self.missed += 1;
        }
    }

    fn symptom(&self, failures: u64) -> Option<Symptom> {
        if self.missed >= failures {
            Some(Symptom::Silent)
        } else if self.bad >= failures {
            Some(Symptom::NeedFailed)
        } else {
            None
        }
    }
}

/// A component, a shared base, or a machine: it answers, and calls what it needs.
#[derive(Clone, Debug)]
pub struct Part {
    needs: Arc<[NodeId]>,
    asked: Vec<Asked>,
    every: Span,
    round: u64,
}

impl Part {
    pub(super) fn boot(cx: &mut Cx<'_>, needs: Arc<[NodeId]>, every: Span) -> Part {
        if !needs.is_empty() {
            let phase = Span(cx.rng().below(every.0.max(1)));
            cx.set_timer(phase, HierarchyTimer::Round);
        }
        Part { asked: vec![Asked::default(); needs.len()], needs, every, round: 0 }
    }

    /// Whether all that it needs works.
    fn good(&self) -> bool {
        self.asked.iter().all(|asked| asked.symptom(FAILED_CALLS).is_none())
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: HierarchyMessage) {
        match message {
            HierarchyMessage::Call(seq) => cx.send(from, HierarchyMessage::Reply(seq, self.good())),
            HierarchyMessage::Check(seq) => cx.send(from, HierarchyMessage::Health(seq, self.good())),
            HierarchyMessage::Reply(seq, good) if seq == self.round => {
                if let Some(index) = self.needs.iter().position(|need| *need == from) {
                    self.asked[index].answer(good);
                }
            }
            _ => {}
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: HierarchyTimer) {
        if timer != HierarchyTimer::Round {
            return;
        }
        cx.set_timer(self.every, HierarchyTimer::Round);
        for asked in &mut self.asked {
            if self.round > 0 {
                asked.close();
            }
            asked.answered = false;
        }
        self.round += 1;
        cx.broadcast(self.needs.iter().copied(), HierarchyMessage::Call(self.round));
    }
}

/// Checks those of one level, and tells the console what is wrong, again and again while it is:
/// an alarm may be lost on its way.
#[derive(Clone, Debug)]
pub struct Sensor {
    level: Level,
    targets: Arc<[NodeId]>,
    asked: Vec<Asked>,
    console: NodeId,
    every: Span,
    failures: u64,
    round: u64,
    /// The system as a whole.
    system: Asked,
}

impl Sensor {
    pub(super) fn boot(
        cx: &mut Cx<'_>,
        level: Level,
        targets: Arc<[NodeId]>,
        console: NodeId,
        (every, failures): (Span, u64),
    ) -> Sensor {
        let phase = Span(cx.rng().below(every.0.max(1)));
        cx.set_timer(phase, HierarchyTimer::Round);
        let asked = vec![Asked::default(); targets.len()];
        Sensor { level, targets, asked, console, every, failures, round: 0, system: Asked::default() }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: HierarchyTimer) {
        match timer {
            HierarchyTimer::Round => {
                cx.set_timer(self.every, HierarchyTimer::Round);
                cx.set_timer(Span(self.every.0 / 2), HierarchyTimer::Late(self.round + 1));
                self.round += 1;
                for asked in &mut self.asked {
                    asked.answered = false;
                }
                cx.broadcast(self.targets.iter().copied(), HierarchyMessage::Check(self.round));
                cx.send(self.console, HierarchyMessage::Beat);
            }
            HierarchyTimer::Late(round) if round == self.round => {
                for asked in &mut self.asked {
                    asked.close();
                }
                self.report(cx);
            }
            _ => {}
        }
    }

    pub(super) fn on_health(&mut self, _cx: &mut Cx<'_>, from: NodeId, seq: u64, good: bool) {
        if seq == self.round
            && let Some(index) = self.targets.iter().position(|target| *target == from)
        {
            self.asked[index].answer(good);
        }
    }

    fn report(&mut self, cx: &mut Cx<'_>) {
        if self.level == Level::System {
            let down = self.asked.iter().filter(|asked| asked.symptom(self.failures).is_some()).count();
            let half = !self.targets.is_empty() && down * 2 >= self.targets.len();
            self.system.wrong = since(self.system.wrong, half.then_some(Symptom::NeedFailed), self.round);
            if let Some((symptom, onset)) = self.system.wrong {
                cx.send(self.console, HierarchyMessage::Alarm { subject: cx.id(), symptom, onset });
            }
            return;
        }
        for (asked, &subject) in self.asked.iter_mut().zip(self.targets.iter()) {
            asked.wrong = since(asked.wrong, asked.symptom(self.failures), self.round);
            if let Some((symptom, onset)) = asked.wrong {
                cx.send(self.console, HierarchyMessage::Alarm { subject, symptom, onset });
            }
        }
    }
}

/// The symptom of now, with the round in which it began.
fn since(before: Option<(Symptom, u64)>, now: Option<Symptom>, round: u64) -> Option<(Symptom, u64)> {
    now.map(|symptom| match before {
        Some((same, onset)) if same == symptom => (symptom, onset),
        _ => (symptom, round),
    })
}
