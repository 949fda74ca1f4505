//! The Lakegate transform: raw JSON and CSV in, flat typed Parquet out.
//!
//! Pure: no clock, no files, no threads, no async; the same bytes in make the same bytes out on
//! every host. A host opens a [`Job`], pushes bytes and steps it until it is done:
//!
//! ```text
//! bytes ─ input ─ json | csv ─ shred ─ job (derive, extend, filter, check, partition) ─ encode ─ bytes
//!                               │
//!                    learn ─ propose ─ contract
//! ```
//!
//! `wit/transform.wit` is the same interface for components; `component` is its glue.
//!
//! A transform of one's own is a crate that depends on this one: an [`Extension`] is a function over the
//! rows of a table, a [`Transform`] a whole pipeline, and [`component!`] makes a component of either.

mod bytes;
pub mod column;
mod column_arrow;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
pub mod contract;
pub mod encode;
pub mod error;
pub mod expr;
pub mod extension;
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
pub mod transform;
pub mod value;

#[cfg(test)]
mod interface_tests;
#[cfg(test)]
mod learn_tests;
#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod propose_tests;

pub use arrow;
pub use column::{ArrowType, ColumnType};
pub use error::{Code, Failure, Fault, Place};
pub use extension::{Changes, Extension, Rejects};
pub use job::{Job, Options, SourceFacts, Step, TableContract, Widened};
pub use transform::{Description, Extended, Transform};
