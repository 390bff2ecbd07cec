//! Kinds of faults. A kind is one entry of [`KINDS`] and one function that declares its keys and
//! says what they mean once names are known.

use super::byzantine::byzantine;
use super::diagnostic::Diagnostic;
use super::fields::{
    Bandwidth, Count, Fields, KeyList, Kind, Located, Name, Number, Patterns, Probability, Signed, Table,
    keys_of,
};
use super::names::{Names, words};
use super::partition::partition;
use super::resource::{
    auth_outage, bit_rot, config_push, disk_full, expired_credential, herd, lost_write, lying_sync,
    memory_leak, misdirected_write, pool_leak, pool_limit, queue_limit, reboot, surge, torn_write,
};
use super::scenario::{DrawSpec, FaultEffect, LawSpec, ReorderSpec, Scope, Traffic};
use murphy_sim::Span;

/// What a fault's keys mean, and what it is aimed at in the file's words.
pub(crate) type FaultPart = Box<dyn FnOnce(&mut Names<'_>) -> (FaultEffect, String)>;

/// Every kind of fault, in the order of `murphy list faults`.
pub(crate) const KINDS: &[Kind<FaultPart>] = &[
    Kind { name: "crash", about: "nodes stop, lose volatile state, and start again at the end", read: crash },
    Kind { name: "pause", about: "nodes stand still and keep everything", read: pause },
    Kind { name: "slow", about: "CPU and disk take longer", read: slow },
    Kind { name: "partition", about: "messages between groups of nodes are lost", read: partition },
    Kind { name: "omission", about: "some messages that nodes send or receive are lost", read: omission },
    Kind { name: "latency", about: "messages take longer", read: latency },
    Kind { name: "loss", about: "messages are lost", read: loss },
    Kind { name: "duplicate", about: "messages arrive twice", read: duplicate },
    Kind { name: "reorder", about: "messages are held back so that later ones overtake them", read: reorder },
    Kind { name: "corrupt", about: "messages arrive corrupted", read: corrupt },
    Kind { name: "bandwidth", about: "bandwidth shrinks", read: bandwidth },
    Kind { name: "cut", about: "a link between two sites is gone; traffic reroutes if it can", read: cut },
    Kind { name: "site-down", about: "all nodes of a site, zone or region crash", read: site_down },
    Kind { name: "disk-slow", about: "disk operations take longer", read: disk_slow },
    Kind { name: "torn-write", about: "a crash tears the writes that no sync covers", read: torn_write },
    Kind { name: "lying-sync", about: "syncs report what a crash then takes", read: lying_sync },
    Kind { name: "disk-full", about: "writes are refused, and syncs say so", read: disk_full },
    Kind { name: "lost-write", about: "writes are acknowledged and never reach the disk", read: lost_write },
    Kind { name: "misdirected-write", about: "writes land in the place of others", read: misdirected_write },
    Kind { name: "bit-rot", about: "bits of what the disk keeps flip", read: bit_rot },
    Kind { name: "memory-leak", about: "memory leaks until the node is killed for it", read: memory_leak },
    Kind {
        name: "queue-limit",
        about: "what does not fit into a node's queue is dropped",
        read: queue_limit,
    },
    Kind { name: "pool-limit", about: "pools of threads or connections shrink", read: pool_limit },
    Kind { name: "pool-leak", about: "slots that are given back to a pool are lost", read: pool_leak },
    Kind { name: "config-push", about: "a bad configuration, rolled back at the end", read: config_push },
    Kind { name: "auth-outage", about: "nodes cannot check who others are", read: auth_outage },
    Kind { name: "expired-credential", about: "nodes cannot prove who they are", read: expired_credential },
    Kind { name: "surge", about: "a workload's rate is higher", read: surge },
    Kind { name: "herd", about: "requests arrive together, beside the others", read: herd },
    Kind { name: "jitter", about: "each message takes longer by a draw of its own", read: jitter },
    Kind { name: "clog", about: "messages are held, and arrive in order when it ends", read: clog },
    Kind { name: "clock", about: "wall clocks are off, drift or jump", read: clock },
    Kind {
        name: "byzantine",
        about: "nodes lie: an adversary edits what they send and receive",
        read: byzantine,
    },
];

/// A kind of fault, for `murphy list faults`.
#[derive(Clone, Debug)]
pub struct FaultInfo {
    /// Name, as `kind = "…"` spells it.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its keys beside `name`, `kind`, `at` and `for`: name, whether required, and one sentence.
    pub keys: KeyList,
}

/// Every kind of fault that `[[fault]]` may name.
pub fn faults() -> Vec<FaultInfo> {
    let info = |kind: &Kind<FaultPart>| FaultInfo { name: kind.name, about: kind.about, keys: keys_of(kind) };
    KINDS.iter().map(info).collect()
}

fn target(fields: &mut Fields<'_, '_, '_>) -> Patterns {
    fields.required("target", "nodes, such as \"r0\", \"client*\" or the name of a site")
}

fn factor(fields: &mut Fields<'_, '_, '_>) -> f64 {
    fields.required::<Number<1, 1_000_000>>("factor", "how many times as long").0
}

fn probability(fields: &mut Fields<'_, '_, '_>) -> f64 {
    fields.required::<Probability>("probability", "probability per message, such as 0.1 or \"10%\"").0
}

/// A draw that several faults share, so that a message meets one of them at most.
fn draw(fields: &mut Fields<'_, '_, '_>) -> Option<DrawSpec> {
    fields.optional("draw", "a draw shared with other faults, which then exclude one another")
}

impl Table for DrawSpec {
    const WHAT: &'static str = "draw";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> DrawSpec {
        let name: Name = fields.required("name", "name of the draw");
        let skip: Probability =
            fields.default("skip", "probability that the other faults of the draw take before", "0.0");
        DrawSpec { name: name.0, skip: skip.0 }
    }
}

fn crash(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    let amnesia = fields.default("amnesia", "the disks are lost too", "false");
    let restart: Option<LawSpec> = restart(fields);
    Box::new(move |names| {
        let nodes = names.nodes(&target);
        let effect = match restart {
            Some(restart) => reboot(nodes, amnesia, &restart),
            None => FaultEffect::Crash { nodes, amnesia },
        };
        (effect, words(&target))
    })
}

fn restart(fields: &mut Fields<'_, '_, '_>) -> Option<LawSpec> {
    fields.optional("restart", "time for which each node is down; up to the end of the fault without")
}

fn pause(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    Box::new(move |names| (FaultEffect::Pause { nodes: names.nodes(&target) }, words(&target)))
}

fn slow(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (target, factor) = (target(fields), factor(fields));
    Box::new(move |names| (FaultEffect::Slow { nodes: names.nodes(&target), factor }, words(&target)))
}

fn disk_slow(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (target, factor) = (target(fields), factor(fields));
    Box::new(move |names| (FaultEffect::DiskSlow { nodes: names.nodes(&target), factor }, words(&target)))
}

fn clock(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target = target(fields);
    let offset: Signed = fields.default("offset", "added to the clock while the fault lasts", "\"0s\"");
    let drift: Number<-1_000_000, 1_000_000> =
        fields.default("drift_ppm", "drift added while the fault lasts, in parts per million", "0.0");
    let jump: Signed = fields.default("jump", "added once at the start and kept", "\"0s\"");
    if fields.live() && offset.0 == 0 && jump.0 == 0 && drift.0.abs() < f64::MIN_POSITIVE {
        let title = "the clock fault changes nothing";
        fields.error(Diagnostic::new(fields.at, title, "needs `offset`, `drift_ppm` or `jump`"));
    }
    Box::new(move |names| {
        let nodes = names.nodes(&target);
        let (offset_ns, jump_ns) = (offset.0, jump.0);
        (FaultEffect::Clock { nodes, offset_ns, drift_ppm: drift.0, jump_ns }, words(&target))
    })
}

fn omission(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let target: Option<Patterns> = fields.optional("target", "nodes whose messages are lost");
    let direction =
        fields.choice("direction", "which messages of the target", &["send", "receive", "both"], "both");
    let from: Option<Patterns> = fields.optional("from", "only messages from these nodes");
    let to: Option<Patterns> = fields.optional("to", "only messages to these nodes");
    let message = fields.optional("message", "only this kind of message, such as \"prepare\"");
    let probability: Probability = fields.default("probability", "probability per message", "1.0");
    let nth: Option<Count<1, 1_000_000_000>> =
        fields.optional("nth", "of each sender's matching messages only this one, counted from 1");
    if fields.live() && target.is_none() && from.is_none() && to.is_none() {
        let title = "the omission names no nodes";
        fields.error(Diagnostic::new(fields.at, title, "needs `target`, `from` or `to`"));
    }
    if fields.live() {
        omission_excludes(fields, direction, &[("target", &target), ("from", &from), ("to", &to)]);
        if nth.is_some() && probability.0 < 1.0 {
            let title = "`probability` and `nth` exclude one another";
            fields.error(Diagnostic::new(fields.spot("nth"), title, "give one of them"));
        }
    }
    Box::new(move |names| {
        let text = [&target, &from, &to].into_iter().flatten().map(words).collect::<Vec<_>>().join(" → ");
        let either = |names: &mut Names<'_>, patterns: &Option<Patterns>| match patterns {
            Some(patterns) => names.nodes(patterns),
            None => names.all(),
        };
        let message = names.message(message.as_ref());
        let (senders, receivers) = (either(names, &from), either(names, &to));
        let traffic = match target.map(|target| names.nodes(&target)) {
            None => Traffic { from: senders, to: receivers, both: false, message },
            Some(nodes) if direction == "send" => {
                Traffic { from: nodes, to: receivers, both: false, message }
            }
            Some(nodes) if direction == "receive" => {
                Traffic { from: senders, to: nodes, both: false, message }
            }
            Some(nodes) => {
                let peers = if to.is_some() { receivers } else { senders };
                Traffic { from: nodes, to: peers, both: true, message }
            }
        };
        let nth = nth.map(|nth| nth.0);
        (FaultEffect::Omission { traffic, probability: probability.0, nth }, text)
    })
}

/// Reports a side that a direction of the target already names.
fn omission_excludes(
    fields: &mut Fields<'_, '_, '_>,
    direction: &str,
    sides: &[(&'static str, &Option<Patterns>); 3],
) {
    let [(_, target), (_, from), (_, to)] = sides;
    if target.is_none() {
        return;
    }
    let wrong = match direction {
        "send" if from.is_some() => Some(("from", "the target is who sends")),
        "receive" if to.is_some() => Some(("to", "the target is who receives")),
        "both" if from.is_some() && to.is_some() => Some(("to", "the peers of the target are given twice")),
        _ => None,
    };
    if let Some((key, label)) = wrong {
        let title = format!("`{key}` does not go with `target` and direction \"{direction}\"");
        fields.error(Diagnostic::new(fields.spot(key), title, label));
    }
}

/// The keys that say which messages a network fault acts on.
struct ScopePart {
    target: Option<Patterns>,
    from: Option<Patterns>,
    to: Option<Patterns>,
    link: Option<Located<Vec<Located<String>>>>,
    message: Option<Located<String>>,
}

fn scope(fields: &mut Fields<'_, '_, '_>) -> ScopePart {
    let part = ScopePart {
        target: fields.optional("target", "messages that these nodes send or receive"),
        from: fields.optional("from", "messages from these nodes"),
        to: fields.optional("to", "messages to these nodes"),
        link: fields.optional("link", "messages that cross the link between two sites"),
        message: fields.optional("message", "only this kind of message, such as \"prepare\""),
    };
    let ways = [part.target.is_some(), part.from.is_some() || part.to.is_some(), part.link.is_some()];
    if ways.iter().filter(|way| **way).count() > 1 {
        let title = "`target`, `from`/`to` and `link` exclude one another";
        fields.error(Diagnostic::new(fields.at, title, "give one of them"));
    }
    if let (Some(message), true) = (&part.message, part.link.is_some()) {
        let title = "a fault of a link acts on every kind of message";
        fields.error(Diagnostic::new(message.at, title, "give `from` and `to` instead of `link`"));
    }
    part
}

impl ScopePart {
    fn resolve(self, names: &mut Names<'_>) -> (Scope, String) {
        if let Some(link) = &self.link {
            let text = link.value.iter().map(|site| site.value.as_str()).collect::<Vec<_>>().join("–");
            return (Scope::Link(names.link(link)), text);
        }
        let message = names.message(self.message.as_ref());
        if let Some(target) = &self.target {
            let (from, to) = (names.nodes(target), names.all());
            return (Scope::Traffic(Traffic { from, to, both: true, message }), words(target));
        }
        let text = |side: &Option<Patterns>| side.as_ref().map_or("*".to_owned(), words);
        let text = format!("{} → {}", text(&self.from), text(&self.to));
        let mut side = |side: &Option<Patterns>| match side {
            Some(patterns) => names.nodes(patterns),
            None => names.all(),
        };
        let (from, to) = (side(&self.from), side(&self.to));
        (Scope::Traffic(Traffic { from, to, both: false, message }), text)
    }
}

fn latency(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let scope = scope(fields);
    let add: Option<LawSpec> = fields.optional("add", "added to each latency, such as \"50ms\"");
    let factor: Option<Number<1, 1_000_000>> = fields.optional("factor", "multiplies each latency");
    if fields.live() && add.is_none() && factor.is_none() {
        let title = "the latency fault changes nothing";
        fields.error(Diagnostic::new(fields.at, title, "needs `add` or `factor`"));
    }
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        let add = add.unwrap_or(LawSpec::Constant(Span::ZERO));
        (FaultEffect::Latency { scope, add, factor: factor.map_or(1.0, |factor| factor.0) }, text)
    })
}

fn jitter(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let scope = scope(fields);
    let add: LawSpec = fields.required("by", "law of what each message takes longer");
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        (FaultEffect::Latency { scope, add, factor: 1.0 }, text)
    })
}

fn clog(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let scope = scope(fields);
    let queue: Option<Count<0, 1_000_000_000>> =
        fields.optional("queue", "messages of each sender that are held; others are lost");
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        (FaultEffect::Clog { scope, queue: queue.map_or(u64::MAX, |queue| queue.0) }, text)
    })
}

fn loss(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (scope, probability, draw) = (scope(fields), probability(fields), draw(fields));
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        (FaultEffect::Loss { scope, probability, draw }, text)
    })
}

fn duplicate(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (scope, probability, draw) = (scope(fields), probability(fields), draw(fields));
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        (FaultEffect::Duplicate { scope, probability, draw }, text)
    })
}

fn reorder(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (scope, probability, draw) = (scope(fields), probability(fields), draw(fields));
    let delay = fields.required("delay", "extra delay of a message that is held back");
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        (FaultEffect::Reorder { scope, reorder: ReorderSpec { probability, delay }, draw }, text)
    })
}

fn corrupt(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let (scope, probability, draw) = (scope(fields), probability(fields), draw(fields));
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        (FaultEffect::Corrupt { scope, probability, draw }, text)
    })
}

fn bandwidth(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let scope = scope(fields);
    let limit: Bandwidth = fields.required("limit", "bandwidth while it lasts, such as \"1MB/s\"");
    Box::new(move |names| {
        let (scope, text) = scope.resolve(names);
        (FaultEffect::Bandwidth { scope, limit: limit.0 }, text)
    })
}

fn cut(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let link: Located<Vec<Located<String>>> =
        fields.required("link", "the two sites, such as [\"paris\", \"tokyo\"]");
    Box::new(move |names| {
        let text = link.value.iter().map(|site| site.value.as_str()).collect::<Vec<_>>().join("–");
        (FaultEffect::Cut { link: names.link(&link) }, text)
    })
}

fn site_down(fields: &mut Fields<'_, '_, '_>) -> FaultPart {
    let site: Option<Patterns> = fields.optional("site", "sites by name");
    let zone: Option<Patterns> = fields.optional("zone", "all sites of these zones");
    let region: Option<Patterns> = fields.optional("region", "all sites of these regions");
    let restart = restart(fields);
    fields.one_of(&["site", "zone", "region"], true);
    Box::new(move |names| {
        let (patterns, sites) = match (site, zone, region) {
            (Some(site), _, _) => (site.clone(), names.sites(&site, "sites")),
            (_, Some(zone), _) => (zone.clone(), names.sites(&zone, "zones")),
            (_, _, region) => {
                let region = region.unwrap_or_default();
                (region.clone(), names.sites(&region, "regions"))
            }
        };
        let nodes = names.nodes_on(&sites);
        let effect = match restart {
            Some(restart) => reboot(nodes, false, &restart),
            None => FaultEffect::SiteDown { sites, nodes },
        };
        (effect, words(&patterns))
    })
}
