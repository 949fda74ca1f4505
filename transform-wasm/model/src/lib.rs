//! What guest, host and page must read alike: one reader for each text that crosses between them.
//!
//! Not for reading input or making output: a type here holds a text's meaning and its JSON, nothing more.
//! Small dependencies only, since the component and the page carry them too.
#![warn(missing_docs)]

pub mod code;
pub mod digest;
pub mod place;

pub use code::{Code, Fault, Kind};
pub use place::Place;
