//! Traces, against counts taken from the file by other code.

use std::collections::BTreeMap;

use crate::fixture::{head, plan, span};

const MINUTE: u64 = 60_000_000_000;

#[test]
fn records_are_mapped_merged_and_counted() {
    let keys = "[[hazard]]\nname = \"t\"\nkind = \"trace\"\nfile = \"good.csv\"\nsystem = 1\ntarget = \"u*\"\nfault = { kind = \"crash\" }\n";
    let text = head(2, 1, "5h") + keys;
    let plain = plan(&text, 1);
    assert_eq!(plain.faults.len(), 1);
    assert_eq!(span(&plain.faults[0]), (0, 15 * MINUTE));
    assert_eq!((plain.faults[0].target.as_str(), plain.faults[0].cause.as_str()), ("u0", "hardware"));
    assert_eq!(
        plain.notes,
        [
            "t: 4 records: 2 used, which make 1 faults on 1 of 2 components",
            "t: 1 records overlap an earlier one of their node and are merged with it, 1 of them of another cause",
            "t: 1 records have no downtime and are left out",
            "t: 1 records name nodes that the scenario does not have",
        ]
    );
    let lengthened = plan(&format!("{text}zero = \"1s\"\n"), 1);
    assert_eq!(lengthened.faults.len(), 2);
    assert_eq!(span(&lengthened.faults[1]), (60 * MINUTE, 60 * MINUTE + 1_000_000_000));
    let faster = plan(&format!("{text}speed = 60\n"), 1);
    assert_eq!(span(&faster.faults[0]), (0, 15 * MINUTE / 60));
    let software = plan(&format!("{text}causes = [\"software\"]\nsince = 2000-01-01\n"), 1);
    assert_eq!(span(&software.faults[0]), (5 * MINUTE, 15 * MINUTE));
    let other = plan(&text.replace("system = 1", "system = 2"), 9);
    assert_eq!(span(&other.faults[0]), (0, 77 * MINUTE));
    let window = plan(&format!("{text}since = \"2000-01-01T00:03\"\nbefore = \"2000-01-01T00:30\"\n"), 1);
    assert_eq!(span(&window.faults[0]), (2 * MINUTE, 12 * MINUTE));
}

/// Minutes of downtime of each cause and the number of failures of each node, straight from the lines
/// of the file: a bitmap of minutes would do as well, this sweeps each node's records.
fn from_file(text: &str) -> (BTreeMap<String, u64>, BTreeMap<u64, u64>, u64) {
    let mut nodes: BTreeMap<u64, Vec<(u64, u64, String)>> = BTreeMap::new();
    let mut records = 0;
    for line in text.lines().filter(|line| line.starts_with("18,")) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |text: &str| text.parse::<u64>().expect("a number");
        let (date, time) = cells[3].split_once('T').expect("a date and a time");
        let date: Vec<u64> = date.split('-').map(number).collect();
        let time: Vec<u64> = time.split(':').map(number).collect();
        let start = days(date[0], date[1], date[2]) * 1440 + time[0] * 60 + time[1];
        let row = (start, start + number(cells[4]), cells[5].to_owned());
        nodes.entry(number(cells[2])).or_default().push(row);
        records += 1;
    }
    let (mut causes, mut failures) = (BTreeMap::new(), BTreeMap::new());
    for (node, mut rows) in nodes {
        // Stable: of two that start together the file's first gives the cause.
        rows.sort_by_key(|row| row.0);
        let mut open: Option<(u64, u64, String)> = None;
        for row in rows.into_iter().chain([(u64::MAX, u64::MAX, String::new())]) {
            if let Some(now) = open.as_mut().filter(|now| row.0 < now.1) {
                now.1 = now.1.max(row.1);
                continue;
            }
            if let Some((start, end, cause)) = open.replace(row) {
                *causes.entry(cause).or_default() += end - start;
                *failures.entry(node).or_default() += 1;
            }
        }
    }
    (causes, failures, records)
}

/// Days since the year 0, by counting.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: u64 = (0..year).map(|year| 365 + u64::from(leap(year))).sum();
    let months: u64 = lengths.iter().zip(1..month).map(|(length, _)| length).sum();
    years + months + u64::from(leap(year) && month > 2) + day - 1
}

#[test]
fn the_plan_of_system_18_is_its_records() {
    let file =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/lanl-failures-1996-2005.csv"));
    let (causes, failures, records) = from_file(&file.expect("the data ships with the crate"));
    let text = head(1024, 1, "40000h")
        + "[[hazard]]\nname = \"lanl\"\nkind = \"trace\"\nfile = \"lanl-failures-1996-2005.csv\"\nsystem = 18\n\
           target = \"u*\"\nfault = { kind = \"crash\" }\n";
    let plan = plan(&text, 1);
    let (mut by_cause, mut by_node) = (BTreeMap::new(), BTreeMap::new());
    for fault in &plan.faults {
        let (start, end) = span(fault);
        assert_eq!((end - start) % MINUTE, 0);
        *by_cause.entry(fault.cause.clone()).or_default() += (end - start) / MINUTE;
        *by_node.entry(fault.target[1..].parse::<u64>().expect("u and a number")).or_default() += 1_u64;
    }
    assert_eq!(by_cause, causes);
    assert_eq!(by_node, failures);
    assert_eq!((records, failures.len()), (3997, 964), "60 of 1,024 nodes never failed");
    assert_eq!(plan.faults.len(), 3984, "13 records overlap an earlier one");
    assert_eq!(
        plan.notes[1],
        "lanl: 13 records overlap an earlier one of their node and are merged with it, 1 of them of another cause"
    );
}
