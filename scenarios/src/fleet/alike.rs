//! Fleets of components that are alike, as textbooks have them.

use murphy_sim::{Law, Span};

use super::{CommonCause, Crew, Fleet, Input, Line, Order, Standby, Structure};

/// `n` components of one kind of which `k` are needed.
#[derive(Clone, Debug)]
pub struct Alike {
    /// Components.
    pub n: usize,
    /// How many are needed.
    pub k: usize,
    /// Time to failure in use.
    pub up: Law,
    /// Time of a repair.
    pub down: Law,
    /// Repairs at once; `None` for one crew each.
    pub crews: Option<usize>,
    /// Share of the failures that have a cause in common.
    pub beta: f64,
    /// Who stands by, if not all are in use.
    pub standby: Option<Aside>,
}

/// How the components that are not needed stand by.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Ageing as a share of that in use.
    pub dormancy: f64,
    /// Probability that a failure is switched over by itself.
    pub coverage: f64,
    /// Time of such a switch-over; `None` for none.
    pub failover: Option<Law>,
    /// Time until people switched over; `None` for none.
    pub manual: Option<Law>,
}

impl Alike {
    /// The exponential case: means in seconds, own crews, no common causes, all in use.
    pub fn exponential(k: usize, n: usize, to_failure: f64, to_repair: f64) -> Alike {
        let law = |mean: f64| Law::Exponential { mean: Span::from_secs_f64(mean) };
        Alike { n, k, up: law(to_failure), down: law(to_repair), crews: None, beta: 0.0, standby: None }
    }

    /// The fleet, and the gate that is up while enough components are and none switches over.
    ///
    /// # Panics
    /// When `k` is not from 1 to `n`.
    pub fn fleet(&self) -> (Fleet, u32) {
        // One leaf a component, and one for the switch-over.
        let leaves: Vec<Input> =
            (0..u32::try_from(self.n).expect("few components")).map(Input::Leaf).collect();
        let switch = u32::try_from(self.n).expect("few components");
        let mut structure = Structure::new(self.n + 1);
        let enough = structure.gate("enough", self.k, &leaves);
        let top = structure.gate("system", 2, &[Input::Gate(enough), Input::Leaf(switch)]);
        let mut fleet = Fleet::new(structure);
        let kind = fleet.kind("component");
        let crew = self.crews.map(|size| fleet.crew(Crew { size, order: Order::Fifo, start: Span::ZERO }));
        for leaf in 0..switch {
            fleet.line(Line {
                name: format!("component{leaf}"),
                kind,
                up: self.up.clone(),
                stretch: 1.0 / (1.0 - self.beta),
                down: Some(self.down.clone()),
                crew,
                leaves: vec![leaf],
            });
        }
        let members: Vec<usize> = (0..self.n).collect();
        if self.beta > 0.0 {
            fleet.common(CommonCause {
                name: "common".to_owned(),
                kind,
                up: self.up.clone(),
                stretch: 1.0 / self.beta,
                members: members.clone(),
            });
        }
        if let Some(aside) = &self.standby {
            fleet.standby(Standby {
                name: "standby".to_owned(),
                members,
                needed: self.k,
                dormancy: aside.dormancy,
                coverage: aside.coverage,
                failover: aside.failover.clone(),
                manual: aside.manual.clone(),
                leaves: vec![switch],
            });
        }
        (fleet, top)
    }
}
