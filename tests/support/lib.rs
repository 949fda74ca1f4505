//! What the end-to-end tests share: a reference implementation, drivers, readers, the corpus.
//!
//! For: `tests/e2e`. Not for: the product; nothing here is linked into it. The decision to know: all
//! comparisons are of text (schema, cells, rejects), so that a failed test shows what a person reads.

#![forbid(unsafe_code)]
// Support code of tests: what it cannot do is a failed test, so it may panic.
#![allow(clippy::unwrap_used)]

pub mod cells;
pub mod command;
pub mod corpus;
pub mod documents;
pub mod drive;
pub mod dying;
pub mod fuzz;
pub mod generate;
pub mod golden;
pub mod judged;
pub mod lake_rows;
pub mod peers;
pub mod reference;
pub mod rows;
pub mod serving;
pub mod simulated;
pub mod ways;
pub mod worst;
