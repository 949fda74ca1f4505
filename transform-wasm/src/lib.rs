//! The Lakegate transform: raw JSON and CSV in, flat typed Parquet out.
//!
//! Pure: no clock, no files, no threads, no async; the same bytes in make the same bytes out on
//! every host. A host opens a [`Job`], pushes bytes and steps it until it is done:
//!
//! ```text
//! bytes ─ input ─ json | csv ─ shred ─ job (derive, filter, check, partition) ─ encode ─ bytes
//!                               │
//!                    learn ─ propose ─ contract
//! ```
//!
//! `wit/transform.wit` is the same interface for components; `component` is its glue.

mod bytes;
pub mod column;
mod column_arrow;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod contract;
pub mod encode;
pub mod error;
pub mod expr;
pub mod hive;
pub mod input;
pub mod job;
pub mod json;
pub mod keys;
pub mod learn;
pub mod limits;
pub mod names;
pub mod propose;
pub mod report;
pub mod shred;
pub mod spec;
pub mod value;

#[cfg(test)]
mod learn_tests;
#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod propose_tests;

pub use error::{Failure, Fault, Place};
pub use job::{Job, Options, SourceFacts, Step, TableContract, Widened};
