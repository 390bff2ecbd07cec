//! What Murphy simulates out of the box.

pub mod oracle;
pub mod pbft;
