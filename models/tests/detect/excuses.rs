//! Which suspicions count as false, on scenario files: by what the plan did to the suspect.

use std::sync::atomic::AtomicBool;

use murphy_models::detect::Members;
use murphy_reports::RunRecord;
use murphy_scenarios::{Model, Study, model};
use murphy_sim::Keep;

/// Four members with a heartbeat a second under a fault.
fn run(fault: &str) -> RunRecord {
    let text = format!(
        r#"
name     = "excuses"
duration = "60s"

[network]
latency = "10ms"

[[node]]
name   = "m"
count  = 4
model  = "detect.member"
params = {{ timeout = "1500ms", grace = "2s" }}

[[fault]]
name = "fault"
at   = "10s"
for  = "40s"
{fault}

[[expect]]
that = "always(detect.complete)"
"#
    );
    let models: Vec<Box<dyn Model>> = vec![model::<Members>()];
    let study = Study::open(&text, "excuses.toml", &|_| unreachable!(), &models, &[])
        .unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let prepared = models[0].prepare(&study.points()[0], 1, Keep::Nothing);
    prepared.finish(&AtomicBool::new(false)).expect("nobody stops the run")
}

/// False suspicions, detections, and all suspicions.
fn counts(fault: &str) -> (u64, usize, u64) {
    let record = run(fault);
    let metric =
        |name: &str| &record.metrics.iter().find(|metric| metric.name == name).expect("a metric").samples;
    let mistakes = metric("false_suspicions").iter().filter(|(_, _, value)| *value > 0.0).count();
    let suspected = record.properties.iter().find(|property| property.name == "detect.suspected");
    (mistakes as u64, metric("detection_time").len(), suspected.expect("a property").checked)
}

#[test]
fn a_restart_is_a_crash_that_is_detected() {
    let reboot = "kind = \"crash\"\ntarget = \"m3\"\nrestart = \"8s\"";
    assert_eq!(counts(reboot), (0, 3, 3), "three others notice, and none is wrong");
    // The same silence without a crash: nothing excuses it.
    let mute = "kind = \"omission\"\ntarget = \"m3\"\ndirection = \"send\"";
    assert_eq!(counts(mute), (3, 0, 3));
}

#[test]
fn a_partition_that_comes_and_goes_excuses_while_it_is_there() {
    let groups = "groups = [[\"m0\", \"m1\"], [\"m2\", \"m3\"]]";
    // Eight periods; in each, eight pairs lose sight of each other 1.5 s after the last heartbeat.
    let flapping = format!("kind = \"partition\"\non = \"3s\"\noff = \"2s\"\n{groups}");
    assert_eq!(counts(&flapping), (0, 0, 64));
    // So short that the silence is over the limit only when the partition has gone: such a suspicion is late.
    let short = format!("kind = \"partition\"\non = \"500ms\"\noff = \"4500ms\"\n{groups}");
    let (mistakes, detections, suspicions) = counts(&short);
    assert!(mistakes > 0 && mistakes == suspicions && detections == 0, "{mistakes} of {suspicions}");
}
