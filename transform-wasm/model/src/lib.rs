//! What guest, host and page must read alike: one reader for each text that crosses between them.
//!
//! Not for reading input or making output: a type here holds a text's meaning and its JSON, nothing more.
//! Small dependencies only, since the component and the page carry them too.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod code;
pub mod column_type;
pub mod contract;
pub mod digest;
pub mod drift;
pub mod failure;
pub mod fix;
pub mod footer;
pub mod hive;
pub mod last_words;
pub mod learned;
pub mod max_rejected;
pub mod output;
pub mod place;
pub mod quarantine;
pub mod receipt;
pub mod rejected;
pub mod report;
pub mod source;
mod tree;

pub use code::{Code, Fault, Kind};
pub use column_type::ColumnType;
pub use contract::{Contract, ContractColumn, Origin, PartitionColumn};
pub use drift::Drift;
pub use failure::{Failure, GuestFault};
pub use fix::{Edit, Fix};
pub use max_rejected::MaxRejected;
pub use place::Place;
pub use quarantine::QuarantineLine;
pub use receipt::Receipt;
pub use rejected::{Reason, Rejected, Rejections};
pub use report::Report;
pub use source::SourceFacts;
pub use tree::tree;
