//! The sandbox: runs one transform over one source object and believes nothing it says.
//!
//! Not for files, lakes or commits: bytes go in, checked steps come out. The decision to know: a
//! component is compiled (or loaded), checked for imports and linked once; each source object gets a
//! fresh store, so that nothing a guest does survives its object.

#![warn(missing_docs)]

mod apart;
mod bindings;
#[cfg(feature = "compile")]
mod cache;
mod component;
mod embedded;
mod engine;
mod error;
mod job;
mod ledger;
mod limits;
mod memory;
mod seats;
mod session;
mod shipped;

pub use apart::runaways;
pub use component::Transform;
#[cfg(feature = "compile")]
pub use engine::compile_for;
pub use engine::{Sandbox, WASMTIME, code_configuration, native_target};
pub use error::SandboxError;
pub use job::{Description, JobOptions, SourceFacts, Step, TableContract, Widened};
pub use limits::{CHUNK_BYTES, Limits};
pub use seats::Seats;
pub use session::{GuestTime, Session};

#[cfg(test)]
mod hostile_tests;
