//! A real failure trace: records of nodes that went down, mapped onto the scenario's nodes.

use murphy_sim::{Span, Time};

use super::plan::{Episode, Writer};
use super::spec::Trace;

/// One record of a trace. Minutes count from the start of 1970, in the trace's own local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) node: String,
    pub(crate) start_min: i64,
    pub(crate) downtime_min: u64,
    pub(crate) cause: String,
}

impl Record {
    fn end_min(&self) -> i64 {
        self.start_min.saturating_add(i64::try_from(self.downtime_min).unwrap_or(i64::MAX))
    }
}

/// A failure of one component: what overlapped is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) component: usize,
    pub(crate) start_min: i64,
    pub(crate) end_min: i64,
    pub(crate) cause: String,
}

/// Merges records of one component that overlap; the cause is the first one's. Records that only
/// touch are two failures. Gives the failures by component and time, and how many records were merged
/// into an earlier one, and how many of those had another cause.
pub(crate) fn merged(mut records: Vec<(usize, &Record)>) -> (Vec<Failure>, u64, u64) {
    records.sort_by_key(|(component, record)| (*component, record.start_min));
    let mut failures: Vec<Failure> = Vec::new();
    let (mut merged, mut mixed) = (0, 0);
    for (component, record) in records {
        let last = failures.last_mut().filter(|last| last.component == component);
        if let Some(last) = last.filter(|last| record.start_min < last.end_min) {
            merged += 1;
            mixed += u64::from(last.cause != record.cause);
            last.end_min = last.end_min.max(record.end_min());
            continue;
        }
        let (start_min, end_min) = (record.start_min, record.end_min());
        failures.push(Failure { component, start_min, end_min, cause: record.cause.clone() });
    }
    (failures, merged, mixed)
}

/// What became of the records.
#[derive(Default)]
struct Counts {
    outside: u64,
    other_causes: u64,
    unknown_nodes: u64,
    no_length: u64,
}

pub(super) fn expand(trace: &Trace, writer: &mut Writer<'_>) {
    let mut counts = Counts::default();
    let chosen = chosen(trace, &mut counts);
    let used = chosen.len();
    let (mut failures, merged, mixed) = merged(chosen);
    failures.sort_by_key(|failure| (failure.start_min, failure.component));
    let mut ordinals = vec![0_u64; trace.components.list.len()];
    let (mut made, mut late) = (0_u64, 0_u64);
    for failure in &failures {
        let component = &trace.components.list[failure.component];
        let at = |minute: i64| instant(trace, writer.from, minute);
        let start = at(failure.start_min);
        let mut lasts = at(failure.end_min).since(start);
        if failure.start_min == failure.end_min {
            let Some(least) = trace.zero else { continue };
            lasts = least;
        }
        if start >= writer.until || writer.is_full() {
            late += 1;
            continue;
        }
        let Some(aimed) = writer.aimed(&trace.fault, &component.words) else { continue };
        let name = format!("{}.{}.{}", writer.name, component.name, ordinals[failure.component]);
        ordinals[failure.component] += 1;
        made += 1;
        let cause = Some(failure.cause.as_str()).filter(|cause| !cause.is_empty());
        let lasts = Some(lasts.max(Span(1)));
        writer.episode(Episode { name, start, lasts, made: &aimed, burst: None, cause });
    }
    let struck = ordinals.iter().filter(|&&n| n > 0).count();
    let total = trace.records.len();
    writer.note(&format!(
        "{total} records: {used} used, which make {made} faults on {struck} of {} components",
        ordinals.len()
    ));
    writer.note(&format!("{merged} records overlap an earlier one of their node and are merged with it, {mixed} of them of another cause"));
    counts.note(trace, late, writer);
}

impl Counts {
    fn note(&self, trace: &Trace, late: u64, writer: &mut Writer<'_>) {
        let zero = if trace.zero.is_some() { "lengthened" } else { "left out" };
        for (count, what) in [
            (self.no_length, format!("records have no downtime and are {zero}")),
            (self.outside, "records start outside the chosen part of the trace".to_owned()),
            (self.other_causes, "records have causes that were not chosen".to_owned()),
            (self.unknown_nodes, "records name nodes that the scenario does not have".to_owned()),
            (late, "failures start after the end of the run".to_owned()),
        ] {
            if count > 0 {
                writer.note(&format!("{count} {what}"));
            }
        }
    }
}

fn chosen<'t>(trace: &'t Trace, counts: &mut Counts) -> Vec<(usize, &'t Record)> {
    let mut chosen = Vec::new();
    for (component, record) in trace.records.iter() {
        let wanted = |causes: &Vec<String>| causes.contains(&record.cause);
        if !(trace.origin_min..trace.end_min).contains(&record.start_min) {
            counts.outside += 1;
        } else if !trace.causes.as_ref().is_none_or(wanted) {
            counts.other_causes += 1;
        } else if let Some(component) = component {
            counts.no_length += u64::from(record.downtime_min == 0);
            if record.downtime_min > 0 || trace.zero.is_some() {
                chosen.push((*component, record));
            }
        } else {
            counts.unknown_nodes += 1;
        }
    }
    chosen
}

/// The simulated instant of a minute of the trace.
fn instant(trace: &Trace, from: Time, minute: i64) -> Time {
    let minutes = u128::from(minute.abs_diff(trace.origin_min));
    let nanos = minutes * 60_000_000_000 / u128::from(trace.speed);
    from.saturating_add(Span(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::{Record, merged};

    fn record(start_min: i64, downtime_min: u64, cause: &str) -> Record {
        Record { node: "0".to_owned(), start_min, downtime_min, cause: cause.to_owned() }
    }

    #[test]
    fn overlapping_records_of_one_node_are_one_failure() {
        let records = [record(10, 5, "a"), record(12, 10, "b"), record(22, 1, "a"), record(0, 100, "c")];
        let nodes = [0, 0, 0, 1];
        let (failures, merges, mixed) = merged(nodes.into_iter().zip(&records).collect());
        let spans: Vec<_> =
            failures.iter().map(|f| (f.component, f.start_min, f.end_min, f.cause.as_str())).collect();
        assert_eq!(spans, [(0, 10, 22, "a"), (0, 22, 23, "a"), (1, 0, 100, "c")]);
        assert_eq!((merges, mixed), (1, 1));
    }
}
