//! What an operator does to a lake: change a type, look for damage, take an object back, submit records again.
//!
//! Not for source objects that arrive: that is [`run`](mod@crate::run), which all of these go through.

pub mod change;
pub mod fsck;
pub mod quarantine;
mod retract;

pub use retract::retract;
