//! The report, as guest, host and page read it: see [`lakegate_model::report`].

pub use lakegate_model::fix::{Edit, Fix};
pub use lakegate_model::report::{Check as CheckReport, Report, TableReport, Warning};
