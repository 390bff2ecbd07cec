//! `[slo.NAME]`: objectives, and the presets that two widely read guides state.

use murphy_reports::{AlertScheme, SloBy, SloSpec};
use murphy_sim::Span;
use serde_json::{Value as Json, json};

use super::diagnostic::Diagnostic;
use super::fields::{Field, Fields, Located, Name, Probability, Table, Walk};
use super::names::Names;
use super::value::{Data, Value};
use crate::describe::ModelInfo;

/// Objectives by name, in file order; the names of workloads and faults are not resolved yet.
#[derive(Debug, Default)]
pub(crate) struct Slos(Vec<SloPart>);

impl Field for Slos {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Slos, Value) {
        if !matches!(value.data, Data::Table(_)) {
            walk.mismatch(value, "tables such as [slo.checkout]");
        }
        let (mut slos, mut canonical) = (Vec::new(), Vec::new());
        for entry in value.entries() {
            let mut key = Value::text(entry.key.clone());
            key.at = entry.key_at;
            let (name, _) = Name::read(&key, walk);
            let (mut part, value) = SloPart::read(&entry.value, walk);
            part.spec.name = name.0;
            slos.push(part);
            canonical.push((entry.key.as_str(), value));
        }
        (Slos(slos), Value::table(canonical))
    }

    fn schema(models: &[ModelInfo]) -> Json {
        json!({ "type": "object", "additionalProperties": SloPart::schema(models) })
    }

    fn placeholder() -> Slos {
        Slos::default()
    }
}

#[derive(Debug)]
struct SloPart {
    spec: SloSpec,
    workload: Option<Located<String>>,
    suppress: Vec<Located<String>>,
}

/// What a preset says where the file says nothing.
struct Preset {
    target: &'static str,
    latency: Option<Span>,
    recovery: Option<Span>,
    detection: Option<Span>,
}

/// `s0` is the list of default targets of the pattern article, `s2` that of the guide to fault tolerance.
fn preset(name: &str) -> Preset {
    match name {
        "s0" => Preset {
            target: "\"99.9%\"",
            latency: None,
            recovery: Some(Span::secs(300)),
            detection: Some(Span::secs(60)),
        },
        "s2" => Preset {
            target: "\"99.9%\"",
            latency: Some(Span::millis(200)),
            recovery: Some(Span::secs(15 * 60)),
            detection: Some(Span::secs(60)),
        },
        _ => Preset { target: "\"99.9%\"", latency: None, recovery: None, detection: None },
    }
}

impl Table for SloPart {
    const WHAT: &'static str = "[slo]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> SloPart {
        let about = "targets where this table says nothing: s0 (99.9 %, detection 60 s, recovery 300 s) or \
                     s2 (99.9 %, 200 ms, detection 1 min, recovery 15 min)";
        let preset = preset(fields.choice("preset", about, &["none", "s0", "s2"], "none"));
        let target: Probability = fields.default("target", "share that must be good", preset.target);
        let by = fields.choice(
            "by",
            "what is counted: requests, or time by probes",
            &["requests", "time"],
            "requests",
        );
        let window: Span = fields.default("window", "length that the error budget is for", "\"720h\"");
        let latency: Option<Span> = fields.optional("latency", "a reply after this long is not good");
        let detection: Option<Span> = fields.optional("detection", "longest time to detect an incident");
        let recovery: Option<Span> = fields.optional("recovery", "longest time to mitigate an incident");
        let about = "multi-window: 14.4, 6 and 1 times over 1 h, 6 h and 3 d of 30 d, each confirmed by a twelfth; \
                     exhaustion: above 2 pages if the budget ends within a day, above 1 escalates, else a ticket";
        let scheme = fields.choice("alerts", about, &["multi-window", "exhaustion"], "multi-window");
        let strict =
            fields.default("strict", "whether a burn rate must exceed its limit, not only reach it", "false");
        let workload = fields.optional("workload", "only this workload");
        let suppress: Option<Vec<Located<String>>> =
            fields.optional("suppress", "faults during which nobody is told: maintenance, deploys");
        if target.0 >= 1.0 && fields.good("target") {
            let title = "a target of 100 % leaves no error budget";
            fields.error(Diagnostic::new(fields.spot("target"), title, "must be less"));
        }
        if window == Span::ZERO && fields.good("window") {
            let title = "the window has no length";
            fields.error(Diagnostic::new(fields.spot("window"), title, "must be greater than zero"));
        }
        let nanos = |own: Option<Span>, preset: Option<Span>| own.or(preset).map(|span| span.0);
        let spec = SloSpec {
            name: String::new(),
            workload: None,
            by: if by == "time" { SloBy::Time } else { SloBy::Requests },
            target: target.0,
            window_ns: window.0,
            latency_ns: nanos(latency, preset.latency),
            scheme: if scheme == "exhaustion" { AlertScheme::Exhaustion } else { AlertScheme::MultiWindow },
            strict,
            suppress: Vec::new(),
            detection_ns: nanos(detection, preset.detection),
            recovery_ns: nanos(recovery, preset.recovery),
        };
        SloPart { spec, workload, suppress: suppress.unwrap_or_default() }
    }
}

impl Slos {
    /// The objectives, with the names that they use checked.
    pub(crate) fn resolve(self, faults: &[(String, bool)], names: &mut Names<'_>) -> Vec<SloSpec> {
        let known: Vec<&str> = faults.iter().map(|(name, _)| name.as_str()).collect();
        self.0
            .into_iter()
            .map(|part| {
                if let Some(workload) = &part.workload {
                    _ = names.workload(workload);
                }
                for name in part.suppress.iter().filter(|name| !known.contains(&name.value.as_str())) {
                    let title = format!("no fault or hazard is called \"{}\"", name.value);
                    let wrong = Diagnostic::new(name.at, title, "not one");
                    names.found.push(wrong.suggest(&name.value, "faults", &known));
                }
                SloSpec {
                    workload: part.workload.map(|workload| workload.value),
                    suppress: part.suppress.into_iter().map(|name| name.value).collect(),
                    ..part.spec
                }
            })
            .collect()
    }
}
