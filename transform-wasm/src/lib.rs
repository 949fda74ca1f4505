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
//! `wit/transform.wit` is the same interface for components.
//!
//! A transform of one's own is a crate that depends on this one: an [`Extension`] is a function over the
//! rows of a table, a [`Transform`] a whole pipeline, and [`component!`] makes a component of either.

#![warn(missing_docs)]

mod bytes;
mod column;
mod column_arrow;
#[doc(hidden)]
pub mod component;
mod contract;
mod conventions;
mod encode;
mod error;
mod expr;
mod extension;
mod hive;
mod input;
mod job;
mod json;
mod keys;
mod learn;
mod limits;
mod names;
mod propose;
mod report;
mod reshape;
mod shred;
mod spec;
mod transform;
mod value;

#[cfg(test)]
mod column_names_tests;
#[cfg(test)]
mod interface_tests;
#[cfg(test)]
mod learn_tests;
#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod propose_tests;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod spec_tests;

pub use arrow;
pub use column::ColumnType;
pub use column_arrow::ArrowType;
pub use error::{Code, Failure, Fault, Place};
pub use extension::{Changes, Extension, Rejects, try_on};
pub use job::{Job, Options, SourceFacts, Step, TableContract, Widened};
pub use transform::{Description, Extended, Transform};

/// What the crate's own benchmarks measure apart from each other. Not an interface: it follows the code.
#[doc(hidden)]
pub mod bench {
    pub use crate::column::{Column, Values};
    pub use crate::contract::Contract;
    pub use crate::encode::{Codec, PartSchema, PartWriter, Scratch};
    pub use crate::json::reader::{DocumentReader, Next};
    pub use crate::json::skip::Care;
    pub use crate::json::{Cursor, Skipper};
    pub use crate::limits::Limits;
    pub use crate::shred::{Level, Plan, Shredder, Usual};
    pub use crate::spec::Spec;
}
