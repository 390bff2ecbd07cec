//! Scenario language and runners.
