//! From alarms to incidents: which of them belong together, and what caused them.
//!
//! [`Correlator`] has two rules. The corrected one knows what depends on what: alarms belong
//! together when one subject explains another, and the root is the one that nothing else explains.
//! The other is S0's `HierarchicalFaultDetector` as it is written, for comparison. Its mistakes:
//! it groups by time alone, in windows that start with the first alarm, so two faults at once are one
//! incident; a component that alarms twice hides a cascade; "cascading" and "root cause" both fire on
//! one common cause; the root cause that it names is an error message; a single alarm is never analysed.

use std::sync::Arc;

use murphy_sim::{NodeId, Span, Time};

/// Level at which a sensor looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One process.
    Component,
    /// What users call: the head of a chain of components.
    Service,
    /// Services together.
    System,
    /// Machines.
    Infrastructure,
}

/// What a sensor saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symptom {
    /// No answer.
    Silent,
    /// An answer that says: what I need does not answer.
    NeedFailed,
    /// A sensor itself is silent.
    SensorSilent,
}

/// An alarm of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// When the console got it.
    pub at: Time,
    /// Of which level.
    pub level: Level,
    /// About whom.
    pub subject: NodeId,
    /// What was seen.
    pub symptom: Symptom,
}

/// How the alarms of an incident hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// One subject.
    Single,
    /// One subject failed, and those that need it after it.
    Cascading,
    /// Several subjects failed at once because what carries them did.
    CommonCause,
}

/// What the console says about a group of alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Who caused it, if the rule names anyone.
    pub root: Option<NodeId>,
    /// How the alarms hang together.
    pub pattern: Pattern,
}

/// Whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorrelationRules {
    /// S0 as it is written.
    S0,
    /// By what is known to depend on what.
    Corrected,
}

/// What carries and what needs what: a node explains another's failure when the other needs it or runs on it.
#[derive(Clone, Debug, Default)]
pub struct Structure {
    /// By node: what it calls.
    pub needs: Vec<Vec<NodeId>>,
    /// By node: the machine that it runs on.
    pub host: Vec<Option<NodeId>>,
}

impl Structure {
    /// Whether a failure of `cause` explains one of `effect`, at any distance.
    pub fn explains(&self, cause: NodeId, effect: NodeId) -> bool {
        let mut open = vec![effect];
        let mut seen = vec![false; self.needs.len()];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut seen[node.index()], true) {
                continue;
            }
            if node == cause && node != effect {
                return true;
            }
            open.extend(&self.needs[node.index()]);
            open.extend(self.host[node.index()]);
        }
        false
    }

    fn carries(&self, host: NodeId) -> bool {
        self.host.contains(&Some(host))
    }
}

/// Groups alarms by a window of time, and finds the roots of each group.
#[derive(Clone, Debug)]
pub struct Correlator {
    rules: CorrelationRules,
    window: Span,
    structure: Arc<Structure>,
}

impl Correlator {
    /// A correlator with a window of time.
    pub fn new(rules: CorrelationRules, window: Span, structure: Arc<Structure>) -> Correlator {
        Correlator { rules, window, structure }
    }

    /// The incidents behind alarms, which are in the order of time.
    pub fn incidents(&self, alarms: &[Alarm]) -> Vec<Incident> {
        match self.rules {
            CorrelationRules::S0 => self.groups(alarms).into_iter().flat_map(s0).collect(),
            CorrelationRules::Corrected => self.corrected(alarms),
        }
    }

    /// S0's groups: each starts with the first alarm after the window of the one before.
    fn groups<'a>(&self, alarms: &'a [Alarm]) -> Vec<&'a [Alarm]> {
        let mut groups = Vec::new();
        let mut rest = alarms;
        while let Some(first) = rest.first() {
            let inside = rest.iter().take_while(|alarm| alarm.at.since(first.at) < self.window).count();
            let (group, later) = rest.split_at(inside.max(1));
            groups.push(group);
            rest = later;
        }
        groups
    }

    /// A subject that no other subject within the window explains is a root.
    fn corrected(&self, alarms: &[Alarm]) -> Vec<Incident> {
        let own = |alarm: &&Alarm| alarm.level != Level::System && alarm.symptom != Symptom::SensorSilent;
        let mut subjects: Vec<(NodeId, Time, Symptom)> = Vec::new();
        for alarm in alarms.iter().filter(own) {
            let known = subjects.iter_mut().find(|(subject, first, _)| {
                *subject == alarm.subject && alarm.at.since(*first) < self.window
            });
            match known {
                // A silent subject is worse than one whose need failed: what is silent explains itself.
                Some((_, _, symptom)) => *symptom = (*symptom).min(alarm.symptom),
                None => subjects.push((alarm.subject, alarm.at, alarm.symptom)),
            }
        }
        let near = |a: Time, b: Time| a.since(b) < self.window && b.since(a) < self.window;
        let explained = |&(effect, at, symptom): &(NodeId, Time, Symptom)| {
            subjects.iter().any(|&(cause, when, seen)| {
                // A subject that is silent itself is explained by its machine only: its needs would make
                // it answer that they failed.
                let by_need = symptom == Symptom::NeedFailed && self.structure.explains(cause, effect);
                let by_host = self.structure.host[effect.index()] == Some(cause);
                seen == Symptom::Silent && near(at, when) && (by_need || by_host)
            })
        };
        // Whoever only reports a failed need that nobody has found yet is no root either.
        let roots =
            subjects.iter().filter(|subject| subject.2 == Symptom::Silent && !explained(subject)).copied();
        let incident = |(root, at, _): (NodeId, Time, Symptom)| {
            let others = subjects
                .iter()
                .filter(|(effect, when, _)| near(at, *when) && self.structure.explains(root, *effect));
            let pattern = match others.count() {
                0 => Pattern::Single,
                _ if self.structure.carries(root) => Pattern::CommonCause,
                _ => Pattern::Cascading,
            };
            Incident { root: Some(root), pattern }
        };
        roots.map(incident).collect()
    }
}

/// S0's analysis of one group: up to two statements.
fn s0(group: &[Alarm]) -> Vec<Incident> {
    if group.len() < 2 {
        return Vec::new();
    }
    let mut incidents = Vec::new();
    let mut subjects: Vec<NodeId> = group.iter().map(|alarm| alarm.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    if subjects.len() == group.len() {
        // "Different components failing - likely cascading": it lists them, the earliest first.
        incidents.push(Incident { root: Some(group[0].subject), pattern: Pattern::Cascading });
    }
    if group.iter().all(|alarm| alarm.symptom == group[0].symptom) {
        // "Potential root cause": an error message, which names nobody.
        incidents.push(Incident { root: None, pattern: Pattern::CommonCause });
    }
    incidents
}

/// Whether alarms call for people, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Escalation {
    /// More alarms than the limit: a high rate of faults.
    pub high_rate: bool,
    /// A machine or the system as a whole fails: someone is paged.
    pub page: bool,
}

/// More faults than this at once are a high rate.
const HIGH_RATE: usize = 10;

/// The rule of escalation: more than ten faults are a high rate, and any fault of the system or the
/// infrastructure pages. `alarms` are those of one window.
pub fn escalate(alarms: &[Alarm]) -> Escalation {
    let grave = |alarm: &Alarm| matches!(alarm.level, Level::System | Level::Infrastructure);
    Escalation { high_rate: alarms.len() > HIGH_RATE, page: alarms.iter().any(grave) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 calls 1 calls 2; 3 stands alone; 4 carries 0, 1 and 3; 5 carries 2.
    fn correlator(rules: CorrelationRules) -> Correlator {
        let ids = |nodes: &[u32]| nodes.iter().copied().map(NodeId).collect::<Vec<_>>();
        let needs = vec![ids(&[1]), ids(&[2]), ids(&[]), ids(&[]), ids(&[]), ids(&[])];
        let host = [Some(4), Some(4), Some(5), Some(4), None, None].map(|h| h.map(NodeId)).to_vec();
        Correlator::new(rules, Span::secs(300), Arc::new(Structure { needs, host }))
    }

    fn alarm(second: u64, subject: u32, symptom: Symptom) -> Alarm {
        let level = if subject >= 4 { Level::Infrastructure } else { Level::Component };
        Alarm { at: Time(second * 1_000_000_000), level, subject: NodeId(subject), symptom }
    }

    fn roots(incidents: &[Incident]) -> Vec<(Option<u32>, Pattern)> {
        incidents.iter().map(|incident| (incident.root.map(|root| root.0), incident.pattern)).collect()
    }

    const SILENT: Symptom = Symptom::Silent;
    const NEED: Symptom = Symptom::NeedFailed;

    #[test]
    fn a_cascade_has_the_root_that_explains_the_rest() {
        // The root's alarm is not the first: its callers noticed sooner.
        let alarms = [alarm(1, 0, NEED), alarm(2, 1, NEED), alarm(3, 2, SILENT), alarm(9, 0, NEED)];
        let incidents = correlator(CorrelationRules::Corrected).incidents(&alarms);
        assert_eq!(roots(&incidents), [(Some(2), Pattern::Cascading)]);
        // S0: a component that alarms twice hides the cascade, and the messages differ.
        assert_eq!(roots(&correlator(CorrelationRules::S0).incidents(&alarms)), []);
        // Without the repetition it names the earliest.
        let incidents = correlator(CorrelationRules::S0).incidents(&alarms[..3]);
        assert_eq!(roots(&incidents), [(Some(0), Pattern::Cascading)]);
    }

    #[test]
    fn a_common_cause_is_one_incident_and_s0_makes_two_statements() {
        let alarms = [0, 1, 3, 4].map(|subject| alarm(1, subject, SILENT));
        let incidents = correlator(CorrelationRules::Corrected).incidents(&alarms);
        assert_eq!(roots(&incidents), [(Some(4), Pattern::CommonCause)]);
        let incidents = correlator(CorrelationRules::S0).incidents(&alarms);
        assert_eq!(roots(&incidents), [(Some(0), Pattern::Cascading), (None, Pattern::CommonCause)]);
    }

    #[test]
    fn two_faults_at_once_are_two_incidents() {
        let alarms = [alarm(1, 3, SILENT), alarm(2, 2, SILENT), alarm(3, 1, NEED)];
        let incidents = correlator(CorrelationRules::Corrected).incidents(&alarms);
        assert_eq!(roots(&incidents), [(Some(3), Pattern::Single), (Some(2), Pattern::Cascading)]);
        // A window apart, the same subject is a new incident.
        let alarms = [alarm(1, 3, SILENT), alarm(302, 3, SILENT)];
        let incidents = correlator(CorrelationRules::Corrected).incidents(&alarms);
        assert_eq!(roots(&incidents), [(Some(3), Pattern::Single), (Some(3), Pattern::Single)]);
    }

    #[test]
    fn ten_faults_are_not_a_high_rate_and_eleven_are() {
        let alarms: Vec<Alarm> = (0..11).map(|second| alarm(second, 3, SILENT)).collect();
        assert_eq!(escalate(&alarms[..10]), Escalation { high_rate: false, page: false });
        assert_eq!(escalate(&alarms), Escalation { high_rate: true, page: false });
        assert_eq!(escalate(&[alarm(1, 4, SILENT)]), Escalation { high_rate: false, page: true });
    }
}
