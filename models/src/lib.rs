//! What Murphy simulates out of the box.

pub mod detect;
pub mod oracle;
pub mod pbft;
