//! Encode: columns in, the bytes of Parquet part files out.
//!
//! For: our own pages (dictionary, PLAIN, levels, compression), statistics and page index. The
//! `parquet` crate writes the index and the footer. Not for: which rows go into which part file, nor
//! where row groups end.
//!
//! The decision to know: a value that several rows repeat is hashed, compared and measured once per
//! slot; rows are only seen by the packing of indexes. That is why this is not the crate's own
//! column writer. Everything is decided by values and counts, so the same columns make the same
//! bytes on every host.
//!
//! ```text
//! column + repeats ─ rows ─ dictionary? ─┬─ source: indexes, or PLAIN values ─ page ─ part file
//!                                        └─ stats ─────────────────────────── footer ┘
//! ```

mod bits;
mod chunk;
mod dictionary;
mod element;
mod footer;
mod hash;
mod out;
mod page;
mod part;
mod rows;
mod schema;
mod source;
mod stats;
mod strings;
mod table;

pub use chunk::Scratch;
pub use page::Codec;
pub use part::PartWriter;
pub use schema::PartSchema;

#[cfg(test)]
mod tests;
