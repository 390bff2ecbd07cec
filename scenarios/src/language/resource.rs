//! Kinds of faults that take a resource from nodes, or bring more load.

use murphy_sim::{Chance, Credential, Failure, Law, Leak, Load, Pool, Span};

use super::fault::FaultPart;
use super::fields::{Bandwidth, Bytes, Count, Fields, Located, Number, Patterns, Probability};
use super::names::words;
use super::scenario::{FaultEffect, LawSpec};
use crate::build;

fn target(fields: &mut Fields<'_, '_, '_>) -> Patterns {
    fields.required("target", "nodes, such as \"r0\", \"client*\" or the name of a site")
}

/// A fault of one resource of the target.
fn fails(target: Patterns, failure: Failure) -> FaultPart {
    Box::new(move |names| (FaultEffect::Resource { nodes: names.nodes(&target), failure }, words(&target)))
}

fn per_write(fields: &mut Fields<'_, '_, '_>) -> Chance {
    let probability: Probability =
        fields.required("probability", "probability per write, such as 0.1 or \"10%\"");
    Chance::new(probability.0)
}

pub(super) fn torn_write(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    fails(target(fields), Failure::TornWrites)
}

pub(super) fn lying_sync(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    fails(target(fields), Failure::LyingSyncs)
}

pub(super) fn disk_full(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    fails(target(fields), Failure::DiskFull)
}

pub(super) fn lost_write(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    fails(target, Failure::LostWrites(per_write(fields)))
}

pub(super) fn misdirected_write(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    fails(target, Failure::MisdirectedWrites(per_write(fields)))
}

pub(super) fn bit_rot(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    let blocks: Count<0, 1_000_000> =
        fields.default("blocks", "blocks of each node that rot at the start", "0");
    let every: Option<LawSpec> =
        fields.optional("every", "time between two blocks of a node that rot, such as \"1h\"");
    if fields.live() && blocks.0 == 0 && every.is_none() {
        let title = "no bit rots";
        fields.error(super::diagnostic::Diagnostic::new(fields.at, title, "needs `blocks` or `every`"));
    }
    fails(target, Failure::BitRot { at_once: blocks.0, every: every.as_ref().map(build::law) })
}

pub(super) fn memory_leak(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    let rate: Bandwidth = fields.required("rate", "how fast memory leaks, such as \"1MB/s\"");
    let free: Bytes = fields.required("free", "memory that is free when a node starts, such as \"1GB\"");
    let paging: Probability =
        fields.default("paging", "share of the free memory after whose loss the node pages", "0.9");
    let factor: Number<1, 1_000_000> =
        fields.default("factor", "how many times as long the CPU takes while the node pages", "4.0");
    let restart: LawSpec = fields.default("restart", "time for which a killed node is down", "\"1s\"");
    fails(
        target,
        Failure::MemoryLeak(Leak {
            rate: build::whole(rate.0),
            free: free.0,
            pressure: Span(free.0).scale(paging.0).0,
            factor: factor.0,
            restart: build::law(&restart),
        }),
    )
}

pub(super) fn queue_limit(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    let limit: Count<0, 1_000_000_000> =
        fields.required("limit", "events that may wait for the CPU; a message or request beyond is dropped");
    fails(target, Failure::QueueLimit(limit.0))
}

fn pool(fields: &mut Fields<'_, '_, '_>) -> Pool {
    let pool = fields.choice("pool", "which pool of the nodes", &["threads", "connections"], "threads");
    if pool == "threads" { Pool::Threads } else { Pool::Connections }
}

pub(super) fn pool_limit(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (target, pool) = (target(fields), pool(fields));
    let slots: Count<0, 1_000_000_000> = fields.required("slots", "slots that are left of each pool");
    fails(target, Failure::PoolLimit { pool, slots: slots.0 })
}

pub(super) fn pool_leak(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (target, pool) = (target(fields), pool(fields));
    let probability: Probability =
        fields.default("probability", "probability that a slot is lost when it is given back", "1.0");
    fails(target, Failure::PoolLeak { pool, chance: Chance::new(probability.0) })
}

pub(super) fn config_push(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    let version: Count<1, 1_000_000_000> =
        fields.default("version", "version of the configuration; nodes start with 0", "1");
    let share: Probability =
        fields.default("share", "share of the target that gets it, the first nodes of it: a canary", "1.0");
    Box::new(move |names| {
        let mut nodes = names.nodes(&target);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
        let pushed = libm::ceil(share.0 * nodes.len() as f64) as usize;
        nodes.truncate(pushed);
        let failure = Failure::ConfigPush(version.0);
        (FaultEffect::Resource { nodes, failure }, words(&target))
    })
}

pub(super) fn auth_outage(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    fails(target(fields), Failure::Credential(Credential::Unavailable))
}

pub(super) fn expired_credential(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    fails(target(fields), Failure::Credential(Credential::Expired))
}

/// What `restart = …` makes of a crash.
pub(super) fn reboot(nodes: Vec<usize>, amnesia: bool, restart: &LawSpec) -> FaultEffect {
    let down: Law = build::law(restart);
    FaultEffect::Resource { nodes, failure: Failure::Reboot { down, amnesia } }
}

fn loads(workload: Located<String>, load: Load) -> FaultPart {
    Box::new(move |names| {
        let index = names.workload(&workload);
        (FaultEffect::Load { workload: index, load }, workload.value)
    })
}

fn workload(fields: &mut Fields<'_, '_, '_>) -> Located<String> {
    fields.required("workload", "name of the workload")
}

pub(super) fn surge(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let workload = workload(fields);
    let factor: Number<1, 1_000_000> = fields.required("factor", "how many times as high the rate is");
    loads(workload, Load::Surge(factor.0))
}

pub(super) fn herd(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let workload = workload(fields);
    let requests: Count<1, 10_000_000> =
        fields.required("requests", "requests that arrive together at the start, beside the others");
    loads(workload, Load::Herd(requests.0))
}
