//! A model of plain components, and short ways to a plan.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use murphy_scenarios::hazard::{Plan, expand};
use murphy_scenarios::language::{FaultSpec, Scenario, parse};
use murphy_scenarios::{KindInfo, ModelInfo};

/// Nodes `u0`… in zones `z0`… of one site each.
pub(crate) fn head(nodes: usize, zones: usize, duration: &str) -> String {
    let mut text = format!("name = \"h\"\nduration = \"{duration}\"\n");
    for zone in 0..zones {
        _ = write!(text, "[[site]]\nname = \"s{zone}\"\nzone = \"z{zone}\"\nregion = \"r{}\"\n", zone / 2);
    }
    for zone in 1..zones {
        _ = write!(text, "[[link]]\nbetween = [\"s{}\", \"s{zone}\"]\nlatency = \"1ms\"\n", zone - 1);
    }
    _ = write!(
        text,
        "[[node]]\nname = \"u\"\ncount = {nodes}\nmodel = \"component.unit\"\nsites = [\"s*\"]\n"
    );
    text
}

fn models() -> Vec<ModelInfo> {
    vec![ModelInfo {
        name: "component",
        kinds: vec![KindInfo { name: "component.unit", about: "a unit", client: false, params: Vec::new() }],
        messages: vec!["ask", "answer"],
        ..ModelInfo::default()
    }]
}

fn read(path: &Path) -> io::Result<String> {
    let rows = match path.to_str() {
        Some("good.csv") => {
            "system,node,start,downtime_min,cause\n\
             1,0,2000-01-01T00:00,10,hardware\n\
             1,0,2000-01-01T00:05,10,software\n\
             1,1,2000-01-01T01:00,0,hardware\n\
             1,9,2000-01-01T01:00,5,hardware\n\
             2,0,2000-01-01T00:00,77,network\n"
        }
        Some("columns.csv") => "machine,when\n0,2000-01-01T00:00\n",
        Some("rows.csv") => {
            "node,start,downtime_min,cause\n\
             0,2000-01-01T00:00,10,hardware\n\
             0,yesterday,10,hardware\n\
             1,2000-01-01T00:00,-4,hardware\n"
        }
        _ => return std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(path)),
    };
    Ok(rows.to_owned())
}

pub(crate) fn scenario(text: &str) -> Scenario {
    let document = parse(text, "test.toml", &read, &models(), &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    document.points()[0].resolve().unwrap_or_else(|wrong| panic!("{wrong}"))
}

pub(crate) fn plan(text: &str, seed: u64) -> Plan {
    expand(&scenario(text), seed)
}

/// The mistakes of a file as they are printed.
pub(crate) fn mistakes(text: &str) -> String {
    match parse(text, "test.toml", &read, &models(), &[]) {
        Ok(_) => panic!("the file is right:\n{text}"),
        Err(wrong) => wrong.render(false),
    }
}

/// Start and end of a fault, in nanoseconds.
pub(crate) fn span(fault: &FaultSpec) -> (u64, u64) {
    (fault.start.0, fault.duration.map_or(u64::MAX, |lasts| fault.start.0 + lasts.0))
}

/// The faults whose names start so.
pub(crate) fn of<'p>(plan: &'p Plan, prefix: &str) -> Vec<&'p FaultSpec> {
    plan.faults.iter().filter(|fault| fault.name.starts_with(prefix)).collect()
}

/// The central interval of a Poisson count that holds all but at most `alpha` of its law.
pub(crate) fn poisson(mean: f64, alpha: f64) -> std::ops::RangeInclusive<u64> {
    let mass = |k: u64| libm::exp(k as f64 * libm::log(mean) - mean - libm::lgamma(k as f64 + 1.0));
    let (mut below, mut low) = (0.0, 0);
    while below + mass(low) <= alpha / 2.0 {
        below += mass(low);
        low += 1;
    }
    let (mut within, mut high) = (below, low);
    while 1.0 - within - mass(high) > alpha / 2.0 {
        within += mass(high);
        high += 1;
    }
    low..=high
}
