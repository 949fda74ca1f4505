//! A lake over any storage, and the flow of one source object into it.
//!
//! Not for decoding, typing or encoding: all of that is in the transform, which the sandbox runs. Not for services
//! either: what is in here works on a laptop without a network. The flow of one source object is in
//! [`run`](mod@run), on one screen:
//!
//! ```text
//! source → commit? → transform (sandbox) → stage → commit → publish → done
//! ```
//!
//! The commit record is the point of no return: before it nothing is visible and whatever fails is thrown away;
//! after it whoever comes by completes the work.

#![forbid(unsafe_code)]

pub mod history;
pub mod keys;
pub mod lake;
pub mod operate;
pub mod record;
pub mod run;
mod run_id;
#[cfg(any(test, feature = "laws"))]
pub mod scale;
mod sequencer;
pub mod source;
pub mod storage;

pub use lake::Lake;
pub use run_id::RunId;
pub use sequencer::Sequencer;
