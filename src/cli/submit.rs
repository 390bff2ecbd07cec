//! `murphy submit`: hands a plan to a scheduler. What is written is short and meant to be read and changed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};
use murphy_scenarios::plan::PlanFolder;

use super::batch;
use super::cluster::{ranges, to_do};
use super::{Failure, Terminal, exit};

#[derive(Args)]
pub(super) struct SubmitArgs {
    /// Folder of a plan; on a file system that all hosts see
    folder: PathBuf,
    /// The scheduler
    #[arg(long, value_enum)]
    engine: Engine,
    /// Submit the parts with missing shards only
    #[arg(long)]
    missing: bool,
    /// Write and print what would be submitted, and submit nothing
    #[arg(long)]
    dry_run: bool,
    /// Parts, of which the scheduler starts each as one process; 64 at most unless given
    #[arg(long, value_name = "P")]
    parts: Option<usize>,
    /// Threads of each part
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// Container image with this program, for k8s
    #[arg(long, value_name = "IMAGE", default_value = "murphy:latest")]
    image: String,
    /// Persistent volume claim that holds the plan's folder, for k8s
    #[arg(long, value_name = "CLAIM", default_value = "murphy")]
    claim: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Slurm,
    K8s,
    Ray,
}

/// What is handed over: the file, and the command that takes it.
struct Submission {
    file: &'static str,
    text: String,
    command: Vec<String>,
}

pub(super) fn submit(args: &SubmitArgs, terminal: &Terminal) -> Result<u8, Failure> {
    let folder = PlanFolder::open(&args.folder).map_err(|error| Failure::Usage(error.to_string()))?;
    let absolute = std::fs::canonicalize(&args.folder)
        .map_err(|error| Failure::Usage(format!("{}: {error}", args.folder.display())))?;
    let limit = if args.engine == Engine::Slurm { slurm_limit() } else { usize::MAX };
    let parts = args.parts.unwrap_or(64).min(folder.plan.shards).min(limit);
    if parts == 0 || args.threads == 0 {
        return Err(Failure::Usage("--parts and --threads count from 1".to_owned()));
    }
    let todo = to_do(&folder);
    let wanted: Vec<usize> = (1..=parts)
        .filter(|part| !args.missing || folder.part(*part, parts).iter().any(|shard| todo.contains(shard)))
        .collect();
    if wanted.is_empty() || todo.is_empty() {
        let folder = batch::quoted(&args.folder.display().to_string());
        return Err(Failure::Nothing(format!(
            "all shards are done; next: {} merge {folder}",
            terminal.program
        )));
    }
    let submission = match args.engine {
        Engine::Slurm => slurm(args, &absolute, parts, &wanted)?,
        Engine::K8s => k8s(args, &folder, parts, &wanted),
        Engine::Ray => ray(args, &absolute, parts, &wanted)?,
    };
    let file = absolute.join(submission.file);
    batch::write_whole(&file, &submission.text)?;
    let mut command = submission.command;
    command.push(file.display().to_string());
    let shown: Vec<String> = command.iter().map(|word| batch::quoted(word)).collect();
    if args.dry_run {
        terminal.print(&format!("{}\n# next: {}\n", submission.text, shown.join(" ")));
        return Ok(exit::PASS);
    }
    let status = Command::new(&command[0]).args(&command[1..]).status();
    match status {
        Ok(status) if status.success() => Ok(exit::PASS),
        Ok(status) => Err(Failure::Usage(format!("`{}` ended with {status}", shown.join(" ")))),
        Err(error) => Err(Failure::Usage(format!(
            "cannot start `{}`: {error}; --dry-run writes it only",
            shown.join(" ")
        ))),
    }
}

/// This program, as other hosts find it.
fn program() -> Result<String, Failure> {
    let path = std::env::current_exe().map_err(|error| Failure::Usage(format!("where am I? {error}")))?;
    Ok(path.display().to_string())
}

/// The largest array index that Slurm takes; no limit where there is no Slurm to ask.
fn slurm_limit() -> usize {
    let asked = Command::new("scontrol").args(["show", "config"]).output();
    let text = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"));
    let size = line.and_then(|line| line.trim_start_matches([' ', '=']).trim().parse::<usize>().ok());
    // The limit caps the index itself: an array of size 1001 ends at 1000.
    size.map_or(usize::MAX, |size| size.saturating_sub(1).max(1))
}

fn slurm(args: &SubmitArgs, folder: &Path, parts: usize, wanted: &[usize]) -> Result<Submission, Failure> {
    let (array, threads) = (ranges(wanted), args.threads);
    let program = batch::quoted(&program()?);
    let plan = batch::quoted(&folder.display().to_string());
    let log = folder.join("slurm-%A_%a.log");
    let text = format!(
        r#"#!/bin/bash
#SBATCH --job-name=murphy
#SBATCH --array={array}
#SBATCH --cpus-per-task={threads}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
#SBATCH --output={log}
# The shell gets the signal and hands it on; a wait that a signal cut short is waited again.
{program} run --plan {plan} --part "$SLURM_ARRAY_TASK_ID/{parts}" -j {threads} &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM
wait "$child"; code=$?
if [ "$code" -gt 128 ]; then wait "$child"; code=$?; fi
# 75: pre-empted. Whatever is done stays done.
if [ "$code" -eq 75 ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt 5 ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
"#,
        log = log.display()
    );
    Ok(Submission { file: "slurm_job.sh", text, command: vec!["sbatch".to_owned()] })
}

/// JSON is YAML: `kubectl` takes it.
fn k8s(args: &SubmitArgs, folder: &PlanFolder, parts: usize, wanted: &[usize]) -> Submission {
    // An indexed job has no gaps: the script maps its index to a part.
    let list = wanted.iter().fold(String::new(), |mut text, part| {
        _ = write!(text, " {part}");
        text
    });
    let script = format!(
        "set -- {list}; shift \"$JOB_COMPLETION_INDEX\"; exec murphy run --plan /plan --part \"$1/{parts}\" -j {}",
        args.threads
    );
    let manifest = serde_json::json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": format!("murphy-{}", &folder.plan.plan_id[..12]) },
        "spec": {
            "completionMode": "Indexed",
            "completions": wanted.len(),
            "parallelism": wanted.len(),
            "backoffLimitPerIndex": 3,
            "maxFailedIndexes": wanted.len(),
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": { "rules": [
                { "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }] },
                { "action": "FailIndex", "onExitCodes": {
                    "containerName": "murphy", "operator": "In", "values": [64, 65, 78] } },
            ] },
            "template": {
                "metadata": { "labels": { "app": "murphy" } },
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{
                        "name": "murphy",
                        "image": args.image,
                        "command": ["/bin/sh", "-c", script],
                        "resources": { "requests": { "cpu": args.threads.to_string() } },
                        "volumeMounts": [{ "name": "plan", "mountPath": "/plan" }],
                    }],
                    "volumes": [{ "name": "plan", "persistentVolumeClaim": { "claimName": args.claim } }],
                },
            },
        },
    });
    let command = ["kubectl", "apply", "-f"].map(str::to_owned).to_vec();
    Submission { file: "kubernetes_job.json", text: format!("{manifest:#}\n"), command }
}

fn ray(args: &SubmitArgs, folder: &Path, parts: usize, wanted: &[usize]) -> Result<Submission, Failure> {
    let text = format!(
        r#"import subprocess
import sys

import ray

PROGRAM, PLAN = {program:?}, {plan:?}
PARTS, THREADS = {parts}, {threads}
RETRY = (74, 75)


@ray.remote(num_cpus=THREADS, max_retries=5)
def part(number):
    words = [PROGRAM, "run", "--plan", PLAN, "--part", f"{{number}}/{{PARTS}}", "-j", str(THREADS)]
    for _ in range(5):
        code = subprocess.run(words).returncode
        if code not in RETRY:
            break
    return number, code


ray.init()
codes = ray.get([part.remote(number) for number in {wanted:?}])
failed = [(number, code) for number, code in codes if code != 0]
for number, code in failed:
    print(f"part {{number}}/{{PARTS}} ended with {{code}}", file=sys.stderr)
sys.exit(1 if failed else 0)
"#,
        program = program()?,
        plan = folder.display().to_string(),
        threads = args.threads,
    );
    Ok(Submission { file: "ray_driver.py", text, command: vec!["python3".to_owned()] })
}
