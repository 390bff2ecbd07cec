//! Fixed-effort splitting on cloned worlds: a cross-check that changes no rate.
//!
//! The level of a world is how many further leaves fewer than at the start would have to fail to take
//! the target down. Each stage starts the same number of worlds from those that entered its level,
//! and counts which reach the next one before everything is up again. A clone draws its residual
//! times anew, or all clones would share one fate; a world that is beyond the next level already
//! passes straight through. Source: Garvels 2000, fixed effort; L'Ecuyer, Demers & Tuffin 2007.

use murphy_reports::{mean, student_t};
use murphy_sim::{Keyed, fold};

use super::episode::Sampler;
use super::{EstimateError, Figure, Method, Strata};
use crate::fleet::{FAR, Fleet, State};

/// How to split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitOptions {
    /// Worlds of each stage.
    pub effort: usize,
    /// Independent repetitions, for the interval: 30 or more.
    pub repetitions: usize,
    /// Selects everything random.
    pub seed: u64,
    /// Whether clones draw their residual times anew. Only a test says no.
    pub resample: bool,
}

/// The unavailability of a gate, and its interval by Student's t over the repetitions.
///
/// # Errors
/// As [`estimate`](super::estimate).
pub fn split(fleet: &Fleet, target: u32, options: &SplitOptions) -> Result<Split, EstimateError> {
    let strata = Strata::of(fleet)?;
    let start = fleet.structure().levels().distance(fleet.structure(), target, &fleet.immune());
    if start >= FAR {
        return Err(EstimateError::Nothing);
    }
    let mut splitting =
        Splitting { fleet, strata: &strata, target, options, immune: fleet.immune(), faults: 0, cycle: 0.0 };
    let mut estimates = Vec::new();
    for repetition in 0..options.repetitions {
        let keyed = Keyed::new(fold(options.seed, repetition as u64));
        estimates.push(splitting.once(&keyed));
    }
    let value = mean(&estimates);
    let interval = student_t(&estimates, 0.95).ok();
    let half = interval.map_or(f64::INFINITY, |interval| (interval.high - interval.low) / 2.0);
    // A figure's interval is normal: from the t interval back to a standard error.
    let error = half / 1.959_963_984_540_054;
    Ok(Split {
        unavailability: Figure {
            value,
            relative_error: if value > 0.0 { error / value } else { f64::INFINITY },
        },
        faults: splitting.faults,
        zeros: estimates.iter().filter(|estimate| **estimate <= 0.0).count(),
    })
}

/// What splitting found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Share of time that the target is down.
    pub unavailability: Figure,
    /// Events simulated.
    pub faults: u64,
    /// Repetitions that never reached the target.
    pub zeros: usize,
}

struct Splitting<'a> {
    fleet: &'a Fleet,
    strata: &'a Strata,
    target: u32,
    options: &'a SplitOptions,
    immune: Vec<bool>,
    faults: u64,
    cycle: f64,
}

impl<'a> Splitting<'a> {
    /// One estimate.
    fn once(&mut self, keyed: &Keyed) -> f64 {
        let structure = self.fleet.structure();
        let top = structure.levels().distance(structure, self.target, &self.immune);
        let (mut pool, idle_and_length) = self.first(keyed);
        self.cycle = idle_and_length;
        let effort = self.options.effort;
        let mut reach = 1.0;
        for level in 1..=top {
            let mut next = Vec::new();
            for clone in 0..effort {
                let mut world = self.clone_of(&pool, clone, level);
                if self.run_to(&mut world, top - level) {
                    next.push(world);
                }
            }
            reach *= next.len() as f64 / effort as f64;
            if next.is_empty() {
                return 0.0;
            }
            pool = next;
        }
        let mut down = 0.0;
        for clone in 0..effort {
            let mut world = self.clone_of(&pool, clone, top + 1);
            down += self.down_to_quiet(&mut world) as f64 / 1e9;
        }
        reach * down / effort as f64 / self.cycle
    }

    /// Worlds after a first fault, and the mean time from one first fault to the next.
    fn first(&mut self, keyed: &Keyed) -> (Vec<State<'a>>, f64) {
        let sampler = Sampler {
            fleet: self.fleet,
            strata: self.strata,
            target: self.target,
            method: Method::Crude,
            keyed,
            record: false,
        };
        let mut pool = Vec::new();
        let mut length = 0.0;
        for world in 1..=self.options.effort as u64 {
            let mut state = State::still(self.fleet, keyed, world);
            let fault = sampler.first(None, &state);
            state.release();
            state.strike(fault, 0, &mut ());
            pool.push(state.clone());
            // The same world to its end gives the length without another draw.
            while !state.is_quiet() && state.step(&mut ()) {
                self.faults += 1;
            }
            length += state.now() as f64 / 1e9;
        }
        let mean = length / self.options.effort as f64;
        (pool, mean + 1.0 / (self.strata.total * 1e9))
    }

    /// A world to go on with: the pool's in turn.
    fn clone_of(&self, pool: &[State<'a>], number: usize, stage: usize) -> State<'a> {
        let mut world = pool[number * pool.len() / self.options.effort].clone();
        if self.options.resample {
            world.diverge(fold(stage as u64, number as u64 + 1));
        }
        world
    }

    /// Whether the world comes as near to failure before everything is up.
    fn run_to(&mut self, world: &mut State<'_>, distance: usize) -> bool {
        let structure = self.fleet.structure();
        loop {
            if world.levels().distance(structure, self.target, &self.immune) <= distance {
                return true;
            }
            if world.is_quiet() || !world.step(&mut ()) {
                return false;
            }
            self.faults += 1;
        }
    }

    fn down_to_quiet(&mut self, world: &mut State<'_>) -> u64 {
        let mut down = 0;
        while !world.is_quiet() {
            let (up, before) = (world.is_up(self.target), world.now());
            if !world.step(&mut ()) {
                break;
            }
            self.faults += 1;
            if !up {
                down += world.now() - before;
            }
        }
        down
    }
}
