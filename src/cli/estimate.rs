//! `murphy estimate`: how often something rare happens.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use murphy_models::calc::slo::nines;
use murphy_reports::{nine_digits, significant, span_text};
use murphy_scenarios::Model;
use murphy_scenarios::estimate::{Answer, Estimate, EstimateError, Figure, Found, Split};
use murphy_scenarios::language::EstimateMethod;
use serde_json::json;

use super::batch::{Stop, pool};
use super::{Failure, Format, Selection, Terminal, exit, open};

#[derive(Args)]
pub(super) struct EstimateArgs {
    /// Scenario file with [[structure]] tables and [estimate]
    file: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Threads; 0 for one a core
    #[arg(short, value_name = "N", default_value_t = 0)]
    jobs: usize,
}

/// Seconds of a year of 365 days.
const YEAR: f64 = 31_536_000.0;

pub(super) fn estimate(
    models: &[Box<dyn Model>],
    args: &EstimateArgs,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let study = open(models, &args.file, &args.selection.overrides()?, terminal)?;
    let jobs = study.jobs(&args.selection.seeds());
    let pool = pool(args.jobs)?;
    let stop = Stop::on_signals();
    let mut code = exit::PASS;
    let mut documents = Vec::new();
    if terminal.format == Format::Csv {
        terminal.print("point,seed,target,unavailability,low,high,level,hits,effective,episodes,answer\n");
    }
    for job in jobs {
        let answer = pool.install(|| study.estimate(job, &stop.flag));
        let answer = answer.map_err(|error| failure(&error, args, terminal))?;
        let Some(answer) = answer else { return Ok(stop.code()) };
        if refusal(&answer).is_some() {
            code = exit::INCONCLUSIVE;
        }
        let point: Vec<String> =
            study.points()[job.point].point.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
        let point = point.join(" ");
        match terminal.format {
            Format::Text => terminal.print(&text(&answer, &point, job.seed)),
            Format::Csv => terminal.print(&row(&answer, &point, job.seed)),
            Format::Json => documents.push(document(&answer, &point, job.seed)),
        }
    }
    if terminal.format == Format::Json {
        terminal.print(&(json!({ "schema": 1, "estimates": documents }).to_string() + "\n"));
    }
    Ok(code)
}

fn failure(error: &EstimateError, args: &EstimateArgs, terminal: &Terminal) -> Failure {
    let (file, program) = (args.file.display(), &terminal.program);
    Failure::Usage(format!("{file}: {error}\n  without an estimate: {program} run {file}"))
}

/// Why there is no answer.
fn refusal(answer: &Answer) -> Option<String> {
    match &answer.found {
        Found::Episodes(found) => found.refused.clone(),
        Found::Split(found) if found.zeros > 0 => {
            Some(format!("{} of the repetitions never took the target down: raise `effort`", found.zeros))
        }
        Found::Split(_) => None,
    }
}

fn method(answer: &Answer) -> String {
    match answer.spec.method {
        EstimateMethod::Crude => "crude episodes".to_owned(),
        EstimateMethod::Boost(factor) => {
            format!("episodes by first fault, injector boosted to {factor} faults a repair")
        }
        EstimateMethod::Split(effort) => format!("fixed-effort splitting, {effort} worlds a stage"),
    }
}

fn text(answer: &Answer, point: &str, seed: u64) -> String {
    let mut out = String::new();
    let mut line = |title: &str, text: &str| _ = writeln!(out, "{title:14} {text}");
    let figure = answer.unavailability();
    let level = answer.spec.precision.level;
    let title = if point.is_empty() { answer.target.clone() } else { format!("{} [{point}]", answer.target) };
    line(
        "target",
        &format!("{title}, down {}", if answer.spec.by_probes { "by probes" } else { "by structure" }),
    );
    if let Some(why) = refusal(answer) {
        line("REFUSED", &why);
    } else {
        let (low, high) = figure.interval(level);
        let percent = level * 100.0;
        line(
            "unavailability",
            &format!(
                "{} [{}, {}] at {percent} %, log scale",
                significant(figure.value, 4),
                significant(low, 4),
                significant(high, 4)
            ),
        );
        line("nines", &format!("{:.3} [{:.3}, {:.3}]", nines(figure.value), nines(high), nines(low)));
        line(
            "down a year",
            &format!(
                "{} [{}, {}] on average",
                spoken(figure.value * YEAR),
                spoken(low * YEAR),
                spoken(high * YEAR)
            ),
        );
    }
    line("method", &method(answer));
    match &answer.found {
        Found::Episodes(found) => episodes(found, &mut line),
        Found::Split(found) => split(found, &mut line),
    }
    line("seed", &seed.to_string());
    out.push('\n');
    out
}

fn spoken(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    span_text((seconds * 1e9) as u64)
}

fn episodes(found: &Estimate, line: &mut impl FnMut(&str, &str)) {
    line(
        "sample",
        &format!(
            "{} episodes with {} faults; {} took the target down; effective sample {:.0}",
            found.episodes, found.faults, found.hits, found.effective
        ),
    );
    line(
        "time",
        &format!(
            "an episode lasts {} on average, and one begins every {}",
            spoken(found.length),
            spoken(found.cycle)
        ),
    );
    if found.hits > 0 {
        line("outages a year", &significant(found.frequency.value * YEAR, 4));
        line("first outage", &format!("after {} on average", spoken(found.first_failure.value)));
    }
    for (index, cause) in found.causes.iter().enumerate() {
        let title = if index == 0 { "begun by" } else { "" };
        line(title, &format!("{:6.2} % +-{:.2}  {}", cause.share * 100.0, 196.0 * cause.error, cause.name));
    }
}

fn split(found: &Split, line: &mut impl FnMut(&str, &str)) {
    line("sample", &format!("30 repetitions, {} events", found.faults));
}

fn row(answer: &Answer, point: &str, seed: u64) -> String {
    let figure = answer.unavailability();
    let (low, high) = figure.interval(answer.spec.precision.level);
    let (hits, effective, episodes) = match &answer.found {
        Found::Episodes(found) => (found.hits, found.effective, found.episodes),
        Found::Split(_) => (0, 0.0, 0),
    };
    let word = if refusal(answer).is_some() { "refused" } else { "yes" };
    format!(
        "{point},{seed},{},{},{},{},{},{hits},{},{episodes},{word}\n",
        answer.target,
        nine_digits(figure.value),
        nine_digits(low),
        nine_digits(high),
        answer.spec.precision.level,
        nine_digits(effective)
    )
}

fn document(answer: &Answer, point: &str, seed: u64) -> serde_json::Value {
    let figure = answer.unavailability();
    let level = answer.spec.precision.level;
    let shown = |figure: &Figure| {
        let (low, high) = figure.interval(level);
        json!({ "value": figure.value, "low": low, "high": high, "level": level })
    };
    let mut all = json!({
        "point": point,
        "seed": seed,
        "target": answer.target,
        "measure": if answer.spec.by_probes { "probes" } else { "structure" },
        "method": method(answer),
        "unavailability": shown(&figure),
        "refused": refusal(answer),
    });
    match &answer.found {
        Found::Episodes(found) => {
            all["episodes"] = json!(found.episodes);
            all["faults"] = json!(found.faults);
            all["hits"] = json!(found.hits);
            all["effective_sample"] = json!(found.effective);
            all["episode_seconds"] = json!(found.length);
            all["cycle_seconds"] = json!(found.cycle);
            all["failures_per_second"] = shown(&found.frequency);
            all["first_failure_seconds"] = shown(&found.first_failure);
            let causes = found
                .causes
                .iter()
                .map(|cause| json!({ "name": cause.name, "share": cause.share, "share_error": cause.error }));
            all["begun_by"] = causes.collect();
        }
        Found::Split(found) => {
            all["events"] = json!(found.faults);
            all["zeros"] = json!(found.zeros);
        }
    }
    all
}
