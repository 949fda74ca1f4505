//! The thin host of Lakegate: runs a transform in a sandbox over a lake.
//!
//! Not for decoding, typing or encoding: all of that is in the component. The flow of one source object
//! is in [`run`](mod@run), on one screen:
//!
//! ```text
//! source → commit? → transform (sandbox) → stage → commit → publish → done
//! ```
//!
//! The decision to know: the commit record is the point of no return. Before it nothing is visible and
//! whatever fails is thrown away; after it whoever comes by completes the work.

pub mod aws;
pub mod bootstrap;
pub mod catalog;
pub mod command;
pub mod compare;
pub mod config;
pub mod deployed;
pub mod error;
pub mod event;
pub mod hive;
pub mod keys;
pub mod lake;
pub mod notify;
pub mod observe;
pub mod release;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod serve;
pub mod source;
pub mod storage;
mod time;

pub use error::{Error, Kind, Place, Result};
