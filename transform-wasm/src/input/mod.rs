//! Input: bytes as they lie in the object, to text that the record readers understand.
//!
//! In the order of the flow: [`decompress`] undoes gzip and zstd, [`encoding`] makes clean UTF-8 of
//! it, [`detect`] tells the format from the first line, [`dialect`] how a CSV is written, [`csv`] cuts it into
//! records and fields.
//! Not for: JSON, and not for what a value means (see `value`). The decision to know: everything here
//! works by push and in bounded pieces, and gives the same bytes however the input was cut.

pub mod csv;
pub mod decompress;
pub mod detect;
pub mod dialect;
pub mod encoding;
