//! What the structures of a scenario did in a run: metrics that every model has.

use murphy_reports::{Mark, MarkKind, MetricKind, MetricRecord};

use crate::fleet::{Input, Structure};
use crate::language::Scenario;

/// The structure functions of a scenario over its nodes.
pub(crate) fn structure(scenario: &Scenario) -> Structure {
    let mut structure = Structure::new(scenario.nodes.len());
    for spec in &scenario.structures {
        // A structure of nothing was reported as a mistake.
        let inputs: &[Input] = if spec.inputs.is_empty() { &[Input::Leaf(0)] } else { &spec.inputs };
        structure.gate(&spec.name, spec.need.min(inputs.len()), inputs);
    }
    structure
}

/// Samples of `structure_up`, `structure_failures` and `structure_outage`, from the crashes and restarts
/// of nodes. In place of a node's index they have the structure's.
pub(crate) fn measure(scenario: &Scenario, marks: &[Mark]) -> Vec<MetricRecord> {
    if scenario.structures.is_empty() {
        return Vec::new();
    }
    let structure = structure(scenario);
    let gates = u32::try_from(structure.gates().len()).expect("few structures");
    let mut levels = structure.levels();
    let mut since: Vec<Option<u64>> = vec![None; structure.gates().len()];
    let (mut up, mut failures, mut outages) = (Vec::new(), Vec::new(), Vec::new());
    up.extend((0..gates).map(|gate| (0, gate, 1.0)));
    let changes = |mark: &&Mark| {
        matches!(mark.kind, MarkKind::Crash | MarkKind::Restart)
            && (mark.node as usize) < scenario.nodes.len()
    };
    let mut marks = marks.iter().filter(changes).peekable();
    while let Some(mark) = marks.next() {
        if mark.kind == MarkKind::Crash {
            levels.fail(&structure, mark.node);
        } else {
            levels.mend(&structure, mark.node);
        }
        // What happens at one instant is one change: a repair that ends as a spare fails hides nothing.
        if marks.peek().is_some_and(|next| next.at_ns == mark.at_ns) {
            continue;
        }
        for gate in 0..gates {
            let at_ns = mark.at_ns;
            match (levels.is_up(&structure, gate), &mut since[gate as usize]) {
                (false, down @ None) => {
                    *down = Some(at_ns);
                    up.push((at_ns, gate, 0.0));
                    failures.push((at_ns, gate, 1.0));
                }
                (true, down @ Some(_)) => {
                    outages.push((at_ns, gate, (at_ns - down.unwrap_or(at_ns)) as f64));
                    *down = None;
                    up.push((at_ns, gate, 1.0));
                }
                _ => {}
            }
        }
    }
    let record = |name: &str, unit: &str, kind, samples| MetricRecord {
        name: name.to_owned(),
        unit: unit.to_owned(),
        kind,
        samples,
    };
    vec![
        record("structure_up", "1", MetricKind::Gauge, up),
        record("structure_failures", "1", MetricKind::Counter, failures),
        record("structure_outage", "ns", MetricKind::Distribution, outages),
    ]
}
