//! Structure functions: which parts must be up for the whole to be up.
//!
//! A gate is up while at least `need` of its inputs are. All of them is a series (the fault tree's OR),
//! one is parallel (AND), anything between is k-of-n. Inputs may be shared by several gates: repeated
//! events need no care, because a structure is evaluated, not multiplied out.

/// What a gate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A leaf: something that faults take down.
    Leaf(u32),
    /// A gate that was added before.
    Gate(u32),
}

/// One gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Name, for results.
    pub name: String,
    /// Inputs that must be up.
    pub need: usize,
    /// Its inputs; one that is listed twice counts twice.
    pub inputs: Vec<Input>,
}

/// Gates over leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    gates: Vec<Gate>,
    /// For each gate, how many inputs it needs and how many it has.
    sizes: Vec<(u32, u32)>,
    /// For each leaf, and for each gate, the gates that look at it; twice if listed twice.
    above_leaf: Vec<Vec<u32>>,
    above_gate: Vec<Vec<u32>>,
}

impl Structure {
    /// A structure over `leaves` leaves, without gates.
    pub fn new(leaves: usize) -> Structure {
        Structure {
            gates: Vec::new(),
            sizes: Vec::new(),
            above_leaf: vec![Vec::new(); leaves],
            above_gate: Vec::new(),
        }
    }

    /// Adds a gate that needs `need` of its inputs, and returns its number.
    ///
    /// # Panics
    /// When an input does not exist yet, or `need` is not from 1 to the number of inputs.
    pub fn gate(&mut self, name: &str, need: usize, inputs: &[Input]) -> u32 {
        assert!((1..=inputs.len()).contains(&need), "{name} needs {need} of {} inputs", inputs.len());
        let number = u32::try_from(self.gates.len()).expect("fewer than 2^32 gates");
        for input in inputs {
            let above = match *input {
                Input::Leaf(leaf) => &mut self.above_leaf[leaf as usize],
                Input::Gate(gate) => &mut self.above_gate[gate as usize],
            };
            above.push(number);
        }
        let size = |count: usize| u32::try_from(count).expect("fewer than 2^32 inputs");
        self.sizes.push((size(need), size(inputs.len())));
        self.above_gate.push(Vec::new());
        self.gates.push(Gate { name: name.to_owned(), need, inputs: inputs.to_vec() });
        number
    }

    /// The gates, in the order in which they were added.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        self.above_leaf.len()
    }

    /// Everything up.
    pub fn levels(&self) -> Levels {
        Levels { down: vec![0; self.above_leaf.len()], up: self.sizes.iter().map(|size| size.1).collect() }
    }

    #[inline]
    fn need(&self, gate: u32) -> u32 {
        self.sizes[gate as usize].0
    }
}

/// The distance of a gate that cannot fail.
pub(crate) const FAR: usize = 1_000_000_000;

/// What is up and down at one instant. The structure is passed in: many worlds share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Faults that hold each leaf down.
    down: Vec<u32>,
    /// Inputs of each gate that are up.
    up: Vec<u32>,
}

impl Levels {
    /// One more fault takes a leaf down.
    #[inline]
    pub fn fail(&mut self, structure: &Structure, leaf: u32) {
        let faults = &mut self.down[leaf as usize];
        *faults += 1;
        if *faults == 1 {
            for &gate in &structure.above_leaf[leaf as usize] {
                self.lose(structure, gate);
            }
        }
    }

    /// One of the faults that hold a leaf down ends.
    ///
    /// # Panics
    /// When none does.
    #[inline]
    pub fn mend(&mut self, structure: &Structure, leaf: u32) {
        let faults = &mut self.down[leaf as usize];
        assert!(*faults > 0, "leaf {leaf} is mended, but it is up");
        *faults -= 1;
        if *faults == 0 {
            for &gate in &structure.above_leaf[leaf as usize] {
                self.gain(structure, gate);
            }
        }
    }

    /// Whether a gate is up.
    #[inline]
    pub fn is_up(&self, structure: &Structure, gate: u32) -> bool {
        self.up[gate as usize] >= structure.need(gate)
    }

    /// Whether a leaf is up.
    #[inline]
    pub fn is_leaf_up(&self, leaf: u32) -> bool {
        self.down[leaf as usize] == 0
    }

    /// Least number of leaves that must fail before the gate is down, as if no leaf were shared:
    /// exact for trees. Leaves for which `immune` is true never fail while they are up.
    pub fn distance(&self, structure: &Structure, gate: u32, immune: &[bool]) -> usize {
        let leaf_distance = |leaf: u32| match (self.is_leaf_up(leaf), immune[leaf as usize]) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => FAR,
        };
        let mut distances: Vec<usize> = Vec::with_capacity(gate as usize + 1);
        for above in &structure.gates[..=gate as usize] {
            let mut own: Vec<usize> = above
                .inputs
                .iter()
                .map(|input| match *input {
                    Input::Leaf(leaf) => leaf_distance(leaf),
                    Input::Gate(gate) => distances[gate as usize],
                })
                .collect();
            own.sort_unstable();
            // So many inputs must be down; those that are down already cost nothing.
            let sum: usize = own[..=above.inputs.len() - above.need].iter().sum();
            distances.push(sum.min(FAR));
        }
        distances[gate as usize]
    }

    fn lose(&mut self, structure: &Structure, gate: u32) {
        self.up[gate as usize] -= 1;
        if self.up[gate as usize] + 1 == structure.need(gate) {
            for &above in &structure.above_gate[gate as usize] {
                self.lose(structure, above);
            }
        }
    }

    fn gain(&mut self, structure: &Structure, gate: u32) {
        self.up[gate as usize] += 1;
        if self.up[gate as usize] == structure.need(gate) {
            for &above in &structure.above_gate[gate as usize] {
                self.gain(structure, above);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of leaves against the definition, evaluated anew.
    fn check(structure: &Structure, holds: &dyn Fn(&[bool]) -> bool) {
        let leaves = structure.leaves();
        let top = u32::try_from(structure.gates().len() - 1).unwrap();
        for mask in 0_u32..1 << leaves {
            let mut levels = structure.levels();
            let down = |leaf: usize| mask & (1 << leaf) != 0;
            // Twice down and once mended: still down.
            for leaf in (0..leaves).filter(|&leaf| down(leaf)) {
                let leaf = u32::try_from(leaf).unwrap();
                levels.fail(structure, leaf);
                levels.fail(structure, leaf);
                levels.mend(structure, leaf);
            }
            let up: Vec<bool> = (0..leaves).map(|leaf| !down(leaf)).collect();
            assert_eq!(levels.is_up(structure, top), holds(&up), "{up:?}");
            assert_eq!(levels.distance(structure, top, &vec![false; leaves]) == 0, !holds(&up), "{up:?}");
            for leaf in (0..leaves).filter(|&leaf| down(leaf)) {
                levels.mend(structure, u32::try_from(leaf).unwrap());
            }
            assert_eq!(levels, structure.levels(), "all mended");
        }
    }

    #[test]
    fn gates_mean_what_they_say() {
        let leaves = |range: std::ops::Range<u32>| range.map(Input::Leaf).collect::<Vec<_>>();
        let mut series = Structure::new(3);
        series.gate("series", 3, &leaves(0..3));
        check(&series, &|up| up.iter().all(|up| *up));
        let mut parallel = Structure::new(3);
        parallel.gate("parallel", 1, &leaves(0..3));
        check(&parallel, &|up| up.iter().any(|up| *up));
        let mut voting = Structure::new(5);
        voting.gate("3 of 5", 3, &leaves(0..5));
        check(&voting, &|up| up.iter().filter(|up| **up).count() >= 3);
    }

    #[test]
    fn a_leaf_that_several_gates_share_is_one_leaf() {
        // Two servers that need the same power: (a and power) or (b and power).
        let mut structure = Structure::new(3);
        let a = structure.gate("a", 2, &[Input::Leaf(0), Input::Leaf(2)]);
        let b = structure.gate("b", 2, &[Input::Leaf(1), Input::Leaf(2)]);
        structure.gate("either", 1, &[Input::Gate(a), Input::Gate(b)]);
        check(&structure, &|up| (up[0] || up[1]) && up[2]);
    }

    #[test]
    fn the_distance_is_the_smallest_cut() {
        let mut structure = Structure::new(6);
        let left = structure.gate("left", 2, &[Input::Leaf(0), Input::Leaf(1), Input::Leaf(2)]);
        let right = structure.gate("right", 1, &[Input::Leaf(3), Input::Leaf(4), Input::Leaf(5)]);
        let top = structure.gate("top", 1, &[Input::Gate(left), Input::Gate(right)]);
        let mut levels = structure.levels();
        assert_eq!(levels.distance(&structure, top, &[false; 6]), 2 + 3);
        levels.fail(&structure, 0);
        assert_eq!(levels.distance(&structure, top, &[false; 6]), 1 + 3);
        levels.fail(&structure, 1);
        levels.fail(&structure, 2);
        assert_eq!(levels.distance(&structure, top, &[false; 6]), 3);
        // What never fails is no way to the top.
        let mut immune = [false; 6];
        immune[3] = true;
        assert_eq!(levels.distance(&structure, top, &immune), FAR);
    }
}
