//! Every row of the reference tables, computed by the calculators as a user types them.
//!
//! The tables in `data/` were computed by independent programs; their first lines say how. A row names
//! its category, its parameters in free text, and a quantity: `dispatch` turns them into the words of
//! a calculator and the figure to compare. A row that no calculator answers is named at its test.

mod calc_rows {
    pub(crate) mod availability;
    pub(crate) mod policies;
    pub(crate) mod queueing;
    pub(crate) mod times;
}

use murphy_models::calc;

/// A row of a table, whatever its columns are called.
pub(crate) struct Row {
    file: &'static str,
    id: String,
    /// `category`, `what` or `model`; carried down where a table leaves it out.
    category: String,
    parameters: String,
    quantity: String,
    value: f64,
    /// Second value, for rows that hold two results.
    value2: String,
}

/// A calculator, its arguments, the figure to compare, and what to multiply it by.
pub(crate) struct Call {
    form: &'static str,
    arguments: Vec<String>,
    figure: String,
    scale: f64,
}

const HOUR: f64 = 1.0 / 3600.0;

pub(crate) fn call(form: &'static str, arguments: &[String], figure: &str) -> Call {
    Call { form, arguments: arguments.to_vec(), figure: figure.to_owned(), scale: 1.0 }
}

impl Call {
    pub(crate) fn times(self, scale: f64) -> Call {
        Call { scale, ..self }
    }

    pub(crate) fn hours(self) -> Call {
        self.times(HOUR)
    }
}

impl Row {
    /// The number after `key=` (or after `key` when it ends with a space), as written.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.find(key).unwrap_or_else(|| panic!("{} {}: no {key} in {}", self.file, self.id, self.parameters))
    }

    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        let pattern = if key.ends_with([' ', '(', '=', '>']) { key.to_owned() } else { format!("{key}=") };
        let matches = self.parameters.match_indices(&pattern);
        let word = pattern.starts_with(char::is_alphanumeric);
        let mut starts = matches.filter(|(at, _)| {
            !word
                || self.parameters[..*at]
                    .chars()
                    .next_back()
                    .is_none_or(|before| !before.is_alphanumeric() && before != '_')
        });
        let (at, _) = starts.next()?;
        let rest = &self.parameters[at + pattern.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && !".eE-".contains(c)).unwrap_or(rest.len());
        let end = rest[..end].trim_end_matches(['e', 'E', '-', '.']).len();
        (end > 0).then(|| &rest[..end])
    }

    /// `name=` and the number after `key=`, with a unit.
    pub(crate) fn arg(&self, name: &str, key: &str, unit: &str) -> String {
        format!("{name}={}{unit}", self.text(key))
    }

    /// All numbers of the parameters, in their order.
    pub(crate) fn numbers(&self) -> Vec<&str> {
        let split = self.parameters.split(|c: char| !c.is_ascii_digit() && c != '.');
        split
            .map(|text| text.trim_end_matches('.'))
            .filter(|text| text.contains(|c: char| c.is_ascii_digit()))
            .collect()
    }

    pub(crate) fn says(&self, words: &str) -> bool {
        self.parameters.contains(words)
    }
}

fn rows(file: &'static str) -> Vec<Row> {
    let path = format!("{}/tests/data/{file}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the table");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let headers = reader.headers().expect("headers").clone();
    let column = |record: &csv::StringRecord, names: &[&str]| {
        let index = headers.iter().position(|header| names.contains(&header));
        index.and_then(|index| record.get(index)).unwrap_or_default().to_owned()
    };
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let record = record.expect("a row");
        let mut row = Row {
            file,
            id: column(&record, &["id"]),
            category: column(&record, &["category", "what", "model"]),
            parameters: column(&record, &["parameters"]),
            quantity: column(&record, &["quantity", "metric"]),
            value: column(&record, &["value"]).parse().expect("a value"),
            value2: column(&record, &["value2"]),
        };
        if let Some(before) = rows.last().filter(|before| before.id == row.id) {
            if row.category.is_empty() {
                row.category.clone_from(&before.category);
            }
            if row.parameters.is_empty() || row.parameters.starts_with("as above") {
                row.parameters.clone_from(&before.parameters);
            }
        }
        rows.push(row);
    }
    rows
}

/// Simulates all rows of a table whose calculators can be told as components, and compares with the
/// table's own values, not with the formula's. Returns how many figures, and those beyond `bound`.
fn simulate(
    file: &'static str,
    dispatch: impl Fn(&Row) -> Vec<(Call, f64)>,
    bound: f64,
) -> (usize, Vec<String>) {
    let (mut checked, mut wrong) = (0, Vec::new());
    for (index, row) in rows(file).into_iter().enumerate() {
        for (call, expected) in dispatch(&row) {
            let form = calc::find(call.form).expect("a calculator");
            let seed = 100 + index as u64;
            let Some(found) =
                form.cross_check(&call.arguments, seed, Some(0.08)).expect("arguments that work")
            else {
                continue;
            };
            assert!(
                !found.method.contains("NOT CONCLUSIVE"),
                "{} {}: {}",
                row.id,
                row.quantity,
                found.method
            );
            let Some(figure) = found.figures.iter().find(|figure| figure.name == call.figure) else {
                continue;
            };
            checked += 1;
            let value = figure.value * call.scale;
            let z = libm::log(value / expected) / figure.relative_error;
            if z.abs() > bound || z.is_nan() {
                let words = call.arguments.join(" ");
                wrong.push(format!(
                    "{} {} calc {} {words}: {value:e}, expected {expected:e}, z = {z:.1}",
                    row.id, row.quantity, call.form
                ));
            }
        }
    }
    (checked, wrong)
}

/// Bonferroni: all rows of the four tables together raise a false alarm with probability 1e-3, so each
/// at most with 1e-3 / 125, which is |z| > 4.47. Seeds are the rows' numbers.
#[test]
fn simulation_agrees_with_the_tables() {
    const BOUND: f64 = 4.47;
    let mut total = 0;
    let mut wrong = Vec::new();
    let mut add = |(checked, more): (usize, Vec<String>)| {
        total += checked;
        wrong.extend(more);
        checked
    };
    let parts = [
        add(simulate("structures_kofn_repairman", calc_rows::availability::structures, BOUND)),
        add(simulate("standby_spares", calc_rows::availability::standbys, BOUND)),
        add(simulate("common_cause_zones_quorums", calc_rows::availability::domains, BOUND)),
        add(simulate("single_component", calc_rows::times::components, BOUND)),
    ];
    println!("figures simulated: {parts:?}");
    assert!(wrong.is_empty(), "{} of {total} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        (90..=125).contains(&total),
        "{parts:?}: fewer rows than there are, or more than the bound is for"
    );
}

/// Checks all rows of a table: `dispatch` answers with the calls that must agree.
fn check(file: &'static str, dispatch: impl Fn(&Row) -> Vec<(Call, f64)>, left_out: &[&str]) {
    let mut wrong = Vec::new();
    let mut skipped = Vec::new();
    let mut checked = 0;
    for row in rows(file) {
        let calls = dispatch(&row);
        if calls.is_empty() {
            skipped.push(format!("{}: {}", row.id, row.quantity));
        }
        for (call, expected) in calls {
            checked += 1;
            let words = call.arguments.join(" ");
            let shown = format!("{} {}: calc {} {words}", row.id, row.quantity, call.form);
            let done = match calc::run(call.form, &call.arguments) {
                Ok(done) => done,
                Err(error) => {
                    wrong.push(format!("{shown}\n  {error}"));
                    continue;
                }
            };
            let Some(value) = done.figure(&call.figure) else {
                wrong.push(format!("{shown}\n  has no figure {}", call.figure));
                continue;
            };
            let value = value * call.scale;
            if !close(value, expected) {
                wrong.push(format!("{shown}\n  {} is {value:e}, expected {expected:e}", call.figure));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked} are wrong in {file}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(skipped, left_out, "rows of {file} that no calculator answers");
    println!("{file}: {checked} figures agree, {} rows left out", skipped.len());
}

/// Relative 1e-9; the tables print at least that many digits of what does not end earlier.
fn close(value: f64, expected: f64) -> bool {
    // The tables write infinity as 1e99.
    if expected >= 1e99 {
        return value == f64::INFINITY;
    }
    (value - expected).abs() <= 1e-9 * expected.abs()
}

#[test]
fn structures_and_repairmen() {
    check("structures_kofn_repairman", calc_rows::availability::structures, &[]);
}

#[test]
fn standbys_and_spares() {
    check("standby_spares", calc_rows::availability::standbys, &[]);
}

#[test]
fn common_causes_zones_and_quorums() {
    check("common_cause_zones_quorums", calc_rows::availability::domains, &[]);
}

#[test]
fn single_components() {
    check("single_component", calc_rows::times::components, &[]);
}

#[test]
fn durability_and_checkpoints() {
    check("durability_checkpoint", calc_rows::times::durability, &[]);
}

#[test]
fn lost_writes_failover_and_leaders() {
    check("rpo_failover_leader", calc_rows::times::recovery, &[]);
}

#[test]
fn objectives_requests_and_composition() {
    check("slo_requests_composition", calc_rows::policies::objectives, &[]);
}

#[test]
fn figures_of_the_seed() {
    check("seed_check", calc_rows::availability::seed, &[]);
}

#[test]
fn policies() {
    check("policy_closed_forms", calc_rows::policies::policies, &[]);
}

#[test]
fn queues() {
    // Joining the shortest of two queues is a chain without end in two dimensions: no closed form.
    check("queueing", calc_rows::queueing::queues, &["JSQ2-0.9: mean_sojourn"]);
}
