//! Delta debugging: the smallest part of a list that still fails, by single removals.

/// Removes parts of a list as long as `fails` says that what is left still fails, and ends when no single
/// element can go. `fails` is never asked about the whole list, which is known to fail.
///
/// Source: Zeller & Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002;
/// complements only, since subsets of a plan seldom fail alone.
pub(crate) fn ddmin<T: Clone>(items: Vec<T>, fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    let mut items = items;
    if items.is_empty() || fails(&[]) {
        return Vec::new();
    }
    let mut parts = 2.min(items.len());
    while !items.is_empty() {
        let mut shrank = false;
        let mut part = 0;
        while part < parts {
            let (from, to) = (items.len() * part / parts, items.len() * (part + 1) / parts);
            if to - from == items.len() {
                break;
            }
            let rest: Vec<T> = items[..from].iter().chain(&items[to..]).cloned().collect();
            if fails(&rest) {
                items = rest;
                parts = (parts - 1).clamp(1, items.len().max(1));
                shrank = true;
            } else {
                part += 1;
            }
        }
        if parts >= items.len() && !shrank {
            break;
        }
        if !shrank {
            parts = (parts * 2).min(items.len());
        }
        parts = parts.clamp(2.min(items.len()).max(1), items.len().max(1));
        if items.len() == 1 {
            break;
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use murphy_sim::Stream;

    use super::ddmin;

    #[test]
    fn what_is_left_is_minimal_and_fails() {
        let mut rng = Stream::new(7, 1);
        for case in 0..200 {
            let n = 1 + usize::try_from(rng.below(60)).unwrap();
            let needed: Vec<usize> = (0..n).filter(|_| rng.below(6) == 0).collect();
            let mut asked = 0;
            let found = ddmin((0..n).collect(), &mut |part: &[usize]| {
                asked += 1;
                needed.iter().all(|item| part.contains(item))
            });
            assert_eq!(found, needed, "case {case}");
            assert!(asked < 20 + 12 * n, "case {case}: {asked} questions for {n}");
        }
    }

    #[test]
    fn a_test_that_is_not_monotone_still_ends_one_minimal() {
        // Fails with an even number of elements of the first ten, at least four, and the last one.
        let fails = |part: &[usize]| {
            let few = part.iter().filter(|item| **item < 10).count();
            few >= 4 && few.is_multiple_of(2) && part.contains(&49)
        };
        let found = ddmin((0..50).collect(), &mut |part: &[usize]| fails(part));
        assert!(fails(&found), "{found:?}");
        for gone in 0..found.len() {
            let mut rest = found.clone();
            rest.remove(gone);
            assert!(!fails(&rest), "{found:?} without {}", found[gone]);
        }
    }
}
