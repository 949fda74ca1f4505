//! Failures, as guest, host and page read them: see [`lakegate_model::failure`].

pub use lakegate_model::{Code, Failure, GuestFault as Fault, Place};
