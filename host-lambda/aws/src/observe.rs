//! What is seen of the host from outside: log lines, metrics, lineage.
//!
//! Not for answers to events (`event`) or for notices (`notify`). The decision to know: everything here is
//! counts, durations, names and codes. A value of a record never leaves through any of the three, so that
//! logs may be kept and shared where the data may not.

pub mod lineage;
pub mod log;
pub mod metrics;
pub mod stage;
