//! The console: alarms in, root causes and pages out.

use murphy_sim::{Fact, NodeId, Span, Time};

use super::correlate::{Alarm, Correlator, Incident, Level, Symptom, escalate};
use super::{BLIND, Cx, HIGH_RATE, HierarchyTimer, PAGE, ROOT};

/// Collects alarms, waits until they have settled, and says what they mean.
#[derive(Clone, Debug)]
pub struct Console {
    sensors: Vec<Watched>,
    sensor_timeout: Span,
    settle: Span,
    window: Span,
    correlator: Correlator,
    /// Alarms of the last window.
    alarms: Vec<Alarm>,
    settling: bool,
    /// What was said in the last window: it is said once.
    said: Vec<(Time, Incident)>,
    paged: Option<Time>,
    high_rate: Option<Time>,
}

#[derive(Clone, Debug)]
struct Watched {
    node: NodeId,
    level: Level,
    heard: Time,
    silent: bool,
    /// Its last alarm about each subject, with the round in which that began.
    heard_of: Vec<(NodeId, Symptom, u64)>,
}

impl Console {
    pub(super) fn boot(
        cx: &mut Cx<'_>,
        sensors: &[(NodeId, Level)],
        sensor_timeout: Span,
        (settle, window): (Span, Span),
        correlator: Correlator,
    ) -> Console {
        cx.set_timer(sensor_timeout, HierarchyTimer::Sensors);
        let heard = cx.now();
        let watched = |&(node, level): &(NodeId, Level)| Watched {
            node,
            level,
            heard,
            silent: false,
            heard_of: Vec::new(),
        };
        Console {
            sensors: sensors.iter().map(watched).collect(),
            sensor_timeout,
            settle,
            window,
            correlator,
            alarms: Vec::new(),
            settling: false,
            said: Vec::new(),
            paged: None,
            high_rate: None,
        }
    }

    pub(super) fn on_beat(&mut self, cx: &mut Cx<'_>, from: NodeId) {
        if let Some(sensor) = self.sensors.iter_mut().find(|sensor| sensor.node == from) {
            sensor.heard = cx.now();
            sensor.silent = false;
        }
    }

    pub(super) fn on_alarm(&mut self, cx: &mut Cx<'_>, from: NodeId, said: (NodeId, Symptom, u64)) {
        let Some(sensor) = self.sensors.iter_mut().find(|sensor| sensor.node == from) else { return };
        let level = sensor.level;
        let (subject, symptom, _) = said;
        // Sensors repeat themselves: what is the same since then is the same alarm.
        match sensor.heard_of.iter_mut().find(|(known, ..)| *known == subject) {
            Some(known) if *known == said => return,
            Some(known) => *known = said,
            None => sensor.heard_of.push(said),
        }
        self.take(cx, Alarm { at: cx.now(), level, subject, symptom });
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: HierarchyTimer) {
        match timer {
            HierarchyTimer::Sensors => self.look_for_silent_sensors(cx),
            HierarchyTimer::Settled => self.analyse(cx),
            HierarchyTimer::Round | HierarchyTimer::Late(_) => {}
        }
    }

    /// A failed detector is itself a fault: whoever does not look finds nothing.
    fn look_for_silent_sensors(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(self.sensor_timeout, HierarchyTimer::Sensors);
        let now = cx.now();
        for index in 0..self.sensors.len() {
            let sensor = &mut self.sensors[index];
            if now.since(sensor.heard) > self.sensor_timeout && !sensor.silent {
                sensor.silent = true;
                let (level, subject) = (sensor.level, sensor.node);
                cx.fact(Fact::Own { kind: BLIND, a: u64::from(subject.0) + 1, b: 0 });
                self.take(cx, Alarm { at: now, level, subject, symptom: Symptom::SensorSilent });
            }
        }
    }

    fn take(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        self.alarms.push(alarm);
        if !std::mem::replace(&mut self.settling, true) {
            cx.set_timer(self.settle, HierarchyTimer::Settled);
        }
    }

    fn analyse(&mut self, cx: &mut Cx<'_>) {
        self.settling = false;
        let (now, window) = (cx.now(), self.window);
        self.alarms.retain(|alarm| now.since(alarm.at) < window);
        self.said.retain(|(at, _)| now.since(*at) < window);
        for incident in self.correlator.incidents(&self.alarms) {
            if self.said.iter().any(|(_, said)| *said == incident) {
                continue;
            }
            self.said.push((now, incident));
            let root = incident.root.map_or(0, |root| u64::from(root.0) + 1);
            cx.fact(Fact::Own { kind: ROOT, a: root, b: incident.pattern as u64 });
        }
        let escalation = escalate(&self.alarms);
        let due = |last: &mut Option<Time>, why: bool| {
            let due = why && last.is_none_or(|last| now.since(last) >= window);
            if due {
                *last = Some(now);
            }
            due
        };
        if due(&mut self.paged, escalation.page) {
            cx.fact(Fact::Own { kind: PAGE, a: 0, b: 0 });
        }
        if due(&mut self.high_rate, escalation.high_rate) {
            cx.fact(Fact::Own { kind: HIGH_RATE, a: self.alarms.len() as u64, b: 0 });
        }
    }
}
