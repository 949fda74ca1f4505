//! The contract, as guest, host and page read it: see [`lakegate_model::contract`].

pub use lakegate_model::contract::{Contract, ContractColumn, Origin, PartitionColumn};
pub use lakegate_model::digest::sha256 as digest;
