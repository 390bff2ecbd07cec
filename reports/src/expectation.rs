//! What became of expectations: in one run, and over the seeds of a point.

use serde::{Deserialize, Serialize};

/// Pass, fail, or nothing to judge by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It held.
    Pass,
    /// No samples, or a checker gave up.
    Inconclusive,
    /// It did not hold.
    Fail,
}

impl Judgement {
    /// `PASS`, `FAIL` or `INCONCLUSIVE`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
        }
    }

    /// Exit code of the program: 0, 5 or 1.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Inconclusive => 5,
            Self::Fail => 1,
        }
    }
}

/// One expectation in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectationResult {
    /// As written in the scenario.
    pub text: String,
    /// Scenario file.
    pub file: String,
    /// Line of the expectation, from 1.
    pub line: u32,
    /// What was seen, with its unit: `91.2% of offered`.
    pub observed: String,
    /// What was asked, with its unit: `>= 95%`.
    pub limit: String,
    /// Whether it held.
    pub verdict: Judgement,
}

/// How many seeds must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// All of them.
    EverySeed,
    /// A share in parts a million, such as 950 000 for `95% of seeds`; rounded up to whole seeds.
    SharePpm(u32),
}

impl Over {
    /// How many of `total` seeds must pass.
    pub fn needed(self, total: u64) -> u64 {
        match self {
            Self::EverySeed => total,
            Self::SharePpm(ppm) => total.saturating_mul(u64::from(ppm)).div_ceil(1_000_000),
        }
    }
}

/// One seed that did not pass an expectation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// The seed.
    pub seed: u64,
    /// What was seen in its run.
    pub observed: String,
    /// Fail or inconclusive.
    pub verdict: Judgement,
}

/// One expectation over the seeds of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectationSummary {
    /// As written in the scenario.
    pub text: String,
    /// Scenario file.
    pub file: String,
    /// Line of the expectation, from 1.
    pub line: u32,
    /// Axis name and value of the point; empty without a sweep.
    pub point: Vec<(String, String)>,
    /// How many seeds must pass.
    pub over: Over,
    /// Seeds judged.
    pub total: u64,
    /// Seeds that passed.
    pub passed: u64,
    /// Seeds that failed.
    pub failed: u64,
    /// Seeds without samples, or with a checker that gave up.
    pub inconclusive: u64,
    /// What was seen: in the only run, or in the first run that decided the verdict.
    pub observed: String,
    /// What was asked.
    pub limit: String,
    /// The verdict over all seeds.
    pub verdict: Judgement,
    /// The first seeds that did not pass, at most [`ExpectationSummary::KEPT`], in the order of the runs.
    pub not_passed: Vec<SeedResult>,
}

impl ExpectationSummary {
    /// How many seeds that did not pass are kept by name.
    pub const KEPT: usize = 20;

    /// An expectation that has not seen a run yet. Without any run it is inconclusive.
    pub fn new(first: &ExpectationResult, point: &[(String, String)], over: Over) -> Self {
        Self {
            text: first.text.clone(),
            file: first.file.clone(),
            line: first.line,
            point: point.to_vec(),
            over,
            total: 0,
            passed: 0,
            failed: 0,
            inconclusive: 0,
            observed: String::new(),
            limit: first.limit.clone(),
            verdict: Judgement::Inconclusive,
            not_passed: Vec::new(),
        }
    }

    /// Adds the result of one seed; seeds come in the order of the runs.
    pub fn add(&mut self, seed: u64, result: &ExpectationResult) {
        self.total += 1;
        match result.verdict {
            Judgement::Pass => self.passed += 1,
            Judgement::Fail => self.failed += 1,
            Judgement::Inconclusive => self.inconclusive += 1,
        }
        if result.verdict != Judgement::Pass && self.not_passed.len() < Self::KEPT {
            let observed = result.observed.clone();
            self.not_passed.push(SeedResult { seed, observed, verdict: result.verdict });
        }
        let needed = self.needed();
        self.verdict = if self.passed >= needed {
            Judgement::Pass
        } else if self.passed + self.inconclusive >= needed {
            Judgement::Inconclusive
        } else {
            Judgement::Fail
        };
        let deciding = self.not_passed.iter().find(|seed| seed.verdict == self.verdict);
        match deciding {
            Some(seed) if self.verdict != Judgement::Pass => self.observed.clone_from(&seed.observed),
            _ if self.total == 1 || self.observed.is_empty() => self.observed.clone_from(&result.observed),
            _ => {}
        }
    }

    /// How many seeds must pass.
    pub fn needed(&self) -> u64 {
        self.over.needed(self.total)
    }

    /// `17 of 20 seeds, need 19`; empty for one seed.
    pub fn seeds_text(&self) -> String {
        if self.total <= 1 {
            return String::new();
        }
        format!("{} of {} seeds, need {}", self.passed, self.total, self.needed())
    }
}
