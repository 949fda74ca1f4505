//! Changes of a spec in its text: the one editor that page and command have.
//!
//! Not for what is changed (`lakegate_model::Fix` says it) nor for whether the spec means anything afterwards (the
//! transform refuses what does not). The decisions to know: what is not changed stays as it stands, to the byte, with
//! comments, order and blank lines; and a spec may be written in any of TOML's ways.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod document;
mod fix;
mod look;

pub use fix::apply;
pub use look::{as_checks, input_alone};
