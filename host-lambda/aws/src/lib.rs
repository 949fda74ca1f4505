//! Lakegate on AWS: what connects a lake to buckets, events, a catalog and those who want to be told.
//!
//! Not for the flow of an object: that is the lake's. [`deployed`] is where an event becomes runs of objects
//! through their pipelines; everything else in here is what it is connected to.

#![forbid(unsafe_code)]

pub mod catalog;
pub mod check;
pub mod client;
pub mod deployed;
pub mod event;
pub mod notify;
pub mod observe;
#[cfg(test)]
mod random;
pub mod s3;
