//! One component, watched for long: what closed forms about single components are checked against.

use murphy_sim::{Stream, fold, name_hash};

use super::component::Shape;

/// Alternating times up and down, independent of each other. Times in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Renewals {
    pub(super) mttf: f64,
    pub(super) up: Shape,
    pub(super) mttr: f64,
    pub(super) down: Shape,
    pub(super) seed: u64,
}

/// What long runs say.
pub(super) struct LongRun {
    pub(super) unavailability: f64,
    /// Relative standard errors.
    pub(super) error: f64,
    pub(super) variance_rate: f64,
    pub(super) variance_error: f64,
    pub(super) runs: u64,
    pub(super) cycles: u64,
}

const RUNS: u64 = 4000;
const CYCLES: u64 = 200;
/// Independent components that are looked at once each.
const TRIALS: u64 = 200_000;

impl Renewals {
    fn stream(&self, run: u64) -> Stream {
        Stream::new(fold(self.seed, run + 1), name_hash("renewals"))
    }

    fn time_up(&self, stream: &mut Stream) -> f64 {
        draw(self.up, self.mttf, stream)
    }

    fn time_down(&self, stream: &mut Stream) -> f64 {
        draw(self.down, self.mttr, stream)
    }

    /// Down time in a window that begins with a new component.
    fn down_in(&self, window: f64, stream: &mut Stream) -> f64 {
        let (mut at, mut down) = (0.0, 0.0);
        loop {
            at += self.time_up(stream);
            if at >= window {
                return down;
            }
            let lasts = self.time_down(stream);
            down += lasts.min(window - at);
            at += lasts;
        }
    }
}

/// Runs of fixed length: their mean down time, and how much it varies.
pub(super) fn long_run(renewals: &Renewals) -> LongRun {
    let window = CYCLES as f64 * (renewals.mttf + renewals.mttr);
    // The first tenth of a run forgets that the component was new.
    let lead = window / 10.0;
    let n = RUNS as f64;
    let downs: Vec<f64> = (0..RUNS)
        .map(|run| {
            let mut stream = renewals.stream(run);
            let whole = renewals.down_in(lead + window, &mut stream);
            // The same component again, to the end of the lead only.
            let before = renewals.down_in(lead, &mut renewals.stream(run));
            whole - before
        })
        .collect();
    let mean = downs.iter().sum::<f64>() / n;
    let central = |power: i32| {
        downs
            .iter()
            .map(|down| {
                let off = down - mean;
                if power == 2 { off * off } else { off * off * off * off }
            })
            .sum::<f64>()
            / n
    };
    let (variance, fourth) = (central(2) * n / (n - 1.0), central(4));
    LongRun {
        unavailability: mean / window,
        error: libm::sqrt(variance / n) / mean,
        variance_rate: variance / window,
        variance_error: libm::sqrt((fourth / (variance * variance) - 1.0) / n),
        runs: RUNS,
        cycles: CYCLES,
    }
}

/// How many of so many new components are down at an age.
pub(super) fn down_at_age(renewals: &Renewals, age: f64) -> (u64, u64) {
    let down = |run: &u64| {
        let mut stream = renewals.stream(*run);
        let mut at = 0.0;
        loop {
            at += renewals.time_up(&mut stream);
            if at > age {
                return false;
            }
            at += renewals.time_down(&mut stream);
            if at > age {
                return true;
            }
        }
    };
    ((0..TRIALS).filter(down).count() as u64, TRIALS)
}

/// How many of so many windows have more down time than allowed.
pub(super) fn exceeding(renewals: &Renewals, window: f64, allowed: f64) -> (u64, u64) {
    let trials = TRIALS / 10;
    let more = |run: &u64| renewals.down_in(window, &mut renewals.stream(*run)) > allowed;
    ((0..trials).filter(more).count() as u64, trials)
}

/// A time with this law and mean.
fn draw(law: Shape, mean: f64, stream: &mut Stream) -> f64 {
    let mut exponential = |mean: f64| -mean * libm::log(stream.unit());
    match law {
        Shape::Fixed => mean,
        Shape::Exponential => exponential(mean),
        Shape::Uniform => 2.0 * mean * stream.unit(),
        Shape::Erlang(phases) => (0..phases).map(|_| exponential(mean / phases as f64)).sum(),
        Shape::Weibull(shape) => {
            let scale = mean / libm::tgamma(1.0 + 1.0 / shape);
            scale * libm::pow(exponential(1.0), 1.0 / shape)
        }
        Shape::Lognormal(sigma) => {
            // Box and Muller 1958.
            let radius = libm::sqrt(2.0 * exponential(1.0));
            let normal = radius * libm::cos(std::f64::consts::TAU * stream.unit());
            mean * libm::exp(sigma * normal - sigma * sigma / 2.0)
        }
    }
}
