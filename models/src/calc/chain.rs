//! Markov chains in continuous time, solved without a subtraction: small probabilities keep all digits.

/// Rates between the states `0..n` of a Markov chain in continuous time, in one unit of time.
///
/// State 0 must be reachable from every other state.
#[derive(Clone, Debug)]
pub struct Chain {
    rates: Vec<Vec<f64>>,
}

impl Chain {
    /// A chain of `states` states without transitions.
    pub fn new(states: usize) -> Chain {
        Chain { rates: vec![vec![0.0; states]; states] }
    }

    /// Adds `rate` to the transition `from -> to`; a rate of zero is no transition.
    ///
    /// # Panics
    /// When the rate is negative or not finite, or a state does not exist.
    pub fn add(&mut self, from: usize, to: usize, rate: f64) {
        assert!(rate.is_finite() && rate >= 0.0, "rate {rate} of {from} -> {to}");
        if from != to {
            self.rates[from][to] += rate;
        }
    }

    /// Share of time in each state, in the long run.
    ///
    /// Grassmann, Taksar & Heyman 1985: elimination that only adds, multiplies and divides positive
    /// numbers, so that a probability of 1e-12 is as exact as one of 0.5.
    ///
    /// # Panics
    /// When state 0 cannot be reached from a state.
    pub fn steady(&self) -> Vec<f64> {
        let mut a = self.rates.clone();
        let states = a.len();
        for k in (1..states).rev() {
            let (above, below) = a.split_at_mut(k);
            let pivot = &below[0];
            let out: f64 = pivot[..k].iter().sum();
            assert!(out > 0.0, "state {k} leads nowhere");
            for (i, row) in above.iter_mut().enumerate() {
                row[k] /= out;
                let share = row[k];
                if share > 0.0 {
                    for j in (0..k).filter(|j| *j != i) {
                        row[j] += share * pivot[j];
                    }
                }
            }
        }
        let mut weights = vec![1.0];
        for k in 1..states {
            let weight = weights.iter().zip(&a).map(|(weight, row)| weight * row[k]).sum();
            weights.push(weight);
        }
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }

    /// Share of time in the states that `down` names.
    pub fn share(&self, down: impl Fn(usize) -> bool) -> f64 {
        let steady = self.steady();
        (0..steady.len()).filter(|state| down(*state)).map(|state| steady[state]).sum()
    }

    /// How often the chain goes from a state that is not `down` to one that is, per unit of time.
    pub fn frequency(&self, down: impl Fn(usize) -> bool) -> f64 {
        let steady = self.steady();
        let states = 0..steady.len();
        let into = |from: usize| states.clone().filter(|to| down(*to)).map(move |to| self.rates[from][to]);
        states.clone().filter(|from| !down(*from)).map(|from| steady[from] * into(from).sum::<f64>()).sum()
    }

    /// Mean time from state 0 to the first state that is `down`.
    ///
    /// By renewal: all down states become one that returns to state 0 after a unit of time.
    pub fn time_to(&self, down: impl Fn(usize) -> bool) -> f64 {
        let up: Vec<usize> = (0..self.rates.len()).filter(|state| !down(*state)).collect();
        let mut renewed = Chain::new(up.len() + 1);
        for (i, from) in up.iter().enumerate() {
            for (to, rate) in self.rates[*from].iter().enumerate() {
                let j = up.binary_search(&to).unwrap_or(up.len());
                renewed.add(i, j, *rate);
            }
        }
        renewed.add(up.len(), 0, 1.0);
        let steady = renewed.steady();
        steady[..up.len()].iter().sum::<f64>() / steady[up.len()]
    }

    /// Probability of each state at time `t`, from state 0.
    ///
    /// By uniformisation: a Poisson number of steps of the embedded chain, all terms positive.
    pub fn at(&self, t: f64) -> Vec<f64> {
        let states = self.rates.len();
        let out: Vec<f64> = self.rates.iter().map(|row| row.iter().sum()).collect();
        let fastest = out.iter().copied().fold(0.0, f64::max);
        let mean = fastest * t;
        let mut now = vec![0.0; states];
        now[0] = 1.0;
        if mean <= 0.0 {
            return now;
        }
        let last = mean + 12.0 * libm::sqrt(mean) + 60.0;
        let (mut sum, mut total, mut step) = (vec![0.0; states], 0.0, 0_u64);
        while (step as f64) < last {
            let weight = super::math::poisson(mean, step);
            total += weight;
            for (sum, now) in sum.iter_mut().zip(&now) {
                *sum += weight * now;
            }
            let mut next = vec![0.0; states];
            for (from, share) in now.iter().enumerate() {
                next[from] += share * ((fastest - out[from]) / fastest);
                for (to, rate) in self.rates[from].iter().enumerate() {
                    next[to] += share * (rate / fastest);
                }
            }
            now = next;
            step += 1;
        }
        // The weights lose the same few digits each: their sum puts them right.
        sum.iter().map(|share| share / total).collect()
    }
}
