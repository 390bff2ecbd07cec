//! The calculators, by field.

mod component;
mod economy;
mod latency;
mod policy;
mod queue;
mod recovery;
mod repair;
mod retry;
mod sample;
mod slo;
mod standby;
mod structure;

use super::form::Form;

/// All calculators, in the order of `murphy calc list`.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    let fields: [&'static [Form]; 12] = [
        structure::FORMS,
        repair::FORMS,
        standby::FORMS,
        component::FORMS,
        recovery::FORMS,
        slo::FORMS,
        retry::FORMS,
        policy::FORMS,
        queue::FORMS,
        latency::FORMS,
        sample::FORMS,
        economy::FORMS,
    ];
    fields.into_iter().flatten()
}

/// Fails with `why` unless `holds`.
fn require(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
