//! What downtime costs, and what avoiding it returns.

/// Hours of a year of 365 days.
const HOURS: f64 = 8760.0;

/// Costs and plans of an investment in fault tolerance; money in one currency, times in hours.
#[derive(Clone, Copy, Debug)]
pub struct Investment {
    /// Mean time between failures now.
    pub mtbf_now: f64,
    /// Mean time between failures after.
    pub mtbf_then: f64,
    /// Hours down per incident now.
    pub hours_now: f64,
    /// Hours down per incident after.
    pub hours_then: f64,
    /// Cost of an hour down.
    pub hour: f64,
    /// Cost of an engineer's hour.
    pub engineer: f64,
    /// Engineers who work on an incident while it lasts.
    pub engineers: f64,
    /// Cost of the response to an incident.
    pub incident: f64,
    /// Cost of the redundant infrastructure per hour.
    pub infrastructure: f64,
    /// Cost of monitoring per month.
    pub monitoring: f64,
    /// Money spent once.
    pub once: f64,
    /// Money spent each year.
    pub yearly: f64,
    /// Years looked at.
    pub years: f64,
}

/// What an [`Investment`] returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Returns {
    /// Cost of incidents a year now.
    pub before: f64,
    /// Cost of incidents a year after.
    pub after: f64,
    /// Saved a year, after all yearly costs.
    pub savings: f64,
    /// Gain over the years per money spent once.
    pub roi: f64,
    /// Years until the money spent once is back; infinite when nothing is saved.
    pub payback: f64,
    /// Money gained over the years.
    pub gain: f64,
}

impl Investment {
    /// With the cost of an hour down as the only cost of an incident, as S0 counts.
    pub fn downtime_only(&self) -> Returns {
        let cost = |mtbf: f64, hours: f64| HOURS / mtbf * hours * self.hour;
        let (before, after) = (cost(self.mtbf_now, self.hours_now), cost(self.mtbf_then, self.hours_then));
        self.returns(before, after, self.yearly, self.once)
    }

    /// With all entries of the cost model.
    pub fn all_costs(&self) -> Returns {
        let cost = |mtbf: f64, hours: f64| {
            HOURS / mtbf * (hours * (self.hour + self.engineer * self.engineers) + self.incident)
        };
        let (before, after) = (cost(self.mtbf_now, self.hours_now), cost(self.mtbf_then, self.hours_then));
        let yearly = self.yearly + HOURS * self.infrastructure + 12.0 * self.monitoring;
        self.returns(before, after, yearly, self.once)
    }

    /// As S0 prints it: a year's operating cost is in the investment, and in each year's savings again.
    pub fn as_seed(&self) -> Returns {
        let counted = self.downtime_only();
        self.returns(counted.before, counted.after, self.yearly, self.once + self.yearly)
    }

    /// The downtime cost per hour at which the savings over the years just pay for the investment.
    pub fn break_even_hour(&self) -> f64 {
        let saved = HOURS * (self.hours_now / self.mtbf_now - self.hours_then / self.mtbf_then);
        let needed = self.once / self.years + self.yearly;
        if saved > 0.0 { needed / saved } else { f64::INFINITY }
    }

    fn returns(&self, before: f64, after: f64, yearly: f64, once: f64) -> Returns {
        let savings = before - after - yearly;
        let gain = savings * self.years - once;
        let payback = if savings > 0.0 { once / savings } else { f64::INFINITY };
        Returns { before, after, savings, roi: gain / once, payback, gain }
    }
}
