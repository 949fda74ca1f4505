//! Reading JSON, strictly by RFC 8259: scanning, one cursor, and where records begin.
//!
//! For: everything that knows JSON's grammar. Not for: what a value becomes (see `shred`, `learn`).
//! The decision to know: there is no tree and no token list; whoever walks a record asks the cursor
//! for the next thing at a position and gets the position after it, so a record that is cut off by
//! the end of the buffer is simply walked again when more has come.

pub mod cursor;
mod object;
pub mod reader;
mod scan;
pub mod skip;
pub mod tape;
mod text;

#[cfg(test)]
mod cursor_tests;

pub use cursor::{Cursor, Reject, Stop, Text};
pub use object::{Lost, NOWHERE, Spot, Walk, walk_members, walk_object};
pub use skip::{Skipper, compact};
pub use text::unescape;
