//! What every layer of the host needs, and which needs none of them.
//!
//! Not for anything with a meaning of its own: no lake, no sandbox, no service.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
pub mod time;

pub use error::{Error, Result};
pub use lakegate_model::{Code, Fault, Kind, Place};
