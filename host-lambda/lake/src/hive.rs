//! Hive partition paths read back: see [`lakegate_model::hive`].

pub use lakegate_model::hive::{partitions, unescape};
