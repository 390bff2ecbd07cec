//! How the instances of a service are run: started, checked, taken out, replaced, scaled and rolled out.

use std::sync::Arc;

use murphy_sim::{Span, Time};

use super::super::diagnostic::{Diagnostic, Sources};
use super::super::fields::{Count, Fields, Located, Name, Number, Positive, Probability, Table};
use super::super::scenario::{LawSpec, Place};

/// Node kind of the control plane: a model that simulates services declares it.
pub const SERVICE_CONTROL: &str = "service.control";
/// Name of the control plane's node, which is there when it has something to do.
pub const CONTROL: &str = "control";

/// Most nodes of a service that run no instance at the start.
const MAX_SPARES: u64 = 10_000;
/// Most checks, or failures, in a row.
const MAX_IN_A_ROW: u64 = 1_000_000;

/// How the instances of a service are run.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSpec {
    /// Nodes beside those of `replicas` on which further instances may run.
    pub spares: u64,
    /// Whether instances are spread over the sites, rather than put on the first ones.
    pub spread: bool,
    /// Time from an order for an instance to its node.
    pub provision: LawSpec,
    /// Time from the start of an instance until it serves.
    pub startup: LawSpec,
    /// How much slower an instance is that has just started.
    pub cold: Option<ColdSpec>,
    /// How long an instance that is stopped goes on with what it has; `None` stops it at once.
    pub drain: Option<Span>,
    /// Checks of the control plane.
    pub health: Option<HealthSpec>,
    /// What callers conclude from the outcomes of their calls.
    pub outlier: Option<OutlierSpec>,
    /// Whether callers prefer instances in their own zone.
    pub zone_aware: bool,
    /// Share of healthy instances below which callers ask all of them.
    pub panic: f64,
    /// How the number of instances follows the load.
    pub autoscale: Option<ScaleSpec>,
}

/// A time after its start for which an instance is slower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColdSpec {
    /// How long.
    pub lasts: Span,
    /// How many times as long work takes.
    pub factor: f64,
}

/// Checks of the control plane, as those of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthSpec {
    /// Time between two checks.
    pub every: Span,
    /// Longest wait for an answer.
    pub timeout: Span,
    /// Failed checks in a row that take an instance out.
    pub failures: u64,
    /// Good checks in a row that put it in again.
    pub successes: u64,
    /// Whether an instance asks its own dependencies before it answers.
    pub deep: bool,
    /// Whether an instance that has an older version than the others is not ready.
    pub version: bool,
    /// Failed checks in a row after which it is killed and starts again; it fails them while it starts.
    pub restart: Option<u64>,
    /// Time after a start in which failed checks do not kill it.
    pub grace: Span,
    /// Silence after which its node is taken for lost, and another one is used.
    pub lost: Option<Span>,
}

/// Outlier ejection, as Envoy's for consecutive errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierSpec {
    /// Failures in a row that eject an instance.
    pub failures: u64,
    /// How long the first time; the second time twice as long, and so on.
    pub eject: Span,
    /// Most instances that are ejected at once, as a share.
    pub most: f64,
}

/// An autoscaler that follows the rule of the Kubernetes Horizontal Pod Autoscaler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleSpec {
    /// Share of an instance's workers that should be at work.
    pub target: f64,
    /// Least number of instances.
    pub least: u64,
    /// Greatest number of instances: a quota.
    pub most: u64,
    /// Time between two decisions.
    pub every: Span,
    /// Distance of the ratio from one that changes nothing.
    pub tolerance: f64,
    /// A decision to shrink takes the greatest recommendation of so long.
    pub down_window: Span,
    /// Nodes that are kept ready for an instance.
    pub warm: u64,
}

impl FleetSpec {
    /// Whether the control plane has anything to do for it.
    pub fn is_managed(&self) -> bool {
        self.spares > 0 || self.health.is_some() || self.autoscale.is_some()
    }

    /// Reads the keys of `[[service]]` that say how its instances are run.
    pub(crate) fn read(fields: &mut Fields<'_, '_, '_>) -> FleetSpec {
        let spares: Count<0, MAX_SPARES> =
            fields.default("spares", "nodes beside its replicas on which further instances may run", "0");
        let panic: Probability =
            fields.default("panic", "share of healthy instances below which callers ask all of them", "0.0");
        FleetSpec {
            spares: spares.0,
            spread: fields.default(
                "spread",
                "instances are spread over the sites, rather than put on the first",
                "true",
            ),
            provision: fields.default("provision", "time from an order to the instance's node", "\"0s\""),
            startup: fields.default("startup", "time from an instance's start until it serves", "\"0s\""),
            cold: fields.optional("cold", "how much slower an instance is that has just started"),
            drain: fields.optional("drain", "how long an instance that is stopped goes on with what it has"),
            health: fields.optional("health", "checks of the control plane"),
            outlier: fields.optional("outlier", "callers eject an instance that fails in a row"),
            zone_aware: fields.default("zone_aware", "callers prefer instances in their own zone", "false"),
            panic: panic.0,
            autoscale: fields.optional("autoscale", "the number of instances follows the load"),
        }
    }
}

impl Table for ColdSpec {
    const WHAT: &'static str = "cold";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ColdSpec {
        let factor: Number<1, 1_000_000> = fields.required("factor", "how many times as long work takes");
        ColdSpec { lasts: fields.required("for", "how long after the start"), factor: factor.0 }
    }
}

impl Table for HealthSpec {
    const WHAT: &'static str = "health";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> HealthSpec {
        let failures: Count<1, MAX_IN_A_ROW> =
            fields.default("failures", "failed checks in a row that take an instance out", "3");
        let successes: Count<1, MAX_IN_A_ROW> =
            fields.default("successes", "good checks in a row that put it in again", "1");
        let restart: Option<Count<1, MAX_IN_A_ROW>> =
            fields.optional("restart", "failed checks in a row after which it is killed and starts again");
        let spec = HealthSpec {
            every: fields.default("every", "time between two checks", "\"10s\""),
            timeout: fields.default("timeout", "longest wait for an answer", "\"1s\""),
            failures: failures.0,
            successes: successes.0,
            deep: fields.default("deep", "an instance asks its dependencies before it answers", "false"),
            version: fields.default("version", "an instance with an older version is not ready", "false"),
            restart: restart.map(|restart| restart.0),
            grace: fields.default("grace", "time after a start in which it is not killed", "\"0s\""),
            lost: fields.optional("lost", "silence after which another node is used"),
        };
        if spec.every <= spec.timeout && fields.live() {
            let title = "a check ends before the next one";
            let at = fields.spot(if fields.has("timeout") { "timeout" } else { "every" });
            fields.error(Diagnostic::new(at, title, "`timeout` must be shorter than `every`"));
        }
        spec
    }
}

impl Table for OutlierSpec {
    const WHAT: &'static str = "outlier";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> OutlierSpec {
        let failures: Count<1, MAX_IN_A_ROW> =
            fields.default("failures", "failures in a row that eject an instance", "5");
        let most: Probability =
            fields.default("most", "share of the instances that may be ejected at once", "0.5");
        OutlierSpec {
            failures: failures.0,
            eject: fields.default("eject", "how long, the first time", "\"30s\""),
            most: most.0,
        }
    }
}

impl Table for ScaleSpec {
    const WHAT: &'static str = "autoscale";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ScaleSpec {
        let target: Positive =
            fields.required("target", "share of an instance's workers that should be at work");
        let least: Count<1, MAX_SPARES> = fields.default("min", "least number of instances", "1");
        let most: Count<1, MAX_SPARES> = fields.required("max", "greatest number of instances");
        let tolerance: Number<0, 1> =
            fields.default("tolerance", "distance of the ratio from one that changes nothing", "0.1");
        let warm: Count<0, MAX_SPARES> =
            fields.default("warm", "nodes that are kept ready for an instance", "0");
        let spec = ScaleSpec {
            target: target.0,
            least: least.0,
            most: most.0,
            every: fields.default("every", "time between two decisions", "\"15s\""),
            tolerance: tolerance.0,
            down_window: fields.default(
                "down_window",
                "a decision to shrink takes the greatest recommendation of so long",
                "\"300s\"",
            ),
            warm: warm.0,
        };
        if spec.every == Span::ZERO && fields.good("every") {
            let title = "decisions without a time between them never end";
            fields.error(Diagnostic::new(fields.spot("every"), title, "must be greater than zero"));
        }
        if spec.least > spec.most && fields.good("max") {
            let title = "max is below min";
            fields.error(Diagnostic::new(fields.spot("max"), title, "must not be below min"));
        }
        spec
    }
}

/// A `[[rollout]]` table: a new version of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutSpec {
    /// Name.
    pub name: String,
    /// The service: an index into [`Scenario::services`](super::super::Scenario::services).
    pub service: usize,
    /// When it starts.
    pub at: Time,
    /// How instances come to the version.
    pub strategy: Strategy,
    /// Instances that change at once.
    pub batch: u64,
    /// Wait after a batch.
    pub pause: Span,
    /// Share of the instances that change first.
    pub canary: f64,
    /// How long the first ones, or all of a blue-green change, are watched.
    pub bake: Span,
    /// Share of failures above which the version is rolled back; `None` never rolls back.
    pub gate: Option<f64>,
    /// Answers before which the gate does not judge.
    pub samples: u64,
    /// Share of requests that the version answers with an error.
    pub errors: f64,
    /// How many times as long its work takes.
    pub factor: f64,
    /// Whether answers of older versions are wrong once it is out.
    pub breaking: bool,
    /// Where the table's `name` stands.
    pub place: Place,
}

/// How instances come to a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// They stop and start again, a batch at a time.
    Rolling,
    /// A share of them first, the others when these have done well.
    Canary,
    /// A second set is started; then all callers change over.
    BlueGreen,
    /// All are told while they run: a new configuration.
    Push,
}

/// `[[rollout]]`.
pub(crate) struct RolloutTable {
    pub(crate) name: Located<Name>,
    pub(crate) service: Located<String>,
    spec: RolloutSpec,
}

impl RolloutTable {
    /// What it means, once the service has its number.
    pub(crate) fn resolve(&self, service: usize, sources: &Arc<Sources>) -> RolloutSpec {
        let (name, place) = (self.name.value.0.clone(), sources.place(self.name.at));
        RolloutSpec { name, service, place, ..self.spec.clone() }
    }
}

impl Table for RolloutTable {
    const WHAT: &'static str = "[[rollout]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> RolloutTable {
        const WORDS: &[&str] = &["rolling", "canary", "blue-green", "push"];
        let name = fields.required("name", "name");
        let service = fields.required("service", "the service that gets the new version");
        let at: Span = fields.required("at", "when it starts");
        let strategy = match fields.choice("strategy", "how instances come to it", WORDS, "rolling") {
            "canary" => Strategy::Canary,
            "blue-green" => Strategy::BlueGreen,
            "push" => Strategy::Push,
            _ => Strategy::Rolling,
        };
        let batch: Count<1, MAX_SPARES> = fields.default("batch", "instances that change at once", "1");
        let canary: Probability = fields.default("canary", "share of the instances that change first", "0.1");
        let gate: Option<Probability> =
            fields.optional("gate", "share of failures above which the version is rolled back");
        let samples: Count<1, 1_000_000_000> =
            fields.default("samples", "answers before which the gate does not judge", "100");
        let errors: Probability =
            fields.default("errors", "share of requests that the version answers with an error", "0.0");
        let factor: Number<1, 1_000_000> =
            fields.default("factor", "how many times as long its work takes", "1.0");
        let spec = RolloutSpec {
            name: String::new(),
            service: 0,
            at: Time(at.0),
            strategy,
            batch: batch.0,
            pause: fields.default("pause", "wait after a batch", "\"0s\""),
            canary: canary.0,
            bake: fields.default("bake", "how long the first ones are watched", "\"60s\""),
            gate: gate.map(|gate| gate.0),
            samples: samples.0,
            errors: errors.0,
            factor: factor.0,
            breaking: fields.default("breaking", "answers of older versions are wrong from then on", "false"),
            place: Place { file: Arc::from(""), line: 0, column: 0 },
        };
        RolloutTable { name, service, spec }
    }
}
