//! Faults at random instants: the nemesis, the swarm, and the injector.

use murphy_sim::{Span, name_hash};

use super::draw::Draws;
use super::plan::{Episode, Writer};
use super::spec::{Components, Family, Injector, Nemesis, Strike, Swarm};
use crate::language::LawSpec;

/// A nemesis. A strike that would be one too many at once is left out; one that would reach into the
/// quiet tail is cut short.
pub(super) fn nemesis(nemesis: &Nemesis, writer: &mut Writer<'_>) {
    let end = writer.quiet(nemesis.quiet);
    let mut times = writer.draws("");
    let mut at = writer.from;
    let mut running: Vec<u64> = Vec::new();
    let mut crowded = 0_u64;
    for ordinal in 0_u64.. {
        at = at.saturating_add(times.span(&nemesis.gap).max(Span(1)));
        if at >= end || writer.is_full_at(ordinal) {
            break;
        }
        running.retain(|ends| *ends > at.0);
        if running.len() >= nemesis.at_most {
            crowded += 1;
            continue;
        }
        let mut draws = writer.draws(&ordinal.to_string());
        let strike = chosen(&nemesis.strikes, &draws);
        let lasts = draws.span(&strike.lasts).max(Span(1)).min(end.since(at));
        let words = picked(strike.components.as_ref(), strike.pick, &ordinal.to_string(), writer);
        let Some(made) = writer.aimed(&strike.fault, &words) else { continue };
        running.push(at.saturating_add(lasts).0);
        let name = format!("{}.{ordinal}", writer.name);
        writer.episode(Episode {
            name,
            start: at,
            lasts: Some(lasts),
            made: &made,
            burst: None,
            cause: None,
        });
    }
    if crowded > 0 {
        writer.note(&format!("{crowded} strikes left out: {} at once already", nemesis.at_most));
    }
}

/// One of the strikes, in proportion to their weights. An exponential race: a new entry at the
/// end of the list changes only the strikes that it wins.
fn chosen<'s>(strikes: &'s [Strike], draws: &Draws) -> &'s Strike {
    let mut best: Option<(f64, &Strike)> = None;
    let mut race = draws.fork("strike");
    for strike in strikes {
        let time = -libm::log(race.unit()) / strike.weight;
        if best.is_none_or(|(least, _)| time < least) {
            best = Some((time, strike));
        }
    }
    best.expect("a checked nemesis has faults").1
}

/// `pick` of the components, each as likely. Highest word wins: another component changes only the
/// choices that it wins.
fn picked(components: Option<&Components>, pick: usize, event: &str, writer: &Writer<'_>) -> Vec<String> {
    let Some(components) = components else { return Vec::new() };
    let key = name_hash(event);
    let mut ranked: Vec<(u64, usize)> = components
        .list
        .iter()
        .enumerate()
        .map(|(index, component)| (writer.rank(key, &component.name), index))
        .collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    let mut chosen: Vec<usize> = ranked.into_iter().take(pick).map(|(_, index)| index).collect();
    chosen.sort_unstable();
    chosen.iter().flat_map(|&index| components.list[index].words.iter().cloned()).collect()
}

/// A swarm: which families this run has, how often they strike and how hard.
pub(super) fn swarm(swarm: &Swarm, writer: &mut Writer<'_>) {
    let mut off = Vec::new();
    for family in &swarm.families {
        let mut draws = writer.draws(&family.name);
        // Every draw is taken whether the family is on or off.
        let on = draws.unit() >= swarm.off;
        let gap = log_between(family.gap, draws.unit());
        let lasts = log_between(family.lasts, draws.unit());
        let fault = family.fault.drawn(&mut || draws.word());
        if !on {
            off.push(family.name.as_str());
            continue;
        }
        strikes(swarm, &Family { fault, ..family.clone() }, (gap, lasts), writer);
    }
    if !off.is_empty() {
        writer.note(&format!("off in this run: {}", off.join(", ")));
    }
}

fn strikes(swarm: &Swarm, family: &Family, (gap, lasts): (Span, Span), writer: &mut Writer<'_>) {
    let end = writer.quiet(swarm.quiet);
    let mut draws = writer.draws(&format!("{}.times", family.name));
    let (gap, lasts) = (LawSpec::Exponential { mean: gap }, LawSpec::Exponential { mean: lasts });
    let mut at = writer.from;
    for ordinal in 0_u64.. {
        at = at.saturating_add(draws.span(&gap).max(Span(1)));
        let lasts = draws.span(&lasts).max(Span(1));
        if at >= end || writer.is_full_at(ordinal) {
            return;
        }
        let event = format!("{}.{ordinal}", family.name);
        let words = picked(family.components.as_ref(), family.pick, &event, writer);
        let Some(made) = writer.aimed(&family.fault, &words) else { continue };
        let name = format!("{}.{event}", writer.name);
        let lasts = Some(lasts.min(end.since(at)));
        writer.episode(Episode { name, start: at, lasts, made: &made, burst: None, cause: None });
    }
}

/// A span from `low` to `high`, each order of magnitude as likely.
fn log_between((low, high): (Span, Span), share: f64) -> Span {
    if low == high {
        return low;
    }
    let ratio = libm::log(high.0.max(1) as f64 / low.0.max(1) as f64);
    low.scale(libm::exp(ratio * share)).min(high)
}

/// The injector: one fault an effect, all over its window.
pub(super) fn injector(injector: &Injector, writer: &mut Writer<'_>) {
    for (label, fault) in &injector.faults {
        let Some(made) = writer.aimed(fault, &[]) else { continue };
        let name = format!("{}.{label}", writer.name);
        let (start, lasts) = (writer.from, injector.lasts);
        writer.episode(Episode { name, start, lasts, made: &made, burst: None, cause: None });
    }
}
