//! What Murphy simulates out of the box.
