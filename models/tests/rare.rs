//! Rare events: estimates by boosted episodes and by splitting against exact answers.
//!
//! Fixed seeds, never tuned. Every check is two-sided at |z| < 4 unless said otherwise, a false alarm
//! of 6e-5 each; a test says how many it makes. The wide validation is in `docs/validation.md`.

mod rare {
    mod boost;
    mod split;
}
