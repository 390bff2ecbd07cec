//! Renewal: rates, laws, common causes, persistence.

use murphy_reports::Persistence;
use murphy_scenarios::language::FaultEffect;

use crate::fixture::{head, of, plan, poisson, span};

/// False-alarm probability of each interval below.
const ALPHA: f64 = 1e-6;
const HOUR: f64 = 3.6e12;

fn hazard(keys: &str) -> String {
    format!("[[hazard]]\nname = \"h\"\nkind = \"renewal\"\nfault = {{ kind = \"crash\" }}\n{keys}\n")
}

/// The first 20 gaps of each of 500 components: a fixed number of each, so that the end of the run
/// biases nothing.
fn gaps(keys: &str) -> Vec<f64> {
    let text = head(500, 1, "6000h") + &hazard(&format!("target = \"u*\"\ndown = \"1h\"\n{keys}"));
    let plan = plan(&text, 1);
    let mut gaps = Vec::new();
    for node in 0..500 {
        let faults = of(&plan, &format!("h.u{node}."));
        assert!(faults.len() >= 20, "u{node} fails {} times only", faults.len());
        let mut up_since = 0;
        for fault in &faults[..20] {
            let (start, end) = span(fault);
            gaps.push((start - up_since) as f64 / HOUR);
            up_since = end;
        }
    }
    gaps
}

/// Greatest distance between the samples' distribution and a law's.
fn distance(mut samples: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let mut worst: f64 = 0.0;
    for (i, &x) in samples.iter().enumerate() {
        worst = worst.max((cdf(x) - i as f64 / n).abs()).max((cdf(x) - (i as f64 + 1.0) / n).abs());
    }
    worst
}

/// Dvoretzky, Kiefer, Wolfowitz with Massart's constant: beyond this with probability `ALPHA` at most.
fn bound(n: usize) -> f64 {
    libm::sqrt(libm::log(2.0 / ALPHA) / (2.0 * n as f64))
}

fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Keys, the distribution function that they name, and another with the same scale.
type Case<'c> = (&'c str, &'c dyn Fn(f64) -> f64, &'c dyn Fn(f64) -> f64);

#[test]
fn times_to_failure_follow_each_law() {
    let exponential = |x: f64| 1.0 - libm::exp(-x / 100.0);
    let weibull = |x: f64| 1.0 - libm::exp(-libm::pow(x / 100.0, 1.5));
    let lognormal = |x: f64| normal(libm::log(x / 100.0) / 0.8);
    let uniform = |x: f64| ((x - 50.0) / 100.0).clamp(0.0, 1.0);
    let cases: [Case<'_>; 5] = [
        ("mttf = \"100h\"", &exponential, &weibull),
        ("up = { dist = \"exponential\", mean = \"100h\" }", &exponential, &lognormal),
        ("up = { dist = \"weibull\", scale = \"100h\", shape = 1.5 }", &weibull, &exponential),
        ("up = { dist = \"lognormal\", median = \"100h\", sigma = 0.8 }", &lognormal, &exponential),
        ("up = { dist = \"uniform\", low = \"50h\", high = \"150h\" }", &uniform, &weibull),
    ];
    for (keys, right, wrong) in cases {
        let gaps = gaps(keys);
        let limit = bound(gaps.len());
        let far = distance(gaps.clone(), right);
        assert!(far < limit, "{keys}: {far} from its law, beyond {limit}");
        let other = distance(gaps, wrong);
        assert!(other > limit, "{keys}: the same test does not tell another law apart ({other})");
    }
}

#[test]
fn deterministic_and_empirical_times_are_exact() {
    assert!(gaps("up = \"30h\"").iter().all(|gap| (gap - 30.0).abs() < 1e-9));
    let gaps = gaps("up = { dist = \"empirical\", values = [\"10h\", \"20h\", \"20h\", \"40h\"] }");
    let n = gaps.len() as f64;
    let share = |hours: f64| gaps.iter().filter(|gap| (**gap - hours).abs() < 1e-9).count() as f64 / n;
    // Hoeffding, two-sided.
    for (hours, expected) in [(10.0, 0.25), (20.0, 0.5), (40.0, 0.25)] {
        assert!((share(hours) - expected).abs() < bound(gaps.len()), "{hours}: {}", share(hours));
    }
    assert!((share(10.0) + share(20.0) + share(40.0) - 1.0).abs() < 1e-12, "nothing else is drawn");
}

#[test]
fn the_number_of_failures_is_poisson_when_repair_takes_no_time() {
    let text = |mttf: &str| {
        head(200, 1, "1000h") + &hazard(&format!("target = \"u*\"\nmttf = \"{mttf}\"\ndown = \"1ns\""))
    };
    let expected = poisson(200.0 * 1000.0 / 100.0, ALPHA);
    for seed in 1..=5 {
        let failures = plan(&text("100h"), seed).faults.len() as u64;
        assert!(expected.contains(&failures), "seed {seed}: {failures} not in {expected:?}");
    }
    let other = plan(&text("120h"), 1).faults.len() as u64;
    assert!(!expected.contains(&other), "a rate that is 17 % off fails the same test: {other}");
}

/// Faults that take a whole zone of ten, and those of one node.
fn joint(beta: &str) -> (u64, u64) {
    let keys = format!("target = \"u*\"\nmttf = \"100h\"\ndown = \"1ns\"\n{beta}");
    let plan = plan(&(head(200, 20, "10000h") + &hazard(&keys)), 3);
    let mut counts = (0, 0);
    for fault in &plan.faults {
        let FaultEffect::Crash { nodes, .. } = &fault.effect else { panic!("{:?}", fault.effect) };
        match nodes.len() {
            10 => {
                assert!(nodes.iter().all(|node| node % 20 == nodes[0] % 20), "one zone: {nodes:?}");
                counts.0 += 1;
            }
            1 => counts.1 += 1,
            n => panic!("{} takes {n} nodes", fault.name),
        }
    }
    counts
}

#[test]
fn a_share_beta_of_the_failures_takes_the_whole_group() {
    // 20 zones at a tenth of 1/(100 h), over 10,000 h; and 200 nodes at nine tenths.
    let (together, alone) = (poisson(0.1 * 100.0 * 20.0, ALPHA), poisson(0.9 * 100.0 * 200.0, ALPHA));
    let (common, single) = joint("beta = 0.1\nshared = \"zone\"");
    assert!(together.contains(&common), "{common} not in {together:?}");
    assert!(alone.contains(&single), "{single} not in {alone:?}");
    let (none, all) = joint("");
    assert!(!together.contains(&none) && none == 0, "without beta no failure is common: {none}");
    assert!(!alone.contains(&all), "and the single ones are a ninth more: {all}");
    assert_eq!(joint("beta = 1.0\nshared = \"zone\"").1, 0, "with beta = 1 none is alone");
}

#[test]
fn permanent_failures_happen_once_and_stay() {
    let keys = "target = \"u*\"\nmttf = \"10h\"\npersistence = \"permanent\"\ncause = \"hardware\"";
    let plan = plan(&(head(50, 1, "1000h") + &hazard(keys)), 1);
    assert_eq!(plan.faults.len(), 50, "each fails within a hundred times its mean");
    for fault in &plan.faults {
        assert_eq!((fault.duration, fault.persistence), (None, Persistence::Permanent), "{}", fault.name);
        assert_eq!((fault.cause.as_str(), fault.origin.as_str()), ("hardware", "h"));
    }
}

#[test]
fn intermittent_failures_have_bursts_within_their_episodes() {
    let keys = "target = \"u0\"\nup = \"10h\"\ndown = \"1h\"\npersistence = \"intermittent\"\n\
                pattern = { on = \"10min\", off = \"20min\" }";
    let plan = plan(&(head(1, 1, "22h") + &hazard(keys)), 1);
    let minutes: Vec<(u64, u64)> =
        plan.faults.iter().map(span).map(|(a, b)| (a / 60_000_000_000, b / 60_000_000_000)).collect();
    assert_eq!(minutes, [(600, 610), (630, 640), (1260, 1270), (1290, 1300)]);
    assert!(plan.faults.iter().all(|fault| fault.persistence == Persistence::Intermittent));
    assert_eq!(plan.faults[3].name, "h.u0.1.1");
}

#[test]
fn sites_zones_regions_and_links_are_components_too() {
    let faults = |keys: &str, fault: &str| {
        let text = head(8, 4, "1000h")
            + &format!(
                "[[hazard]]\nname = \"h\"\nkind = \"renewal\"\nfault = {{ kind = \"{fault}\" }}\nmttf = \"20h\"\nmttr = \"1h\"\n{keys}"
            );
        let mut plan = plan(&text, 1);
        plan.faults.sort_by(|a, b| a.name.cmp(&b.name));
        plan.faults.into_iter().map(|fault| (fault.name, fault.effect)).collect::<Vec<_>>()
    };
    let first = |list: &[(String, FaultEffect)], prefix: &str| {
        list.iter().find(|(name, _)| name.starts_with(prefix)).expect("a fault of it").1.clone()
    };
    let sites = faults("site = \"s*\"", "site-down");
    assert_eq!(first(&sites, "h.s1."), FaultEffect::SiteDown { sites: vec![1], nodes: vec![1, 5] });
    let zones = faults("zone = [\"z2\"]", "pause");
    assert_eq!(first(&zones, "h.z2."), FaultEffect::Pause { nodes: vec![2, 6] });
    let regions = faults("region = \"r*\"", "site-down");
    assert_eq!(
        first(&regions, "h.r0."),
        FaultEffect::SiteDown { sites: vec![0, 1], nodes: vec![0, 1, 4, 5] }
    );
    let links = faults("link = [[\"s0\", \"s1\"], [\"s2\", \"s3\"]]", "cut");
    assert_eq!(first(&links, "h.s2-s3."), FaultEffect::Cut { link: 2 });
    let parted = faults("target = \"u0\"", "partition");
    let FaultEffect::Partition { groups, .. } = first(&parted, "h.u0.") else { panic!("a partition") };
    assert_eq!(groups, [vec![0], vec![1, 2, 3, 4, 5, 6, 7]]);
}
