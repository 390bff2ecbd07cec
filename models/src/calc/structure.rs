//! Availability of structures of independent components, as unavailability, which keeps its digits.

use super::math::{Share, choose, power};

/// Unavailability of components that are all needed.
pub fn series(up: &[Share]) -> f64 {
    // u + (1 - u) q never subtracts close numbers.
    up.iter().fold(0.0, |down, share| down + (1.0 - down) * share.no)
}

/// Unavailability of components of which one is enough.
pub fn parallel(up: &[Share]) -> f64 {
    up.iter().map(|share| share.no).product()
}

/// Unavailability of components of which `k` are needed; they may differ.
///
/// Convolution of the number of components that are up. Source: Trivedi & Bobbio 2017, chapter 4.
pub fn k_of_n(k: usize, up: &[Share]) -> f64 {
    let counts = up.iter().fold(vec![1.0], |counts, share| convolve(&counts, &[share.no, share.yes]));
    counts.iter().take(k).sum()
}

/// What S0 prints for [`k_of_n`] of components that differ: the binomial law of their mean. Wrong unless all are equal.
pub fn k_of_n_of_mean(k: usize, up: &[Share]) -> f64 {
    let n = up.len() as f64;
    let yes = up.iter().map(|share| share.yes).sum::<f64>() / n;
    let no = up.iter().map(|share| share.no).sum::<f64>() / n;
    k_of_n(k, &vec![Share { yes, no }; up.len()])
}

/// Unavailability of `n` components with `spares` to spare, to first order: C(n, s + 1) q^(s + 1).
///
/// Source: Amazon, "Availability and Beyond", 2021. Never below the exact value of [`k_of_n`].
pub fn sparing(n: u64, spares: u64, up: Share) -> f64 {
    choose(n, spares + 1) * power(up.no, spares + 1)
}

/// Unavailability of `groups` groups, one of which is enough, of `n` components that are all needed.
pub fn grouped(groups: u64, n: usize, up: Share) -> f64 {
    power(series(&vec![up; n]), groups)
}

/// Unavailability of nodes in zones in regions, of which `need` nodes are needed.
///
/// `regions` holds one list per region, with the number of nodes of each of its zones. A node counts
/// when its zone and its region are up too.
pub fn nested(regions: &[Vec<u64>], need: usize, node: Share, zone: Share, region: Share) -> f64 {
    let gate = |counts: Vec<f64>, gate: Share| {
        let mut counts: Vec<f64> = counts.iter().map(|share| share * gate.yes).collect();
        counts[0] += gate.no;
        counts
    };
    let mut all = vec![1.0];
    for zones in regions {
        let mut here = vec![1.0];
        for nodes in zones {
            let up = (0..*nodes).fold(vec![1.0], |counts, _| convolve(&counts, &[node.no, node.yes]));
            here = convolve(&here, &gate(up, zone));
        }
        all = convolve(&all, &gate(here, region));
    }
    all.iter().take(need).sum()
}

/// Law of the sum of two independent counts.
fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            sum[i + j] += x * y;
        }
    }
    sum
}
