//! The report of a job, and the lines of a quarantine: see [`lakegate_model::report`].
//!
//! Not for checking: the sandbox's ledger does that.

pub use lakegate_model::report::{Check, Report, TableReport, Warning};

/// One rejected record, as it is read back.
pub type QuarantineLine = lakegate_model::QuarantineLine<'static>;
