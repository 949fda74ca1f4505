//! A bucket that is not there: what S3 does to a lake, its processes, and the faults between them.
//!
//! For: `tests/e2e/torture.rs`. Not for: speed, or S3's protocol (the storage's own suite speaks to real servers).
//! How it works:
//!
//! * [`Bucket`] keeps objects and uploads in memory, with S3's behaviour where the flow depends on it: an upload
//!   vanishes when it is completed or aborted, a small object waits in the memory of the process that made it and
//!   is lost with it, conditional writes are won by one caller.
//! * A [`Process`] is one process's view of a bucket. Every call first asks its [`Schedule`] for the turn, so that
//!   exactly one process runs at a time and an interleaving is a list of numbers; then its [`Fault`] decides what
//!   becomes of the call.

mod bucket;
mod process;
mod schedule;

pub use bucket::Bucket;
pub use process::{Fault, Process, Strike};
pub use schedule::{Chance, Schedule, Stall};
