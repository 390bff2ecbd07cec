//! The result of a folder of scenarios, for machines (`JUnit`) and for a pull request (Markdown).

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use crate::expectation::Judgement;
use crate::number::Put;

/// One check of one scenario: an expectation at a point, a property, a comparison, the golden file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// What was checked, as written in the scenario; with the point in a sweep.
    pub name: String,
    /// `FILE:LINE` where it has one.
    pub place: String,
    /// Whether it held.
    pub verdict: Judgement,
    /// What was seen against what was asked, one statement a line; empty when it passed.
    pub detail: Vec<String>,
    /// The command that shows it again; empty when it passed.
    pub command: String,
}

/// One scenario of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuiteCase {
    /// Name of the scenario.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Simulated time of all its runs: the same on every machine.
    pub simulated_ns: u64,
    /// Runs.
    pub runs: u64,
    /// The verdict over all checks.
    pub verdict: Judgement,
    /// `5 expectations, golden same`.
    pub note: String,
    /// Every check.
    pub checks: Vec<CheckResult>,
}

/// `JUnit` XML: a suite a scenario, a case a check. An inconclusive check is an error, a failed one a failure.
///
/// Times are simulated, and there is no date, so that the same results are the same bytes.
///
/// # Panics
/// Never: the report is written to memory.
pub fn junit_xml(cases: &[SuiteCase]) -> String {
    let mut report = Report::new("murphy");
    for case in cases {
        let mut suite = TestSuite::new(case.name.clone());
        suite.set_time(Duration::from_nanos(case.simulated_ns));
        suite.add_property(("file", case.file.as_str()));
        suite.add_property(("runs", case.runs.to_string().as_str()));
        for check in &case.checks {
            let mut test = TestCase::new(check.name.clone(), status(check));
            test.set_classname(case.name.clone());
            test.set_time(Duration::ZERO);
            suite.add_test_case(test);
        }
        report.add_test_suite(suite);
    }
    report.to_string().expect("XML is written to memory")
}

fn status(check: &CheckResult) -> TestCaseStatus {
    let kind = match check.verdict {
        Judgement::Pass => return TestCaseStatus::success(),
        Judgement::Fail => NonSuccessKind::Failure,
        Judgement::Inconclusive => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(check.verdict.word().to_lowercase());
    status.set_message(check.detail.first().cloned().unwrap_or_default());
    let mut lines = check.detail.clone();
    lines.extend([check.place.clone(), check.command.clone()].into_iter().filter(|line| !line.is_empty()));
    status.set_description(lines.join("\n"));
    status
}

/// A Markdown summary: a table of scenarios, and what did not pass with the command that shows it.
pub fn suite_markdown(cases: &[SuiteCase]) -> String {
    let count = |verdict| cases.iter().filter(|case| case.verdict == verdict).count();
    let mut text = format!(
        "## Murphy: {} passed, {} failed, {} inconclusive\n\n| verdict | scenario | runs | checks |\n| --- | --- | ---: | --- |\n",
        count(Judgement::Pass),
        count(Judgement::Fail),
        count(Judgement::Inconclusive)
    );
    for case in cases {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let verdict = case.verdict.word();
        text.put(format_args!(
            "| {verdict} | {} | {} | {} |\n",
            cell(&case.name),
            case.runs,
            cell(&case.note)
        ));
    }
    for case in cases.iter().filter(|case| case.verdict != Judgement::Pass) {
        text.put(format_args!("\n### {} {}\n", case.verdict.word(), case.name));
        for check in case.checks.iter().filter(|check| check.verdict != Judgement::Pass) {
            text.put(format_args!("\n- `{}` {}\n", check.name, check.place));
            for line in &check.detail {
                text.put(format_args!("  - {line}\n"));
            }
            if !check.command.is_empty() {
                text.put(format_args!("\n  ```\n  {}\n  ```\n", check.command));
            }
        }
    }
    text
}
