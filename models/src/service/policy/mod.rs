//! Resilience policies as pure state machines: time goes in, decisions come out. Each follows the
//! library that it names, thresholds inclusive or strict as there.

mod adaptive;
mod backoff;
mod breaker;
mod budget;
mod codel;
mod limiter;
mod limits;
mod throttle;
mod window;

pub use adaptive::AdaptiveRate;
pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerState, Recorded};
pub use budget::RetryBudget;
pub use codel::Codel;
pub use limiter::RateLimiter;
pub use limits::{AimdLimit, Gradient2Limit, Limit, VegasLimit};
pub use throttle::Throttle;
