//! Components that fail after a law and are repaired after another.

use murphy_sim::Span;

use super::draw::Draws;
use super::plan::{Episode, Writer};
use super::spec::{Component, Renewal};

pub(super) fn expand(renewal: &Renewal, writer: &mut Writer<'_>) {
    let beta = renewal.common.as_ref().map_or(0.0, |common| common.beta);
    let list = &renewal.components.list;
    if beta < 1.0 {
        for component in list.iter() {
            line(renewal, component, 1.0 - beta, writer);
        }
    }
    // Beta-factor model: of a component's failure rate, the share beta belongs to causes that take
    // the whole group (Fleming 1975).
    for shared in renewal.common.iter().filter(|_| beta > 0.0).flat_map(|common| &common.groups) {
        let words = shared.members.iter().flat_map(|&index| list[index].words.iter().cloned()).collect();
        line(renewal, &Component { name: format!("common.{}", shared.name), words }, beta, writer);
    }
}

/// One alternating renewal process; its rate of failure is `share` of the component's.
fn line(renewal: &Renewal, component: &Component, share: f64, writer: &mut Writer<'_>) {
    let mut draws = writer.draws(&component.name);
    let Some(made) = writer.aimed(&renewal.fault, &component.words) else { return };
    let mut at = writer.from;
    for ordinal in 0_u64.. {
        at = at.saturating_add(up(renewal, share, &mut draws));
        if at >= writer.until || writer.is_full() {
            return;
        }
        let lasts = renewal.down.as_ref().map(|law| draws.span(law).max(Span(1)));
        let name = format!("{}.{}.{ordinal}", writer.name, component.name);
        let burst = renewal
            .burst
            .as_ref()
            .map(|burst| (burst, writer.draws(&format!("{}.{ordinal}", component.name))));
        writer.episode(Episode { name, start: at, lasts, made: &made, burst, cause: None });
        let Some(lasts) = lasts else { return };
        at = at.saturating_add(lasts);
    }
}

/// Time to the next failure. A share of the failures is the same law on a slower clock, which for the
/// exponential law is the same as that share of the rate.
fn up(renewal: &Renewal, share: f64, draws: &mut Draws) -> Span {
    let span = draws.span(&renewal.up);
    // Without common causes the law's own bits, untouched by a division.
    if share >= 1.0 { span } else { span.scale(1.0 / share) }
}
