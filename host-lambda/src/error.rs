//! The host's error, from the crate below all layers.

pub use lakegate_base::{Code, Error, Fault, Kind, Place, Result};
